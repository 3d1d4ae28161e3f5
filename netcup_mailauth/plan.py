"""What would have to change: a zone against the records wanted gives a change set.

Pure. The same zone and the same wish give the same change set, to the byte. Nothing here knows
how a change is written; that is a back end's business.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from netcup_mailauth.meaning import same_meaning
from netcup_mailauth.records import DesiredRecord, DnsRecord, Kind, Zone, is_of_kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from netcup_mailauth.errors import ExitCode, MailauthError
    from netcup_mailauth.findings import Finding


class Action(StrEnum):
    """What happens to a record."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Change:
    """One record that changes; ``before`` is ``None`` for a create, ``after`` for a delete.

    ``look_ups`` says what an SPF record will cost in DNS, term by term; empty if not counted.
    """

    action: Action
    kind: Kind
    before: DnsRecord | None
    after: DnsRecord | None
    source: str | None = None
    fingerprint: str | None = None
    look_ups: str = ""

    @property
    def hostname(self) -> str:
        """Where the record stands; the same before and after."""
        record = self.after or self.before
        assert record is not None
        return record.hostname


@dataclass(frozen=True, slots=True)
class Kept:
    """A managed record that already means what is wanted."""

    kind: Kind
    record: DnsRecord


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a domain has no change set, or why one could not be applied."""

    exit_code: ExitCode
    message: str
    advice: str = ""

    @classmethod
    def of(cls, error: MailauthError) -> Failure:
        """The failure that an error raised on purpose stands for."""
        return cls(error.exit_code, error.what, error.advice)


@dataclass(frozen=True, slots=True)
class Place:
    """Where one domain's records live: its zone, and who serves it to whom.

    ``account`` is a digest of the customer number, never the number itself.
    """

    domain: str
    zone: str
    backend: str = ""
    endpoint: str = ""
    account: str = ""


@dataclass(frozen=True, slots=True)
class ChangeSet:
    """The changes of one domain, what stays, and what is to be said about it.

    Attributes:
        untouched: how many records of the zone are none of our business.
        untouched_beside: how many of those are TXT records at the apex of the domain, beside
            its SPF record; shown as proof that they stay.
    """

    place: Place
    changes: tuple[Change, ...] = ()
    unchanged: tuple[Kept, ...] = ()
    untouched: int = 0
    untouched_beside: int = 0
    findings: tuple[Finding, ...] = ()
    allow: tuple[str, ...] = ()
    error: Failure | None = None

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to write."""
        return not self.changes

    def slots(self) -> tuple[tuple[Kind, str], ...]:
        """Each kind and hostname this change set is about, in order, once."""
        pairs = [(change.kind, change.hostname) for change in self.changes]
        pairs += [(kept.kind, kept.record.hostname) for kept in self.unchanged]
        return tuple(dict.fromkeys(pairs))


@dataclass(frozen=True, slots=True)
class Plan:
    """The change sets of one run, in the order the domains were named."""

    zones: tuple[ChangeSet, ...] = field(default=())

    @property
    def has_changes(self) -> bool:
        """Whether any zone would be written to."""
        return any(change_set.changes for change_set in self.zones)


def compute(place: Place, zone: Zone, desired: Iterable[DesiredRecord]) -> ChangeSet:
    """The change set that gives ``zone`` the desired records and touches nothing else.

    Creates and updates come first and deletes last, so that a write that stops half way leaves
    no name without its record.
    """
    changes: list[Change] = []
    kept: list[Kept] = []
    for wanted in desired:
        members = zone.of_kind(wanted.kind, wanted.hostname)
        keeper = _keeper(members, wanted)
        if keeper is not None and same_meaning(wanted.kind, keeper.destination, wanted.value):
            kept.append(Kept(wanted.kind, keeper))
        else:
            changes.append(_upsert(keeper, wanted))
        changes += (
            Change(Action.DELETE, wanted.kind, record, None)
            for record in members
            if record is not keeper
        )
    changes.sort(key=lambda change: change.action is Action.DELETE)
    touched = len(kept) + sum(change.before is not None for change in changes)
    change_set = ChangeSet(
        place, tuple(changes), tuple(kept), untouched=len(zone.records) - touched
    )
    return replace(change_set, untouched_beside=_txt_beside(zone, change_set))


def _keeper(members: Sequence[DnsRecord], wanted: DesiredRecord) -> DnsRecord | None:
    """The record of the kind that stays: one that is right already, else the oldest."""
    right = (m for m in members if same_meaning(wanted.kind, m.destination, wanted.value))
    return next(right, None) or min(members, key=_age, default=None)


def _age(record: DnsRecord) -> tuple[int, str]:
    identifier = record.id or ""
    return (int(identifier) if identifier.isdecimal() else 0, identifier)


def _upsert(keeper: DnsRecord | None, wanted: DesiredRecord) -> Change:
    action = Action.CREATE if keeper is None else Action.UPDATE
    after = DnsRecord(
        id=None,
        hostname=wanted.hostname,
        type="TXT",
        destination=wanted.value,
        priority="0" if keeper is None else keeper.priority,
        ttl=None if keeper is None else keeper.ttl,
    )
    return Change(action, wanted.kind, keeper, after, wanted.source, wanted.fingerprint)


