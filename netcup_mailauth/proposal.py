"""What to propose for a domain whose records are to be put right: the how-to's, as far as is safe.

The usual how-to is ``v=spf1 mx a -all``, the mail server's key, and ``p=quarantine``. Proposed is
what of it fits what is live, in parts, so that nothing that is live is lost: a sender stays, a
policy never gets weaker, and mail is only quarantined where the server's key can be looked up.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from netcup_mailauth import dmarc, kinds, spf
from netcup_mailauth.desired import DEFAULT_SELECTOR, desired_records, unmanaged
from netcup_mailauth.dkim import MAILCOW_PAGE
from netcup_mailauth.errors import RecordError
from netcup_mailauth.judge import dmarc as dmarc_faults
from netcup_mailauth.judge import spf as spf_faults
from netcup_mailauth.judge.neighbours import (
    NETCUP_INCLUDE,
    addresses,
    exchanges,
    is_mail_at_netcup,
    is_netcup,
    own_hosts,
)
from netcup_mailauth.kinds import hostname_of
from netcup_mailauth.policy import DkimPolicy, DmarcPolicy, DomainPolicy, SpfPolicy
from netcup_mailauth.records import Kind
from netcup_mailauth.shown import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from netcup_mailauth.dkim import DkimSource
    from netcup_mailauth.dmarc import DmarcRecord
    from netcup_mailauth.judge.neighbours import Sender
    from netcup_mailauth.lookup import Lookup
    from netcup_mailauth.policy import FinalAll
    from netcup_mailauth.records import Zone


@dataclass(frozen=True)
class Situation:
    """What is known of a domain before anything is proposed.

    Attributes:
        zone: the zone it lies in, as netcup has it.
        lookup: DNS, with the zone's own names answered from the zone.
        hosts: what sends the domain's mail, where that is known; else its MX hosts are taken for
            it, but for netcup's.
        source: where the key comes from, as a config says it; ``None`` where nobody knows.
        key: the key that the mail is signed with, if there is one yet.
        left: kinds that are left as they are, and why.
        reports: where the reports of every domain go, as the config has it: URIs.
    """

    domain: str
    zone: Zone
    lookup: Lookup
    hosts: tuple[str, ...] = ()
    source: str | None = None
    key: DkimSource | None = None
    left: Mapping[Kind, str] = field(default_factory=dict)
    reports: tuple[str, ...] = ()

    @cached_property
    def servers(self) -> tuple[str, ...]:
        """What sends the domain's mail: as known, with an MX that is the same, else the MX."""
        return own_hosts(self.hosts, exchanges(self.domain, self.lookup), self.lookup)

    @cached_property
    def senders(self) -> list[Sender]:
        """The addresses of those servers."""
        return addresses(self.servers, self.lookup)

    @property
    def is_mail_at_netcup(self) -> bool:
        """Whether the mail is netcup's own business."""
        return is_mail_at_netcup(self.servers)

    def live(self, kind: Kind) -> list[str]:
        """The texts of the live records of SPF or DMARC, near misses where there are none."""
        hostname = hostname_of(kind, self.domain, self.zone.name)
        return [record.destination for record in kinds.live(self.zone, kind, hostname)]


@dataclass(frozen=True, slots=True)
class Choices:
    """What somebody wants other than proposed; ``None`` leaves it to the proposal.

    Attributes:
        drops_netcup: netcup's own servers may no longer send.
        rua: where the reports go.
    """

    final_all: FinalAll | None = None
    drops_netcup: bool = False
    policy: dmarc.Policy | None = None
    rua: str | None = None


@dataclass(frozen=True, slots=True)
class Proposal:
    """What is proposed.

    Attributes:
        policy: what the records should be, in parts.
        reasons: why, a sentence for each kind; also for one that is left as it is.
        final_alls: what the SPF record may end in instead, the proposed one first.
        policies: what DMARC may ask for instead, the proposed one first.
        rua: where reports will go that may go elsewhere; empty where they go somewhere already.
        netcup: whether netcup's own servers may send now, of which only a website there has any
            use: they stay unless somebody takes them out.
    """

    policy: DomainPolicy
    reasons: Mapping[Kind, str]
    final_alls: tuple[FinalAll, ...] = ()
    policies: tuple[dmarc.Policy, ...] = ()
    rua: str = ""
    netcup: bool = False


