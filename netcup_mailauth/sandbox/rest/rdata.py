"""The rdata of a record: zone-file text here, netcup's own form (1.5) where it is stored."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from netcup_mailauth.sandbox.rest import txt
from netcup_mailauth.sandbox.rest.answers import RefusedError, invalid

if TYPE_CHECKING:
    from collections.abc import Callable

    from netcup_mailauth.sandbox.quirks import Quirks
    from netcup_mailauth.sandbox.zones import Record

_TARGETS = frozenset({"CNAME", "NS"})
_SRV_FIELDS = 4


def shown(record: Record, zone: str, quirks: Quirks) -> str:
    """A record's value as the API shows it."""
    kind, value = record.type, record.destination
    if kind == "TXT":
        return txt.shown(value, quirks.rest_txt)
    if kind in _TARGETS:
        return _full_target(value, zone, quirks)
    if kind == "MX":
        return f"{record.priority} {_full_target(value, zone, quirks)}"
    if kind == "SRV" and len(value.split()) == _SRV_FIELDS:
        *numbers, target = value.split()
        return " ".join([*numbers, _full_target(target, zone, quirks)])
    return value


def read(kind: str, rdata: str, zone: str, quirks: Quirks) -> tuple[str, str]:
    """Priority and destination in their stored form.

    Raises:
        RefusedError: it is no value of this type.
    """
    try:
        return _read(kind, rdata, zone, quirks)
    except ValueError:
        raise RefusedError(invalid(f"{kind} rdata is not valid.")) from None


def _read(kind: str, rdata: str, zone: str, quirks: Quirks) -> tuple[str, str]:
    if kind == "TXT":
        return "0", txt.joined(rdata, quirks)
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
    address = _ADDRESSES.get(kind)
    return "0", rdata if address is None else str(address(rdata))


_ADDRESSES: dict[str, Callable[[str], object]] = {
    "A": ipaddress.IPv4Address,
    "AAAA": ipaddress.IPv6Address,
}


def _full_target(target: str, zone: str, quirks: Quirks) -> str:
    if target == "@":
        return f"{zone}."
    is_short = "." not in target and quirks.short_target == "relative"
    return f"{target}.{zone}." if is_short else f"{target.removesuffix('.')}."


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
