"""What would have to change: a zone against the records wanted gives a change set.

Pure. The same zone and the same wish give the same change set, to the byte. Nothing here knows
how a change is written; that is a back end's business.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from netcup_mailauth.meaning import same_meaning
from netcup_mailauth.records import DesiredRecord, DnsRecord, Kind, Zone, is_of_kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from netcup_mailauth.errors import ExitCode, MailauthError
    from netcup_mailauth.findings import Finding


class Action(StrEnum):
    """What happens to a record."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


class Edit(Protocol):
    """One record of a write as it was and as it shall be; ``None`` where there is none."""

    @property
    def action(self) -> Action:
        """What happens to the record."""

    @property
    def before(self) -> DnsRecord | None:
        """The record as it was read."""

    @property
    def after(self) -> DnsRecord | None:
        """The record as it shall be."""


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


def compute(
    place: Place, zone: Zone, desired: Iterable[DesiredRecord], new_ttl: int | None = None
) -> ChangeSet:
    """The change set that gives ``zone`` the desired records and touches nothing else.

    ``new_ttl`` is the TTL of records that are created, in seconds; ``None`` where the zone has
    one TTL for all. A record that is updated keeps its own.

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
            changes.append(_upsert(keeper, wanted, new_ttl))
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
    if record.ttl is not None:
        # Its identifier says nothing of its age; any fixed order will do.
        return (record.ttl, record.destination)
    identifier = record.id or ""
    return (int(identifier) if identifier.isdecimal() else 0, identifier)


def _upsert(keeper: DnsRecord | None, wanted: DesiredRecord, new_ttl: int | None) -> Change:
    action = Action.CREATE if keeper is None else Action.UPDATE
    after = DnsRecord(
        id=None,
        hostname=wanted.hostname,
        type="TXT",
        destination=wanted.value,
        priority="0" if keeper is None else keeper.priority,
        ttl=new_ttl if keeper is None else keeper.ttl,
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


def applied(zone: Zone, changes: Sequence[Edit]) -> Zone:
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
