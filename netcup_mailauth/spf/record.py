"""An SPF record and its terms: read without loss, printed, compared (RFC 7208, 4.5, 4.6 and 12)."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property, lru_cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network
from typing import TYPE_CHECKING, Literal

from netcup_mailauth.spf import macros, mistakes
from netcup_mailauth.spf.mistakes import SpfSyntaxError

if TYPE_CHECKING:
    from collections.abc import Sequence

Network = IPv4Network | IPv6Network

MECHANISMS = ("all", "include", "a", "mx", "ptr", "ip4", "ip6", "exists")
ASKING = frozenset({"include", "a", "mx", "ptr", "exists"})
ASKING_MODIFIERS = frozenset({"redirect"})
"""The terms that count towards the ten look-ups (RFC 7208, 4.6.4)."""

_MODIFIER = re.compile(r"(?P<name>[A-Za-z][A-Za-z0-9_.-]*)=(?P<value>.*)", re.DOTALL)
_MECHANISM = re.compile(
    r"(?P<qualifier>[-+?~]?)(?P<name>[A-Za-z][A-Za-z0-9_.-]*)(?P<rest>(?:[:/].*)?)", re.DOTALL
)
_DUAL_CIDR = re.compile(
    r"(?P<domain>.*?)(?:/(?P<cidr4>[0-9]+))?(?://(?P<cidr6>[0-9]+))?", re.DOTALL
)
# A domain-spec ends in a macro, or in a top label with a dot before it that is not all digits
# (RFC 7208, 7.1).
_TOP_LABEL = re.compile(r"\.(?![0-9]+\.?\Z)[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.?\Z")
_CIDR_MAX = {"4": 32, "6": 128}


class Qualifier(StrEnum):
    """What a match means (RFC 7208, 4.6.2), from the softest to the hardest."""

    PASS = "+"  # noqa: S105
    NEUTRAL = "?"
    SOFTFAIL = "~"
    FAIL = "-"

    @property
    def word(self) -> str:
        """The result this qualifier gives: ``pass``, ``neutral``, ``softfail``, ``fail``."""
        return self.name.lower()


def in_words(text: str) -> str:
    """A term as a sentence names it: quoted where it could be read as a word of the sentence."""
    return f'"{text}"' if text.isalpha() else text


@dataclass(frozen=True, slots=True)
class Term:
    """One term, as written and as understood.

    ``lead`` is the blank space in front of it. ``qualifier`` is ``None`` for a modifier;
    ``domain`` is the domain-spec (or, for a modifier, the macro string) as written; ``network``
    is set for ``ip4`` and ``ip6`` only, its host bits cleared.
    """

    text: str
    kind: Literal["mechanism", "modifier"]
    name: str
    qualifier: Qualifier | None = None
    domain: str | None = None
    network: Network | None = None
    cidr4: int = 32
    cidr6: int = 128
    lead: str = " "

    @property
    def canonical(self) -> str:
        """The standard spelling: two terms of one meaning share it."""
        sign = self.qualifier if self.qualifier not in (None, Qualifier.PASS) else ""
        return f"{sign}{self.unqualified}"

    @property
    def unqualified(self) -> str:
        """The standard spelling without the qualifier: what the term asks, not what it answers."""
        if self.kind == "modifier":
            return f"{self.name}={self._modifier_value()}"
        if self.network is not None:
            return f"{self.name}:{_spelling(self.network)}"
        domain = "" if self.domain is None else f":{macros.canonical(self.domain)}"
        cidr4 = "" if self.cidr4 == _CIDR_MAX["4"] else f"/{self.cidr4}"
        cidr6 = "" if self.cidr6 == _CIDR_MAX["6"] else f"//{self.cidr6}"
        return f"{self.name}{domain}{cidr4}{cidr6}"

    @property
    def asks_dns(self) -> bool:
        """Whether the term counts towards the ten look-ups (RFC 7208, 4.6.4)."""
        return self.name in (ASKING if self.kind == "mechanism" else ASKING_MODIFIERS)

    @property
    def is_all(self) -> bool:
        """Whether this is the mechanism; ``all=...`` is but an unknown modifier (RFC 7208, 6)."""
        return self.kind == "mechanism" and self.name == "all"

    def _modifier_value(self) -> str:
        # What the value of an unknown modifier means is unknown, so its case is kept.
        value = self.domain or ""
        return macros.canonical(value) if self.name in ("redirect", "exp") else value

    def covers(self, other: Term) -> bool:
        """Whether everything ``other`` matches is matched by this mechanism too.

        Decided by the text alone: the same question with the same or a shorter prefix.
        """
        if self.network is not None and other.network is not None:
            return _contains(self.network, other.network)
        return (
            (self.name, self.target) == (other.name, other.target)
            and self.cidr4 <= other.cidr4
            and self.cidr6 <= other.cidr6
        )

    def encloses(self, other: Term) -> bool:
        """Whether nothing that ``other`` matches can get past this mechanism; by text alone.

        As :meth:`covers`; besides, ``ip4:0.0.0.0/0`` and ``ip6:::/0`` stand for an ``all``.
        """
        everybody = self.network is not None and self.network.prefixlen == 0
        return self.covers(other) or (everybody and not self.is_apart_from(other))

    def is_apart_from(self, other: Term) -> bool:
        """Whether the text alone says that no mail matches both: two networks apart."""
        if self.network is None or other.network is None:
            return False
        return not (
            _contains(self.network, other.network) or _contains(other.network, self.network)
        )

    @property
    def target(self) -> str | None:
        """The domain-spec in its standard spelling."""
        return None if self.domain is None else macros.canonical(self.domain)


def _contains(outer: Network, inner: Network) -> bool:
    return (
        outer.version == inner.version
        and outer.prefixlen <= inner.prefixlen
        and inner.supernet(new_prefix=outer.prefixlen) == outer
    )


def _spelling(network: Network) -> str:
    """The shortest standard spelling of a network, the same under every Python (RFC 5952)."""
    address = network.network_address
    text = str(address)
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        text = f"::ffff:{address.ipv4_mapped}"
    return text if network.prefixlen == network.max_prefixlen else f"{text}/{network.prefixlen}"


def parse_term(text: str, lead: str = " ") -> Term:
    """Parse one term (RFC 7208, 4.6.1).

    Raises SpfSyntaxError if the text is no term; the message says what it is instead.
    """
    mistakes.check_characters(text)
    modifier = _MODIFIER.fullmatch(text)
    if modifier:
        return _modifier(text, modifier["name"].lower(), modifier["value"], lead)
    mechanism = _MECHANISM.fullmatch(text)
    if mechanism is None or mechanism["name"].lower() not in MECHANISMS:
        raise mistakes.unknown_term(text)
    name, rest = mechanism["name"].lower(), mechanism["rest"]
    qualifier = Qualifier(mechanism["qualifier"] or "+")
    if name == "all":
        return _all(text, qualifier, rest, lead)
    if name in ("ip4", "ip6"):
        network = _network(text, name, rest)
        return Term(text, "mechanism", name, qualifier, network=network, lead=lead)
    return _asking(text, name, qualifier, rest, lead)


def _modifier(text: str, name: str, value: str, lead: str) -> Term:
    if name in ("redirect", "exp"):
        _check_domain(text, value)
    elif problem := macros.complaint(value):
        raise mistakes.bad_macro(text, problem)
    return Term(text, "modifier", name, domain=value, lead=lead)


def _all(text: str, qualifier: Qualifier, rest: str, lead: str) -> Term:
    if rest:
        raise mistakes.all_with_value(text)
    return Term(text, "mechanism", "all", qualifier, lead=lead)


def _network(text: str, name: str, rest: str) -> Network:
    address, slash, prefix = rest.removeprefix(":").partition("/")
    family = name[-1]
    if not rest.startswith(":") or not address:
        raise mistakes.no_address(text, name)
    try:
        # A zone index (fe80::1%eth0) is no part of the grammar.
        kind = IPv4Network if family == "4" else IPv6Network
        network: Network = kind(address if "%" not in address else "%")
    except ValueError:
        raise mistakes.bad_address(text, name, address) from None
    length = _prefix(text, prefix, family) if slash else _CIDR_MAX[family]
    return network.supernet(new_prefix=length)


def _prefix(text: str, digits: str, family: str) -> int:
    if not re.fullmatch(r"0|[1-9][0-9]*", digits, re.ASCII):
        raise mistakes.bad_prefix(text, digits)
    # Four digits are too many already, and keep int() quick.
    if int(digits[:4]) > _CIDR_MAX[family]:
        raise mistakes.long_prefix(text, _CIDR_MAX[family])
    return int(digits)


def _asking(text: str, name: str, qualifier: Qualifier, rest: str, lead: str) -> Term:
    domain, cidr4, cidr6 = rest, None, None
    if name in ("a", "mx"):
        match = _DUAL_CIDR.fullmatch(rest)
        assert match is not None  # every part of the expression may be empty
        domain, cidr4, cidr6 = match["domain"], match["cidr4"], match["cidr6"]
    if domain.startswith("/"):
        raise mistakes.stray_slash(text, name)
    if domain:
        _check_domain(text, domain[1:])
    elif name in ("include", "exists"):
        raise mistakes.no_domain(text)
    return Term(
        text,
        "mechanism",
        name,
        qualifier,
        domain=domain[1:] if domain else None,
        cidr4=32 if cidr4 is None else _prefix(text, cidr4, "4"),
        cidr6=128 if cidr6 is None else _prefix(text, cidr6, "6"),
        lead=lead,
    )


def _check_domain(text: str, domain: str) -> None:
    """Raise unless ``domain`` is a domain-spec (RFC 7208, 7.1)."""
    if not domain:
        raise mistakes.no_domain(text)
    if problem := macros.complaint(domain):
        raise mistakes.bad_macro(text, problem)
    if macro := macros.only_for_explanations(domain):
        raise mistakes.explanation_macro(text, macro)
    if not (_TOP_LABEL.search(domain) or macros.ends_in_macro(domain)):
        raise mistakes.bad_domain(text, domain)


def spelt_out(domain: str, term: Term) -> Term:
    """The term with the domain it means in the record of ``domain``.

    ``redirect=`` is the ``include:`` it is: both ask whom another record lets send.
    """
    if term.name == "redirect":
        return spelt_out(domain, parse_term(f"include:{term.domain}"))
    if term.domain is None:
        return replace(term, domain=domain) if term.name in ("a", "mx", "ptr") else term
    if macros.letters(term.domain) == {"d"}:
        return replace(term, domain=macros.expand_name(term.domain, lambda _: domain))
    return term


LONGEST = 65_535
"""Octets of a TXT record's rdata (RFC 1035, 3.2.1); no record is longer."""

