"""What a write relies on, and what it should have made: a change set against a zone.

Pure. Before the write, the records concerned have to be those the plan was made from; after it,
those the plan wanted. A record counts by its identity and its value.
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

    Somebody else's change; ours never touches them. The SOA record, where an API lists it, is no
    witness: its serial follows every write.
    """
    slots = frozenset(change_set.slots())
    then, now = (Counter(map(_contents, _others(zone, slots))) for zone in (before, after))
    changed = (*(then - now), *(now - then))
    return tuple(sorted({f"{kind} {hostname}" for kind, hostname, *_ in changed}))


def _contents(record: DnsRecord) -> tuple[str | None, ...]:
    return (record.type, record.hostname, record.identity, record.priority, record.destination)


def has_twin(record: DnsRecord, zone: Zone) -> bool:
    """Whether the zone has another record that differs from this one in its identifier only.

    One written in other quoted pieces is no twin: it is told by how it is written.
    """
    rows = [(_contents(other), other.raw) for other in zone.records]
    return rows.count((_contents(record), record.raw)) > 1


def _others(zone: Zone, slots: frozenset[tuple[Kind, str]]) -> list[DnsRecord]:
    managed = [record for kind, hostname in slots for record in zone.of_kind(kind, hostname)]
    return [r for r in zone.records if r not in managed and r.type != "SOA"]


_Member = tuple[str | None, str]
"""A record by identity and value. ``None`` stands for an identifier still to be given."""


def _members(zone: Zone, kind: Kind, hostname: str) -> Counter[_Member]:
    return Counter(map(_member, zone.of_kind(kind, hostname) + zone.at(hostname, "CNAME")))


def _member(record: DnsRecord) -> _Member:
    value = record.destination if record.type == "TXT" else f"CNAME {record.destination}"
    return (record.identity, value)


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
    for member in sorted((expected - found).elements(), key=str):
        yield f"{hostname}: {_shown(member)} should be there, and is not"
    for member in sorted((found - expected).elements(), key=str):
        yield f"{hostname}: {_shown(member)} is there, and should not be"


def _shown(member: _Member) -> str:
    identity, value = member
    is_ttl = identity is not None and identity.startswith("TTL ")
    return f"{value!r} with {identity}" if is_ttl else repr(value)
