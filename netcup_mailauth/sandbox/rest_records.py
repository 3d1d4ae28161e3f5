"""A record as the REST API shows and takes it, and what a changeset does to a zone (R8 to R15).

What cannot be taken is a RefusedError, whose answer says why.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from netcup_mailauth.sandbox.rest_answers import (
    CNAME_CONFLICT,
    IMMUTABLE,
    LONG_STRING,
    MIXED_TTLS,
    NO_CHANGES,
    ONE_STRING,
    UNQUOTED,
    RefusedError,
    invalid,
    read_object,
    strict_miss,
)
from netcup_mailauth.sandbox.zones import (
    ADDRESSES,
    CONTACT,
    NAME_SERVERS,
    TYPES,
    Record,
    is_hostname,
    relative,
)

if TYPE_CHECKING:
    from netcup_mailauth.sandbox.quirks import Quirks
    from netcup_mailauth.sandbox.zones import Zone, Zones

_TARGETS = frozenset({"CNAME", "NS"})
_SRV_FIELDS = 4
_FIELDS = ("name", "type", "rdata", "ttl")
_LONGEST_TTL = 2**31 - 1
_MUTABLE = {"false": False, "null": None}
_SWITCHES = ("autoCommit", "strict")
_LISTS = ("create", "delete")
_LONGEST_STRING = 255
_STRING = r'"(?:[^"\\]|\\.)*"'
_STRINGS = re.compile(rf"{_STRING}(?:\s+{_STRING})*", re.DOTALL)
_ESCAPE = re.compile(rb"\\(?:([0-9]{3})|(.))", re.DOTALL)
_NO_TEXT = "TXT rdata is no text in UTF-8."
_PRINTABLE = range(0x20, 0x7F)


def shown_txt(text: str, form: str) -> str:
    """A text as the API shows it: `split` into strings of 255 bytes, `one-string` or `unquoted`."""
    data = text.encode(errors="replace")  # half a character may have come by the CCP
    if form == "unquoted":
        return text
    size = _LONGEST_STRING if form == "split" else len(data) or 1
    starts = range(0, len(data) or 1, size)
    return " ".join(f'"{_escaped(data[start : start + size])}"' for start in starts)


def strings_of(rdata: str) -> list[bytes]:
    """The strings of a TXT, without quotes and escapes."""
    if _STRINGS.fullmatch(rdata) is None:
        raise invalid(UNQUOTED)
    strings = re.findall(_STRING, rdata, re.DOTALL)
    return [_ESCAPE.sub(_unescaped, _bytes(string[1:-1])) for string in strings]


def text_of(rdata: str, quirks: Quirks) -> str:
    """The text to be stored."""
    strings = strings_of(rdata)
    too_long = any(len(string) > _LONGEST_STRING for string in strings)
    if too_long and quirks.rest_txt_taken == "split":
        raise invalid(LONG_STRING)
    if len(strings) > 1 and quirks.rest_txt_taken == "one-string":
        raise invalid(ONE_STRING)
    try:
        return b"".join(strings).decode()
    except UnicodeDecodeError:
        raise invalid(_NO_TEXT) from None


def _bytes(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise invalid(_NO_TEXT) from None


def _escaped(data: bytes) -> str:
    return "".join(map(_character, data))


def _character(byte: int) -> str:
    if byte in b'"\\':
        return f"\\{chr(byte)}"
    return chr(byte) if byte in _PRINTABLE else f"\\{byte:03d}"


def _unescaped(match: re.Match[bytes]) -> bytes:
    digits, character = match.groups()
    if digits is None and not character.isdigit():
        return bytes(character)
    if digits is None or int(digits) > 255:
        raise invalid("TXT rdata holds an escape that is none.")
    return bytes([int(digits)])


def shown_name(hostname: str, zone: str, quirks: Quirks) -> str:
    """A name as the API shows it."""
    form = quirks.rest_names
    if form in ("fqdn", "fqdn-dot"):
        full = zone if hostname == "@" else f"{hostname}.{zone}"
        return f"{full}." if form == "fqdn-dot" else full
    return "" if hostname == "@" and form == "empty" else hostname


def hostname_of(name: str, zone: str, quirks: Quirks) -> str:
    """The name in its stored form: relative to the zone, `@` for its apex.

    A name with a dot at its end is complete; one without is only where names are shown so.
    """
    is_full = name.endswith(".") or quirks.rest_names == "fqdn"
    hostname = relative(name.removesuffix("."), zone) if is_full else name
    if hostname is None and not name.endswith("."):
        hostname = name
    if hostname == "":
        hostname = "@"
    if hostname is None or not is_hostname(hostname):
        raise invalid("Record name is not valid.")
    return hostname


def shown_rdata(record: Record, zone: str, quirks: Quirks) -> str:
    """A record's value as the API shows it."""
    kind, value = record.type, record.destination
    if kind == "TXT":
        return shown_txt(value, quirks.rest_txt)
    if kind in _TARGETS:
        return _full_target(value, zone, quirks)
    if kind == "MX":
        return f"{record.priority} {_full_target(value, zone, quirks)}"
    if kind == "SRV" and len(value.split()) == _SRV_FIELDS:
        *numbers, target = value.split()
        return " ".join([*numbers, _full_target(target, zone, quirks)])
    return value


