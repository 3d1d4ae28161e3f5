"""Which terms of a record decide for others, found without comparing each with each."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from netcup_mailauth.spf.term import Term

_Question = tuple[object, ...]


def first_covering(wanted: Sequence[Term], present: Sequence[Term]) -> list[Term | None]:
    """For each of ``wanted`` the first of ``present`` that covers it; see :meth:`Term.covers`."""
    first: dict[_Question, tuple[list[int], list[int]]] = {}
    for index, term in enumerate(present):
        question, width = _asked(term)
        widths, places = first.setdefault(question, ([], []))
        # Only one that is wider than all before it decides anything; they fall, so minus rises.
        if not widths or -width > widths[-1]:
            widths.append(-width)
            places.append(index)
    return [_first(term, first, present) for term in wanted]


def _first(
    term: Term, first: dict[_Question, tuple[list[int], list[int]]], present: Sequence[Term]
) -> Term | None:
    _, width = _asked(term)
    found = []
    for question in _covering(term):
        widths, places = first.get(question, ([], []))
        at = bisect_left(widths, -width)
        found += places[at : at + 1]
    return present[min(found)] if found else None


def _asked(term: Term) -> tuple[_Question, int]:
    """What a term asks, and its prefix for IPv6 where that is no part of the question."""
    if term.network is not None:
        network = term.network
        return (network.version, network.prefixlen, int(network.network_address)), 0
    return (term.name, term.target, term.cidr4), term.cidr6


def _covering(term: Term) -> Iterator[_Question]:
    """The questions of all terms that may cover this one."""
    if term.network is None:
        for cidr4 in range(term.cidr4 + 1):
            yield term.name, term.target, cidr4
        return
    network = term.network
    address, longest = int(network.network_address), network.max_prefixlen
    for length in range(network.prefixlen + 1):
        host = longest - length
        yield network.version, length, address >> host << host
