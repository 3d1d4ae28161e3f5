"""What `POST changeset` does to a zone: all of it or nothing (R8, R9)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from netcup_mailauth.sandbox.rest.answers import (
    CNAME_CONFLICT,
    EXISTS_ALREADY,
    IMMUTABLE,
    NO_CHANGES,
    RefusedError,
    invalid,
    strict_miss,
)
from netcup_mailauth.sandbox.rest.bodies import read_object
from netcup_mailauth.sandbox.rest.rows import Row, deletes, is_fixed, read_row, record_of

if TYPE_CHECKING:
    from netcup_mailauth.sandbox.zones import Record, Zone, Zones

_SWITCHES = ("autoCommit", "strict")
_LISTS = ("create", "delete")


@dataclass(frozen=True, slots=True)
class Changeset:
    """Rows to create and to delete.

    `auto_commit` is false for a draft; `strict` makes a delete that hits nothing an error.
    """

    auto_commit: bool
    strict: bool
    create: tuple[Row, ...]
    delete: tuple[Row, ...]


def read_changeset(body: bytes) -> Changeset:
    """Read the body of a call.

    Raises:
        RefusedError: it is no changeset; both switches and the fields of each row are needed.
    """
    data = read_object(body)
    auto_commit, strict = (_switch(data, field) for field in _SWITCHES)
    create, delete = (tuple(map(read_row, _list(data, field))) for field in _LISTS)
    if not create and not delete:
        raise RefusedError(invalid(NO_CHANGES))
    return Changeset(auto_commit, strict, create, delete)


def changed(zone: Zone, changeset: Changeset, world: Zones) -> Zone:
    """The zone with the changes; first the rows to delete go, then the new ones come.

    A delete takes every record that reads so: identical ones cannot be told apart.

    Raises:
        RefusedError: one change cannot be made, so none is.
    """
    quirks, now = world.quirks, world.clock()
    kept = _without(zone, changeset, world)
    for row in changeset.create:
        record = record_of(row, world.new_id(), zone, quirks, now)
        is_there = any(record.content() == other.content() for other in kept)
        if is_there and quirks.duplicate_create == "error":  # L26: unknown here, too
            raise RefusedError(invalid(EXISTS_ALREADY))
        if not (is_there and quirks.duplicate_create == "ignore"):
            kept.append(record)
    if quirks.cname_conflict == "refuse":
        _refuse_cname_conflict(kept)
    return zone.with_records(tuple(kept), now)


def _without(zone: Zone, changeset: Changeset, world: Zones) -> list[Record]:
    kept = list(zone.records)
    for row in changeset.delete:
        if is_fixed(row, zone, world.quirks):
            raise RefusedError(invalid(IMMUTABLE))
        hit = [record for record in zone.records if deletes(row, record, zone, world.quirks)]
        if not hit and changeset.strict:
            raise RefusedError(strict_miss(world.quirks.rest_strict_miss))
        kept = [record for record in kept if record not in hit]
    return kept


def _refuse_cname_conflict(records: list[Record]) -> None:
    kinds: dict[str, list[str]] = {}
    for record in records:
        kinds.setdefault(record.hostname.lower(), []).append(record.type)
    if any("CNAME" in found and len(found) > 1 for found in kinds.values()):
        raise RefusedError(invalid(CNAME_CONFLICT))


def _switch(data: dict[str, Any], field: str) -> bool:
    if not isinstance(data.get(field), bool):
        raise RefusedError(invalid(f"The field {field} must be true or false."))
    return bool(data[field])


def _list(data: dict[str, Any], field: str) -> list[object]:
    # Left out where it is empty by the one client that writes; whether it has to be there: ?
    if not isinstance(data.get(field, []), list):
        raise RefusedError(invalid(f"The field {field} must be a list."))
    return list(data.get(field, []))
