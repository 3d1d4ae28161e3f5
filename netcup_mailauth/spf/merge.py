"""Two or more live records made into one.

Receivers answer a domain with two SPF records with ``permerror`` for all of its mail (RFC 7208,
4.5), so that anything the merged record says is milder than what there was.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from netcup_mailauth.spf.term import Qualifier, Term, parse_term

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from netcup_mailauth.spf.record import SpfRecord


@dataclass(frozen=True, slots=True)
class Merge:
    """The one record, and in words what had to be decided on the way."""

    record: SpfRecord
    notes: list[str]


def merge(records: Sequence[SpfRecord]) -> Merge:
    """One record that holds the terms of all.

    The first record's order, then the new terms of the others. Terms of one meaning are written
    once, there is one ``all``, the softest of them (a record without ``all`` has no say), and
    terms nobody read because they stood behind an ``all`` stay behind it. Where a ``redirect=``
    would be lost to the ``all`` of another record, or to another ``redirect=``, it becomes an
    ``include:`` of the same domain. Of two different ``exp=`` the first stays.

    Args:
        records: at least one; a single one is returned as it is.

    Raises:
        ValueError: there are no records.
    """
    if not records:
        raise ValueError("nothing to merge")
    if len(records) == 1:
        return Merge(records[0], [])
    notes: list[str] = []
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
    _note_qualifiers(before, notes)
    terms = [*before, *filter(None, (redirect, final)), *behind]
    merged = replace(records[0], terms=tuple(_once(terms, notes)), tail="")
    return Merge(merged, notes)


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


def _note_qualifiers(terms: Iterable[Term], notes: list[str]) -> None:
    first: dict[str, Term] = {}
    for term in terms:
        known = first.setdefault(term.unqualified, term)
        if known.qualifier is not term.qualifier:
            notes.append(f'"{known.text}" stands before "{term.text}" and decides')


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
