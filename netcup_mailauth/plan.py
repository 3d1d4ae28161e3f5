"""A zone, what it should have, and the difference: change sets, plans, and what became of them.

Pure. Before a write the records concerned have to be those the plan was made from (``drift``);
after it, those the plan wanted (``outcome``), and the records beside ours have to be there still
(``other_records``). A record counts by its hostname, its type and its text, and by its TTL where it
has one of its own; its identifier is the address a write goes to, and another one next time.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple, Protocol

from netcup_mailauth.errors import ExitCode, error_of, worst
from netcup_mailauth.kinds import is_of_kind, live, of_kind, same_meaning
from netcup_mailauth.records import DesiredRecord, DnsRecord, Kind, Zone

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from netcup_mailauth.errors import MailauthError
    from netcup_mailauth.findings import Finding
    from netcup_mailauth.policy import DomainPolicy


class Action(StrEnum):
    """What happens to a record."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


SIGNS = {Action.CREATE: "+", Action.UPDATE: "~", Action.DELETE: "-"}
"""What marks a change where it is listed."""


class Edit(Protocol):
    """One record of a write as it was and as it shall be; ``None`` where there is none."""

    @property
    def before(self) -> DnsRecord | None:
        """The record as it was read."""

    @property
    def after(self) -> DnsRecord | None:
        """The record as it shall be."""


@dataclass(frozen=True, slots=True)
class Change:
    """One record that changes.

    Attributes:
        action: create, update or delete.
        kind: of which kind the record is.
        before: the record as it was read; ``None`` for a create.
        after: the record as it shall be; ``None`` for a delete.
        source: where a DKIM key comes from, in words; ``None`` for other kinds.
        fingerprint: that key's, as ``SHA256:9f2c41d0a37be655``.
        look_ups: what an SPF record will cost in DNS, term by term; empty if not counted.
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


class Unmanaged(NamedTuple):
    """A kind of which nobody said anything, and what is live of it: texts, or hostnames of keys."""

    kind: Kind
    live: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a domain has no change set, or why one could not be applied.

    Attributes:
        exit_code: what the command exits with for it.
        message: one sentence of what happened.
        advice: what to do next; may be empty.
    """

    exit_code: ExitCode
    message: str
    advice: str = ""

    @classmethod
    def of(cls, error: MailauthError) -> Failure:
        """The failure that an error raised on purpose stands for."""
        return cls(error.exit_code, error.what, error.advice)

    @property
    def error(self) -> MailauthError:
        """The error that it stands for, to be raised; of the family that has its exit code."""
        return error_of(self.exit_code, self.message, self.advice)


@dataclass(frozen=True, slots=True)
class Place:
    """Where one domain's records live: its zone, and who serves it to whom.

    Attributes:
        domain: the mail domain, in lower case and punycode.
        zone: the zone at netcup that it lies in; the same name, or one above it.
        backend: ``ccp`` or ``clouddns``; empty where it is not known.
        endpoint: the URL of that API.
        account: a digest of the customer number, never the number itself.
    """

    domain: str
    zone: str
    backend: str = ""
    endpoint: str = ""
    account: str = ""