_BEGINNING = "Begin it with v=spf1 and a blank, with nothing in front."


@dataclass(frozen=True)
class SpfRecord:
    """A record as written: ``str(record)`` is the text it was parsed from.

    ``version`` is ``v=spf1`` in the case it was written in, ``tail`` the blanks at the end.
    """

    version: str
    terms: tuple[Term, ...]
    tail: str = ""

    def __str__(self) -> str:
        return self.version + "".join(term.lead + term.text for term in self.terms) + self.tail

    @cached_property
    def canonical(self) -> tuple[str, ...]:
        """The terms in their standard spelling; equal for records of one meaning."""
        return tuple(term.canonical for term in self.terms)

    @cached_property
    def all_term(self) -> Term | None:
        """The first ``all``, which is the one that counts (RFC 7208, 5.1)."""
        return next((term for term in self.terms if term.is_all), None)

    @property
    def all_qualifier(self) -> Qualifier | None:
        """What happens to mail from everywhere else, or ``None`` without an ``all``."""
        return None if self.all_term is None else self.all_term.qualifier

    @cached_property
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
    return text[:6].lower() == "v=spf1" and text[6:7] in ("", " ")


_MEANT = re.compile(
    r"(?:v\s{0,9}[=:]?\s{0,9})?spf1(?=[\s,;:]|\Z|[+~?-]all\b)[\s,;:]{0,9}", re.IGNORECASE
)
_SEPARATOR = re.compile(
    r"[,;]+(?=\s|\Z|[+~?-]?(?:all|a|mx|ptr|ip4|ip6|include|exists)\b)", re.IGNORECASE
)


