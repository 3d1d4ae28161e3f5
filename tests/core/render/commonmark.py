"""The little of CommonMark that decides whether a text escapes its code span.

Written from the specification (0.31, 2.4 and 6.1; GFM 4.10), not from the code under test.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

PUNCTUATION = frozenset("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")


@dataclass(frozen=True)
class Inline:
    """One line of Markdown.

    ``spans`` are the contents of its code spans. ``rest`` is everything else, each span replaced
    by a control picture: ``raw`` without what a backslash has escaped, which is where markup
    hides; ``text`` as it reads once the backslashes are taken away, which is where a forge looks
    for mentions and links.
    """

    spans: tuple[str, ...]
    raw: str
    text: str


def inline(line: str) -> Inline:
    spans: list[str] = []
    raw, text = "", ""
    position = 0
    while position < len(line):
        character = line[position]
        if character == "\\" and line[position + 1 : position + 2] in PUNCTUATION:
            text += line[position + 1]
            position += 2
            continue
        if character == "`":
            fence = re.compile("`+").match(line, position)
            assert fence is not None
            closing = next(
                (m for m in re.compile("`+").finditer(line, fence.end()) if m[0] == fence[0]), None
            )
            if closing is not None:
                spans.append(_content(line[fence.end() : closing.start()]))
                raw, text = f"{raw}␀", f"{text}␀"
                position = closing.end()
                continue
            raw, text = raw + fence[0], text + fence[0]
            position = fence.end()
            continue
        raw, text = raw + character, text + character
        position += 1
    return Inline(tuple(spans), raw, text)


def cells(row: str) -> list[str]:
    """The cells of a table row, split and unescaped as GFM does before it looks at code spans."""
    assert row.startswith("| ")
    assert row.endswith(" |")
    parts = re.split(r"(?<!\\)\|", row[1:-1])
    return [part.strip(" ").replace("\\|", "|") for part in parts]


def _content(inside: str) -> str:
    if inside[:1] == inside[-1:] == " " and inside.strip(" "):
        return inside[1:-1]
    return inside
