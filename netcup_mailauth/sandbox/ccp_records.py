"""What `updateDnsRecords` does to a zone: what is refused of each entry, and a merge (L20-L36)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from netcup_mailauth.sandbox import ccp_answers
from netcup_mailauth.sandbox.ccp_answers import CcpAnswer, update_failed, validation_error
from netcup_mailauth.sandbox.zones import ADDRESSES, TYPES, Record, is_hostname, is_number, relative

if TYPE_CHECKING:
    from netcup_mailauth.sandbox.quirks import Quirks
    from netcup_mailauth.sandbox.zones import Zone

TYPE_CHANGED = f"{ccp_answers.UPDATE_FAILED}The type of a record cannot be changed."  # (guess)

_TARGETS = frozenset({"CNAME", "MX", "NS"})
_BOOLEANS = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry as netcup would store it, and the sentences it is refused with, if any."""

    id: int | None
    delete: bool
    hostname: str
    type: str
    priority: str
    destination: str
    problems: tuple[str, ...]


def read_entry(raw: object, zone: str, quirks: Quirks) -> Entry:
    """Read one entry; faults are collected, since netcup names several at once (L32)."""
    if not isinstance(raw, Mapping):
        return Entry(None, False, "", "", "0", "", (ccp_answers.DECODE_FAILED,))
    problems: list[str] = []
    number = _id(raw.get("id"), problems)
    delete = _deleterecord(raw.get("deleterecord"), problems)
    hostname = _text(raw.get("hostname"))
    kind = _text(raw.get("type"))
    destination = _text(raw.get("destination"))
    if delete:
        if quirks.bare_delete == "refuse" and not (hostname and kind and destination):
            problems.append(ccp_answers.BARE_DELETE)
        return Entry(number, True, hostname, kind, "0", destination, tuple(problems))
    hostname = _relative(hostname, zone)
    if not is_hostname(hostname):
        problems.append(ccp_answers.HOSTNAME)
    priority = _priority(raw.get("priority"), problems)
    problems += _type_problems(kind, destination, zone, quirks)
    destination = _stored(kind, destination, quirks)
    return Entry(number, False, hostname, kind, priority, destination, tuple(problems))


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _id(value: object, problems: list[str]) -> int | None:
    """An id as text or number; `""`, null and absent all mean "a new record" (L20)."""
    if value is None or value == "":
        return None
    if is_number(value) and int(str(value)) > 0:
        return int(str(value))
    problems.append(ccp_answers.field_mismatch("id", "positiveInteger"))
    return None


def _deleterecord(value: object, problems: list[str]) -> bool:
    """A bool, or the texts acme.sh and ncdapi send (L21)."""
    if value is None or isinstance(value, bool):
        return bool(value)
    if isinstance(value, str) and value.lower() in _BOOLEANS:
        return _BOOLEANS[value.lower()]
    problems.append(ccp_answers.field_mismatch("deleterecord", "boolean"))
    return False


def _priority(value: object, problems: list[str]) -> str:
    """Text or number; missing or empty is "0" (L36)."""
    if value is None or value == "":
        return "0"
    if is_number(value) and int(str(value)) <= 65535:
        return str(int(str(value)))
    problems.append(ccp_answers.field_mismatch("priority", "positiveInteger"))
    return "0"


def _relative(hostname: str, zone: str) -> str:
    """A name with a trailing dot loses the zone (L33); one without is relative already."""
    name = relative(hostname[:-1], zone) if hostname.endswith(".") else None
    return hostname if name is None else name


def _type_problems(kind: str, destination: str, zone: str, quirks: Quirks) -> list[str]:
    if kind not in TYPES:
        return [ccp_answers.field_mismatch("type", "recordtypes")]
    if kind == "TXT":
        return _txt_problems(destination, quirks)
    if kind == "MX" and (not destination.rstrip(".") or re.search(r"\s", destination)):
        return [ccp_answers.mx_destination(zone)]
    if kind == "CAA" and ";" in destination:
        return [ccp_answers.CAA_PARAMETERS]  # L35: only plain `0 issue "ca"`
    return [] if _fits(kind, destination) else [ccp_answers.bad_destination(kind)]