def read_rdata(kind: str, rdata: str, zone: str, quirks: Quirks) -> tuple[str, str]:
    """Priority and destination in their stored form."""
    try:
        return _read_rdata(kind, rdata, zone, quirks)
    except ValueError:
        raise invalid(f"{kind} rdata is not valid.") from None


def _read_rdata(kind: str, rdata: str, zone: str, quirks: Quirks) -> tuple[str, str]:
    if kind == "TXT":
        return "0", text_of(rdata, quirks)
    if kind == "MX":
        priority, target = rdata.split()
        return _number(priority), _stored_target(target, zone)
    if kind in _TARGETS:
        (target,) = rdata.split()
        return "0", _stored_target(target, zone)
    if kind == "SRV":
        *numbers, target = rdata.split()
        if len(numbers) + 1 != _SRV_FIELDS:
            raise ValueError("an SRV has four fields")
        return "0", " ".join([*map(_number, numbers), _stored_target(target, zone)])
    if not rdata.strip():
        raise ValueError("there is no value")
    address = ADDRESSES.get(kind)
    return "0", rdata if address is None else str(address(rdata))


def _full_target(target: str, zone: str, quirks: Quirks) -> str:
    full = zone if target == "@" else target.removesuffix(".")
    return f"{full}." if quirks.rest_targets == "dot" else full


def _stored_target(target: str, zone: str) -> str:
    """Without its dot; a target without any is relative, as in a zone file (guess)."""
    if target == "@":
        return "@"
    if not target.strip("."):
        raise ValueError("there is no target")
    return target.removesuffix(".") if "." in target else f"{target}.{zone}"


def _number(text: str) -> str:
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and int(text) <= 65535):
        raise ValueError("a number has 16 bits")
    return str(int(text))


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
    name = shown_name(record.hostname, zone.name, quirks)
    value = shown_rdata(record, zone.name, quirks)
    return Row(name, record.type, value, record.ttl, _is_kept(record.hostname, record.type))


def read_row(raw: object) -> Row:
    """Read an entry of a changeset; all four fields are needed, and no other is known (R8)."""
    if not isinstance(raw, Mapping):
        raise invalid("A record must be an object.")
    for field in _FIELDS:
        if field not in raw:
            raise invalid(f"The field {field} is required.")
    for field in raw:
        if field not in _FIELDS:
            raise invalid("The record has an unknown field.")
    name, kind, value = (_text(raw, field) for field in _FIELDS[:3])
    row = Row(name, kind, value, _ttl(raw["ttl"]))
    if row.type == "TXT":
        strings_of(row.rdata)
    return row


def record_of(row: Row, number: int, zone: Zone, quirks: Quirks, now: float) -> Record:
    """The record that a row of a changeset becomes."""
    hostname = hostname_of(row.name, zone.name, quirks)
    if _is_kept(hostname, row.type):
        raise invalid(IMMUTABLE)
    if row.type not in TYPES:
        raise invalid("Record type is not valid.")
    priority, destination = read_rdata(row.type, row.rdata, zone.name, quirks)
    return Record(number, hostname, row.type, priority, destination, now, row.ttl)


def deletes(wanted: Row, record: Record, zone: Zone, quirks: Quirks) -> bool:
    """Whether a row of a changeset names this record: every field as it is shown (R8).

    TXT that is shown without quotes is named by its quoted form, as no other is let in (R12).
    """
    row = row_of(record, zone, quirks)
    value = row.rdata
    if record.type == "TXT" and quirks.rest_txt == "unquoted":
        value = shown_txt(record.destination, "split")
    if (row.type, value, row.ttl) != (wanted.type, wanted.rdata, wanted.ttl):
        return False
    if quirks.rest_name_match == "as-shown":
        return row.name == wanted.name
    return record.hostname == hostname_of(wanted.name, zone.name, quirks)