def includes_netcup(situation: Situation) -> bool:
    """Whether netcup's servers may send now for nothing but a website there."""
    if Kind.SPF in situation.left:
        return False
    live = _spf_records(situation.live(Kind.SPF))
    terms = (term for record in live for term in _passing(record))
    own = any(term.unqualified == NETCUP_INCLUDE for term in terms)
    return own and not situation.is_mail_at_netcup


def proposed(situation: Situation, choices: Choices = Choices()) -> Proposal:
    """What to propose in this situation, with these choices."""
    parts = [_spf(situation, choices), _dkim(situation), _dmarc(situation, choices)]
    zone, domain = situation.zone.name, situation.domain
    server = list(situation.hosts) if situation.source != "mailcow" else None
    policy = DomainPolicy(zone=zone if zone != domain else None, server=server or None)
    reasons: dict[Kind, str] = {}
    proposal = Proposal(policy, reasons, netcup=includes_netcup(situation))
    for kind, part in zip((Kind.SPF, Kind.DKIM, Kind.DMARC), parts, strict=True):
        reasons[kind] = part.reason
        policy = policy.model_copy(update={kind.value: part.policy})
        proposal = replace(proposal, **part.offers)  # type: ignore[arg-type]
    return replace(proposal, policy=policy)


@dataclass(frozen=True, slots=True)
class _Part:
    """What is proposed for one kind, why, and what may be chosen instead."""

    policy: SpfPolicy | DkimPolicy | DmarcPolicy | None
    reason: str
    offers: Mapping[str, object] = field(default_factory=dict)


# --- SPF ------------------------------------------------------------------------------------------


def _spf(situation: Situation, choices: Choices) -> _Part:
    if Kind.SPF in situation.left:
        return _Part(None, situation.left[Kind.SPF])
    live = situation.live(Kind.SPF)
    records = _spf_records(live)
    if len(records) < len(live):
        return _Part(None, "Left as it is: the live text cannot be read as an SPF record.")
    drop = [NETCUP_INCLUDE] if choices.drops_netcup else []
    try:
        kept = [spf.drop(spf.merge(records).record, *drop)] if records else []
        require, reason = _required(situation, kept)
    except RecordError as error:
        return _Part(None, f"Left as it is: {error.what}")
    if not require:
        return _Part(None, reason)
    final = choices.final_all or (None if records else "softfail")
    policy = SpfPolicy(require=require, drop=drop or None, all=final)
    made = desired_records(situation.domain, situation.zone, DomainPolicy(spf=policy), None)
    if not made.records:
        return _Part(None, f"Left as it is: {made.findings[0].message}")
    if len(records) > 1:
        every = "every other" if drop else "every"
        reason = f"The {len(records)} live records become one that keeps {every} term."
    elif records and not spf.is_spf(live[0]):
        reason = "Receivers do not read what is live: it is written anew as it was meant."
    if choices.final_all:
        reason = f"{reason} It ends as chosen."
    if drop:
        reason = f"netcup's own servers are taken out. {reason}"
    return _Part(policy, reason, {"final_alls": _final_alls(made.records[0].value, records)})


def _spf_records(live: Sequence[str]) -> list[spf.SpfRecord]:
    """The live texts as they were meant; without those that nobody can read."""
    records = []
    for text in live:
        try:
            records.append(spf.parse_wanted(spf.mended(text)))
        except RecordError:
            continue
    return records


def _passing(record: spf.SpfRecord) -> list[spf.Term]:
    passes = spf.Qualifier.PASS
    return [t for t in record.mechanisms if t.qualifier is passes and t.name != "all"]


def _required(situation: Situation, live: Sequence[spf.SpfRecord]) -> tuple[list[str], str]:
    """The terms that a record needs, and the reason; none where nobody knows what sends.

    ``live`` is what is live, as one record, if anything is.
    """
    there = [term.text for record in live for term in _passing(record)]
    shut_out = _shut_out(situation, live)
    named = " and ".join(map(visible, situation.servers))
    if live and situation.senders and not shut_out:
        return _own(there), f"The live record lets {named} send."
    if not situation.senders:
        unknown = "What sends the mail is not known."
        return _own(there), f"{unknown} What is live stays." if there else unknown
    mx = [host for host in exchanges(situation.domain, situation.lookup).own if not is_netcup(host)]
    terms = ["mx"] if set(mx) & set(situation.servers) or "mx" in there else []
    if "a" in there or _is_apex(situation):
        terms.append("a")
    terms += _still_needed(situation, live, terms)
    return terms, f"So that {named} may send." + (" What is live stays." if there else "")


