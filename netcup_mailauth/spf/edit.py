"""Edits of a record that leave everything else in it as it is, and what an edit changes, in words.

They ask no DNS. Two live records are made into one (``merge``): receivers answer a domain with two
of them with ``permerror`` for all of its mail (RFC 7208, 4.5), so that anything the merged record
says is milder than what there was.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, NamedTuple

from netcup_mailauth.spf.mistakes import SpfEditError
from netcup_mailauth.spf.record import Qualifier, Term, check_wanted, parse_term, spelt_out

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from netcup_mailauth.spf.record import SpfRecord


def require(record: SpfRecord, *terms: str, domain: str = "") -> SpfRecord:
    """A record in which all ``terms`` are in effect; the very same object if nothing is missing.

    A mechanism is there when the first one in the record that covers it (the same question, or an
    ``ip4``/``ip6`` network or a prefix around it) stands before any ``all`` and has its qualifier.
    Where that one asks the very same with another qualifier, it gets the new one in its place. What
    is missing goes in the order given where it can match and lets nobody pass whom a carve-out (a
    term that does not pass, other than ``all``) shut out: right behind ``v=spf1`` where there is
    none, in front of a carve-out that it lies inside, and behind those that lie inside it or of
    which only DNS could tell. A modifier goes to the end.

    Where ``domain``, whose record it is, is known, ``mx`` and ``mx:example.com`` are one. Raises
    SpfSyntaxError if a term is not right, SpfEditError if one is an ``all``, contradicts another
    one, or could have no effect.
    """
    wanted = [_wanted(text) for text in terms]
    mechanisms = [term for term in wanted if term.kind == "mechanism"]
    edited = _with_mechanisms(record, mechanisms, domain)
    for term in wanted:
        if term.kind == "modifier":
            edited = _with_modifier(edited, term)
    return edited


def put_first(record: SpfRecord, *terms: str) -> SpfRecord:
    """A record that begins with ``terms``, whoever they let in or shut out; for an advice.

    Where one stands further behind, with whatever qualifier, it is moved. Raises SpfSyntaxError if
    a term is not right.
    """
    first = {term.unqualified: term for term in map(_wanted, terms)}
    rest = (term for term in record.terms if term.unqualified not in first)
    return _with_terms(record, (*first.values(), *rest))


def _wanted(text: str) -> Term:
    term = parse_term(text)
    check_wanted(term)
    if term.is_all:
        raise SpfEditError(
            f'SPF: "{text}" cannot be required like another term',
            'Set the final "all" instead (--spf-all fail, softfail or neutral).',
        )
    return term


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a term goes: in front of the one at ``index``, or in its place."""

    term: Term
    index: int
    instead: bool


def _with_mechanisms(record: SpfRecord, terms: Sequence[Term], domain: str) -> SpfRecord:
    """The record with those of ``terms`` put in, or their qualifiers set, that have no effect."""
    written = record
    wanted = [_meant(term, domain) for term in terms]
    record = replace(record, terms=tuple(_meant(term, domain) for term in record.terms))
    indices = {id(term): index for index, term in enumerate(record.terms)}
    deciding = first_covering(wanted, record.mechanisms)
    known = [None if term is None else indices[id(term)] for term in deciding]
    chosen: set[int] = set()
    while True:
        places = _places(record, [(wanted[each], known[each]) for each in sorted(chosen)])
        rivals = [
            _deciding(record, term, at, places) for term, at in zip(wanted, known, strict=True)
        ]
        idle = [
            index
            for index, (term, rival) in enumerate(zip(wanted, rivals, strict=True))
            if rival is None or rival.qualifier is not term.qualifier
        ]
        # A term put in can take the effect of one already there, hence once more.
        more = [index for index in idle if index not in chosen]
        if not more:
            break
        chosen.add(more[0])
    if idle:
        term, rival = wanted[idle[0]], rivals[idle[0]]
        raise SpfEditError(
            f'SPF: "{term.text}" can have no effect behind "{rival.text if rival else ""}"',
            "Require one of the two, or name the narrower one first.",
        )
    if not places:
        return written
    as_given = {id(own): term for own, term in zip(wanted, terms, strict=True)}
    places = [replace(place, term=as_given[id(place.term)]) for place in places]
    return _with_terms(written, tuple(_woven(written, places)))


