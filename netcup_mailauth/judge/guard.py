"""What a change would do to mail: each step back, and each fault of the state after it.

The guard judges the difference: a fault is a danger only where this change set causes it or makes
it worse; one that was there before is a warning, so that an old fault never blocks the repair of
something else. What a fault is, and its words, lie with its subject.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from netcup_mailauth import dkim, dmarc, spf
from netcup_mailauth.errors import RecordError
from netcup_mailauth.findings import Finding, Severity, by_gravity
from netcup_mailauth.judge import admitted, faults, senders
from netcup_mailauth.judge import dkim as dkim_faults
from netcup_mailauth.judge import dmarc as dmarc_faults
from netcup_mailauth.judge import spf as spf_faults
from netcup_mailauth.judge import zone as zone_faults
from netcup_mailauth.judge.faults import graded
from netcup_mailauth.judge.neighbours import all_addresses, distinct, exchanges, own_hosts
from netcup_mailauth.kinds import live, of_kind
from netcup_mailauth.records import Kind, absolute

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from netcup_mailauth.dkim import PublicKey
    from netcup_mailauth.dmarc import DmarcRecord
    from netcup_mailauth.judge.case import Case
    from netcup_mailauth.judge.neighbours import Sender
    from netcup_mailauth.plan import Change, ChangeSet
    from netcup_mailauth.records import DnsRecord
    from netcup_mailauth.spf import SpfRecord


def judge(case: Case) -> tuple[Finding, ...]:
    """The findings about a change set, the gravest first."""
    own = ((Kind.SPF, _spf(case)), (Kind.DKIM, _dkim(case)), (Kind.DMARC, _dmarc(case)))
    found = [faults.about(kind, finding) for kind, each in own for finding in each]
    return by_gravity([*_zone(case), *found])


def priced(case: Case) -> ChangeSet:
    """The change set, with what each SPF record that is written will cost in look-ups."""
    if case.change_set.is_empty:
        return case.change_set
    changes = (_priced(case, change) for change in case.change_set.changes)
    return replace(case.change_set, changes=tuple(changes))


def _priced(case: Case, change: Change) -> Change:
    new = spf_faults.parsed([change.after.destination]) if change.after else []
    if change.kind is not Kind.SPF or not new:
        return change
    cost = spf.cost(new[0], case.domain, case.lookup_after)
    if not cost.lookups_total:
        return change
    return replace(change, look_ups=f"{cost.lookups_total} of 10: {spf_faults.breakdown(cost)}")


def _zone(case: Case) -> Iterator[Finding]:
    zone = case.before
    if not zone.records and case.change_set.changes:
        yield Finding(
            "zone-reads-empty",
            Severity.DANGER,
            f"The zone {zone.name} reads as empty: netcup lists no record at all in it.",
            "A domain that has a website or mail is not empty: then look in the CCP before you "
            "write. netcup's API also says this of zones it has moved to CloudDNS.",
        )
    yield from zone_faults.draft(zone)
    for kind, hostname in case.change_set.slots():
        yield from (faults.about(kind, fault) for fault in _name(case, kind, hostname))
    for kind in (Kind.SPF, Kind.DMARC):
        for hostname in case.hostnames(kind):
            yield from (faults.about(kind, fault) for fault in _vanished(case, kind, hostname))
    yield from zone_faults.strays(zone, [change.before for change in case.change_set.changes])
    for change in case.change_set.changes:
        if change.before is not None:
            found = [*zone_faults.fixed(change.before, zone)]
            found += _near_miss(case, change, change.before)
            yield from (faults.about(change.kind, fault) for fault in found)


def _name(case: Case, kind: Kind, hostname: str) -> Iterator[Finding]:
    """What keeps a record at this name from being served, or a new name takes from others."""
    zone, written = case.before, case.is_written(kind, hostname)
    for record in case.after.at(hostname, "CNAME"):
        yield graded(zone_faults.alias(kind, record, zone), new=written)
    for cut in zone_faults.delegated(hostname, zone):
        yield graded(cut, new=written)
    if written:
        yield from zone_faults.shadowed(kind, hostname, zone, case.with_only(kind))


def _near_miss(case: Case, change: Change, before: DnsRecord) -> Iterator[Finding]:
    """A near miss that the change takes for the record that was meant, or deletes."""
    name = absolute(before.hostname, case.before.name)
    becomes = change.after.destination if change.after else ""
    yield from zone_faults.near_miss(change.kind, name, case.domain, before.destination, becomes)


def _vanished(case: Case, kind: Kind, hostname: str) -> Iterator[Finding]:
    """A kind that this machine wrote, that is gone, and that parts would make anew and bare."""
    had = of_kind(case.remembered, kind, hostname) if case.remembered else ()
    policy = getattr(case.policy, kind.value)
    if had and not live(case.before, kind, hostname) and policy and not policy.record:
        yield Finding(
            "record-vanished",
            Severity.DANGER,
            f"The {kind.upper()} record at {absolute(hostname, case.before.name)} was "
            f"{had[0].destination} after the last write from here, and is gone now.",
            "Made from parts, the new one would lack what the old one held: give it whole.",
        )


def _spf(case: Case) -> Iterator[Finding]:
    for hostname in case.hostnames(Kind.SPF):
        before = case.texts(case.before, Kind.SPF, hostname)
        after = case.texts(case.after, Kind.SPF, hostname)
        old, new = spf_faults.parsed(before), spf_faults.parsed(after)
        if before and not after:
            yield Finding(
                "spf-removed",
                Severity.DANGER,
                f"{case.domain} will have no SPF record any more; it is: {'; and '.join(before)}",
                "Receivers then cannot tell its servers from anybody else's.",
            )
        elif len(after) > 1:
            new_fault = len(after) > len(before)
            yield graded(spf_faults.multiple(case.domain, after), new=new_fault)
        elif new:
            yield from _spf_text(case, new[0], old)
            yield from _spf_size(case, hostname, after[0])
            if before == after:  # nobody is lost or let in, and DNS is not asked
                continue
            if not case.policy.parked:  # which is meant to send nothing
                yield from senders.dropped(case.domain, case.policy, new[0], old)
            yield from admitted.findings(spf_changes(case, new[0], old))
            yield from _spf_in_dns(case, new[0], old)
        elif after and case.is_written(Kind.SPF, hostname):
            yield from spf_faults.syntax(case.domain, after[0], Severity.REFUSED)


def spf_changes(
    case: Case, new: SpfRecord, old: Sequence[SpfRecord]
) -> tuple[admitted.Change, ...]:
    """The change of each live SPF record, and DNS as it is on either side of it."""
    before, after = case.lookup_before, case.lookup_after
    return tuple(
        admitted.Change(case.domain, case.policy, record, new, before, after) for record in old
    )


def _spf_text(case: Case, new: SpfRecord, old: Sequence[SpfRecord]) -> Iterator[Finding]:
    found = tuple(spf_faults.questionable(new))
    before = (found if record == new else spf_faults.questionable(record) for record in old)
    known = {fault.code for faults_of_one in before for fault in faults_of_one}
    for fault in found:
        yield graded(fault, new=fault.code not in known)
    if not case.policy.parked:
        yield from spf_faults.forwarding(new)
    yield from _loosens(new, old)


def _spf_size(case: Case, hostname: str, text: str) -> Iterator[Finding]:
    before, after = (
        list(dict.fromkeys(r.destination for r in zone.answering(hostname) if r.type == "TXT"))
        for zone in (case.before, case.after)
    )
    after.remove(text)
    larger = spf_faults.answer_size(case.domain, (text, *after)) > max(
        spf_faults.UDP, spf_faults.answer_size(case.domain, before)
    )
    for fault in spf_faults.long(case.domain, text, after):
        note = fault.severity is Severity.NOTE
        yield graded(fault, new=note or larger)


def _loosens(new: SpfRecord, old: Sequence[SpfRecord]) -> Iterator[Finding]:
    """A step back of the final ``all``."""
    if not old or new.redirect_in_effect is not None:
        return
    qualifiers = [record.all_qualifier for record in old if record.redirect_in_effect is None]
    # Of two records receivers heeded neither, so the softer of them is no step back.
    before, after = min(qualifiers, key=_hardness, default=None), new.all_qualifier
    if _hardness(after) >= _hardness(before):
        return
    gentle = before is spf.Qualifier.FAIL and after is spf.Qualifier.SOFTFAIL
    yield Finding(
        "spf-softens-all" if gentle else "spf-loosens-all",
        Severity.WARNING if gentle else Severity.DANGER,
        f"Mail from all other servers: {_word(before)} -> {_word(after)}.",
        "Receivers will doubt it instead of rejecting it."
        if gentle
        else "As far as SPF goes, anyone can then send as this domain. Keep ~all or -all.",
    )


def _hardness(qualifier: spf.Qualifier | None) -> int:
    # A record without an all says as much about others as ?all (RFC 7208, 4.7).
    return list(spf.Qualifier).index(qualifier or spf.Qualifier.NEUTRAL)


def _word(qualifier: spf.Qualifier | None) -> str:
    return 'nothing said (no "all")' if qualifier is None else f"{qualifier.word} ({qualifier}all)"


def _spf_in_dns(case: Case, new: SpfRecord, old: Sequence[SpfRecord]) -> Iterator[Finding]:
    """What the record costs, and whether it lets our servers send."""
    # Silence weighs more where this change adds what was to be asked for.
    known = {term.unqualified for record in old for term in record.counted}
    adds = any(term.unqualified not in known for term in new.counted)
    silence = Severity.DANGER if adds else Severity.WARNING
    counted = list(_look_ups(case, new, old, silence))
    yield from counted
    if not case.policy.parked:
        said = {finding.code for finding in counted}  # that DNS is silent is said once
        yield from (f for f in _own_servers(case, new, old, silence) if f.code not in said)


def _look_ups(
    case: Case, new: SpfRecord, old: Sequence[SpfRecord], silence: Severity
) -> Iterator[Finding]:
    cost = spf.cost(new, case.domain, case.lookup_after)
    earlier = [spf.cost(record, case.domain, case.lookup_before) for record in old]
    for fault in spf_faults.too_many(cost):
        more = all(cost.lookups_total > past.lookups_total for past in earlier)
        yield graded(fault, new=more)
    yield from spf_faults.near_limit(cost)
    for fault in spf_faults.void(cost):
        yield graded(fault, new=all(cost.void > past.void for past in earlier))
    for fault in spf_faults.void_hosts(cost, case.lookup_after):
        had = all(any(spf_faults.void_hosts(past, case.lookup_before)) for past in earlier)
        yield graded(fault, new=not (earlier and had))
    known = {node.term for past in earlier for node in past.walk() if node.breaks}
    for node in cost.walk():
        if node.breaks:
            yield graded(spf_faults.broken(node), new=node.term not in known)
    for fault in spf_faults.everybody(new, cost):
        had = any(
            past.all_qualifier is spf.Qualifier.PASS or spf.crowds(past, past_cost.children)
            for past, past_cost in zip(old, earlier, strict=True)
        )
        yield graded(fault, new=not had)
    yield from spf_faults.uncounted(cost, silence)


def _own_servers(
    case: Case, new: SpfRecord, old: Sequence[SpfRecord], silence: Severity
) -> Iterator[Finding]:
    hosts, every = sending(case)
    trying = distinct(every)
    guessed = not case.hosts
    fail = spf.Qualifier.FAIL
    hardens = new.all_qualifier is fail and all(r.all_qualifier is not fail for r in old)
    yield from spf_faults.unknown(case.domain, hosts, every, guessed=guessed, hardens=hardens)
    excluded: dict[tuple[spf.Result, bool], list[Sender]] = {}
    for sender, result in left_out(case, new, trying):
        worse = _is_worse(case, sender, result, old)
        excluded.setdefault((result, worse), []).append(sender)
    for (result, worse), shut_out in excluded.items():
        if result is spf.Result.TEMPERROR:
            what = "DNS gave no answer, so it could not be tried whether the SPF record lets "
            yield spf_faults.not_checked(f"{what}{spf_faults.listed(shut_out)} send.", silence)
            continue
        fault = spf_faults.excludes(case.domain, shut_out, result, guessed=guessed)
        yield graded(fault, new=worse)


def left_out(
    case: Case, new: SpfRecord, trying: Sequence[Sender]
) -> Iterator[tuple[Sender, spf.Result]]:
    """Those of the senders that the new record does not let send, and what it says of them."""
    for sender in spf_faults.to_try(trying, [new]):
        result = spf_faults.result(case.domain, sender, case.lookup_after, new)
        if result is not spf.Result.PASS:
            yield sender, result


def sending(case: Case) -> tuple[tuple[str, ...], list[Sender]]:
    """The hosts that send the domain's mail, and each address that they have."""
    mx = exchanges(case.domain, case.lookup_after)
    hosts = own_hosts(case.hosts, mx, case.lookup_after)
    return tuple(hosts), list(all_addresses(hosts, case.lookup_after))


