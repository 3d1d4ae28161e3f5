"""What the recursive resolver answers: the sandbox's zones, a little world, and no more."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import dns.flags
import dns.name
import dns.rcode
import dns.rdatatype

from netcup_mailauth.sandbox.authority import (
    Tree,
    ancestors,
    build_tree,
    start_of_authority,
    tree_of,
    with_apex,
    world_value,
    zone_of,
)
from netcup_mailauth.sandbox.dns_messages import Result
from netcup_mailauth.sandbox.world import HOSTING_MX, HOSTING_MX_FACTS, TOP_LEVEL

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from dns.name import Name
    from dns.rdata import Rdata
    from dns.rdatatype import RdataType
    from dns.rrset import RRset

    from netcup_mailauth.sandbox.world import Facts, World
    from netcup_mailauth.sandbox.zones import Zone

_MOST_ZONES = 16  # that one chain of aliases may lead through
_TTL = 3600
_TIMES = [7200, 3600, 1209600]
_SERIAL = 2026010101
_IS_HOSTING_MX = re.compile(HOSTING_MX)


class Resolver:
    """Follows aliases through all zones it knows; what it does not know does not exist.

    A zone of the sandbox wins over the same name elsewhere.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._trees = _WorldTrees((), {})

    def answer(self, name: Name, kind: RdataType, zones: Mapping[str, Zone]) -> Result:
        """Answer one question, with the RA bit."""
        chain: list[RRset] = []
        for _ in range(_MOST_ZONES):
            tree = self._tree(name, zones)
            result = tree.look_up(name, kind)
            chain += result.answer
            if result.onward is None:
                authority = result.authority
                return Result(result.rcode, tuple(chain), authority, dns.flags.RA)
            name = result.onward
            if name.is_subdomain(tree.origin):
                break  # a loop, or a zone that was given to servers out of our reach
        return Result(dns.rcode.SERVFAIL, flags=dns.flags.RA)

    def _tree(self, name: Name, zones: Mapping[str, Zone]) -> Tree:
        """The zone a name lies in, were it but the root."""
        zone = zone_of(name, zones)
        if zone is not None:
            return tree_of(zone)
        if not self._trees.are_of(zones, self._world.facts):
            self._trees = _WorldTrees(tuple(zones), self._world.facts)
        return self._trees.at(name)


class _WorldTrees:
    """The world outside as trees; made anew when it has changed."""

    def __init__(self, zones: tuple[str, ...], facts: Facts) -> None:
        self._zones, self._facts = zones, facts
        self._records: dict[Name, list[tuple[Name, Rdata]]] = {}
        self._children: dict[Name, list[Name]] = {}
        self._trees: dict[Name, Tree] = {}
        ours = [dns.name.from_text(zone) for zone in zones]
        records = [
            (dns.name.from_text(name), world_value(kind, value))
            for (name, kind), values in facts.items()
            for value in values
        ]
        self._begin_zones([*ours, *(name for name, _ in records)])
        # Who gives a name its own servers wants a zone there.
        self._records |= {name: [] for name, rdata in records if rdata.rdtype == dns.rdatatype.NS}
        for name, rdata in records:
            self._records[self._origin(name)].append((name, rdata))
        for child in [*ours, *self._records]:
            if child != dns.name.root:
                self._children.setdefault(self._origin(child.parent()), []).append(child)

    def are_of(self, zones: Iterable[str], facts: Facts) -> bool:
        """Whether nothing has changed."""
        return facts is self._facts and tuple(zones) == self._zones

    def at(self, name: Name) -> Tree:
        """The zone that a name outside the sandbox's zones lies in."""
        origin = self._origin(name)
        if _IS_HOSTING_MX.fullmatch(name.to_text(omit_final_dot=True).lower()):
            records = [(name, world_value(kind, value)) for kind, value in HOSTING_MX_FACTS]
            return self._build(origin, records)
        if origin not in self._trees:
            self._trees[origin] = self._build(origin, [])
        return self._trees[origin]

    def _begin_zones(self, names: Sequence[Name]) -> None:
        """Root and top-level domains are zones, and so is what is one label below those."""
        tops = [dns.name.from_text(top) for top in TOP_LEVEL]
        for name in [dns.name.root, *tops, *names]:
            for labels in range(1, min(len(name), 3) + 1):
                self._records.setdefault(dns.name.Name(name.labels[-labels:]), [])

    def _origin(self, name: Name) -> Name:
        return next(parent for parent in ancestors(name) if parent in self._records)

    def _build(self, origin: Name, more: list[tuple[Name, Rdata]]) -> Tree:
        soa = start_of_authority(_SERIAL, _TTL, _TIMES)
        entries = [(name, _TTL, rdata) for name, rdata in [*self._records[origin], *more]]
        entries = with_apex(origin, _TTL, soa, entries)
        return build_tree(origin, entries, self._children.get(origin, ()))