def is_meant(text: str) -> bool:
    """Whether a TXT at a domain was plainly meant as its SPF record.

    A version in front, in any spelling, behind blanks or quotes; everybody leaves texts there, so
    that nothing less tells. Another version of SPF is somebody else's (``spf2.0/pra``).
    """
    return is_spf(text) or _MEANT.match(_unquoted(text)) is not None


def mended(text: str) -> str:
    """The record that was plainly meant; what is not plain in it stays as it is."""
    bare = _unquoted(text)
    found = _MEANT.match(bare)
    if is_spf(text) or found is None:
        return text
    rest = re.sub(r"[\t\r\n\u00a0]", " ", _SEPARATOR.sub(" ", bare[found.end() :]))
    return f"v=spf1 {re.sub(r' {2,}', ' ', rest).strip()}".rstrip()


def _unquoted(text: str) -> str:
    return re.sub(r'["\\“”„\ufeff\u200b]', "", text).strip(" \t\r\n\u00a0'‘’`")


@lru_cache(maxsize=128)
def parse(text: str) -> SpfRecord:
    """Parse a record, keeping every character; plan, judge and display ask for one text each.

    Accepts exactly what RFC 7208 accepts, hence also two ``all`` (``lint`` reports them) and
    unknown modifiers; two ``redirect=`` or two ``exp=`` it does not (RFC 7208, 6). Raises
    SpfSyntaxError if the text is no SPF record; receivers would say ``permerror``.
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

    Stricter than :func:`parse`: what fits the grammar but is surely a slip is refused too, such as
    ``include=example.com``, ``include:example.com-all`` or a placeholder. Raises SpfSyntaxError if
    the text is no SPF record, or not the one that is meant.
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