def _meant(term: Term, domain: str) -> Term:
    return spelt_out(domain, term) if domain and term.kind == "mechanism" else term


def _places(record: SpfRecord, missing: Sequence[tuple[Term, int | None]]) -> list[_Place]:
    """Where each of the missing terms goes, each given with the index of what decides for it."""
    places: list[_Place] = []
    furthest = 0
    for term, known in missing:
        if known is not None and _differs_in_qualifier(record.terms[known], term):
            if not any(place.instead and place.index == known for place in places):
                places.append(_Place(term, known, instead=True))
            continue
        lowest, highest = _room(record, term)
        if term.qualifier is not Qualifier.PASS:
            lowest = min(furthest, highest)  # a carve-out, behind what was named before it
        furthest = max(furthest, lowest)
        places.append(_Place(term, lowest, instead=False))
    return places


def _differs_in_qualifier(present: Term, term: Term) -> bool:
    return present.unqualified == term.unqualified and present.qualifier is not term.qualifier


def _room(record: SpfRecord, term: Term) -> tuple[int, int]:
    """The places for a term that passes: behind the last carve-out that matters, and at most."""
    lowest = 0
    for index, present in enumerate(record.terms):
        if present.kind == "modifier":
            continue
        if present.is_all or present.encloses(term):
            return lowest, index  # nothing behind it decides about what the term matches
        if present.qualifier is not Qualifier.PASS and not present.is_apart_from(term):
            lowest = index + 1
    return lowest, len(record.terms)


def _deciding(
    record: SpfRecord, term: Term, known: int | None, places: Sequence[_Place]
) -> Term | None:
    """What decides about all that a term matches once the others are in their places."""
    covering = [
        (place.index, place.instead, number)
        for number, place in enumerate(places)
        if place.term.covers(term)
    ]
    first = min(covering, default=None)
    if first is not None and (known is None or first[0] <= known):
        return places[first[2]].term
    return None if known is None else record.terms[known]


def _woven(record: SpfRecord, places: Sequence[_Place]) -> Iterator[Term]:
    """The terms of the record, with the others in their places."""
    by_index: dict[int, list[_Place]] = {}
    for place in places:
        by_index.setdefault(place.index, []).append(place)
    for index, present in enumerate((*record.terms, None)):
        here = by_index.get(index, [])
        yield from (place.term for place in here if not place.instead)
        instead = next((place.term for place in here if place.instead), None)
        if present is not None:
            yield present if instead is None else replace(instead, lead=present.lead)


def _with_modifier(record: SpfRecord, term: Term) -> SpfRecord:
    if term.canonical in record.canonical and (term.name != "redirect" or not record.all_term):
        return record
    present = record.modifier(term.name)
    if term.name == "redirect" and record.all_term is not None:
        raise SpfEditError(
            f'SPF: with "{record.all_term.text}" in it receivers would ignore "{term.text}"',
            f'Require "include:{term.domain}" instead, or drop the "all".',
        )
    if term.name in ("redirect", "exp") and present is not None:
        raise SpfEditError(
            f'SPF: there is "{present.text}" already, and a record holds one {term.name}= only',
            f'Drop "{present.text}" in the same run.',
        )
    return _with_terms(record, (*record.terms, term))


def drop(record: SpfRecord, *terms: str) -> SpfRecord:
    """A record without ``terms``; the very same object if none of them is there.

    A term goes wherever it stands, behind an ``all`` too, in any spelling. ``include:x`` drops it
    with any qualifier; ``+include:x`` or ``~include:x`` only with that one. Prefixes must be the
    same: dropping ``ip4:203.0.113.7`` leaves ``ip4:203.0.113.0/24`` alone. Raises SpfSyntaxError if
    a term is not right.
    """
    unwanted = [parse_term(text) for text in terms]
    kept = tuple(term for term in record.terms if not any(names(drop_, term) for drop_ in unwanted))
    return record if len(kept) == len(record.terms) else _with_terms(record, kept)


