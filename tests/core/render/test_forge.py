"""A text of others stays a text, whatever a forge looks for in it."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from netcup_mailauth.render.forge import (
    LONGEST,
    LONGEST_TEXT,
    MOST_TICKS,
    Section,
    alert,
    cell,
    code,
    fence,
    fitted,
    folded,
    quoted,
    sentences,
)
from netcup_mailauth.shown import visible
from tests.core.render.commonmark import cells, inline
from tests.core.render.samples import TEXTS
from tests.hostile import ATTACKS
from tests.rendering import as_github, as_strictest, is_harmless, page

ANY = (TEXTS | st.sampled_from(ATTACKS)).filter(lambda text: "`" * (MOST_TICKS + 1) not in text)


@given(ANY)
@example("a`b``c")
def test_a_code_span_gives_its_text_back_and_nothing_else(text: str) -> None:
    seen = inline(code(text))
    assert seen.text == "␀"
    assert seen.spans == (visible(text) or "  ",)


@given(ANY)
@example("a|b")
def test_a_cell_is_one_cell_and_gives_its_text_back(text: str) -> None:
    (content,) = cells(f"| {cell(text)} |")
    assert inline(content).spans == (visible(text) or "  ",)
    assert inline(content).text == "␀"


@given(ANY)
def test_the_ticks_of_a_code_span_are_more_than_any_inside(text: str) -> None:
    seen = code(text)
    ticks = re.match("`+", seen)
    assert ticks is not None
    assert ticks[0] not in seen[len(ticks[0]) : -len(ticks[0])]


@given(st.lists(ANY, min_size=1, max_size=4))
@example(["```", "x"])
@example(["`````", "````", " ```"])
def test_a_fence_gives_its_lines_back_in_one_block_for_every_library(texts: list[str]) -> None:
    lines = [visible(text) for text in texts]
    for markdown in (fence("text", lines), quoted(fence("text", lines))):
        for render in (as_github, as_strictest):
            shown = page(render("\n".join(markdown)))
            kept = "".join(f"{line}\n" for line in lines)
            if markdown[0].startswith(">"):
                kept = "".join(f"{line.rstrip(' ')}\n" for line in lines)
            assert shown.codes == [kept]
            assert shown.words == []


@given(ANY, ANY)
def test_sentences_lose_nothing_but_blanks(message: str, advice: str) -> None:
    blocks = sentences(message, advice)
    told = "".join(line for block in blocks for line in block[1:-1])
    assert "".join(told.split()) == "".join(
        "".join(map(visible, f"{message}{advice}".split("\n"))).split()
    )


def test_a_line_to_copy_stands_alone_and_in_one_piece() -> None:
    command = f"  netcup-mailauth plan example.com --spf '{' '.join(['v=spf1'] + ['ip4:x'] * 30)}'"
    blocks = sentences("It is so.", f"Do this:\n{command}\nor write:\n  v=spf1 -all")
    assert blocks == [
        ["```text", "It is so.", "", "Do this:", "```"],
        ["```sh", command.strip(), "```"],
        ["```text", "or write:", "```"],
        ["```text", "v=spf1 -all", "```"],
    ]


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_alert_and_what_is_folded_hold_anything(attack: str) -> None:
    document = [
        *alert("CAUTION", f"**Refused:** {code(attack)}", *sentences(attack, f"a\n  {attack}")),
        "",
        *folded("1 note", quoted(fence("text", [visible(attack)]))),
    ]
    shown = is_harmless("\n".join(document))
    assert shown.outline.count("details") == shown.outline.count("blockquote") - 1 == 1


def test_a_text_that_no_comment_can_hold_is_not_cut_but_left_out_with_its_length() -> None:
    text = "x" * 60_000
    for seen in (code(text), "\n".join(sentences(text)[0])):
        assert "(60,000 characters, left out here; --format text has them)" in seen
        assert "xx" not in seen
    assert "x" * LONGEST_TEXT in code("x" * LONGEST_TEXT)


def test_what_no_library_can_end_is_left_out_too() -> None:
    for number in (MOST_TICKS + 1, 80, 255, 300):
        assert f"({number:,} characters, left out here" in code("`" * number)
    (shown,) = page(as_github(code("`" * MOST_TICKS))).codes
    assert shown == "`" * MOST_TICKS


def section(number: int, size: int, *, grave: bool = False) -> Section:
    lines = (f"### {number}", "", *fence("text", ["y" * 70] * (size // 71)))
    return Section(lines, f"- {number}", grave)


def test_what_fits_is_whole_and_says_nothing_of_it() -> None:
    assert fitted(["a"], [section(1, 10_000)], "Elsewhere.").count("\n") > 100
    assert "Elsewhere." not in fitted(["a"], [section(1, 10_000)], "Elsewhere.")


def test_sections_are_left_out_whole_the_grave_ones_last_and_it_is_said() -> None:
    sections = [section(n, 20_000, grave=n == 4) for n in range(1, 6)]
    document = fitted(["## All"], sections, "Elsewhere.")
    assert len(document) <= LONGEST
    assert re.findall("^### (.*)", document, re.MULTILINE) == [
        "1", "4", "Left out here for its length",
    ]  # fmt: skip
    assert document.endswith("\n\nElsewhere.\n\n- 2\n- 3\n- 5\n")
    is_harmless(document)


def test_lines_that_do_not_fit_either_are_counted_the_grave_ones_first() -> None:
    sections = [Section(("x" * 100,), f"- {n} {'z' * 90}", n == 900) for n in range(1_000)]
    document = fitted(["## All"], sections, "Elsewhere.")
    assert len(document) <= LONGEST
    assert document.index("- 900 ") < document.index("- 0 ")
    listed = document.count("zzz\n")
    assert document.endswith(f"- and {1_000 - listed} more domains\n")