_GOODNESS = (
    spf.Result.PERMERROR,
    spf.Result.FAIL,
    spf.Result.SOFTFAIL,
    spf.Result.NEUTRAL,
    spf.Result.NONE,
    spf.Result.PASS,
)


def _is_worse(case: Case, sender: Sender, after: spf.Result, old: Sequence[SpfRecord]) -> bool:
    before = [spf_faults.result(case.domain, sender, case.lookup_before, r) for r in old]
    if spf.Result.TEMPERROR in (after, *before):
        return True
    rank = _GOODNESS.index(after)
    return any(rank < _GOODNESS.index(result) for result in before or [spf.Result.NONE])


LONG_TTL = 3600
"""Seconds; a key that is replaced stays in caches for so long."""


def _dkim(case: Case) -> Iterator[Finding]:
    for hostname in case.hostnames(Kind.DKIM):
        before = case.texts(case.before, Kind.DKIM, hostname)
        # What no receiver would read is to be judged too, if that is what is written.
        after = case.texts(case.after, Kind.DKIM, hostname) or case.written(Kind.DKIM, hostname)
        name = absolute(hostname, case.before.name)
        yield from _selector(case, hostname, name)
        yield from _lost_keys(case, name, before, after)
        if len(after) > 1:
            yield graded(dkim_faults.multiple(name, after), new=len(after) > len(before))
        elif after:
            yield from _dkim_record(case, hostname, before, after[0])