def _txt_problems(text: str, quirks: Quirks) -> list[str]:
    """No empty text, no bare `"`, and perhaps a maximum (L30)."""
    if not text:
        return [ccp_answers.EMPTY_TXT]
    if '"' in re.sub(r"\\.", "", text, flags=re.DOTALL):
        return [ccp_answers.QUOTATION]
    limit = quirks.txt_limit
    if limit is not None and quirks.txt_over_limit == "refuse" and len(text) > limit:
        return [ccp_answers.TXT_TOO_LONG]
    return []


def _stored(kind: str, destination: str, quirks: Quirks) -> str:
    if kind in _TARGETS:
        return destination.removesuffix(".")  # L31, 1.5: no trailing dot on read
    if kind != "TXT":
        return destination
    text = re.sub(r"[\\']", "", destination)  # L30: both are lost
    return text if quirks.txt_limit is None else text[: quirks.txt_limit]


def _fits(kind: str, destination: str) -> bool:
    if kind == "CNAME":
        is_name = bool(destination.strip(".")) and not re.search(r"\s", destination)
        return destination == "@" or is_name
    if kind not in ADDRESSES:
        return bool(destination)
    try:
        ADDRESSES[kind](destination)
    except ValueError:
        return False
    return True


class _RefusedEntryError(Exception):
    """An entry that fits the pattern but not the zone."""


def merge(
    zone: Zone, raw_entries: list[object], quirks: Quirks, now: float, new_id: Callable[[], int]
) -> tuple[Zone, CcpAnswer | None]:
    """The zone with these entries, and the error that stopped it, if one did.

    Records that are not listed stay as they are (L20).
    All entries are validated before the first is applied, because netcup names the faults of
    several in one sentence (L32). How far a refused call gets is a quirk (L29).
    """
    entries = [read_entry(raw, zone.name, quirks) for raw in raw_entries]
    problems = [problem for entry in entries for problem in entry.problems]
    error = validation_error(" ".join(problems)) if problems else None
    records = _Records(list(zone.records), quirks, now, new_id)
    for entry in entries:
        if entry.problems:
            break
        try:
            records.apply(entry)
        except _RefusedEntryError as refusal:
            error = error or update_failed(str(refusal))
            break
    if error is not None and quirks.on_error == "atomic":
        return zone, error
    return zone.with_records(tuple(records.all), now), error


@dataclass
class _Records:
    """The records on the way from one state to the next."""

    all: list[Record]
    quirks: Quirks
    now: float
    new_id: Callable[[], int]

    def apply(self, entry: Entry) -> None:
        old = next((record for record in self.all if record.id == entry.id), None)
        if entry.id is not None or entry.delete:
            if old is not None:
                self.all.remove(old) if entry.delete else self._update(old, entry)
            else:  # L25
                raise _RefusedEntryError(ccp_answers.unknown_record(entry.id))
        elif entry.type != "NS":  # L34: netcup says yes and stores nothing
            self._create(entry)

    def _update(self, old: Record, entry: Entry) -> None:
        if entry.type != old.type:
            raise _RefusedEntryError(TYPE_CHANGED)
        new = _record(old.id, entry, self.now, old.ttl)
        if new.content() == old.content():
            return  # L24: no change, so neither serial nor state move
        self.all[self.all.index(old)] = new

    def _create(self, entry: Entry) -> None:
        ttl = self.quirks.rest_default_ttl
        self.all.append(_record(self.new_id(), entry, self.now, ttl))


def _record(number: int, entry: Entry, now: float, ttl: int) -> Record:
    hostname, kind, priority = entry.hostname, entry.type, entry.priority
    return Record(number, hostname, kind, priority, entry.destination, now, ttl)
