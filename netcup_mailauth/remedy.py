"""How to go on where the guard holds something back: a safer wish, and what consents to this one.

A safer wish is the same again, changed as little as it takes. It is only proposed here: whoever
makes a plan of it and judges that sees whether it is held back as well, for what one fault holds
back may have hidden another. Where nothing better is known of a kind, it is left out.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from netcup_mailauth import dmarc, spf
from netcup_mailauth.desired import dmarc_of_parts, spf_of_parts
from netcup_mailauth.errors import RecordError
from netcup_mailauth.findings import LOOK_FIRST, Severity
from netcup_mailauth.judge import admitted, guard, holding, senders
from netcup_mailauth.judge import dmarc as dmarc_faults
from netcup_mailauth.judge import spf as spf_faults
from netcup_mailauth.judge.neighbours import distinct
from netcup_mailauth.kinds import of_kind
from netcup_mailauth.plan import ChangeSet, Ways
from netcup_mailauth.policy import DkimPolicy, DmarcPolicy, DomainPolicy, SpfPolicy
from netcup_mailauth.records import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from netcup_mailauth.dmarc import DmarcRecord
    from netcup_mailauth.findings import Finding
    from netcup_mailauth.judge.case import Case
    from netcup_mailauth.spf import SpfRecord, Term

MOST_STEPS = 12
"""How often a wish is made safer, each time by what then still holds something back."""


def consenting(change_set: ChangeSet) -> ChangeSet:
    """A change set that was judged as a whole, with the codes that let it be written as it is."""
    return replace(change_set, ways=Ways(consents=_to_allow(change_set)))


def consents(case: Case, decided: Sequence[Finding], change_set: ChangeSet) -> tuple[str, ...]:
    """The codes that have to be allowed so that nothing is held back; none where that cannot be.

    With the one fault allowed another may show, that did not while its kind was held back.
    ``change_set`` is that of the case, settled.
    """
    allow, known = change_set.allow, len(change_set.allow)
    while more := _to_allow(change_set):
        allow = (*allow, *more)
        case = replace(case, change_set=replace(case.change_set, allow=allow))
        change_set = holding.settled(case, decided)
    return () if holding.stopping(change_set) else allow[known:]


def _to_allow(change_set: ChangeSet) -> tuple[str, ...]:
    stops = holding.stopping(change_set)
    if any(s.severity is Severity.REFUSED or s.code in LOOK_FIRST for s in stops):
        return ()
    return tuple(dict.fromkeys(stop.code for stop in stops))


def dropped(change_set: ChangeSet, policy: DomainPolicy) -> tuple[str, ...]:
    """The SPF terms whose naming consents to what ``spf-drops-sender`` is about.

    None where that is no record given whole, or where one of them cannot be named.
    """
    if not policy.spf or policy.spf.record is None:
        return ()
    own = [change for change in change_set.changes if change.kind is Kind.SPF]
    before = [c.before.destination for c in own if c.before is not None]
    new = spf_faults.parsed([c.after.destination for c in own if c.after is not None])
    if len(new) != 1:
        return ()
    domain = change_set.place.domain
    gone = senders.lost_unnamed(domain, policy, new[0], spf_faults.parsed(before))
    return senders.to_name(gone)


def safer(case: Case, change_set: ChangeSet) -> DomainPolicy | None:
    """The policy of a case without what holds back the first of its kinds; ``None`` for none.

    ``change_set`` is that of the case, settled.
    """
    stop = holding.stopping(change_set)[0]
    if stop.kind is None:
        return None
    mend = _MENDS.get(stop.code)
    try:
        better = mend(case) if mend else None
    except (RecordError, ValueError):  # what is live cannot be typed again
        better = None
    if better is not None:
        policy = case.policy.model_copy(update={stop.kind.value: better})
        if policy != case.policy:
            return policy
    rest = [kind for kind in case.policy.manages if kind is not stop.kind]
    return case.policy.only(rest) if rest and stop.kind in case.policy.manages else None


def _spf_records(case: Case) -> tuple[SpfRecord, list[SpfRecord]]:
    """The SPF record as it would be, and those that are live.

    Raises RecordError if there is not one that would be.
    """
    for hostname in case.hostnames(Kind.SPF):
        new = spf_faults.parsed(case.texts(case.after, Kind.SPF, hostname))
        if len(new) == 1:
            return new[0], spf_faults.parsed(case.texts(case.before, Kind.SPF, hostname))
    raise RecordError("No SPF record would be there.")


def _asked(case: Case) -> SpfPolicy:
    return case.policy.spf or SpfPolicy()


def _whole(case: Case, record: SpfRecord) -> SpfPolicy:
    return SpfPolicy(record=str(record), drop=_asked(case).drop)


def _keep_senders(case: Case) -> SpfPolicy | None:
    new, old = _spf_records(case)
    record = senders.keeping(case.domain, case.policy, new, old)
    return None if record is None else _whole(case, record)


def _keep_shut_out(case: Case) -> SpfPolicy | None:
    new, old = _spf_records(case)
    record = admitted.keeping(guard.spf_changes(case, new, old))
    return None if record is None else _whole(case, record)


def _let_send(case: Case) -> SpfPolicy:
    new, _ = _spf_records(case)
    _, every = guard.sending(case)
    shut_out = [sender for sender, _ in guard.left_out(case, new, distinct(every))]
    terms = spf_faults.terms_for(shut_out)
    asked = _asked(case)
    if not spf_faults.is_enough(case.domain, new, shut_out, case.lookup_after):
        return _whole(case, spf.put_first(new, *terms))
    if asked.record is None:
        return asked.model_copy(update={"require": [*(asked.require or ()), *terms]})
    return _whole(case, spf.require(new, *terms))


def _with_all(case: Case, qualifier: spf.Qualifier) -> SpfPolicy:
    asked = _asked(case)
    if asked.record is None:
        return asked.model_copy(update={"all": qualifier.word})
    return _whole(case, spf.with_all(_spf_records(case)[0], qualifier))


def _keep_all(case: Case) -> SpfPolicy:
    _, old = _spf_records(case)
    strict = all(record.all_qualifier is spf.Qualifier.FAIL for record in old)
    return _with_all(case, spf.Qualifier.FAIL if old and strict else spf.Qualifier.SOFTFAIL)


def _shut_out_everybody(case: Case) -> SpfPolicy | None:
    new, _ = _spf_records(case)
    cost = spf.cost(new, case.domain, case.lookup_after)
    terms = [term for crowd in spf.crowds(new, cost.children) for term in crowd.terms]
    return _without_terms(case, new, terms) if terms else _keep_all(case)


def _doubt_others(case: Case) -> SpfPolicy:
    return _with_all(case, spf.Qualifier.SOFTFAIL)


def _without_dead_ends(case: Case) -> SpfPolicy | None:
    """Without the terms that only this change brings, and that lead to nothing."""
    new, old = _spf_records(case)
    cost = spf.cost(new, case.domain, case.lookup_after)
    known = {term.canonical for record in old for term in record.terms}
    dead = [node.term for node in cost.children if any(n.void or n.breaks for n in node.walk())]
    terms = [term for term in map(spf.parse_term, dead) if term.canonical not in known]
    return _without_terms(case, new, terms) if terms else None


def _without_terms(case: Case, new: SpfRecord, terms: Sequence[Term]) -> SpfPolicy | None:
    asked = _asked(case)
    if asked.record is not None:
        return _whole(case, spf.drop(new, *(term.text for term in terms)))
    gone = {term.canonical for term in terms}
    required = asked.require or ()
    kept = [text for text in required if spf.parse_term(text).canonical not in gone]
    is_left = kept or asked.drop or asked.all is not None
    return asked.model_copy(update={"require": kept}) if is_left else None


def _as_remembered(case: Case, kind: Kind) -> str:
    for hostname in case.hostnames(kind):
        for record in of_kind(case.remembered, kind, hostname) if case.remembered else ():
            return record.destination
    raise RecordError("Nothing is remembered.")


def _spf_again(case: Case) -> SpfPolicy:
    """The record that this machine wrote last, with the parts that are wanted now."""
    live = spf.parse(_as_remembered(case, Kind.SPF))
    return _whole(case, spf_of_parts(case.domain, [live], _asked(case)))


def _dmarc_again(case: Case) -> DmarcPolicy:
    live = dmarc.parse(_as_remembered(case, Kind.DMARC))
    return DmarcPolicy(record=str(dmarc_of_parts(live, case.policy.dmarc or DmarcPolicy())))


def _again(case: Case) -> SpfPolicy | DmarcPolicy:
    """The lost record, whole, of the kind that was lost first."""
    lost = (f.kind for f in guard.judge(case) if f.code == "record-vanished")
    return _spf_again(case) if next(lost, None) is Kind.SPF else _dmarc_again(case)


def _own_selector(case: Case) -> DkimPolicy | None:
    asked = case.policy.dkim or None
    return asked and asked.model_copy(update={"selector": case.signer.selector})


def _dmarc_records(case: Case) -> tuple[DmarcRecord, DmarcRecord | None]:
    """The DMARC record as it would be, and the live one where there is just one.

    Raises RecordError if there would be none.
    """
    for hostname in case.hostnames(Kind.DMARC):
        before = case.texts(case.before, Kind.DMARC, hostname)
        after = case.texts(case.after, Kind.DMARC, hostname)
        new = dmarc.read(after[0]) if after else None
        if new is not None:
            return new, dmarc.read(before[0]) if len(before) == 1 else None
    raise RecordError("No DMARC record would be there.")


def _keep_policy(case: Case) -> DmarcPolicy | None:
    new, old = _dmarc_records(case)
    asked = case.policy.dmarc or DmarcPolicy()
    if old is None:
        return None
    if asked.record is not None:
        return DmarcPolicy(record=str(dmarc.with_policy_of(new, old)))
    # Named, not left out: a policy of [defaults] would take its place.
    live = {"policy": old.effective_policy, "subdomain_policy": old.effective_subdomain_policy}
    kept = {part: _stricter(getattr(asked, part), level) for part, level in live.items()}
    if not asked.rua and all(level in (None, live[part]) for part, level in kept.items()):
        return None
    return asked.model_copy(update=kept)


def _stricter(asked: str | None, live: str) -> str | None:
    """The stricter of what is asked and what is live; what is not asked stays so."""
    return asked and max(asked, live, key=dmarc.POLICIES.index)


def _keep_reports(case: Case) -> DmarcPolicy:
    new, old = _dmarc_records(case)
    kept = filter(dmarc_faults.is_valid, dmarc.dropped_reports(old, new))
    record = dmarc.with_addresses(new, "rua", *kept)
    failures = filter(dmarc_faults.is_valid, dmarc.dropped_failures(old, new))
    return DmarcPolicy(record=str(dmarc.with_addresses(record, "ruf", *failures)))


def _only_watch(case: Case) -> DmarcPolicy:
    asked = case.policy.dmarc or DmarcPolicy()
    if asked.record is None:
        return asked.model_copy(update={"policy": "none"})
    return DmarcPolicy(record=str(dmarc.with_policy(_dmarc_records(case)[0], "none")))


def _without_strangers(case: Case) -> DmarcPolicy | None:
    """Without the report addresses whose hosts have not agreed to them."""
    new, _ = _dmarc_records(case)
    refused = {
        uri
        for uri in filter(dmarc_faults.is_valid, new.rua)
        if any(dmarc_faults.unauthorised(case.domain, uri, case.lookup_after_run))
    }
    asked = case.policy.dmarc or DmarcPolicy()
    if asked.record is not None:
        return DmarcPolicy(record=str(dmarc.without_report_address(new, *refused)))
    # None of them is an empty list: what is left out, [defaults] would bring back.
    kept = [uri for uri in asked.rua or () if uri not in refused]
    left = asked.model_copy(update={"rua": kept})
    return None if left == DmarcPolicy(rua=[]) else left


_MENDS: Mapping[str, Callable[[Case], SpfPolicy | DkimPolicy | DmarcPolicy | None]] = {
    "spf-drops-sender": _keep_senders,
    "spf-admits-excluded": _keep_shut_out,
    "spf-excludes-own-server": _let_send,
    "spf-loosens-all": _keep_all,
    "spf-pass-all": _shut_out_everybody,
    "own-server-unknown": _doubt_others,
    "spf-broken-include": _without_dead_ends,
    "spf-void-lookups": _without_dead_ends,
    "record-vanished": _again,
    "dkim-selector-mismatch": _own_selector,
    "dmarc-weakens-policy": _keep_policy,
    "dmarc-drops-reports": _keep_reports,
    "dmarc-enforces-without-dkim": _only_watch,
    "dmarc-report-not-authorised": _without_strangers,
}
"""What is wanted of the kind instead, by the code of what holds it back."""