class Ways(NamedTuple):
    """How to go on where the guard holds something back.

    Attributes:
        safer: what to want instead, so that nothing is held back; ``None`` where none is known.
        consents: the codes to allow, so that nothing is; empty where no consent helps.
    """

    safer: DomainPolicy | None = None
    consents: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ChangeSet:
    """The changes of one domain, what stays, and what is to be said about it.

    Attributes:
        place: the domain, its zone, and who serves it.
        changes: what is to be written, creates and updates first; empty where nothing is to do.
        unchanged: the managed records that already mean what is wanted.
        findings: what the guard says, the gravest first.
        allow: the codes of findings that are accepted.
        error: why there is no change set; ``None`` where there is one.
        untouched: how many records of the zone are none of our business.
        untouched_beside: how many of those are TXT records at the apex of the domain, beside
            its SPF record; shown as proof that they stay.
        held: the kinds whose changes are not written, because the guard holds them back.
        ways: how to go on where there are such.
        unmanaged: what stays because nothing was said of it; shown, and in no document.
    """

    place: Place
    changes: tuple[Change, ...] = ()
    unchanged: tuple[Kept, ...] = ()
    untouched: int = 0
    untouched_beside: int = 0
    findings: tuple[Finding, ...] = ()
    allow: tuple[str, ...] = ()
    error: Failure | None = None
    held: frozenset[Kind] = frozenset()
    unmanaged: tuple[Unmanaged, ...] = field(default=(), compare=False)
    ways: Ways = field(default=Ways(), compare=False)

    @property
    def domain(self) -> str:
        """The mail domain, in lower case and punycode."""
        return self.place.domain

    @property
    def without_held(self) -> ChangeSet:
        """The part of it that is about no kind that is held back."""
        if not self.held:
            return self
        changes = (change for change in self.changes if change.kind not in self.held)
        unchanged = (kept for kept in self.unchanged if kept.kind not in self.held)
        return replace(self, changes=tuple(changes), unchanged=tuple(unchanged), held=frozenset())

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to write."""
        return not self.changes

    def slots(self) -> tuple[tuple[Kind, str], ...]:
        """Each kind and hostname this change set is about, in order, once."""
        pairs = [(change.kind, change.hostname) for change in self.changes]
        pairs += [(kept.kind, kept.record.hostname) for kept in self.unchanged]
        return tuple(dict.fromkeys(pairs))


def left(change_set: ChangeSet) -> list[tuple[Kind, DnsRecord]]:
    """The records that a plan leaves behind: what it writes, and what was right already."""
    written = [(c.kind, c.after) for c in change_set.changes if c.after is not None]
    return [*written, *((kept.kind, kept.record) for kept in change_set.unchanged)]


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
    one TTL for all. A record that is updated keeps its own, and a new one beside others of its name
    takes theirs.

    Creates and updates come first and deletes last, so that a write that stops half way leaves
    no name without its record.
    """
    changes: list[Change] = []
    kept: list[Kept] = []
    for wanted in desired:
        members = live(zone, wanted.kind, wanted.hostname)
        keeper = _keeper(members, wanted)
        if keeper is not None and same_meaning(wanted.kind, keeper.destination, wanted.value):
            kept.append(Kept(wanted.kind, keeper))
        else:
            changes.append(_upsert(keeper, wanted, ttl_at(zone, wanted.hostname, new_ttl)))
        changes += (
            Change(Action.DELETE, wanted.kind, record, None)
            for record in members
            if record is not keeper
        )
    changes.sort(key=lambda change: change.action is Action.DELETE)
    touched = len(kept) + sum(change.before is not None for change in changes)
    return ChangeSet(
        place,
        tuple(changes),
        tuple(kept),
        untouched=len(zone.records) - touched,
        untouched_beside=_txt_beside(zone, changes, kept),
    )


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


def ttl_at(
    zone: Zone, hostname: str, otherwise: int | None, record_type: str = "TXT"
) -> int | None:
    """The TTL of a new record: theirs, where others of its type stand there (RFC 2181, 5.2).

    One set of records has one TTL; where it has several, all are taken for the shortest.
    """
    beside = [record.ttl for record in zone.at(hostname, record_type) if record.ttl is not None]
    return min(beside, default=otherwise)


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


def _txt_beside(zone: Zone, changes: Sequence[Change], kept: Sequence[Kept]) -> int:
    """How many TXT records stand beside the SPF record, and are not of it."""
    apexes = {change.hostname for change in changes if change.kind is Kind.SPF}
    apexes |= {one.record.hostname for one in kept if one.kind is Kind.SPF}
    changed = [change.before for change in changes]
    return sum(
        record.type == "TXT"
        and record.hostname in apexes
        and record not in changed
        and not is_of_kind(Kind.SPF, record.destination)
        for record in zone.records
    )


def applied(zone: Zone, changes: Sequence[Edit]) -> Zone:
    """The zone as the changes leave it; what is created has no identifier yet."""
    if not changes:
        return zone
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
    if zone.backend != change_set.place.backend:
        return _moved(zone)
    sentences: list[str] = []
    for kind, hostname in change_set.slots():
        planned = _members_planned(change_set, kind, hostname)
        found = _members(zone, kind, hostname)
        sentences += _differences(planned, found, hostname, gone="is gone", new="is new")
    return tuple(sentences)


