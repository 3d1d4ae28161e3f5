"""Edits of a record that leave everything else in it as it is. They ask no DNS."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from netcup_mailauth.spf.coverage import first_covering
from netcup_mailauth.spf.problems import SpfEditError
from netcup_mailauth.spf.record import check_wanted
from netcup_mailauth.spf.term import Qualifier, Term, parse_term

if TYPE_CHECKING:
    from collections.abc import Sequence

    from netcup_mailauth.spf.record import SpfRecord


def require(record: SpfRecord, *terms: str) -> SpfRecord:
    """A record in which all ``terms`` are in effect.

    A mechanism is there when the first one in the record that covers it (the same question, or
    an ``ip4``/``ip6`` network or a prefix around it) stands before any ``all`` and has its
    qualifier. What is missing goes right behind ``v=spf1`` in the order given. A modifier goes
    to the end.

    Args:
        record: the live record.
        terms: mechanisms or modifiers, as they are to be written.

    Returns:
        The very same object if nothing is missing.

    Raises:
        SpfSyntaxError: a term is not right.
        SpfEditError: a term is an ``all``, contradicts another one, or could have no effect.
    """
    wanted = [_wanted(text) for text in terms]
    mechanisms = [term for term in wanted if term.kind == "mechanism"]
    front = _missing(mechanisms, record.mechanisms)
    edited = record if not front else _with_terms(record, (*front, *record.terms))
    for term in wanted:
        if term.kind == "modifier":
            edited = _with_modifier(edited, term)
    return edited


def _wanted(text: str) -> Term:
    term = parse_term(text)
    check_wanted(term)
    if term.is_all:
        raise SpfEditError(
            f'SPF: "{text}" cannot be required like another term',
            'Set the final "all" instead (--spf-all fail, softfail or neutral).',
        )
    return term


def _missing(wanted: Sequence[Term], present: Sequence[Term]) -> list[Term]:
    """Those of ``wanted`` to put in front of ``present`` so that all of them are in effect."""
    chosen: set[int] = set()
    deciding = list(zip(wanted, first_covering(wanted, present), strict=True))
    while True:
        front = [wanted[index] for index in sorted(chosen)]
        idle = [term for term, known in deciding if not _in_effect(term, front, known)]
        # A term put in front can take the effect of one already there, hence once more.
        more = [index for index, term in enumerate(wanted) if term in idle and index not in chosen]
        if not more:
            break
        chosen.add(more[0])
    if idle:
        rival = next(term for term in front if term.covers(idle[0]))
        raise SpfEditError(
            f'SPF: "{idle[0].text}" can have no effect behind "{rival.text}"',
            "Require one of the two, or name the narrower one first.",
        )
    return front


def _in_effect(term: Term, front: Sequence[Term], known: Term | None) -> bool:
    """Whether a term is in effect behind ``front``, where ``known`` decided for it until now."""
    covering = next((have for have in front if have.covers(term)), known)
    return covering is not None and covering.qualifier is term.qualifier


def _with_modifier(record: SpfRecord, term: Term) -> SpfRecord:
    if term.canonical in record.canonical and (term.name != "redirect" or not record.all_term):
        return record
    present = record.modifier(term.name)
    if term.name == "redirect" and record.all_term is not None:
        raise SpfEditError(
            f'SPF: receivers would ignore "{term.text}", because of "{record.all_term.text}"',
            f'Require "include:{term.domain}" instead, or drop the "all".',
        )
    if term.name in ("redirect", "exp") and present is not None:
        raise SpfEditError(
            f'SPF: there is "{present.text}" already, and a record holds one {term.name}= only',
            f'Drop "{present.text}" in the same run.',
        )
    return _with_terms(record, (*record.terms, term))


def drop(record: SpfRecord, *terms: str) -> SpfRecord:
    """A record without ``terms``.

    A term goes wherever it stands, behind an ``all`` too, in any spelling. ``include:x`` drops
    it with any qualifier; ``+include:x`` or ``~include:x`` only with that one. Prefixes must be
    the same: dropping ``ip4:203.0.113.7`` leaves ``ip4:203.0.113.0/24`` alone.

    Returns:
        The very same object if none of them is there.

    Raises:
        SpfSyntaxError: a term is not right.
    """
    unwanted = [parse_term(text) for text in terms]
    kept = tuple(
        term for term in record.terms if not any(_is_meant(drop_, term) for drop_ in unwanted)
    )
    return record if len(kept) == len(record.terms) else _with_terms(record, kept)


def _is_meant(named: Term, term: Term) -> bool:
    if named.text.startswith(tuple(Qualifier)):
        return named.canonical == term.canonical
    return named.unqualified == term.unqualified


def with_all(record: SpfRecord, qualifier: Qualifier) -> SpfRecord:
    """A record whose ``all`` has this qualifier: set in place, or put at the end.

    Returns:
        The very same object if it has it already.

    Raises:
        SpfEditError: the record hands over by ``redirect=``, which an ``all`` would disable.
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
