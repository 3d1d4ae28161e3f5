"""What is questionable in a record, seen from its text alone."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Literal, NamedTuple

from netcup_mailauth.spf import macros, mistakes
from netcup_mailauth.spf.everybody import crowds
from netcup_mailauth.spf.record import Qualifier, in_words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from netcup_mailauth.spf.everybody import Crowd
    from netcup_mailauth.spf.record import SpfRecord, Term

Code = Literal["spf-ptr", "spf-after-all", "spf-no-all", "spf-neutral-all", "spf-pass-all"]


MOST_NAMED = 4
"""Terms that are named for one problem, where many make it."""

_NEARLY = 0.9


class Problem(NamedTuple):
    """One questionable thing. ``code`` is the guard's code for it; ``terms`` are where it is."""

    code: Code
    message: str
    terms: tuple[Term, ...] = ()


@lru_cache(maxsize=128)
def lint(record: SpfRecord) -> tuple[Problem, ...]:
    """The static problems of a record, the gravest first; of many domains with one text, once."""
    return (*_end(record), *_everybody(record), *_without_effect(record), *_slow(record))


def _end(record: SpfRecord) -> Iterator[Problem]:
    """What the record says about everybody else (RFC 7208, 4.7, 5.1 and 10.1)."""
    last = record.all_term
    if last is None:
        if record.redirect is None:
            yield Problem("spf-no-all", _no_all(record), _swallowed_all(record))
    elif last.qualifier is Qualifier.PASS:
        yield Problem("spf-pass-all", f'"{last.text}" lets everybody send as this domain', (last,))
    elif last.qualifier is Qualifier.NEUTRAL:
        yield Problem("spf-neutral-all", f'"{last.text}" says nothing about other senders', (last,))


def _everybody(record: SpfRecord) -> Iterator[Problem]:
    """Networks that are an ``all`` in other words (RFC 7208, 5.6)."""
    for crowd in crowds(record):
        yield Problem("spf-pass-all", everybody(crowd), crowd.terms)


def everybody(crowd: Crowd) -> str:
    """Whom terms let in that are no ``all``, and how."""
    named = [f'"{term.text}"' for term in crowd.terms[:MOST_NAMED]]
    more = len(crowd.terms) - MOST_NAMED
    named += [f"{more} more"] if more > 0 else []
    verb = "let" if len(named) > 1 else "lets"
    spaces = (f"{_share(share)} IPv{version}" for version, share in crowd.shares.items())
    senders = f"{' and '.join(spaces)} addresses"
    why = ""
    if len(named) == 1 and _is_of_length_0(crowd.terms[0]):
        senders, why = "everybody", ", for its length is 0"
    elif list(crowd.shares.values()) == [1.0, 1.0]:
        senders = "everybody"
    return f"{' and '.join(named)} {verb} {senders} send as this domain{why}"


def _share(share: float) -> str:
    return "all" if share == 1 else "nearly all" if share > _NEARLY else "at least half of all"


def _is_of_length_0(term: Term) -> bool:
    length = None if term.network is None else term.network.prefixlen
    return 0 in (length, term.cidr4, term.cidr6)


def _no_all(record: SpfRecord) -> str:
    swallowed = _swallowed_all(record)
    if swallowed:
        return f'there is no "all"; "{swallowed[0].text}" looks as if a blank were missing in it'
    return 'there is no "all" at the end, so the record says nothing about other senders'


def _swallowed_all(record: SpfRecord) -> tuple[Term, ...]:
    return tuple(term for term in record.mechanisms if mistakes.swallows_all(term.text))


def _without_effect(record: SpfRecord) -> Iterator[Problem]:
    """What an ``all`` makes receivers ignore (RFC 7208, 5.1 and 6.1)."""
    more = tuple(term for term in record.unreached if term.is_all)
    if more:
        yield Problem("spf-after-all", 'there is more than one "all"; only the first counts', more)
    behind = tuple(term for term in record.unreached if not term.is_all)
    if behind:
        named = " ".join(in_words(term.text) for term in behind)
        yield Problem("spf-after-all", f'behind the "all" nobody reads {named}', behind)
    redirect = record.redirect
    if redirect is not None and record.all_term is not None:
        message = f'there is an "all", so receivers ignore {redirect.text}'
        yield Problem("spf-after-all", message, (redirect,))


def _slow(record: SpfRecord) -> Iterator[Problem]:
    """``ptr`` and ``%{p}``, which nobody should publish (RFC 7208, 5.5 and 7.3)."""
    counted = (*record.mechanisms, *filter(None, (record.redirect_in_effect, record.exp)))
    found = tuple(
        term for term in counted if term.name == "ptr" or "p" in macros.letters(term.domain or "")
    )
    if found:
        named = " ".join(in_words(term.text) for term in found)
        message = f"{named} is slow and unreliable; some receivers skip it (RFC 7208 5.5)"
        yield Problem("spf-ptr", message, found)
