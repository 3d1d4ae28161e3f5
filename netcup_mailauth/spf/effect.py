"""What the order of terms means: which term decides about whom, as far as the text and DNS tell."""

from __future__ import annotations

from ipaddress import ip_network
from typing import TYPE_CHECKING, NamedTuple

from netcup_mailauth.lookup import SILENT, Query
from netcup_mailauth.spf import macros
from netcup_mailauth.spf.check import MAX_LOOKUPS, is_domain, mail_hosts
from netcup_mailauth.spf.edit import first_covering
from netcup_mailauth.spf.mistakes import SpfSyntaxError
from netcup_mailauth.spf.record import Network, Qualifier, is_spf, parse, spelt_out

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from netcup_mailauth.lookup import Lookup, RecordType
    from netcup_mailauth.spf.record import SpfRecord, Term

MOST_CORNERS = 64
"""Addresses that may stand for all that two terms match."""

_FEW = 16
"""Addresses that are tried each, whatever the other term is."""

_MOST_COMPARED = 100_000
_DEEPEST = 10
_EVERYBODY = (ip_network("0.0.0.0/0"), ip_network("::/0"))
_OF_THE_MAIL = frozenset("slh")
"""Macros whose value is not known from the address and the domain alone (RFC 7208, 7.2)."""


def deciding(record: SpfRecord, domain: str, lookup: Lookup, depth: int = 0) -> list[Term]:
    """The mechanisms that decide, in order, with the domain each means by itself.

    Those of the record that ``redirect=`` leads to are among them (RFC 7208, 6.1).
    """
    terms = [spelt_out(domain, term) for term in record.mechanisms]
    redirect = record.redirect_in_effect
    if redirect is None or depth == _DEEPEST:
        return terms
    target = spelt_out(domain, redirect).target or ""
    further = _published(target, lookup)
    return terms if further is None else terms + deciding(further, target, lookup, depth + 1)


def suspects(old: Sequence[Term], new: Sequence[Term]) -> Iterator[tuple[Term, Term]]:
    """Each carve-out with each term that may let in whom it shut out, by the order alone."""
    at = {id(term): index for index, term in enumerate(old)}
    alive = [
        term
        for term, first in zip(old, first_covering(old, old), strict=True)
        if first is term and term.qualifier is not Qualifier.PASS and not term.is_all
    ]
    position = {id(term): index for index, term in enumerate(new)}
    # Behind the first term that covers a carve-out nobody is left whom it shut out.
    ends = [
        len(new) if cover is None else position[id(cover)] for cover in first_covering(alive, new)
    ]
    passing = [term for term in new if term.qualifier is Qualifier.PASS]
    for term, cover in zip(passing, first_covering(passing, old), strict=True):
        # And whom the old record let in, or shut out, before the carve-out, it did not decide.
        limit, place = len(old) if cover is None else at[id(cover)], position[id(term)]
        for carve_out, end in zip(alive, ends, strict=True):
            if place <= end and at[id(carve_out)] <= limit and not carve_out.is_apart_from(term):
                yield carve_out, term


class _Reach(NamedTuple):
    """Whom a mechanism matches; ``networks`` is ``None`` where DNS does not list them.

    ``edges`` are networks at whose ends that may change, ``of_the_mail`` says that it depends on
    more than the address.
    """

    networks: tuple[Network, ...] | None
    edges: tuple[Network, ...] = ()
    of_the_mail: bool = False


def in_both(
    carve_out: Term, before: Lookup, passing: Term, after: Lookup, edges: Sequence[Network]
) -> list[str] | None:
    """Addresses that stand for all that a carve-out and a term that passes match.

    Each is spelt out, and has the DNS of the record it stands in. ``edges`` are networks at whose
    ends another term may decide. ``None`` if no addresses can stand for all, or DNS was silent.
    """
    one, two = _reach(carve_out, before), _reach(passing, after)
    # A list that is asked with each address changes from day to day: what it says now is no guide.
    is_list = carve_out.name == "exists" and one.networks is None
    if is_list or one.of_the_mail or two.of_the_mail:
        return None
    for networks in (one.networks, two.networks):
        if networks is not None and sum(net.num_addresses for net in networks) <= _FEW:
            return [str(address) for net in networks for address in net]
    if one.networks is None or two.networks is None:
        return None
    return _corners(one.networks, two.networks, (*edges, *one.edges, *two.edges))


def is_listed(term: Term, lookup: Lookup) -> bool:
    """Whether DNS lists whom a mechanism matches, so that one tried may stand for others."""
    return _reach(term, lookup).networks is not None


