"""The names of a zone and how a question is answered from them (RFC 1034 4.3.2, RFC 4592)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdataset
import dns.rdatatype
import dns.rrset

from netcup_mailauth.sandbox.dns.messages import Result

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from dns.name import Name
    from dns.rdata import Rdata
    from dns.rdataset import Rdataset
    from dns.rdatatype import RdataType
    from dns.rrset import RRset

    #: A name, the TTL in seconds, and the data.
    Entry = tuple[Name, int, Rdata]
    Node = Mapping[RdataType, Rdataset]


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


def grow(origin: Name, entries: Iterable[Entry], names: Iterable[Name] = ()) -> Tree:
    """Make a tree. Equal data becomes one; of several TTLs in a set the least counts (RFC 2181).

    Args:
        origin: the zone's name.
        entries: its data; the SOA must be among them.
        names: other names that exist.
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
