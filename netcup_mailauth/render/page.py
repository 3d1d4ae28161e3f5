"""Lines on a terminal: colour, columns, wrapping that never loses a character."""

from __future__ import annotations

import re
from dataclasses import dataclass

_CODES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}
_COLOURS = {"+": "green", "-": "red", "~": "yellow", "!": "red", "?": "yellow"}

MIN_ROOM = 20
"""Columns that text gets at least, however far it is indented."""


@dataclass(frozen=True, slots=True)
class Page:
    """What text is laid out for.

    Attributes:
        width: in columns.
        colour: whether it may be coloured.
        why: whether why something failed is told on it; not where a message beside it does.
    """

    width: int = 100
    colour: bool = False
    why: bool = True

    def paint(self, text: str, name: str = "") -> str:
        """``text`` in this colour, if any, where colours are wanted."""
        if not self.colour or not name or not text:
            return text
        return f"\x1b[{_CODES[name]}m{text}\x1b[0m"

    def sign(self, sign: str) -> str:
        """A sign in its colour, if it has one."""
        return self.paint(sign, _COLOURS.get(sign, ""))

    def hang(self, head: str, text: str, indent: int, colour: str = "") -> list[str]:
        """``text`` behind ``head``, wrapped, its further lines indented by ``indent`` columns."""
        lines = wrap(text, max(self.width - indent, MIN_ROOM))
        first, *rest = (self.paint(line, colour) for line in lines)
        return [head + first if first else head.rstrip(" "), *(" " * indent + r for r in rest)]


_PIECE = re.compile(r"\s*[^\s;,]*[;,]+|\s*[^\s;,]+")


def wrap(text: str, width: int) -> list[str]:
    """``text`` in lines of at most ``width``.

    It is broken at blanks and behind ``;`` and ``,``, and elsewhere only where it must be. Joined
    again the lines give every character of the text but the blanks broken at.
    """
    lines: list[str] = []
    line = ""
    # Blanks at the end belong to no piece, and to look for one behind each of them takes long.
    for piece in _PIECE.findall(text.rstrip()):
        word = piece
        if line and len(line) + len(word) > width:
            lines.append(line)
            line, word = "", word.lstrip()
        line += word
        while len(line) > width:
            lines.append(line[:width])
            line = line[width:]
    return [*lines, line] if line or not lines else lines