def names(named: Term, term: Term) -> bool:
    """Whether dropping ``named`` drops ``term``, and is the consent to it; see :func:`drop`."""
    if named.text.startswith(tuple(Qualifier)):
        return named.canonical == term.canonical
    return named.unqualified == term.unqualified


def with_all(record: SpfRecord, qualifier: Qualifier) -> SpfRecord:
    """A record whose ``all`` has this qualifier: set in place, or put at the end.

    It is the very same object if it has it already. Raises SpfEditError if the record hands over by
    ``redirect=``, which an ``all`` would disable.
    """
    if record.all_qualifier is qualifier:
        return record
    if record.redirect_in_effect is not None:
        text, domain = record.redirect_in_effect.text, record.redirect_in_effect.domain
        raise SpfEditError(
            f'SPF: an "all" would make receivers ignore "{text}" (RFC 7208 6.1)',
            f'Leave the "all" to {domain}, or give the record whole with "include:{domain}".',
        )
    new = parse_term(f"{qualifier}all")
    if record.all_term is None:
        return _with_terms(record, (*record.terms, new))
    index = record.terms.index(record.all_term)
    new = replace(new, lead=record.all_term.lead)
    return _with_terms(record, (*record.terms[:index], new, *record.terms[index + 1 :]))


def _with_terms(record: SpfRecord, terms: tuple[Term, ...]) -> SpfRecord:
    """The record with other terms; blanks at the end would only be lost on the way."""
    return replace(record, terms=terms, tail="")


class Merge(NamedTuple):
    """The one record, and in words what had to be decided on the way."""

    record: SpfRecord
    notes: list[str]


def merge(records: Sequence[SpfRecord]) -> Merge:
    """One record that holds the terms of all; a single one, as it is. None is a ValueError.

    The first record's order, then the new terms of the others; but a record whose carve-outs could
    not match behind the terms of another comes in front of it. Of a term that can never match all
    the same there is a note. Terms of one meaning are written once, there is one ``all``, the
    softest of them (a record without ``all`` has no say), and terms nobody read because they stood
    behind an ``all`` stay behind it. Where a ``redirect=`` would be lost to the ``all`` of another
    record, or to another ``redirect=``, it becomes an ``include:`` of the same domain. Of two
    different ``exp=`` the first stays.
    """
    if not records:
        raise ValueError("nothing to merge")
    if len(records) == 1:
        return Merge(records[0], [])
    notes: list[str] = []
    records = _carve_outs_first(records)
    redirect, includes = _redirects(records, notes)
    final = _final_all(records, notes) or (
        parse_term("?all") if any(includes) and redirect is None else None
    )
    before = [
        term
        for record, include in zip(records, includes, strict=True)
        for term in (*_before_all(record), *include)
    ]
    behind = [term for record in records for term in _behind_all(record)]
    terms = [*before, *filter(None, (redirect, final)), *behind]
    merged = replace(records[0], terms=tuple(_once(terms, notes)), tail="")
    return Merge(merged, [*notes, *idle(merged)])


def _carve_outs_first(records: Sequence[SpfRecord]) -> list[SpfRecord]:
    """The records in an order in which the carve-outs of each can match, if there is one.

    Else in the order given, as far as it goes.
    """
    waiting, ordered = list(records), []
    while waiting:
        free = (
            record
            for record in waiting
            if not any(other is not record and _would_hide(record, other) for other in waiting)
        )
        ordered.append(next(free, waiting[0]))
        waiting.remove(ordered[-1])
    return ordered


