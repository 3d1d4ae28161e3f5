"""Wrapping never loses a character; colour adds nothing but escapes."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netcup_mailauth.render.page import MIN_ROOM, Page, wrap
from tests.core.render.samples import LONG_WORDS, RSA, TEXTS

WIDTHS = st.integers(MIN_ROOM, 120)


def squashed(text: str) -> str:
    return re.sub(r"\s", "", text)


@given(TEXTS | LONG_WORDS, WIDTHS)
def test_wrapped_lines_hold_every_character_but_blanks_and_are_never_too_long(
    text: str, width: int
) -> None:
    lines = wrap(text, width)
    assert squashed("".join(lines)) == squashed(text)
    assert all(len(line) <= width for line in lines)


@given(st.lists(st.text("ab;,", min_size=1, max_size=8), min_size=1), WIDTHS)
def test_a_text_of_short_words_is_broken_only_at_blanks_and_behind_punctuation(
    parts: list[str], width: int
) -> None:
    lines = wrap(" ".join(parts), width)
    for line, following in pairwise(lines):
        assert line[-1] in ";," or f"{line} {following}" in " ".join(parts)


def test_a_text_that_fits_keeps_its_blanks() -> None:
    assert wrap("  two  blanks", 30) == ["  two  blanks"]


def test_a_key_longer_than_a_line_is_broken_where_it_must_be() -> None:
    assert "".join(wrap(RSA, 40)) == RSA


def test_an_empty_text_is_one_empty_line() -> None:
    assert wrap("", 40) == [""]


def test_further_lines_hang_under_the_first() -> None:
    page = Page(width=30)
    assert page.hang("    name  ", "v=DMARC1;p=reject;rua=mailto:x", 10) == [
        "    name  v=DMARC1;p=reject;",
        "          rua=mailto:x",
    ]


def test_a_head_with_nothing_behind_it_leaves_no_blanks() -> None:
    assert Page(colour=True).hang("  head  ", "", 8, "red") == ["  head"]


@pytest.mark.parametrize("sign", ["+", "-", "~", "!", "?"])
def test_a_sign_is_coloured_and_stays_a_sign(sign: str) -> None:
    assert re.fullmatch(rf"\x1b\[3\dm{re.escape(sign)}\x1b\[0m", Page(colour=True).sign(sign))
    assert Page(colour=False).sign(sign) == sign


def test_a_blank_sign_and_an_empty_text_are_never_coloured() -> None:
    page = Page(colour=True)
    assert page.sign(" ") == " "
    assert page.paint("", "red") == ""
    assert page.paint("text") == "text"