def _own(there: Sequence[str]) -> list[str]:
    """Of the live terms, those by which the domain's own servers send; else all of them."""
    own = [text for text in there if text.lstrip("+").split(":")[0].split("/")[0] in _OF_SERVERS]
    return own or [text for text in there if text != NETCUP_INCLUDE] or list(there)


_OF_SERVERS = ("mx", "a", "ip4", "ip6")


def _shut_out(situation: Situation, live: Sequence[spf.SpfRecord]) -> list[Sender]:
    """The servers' addresses that the record, if there is one, does not let send."""
    trying = spf_faults.to_try(situation.senders, live)
    if not live:
        return trying
    domain, lookup = situation.domain, situation.lookup
    return [
        sender
        for sender in trying
        if spf_faults.result(domain, sender, lookup, live[0]) not in LETS_SEND
    ]


LETS_SEND = (spf.Result.PASS, spf.Result.TEMPERROR)
"""That DNS gave no answer is no reason to change a record."""


def _still_needed(
    situation: Situation, live: Sequence[spf.SpfRecord], terms: Sequence[str]
) -> list[str]:
    """What lets those servers send that the terms do not: the host, else its addresses."""
    more: list[str] = []
    for attempt in (_hosts_of, spf_faults.terms_for):
        base = live[0] if live else spf.parse("v=spf1 ~all")
        record = spf.require(base, *terms, *more, domain=situation.domain)
        more += (t for t in attempt(_shut_out(situation, [record])) if t not in more)
    return more


def _hosts_of(senders: Iterable[Sender]) -> list[str]:
    hosts = (s.host for s in senders if s.host != s.address and not is_netcup(s.host))
    return [f"a:{host}" for host in dict.fromkeys(hosts)]


def _is_apex(situation: Situation) -> bool:
    """Whether the name itself leads to the server and nowhere else: then ``a`` lets no other in."""
    own = {sender.address for sender in situation.senders}
    apex = {sender.address for sender in addresses([situation.domain], situation.lookup)}
    return bool(apex) and apex <= own


def _final_alls(made: str, records: Sequence[spf.SpfRecord]) -> tuple[FinalAll, ...]:
    """What the record may end in: ``-all`` where it ends softer, and back if that was chosen."""
    qualifier = spf.parse(made).all_qualifier
    if qualifier is spf.Qualifier.SOFTFAIL:
        return ("softfail", "fail")
    if qualifier is spf.Qualifier.NEUTRAL:
        return ("neutral", "softfail", "fail")
    hard = any(record.all_qualifier is spf.Qualifier.FAIL for record in records)
    return ("fail", "softfail") if qualifier is spf.Qualifier.FAIL and not hard else ()


# --- DKIM -----------------------------------------------------------------------------------------


def _dkim(situation: Situation) -> _Part:
    source, key = situation.source, situation.key
    if Kind.DKIM in situation.left:
        return _Part(None, situation.left[Kind.DKIM])
    if source is None:
        stays = _live_keys(situation)
        reason = f"No key is given, so what is live stays as it is: {', '.join(stays)}."
        missing = "No key yet: when the mail server has one, run setup again."
        return _Part(None, reason if stays else missing)
    if key is None:
        return _Part(
            DkimPolicy(source=source),
            f"mailcow has no key yet: make one there ({MAILCOW_PAGE}), and the next run publishes "
            "it.",
        )
    selector = key.selector or DEFAULT_SELECTOR
    hostname = hostname_of(Kind.DKIM, situation.domain, situation.zone.name, selector)
    live = [r.destination for r in kinds.of_kind(situation.zone, Kind.DKIM, hostname)]
    policy = DkimPolicy(source=source, selector=None if source == "mailcow" else selector)
    if any(kinds.same_meaning(Kind.DKIM, text, key.record) for text in live):
        return _Part(policy, "The mail server's key, as it is live.")
    replaces = "it replaces the one that is live" if live else "it is not published yet"
    return _Part(policy, f"The mail server's key; {replaces}.")


