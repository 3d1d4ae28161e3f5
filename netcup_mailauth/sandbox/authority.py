"""What a name server answers: a zone in netcup's wire form (1.5) as DNS data, and as a tree.

A question is answered by RFC 1034 4.3.2 and RFC 4592.
"""

from __future__ import annotations

import contextlib
import struct
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

import dns.exception
import dns.flags
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdataset
import dns.rdatatype
import dns.rdtypes.ANY.TXT
import dns.rrset

from netcup_mailauth.sandbox.dns_messages import Result
from netcup_mailauth.sandbox.zones import CONTACT, NAME_SERVERS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from dns.name import Name
    from dns.rdata import Rdata
    from dns.rdataset import Rdataset
    from dns.rdatatype import RdataType
    from dns.rrset import RRset

    Entry = tuple[Name, int, Rdata]
    Node = Mapping[RdataType, Rdataset]
    from netcup_mailauth.sandbox.zones import Zone

_IN = dns.rdataclass.IN
_LONGEST_STRING = 255
_LARGEST = 65535
_TARGETS = frozenset({"CNAME", "NS", "PTR"})
_SRV_NUMBERS = 3
_LONGEST_TIME = 2**31 - 1
_USUAL_TTL = 86400

#: The types that names outside the zones can have.
WORLD_TYPES = ("A", "AAAA", "CAA", "CNAME", "MX", "NS", "PTR", "SRV", "TLSA", "TXT")

