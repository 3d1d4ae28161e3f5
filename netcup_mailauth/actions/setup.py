"""``setup``: what is live and who sends, and a proposal that the guard lets through."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from netcup_mailauth import dmarc, records
from netcup_mailauth.actions import planning
from netcup_mailauth.errors import MailauthError
from netcup_mailauth.judge import holding
from netcup_mailauth.judge.neighbours import addresses, exchanges, is_netcup
from netcup_mailauth.lookup import ZoneLookup
from netcup_mailauth.policy import MANAGED, DomainPolicy, Wish, layered, linked
from netcup_mailauth.proposal import Choices, Situation, proposed
from netcup_mailauth.records import Kind

if TYPE_CHECKING:
    from netcup_mailauth.actions.session import Session
    from netcup_mailauth.dkim import DkimSource
    from netcup_mailauth.findings import Finding
    from netcup_mailauth.keys.mailcow import Mailcow
    from netcup_mailauth.plan import ChangeSet
    from netcup_mailauth.proposal import Proposal
    from netcup_mailauth.records import Zone

MOST_ROUNDS = len(MANAGED) + 1
"""How often a proposal is made anew because the guard holds back another kind of it."""


@dataclass(frozen=True, slots=True)
class Settled:
    """A proposal that the guard lets through, the situation it fits, and what it would change."""

    proposal: Proposal
    situation: Situation
    change_set: ChangeSet


def zone_of(session: Session, domain: str) -> Zone:
    """The zone that a mail domain lies in, as netcup has it.

    Raises:
        MailauthError: DNS or netcup does not know it.
    """
    return session.backend.zone(session.zone_of(domain))


def situation_of(
    session: Session, domain: str, zone: Zone, source: str | None, key: DkimSource | None = None
) -> Situation:
    """What is known of a domain whose key comes from ``source``, or is ``key``, if there is one.

    Raises:
        MailauthError: the source cannot be asked, or holds no key.
    """
    lookup = ZoneLookup(zone, session.lookup())
    if source is None:
        return Situation(domain, zone, lookup, source=source_of(key) if key else None, key=key)
    host, key = session.keys.host(source), session.keys.key(source, domain)
    return Situation(domain, zone, lookup, (host,) if host else (), source, key)


def source_of(key: DkimSource) -> str:
    """A key that somebody pasted, as the config names it as a source."""
    if key.key_only and key.key is not None:
        return f"record:{key.key.p}"
    return key.record if key.record.startswith("v=DKIM1") else f"record:{key.record}"


def likely_server(situation: Situation) -> str:
    """What may send the mail of a domain without an MX: the zone's own; empty if it has none."""
    hosts = exchanges(situation.zone.name, situation.lookup).own
    own = (host for host in hosts if not is_netcup(host))
    return next((host for host in own if addresses([host], situation.lookup)), "")


def settled(
    session: Session, situation: Situation, choices: Choices, defaults: DomainPolicy
) -> Settled:
    """The proposal for these choices; what the guard would hold back of it is left as it is.

    ``defaults`` are what the config wants of every domain, below the proposal.

    Raises:
        MailauthError: the key or the zone cannot be read.
    """
    lookup = ZoneLookup(situation.zone, session.lookup())  # the last one's time may be up
    reports = (defaults.dmarc and defaults.dmarc.rua) or ()
    situation = replace(situation, lookup=lookup, reports=tuple(reports))
    for _ in range(MOST_ROUNDS):
        proposal = proposed(situation, choices)
        change_set = _judged(session, situation, proposal, defaults)
        held: dict[Kind, str] = {
            stop.kind: _left(stop)
            for stop in reversed(holding.stopping(change_set))
            if stop.kind is not None and stop.kind in proposal.policy.manages
        }
        if not held:
            break
        # The policy may be sound again without what is left out now.
        if len(held) > 1:
            held.pop(Kind.DMARC, None)
        situation = replace(situation, left={**situation.left, **held})
    return Settled(proposal, situation, change_set)


def _left(stop: Finding) -> str:
    """Why a kind is left as it is, and what to do about it where a sentence says that."""
    advice = stop.advice if "\n" not in stop.advice else ""
    if "--" in advice:
        advice += " (An option of netcup-mailauth apply.)"
    return f"Left as it is: {stop.message} {advice}".rstrip()


def _judged(
    session: Session, situation: Situation, proposal: Proposal, defaults: DomainPolicy
) -> ChangeSet:
    """What the proposal would change in the zone that was read, as the guard sees it."""
    wish = wishes(session, situation.domain, proposal, defaults)[0]
    return planning.drafted(session, wish, situation.zone).change_set


def wishes(session: Session, domain: str, proposal: Proposal, defaults: DomainPolicy) -> list[Wish]:
    """The wish for the domain; and for the one that takes its reports, where it is ours too.

    A report address in another domain gets nothing until that domain agrees, by a record of its
    own (RFC 9990, 4).
    """
    policy = layered(defaults, proposal.policy)
    rua = (policy.dmarc and policy.dmarc.rua) or []
    hosts = {records.zone_form(dmarc.report_host(uri)) for uri in rua}
    others = sorted(h for h in hosts - {records.zone_form(domain)} if is_ours(session, h))
    return linked([Wish(domain, policy), *(Wish(name, DomainPolicy()) for name in others)])


def is_ours(session: Session, zone: str) -> bool:
    """Whether a zone is in this account, as far as can be told without counting a miss."""
    try:
        planning.check_that_netcup_may_serve(zone, session.lookup())
        session.backend.zone(zone)
    except MailauthError:
        return False
    return True


def newly_left(before: Settled, after: Settled) -> str:
    """Why a choice cannot be followed: a kind would have to be left as it is; empty if it can."""
    added = [k for k in after.situation.left if k not in before.situation.left]
    return after.situation.left[added[0]] if added else ""


def remarks(settled: Settled, mailcow: Mailcow | None) -> list[str]:
    """What there is to say beside the records: whether anybody gets the reports."""
    address = settled.proposal.rua
    try:
        arrives = mailcow.takes_mail(address) if mailcow and address else None
    except MailauthError as error:
        return [f"Whether {address} exists is not known: {error.what}"]
    if arrives is not False:
        return []
    return [f"mailcow has no mailbox or alias {address}: make one, or name another address."]
