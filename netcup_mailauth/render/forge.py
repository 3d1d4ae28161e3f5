"""What a forge is given of a text that others wrote, so that it stays a text.

GitHub, GitLab and their like look for links, mentions, references and commands everywhere but in
code. So whatever is not a word of ours stands in code: a name in a span, all else in a fence, each
with more backticks than there are inside. A fence whose lines others may begin stands in a quote,
because what reads a log or a comment line by line knows no fences. Nothing is ever cut: what is too
long is left out, and the place says so.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from netcup_mailauth.render.page import wrap
from netcup_mailauth.render.zone import counted, joined
from netcup_mailauth.shown import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from netcup_mailauth.plan import Failure

MOST = 65_000
"""Characters; what is longer no forge takes as a comment (GitHub: 65,536)."""

LONGEST = 60_000
"""Characters of a plan or a report; the rest is for how to go on."""

LONGEST_TEXT = 4_000
"""Characters of one value or sentence; no record that somebody means has so many."""

MOST_TICKS = 60
"""Backticks in a row; with more than 80 around it, cmark-gfm takes a code span for plain text."""

WIDTH = 80
"""Columns of a sentence in a fence, which no forge folds."""

CAUTION, WARNING = "CAUTION", "WARNING"
"""The alerts of GitHub and GitLab; to any other forge they are quotes that begin with the word."""

_TICKS = re.compile("`+")
_COPIED = "  "
"""What a line of an advice begins with that is to be copied."""


def shown(text: str) -> str:
    """``text`` in one line, made visible; in its place, if no forge can show it, how long it is."""
    seen = visible(text)
    if len(seen) <= LONGEST_TEXT and _longest_run(seen) <= MOST_TICKS:
        return seen
    return f"({len(seen):,} characters, left out here; --format text has them)"


def code(text: str) -> str:
    """``text`` in a code span that nothing inside can end."""
    seen = shown(text)
    ticks = "`" * (_longest_run(seen) + 1)
    # A code span loses one blank at each end if it has one at both.
    edges = {seen[:1], seen[-1:]}
    blank = " " if not seen or "`" in edges or (edges == {" "} and seen.strip()) else ""
    return f"{ticks}{blank}{seen}{blank}{ticks}"


def cell(text: str) -> str:
    """A code span inside a table, where a pipe would end the cell."""
    return code(text).replace("|", "\\|")


def fence(language: str, lines: Sequence[str]) -> list[str]:
    """A code block of these lines, which nothing inside can end."""
    ticks = "`" * max(3, 1 + max(map(_longest_run, lines), default=0))
    return [f"{ticks}{language}", *lines, ticks]


def _longest_run(text: str) -> int:
    return max(map(len, _TICKS.findall(text)), default=0)


def quoted(lines: Iterable[str]) -> list[str]:
    """A quote of these lines."""
    return [f"> {line}".rstrip(" ") for line in lines]


def alert(name: str, head: str, *blocks: Sequence[str]) -> list[str]:
    """What nobody should miss: a sentence of ours, and blocks below it; none of them empty."""
    return quoted([f"[!{name}]", *below(head, blocks)])


def remark(head: str, *blocks: Sequence[str]) -> list[str]:
    """The same for what may be missed."""
    return quoted(below(head, blocks))


def below(head: str, blocks: Iterable[Sequence[str]]) -> list[str]:
    """Blocks below a line, each behind an empty one."""
    lines = [head]
    for block in blocks:
        lines += ["", *block]
    return lines


def folded(summary: str, *blocks: Sequence[str]) -> list[str]:
    """Blocks that are seen when somebody asks for them; ``summary`` is in words of ours."""
    # Blank lines around them, or a forge takes their Markdown for HTML.
    return [*below(f"<details><summary>{summary}</summary>", blocks), "", "</details>"]


def folded_notes(notes: Sequence[Sequence[str]]) -> list[str]:
    """Notes that are seen when somebody asks for them."""
    return folded(counted(len(notes), "note", "notes"), *notes)


def failed(failure: Failure) -> list[str]:
    """Why a domain failed, and what to do."""
    return alert(CAUTION, "**Failed.**", *sentences(failure.message, failure.advice))


def sentences(*texts: str) -> list[list[str]]:
    """Messages and advice as code blocks: sentences in one, each run of lines to copy in its own.

    The sentences are wrapped; a line that is to be copied, which an advice indents, never is.
    """
    blocks: list[list[str]] = []
    told: list[str] = []
    for text in texts:
        told += [""] if told and text else []
        for line in text.split("\n") if text else ():
            if line.startswith(_COPIED):
                blocks += [fence("text", told)] if told else []
                told = []
                blocks.append(fence(_language(line), [shown(line.strip(" "))]))
            else:
                told += wrap(shown(line), WIDTH)
    return [*blocks, fence("text", told)] if told else blocks


def _language(line: str) -> str:
    return "sh" if line.strip(" ").startswith("netcup-mailauth ") else "text"


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a document that is shown whole or not at all.

    Attributes:
        line: what is shown in its place where there is no room for it.
        grave: whether it gets its room before others do.
    """

    lines: tuple[str, ...]
    line: str
    grave: bool = False


def fitted(head: Sequence[str], sections: Sequence[Section], whole: str) -> str:
    """A document that a comment can hold.

    ``head`` comes first; ``whole`` says where everything is, should something be left out. Then the
    grave sections get their room before the others, and the rest have a line each, or are counted.
    """
    output = _joined([head, *(section.lines for section in sections)])
    if len(output) <= LONGEST:
        return output
    shown_whole = _with_room(sections, LONGEST - len(_joined([head])) - len(whole) - 200)
    left = [s for at, s in enumerate(sections) if at not in shown_whole]
    blocks = [section.lines for at, section in enumerate(sections) if at in shown_whole]
    room = LONGEST - len(_joined([head, *blocks])) - len(whole) - 200
    return _joined(
        [head, *blocks, ("### Left out here for its length", "", whole), _listed(left, room)]
    )


def _with_room(sections: Sequence[Section], room: int) -> set[int]:
    """The places of the sections that can be shown whole while all others have their line."""
    room -= sum(len(section.line) + 1 for section in sections)
    chosen = set()
    for at in sorted(range(len(sections)), key=lambda at: not sections[at].grave):
        more = sum(len(line) + 1 for line in sections[at].lines) + 1 - len(sections[at].line)
        if more <= room:
            chosen.add(at)
            room -= more
    return chosen


def _listed(sections: Sequence[Section], room: int) -> list[str]:
    lines: list[str] = []
    ordered = sorted(sections, key=lambda section: not section.grave)
    for number, section in enumerate(ordered):
        room -= len(section.line) + 1
        if room < 0:
            left = len(ordered) - number
            return [*lines, f"- and {counted(left, 'more domain', 'more domains')}"]
        lines.append(section.line)
    return lines


def _joined(blocks: Iterable[Sequence[str]]) -> str:
    """The blocks, a blank line between each two."""
    return "\n".join(joined(block) for block in blocks if block)
