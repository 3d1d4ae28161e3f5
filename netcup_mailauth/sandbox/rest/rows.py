"""A record as the REST API shows and takes it: name, type, rdata, ttl (R8, R13, R14)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from netcup_mailauth.sandbox.rest import names, rdata, txt
from netcup_mailauth.sandbox.rest.answers import IMMUTABLE, RefusedError, invalid
from netcup_mailauth.sandbox.zones import CONTACT, NAME_SERVERS, TYPES, Record

if TYPE_CHECKING:
    from netcup_mailauth.sandbox.quirks import Quirks
    from netcup_mailauth.sandbox.zones import Zone

_FIELDS = ("name", "type", "rdata", "ttl")
_LONGEST_TTL = 2**31 - 1
_MUTABLE = {"false": False, "null": None}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a revision, or of a changeset. `ttl` is in seconds."""

    name: str
    type: str
    rdata: str
    ttl: int
    immutable: bool = False

    def wire(self, quirks: Quirks) -> dict[str, object]:
        """The row without its identifier, which is another in every revision."""
        return {
            "name": self.name,
            "type": self.type,
            "rdata": self.rdata,
            "ttl": self.ttl,
            "immutable": True if self.immutable else _MUTABLE[quirks.rest_mutable],
        }


def rows_of(zone: Zone, quirks: Quirks) -> list[Row]:
    """All rows of a zone: what netcup keeps for itself first (R13), then the records."""
    return [*_apex(zone, quirks), *(row_of(record, zone, quirks) for record in zone.records)]


def row_of(record: Record, zone: Zone, quirks: Quirks) -> Row:
    """The row of a record; the name servers of the zone itself cannot be changed (R13)."""
    name = names.shown(record.hostname, zone.name, quirks)
    value = rdata.shown(record, zone.name, quirks)
    return Row(name, record.type, value, record.ttl, _is_kept(record.hostname, record.type))


def read_row(raw: object) -> Row:
    """Read an entry of a changeset; all four fields are needed, and no other is known (R8).

    Raises:
        RefusedError: a field is missing, unknown or none of its type, or TXT is not quoted (R12).
    """
    if not isinstance(raw, Mapping):
        raise RefusedError(invalid("A record must be an object."))
    for field in _FIELDS:
        if field not in raw:
            raise RefusedError(invalid(f"The field {field} is required."))
    for field in raw:
        if field not in _FIELDS:
            raise RefusedError(invalid("The record has an unknown field."))
    name, kind, value = (_text(raw, field) for field in _FIELDS[:3])
    row = Row(name, kind, value, _ttl(raw["ttl"]))
    if row.type == "TXT":
        txt.read(row.rdata)
    return row


def record_of(row: Row, number: int, zone: Zone, quirks: Quirks, now: float) -> Record:
    """The record that a row of a changeset becomes.

    Raises:
        RefusedError: name, type or value cannot be, or the name servers are netcup's to set (R13).
    """
    hostname = names.read(row.name, zone.name, quirks)
    if _is_kept(hostname, row.type):
        raise RefusedError(invalid(IMMUTABLE))
    if row.type not in TYPES:
        raise RefusedError(invalid("Record type is not valid."))
    priority, destination = rdata.read(row.type, row.rdata, zone.name, quirks)
    return Record(number, hostname, row.type, priority, destination, now, row.ttl)


def deletes(wanted: Row, record: Record, zone: Zone, quirks: Quirks) -> bool:
    """Whether a row of a changeset names this record: every field as it is shown (R8).

    TXT that is shown without quotes is named by its quoted form, as no other is let in (R12).
    """
    row = row_of(record, zone, quirks)
    value = row.rdata
    if record.type == "TXT" and quirks.rest_txt == "unquoted":
        value = txt.shown(record.destination, "split")
    if (row.type, value, row.ttl) != (wanted.type, wanted.rdata, wanted.ttl):
        return False
    if quirks.rest_name_match == "as-shown":
        return row.name == wanted.name
    return record.hostname == names.read(wanted.name, zone.name, quirks)


def is_fixed(wanted: Row, zone: Zone, quirks: Quirks) -> bool:
    """Whether a row of a changeset names what is netcup's to set, whatever its value (R13)."""
    return _is_kept(names.read(wanted.name, zone.name, quirks), wanted.type)


def _is_kept(hostname: str, kind: str) -> bool:
    return kind == "SOA" or (kind == "NS" and hostname == "@")


def _apex(zone: Zone, quirks: Quirks) -> list[Row]:
    """SOA, and netcup's name servers unless the zone has its own."""
    name, ttl = names.shown("@", zone.name, quirks), int(zone.ttl)
    times = f"{zone.serial} {zone.refresh} {zone.retry} {zone.expire} {zone.ttl}"
    soa = Row(name, "SOA", f"{NAME_SERVERS[0]} {CONTACT} {times}", ttl, immutable=True)
    if any(record.type == "NS" and record.hostname == "@" for record in zone.records):
        return [soa]
    return [soa, *(Row(name, "NS", server, ttl, immutable=True) for server in NAME_SERVERS)]


def _text(raw: Mapping[str, Any], field: str) -> str:
    if not isinstance(raw[field], str):
        raise RefusedError(invalid(f"The field {field} must be a text."))
    return str(raw[field])


def _ttl(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= _LONGEST_TTL:
        return value
    raise RefusedError(invalid("The field ttl must be a positive number."))