def _live_keys(situation: Situation) -> list[str]:
    """The names at which keys are live, but for netcup's own, which are CNAMEs."""
    found = unmanaged(situation.domain, situation.zone, DomainPolicy())
    names = [name for one in found if one.kind is Kind.DKIM for name in one.live]
    texts = {record.hostname for record in situation.zone.records if record.type == "TXT"}
    return [name for name in names if name in texts]


# --- DMARC ----------------------------------------------------------------------------------------


def _dmarc(situation: Situation, choices: Choices) -> _Part:
    if Kind.DMARC in situation.left:
        return _Part(None, situation.left[Kind.DMARC])
    live = situation.live(Kind.DMARC)
    if len(live) > 1:
        return _Part(
            None,
            f"Left as it is: {len(live)} DMARC records are live, so receivers ignore them all. "
            f"Say which is meant: netcup-mailauth apply {situation.domain} --dmarc 'RECORD'",
        )
    own = dmarc.read(live[0]) if live else None
    now = own or _inherited(situation)
    lowest: dmarc.Policy = dmarc.applied_policy(now) if now else "none"
    may = _may_quarantine(situation, choices)
    wanted = _stricter(lowest, "quarantine" if may else "none")
    is_right = own is not None and wanted == lowest
    reason = _why(choices, lowest, wanted, own)
    allowed = [p for p in dmarc.POLICIES if _stricter(p, lowest) == p and (may or p == lowest)]
    if choices.policy is not None and choices.policy in allowed:
        wanted, reason = choices.policy, "As chosen."
    rua, there = _reports(situation, own, choices)
    if own is not None and not there:
        reason = f"{reason} It gets an address for reports."
    offers: dict[str, object] = {"rua": "" if there else rua[0].removeprefix("mailto:")}
    if not is_right and len(allowed) > 1:
        offers["policies"] = (wanted, *(level for level in allowed if level != wanted))
    stays = is_right and own is not None and _is_said_otherwise(own, lowest)
    return _Part(DmarcPolicy(policy=None if stays else wanted, rua=rua), reason, offers)


def _is_said_otherwise(record: DmarcRecord, policy: dmarc.Policy) -> bool:
    """Whether a record that asks for this would be written anew to say it: with ``t``, ``pct``."""
    return str(dmarc.with_policy(record, policy)) != str(record)


def _inherited(situation: Situation) -> DmarcRecord | None:
    """What receivers go by now that the domain has no record of its own, with ``sp`` as ``p``."""
    found = dmarc.discover(situation.domain, situation.lookup)
    record = dmarc.read(found.record_text) if found.record_text else None
    if record is None or found.found_at == situation.domain:
        return record
    return dmarc.with_policy(record, record.effective_subdomain_policy)


def _may_quarantine(situation: Situation, choices: Choices) -> bool:
    """Whether the server's key is live or about to be, and no sender is about to be shut out."""
    key = situation.key is not None and situation.key.key is not None
    return key and Kind.DKIM not in situation.left and not choices.drops_netcup


def _stricter(one: dmarc.Policy, other: dmarc.Policy) -> dmarc.Policy:
    return max(one, other, key=dmarc.POLICIES.index)


def _why(
    choices: Choices,
    lowest: dmarc.Policy,
    wanted: dmarc.Policy,
    own: DmarcRecord | None,
) -> str:
    if own is not None and wanted == lowest:
        return f"p={lowest}, as it is live." if lowest != "none" else "It only watches, as it does."
    if wanted == "none":
        why = (
            "a sender is taken out" if choices.drops_netcup else "there is no key of the server yet"
        )
        return f"It only watches, as {why}. Read the reports before it gets stricter."
    if wanted == lowest:
        return f"p={lowest}, as the domain above has it."
    return (
        "As in the usual how-to: what fails goes to the spam folder. The server's mail is signed."
    )


def _reports(
    situation: Situation, own: DmarcRecord | None, choices: Choices
) -> tuple[list[str], bool]:
    """Where reports are to go, and whether they already go somewhere."""
    there = [uri for uri in (own.rua if own else ()) if dmarc_faults.is_valid(uri)]
    if choices.rua:
        return [*there, f"mailto:{choices.rua}"], bool(there)
    wanted = list(situation.reports) or [f"mailto:postmaster@{situation.domain}"]
    return there or wanted, bool(there)