def _selector(case: Case, hostname: str, name: str) -> Iterator[Finding]:
    own = case.signer.selector
    touched = case.is_touched(Kind.DKIM, hostname)
    if own is not None and not hostname.startswith(f"{own}._domainkey"):
        unasked = Finding(
            "dkim-selector-mismatch",
            Severity.REFUSED,
            f"mailcow signs with the selector {own}; a key at {name} is one that no receiver "
            "asks for.",
            f"Leave the selector out, or give mailcow's own: --selector {own}",
        )
        yield graded(unasked, new=touched)
    if hostname in case.held and touched:
        yield Finding(
            "rotation-in-progress",
            Severity.REFUSED,
            f"A key rotation is open, and {name} is part of it.",
            "Let it finish (netcup-mailauth rotate --continue), or end it "
            f"(netcup-mailauth rotate {case.domain} --abort).",
        )


def _lost_keys(
    case: Case, name: str, before: Sequence[str], after: Sequence[str]
) -> Iterator[Finding]:
    """Keys that nobody can look up any more: of the signer, or deleted altogether."""
    lost = [key for key in dkim_faults.keys(before) if key not in dkim_faults.keys(after)]
    signing = case.signer.key
    if signing is not None and signing in lost:
        yield Finding(
            "dkim-removes-signing-key",
            Severity.DANGER,
            f"{name} holds the very key that mail is signed with ({signing.fingerprint}); without "
            "it every signature fails.",
            "Let the mail server sign with another published key first.",
        )
    elif lost and not after:
        yield _revokes(name, lost[0], "its record goes")