def is_fixed(wanted: Row, zone: Zone, quirks: Quirks) -> bool:
    """Whether a row of a changeset names what is netcup's to set, whatever its value (R13)."""
    return _is_kept(hostname_of(wanted.name, zone.name, quirks), wanted.type)


def _is_kept(hostname: str, kind: str) -> bool:
    return kind == "SOA" or (kind == "NS" and hostname == "@")


def _apex(zone: Zone, quirks: Quirks) -> list[Row]:
    """SOA, and netcup's name servers unless the zone has its own."""
    name, ttl = shown_name("@", zone.name, quirks), int(zone.ttl)
    times = f"{zone.serial} {zone.refresh} {zone.retry} {zone.expire} {zone.ttl}"
    soa = Row(name, "SOA", f"{NAME_SERVERS[0]} {CONTACT} {times}", ttl, immutable=True)
    if any(record.type == "NS" and record.hostname == "@" for record in zone.records):
        return [soa]
    return [soa, *(Row(name, "NS", server, ttl, immutable=True) for server in NAME_SERVERS)]


def _text(raw: Mapping[str, Any], field: str) -> str:
    if not isinstance(raw[field], str):
        raise invalid(f"The field {field} must be a text.")
    return str(raw[field])


def _ttl(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= _LONGEST_TTL:
        return value
    raise invalid("The field ttl must be a positive number.")


@dataclass(frozen=True, slots=True)
class Changeset:
    """Rows to create and to delete.

    `auto_commit` is false for a draft; `strict` makes a delete that hits nothing an error.
    """

    auto_commit: bool
    strict: bool
    create: tuple[Row, ...]
    delete: tuple[Row, ...]


def read_changeset(body: bytes, quirks: Quirks) -> Changeset:
    """Read the body of a call; a list that is left out is empty (A4)."""
    data = read_object(body)
    if quirks.rest_left_out == "refuse":
        for field in _LISTS:
            if field not in data:
                raise invalid(f"The field {field} is required.")
    auto_commit, strict = (_switch(data, field) for field in _SWITCHES)
    create, delete = (tuple(map(read_row, _list(data, field))) for field in _LISTS)
    if not create and not delete:
        raise invalid(NO_CHANGES)
    return Changeset(auto_commit, strict, create, delete)


def with_changes(zone: Zone, changeset: Changeset, zones: Zones) -> Zone:
    """The zone with the changes; first the rows to delete go, then the new ones come.

    A delete takes every record that reads so: identical ones cannot be told apart.
    """
    quirks, now = zones.quirks, zones.clock()
    kept = _without(zone, changeset, zones)
    for row in changeset.create:
        kept.append(record_of(row, zones.new_id(), zone, quirks, now))
    names = Counter(record.hostname.lower() for record in kept)
    conflict = any(r.type == "CNAME" and names[r.hostname.lower()] > 1 for r in kept)
    if conflict:
        raise invalid(CNAME_CONFLICT)
    if quirks.rest_mixed_ttls == "refuse":
        _refuse_mixed_ttls(zone, kept)
    return zone.with_records(tuple(kept), now)


def _refuse_mixed_ttls(zone: Zone, kept: list[Record]) -> None:
    """Two TTLs in one set of records (RFC 2181 5.2); those that had them before are left alone."""
    ttls: dict[tuple[str, str], set[int]] = defaultdict(set)
    for record in kept:
        ttls[record.hostname.lower(), record.type].add(record.ttl)
    for record in kept:
        if record not in zone.records and len(ttls[record.hostname.lower(), record.type]) > 1:
            raise invalid(MIXED_TTLS)


def _without(zone: Zone, changeset: Changeset, zones: Zones) -> list[Record]:
    kept = list(zone.records)
    for row in changeset.delete:
        if is_fixed(row, zone, zones.quirks):
            raise invalid(IMMUTABLE)
        hit = [record for record in zone.records if deletes(row, record, zone, zones.quirks)]
        miss = zones.quirks.rest_strict_miss
        if not hit and changeset.strict and miss != "ignore":
            raise RefusedError(strict_miss(miss))
        kept = [record for record in kept if record not in hit]
    return kept


def _switch(data: dict[str, Any], field: str) -> bool:
    if not isinstance(data.get(field), bool):
        raise invalid(f"The field {field} must be true or false.")
    return bool(data[field])


def _list(data: dict[str, Any], field: str) -> list[object]:
    if not isinstance(data.get(field, []), list):
        raise invalid(f"The field {field} must be a list.")
    return list(data.get(field, []))
