"""One term of an SPF record: a mechanism or a modifier (RFC 7208, 4.6.1)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Address, IPv6Network
from typing import Literal

from netcup_mailauth.spf import macros, mistakes

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
    def value(self) -> str | Network | None:
        """The network of ``ip4`` and ``ip6``, else the domain-spec or macro string as written."""
        return self.domain if self.network is None else self.network

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

    Raises:
        SpfSyntaxError: the text is no term; the message says what it is instead.
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
