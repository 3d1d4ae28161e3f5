"""Macro strings: ``%{ir}.%{v}._spf.%{d2}`` (RFC 7208, 7)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_EXPAND = re.compile(
    r"%(?:\{(?P<letter>[slodiphcrtv])(?P<digits>[0-9]*)(?P<reverse>r?)"
    r"(?P<delimiters>[.\-+,/_=]*)\}|(?P<literal>[%_-]))",
    re.IGNORECASE | re.ASCII,
)
_LITERALS = {"%": "%", "_": " ", "-": "%20"}
_ONLY_IN_EXPLANATIONS = "crt"
_UNRESERVED = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~")
_LONGEST_NAME = 253


def complaint(text: str) -> str | None:
    """What is wrong with the macros in ``text`` (RFC 7208, 7.1), or ``None``."""
    rest = _EXPAND.sub("", text)
    if "%" in rest:
        return f'has a macro that does not exist, at "{rest[rest.index("%") :][:12]}"'
    for match in _EXPAND.finditer(text):
        if match["digits"] and not match["digits"].strip("0"):
            return f'has a macro that keeps no parts, "{match[0]}"'
    return None


def only_for_explanations(text: str) -> str | None:
    """The first macro in ``text`` that RFC 7208, 7.2 allows in explanations only."""
    for match in _EXPAND.finditer(text):
        if (match["letter"] or "-").lower() in _ONLY_IN_EXPLANATIONS:
            return match[0]
    return None


def ends_in_macro(text: str) -> bool:
    """Whether the last thing in ``text`` is a macro, one of ``%%``, ``%_``, ``%-`` included."""
    return any(match.end() == len(text) for match in _EXPAND.finditer(text))


def letters(text: str) -> frozenset[str]:
    """The macro letters that ``text`` uses, in lower case."""
    return frozenset(match["letter"].lower() for match in _EXPAND.finditer(text) if match["letter"])


def canonical(domain_spec: str) -> str:
    """``domain_spec`` in its standard spelling.

    In lower case and without the final dot, but with macro letters as written: a capital one
    asks for URL escaping (RFC 7208, 7.3).
    """
    parts, end = [], 0
    for match in _EXPAND.finditer(domain_spec):
        parts += [domain_spec[end : match.start()].lower(), _canonical_macro(match)]
        end = match.end()
    last = domain_spec[end:].lower()
    return "".join([*parts, last.removesuffix(".")])


def _canonical_macro(match: re.Match[str]) -> str:
    if match["literal"]:
        return match[0]
    digits = match["digits"].lstrip("0")
    return f"%{{{match['letter']}{digits}{match['reverse'].lower()}{match['delimiters']}}}"


def expand_name(domain_spec: str, value_of: Callable[[str], str]) -> str:
    """The domain name a domain-spec stands for: lower case, no final dot.

    ``value_of`` is asked for letters in lower case. A name that grew longer than 253 characters
    loses labels on its left (RFC 7208, 7.3). The domain-spec has no :func:`complaint`.
    """
    expanded = _EXPAND.sub(lambda match: _replacement(match, value_of), domain_spec)
    name = expanded.lower().removesuffix(".")
    while len(name) > _LONGEST_NAME and "." in name:
        name = name.partition(".")[2]
    return name


def _replacement(match: re.Match[str], value_of: Callable[[str], str]) -> str:
    if match["literal"]:
        return _LITERALS[match["literal"]]
    delimiters = re.escape(match["delimiters"] or ".")
    parts = re.split(f"[{delimiters}]", value_of(match["letter"].lower()))
    if match["reverse"]:
        parts.reverse()
    # Six digits are more than any name has parts, and keep int() quick.
    kept = int(match["digits"].lstrip("0")[:6]) if match["digits"] else 0
    value = ".".join(parts[-kept:])
    return _escaped(value) if match["letter"].isupper() else value


def _escaped(value: str) -> str:
    """URL escaping of all but the unreserved characters (RFC 3986, 2.3)."""
    return "".join(
        char if char in _UNRESERVED else "".join(f"%{byte:02X}" for byte in char.encode("utf-8"))
        for char in value
    )
