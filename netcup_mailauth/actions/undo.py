"""``undo``: an entry of the journal as a plan that takes back what that apply changed, no more.

Record by record: as the apply left it, it is put back; as it was before, there is nothing to do;
anything else was somebody's work since, and the plan is stale.

And ``undo --lost``: records of other people that were gone after a write are brought back, from
what the journal says was there before it. The only thing this program ever sends that is no record
of its own; so it is shown, asked about, and never done by itself.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from netcup_mailauth import dkim, remedy
from netcup_mailauth.actions.applying import apply_agreed
from netcup_mailauth.actions.domains import each
from netcup_mailauth.actions.planning import Draft, not_tried_failure
from netcup_mailauth.actions.session import Reporter
from netcup_mailauth.errors import (
    MailauthError,
    RecordError,
    RefusedError,
    StaleError,
    UnverifiedError,
    UsageError,
    WriteNotProcessedError,
)
from netcup_mailauth.findings import Finding, Severity
from netcup_mailauth.judge import guard
from netcup_mailauth.judge.case import Case, Signer
from netcup_mailauth.kinds import is_of_kind, live, of_kind
from netcup_mailauth.others import other_records, says_the_same, shown
from netcup_mailauth.plan import (
    Action,
    Change,
    ChangeSet,
    Failure,
    Kept,
    Plan,
    left,
    ttl_at,
)
from netcup_mailauth.records import APEX, CCP, DesiredRecord, DnsRecord, Kind, reason_not_to_store
from netcup_mailauth.state.journal import Mark

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from netcup_mailauth.actions.domains import Turn
    from netcup_mailauth.actions.session import Session
    from netcup_mailauth.plan import RunResult
    from netcup_mailauth.records import Zone
    from netcup_mailauth.state.journal import Entry


@dataclass(frozen=True, slots=True)
class Target:
    """One entry to take back.

    Attributes:
        hosts: what sends the domain's mail, where that is known.
        source: where the key comes from that the domain's mail is signed with, if that is known.
    """

    entry: Entry
    allow: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    source: str | None = None


def plan_undo(session: Session, targets: Sequence[Target]) -> Plan:
    """The reverting change set of each entry.

    One that fails does not stop the others, unless its error ends the run.
    """

    def work(target: Target, _turn: Turn) -> ChangeSet:
        return reverted(session, target).change_set

    def failed(target: Target, error: MailauthError, _turn: Turn) -> ChangeSet:
        return replace(_bare(target), error=Failure.of(error))

    def skipped(target: Target, ended: MailauthError, _turn: Turn) -> ChangeSet:
        return replace(_bare(target), error=not_tried_failure(ended))

    return Plan(tuple(each(targets, work, failed, skipped)))


def _bare(target: Target) -> ChangeSet:
    return ChangeSet(target.entry.change_set.place, allow=target.allow)


def apply_undo(session: Session, plan: Plan, targets: Sequence[Target]) -> RunResult:
    """Write what :func:`plan_undo` planned for these targets, and somebody has agreed to."""
    of = {target.entry.domain: target for target in targets}
    quiet = replace(session, reporter=Reporter())  # what could not be asked was told with the plan

    def again(planned: ChangeSet) -> Draft:
        target = of[planned.domain]
        signer = _signer(quiet, target, planned)  # before the zone: nothing slow comes after it
        session.backend.reserve()
        return reverted(session, target, signer)

    return apply_agreed(session, plan, again)


def reverted(session: Session, target: Target, signer: Signer | None = None) -> Draft:
    """The reverting change set of one entry, judged; who signs is asked where it is not given.

    Raises:
        MailauthError: the entry is not of this account, its zone cannot be read, a record has
            changed since, or cannot be stored.
    """
    place = target.entry.change_set.place
    api = session.backend.serving(place.backend)
    ours = (api.name, api.endpoint, api.account)
    if (place.backend, place.endpoint, place.account) != ours:
        raise UsageError(
            f"{target.entry.id} was written through another API, endpoint or account "
            f"({place.backend}, {place.endpoint}, account {place.account}).",
            "Run undo with the credentials and the endpoint of that apply.",
        )
    zone = session.backend.zone(place.zone)
    if zone.backend != place.backend:
        raise StaleError(
            f"{place.domain} has moved to another API since {target.entry.id} "
            f"({place.backend}, now {zone.backend}).",
            "Nothing was written. Put it right with apply.",
        )
    change_set = reversal(target.entry, zone)
    _check_that_it_fits(session, change_set)
    case = Case(
        change_set,
        zone,
        dns=session.lookup(),
        hosts=target.hosts,
        signer=signer or _signer(session, target, change_set),
        held=session.held(place.domain),
    )
    findings = tuple(map(_with_advice_for_undo, guard.judge(case)))
    judged = replace(guard.priced(case), findings=findings, allow=target.allow)
    return Draft(remedy.consenting(judged), zone)


def _signer(session: Session, target: Target, change_set: ChangeSet) -> Signer:
    """What signs the domain's mail, if a key is at stake and its source can be asked.

    Its selector is left out: an undo chooses none, it puts back what was there.
    """
    if target.source is None or not any(c.kind is Kind.DKIM for c in change_set.changes):
        return Signer()
    domain = target.entry.domain
    try:
        key = session.keys.key(target.source, domain)
    except MailauthError as error:
        # Whoever takes something back in a hurry is not kept from it by a mailcow that is down.
        session.reporter.note(
            f"{domain}: which key its mail is signed with is not known: {error.what}"
        )
        return Signer()
    return Signer(key.key if key else None)


def _check_that_it_fits(session: Session, change_set: ChangeSet) -> None:
    for change in change_set.changes:
        if change.after is None:
            continue
        value = change.after.destination
        api = session.backend.serving(change_set.place.backend)
        reason = api.refuses(DesiredRecord(change.kind, change.hostname, value))
        if reason is not None:
            raise RecordError(
                f"{change.hostname}: {value!r} cannot be put back: {reason}.",
                "Put that record back by hand in the CCP.",
            )


def _with_advice_for_undo(finding: Finding) -> Finding:
    """What stops an undo is what was there before; options that say what is wanted cannot help."""
    if finding.severity is not Severity.DANGER:
        return finding
    advice = "It was so before that apply; to have something else, use apply."
    if finding.code == "dkim-removes-signing-key":
        advice = f"{finding.advice} {advice}"  # that is done at the mail server, and does help
    return replace(finding, advice=advice)


def reversal(entry: Entry, zone: Zone) -> ChangeSet:
    """The change set that takes ``entry`` back in ``zone``, not yet judged.

    Raises:
        StaleError: a record is neither as the apply left it nor as it was before.
    """
    applied = entry.change_set
    changes: list[Change] = []
    kept: list[Kept] = []
    moved: list[str] = []
    for kind, hostname in dict.fromkeys((c.kind, c.hostname) for c in applied.changes):
        others = list(live(zone, kind, hostname))
        for past, found in _paired(_pasts(applied, kind, hostname), others):
            _revert(past, found, changes, kept, moved)
        moved += (
            f"{hostname}: {record.destination!r} is there, and was not left by that apply"
            for record in others
        )
    if moved:
        raise StaleError(
            f"{applied.place.domain} has changed since {entry.id}: {'; '.join(moved)}.",
            "Nothing was written: undo takes back only what that apply left. Put the rest right "
            "with apply, or by hand in the CCP.",
        )
    # Deletes last, as in every plan: a write that stops half way leaves no name empty.
    changes.sort(key=lambda change: change.action is Action.DELETE)
    return _counted(ChangeSet(applied.place, tuple(changes), tuple(kept)), zone)


@dataclass(frozen=True, slots=True)
class _Past:
    """A record that an apply changed, or left beside a change.

    ``before`` and ``after`` are its texts then; ``None`` where it was not there.
    """

    kind: Kind
    hostname: str
    before: str | None
    after: str | None
    record: DnsRecord | None  # as it was before


def _pasts(applied: ChangeSet, kind: Kind, hostname: str) -> list[_Past]:
    pasts = []
    for change in applied.changes:
        if (change.kind, change.hostname) == (kind, hostname):
            before, after = change.before, change.after
            pasts.append(_Past(kind, hostname, _text(before), _text(after), before))
    for kept in applied.unchanged:
        record = kept.record
        if (kept.kind, record.hostname) == (kind, hostname):
            pasts.append(_Past(kind, hostname, _text(record), _text(record), record))
    return pasts


def _text(record: DnsRecord | None) -> str | None:
    return record.destination if record else None


def _paired(pasts: list[_Past], live: list[DnsRecord]) -> list[tuple[_Past, DnsRecord | None]]:
    """Each past record with its live one, which is taken out of ``live``.

    By id first. Then by text, because a record that was deleted and made again has another id.
    """
    found: dict[int, DnsRecord] = {}
    for fits in (_has_its_id, _is_as_left, _is_as_before):
        for number, past in enumerate(pasts):
            match = next((record for record in live if fits(past, record)), None)
            if number not in found and match is not None:
                live.remove(match)
                found[number] = match
    return [(past, found.get(number)) for number, past in enumerate(pasts)]


def _has_its_id(past: _Past, record: DnsRecord) -> bool:
    # Where each record has a TTL, an identifier lasts no longer than a revision of the zone.
    if past.record is None or past.record.ttl is not None:
        return False
    return record.id == past.record.id


def _is_as_left(past: _Past, record: DnsRecord) -> bool:
    return record.destination == past.after


def _is_as_before(past: _Past, record: DnsRecord) -> bool:
    return record.destination == past.before


def _revert(
    past: _Past,
    found: DnsRecord | None,
    changes: list[Change],
    kept: list[Kept],
    moved: list[str],
) -> None:
    """Sort one record: as it was before, as the apply left it, or neither."""
    text = _text(found)
    if text == past.before:
        kept += [Kept(past.kind, found)] if found else []
    elif text == past.after:
        changes.append(_change_back(past, found))
    elif found is None:
        moved.append(f"{past.hostname}: {past.after!r} was left there, and is gone")
    else:
        left = "left nothing" if past.after is None else f"left {past.after!r}"
        moved.append(f"{past.hostname}: {text!r} is there, where that apply {left}")


def _change_back(past: _Past, found: DnsRecord | None) -> Change:
    if past.record is None:
        return Change(Action.DELETE, past.kind, found, None)
    action = Action.CREATE if found is None else Action.UPDATE
    # An update keeps the TTL of what it replaces, also one that somebody has set since.
    ttl = past.record.ttl if found is None else found.ttl
    after = replace(past.record, id=None, raw=None, ttl=ttl)
    key = dkim.key_in(after.destination) if past.kind is Kind.DKIM else None
    fingerprint = key.fingerprint if key else None
    return Change(action, past.kind, found, after, fingerprint=fingerprint)


def _counted(change_set: ChangeSet, zone: Zone) -> ChangeSet:
    """With the number of records that are not touched."""
    touched = {change.before for change in change_set.changes}
    touched |= {kept.record for kept in change_set.unchanged}
    others = [record for record in zone.records if record not in touched]
    apexes = {hostname for kind, hostname in change_set.slots() if kind is Kind.SPF}
    beside = [
        record
        for record in others
        if record.type == "TXT"
        and record.hostname in apexes
        and not is_of_kind(Kind.SPF, record.destination)
    ]
    return replace(change_set, untouched=len(others), untouched_beside=len(beside))


@dataclass(frozen=True, slots=True)
class Sent:
    """A record that is sent: ``before`` where it is there already, and stays as it is."""

    before: DnsRecord | None
    after: DnsRecord


@dataclass(frozen=True, slots=True)
class Lost:
    """What is missing in a zone since a write.

    Attributes:
        ours: the records that write left, sent along: should netcup ever take what is sent for
            the whole zone, they are not lost for it.
        left_out: what is not brought back, and why, each in words.
    """

    missing: tuple[DnsRecord, ...]
    ours: tuple[Sent, ...]
    left_out: tuple[str, ...]


def lost(entry: Entry, zone: Zone) -> Lost:
    """What was there before ``entry`` wrote, and is in ``zone`` no more. Asks nobody."""
    others = other_records(entry.change_set, entry.before, zone)
    renewed = {(now.hostname, now.type) for _, now in others.changed}
    missing: list[DnsRecord] = []
    left_out: list[str] = []
    for record in others.gone:
        reason = _reason_to_leave_out(record, zone, renewed)
        if reason is None:
            missing.append(_anew(record, zone))
        else:
            left_out.append(f"{shown(record)}: {reason}")
    left_out += (
        f"{shown(record)}: such a one comes and goes by itself" for record in others.passed
    )
    return Lost(tuple(missing), tuple(_ours(entry, zone)), tuple(left_out))


def _reason_to_leave_out(
    record: DnsRecord, zone: Zone, renewed: set[tuple[str, str]]
) -> str | None:
    if (record.hostname, record.type) in renewed:
        return f"{record.hostname} has another {record.type} record by now"
    if record.type == "NS" and record.hostname == APEX:
        return "the zone's name servers are netcup's own business"
    at_the_name = {other.type for other in zone.records if other.hostname == record.hostname}
    if "CNAME" in at_the_name or (record.type == "CNAME" and at_the_name):
        return f"{record.hostname} has {' and '.join(sorted(at_the_name))} by now"
    return reason_not_to_store(record.destination, zone.backend) if record.type == "TXT" else None


def _ours(entry: Entry, zone: Zone) -> Iterator[Sent]:
    """The records that a write left; of those still there, CloudDNS needs not to be told."""
    for kind, record in left(entry.change_set):
        members = of_kind(zone, kind, record.hostname)
        live = next((own for own in members if own.destination == record.destination), None)
        if live is not None and zone.backend == CCP:
            yield Sent(live, live)
        elif not members:
            yield Sent(None, _anew(record, zone))


def _anew(record: DnsRecord, zone: Zone) -> DnsRecord:
    """A record that was there once, as it is made again."""
    ttl = ttl_at(zone, record.hostname, record.ttl, record.type)
    return replace(record, id=None, raw=None, ttl=ttl)


def bring_back(session: Session, entry: Entry, zone: Zone, found: Lost) -> None:
    """Send what is missing in one call, noted in the journal first, and see that it is there.

    ``zone`` was read a moment ago, and ``found`` made from it; whoever calls holds the lock.

    Raises:
        RefusedError, WriteNotProcessedError: nothing was sent.
        UnverifiedError: something is missing still.
        MailauthError: the journal cannot be written, so nothing was sent.
    """
    if session.state is None:
        raise RefusedError("Without a journal nothing is brought back.")
    journal = session.state.journal_of(entry.change_set.place, {})
    kept = [
        Kept(kind, record)
        for kind, hostname in entry.change_set.slots()
        for record in of_kind(zone, kind, hostname)
    ]
    noted = journal.begin(ChangeSet(entry.change_set.place, unchanged=tuple(kept)), zone)
    journal.mark(noted, Mark.SENT)
    sent = [*found.ours, *(Sent(None, record) for record in found.missing)]
    answer = "netcup answered with success"
    try:
        after = session.backend.apply(zone, sent)
    except (RefusedError, WriteNotProcessedError):
        journal.mark(noted, Mark.FAILED)
        raise
    except MailauthError as error:
        answer = f"the write got no clear answer ({error.what.removesuffix('.')})"
        after = zone
    wanted = [one.after for one in sent]
    if _missing(wanted, after):
        after = session.backend.zone(zone.name)
    still = _missing(wanted, after)
    if still:
        raise UnverifiedError(
            f"{zone.name}: {answer}, and missing still is {', '.join(map(shown, still))}.",
            f"Run it again in a minute: netcup-mailauth undo {entry.domain} --lost --to {entry.id}",
        )
    journal.mark(noted, Mark.VERIFIED)


def _missing(wanted: list[DnsRecord], zone: Zone) -> list[DnsRecord]:
    """Those of the records that a zone does not have; an API may give them a TTL of its own."""

    def is_there(record: DnsRecord) -> bool:
        members = zone.at(record.hostname, record.type)
        return any(says_the_same(replace(own, ttl=record.ttl), record) for own in members)

    return [record for record in wanted if not is_there(record)]