def _revokes(name: str, key: PublicKey, how: str) -> Finding:
    return Finding(
        "dkim-revokes-key",
        Severity.DANGER,
        f"{name}: {how}, so mail signed with the key {key.fingerprint} fails from then on.",
        "Do this only when nothing signs with it any more and mail in flight has arrived.",
    )


def _dkim_record(case: Case, hostname: str, before: Sequence[str], text: str) -> Iterator[Finding]:
    name = absolute(hostname, case.before.name)
    written = case.is_written(Kind.DKIM, hostname)
    unreadable = list(dkim_faults.syntax(name, text, Severity.REFUSED))
    if unreadable:
        yield from unreadable if written else ()
        return
    new, old = dkim.parse(text), dkim_faults.keys(before)
    if new.key is None:
        if old:
            yield _revokes(name, old[0], "an empty p= revokes it")
        elif written:
            yield Finding(
                "dkim-revokes-key",
                Severity.WARNING,
                f"{name}: the record has no key (empty p=), which says that it is revoked: mail "
                "signed with this selector fails.",
                "If that is not what is meant, give the key behind p=, or --dkim mailcow.",
            )
        return
    for fault in dkim_faults.size(name, new.key, Severity.REFUSED):
        yield graded(fault, new=written)
    yield from dkim_faults.testing(name, new)
    if old and new.key not in old:
        yield from _replaced(case, hostname, old[0], new.key)


