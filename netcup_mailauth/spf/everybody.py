"""Whether a record lets everybody pass without saying ``+all``, or so many that it comes to that.

No sender has half of all addresses: where terms let as many in, somebody slipped with a prefix, or
what an include leads to has changed. Order counts: whom an earlier term shut out stays out.
"""

from __future__ import annotations

from ipaddress import ip_network
from itertools import chain, repeat
from typing import TYPE_CHECKING, NamedTuple

from netcup_mailauth.spf import macros
from netcup_mailauth.spf.record import Qualifier

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from netcup_mailauth.spf.cost import Cost
    from netcup_mailauth.spf.record import Network, SpfRecord, Term

    Range = tuple[int, int]
    """Addresses as numbers: the first, and the one behind the last."""

SPACES: tuple[Network, ...] = (ip_network("0.0.0.0/0"), ip_network("2000::/3"))
"""Where mail comes from; of IPv6 no more is given out (RFC 4291, 2.4)."""

_SMALL = 1 << 16
"""What is a smaller part of a space does not count: there is no room for enough of them."""

_LARGE = 1 << 8
"""What is as large a part of a space as this is more than any one sender has."""


class Crowd(NamedTuple):
    """Terms that let at least half of a space pass, or of both, and which share of it.

    ``terms`` are those that are too large by themselves, if any are. ``shares`` has the share of
    each space by its version, 4 or 6.
    """

    terms: tuple[Term, ...]
    shares: dict[int, float]


def crowds(record: SpfRecord, leads_to: Sequence[Cost] = ()) -> list[Crowd]:
    """The crowds that a record lets in by other terms than its own ``all``.

    ``leads_to`` is what DNS says of the terms that ask it (:attr:`Cost.children`); without it the
    text alone is judged. Of a name with a macro in it nobody knows whom it lets in.
    """
    found: dict[tuple[Term, ...], Crowd] = {}
    for space in SPACES:
        let_in = {
            term: sum(end - start for start, end in ranges)
            for term, ranges in _passing(record, leads_to, space)
            if not term.is_all
        }
        total = sum(let_in.values())
        if total * 2 >= space.num_addresses:
            large = [t for t, count in let_in.items() if count * _LARGE >= space.num_addresses]
            terms = tuple(large or let_in)
            crowd = found.setdefault(terms, Crowd(terms, {}))
            crowd.shares[space.version] = total / space.num_addresses
    return list(found.values())


def _passing(
    record: SpfRecord, leads_to: Iterable[Cost], space: Network
) -> Iterator[tuple[Term, list[Range]]]:
    """Whom each term of a record lets in, of a space: those that no earlier term decides about."""
    left = [_range(space)]
    nodes = chain(leads_to, repeat(None))
    redirect = record.redirect_in_effect
    for term in (*record.mechanisms, *((redirect,) if redirect else ())):
        node = next(nodes) if term.asks_dns else None
        if node is not None and node.breaks:
            return  # whoever gets as far as this gets permerror
        matched, left = _parted(left, _matched(term, node, space))
        if matched and term.qualifier in (Qualifier.PASS, None):
            yield term, matched


def _matched(term: Term, node: Cost | None, space: Network) -> list[Range]:
    """Whom a term matches, of a space, as far as that is known and more than a few."""
    if term.is_all:
        return [_range(space)]
    if term.network is not None:
        return _within(term.network, space)
    if node is not None and node.record is not None:
        found = _passing(node.record, node.children, space)
        return [part for _, ranges in found for part in ranges]
    is_there = node is None or not (node.void or node.problem)
    if term.name in ("a", "mx") and is_there:
        length = term.cidr4 if space.version == 4 else term.cidr6
        # Where its hosts are is not asked: for the share it is enough how many are around them.
        around = ip_network((int(space.network_address), length), strict=False)
        return _within(around, space) if around.num_addresses * 2 >= space.num_addresses else []
    if term.name == "exists" and node is not None and is_there:
        return [] if macros.letters(term.domain or "") - {"d"} else [_range(space)]
    return []


def _within(network: Network, space: Network) -> list[Range]:
    if network.version != space.version or network.num_addresses * _SMALL < space.num_addresses:
        return []
    (start, end), (first, behind) = _range(network), _range(space)
    return [(max(start, first), min(end, behind))] if start < behind and first < end else []


def _range(network: Network) -> Range:
    start = int(network.network_address)
    return start, start + network.num_addresses


def _parted(left: list[Range], matched: Iterable[Range]) -> tuple[list[Range], list[Range]]:
    """What of ``left`` is matched, and what is not."""
    hit: list[Range] = []
    for start, end in matched:
        hit += [(max(a, start), min(b, end)) for a, b in left if a < end and start < b]
        parts = [part for a, b in left for part in ((a, min(b, start)), (max(a, end), b))]
        left = [(a, b) for a, b in parts if a < b]
    return hit, left