def edges(terms: Sequence[Term], lookup: Lookup) -> tuple[Network, ...]:
    """The networks at whose ends another of the terms may decide, as far as DNS lists them.

    Of a record with more terms than a receiver may look up no DNS is asked.
    """
    asking = sum(term.asks_dns for term in terms)
    reaches = [
        _reach(term, lookup)
        for term in terms
        if not term.is_all and (term.network is not None or asking <= MAX_LOOKUPS)
    ]
    return tuple(net for reach in reaches for net in (*(reach.networks or ()), *reach.edges))


def _corners(
    one: Sequence[Network], two: Sequence[Network], edges: Sequence[Network]
) -> list[str] | None:
    """An address of each part that the edges cut what both have in common into."""
    if len(one) * len(two) * max(len(edges), 1) > _MOST_COMPARED:
        return None
    found: set[Network] = set()
    for first in one:
        found |= {_narrower(first, second) for second in two if _overlap(first, second)}
    corners: dict[str, None] = {}
    for common in found:
        cuts = [edge for edge in edges if _overlap(edge, common) and edge != common]
        for part in (common, *cuts):
            start, end = int(part[0]), int(part[-1])
            numbers = (start, end) if part is common else (start - 1, start, end, end + 1)
            inside = (n for n in numbers if int(common[0]) <= n <= int(common[-1]))
            corners |= {str(common[n - int(common[0])]): None for n in inside}
    return list(corners) if len(corners) <= MOST_CORNERS else None


def _overlap(one: Network, two: Network) -> bool:
    return one.version == two.version and one.overlaps(two)


def _narrower(one: Network, two: Network) -> Network:
    return one if one.prefixlen >= two.prefixlen else two


def _reach(term: Term, lookup: Lookup, depth: int = 0) -> _Reach:
    if term.is_all:
        return _Reach(_EVERYBODY)
    if term.network is not None:
        return _Reach((term.network,))
    target = term.target or ""
    letters = macros.letters(target)
    if letters or term.name == "ptr" or depth > _DEEPEST:
        return _Reach(None, of_the_mail=bool(letters & _OF_THE_MAIL))
    if not is_domain(target):
        return _Reach(())
    match term.name:
        case "include":
            return _reach_of_record(target, lookup, depth)
        case "exists":
            answer = _values(target, "A", lookup)
            return _Reach(None if answer is None else _EVERYBODY if answer else ())
        case "mx":
            exchangers = _values(target, "MX", lookup)
            if exchangers is None:
                return _Reach(None)
            return _Reach(_addresses(term, mail_hosts(exchangers), lookup))
        case _:
            return _Reach(_addresses(term, [target], lookup))


def _reach_of_record(target: str, lookup: Lookup, depth: int) -> _Reach:
    """Whom the record at another domain lets pass."""
    record = _published(target, lookup)
    if record is None:
        silent = _values(target, "TXT", lookup) is None
        return _Reach(None if silent else ())
    terms = deciding(record, target, lookup)
    reaches = [_reach(term, lookup, depth + 1) for term in terms]
    passing = [
        reach.networks
        for term, reach in zip(terms, reaches, strict=True)
        if term.qualifier is Qualifier.PASS
    ]
    listed = [networks for networks in passing if networks is not None]
    return _Reach(
        tuple(net for networks in listed for net in networks)
        if len(listed) == len(passing)
        else None,
        tuple(net for reach in reaches for net in (*(reach.networks or ()), *reach.edges)),
        any(reach.of_the_mail for reach in reaches),
    )


def _addresses(term: Term, names: Sequence[str], lookup: Lookup) -> tuple[Network, ...] | None:
    queries = [Query(name, kind) for name in names for kind in ("A", "AAAA")]
    answers = lookup(queries) if queries else ()
    if any(answer.status in SILENT for answer in answers):
        return None
    return tuple(
        ip_network((value, term.cidr6 if ":" in value else term.cidr4), strict=False)
        for answer in answers
        for value in answer.values
    )


def _values(name: str, record_type: RecordType, lookup: Lookup) -> tuple[str, ...] | None:
    (answer,) = lookup([Query(name, record_type)])
    return None if answer.status in SILENT else answer.values


def _published(domain: str, lookup: Lookup) -> SpfRecord | None:
    """The one record that receivers would read there."""
    values = _values(domain, "TXT", lookup) if is_domain(domain) else ()
    found = [text for text in values or () if is_spf(text)]
    try:
        return parse(found[0]) if len(found) == 1 else None
    except SpfSyntaxError:
        return None