def _would_hide(record: SpfRecord, other: SpfRecord) -> bool:
    """Whether a carve-out of ``other`` lies inside a term of ``record`` that passes."""
    passing = [term for term in record.mechanisms if term.qualifier is Qualifier.PASS]
    carve_outs = [
        term
        for term in other.mechanisms
        if term.qualifier is not Qualifier.PASS and not term.is_all
    ]
    return any(
        cover is not None and cover.unqualified != term.unqualified
        for term, cover in zip(carve_outs, first_covering(carve_outs, passing), strict=True)
    )


def _before_all(record: SpfRecord) -> tuple[Term, ...]:
    """The terms up to the ``all``; ``redirect=`` is dealt with on its own."""
    end = len(record.terms) if record.all_term is None else record.terms.index(record.all_term)
    return tuple(term for term in record.terms[:end] if term.name != "redirect")


def _behind_all(record: SpfRecord) -> tuple[Term, ...]:
    start = len(_before_all(record))
    rest = [term for term in record.terms if term.name != "redirect"][start:]
    return tuple(term for term in rest if not term.is_all)


def _redirects(
    records: Sequence[SpfRecord], notes: list[str]
) -> tuple[Term | None, list[tuple[Term, ...]]]:
    """The ``redirect=`` that can stay, and for each record what takes the place of its own."""
    working = {r.redirect_in_effect.canonical for r in records if r.redirect_in_effect}
    final = any(record.all_term for record in records)
    if not final and len(working) < 2:
        return next((r.redirect_in_effect for r in records if r.redirect_in_effect), None), [
            () for _ in records
        ]
    includes = [_as_include(record, notes) for record in records]
    return _ignored_redirect(records, notes), includes


def _as_include(record: SpfRecord, notes: list[str]) -> tuple[Term, ...]:
    redirect = record.redirect_in_effect
    if redirect is None:
        return ()
    include = parse_term(f"include:{redirect.domain}")
    notes.append(f'"{redirect.text}" becomes "{include.text}", so that it still has an effect')
    return (include,)


def _ignored_redirect(records: Iterable[SpfRecord], notes: list[str]) -> Term | None:
    """A ``redirect=`` that had no effect in its own record keeps having none."""
    ignored = [record.redirect for record in records if record.redirect and record.all_term]
    notes += [f'"{term.text}" had no effect and is left out' for term in ignored[1:]]
    return next(iter(ignored), None)


def _final_all(records: Iterable[SpfRecord], notes: list[str]) -> Term | None:
    found = [record.all_term for record in records if record.all_term]
    hardness = list(Qualifier)
    softest = min(
        found, key=lambda term: hardness.index(term.qualifier or Qualifier.PASS), default=None
    )
    different = sorted({term.canonical for term in found})
    if softest is not None and len(different) > 1:
        notes.append(f'of {" and ".join(different)} the softer "{softest.canonical}" stays')
    return softest


def idle(record: SpfRecord) -> list[str]:
    """Of each term that can never match, in words, which one stands in its way."""
    notes = []
    for term, first in zip(
        record.mechanisms, first_covering(record.mechanisms, record.mechanisms), strict=True
    ):
        if first is None or first is term:
            continue
        if first.qualifier is term.qualifier:
            notes.append(f'"{term.text}" adds nothing to "{first.text}"')
        else:
            notes.append(f'"{first.text}" stands before "{term.text}" and decides')
    return notes


def _once(terms: Iterable[Term], notes: list[str]) -> Iterable[Term]:
    """Each meaning once, with a blank in front; of ``exp=`` only the first."""
    seen: set[str] = set()
    for term in terms:
        key = "exp" if term.name == "exp" else term.canonical
        if key not in seen:
            seen.add(key)
            yield replace(term, lead=" ")
        elif term.name == "exp":
            notes.append(f'"{term.text}" is left out; a record holds one exp= only')


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


Action = Literal["kept", "added", "dropped", "changed", "moved"]


class TermChange(NamedTuple):
    """What becomes of one term.

    ``changed`` is another qualifier in front of the same question (``~all`` to ``-all``),
    ``moved`` another place in the order. ``words`` says what it means for mail, and is empty
    where there is nothing to say. ``lookups`` is how many look-ups of its own the record needs
    more (1), or less (-1).
    """

    action: Action
    before: Term | None
    after: Term | None
    words: str = ""
    lookups: int = 0

    @property
    def text(self) -> str:
        """The term as it will be written; for a dropped one, as it was."""
        term = self.after or self.before
        return term.text if term else ""


