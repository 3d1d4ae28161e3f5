"""A zone of the sandbox as a tree of names, with the SOA and NS that netcup puts around it."""

from __future__ import annotations

import contextlib
from functools import lru_cache
from typing import TYPE_CHECKING

import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype

from netcup_mailauth.sandbox.dns.rdata import UNUSABLE, Reader
from netcup_mailauth.sandbox.dns.tree import Tree, grow
from netcup_mailauth.sandbox.zones import CONTACT, NAME_SERVERS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dns.name import Name
    from dns.rdata import Rdata

    from netcup_mailauth.sandbox.dns.tree import Entry
    from netcup_mailauth.sandbox.quirks import ShortTarget
    from netcup_mailauth.sandbox.zones import Zone

_IN = dns.rdataclass.IN
_LONGEST_TIME = 2**31 - 1
_USUAL_TTL = 86400


@lru_cache(maxsize=128)
def tree_of(zone: Zone, short_target: ShortTarget) -> Tree:
    """The tree of a zone; a record that cannot be served is left out, as a name server would."""
    origin = dns.name.from_text(zone.name)
    ttl = seconds(zone.ttl)
    times = [seconds(text) for text in (zone.refresh, zone.retry, zone.expire)]
    entries = list(_usable(zone, Reader(origin, short_target)))
    soa = start_of_authority(zone.serial, ttl, times)
    return grow(origin, with_apex(origin, ttl, soa, entries))


def with_apex(origin: Name, ttl: int, soa: Rdata, entries: list[Entry]) -> list[Entry]:
    """Put the SOA before a zone's data, and netcup's name servers if it names none (1.5)."""
    kind = dns.rdatatype.NS
    servers = [(origin, ttl, dns.rdata.from_text(_IN, kind, name)) for name in NAME_SERVERS]
    has_servers = any(name == origin and rdata.rdtype == kind for name, _, rdata in entries)
    return [(origin, ttl, soa), *([] if has_servers else servers), *entries]


def start_of_authority(serial: int, ttl: int, times: list[int]) -> Rdata:
    """The SOA; how long a denial may be kept is the TTL of the zone, too (L39)."""
    numbers = " ".join(map(str, [serial & 0xFFFFFFFF, *times, ttl]))
    return dns.rdata.from_text(_IN, dns.rdatatype.SOA, f"{NAME_SERVERS[0]} {CONTACT} {numbers}")


def seconds(text: str) -> int:
    """A number of the zone as DNS can hold it."""
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 18 else _USUAL_TTL
    return min(number, _LONGEST_TIME)


def _usable(zone: Zone, reader: Reader) -> Iterator[Entry]:
    for record in zone.records:
        with contextlib.suppress(*UNUSABLE):
            value = reader.value(record.type, record.priority, record.destination)
            yield reader.name(record.hostname), seconds(zone.ttl_of(record)), value