def _moved(zone: Zone) -> tuple[str]:
    return (f"{zone.name} is on another API now ({zone.backend})",)


def new_draft(change_set: ChangeSet, zone: Zone) -> tuple[str, ...]:
    """A draft of somebody's in ``zone`` that the change set was not judged with, as a sentence."""
    judged = any(finding.code == "zone-has-draft" for finding in change_set.findings)
    if zone.draft is None or judged:
        return ()
    return (f"somebody has begun to change {zone.name} and not committed it yet",)


def outcome(change_set: ChangeSet, zone: Zone) -> tuple[str, ...]:
    """How ``zone``, read after the write, differs from what ``change_set`` should have made.

    Identifiers are addresses and are not compared: an API may give a record that it updates a new
    one. Empty means that every record of the kinds concerned is exactly as planned.
    """
    if zone.backend != change_set.place.backend:
        return _moved(zone)
    sentences: list[str] = []
    for kind, hostname in change_set.slots():
        wanted = _members_wanted(change_set, kind, hostname)
        found = _as_created(_members(zone, kind, hostname), wanted)
        if not wanted and not of_kind(zone, kind, hostname):
            # What no receiver reads stood beside, unless it was what should have gone.
            found &= _members_planned(change_set, kind, hostname)
        sentences += _differences(wanted, found, hostname)
    return tuple(sentences)


def arrived_in_part(change_set: ChangeSet, zone: Zone) -> bool:
    """Whether ``zone`` has some of what ``change_set`` makes, and not all of it."""
    made = deleted = foreign = 0
    for kind, hostname in change_set.slots():
        planned = _members_planned(change_set, kind, hostname)
        wanted = _members_wanted(change_set, kind, hostname)
        found = _as_created(_members(zone, kind, hostname), wanted)
        made += (found & (wanted - planned)).total()
        deleted += (planned - wanted - found).total()
        foreign += (found - planned - wanted).total()
    # A record that is gone was deleted by this write only if nobody else has been there.
    return bool(outcome(change_set, zone)) and bool(made or (deleted and not foreign))


def rebound(change_set: ChangeSet, zone: Zone) -> ChangeSet:
    """The change set with the zone's own records in it: a write goes to the ids just read.

    A record is found by what it says; its identifier only tells which of two equal ones is meant.
    Priority and TTL stay as they are in the zone, and what is new has the TTL that is due there.
    """
    taken: list[DnsRecord] = []

    def found(kind: Kind, record: DnsRecord) -> DnsRecord:
        # Each once: rows may differ only in how they are written, which no file holds.
        members = [own for own in live(zone, kind, record.hostname) if own not in taken]
        equal = [own for own in members if _member(own) == _member(record)]
        equal.sort(key=lambda own: own.id != record.id)
        same = equal[0] if equal else record
        taken.append(same)
        return same

    def ours(change: Change) -> Change:
        if change.before is None:
            new = change.after
            return replace(
                change, after=new and replace(new, ttl=ttl_at(zone, new.hostname, new.ttl))
            )
        before = found(change.kind, change.before)
        after = change.after and replace(change.after, priority=before.priority, ttl=before.ttl)
        return replace(change, before=before, after=after)

    kept = (replace(one, record=found(one.kind, one.record)) for one in change_set.unchanged)
    return replace(change_set, changes=tuple(map(ours, change_set.changes)), unchanged=tuple(kept))


def has_twin(record: DnsRecord, zone: Zone) -> bool:
    """Whether the zone has another record that differs from this one in its identifier only.

    One written in other quoted pieces is no twin: it is told by how it is written.
    """
    rows = [replace(other, id=None) for other in zone.records]
    return rows.count(replace(record, id=None)) > 1


_Member = tuple[int | None, str]
"""A record by its TTL, where it has one of its own, and its value."""