def _replaced(case: Case, hostname: str, old: PublicKey, new: PublicKey) -> Iterator[Finding]:
    name = absolute(hostname, case.before.name)
    yield Finding(
        "dkim-key-replaced",
        Severity.WARNING,
        f"{name} gets another key ({old.fingerprint} -> {new.fingerprint}): mail that is on "
        "its way, signed with the old one, fails, and caches hold the old one for up to its TTL "
        "(netcup's default: a day).",
        "If the mail server signs with the new key already, write it now. A new selector would "
        "avoid the gap.",
    )
    answering = case.before.answering(hostname)
    longest = max((record.ttl or 0 for record in answering if record.type == "TXT"), default=0)
    if longest > LONG_TTL:
        yield Finding(
            "ttl-long",
            Severity.WARNING,
            f"The TTL of {name} is {longest} s: for so long some receivers use the old key.",
            "Lower the TTL a day before the next change of the key.",
        )


def _dmarc(case: Case) -> Iterator[Finding]:
    for hostname in case.hostnames(Kind.DMARC):
        before = case.texts(case.before, Kind.DMARC, hostname)
        after = case.texts(case.after, Kind.DMARC, hostname)
        if len(after) > 1:
            new_fault = len(after) > len(before)
            yield graded(dmarc_faults.multiple(case.domain, after), new=new_fault)
            continue
        # Two live records are ignored by receivers; from them nothing is a step back.
        old = dmarc.read(before[0]) if len(before) == 1 else None
        new = dmarc.read(after[0]) if after else None
        if new is not None and case.is_written(Kind.DMARC, hostname):
            name = absolute(hostname, case.before.name)
            kept = _only_keeps_what_was_there(case, hostname, after[0])
            faulty = list(dmarc_faults.syntax(name, after[0], Severity.REFUSED))
            yield from (graded(fault, new=not kept) for fault in faulty)
            if faulty and not kept:
                continue
        was = old if before else dmarc_faults.inherited(case.domain, case.lookup_before)
        will = new if after else dmarc_faults.inherited(case.domain, case.lookup_after)
        if was is not None:
            own = bool(before)  # a record of its own is how one says that a sub-domain differs
            weaker = _weakens(case, was, will)
            yield from weaker if own else (replace(f, severity=Severity.WARNING) for f in weaker)
        if old is not None:
            yield from _drops_reports(old, new)
        if case.is_touched(Kind.DMARC, hostname):
            yield from _drops_unheard(before, old, new)
        if new is not None:
            yield from dmarc_faults.obsolete(new)
            yield from dmarc_faults.public_suffix(case.domain, new)
            yield from dmarc_faults.cut_short(new)
            yield from _enforces(case, before, old, new)
            yield from _reports(case, old, new)


def _only_keeps_what_was_there(case: Case, hostname: str, text: str) -> bool:
    """Whether receivers read ``text``, and what they do not know in it was in the live record."""
    texts = [record.destination for record in live(case.before, Kind.DMARC, hostname)]
    known = {*dmarc.KNOWN, *(n for old in texts for n in dmarc.mended(old).tags.names())}
    try:
        return set(dmarc.parse_live(text).tags.names()) <= known
    except RecordError:
        return False