def describe_changes(old: SpfRecord | None, new: SpfRecord | None) -> tuple[TermChange, ...]:
    """The changes from ``old`` to ``new``, in an order fit to print.

    The order is that of the new record; a dropped term stands where it was. ``None`` stands for
    no record.
    """
    before, after = old.terms if old else (), new.terms if new else ()
    origins = _origins(before, after)
    found = set(origins.values())
    counted = _counted(old), _counted(new)
    changes: list[TermChange] = []
    i, j = 0, 0
    for kept in [*_in_order(origins), len(after)]:
        origin = origins.get(kept, len(before))
        gone = (before[k] for k in range(i, origin) if k not in found)
        changes += (_change(term, None, counted, "dropped") for term in gone)
        for k in range(j, kept):
            past = before[origins[k]] if k in origins else None
            changes.append(_change(past, after[k], counted, "moved"))
        if kept < len(after):
            changes.append(_change(before[origin], after[kept], counted, "kept"))
        i, j = origin + 1, kept + 1
    return tuple(changes)


def _origins(before: Sequence[Term], after: Sequence[Term]) -> dict[int, int]:
    """Where each term of the new record, if it was there, stood in the old one.

    Of several that ask the same, the first comes from the first, and so on.
    """
    places: dict[str, deque[int]] = {}
    for index, term in enumerate(before):
        places.setdefault(term.unqualified, deque()).append(index)
    origins = {}
    for index, term in enumerate(after):
        if queue := places.get(term.unqualified):
            origins[index] = queue.popleft()
    return origins


def _in_order(origins: Mapping[int, int]) -> list[int]:
    """The most places in the new record that come from rising ones in the old; others moved.

    By the length of the chains that end at each; a record may have ten thousand terms, so not by
    comparing each with each.
    """
    ends: list[int] = []  # for each length of a chain the lowest origin at which one ends
    places: list[int] = []  # and its place in the new record
    previous: dict[int, int] = {}
    for place, origin in origins.items():
        length = bisect_left(ends, origin)
        if length:
            previous[place] = places[length - 1]
        ends[length : length + 1] = [origin]
        places[length : length + 1] = [place]
    chain = places[-1:]
    while chain and chain[-1] in previous:
        chain.append(previous[chain[-1]])
    return chain[::-1]


def _counted(record: SpfRecord | None) -> frozenset[int]:
    """The identities of the terms that cost a look-up (RFC 7208, 4.6.4)."""
    if record is None:
        return frozenset()
    return frozenset(id(term) for term in record.counted)


def _change(
    before: Term | None,
    after: Term | None,
    counted: tuple[frozenset[int], frozenset[int]],
    if_alike: Action,
) -> TermChange:
    lookups = int(id(after) in counted[1]) - int(id(before) in counted[0])
    if before is None or after is None:
        action: Action = "added" if before is None else "dropped"
        return TermChange(action, before, after, _words(before, after), lookups)
    if before.qualifier is not after.qualifier:
        return TermChange("changed", before, after, _words(before, after), lookups)
    words = "another place in the order" if if_alike == "moved" else ""
    return TermChange(if_alike, before, after, words, lookups)


def _words(before: Term | None, after: Term | None) -> str:
    """What a term that comes, goes or changes its qualifier means for mail."""
    old, new = _result(before), _result(after)
    if old and new:
        return f"{old} -> {new}"
    term = before or after
    if term is None or term.qualifier is None:
        return ""
    if term.is_all:
        return f"all other senders: {new or Qualifier.NEUTRAL.word}"
    if term.qualifier is Qualifier.PASS:
        return "may send for you" if new else "may no longer send for you"
    return new or f"no longer {old}"


def _result(term: Term | None) -> str:
    return "" if term is None or term.qualifier is None else term.qualifier.word
