"""Domain names: how a user writes them, how netcup and DNS want them.

A mail *domain* may lie below its *zone*: ``intern.example.com`` in the zone ``example.com`` has
its SPF record at the hostname ``intern``.
"""

from __future__ import annotations

import re

from netcup_mailauth.errors import UsageError

APEX = "@"

_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")

TWO_LABEL_SUFFIXES = frozenset({"co.uk", "org.uk", "me.uk", "co.at", "or.at", "com.de"})
"""Suffixes of two labels that netcup's pattern for a zone name knows.

Confidence: the first five of these are named in copies of netcup's WSDL, which lists more. One
that is missing here costs a look-up of the SOA record in DNS, nothing else.
"""


def normalise(text: str) -> str:
    """A domain name in lower case, in punycode, without the trailing dot.

    Raises:
        UsageError: the text is no domain name (a URL, an address, a blank in it, one label).
    """
    name = text.strip().rstrip(".").lower()
    if not name.isascii():
        name = _punycode(name, text)
    labels = name.split(".")
    if len(labels) < 2 or len(name) > 253 or not all(map(_LABEL.fullmatch, labels)):
        raise UsageError(
            f"{text!r} is not a domain name.",
            "Give the bare domain, as in: example.com",
        )
    if labels[-1].isdigit():
        raise UsageError(f"{text!r} is an address, not a domain name.", "Give the mail domain.")
    return name


def _punycode(name: str, text: str) -> str:
    # IDNA 2008 as browsers and netcup use it: the codec built into Python follows IDNA 2003 and
    # turns straße.de into another domain, strasse.de.
    import idna

    try:
        return idna.encode(name, uts46=True).decode("ascii")
    except idna.IDNAError:
        raise UsageError(
            f"{text!r} is not a valid international domain name.",
            "Give it in punycode (xn--...), as your registrar shows it.",
        ) from None


def selector(text: str) -> str:
    """A DKIM selector in lower case: labels of letters, digits, ``-`` and ``_`` (RFC 6376, 3.1).

    Raises:
        UsageError: it is no such thing; a whole host name is the usual mistake.
    """
    name = text.strip().lower()
    if not all(map(_LABEL.fullmatch, name.split("."))):
        raise UsageError(f"{text!r} is not a DKIM selector.", "It is a short name such as dkim.")
    if "_domainkey" in name:
        raise UsageError(
            f"{text!r} is a record's name, not a selector.",
            f"Give only what stands before ._domainkey: {name.partition('._domainkey')[0]}",
        )
    return name


def is_zone_form(name: str) -> bool:
    """Whether netcup's pattern for a zone name accepts it: one label and a suffix (fact 1.3)."""
    _, _, suffix = name.partition(".")
    return "." not in suffix or suffix in TWO_LABEL_SUFFIXES


def zone_form(name: str) -> str:
    """The part of ``name`` that has the form of a zone: ``example.com`` of ``a.b.example.com``."""
    while not is_zone_form(name):
        name = name.partition(".")[2]
    return name


def relative(name: str, zone: str) -> str:
    """``name`` as a hostname of ``zone``: ``@`` for the apex, else without the zone's name.

    Raises:
        ValueError: the name does not lie in the zone.
    """
    if name == zone:
        return APEX
    if not name.endswith(f".{zone}"):
        raise ValueError(f"{name} does not lie in the zone {zone}")
    return name.removesuffix(f".{zone}")


def absolute(hostname: str, zone: str) -> str:
    """The full name of a hostname of ``zone``, without a trailing dot."""
    return zone if hostname == APEX else f"{hostname}.{zone}"
