"""What a write relies on, and what it should have made: a change set against a zone.

Pure. Before the write, the records concerned have to be those the plan was made from; after it,
those the plan wanted. A record counts by its hostname, its type and its text, and by its TTL where
it has one of its own; its identifier is the address a write goes to, and another one next time.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from netcup_mailauth.plan import Change, ChangeSet
    from netcup_mailauth.records import DnsRecord, Kind, Zone


def drift(change_set: ChangeSet, zone: Zone) -> tuple[str, ...]:
    """How ``zone`` differs from what ``change_set`` was made from, one sentence each.

    This is the precondition of a write: the complete set of records of each kind concerned at
    its hostname, and any CNAME there. Empty means that the plan still fits.
    """
    if zone.backend != change_set.place.backend:
        return (f"{zone.name} is on another API now ({zone.backend})",)
    sentences: list[str] = []
    for kind, hostname in change_set.slots():
        planned = _members_planned(change_set, kind, hostname)
        sentences += _differences(planned, _members(zone, kind, hostname), hostname)
    return tuple(sentences)


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
    sentences: list[str] = []
    for kind, hostname in change_set.slots():
        wanted = _members_wanted(change_set, kind, hostname)
        found = _as_created(_members(zone, kind, hostname), wanted)
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
    Priority and TTL stay as they are in the zone.
    """
    taken: list[DnsRecord] = []

    def live(kind: Kind, record: DnsRecord) -> DnsRecord:
        # Each once: rows may differ only in how they are written, which no file holds.
        members = [own for own in zone.of_kind(kind, record.hostname) if own not in taken]
        equal = [own for own in members if _member(own) == _member(record)]
        equal.sort(key=lambda own: own.id != record.id)
        same = equal[0] if equal else record
        taken.append(same)
        return same

    def ours(change: Change) -> Change:
        if change.before is None:
            return change
        before = live(change.kind, change.before)
        after = change.after and replace(change.after, priority=before.priority, ttl=before.ttl)
        return replace(change, before=before, after=after)

    kept = (replace(one, record=live(one.kind, one.record)) for one in change_set.unchanged)
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
    return Counter(map(_member, zone.of_kind(kind, hostname) + zone.at(hostname, "CNAME")))


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
    expected: Counter[_Member], found: Counter[_Member], hostname: str
) -> Iterator[str]:
    for member in sorted((expected - found).elements(), key=str):
        yield f"{hostname}: {_shown(member)} should be there, and is not"
    for member in sorted((found - expected).elements(), key=str):
        yield f"{hostname}: {_shown(member)} is there, and should not be"


def _shown(member: _Member) -> str:
    ttl, value = member
    return repr(value) if ttl is None else f"{value!r} with TTL {ttl}"
