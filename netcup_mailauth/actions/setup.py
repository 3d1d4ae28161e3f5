"""``setup``: what is live and who sends, and a proposal that the guard lets through."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from netcup_mailauth import dmarc, records
from netcup_mailauth.actions import planning
from netcup_mailauth.errors import MailauthError
from netcup_mailauth.judge import holding
from netcup_mailauth.lookup import ZoneLookup
from netcup_mailauth.policy import MANAGED, DomainPolicy, Wish, layered, linked
from netcup_mailauth.proposal import Choices, Situation, proposed

if TYPE_CHECKING:
    from netcup_mailauth.actions.session import Session
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
    name = session.zone_of(Wish(domain, DomainPolicy()))
    return session.backend.zone(name)


def situation_of(session: Session, domain: str, zone: Zone, source: str | None) -> Situation:
    """What is known of a domain whose key comes from ``source``, if from anywhere.

    Raises:
        MailauthError: the source cannot be asked, or holds no key.
    """
    host = session.keys.host(source) if source else None
    return Situation(
        domain,
        zone,
        ZoneLookup(zone, session.lookup()),
        (host,) if host else (),
        source,
        session.keys.key(source, domain) if source else None,
    )


def settled(
    session: Session, situation: Situation, choices: Choices, defaults: DomainPolicy
) -> Settled:
    """The proposal for these choices; what the guard would hold back of it is left as it is.

    ``defaults`` are what the config wants of every domain, below the proposal.

    Raises:
        MailauthError: the key or the zone cannot be read.
    """
    for _ in range(MOST_ROUNDS):
        proposal = proposed(situation, choices)
        change_set = _judged(session, situation, proposal, defaults)
        held = {
            stop.kind: f"Left as it is: {stop.message}"
            for stop in reversed(holding.stopping(change_set))
            if stop.kind is not None and stop.kind in proposal.policy.manages
        }
        if not held:
            break
        situation = replace(situation, left={**situation.left, **held})
    return Settled(proposal, situation, change_set)


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


def source_of(key: str) -> str:
    """A record that somebody pasted, as the config names it as a source."""
    return key if key.startswith("v=DKIM1") else f"record:{key}"
