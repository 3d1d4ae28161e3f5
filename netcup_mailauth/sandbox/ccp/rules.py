"""One entry of an `updateDnsRecords` call: what netcup refuses and what it makes of the rest."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from netcup_mailauth.sandbox.ccp import messages
from netcup_mailauth.sandbox.zones import TYPES, is_hostname, is_number

if TYPE_CHECKING:
    from netcup_mailauth.sandbox.quirks import Quirks

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
        return Entry(None, False, "", "", "0", "", (messages.DECODE_FAILED,))
    problems: list[str] = []
    number = _id(raw.get("id"), problems)
    delete = _deleterecord(raw.get("deleterecord"), problems)
    hostname = _text(raw.get("hostname"))
    kind = _text(raw.get("type"))
    destination = _text(raw.get("destination"))
    if delete:
        if quirks.bare_delete == "refuse" and not (hostname and kind and destination):
            problems.append(messages.BARE_DELETE)
        return Entry(number, True, hostname, kind, "0", destination, tuple(problems))
    hostname = _relative(hostname, zone)
    if quirks.hostname_case == "lower":
        hostname = hostname.lower()
    if not is_hostname(hostname):
        problems.append(messages.HOSTNAME)
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
    problems.append(messages.field_mismatch("id", "positiveInteger"))
    return None


def _deleterecord(value: object, problems: list[str]) -> bool:
    """A bool, or the texts acme.sh and ncdapi send (L21)."""
    if value is None or isinstance(value, bool):
        return bool(value)
    if isinstance(value, str) and value.lower() in _BOOLEANS:
        return _BOOLEANS[value.lower()]
    problems.append(messages.field_mismatch("deleterecord", "boolean"))
    return False


def _priority(value: object, problems: list[str]) -> str:
    """Text or number; missing or empty is "0" (L36)."""
    if value is None or value == "":
        return "0"
    if is_number(value) and int(str(value)) <= 65535:
        return str(int(str(value)))
    problems.append(messages.field_mismatch("priority", "positiveInteger"))
    return "0"


def _relative(hostname: str, zone: str) -> str:
    """A name with a trailing dot loses the zone (L33); one without is relative already."""
    if not hostname.endswith("."):
        return hostname
    if hostname.lower() == f"{zone}.":
        return "@"
    suffix = f".{zone}."
    return hostname[: -len(suffix)] if hostname.lower().endswith(suffix) else hostname


def _type_problems(kind: str, destination: str, zone: str, quirks: Quirks) -> list[str]:
    if kind not in TYPES:
        return [messages.field_mismatch("type", "recordtypes")]
    if kind == "TXT":
        return _txt_problems(destination, quirks)
    if kind == "MX" and (not destination.rstrip(".") or re.search(r"\s", destination)):
        return [messages.mx_destination(zone)]
    if kind == "CAA" and ";" in destination:
        return [messages.CAA_PARAMETERS]  # L35: only plain `0 issue "ca"`
    fits = _DESTINATIONS.get(kind, bool)
    return [] if fits(destination) else [messages.bad_destination(kind)]


def _txt_problems(text: str, quirks: Quirks) -> list[str]:
    """No empty text, no bare `"`, and perhaps a maximum (L30)."""
    if not text:
        return [messages.EMPTY_TXT]
    if '"' in re.sub(r"\\.", "", text, flags=re.DOTALL):
        return [messages.QUOTATION]
    limit = quirks.txt_limit
    if limit is not None and quirks.txt_over_limit == "refuse" and len(text) > limit:
        return [messages.TXT_TOO_LONG]
    return []


def _stored(kind: str, destination: str, quirks: Quirks) -> str:
    if kind in _TARGETS:
        return destination.removesuffix(".")  # L31, 1.5: no trailing dot on read
    if kind != "TXT":
        return destination
    text = destination.replace("\\", "")  # L30: backslashes are lost
    if quirks.single_quote == "drop":
        text = text.replace("'", "")
    elif quirks.single_quote == "escape":
        text = text.replace("'", "\\'")
    return text if quirks.txt_limit is None else text[: quirks.txt_limit]


def _is_v4(text: str) -> bool:
    try:
        ipaddress.IPv4Address(text)
    except ValueError:
        return False
    return True


def _is_v6(text: str) -> bool:
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True


def _is_target(text: str) -> bool:
    return text == "@" or (bool(text.strip(".")) and not re.search(r"\s", text))


_DESTINATIONS: dict[str, Callable[[str], bool]] = {
    "A": _is_v4,
    "AAAA": _is_v6,
    "CNAME": _is_target,
}
