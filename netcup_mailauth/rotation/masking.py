"""What a signer command said, without any of the private key that it was given.

A key may come back in pieces, spaced, numbered, escaped, or in another encoding. So not the text is
searched for the key, but what is left of both without blanks and signs, in every usual spelling;
also each column alone, for what stands in front of the pieces. A line in which a few characters in
a row are the key's is not shown at all.
"""

from __future__ import annotations

import base64
import re
from itertools import groupby
from typing import TYPE_CHECKING

from netcup_mailauth.shown import MASK

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SHOWN = 500
"""Characters of the end of its output that an error shows."""


READ = 64 * 1024
"""Bytes of the end of its output that are looked at."""


_RUN = 8
"""Letters and digits in a row that no text has in common with a key by chance."""


_CHANCE = 3
"""Letters and digits of a word beside a key that hardly are its next ones by chance."""


_COLUMNS = range(-8, 8)


_AS_LONG_AS_A_KEY = 32


_SIGNS = re.compile(r"\\x|\b0x(?=(?:[0-9A-Fa-f]{2})+\b)|[^A-Za-z0-9]+")
"""What may stand between the characters of a key: an escape is none of them, but ``0x`` may well be
two of its own."""


_FENCE = "-----"
"""What the first and the last line of a PEM text have; nothing else of them tells anything."""


_WORD = re.compile(r"[A-Za-z0-9+/=_-]{4,}")


def said(output: bytes, private: str) -> str:
    """The end of an output, fit for a terminal, without the lines that have any of a key in PEM."""
    lines = output[-READ:].decode("utf-8", "replace").splitlines()
    body = "".join(private.splitlines()[1:-1])
    hidden = _lines_with(_Key(private.encode("ascii"), base64.b64decode(body)), lines)

    def masked(word: re.Match[str]) -> str:
        return MASK if len(word[0]) >= _AS_LONG_AS_A_KEY or word[0] in body else word[0]

    hidden.update(number for number, line in enumerate(lines) if _FENCE in line)
    shown = (MASK if n in hidden else _WORD.sub(masked, line) for n, line in enumerate(lines))
    words = " ".join(" ".join(line for line, _ in groupby(shown)).split())
    return ascii(words[-SHOWN:]) if words else ""


class _Key:
    """The runs of a key, in each spelling; those without a case are kept in lower case."""

    def __init__(self, pem: bytes, der: bytes) -> None:
        body = "".join(pem.decode("ascii").splitlines()[1:-1])
        exact, folded = {_bare(body)}, set()
        for data in (pem, der):
            exact |= {_bare(base64.b64encode(data[skip:]).decode()) for skip in range(3)}
            folded |= {base64.b32encode(data[skip:]).decode().lower() for skip in range(5)}
            folded.add(data.hex())
            folded.update("".join(format(byte, style) for byte in data) for style in ("d", "03o"))
        self.exact = {run for text in exact for run in _runs(text)}
        self.folded = {run for text in folded for run in _runs(text)}


def _lines_with(key: _Key, lines: Sequence[str]) -> set[int]:
    """The numbers of the lines of which a run, or half of a short piece, is the key's."""
    found: set[int] = set()
    for pieces in _readings(lines):
        text = "".join(piece for _, piece in pieces)
        lower = text.lower()
        of_key: set[int] = set()
        for at in range(len(text) - _RUN + 1):
            if text[at : at + _RUN] in key.exact or lower[at : at + _RUN] in key.folded:
                of_key.update(range(at, at + _RUN))
        begin = 0
        for number, piece in pieces:
            count = sum(at in of_key for at in range(begin, begin + len(piece)))
            # A word right before a key may end in a letter that goes before it in the key.
            if count and count >= min(_RUN, len(piece), max(_CHANCE, len(piece) / 2)):
                found.add(number)
            begin += len(piece)
    return found


def _readings(lines: Sequence[str]) -> Iterator[list[tuple[int, str]]]:
    """The ways to read lines one after another: whole, or one of their columns.

    Each piece comes with the number of its line.
    """
    yield [(number, _bare(line)) for number, line in enumerate(lines)]
    by_blanks = [line.split() for line in lines]
    by_signs = [_SIGNS.split(line) for line in lines]
    for words in (by_blanks, by_signs):
        for column in _COLUMNS:
            yield [
                (number, _bare(row[column]))
                for number, row in enumerate(words)
                if -len(row) <= column < len(row)
            ]


def _bare(text: str) -> str:
    return _SIGNS.sub("", text)


def _runs(text: str) -> Iterator[str]:
    return (text[at : at + _RUN] for at in range(len(text) - _RUN + 1))
