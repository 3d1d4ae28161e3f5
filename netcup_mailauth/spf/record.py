"""An SPF record: read without loss, printed, compared (RFC 7208, 4.5, 4.6 and 12)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from netcup_mailauth.spf import mistakes
from netcup_mailauth.spf.problems import SpfSyntaxError
from netcup_mailauth.spf.term import MECHANISMS, Qualifier, Term, parse_term

if TYPE_CHECKING:
    from collections.abc import Sequence

LONGEST = 65_535
"""Octets of a TXT record's rdata (RFC 1035, 3.2.1); no record is longer."""

_BEGINNING = "Begin it with v=spf1 and a blank, with nothing in front."


@dataclass(frozen=True, slots=True)
class SpfRecord:
    """A record as written: ``str(record)`` is the text it was parsed from.

    ``version`` is ``v=spf1`` in the case it was written in, ``tail`` the blanks at the end.
    """

    version: str
    terms: tuple[Term, ...]
    tail: str = ""

    def __str__(self) -> str:
        return self.version + "".join(term.lead + term.text for term in self.terms) + self.tail

    @property
    def canonical(self) -> tuple[str, ...]:
        """The terms in their standard spelling; equal for records of one meaning."""
        return tuple(term.canonical for term in self.terms)

    @property
    def all_term(self) -> Term | None:
        """The first ``all``, which is the one that counts (RFC 7208, 5.1)."""
        return next((term for term in self.terms if term.is_all), None)

    @property
    def all_qualifier(self) -> Qualifier | None:
        """What happens to mail from everywhere else, or ``None`` without an ``all``."""
        return None if self.all_term is None else self.all_term.qualifier

    @property
    def mechanisms(self) -> tuple[Term, ...]:
        """The mechanisms that count: those up to and including the first ``all``."""
        end = len(self.terms) if self.all_term is None else self.terms.index(self.all_term) + 1
        return tuple(term for term in self.terms[:end] if term.kind == "mechanism")

    @property
    def unreached(self) -> tuple[Term, ...]:
        """The mechanisms behind the first ``all``, which no receiver looks at (RFC 7208, 5.1)."""
        every = tuple(term for term in self.terms if term.kind == "mechanism")
        return every[len(self.mechanisms) :]

    @property
    def redirect(self) -> Term | None:
        """``redirect=`` as written, in effect or not."""
        return self.modifier("redirect")

    @property
    def redirect_in_effect(self) -> Term | None:
        """``redirect=``, unless an ``all`` makes receivers ignore it (RFC 7208, 6.1)."""
        return self.redirect if self.all_term is None else None

    @property
    def counted(self) -> tuple[Term, ...]:
        """The terms that count towards the ten look-ups, in order (RFC 7208, 4.6.4)."""
        terms = (*self.mechanisms, self.redirect_in_effect)
        return tuple(term for term in terms if term is not None and term.asks_dns)

    @property
    def exp(self) -> Term | None:
        """``exp=``, where the text for refused mail lies (RFC 7208, 6.2)."""
        return self.modifier("exp")

    def modifier(self, name: str) -> Term | None:
        """The first modifier of this name, given in lower case."""
        return next((t for t in self.terms if t.kind == "modifier" and t.name == name), None)


def is_spf(text: str) -> bool:
    """Whether receivers take this TXT for an SPF record (RFC 7208, 4.5)."""
    return re.match(r"v=spf1(?: |\Z)", text, re.IGNORECASE | re.ASCII) is not None


def parse(text: str) -> SpfRecord:
    """Parse a record, keeping every character.

    Accepts exactly what RFC 7208 accepts, hence also two ``all`` (``lint`` reports them) and
    unknown modifiers; two ``redirect=`` or two ``exp=`` it does not (RFC 7208, 6).

    Raises:
        SpfSyntaxError: the text is no SPF record; receivers would say ``permerror``.
    """
    if not is_spf(text):
        raise _no_record(text)
    if len(text) > LONGEST:
        complaint = f"has {len(text)} characters, and a TXT record at most {LONGEST}"
        raise SpfSyntaxError(f"{text[:20]}...", complaint, "Take out what is not needed.")
    body = text[len("v=spf1") :].rstrip(" ")
    pieces = re.findall(r"( +)([^ ]+)", body)
    terms = tuple(_term(pieces, index) for index in range(len(pieces)))
    for name in ("redirect", "exp"):
        _check_once(terms, name)
    return SpfRecord(text[: len("v=spf1")], terms, text[len("v=spf1") + len(body) :])


