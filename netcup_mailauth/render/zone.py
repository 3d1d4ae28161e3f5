"""A zone as it is listed, and who serves it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from netcup_mailauth.records import APEX, CCP, CLOUDDNS, EXPORTED, both_forms
from netcup_mailauth.shown import visible

if TYPE_CHECKING:
    from collections.abc import Iterable

    from netcup_mailauth.records import DnsRecord, Zone
    from netcup_mailauth.render.page import Page

BACKENDS = {CCP: "CCP API", CLOUDDNS: "CloudDNS"}
KNOWN_HOSTS = frozenset({"ccp.netcup.net", "api.netcup.com"})
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def zone_text(zone: Zone, served_by: str, page: Page) -> str:
    """A zone's records in columns, values wrapped and never cut."""
    name = both_forms(zone.name)
    if not zone.records:
        return f"{name} has no such records ({served_by}).\n"
    records = listed(zone)
    rows = [(_identifier(r), visible(r.hostname), visible(r.type)) for r in records]
    ids, names, types = (max(map(len, column)) for column in zip(*rows, strict=True))
    names = min(names, page.width // 3)
    start = 2 + ids + 2 if ids else 2
    indent = start + names + 2 + types + 2
    lines = [title(name, served_by, page), ""]
    for record, (identifier, hostname, record_type) in zip(records, rows, strict=True):
        before = f"  {identifier:>{ids}}  " if ids else "  "
        head = f"{before}{hostname:<{names}}  {record_type:<{types}}  "
        if len(head) > indent:
            lines.append(f"{before}{hostname}")
            head = f"{' ' * (start + names)}  {record_type:<{types}}  "
        lines += page.hang(head, _destination(record), indent)
    lines += ["", f"{counted(len(zone.records), 'record', 'records')}."]
    return joined(lines)


_LONGEST_IDENTIFIER = 12


def _identifier(record: DnsRecord) -> str:
    """A record's identifier; not one such as CloudDNS's, which would take the room of the value."""
    shown = visible(record.id or "")
    return shown if len(shown) <= _LONGEST_IDENTIFIER else ""


def _destination(record: DnsRecord) -> str:
    value = record.destination
    return visible(f"{record.priority} {value}" if record.type == "MX" else value)


def listed(zone: Zone) -> list[DnsRecord]:
    """A zone's records as they are looked for: the apex first, then by name, type, priority."""
    return sorted(zone.records, key=_place)


def _place(record: DnsRecord) -> tuple[bool, str, str, int, str]:
    priority = int(record.priority) if record.priority.isdecimal() else 0
    return record.hostname != APEX, record.hostname, record.type, priority, record.destination


def where(backend: str, endpoint: str) -> str:
    """Which API serves a zone; an address other than netcup's own is named."""
    if not backend:
        return ""
    name = BACKENDS.get(backend, visible(backend))
    try:
        parts = urlsplit(endpoint)
        host, address = parts.hostname, parts.netloc.rpartition("@")[2]
    except ValueError:
        host, address = None, ""
    if address in KNOWN_HOSTS:
        return name
    if endpoint == EXPORTED:
        return f"{name}, as exported"
    if host in LOOPBACK:
        sandbox = f"SANDBOX {visible(address)}"
        return sandbox if backend == CCP else f"{name}, {sandbox}"
    return f"{name} at {visible(address) or 'an unknown address'}"


def title(name: str, right: str, page: Page, behind: str = "") -> str:
    """A line with a name, and at its right end what is served by whom."""
    gap = max(2, page.width - len(name) - len(behind) - len(right)) if right else 0
    return f"{page.paint(name, 'bold')}{behind}{' ' * gap}{right}"


def joined(lines: Iterable[str]) -> str:
    """The lines as one text."""
    return "".join(f"{line}\n" for line in lines)


def counted(number: int, one: str, many: str) -> str:
    """``1 record``, ``2 records``."""
    return f"{number} {one if number == 1 else many}"