#: What reading a value that is none can raise.
UNUSABLE = (dns.exception.DNSException, ValueError, LookupError, ArithmeticError, struct.error)


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads the values of the zone `origin`, which `@` stands for, or raises one of UNUSABLE."""

    origin: Name

    def name(self, hostname: str) -> Name:
        """The full name of a record."""
        name = _name(hostname, self.origin)
        if not name.is_subdomain(self.origin):
            raise ValueError(f"{hostname} is not in {self.origin}")
        return name

    def value(self, kind: str, priority: str, destination: str) -> Rdata:
        """The data of a record."""
        rdata = self._read(kind, priority, destination)
        if len(rdata.to_wire() or b"") > _LARGEST:  # some mistakes show only here
            raise ValueError("no message could hold it")
        return rdata

    def _read(self, kind: str, priority: str, destination: str) -> Rdata:
        rdtype = dns.rdatatype.from_text(kind)
        if kind == "TXT":
            return dns.rdtypes.ANY.TXT.TXT(_IN, rdtype, _strings(destination))
        if kind == "MX":
            destination = f"{priority} {self._target(destination)}"
        if kind in _TARGETS:
            destination = str(self._target(destination))
        if kind == "SRV":
            *numbers, target_text = destination.split(None, _SRV_NUMBERS)
            destination = " ".join([*numbers, str(self._target(target_text))])
        return dns.rdata.from_text(_IN, rdtype, destination, relativize=False)

    def _target(self, text: str) -> Name:
        """A target is written in full but without its trailing dot; `@` is the apex (1.5)."""
        if text == "@":
            return self.origin
        return _name(text, dns.name.root)


_WORLD = Reader(dns.name.root)


def world_value(kind: str, value: str) -> Rdata:
    """The data of a value, or one of UNUSABLE; an MX is its preference and its host."""
    priority, destination = value.split() if kind == "MX" else ("0", value)
    return _WORLD.value(kind, priority, destination)


def checked_world(name: str, kind: str, values: Sequence[str]) -> tuple[str, str, Sequence[str]]:
    """The name in lower case without a final dot, the type in upper case, the values as given.

    Raises:
        ValueError: one sentence that says what is wrong.
    """
    if kind.upper() not in WORLD_TYPES:
        raise ValueError(f"type must be one of {', '.join(WORLD_TYPES)}, which {kind!r} is not")
    if not isinstance(values, list | tuple) or not all(isinstance(v, str) for v in values):
        raise ValueError(f"values must be a list of texts, for {name} {kind}")
    try:
        full_name = _WORLD.name(name)
    except UNUSABLE:
        full_name = dns.name.root
    if full_name == dns.name.root:
        raise ValueError(f"name must be a host name, which {name!r} is not")
    kind = kind.upper()
    for value in values:
        try:
            world_value(kind, value)
        except UNUSABLE:
            raise ValueError(f"values must hold {kind} values, which {value!r} is not") from None
    return full_name.to_text(omit_final_dot=True).lower(), kind, values


def _name(text: str, origin: Name) -> Name:
    if text.split() != [text]:  # DNS could hold blanks, a zone file cannot
        raise ValueError(f"{text!r} is no name")
    return dns.name.from_text(text, origin)


def _strings(text: str) -> list[bytes]:
    """One unsplit text becomes strings of at most 255 bytes (L38)."""
    data = text.encode()
    starts = range(0, len(data) or 1, _LONGEST_STRING)
    return [data[start : start + _LONGEST_STRING] for start in starts]


@dataclass(frozen=True, slots=True)
class Tree:
    """A zone by names. Names that only have names below them are there too, without data."""

    origin: Name
    nodes: Mapping[Name, Node]

    def look_up(self, name: Name, kind: RdataType) -> Result:
        """Answer a question about a name of this zone, following aliases as long as they stay."""
        chain: list[RRset] = []
        seen: set[Name] = set()
        while name not in seen and name.is_subdomain(self.origin):
            seen.add(name)
            referral = self._referral(name, kind)
            if referral is not None:
                return Result(dns.rcode.NOERROR, tuple(chain), (referral,), onward=name)
            node = self._node(name)
            if node is None:
                return Result(dns.rcode.NXDOMAIN, tuple(chain), self._denial())
            found = self._picked(name, node, kind)
            if found:
                return Result(dns.rcode.NOERROR, (*chain, *found))
            alias = self._picked(name, node, dns.rdatatype.CNAME)
            if not alias:
                return Result(dns.rcode.NOERROR, tuple(chain), self._denial())
            chain += alias
            name = alias[0][0].target
        return Result(dns.rcode.NOERROR, tuple(chain), onward=name)

    def _node(self, name: Name) -> Node | None:
        """What is at a name: itself, or else a wildcard below the closest name that exists."""
        node = self.nodes.get(name)
        if node is not None:
            return node
        encloser = next(parent for parent in ancestors(name.parent()) if parent in self.nodes)
        return self.nodes.get(dns.name.Name((b"*", *encloser.labels)))

    def _picked(self, name: Name, node: Node, kind: RdataType) -> list[RRset]:
        kinds = list(node) if kind == dns.rdatatype.ANY else [kind]
        return [self._rrset(name, node[k]) for k in kinds if k in node]

    def _rrset(self, name: Name, rdataset: Rdataset) -> RRset:
        return dns.rrset.from_rdata_list(name, rdataset.ttl, list(rdataset))

    def _denial(self) -> tuple[RRset, ...]:
        """The SOA, which says for how long there is none (RFC 2308)."""
        return (self._rrset(self.origin, self.nodes[self.origin][dns.rdatatype.SOA]),)

    def _referral(self, name: Name, kind: RdataType) -> RRset | None:
        """The name servers of another zone that begins at this name or above it."""
        above = [parent for parent in ancestors(name) if parent.is_subdomain(self.origin)]
        for cut in reversed(above[:-1]):
            servers = self.nodes.get(cut, {}).get(dns.rdatatype.NS)
            if servers and not (cut == name and kind == dns.rdatatype.DS):
                return self._rrset(cut, servers)
        return None


def build_tree(origin: Name, entries: Iterable[Entry], names: Iterable[Name] = ()) -> Tree:
    """Make a tree of data, the SOA among them, and of other names that exist.

    Equal data becomes one; of several TTLs in a set the least counts (RFC 2181).
    """
    nodes: dict[Name, dict[RdataType, Rdataset]] = {origin: {}}
    for name in names:
        _place(nodes, name)
    for name, ttl, rdata in entries:
        _place(nodes, name)
        empty = dns.rdataset.Rdataset(dns.rdataclass.IN, rdata.rdtype)
        nodes[name].setdefault(rdata.rdtype, empty).add(rdata, ttl)
    return Tree(origin, nodes)


def ancestors(name: Name) -> Iterator[Name]:
    """The name itself, the one above it, and so on to the root."""
    yield name
    while name != dns.name.root:
        name = name.parent()
        yield name


def _place(nodes: dict[Name, dict[RdataType, Rdataset]], name: Name) -> None:
    """Put a name in, and all between it and the origin."""
    while name not in nodes:
        nodes[name] = {}
        name = name.parent()


@lru_cache(maxsize=128)
def tree_of(zone: Zone) -> Tree:
    """The tree of a zone; a record that cannot be served is left out, as a name server would."""
    origin = dns.name.from_text(zone.name)
    ttl = seconds(zone.ttl)
    times = [seconds(text) for text in (zone.refresh, zone.retry, zone.expire)]
    entries = list(_usable(zone, Reader(origin)))
    soa = start_of_authority(zone.serial, ttl, times)
    return build_tree(origin, with_apex(origin, ttl, soa, entries))


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


def answer(name: Name, kind: RdataType, zones: Mapping[str, Zone]) -> Result:
    """What an authoritative server says; it refuses what is in none of its zones."""
    zone = zone_of(name, zones)
    if zone is None:
        return Result(dns.rcode.REFUSED)
    result = tree_of(zone).look_up(name, kind)
    is_referral = result.onward == name and not result.answer
    return result if is_referral else replace(result, flags=dns.flags.AA)


def zone_of(name: Name, zones: Mapping[str, Zone]) -> Zone | None:
    """The zone that a name lies in."""
    texts = (parent.to_text(omit_final_dot=True).lower() for parent in ancestors(name))
    return next((zones[text] for text in texts if text in zones), None)