def _term(pieces: Sequence[tuple[str, str]], index: int) -> Term:
    lead, text = pieces[index]
    try:
        return parse_term(text, lead)
    except SpfSyntaxError:
        if text.endswith((":", "=")) and index + 1 < len(pieces):
            raise mistakes.split_by_blank(f"{text} {pieces[index + 1][1]}") from None
        raise


def _check_once(terms: Sequence[Term], name: str) -> None:
    found = [term for term in terms if term.name == name]
    if len(found) > 1:
        raise SpfSyntaxError(
            found[1].text,
            f"is the second {name}= (RFC 7208 6)",
            f"Keep one {name}=; receivers refuse a record that has two.",
        )


def _no_record(text: str) -> SpfSyntaxError:
    """The error for a text that receivers do not take for an SPF record (RFC 7208, 4.5)."""
    if is_spf(text.lstrip()):
        return SpfSyntaxError(text, "has blank space in front of v=spf1", _BEGINNING)
    first, *_ = [*re.split(r"[ \t\r\n]", text, maxsplit=1), ""]
    if text.lstrip(" ").startswith(('"', "'", "“", "„")):
        return SpfSyntaxError(first, "begins with a quotation mark", "Give it without quotes.")
    if re.fullmatch(r"v=spf1[0-9.].*|v=spf[02-9].*|spf2\.0.*", first, re.IGNORECASE | re.DOTALL):
        complaint = "is not version 1 of SPF, the only one in use (RFC 7208 4.5)"
        return SpfSyntaxError(first, complaint, _BEGINNING)
    if re.match(r"v=spf1\s", text, re.IGNORECASE):
        complaint = "has a tab or line break where a blank belongs (RFC 7208 4.6.1)"
        return SpfSyntaxError(text[:20], complaint, "Separate terms with blanks.")
    if re.match(r"v=spf1", text, re.IGNORECASE):
        complaint = "has no blank right behind v=spf1 (RFC 7208 4.5)"
        return SpfSyntaxError(text[:20], complaint, _BEGINNING)
    return SpfSyntaxError(first, "is not how an SPF record begins (RFC 7208 4.5)", _BEGINNING)


def parse_wanted(text: str) -> SpfRecord:
    """Parse a record that somebody wants to publish.

    Stricter than :func:`parse`: what fits the grammar but is surely a slip is refused too, such
    as ``include=example.com``, ``include:example.com-all`` or a placeholder.

    Raises:
        SpfSyntaxError: the text is no SPF record, or not the one that is meant.
    """
    record = parse(text)
    for term in record.terms:
        check_wanted(term)
    return record


def check_wanted(term: Term) -> None:
    """Raise :class:`SpfSyntaxError` for a term that fits the grammar but is surely a slip."""
    if term.kind == "modifier" and term.name in (*MECHANISMS, "ip", "ipv4", "ipv6"):
        raise SpfSyntaxError(
            term.text,
            f'has "=" behind {term.name}, so that receivers ignore it (RFC 7208 6)',
            f'Write a colon: "{term.text.replace("=", ":", 1)}".',
        )
    if term.kind == "modifier" and term.name == "v":
        raise mistakes.second_beginning(term.text)
    known = term.kind == "mechanism" or term.name in ("redirect", "exp")
    if known and (found := mistakes.slip(term.text)):
        raise found


def equal(a: SpfRecord, b: SpfRecord) -> bool:
    """Whether two records have the same terms in the same order, spelling aside."""
    return a.canonical == b.canonical


def build(terms: Sequence[str], all_qualifier: Qualifier = Qualifier.SOFTFAIL) -> SpfRecord:
    """A new record of these terms, ending in ``~all`` unless told otherwise.

    A term given twice is written once; an ``all`` or ``redirect=`` among the terms is an error.

    Raises:
        SpfSyntaxError: a term is not right.
    """
    parsed: dict[str, Term] = {}
    for text in terms:
        term = parse_term(text)
        check_wanted(term)
        if term.is_all or term.name == "redirect":
            raise SpfSyntaxError(
                text,
                'is not a term of its own in a new record, which ends in an "all"',
                'Say what the final "all" is to be instead, or give the record whole.',
            )
        parsed.setdefault(term.canonical, term)
    written = [term.text for term in parsed.values()]
    return parse(" ".join(["v=spf1", *written, f"{all_qualifier}all"]))
