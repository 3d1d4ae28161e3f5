"""A DNS record as the sandbox keeps it, and the CCP's seven-field wire form of it (L18)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

#: The types netcup's CCP takes (1.5).
TYPES = frozenset(
    {
        "A", "AAAA", "CAA", "CNAME", "DS", "MX", "NS",
        "OPENPGPKEY", "SMIMEA", "SRV", "SSHFP", "TLSA", "TXT",
    }
)  # fmt: skip

#: The TTL of a record that was given none, in seconds (R14).
USUAL_TTL = 3600

_LONGEST_NUMBER = 18
_HOSTNAME = re.compile(
    r"@|\*|(?:\*\.)?[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*", re.IGNORECASE | re.ASCII
)
_REQUIRED = ("hostname", "type", "destination")
_KNOWN = {"id", *_REQUIRED, "priority", "deleterecord", "state", "ttl"}


@dataclass(frozen=True, slots=True)
class Record:
    """One stored record.

    `written` is when it last changed, 0 for "long ago"; `ttl` counts while the zone is on CloudDNS
    (R14), as the CCP knows only one for the whole zone (L39).
    """

    id: int
    hostname: str
    type: str
    priority: str
    destination: str
    written: float = 0.0
    ttl: int = USUAL_TTL

    def wire(self, state: str) -> dict[str, object]:
        """The seven keys in netcup's order, `deleterecord` always false (L18)."""
        return {
            "id": str(self.id),
            "hostname": self.hostname,
            "type": self.type,
            "priority": self.priority,
            "destination": self.destination,
            "deleterecord": False,
            "state": state,
        }

    def says_the_same_as(self, other: Record) -> bool:
        """Whether name, type, priority and destination are equal (ids and times aside)."""
        return self.content() == other.content()

    def content(self) -> tuple[str, str, str, str]:
        """What the record says, without its id."""
        return (self.hostname, self.type, self.priority, self.destination)


@dataclass(frozen=True, slots=True)
class Draft:
    """A record somebody hands the sandbox; id and TTL are missing where they are to be given."""

    id: int | None
    hostname: str
    type: str
    priority: str
    destination: str
    ttl: int | None = None

    def with_id(self, number: int, usual_ttl: int) -> Record:
        """The record it becomes, published long ago."""
        ttl = usual_ttl if self.ttl is None else self.ttl
        return Record(number, self.hostname, self.type, self.priority, self.destination, ttl=ttl)


def read_drafts(where: str, data: object) -> tuple[Draft, ...]:
    """Read a list of records in wire form, as a zone file or a control call holds it.

    Values are kept as given, even such as netcup would refuse today: old zones hold some.

    Args:
        where: what to call the list in an error, for example `zone example.org`.
        data: the list, as JSON gave it.

    Raises:
        ValueError: one sentence that names the record and its field.
    """
    if not isinstance(data, list | tuple):
        raise ValueError(f"{where}: the records must be a list")
    drafts = tuple(_draft(f"{where}, record {n}", entry) for n, entry in enumerate(data, start=1))
    given = [draft.id for draft in drafts if draft.id is not None]
    for number in given:
        if given.count(number) > 1:
            raise ValueError(f"{where}: the id {number} is used twice")
    return drafts


def _draft(where: str, entry: object) -> Draft:
    if not isinstance(entry, Mapping):
        raise ValueError(f"{where}: must be an object with hostname, type and destination")
    for field in entry:
        if field not in _KNOWN:
            raise ValueError(f"{where}: unknown field {field!r}")
    for field in _REQUIRED:
        if not isinstance(entry.get(field), str) or not entry[field]:
            raise ValueError(f"{where}: field {field!r} must be a text that is not empty")
    if entry["type"] not in TYPES:
        raise ValueError(f"{where}: field 'type' must be one of {', '.join(sorted(TYPES))}")
    number = _number(where, "id", entry.get("id"), positive=True)
    priority = _number(where, "priority", entry.get("priority"), positive=False) or 0
    ttl = _number(where, "ttl", entry.get("ttl"), positive=True)
    hostname, kind, destination = (entry[field] for field in _REQUIRED)
    return Draft(number, hostname, kind, str(priority), destination, ttl)


def is_hostname(text: str) -> bool:
    """Whether it is the name of a record below its zone: `@`, `*`, or labels."""
    return _HOSTNAME.fullmatch(text) is not None


def is_number(value: object) -> bool:
    """Whether it is a whole number, as number or text, short enough for a counter."""
    text = "" if isinstance(value, bool) else str(value)
    return text.isascii() and text.isdigit() and len(text) <= _LONGEST_NUMBER


def _number(where: str, field: str, value: object, *, positive: bool) -> int | None:
    if value is None or value == "":
        return None
    number = int(str(value)) if is_number(value) else -1
    if number < (1 if positive else 0):
        raise ValueError(f"{where}: field {field!r} must be a number")
    return number