def _weakens(case: Case, old: DmarcRecord, new: DmarcRecord | None) -> Iterator[Finding]:
    if not dmarc.weakens(old, new):
        return
    was, will = (dmarc.applied_policy(r) if r else "no policy" for r in (old, new))
    if was == will:  # it is sub-domains, or the share of mail
        was, will = str(old), str(new)
    yield Finding(
        "dmarc-weakens-policy",
        Severity.DANGER,
        f"Receivers will do less with mail that fails for {case.domain}: {was} -> {will}.",
        "Forged mail gets through more easily. Leave the policy as it is unless mail of yours "
        "is being lost.",
    )


def _drops_reports(old: DmarcRecord, new: DmarcRecord | None) -> Iterator[Finding]:
    dropped = [uri for uri in dmarc.dropped_reports(old, new) if dmarc_faults.is_valid(uri)]
    failures = [uri for uri in dmarc.dropped_failures(old, new) if dmarc_faults.is_valid(uri)]
    if failures:
        yield Finding(
            "dmarc-drops-reports",
            Severity.DANGER,
            f"Failure reports will no longer go to {' and '.join(failures)}.",
            f"If somebody reads them, keep ruf={','.join(failures)} in the record.",
        )
    if not dropped:
        return
    yield Finding(
        "dmarc-drops-reports",
        Severity.DANGER,
        f"Reports will no longer go to {' and '.join(dropped)}.",
        f"Does somebody read them, or a service? Then keep {'them' if len(dropped) > 1 else 'it'}.",
    )


def _drops_unheard(
    before: Sequence[str], old: DmarcRecord | None, new: DmarcRecord | None
) -> Iterator[Finding]:
    """Addresses that were meant to get reports and got none, and that go as well."""
    heard = {*(old.rua if old else ()), *(old.ruf if old else ())}
    lost: dict[str, None] = {}
    for meant in map(dmarc.mended, before):
        for uri in (*dmarc.dropped_reports(meant, new), *dmarc.dropped_failures(meant, new)):
            if uri not in heard and dmarc_faults.is_valid(uri):
                lost[uri] = None
    if lost:
        yield Finding(
            "dmarc-drops-reports",
            Severity.WARNING,
            f"Reports were meant to go to {' and '.join(lost)}, which receivers did not do as it "
            "is written; no record names it any more.",
            "Add what somebody is to read with --rua.",
        )


def _enforces(
    case: Case, before: Sequence[str], old: DmarcRecord | None, new: DmarcRecord
) -> Iterator[Finding]:
    """What the policy does to failing mail, and whether anybody has seen yet which mail fails."""
    yield from dmarc_faults.watching(new)
    if case.policy.parked:
        return
    policy = dmarc.applied_policy(new)
    was = dmarc.POLICIES.index(dmarc.applied_policy(old)) if old else 0
    left_out = case.dkim_left_out
    for fault in dmarc_faults.without_key(
        case.domain, new, case.after, case.lookup_after, left_out=left_out
    ):
        had_key = dmarc_faults.has_key(case.domain, case.before, case.lookup_before)
        worse = dmarc.POLICIES.index(policy) > was or had_key
        yield graded(fault, new=left_out or worse)
    if old is None and policy != "none":
        yield _untested(before, new)
    yield from dmarc_faults.rejecting(new)


def _untested(before: Sequence[str], new: DmarcRecord) -> Finding:
    since = f"{len(before)} records that cancel each other out" if before else "no DMARC record"
    return Finding(
        "dmarc-untested",
        Severity.WARNING,
        f"From {since} to {dmarc.applied_policy(new)} at once: nobody has seen yet which mail "
        "fails.",
        "Safer is to watch for about four weeks first, with p=none and an address for reports.",
    )


def _reports(case: Case, old: DmarcRecord | None, new: DmarcRecord) -> Iterator[Finding]:
    if not case.policy.parked:
        yield from dmarc_faults.no_reports(case.domain, new)
    if old is not None and str(old) == str(new):
        return
    added = frozenset(dmarc.dropped_reports(new, old))  # what would be dropped the other way round
    lookup = case.lookup_after_run
    for uri in filter(dmarc_faults.is_valid, new.rua):
        for fault in dmarc_faults.unauthorised(case.domain, uri, lookup):
            grave = fault.severity is Severity.DANGER
            yield graded(fault, new=uri in added) if grave else fault
    for uri in filter(dmarc_faults.is_valid, new.ruf):
        yield from dmarc_faults.unauthorised(case.domain, uri, lookup, failures=True)