def _txt_beside(zone: Zone, change_set: ChangeSet) -> int:
    apexes = {host for kind, host in change_set.slots() if kind is Kind.SPF}
    return sum(
        record.type == "TXT"
        and record.hostname in apexes
        and not is_of_kind(Kind.SPF, record.destination)
        for record in zone.records
    )


def applied(zone: Zone, changes: Sequence[Change]) -> Zone:
    """The zone as the changes leave it; what is created has no identifier yet."""
    gone = {change.before: change for change in changes if change.before is not None}
    records: list[DnsRecord] = []
    for record in zone.records:
        change = gone.get(record)
        if change is None:
            records.append(record)
        elif change.after is not None:
            records.append(replace(change.after, id=record.id))
    records += (c.after for c in changes if c.before is None and c.after is not None)
    return replace(zone, records=tuple(records))


def drift(change_set: ChangeSet, zone: Zone) -> tuple[str, ...]:
    """How ``zone`` differs from what ``change_set`` was made from, one sentence each.

    This is the precondition of a write: the complete set of records of each kind concerned at
    its hostname, and any CNAME there. Empty means that the plan still fits.
    """
    sentences: list[str] = []
    for kind, hostname in change_set.slots():
        planned = _members_planned(change_set, kind, hostname)
        sentences += _differences(planned, _members(zone, kind, hostname), hostname)
    return tuple(sentences)


def outcome(change_set: ChangeSet, zone: Zone) -> tuple[str, ...]:
    """How ``zone``, read after the write, differs from what ``change_set`` should have made.

    Identifiers of created records are the API's choice and are not compared. Empty means that
    every record of the kinds concerned is exactly as planned.
    """
    sentences: list[str] = []
    for kind, hostname in change_set.slots():
        wanted = _members_wanted(change_set, kind, hostname)
        found = _members(zone, kind, hostname)
        sentences += _differences(wanted, _as_created(found, wanted), hostname)
    return tuple(sentences)


def strangers(change_set: ChangeSet, before: Zone, after: Zone) -> tuple[str, ...]:
    """Records outside the change set that differ between two reads, as ``TYPE hostname``.

    Somebody else's change; ours never touches them.
    """
    slots = frozenset(change_set.slots())
    then, now = (Counter(_others(zone, slots)) for zone in (before, after))
    changed = (*(then - now), *(now - then))
    return tuple(sorted({f"{record.type} {record.hostname}" for record in changed}))


def _others(zone: Zone, slots: frozenset[tuple[Kind, str]]) -> list[DnsRecord]:
    managed = [record for kind, hostname in slots for record in zone.of_kind(kind, hostname)]
    return [record for record in zone.records if record not in managed]


_Member = tuple[str | None, str]
"""A record by identifier and value. ``None`` as identifier stands for one still to be given."""


def _members(zone: Zone, kind: Kind, hostname: str) -> Counter[_Member]:
    return Counter(map(_member, zone.of_kind(kind, hostname) + zone.at(hostname, "CNAME")))


def _member(record: DnsRecord) -> _Member:
    value = record.destination if record.type == "TXT" else f"CNAME {record.destination}"
    return (record.id, value)


def _members_planned(change_set: ChangeSet, kind: Kind, hostname: str) -> Counter[_Member]:
    before = [c.before for c in _changes_at(change_set, kind, hostname) if c.before]
    return Counter(map(_member, (*before, *_kept_at(change_set, kind, hostname))))


def _members_wanted(change_set: ChangeSet, kind: Kind, hostname: str) -> Counter[_Member]:
    after = [
        replace(change.after, id=change.before.id if change.before else None)
        for change in _changes_at(change_set, kind, hostname)
        if change.after
    ]
    return Counter(map(_member, (*after, *_kept_at(change_set, kind, hostname))))


def _changes_at(change_set: ChangeSet, kind: Kind, hostname: str) -> list[Change]:
    return [c for c in change_set.changes if c.kind is kind and c.hostname == hostname]


def _kept_at(change_set: ChangeSet, kind: Kind, hostname: str) -> list[DnsRecord]:
    kept = (kept.record for kept in change_set.unchanged if kept.kind is kind)
    return [record for record in kept if record.hostname == hostname]


def _as_created(found: Counter[_Member], wanted: Counter[_Member]) -> Counter[_Member]:
    """``found`` with the identifier of each record that ``wanted`` has as new left out."""
    known = {identifier for identifier, _ in wanted}
    return Counter(
        (None, value)
        if identifier not in known and (None, value) in wanted
        else (identifier, value)
        for identifier, value in found.elements()
    )


def _differences(
    expected: Counter[_Member], found: Counter[_Member], hostname: str
) -> Iterator[str]:
    for _, value in sorted((expected - found).elements(), key=str):
        yield f"{hostname}: {value!r} should be there, and is not"
    for _, value in sorted((found - expected).elements(), key=str):
        yield f"{hostname}: {value!r} is there, and should not be"
