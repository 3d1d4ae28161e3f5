"""Text fit to be looked at: what an API, DNS or a file said must not deceive the eye.

Nor may a secret of ours be in it.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pydantic import SecretStr

MASK = "***"
"""What stands in place of a secret."""

SHORTEST_SECRET = 4
"""Characters of a secret that is masked; a shorter text is part of any sentence."""

_BLANK_LETTERS = frozenset("\u115f\u1160\u3164\uffa0\u2800\U0001d159")
"""Characters that count as letters or symbols, and show nothing (Hangul fillers and the like)."""

_LINES = re.compile(r"(\n)")
_COLOURED_LINES = re.compile(r"(\x1b\[[0-9;]*m|\n)")


def masked(text: str, secrets: Iterable[SecretStr]) -> str:
    """``text`` with a mask in place of each of our secrets."""
    # The longest first: what is left of one that begins with another would be shown.
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= SHORTEST_SECRET:
            text = text.replace(secret.get_secret_value(), MASK)
    return text


def visible(text: str) -> str:
    """``text`` in one line, with everything that could deceive the eye escaped."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(c if _shows(c) else c.encode("unicode_escape").decode() for c in text)


def laid_out(text: str, *, coloured: bool) -> str:
    """The same for text with a layout of ours, which is kept: its lines, and the colours if any."""
    pieces = (_COLOURED_LINES if coloured else _LINES).split(text)
    return "".join(piece if at % 2 else visible(piece) for at, piece in enumerate(pieces))


def _shows(character: str) -> bool:
    # Combining marks and variation selectors (Mn, Me) count as printable, and have no width.
    return (
        character.isprintable()
        and character not in _BLANK_LETTERS
        and unicodedata.category(character) not in ("Mn", "Me")
    )