def _members(zone: Zone, kind: Kind, hostname: str) -> Counter[_Member]:
    return Counter(map(_member, live(zone, kind, hostname) + zone.at(hostname, "CNAME")))


def _member(record: DnsRecord) -> _Member:
    value = record.destination if record.type == "TXT" else f"CNAME {record.destination}"
    return (record.ttl, value)


def _members_planned(change_set: ChangeSet, kind: Kind, hostname: str) -> Counter[_Member]:
    before = [c.before for c in _changes_at(change_set, kind, hostname) if c.before]
    return Counter(map(_member, (*before, *_kept_at(change_set, kind, hostname))))


def _members_wanted(change_set: ChangeSet, kind: Kind, hostname: str) -> Counter[_Member]:
    after = [
        c.after if c.before else replace(c.after, ttl=None)
        for c in _changes_at(change_set, kind, hostname)
        if c.after
    ]
    return Counter(map(_member, (*after, *_kept_at(change_set, kind, hostname))))


def _as_created(found: Counter[_Member], wanted: Counter[_Member]) -> Counter[_Member]:
    """``found`` without the TTL of what ``wanted`` has as new, which is the API's choice."""
    return Counter(
        (None, value) if (None, value) in wanted and (ttl, value) not in wanted else (ttl, value)
        for ttl, value in found.elements()
    )


def _changes_at(change_set: ChangeSet, kind: Kind, hostname: str) -> list[Change]:
    return [c for c in change_set.changes if c.kind is kind and c.hostname == hostname]


def _kept_at(change_set: ChangeSet, kind: Kind, hostname: str) -> list[DnsRecord]:
    kept = (kept.record for kept in change_set.unchanged if kept.kind is kind)
    return [record for record in kept if record.hostname == hostname]


def _differences(
    expected: Counter[_Member],
    found: Counter[_Member],
    hostname: str,
    gone: str = "should be there, and is not",
    new: str = "is there, and should not be",
) -> Iterator[str]:
    for member in sorted((expected - found).elements(), key=str):
        yield f"{hostname}: {_shown(member)} {gone}"
    for member in sorted((found - expected).elements(), key=str):
        yield f"{hostname}: {_shown(member)} {new}"


def _shown(member: _Member) -> str:
    ttl, value = member
    return repr(value) if ttl is None else f"{value!r} with TTL {ttl}"


class Status(StrEnum):
    """How the work on one domain ended."""

    UNCHANGED = "unchanged"  # there was nothing to do
    APPLIED = "applied"  # written and verified
    LOST = "lost"  # written and read back, and other records of the zone are gone since
    ALREADY = "already"  # somebody else had made the same change
    REFUSED = "refused"  # the guard said no
    STALE = "stale"  # the zone changed since the plan; nothing was written
    FAILED = "failed"  # an error; nothing was written
    UNKNOWN = "unknown"  # a write went out and could not be verified
    NOT_TRIED = "not tried"  # the run ended before this domain's turn


@dataclass(frozen=True, slots=True)
class Result:
    """How one domain ended.

    Attributes:
        change_set: what was to be written.
        status: how it ended.
        failure: what went wrong, or what is held back; ``None`` where all is done.
        notes: sentences for the user, such as a rival's change.
        ended_by: an error of the write after which more calls would do harm, such as a lock-out.
    """

    change_set: ChangeSet
    status: Status
    failure: Failure | None = None
    notes: tuple[str, ...] = ()
    ended_by: MailauthError | None = None

    @property
    def domain(self) -> str:
        """The mail domain, in lower case and punycode."""
        return self.change_set.place.domain

    @property
    def exit_code(self) -> ExitCode:
        """This domain's part in the exit code of the run."""
        return self.failure.exit_code if self.failure else ExitCode.OK


@dataclass(frozen=True, slots=True)
class RunResult:
    """The results of one run of ``apply``: ``results`` has one of each domain, in their order."""

    results: tuple[Result, ...]

    @property
    def exit_code(self) -> ExitCode:
        """The worst of the domains' exit codes."""
        return worst([result.exit_code for result in self.results])

    def count(self, status: Status) -> int:
        """How many domains ended like this."""
        return sum(result.status is status for result in self.results)
