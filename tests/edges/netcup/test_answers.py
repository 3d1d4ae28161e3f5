"""What an API says, made fit to show."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from netcup_mailauth.netcup import wire

KEY = SecretStr("C4n4ry-5ecret")


def test_secrets_are_masked_and_control_characters_written_out() -> None:
    text = "the key C4n4ry-5ecret\n is\x1b[2J b\u202ead"
    assert wire.masked(text, [KEY]) == "the key *** is\\x1b[2J b\\u202ead"


def test_a_short_secret_is_a_part_of_any_sentence_and_stays() -> None:
    assert wire.masked("a bad key", [SecretStr("a")]) == "a bad key"


def test_words_without_end_are_cut() -> None:
    assert len(wire.masked("x" * 10_000, [])) < 2_010


@pytest.mark.parametrize(
    ("payload", "shape"),
    [
        ({"id": 7, "ok": True, "at": None, "x": 1.5}, "{id: int, ok: bool, at: null, x: float}"),
        (["a", "b", 1], "[3 of str | int]"),
        ([], "[]"),
        ("C4n4ry-5ecret", "str"),
        ({"C4n4ry-5ecret": 1, "x" * 40: 2}, "{?: int, ?: int}"),
        ({"a": {"b": {"c": {"d": {"e": {"f": 1}}}}}}, "{a: {b: {c: {d: {e: {...}}}}}}"),
        ([[[[[[1]]]]]], "[1 of [1 of [1 of [1 of [1 of [...]]]]]]"),
    ],
)
def test_a_shape_has_fields_and_types_and_no_values(payload: Any, shape: str) -> None:
    assert wire.shape(payload) == shape


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=30,
)


@given(json_values)
def test_the_shape_of_anything_is_one_short_printable_line(payload: Any) -> None:
    shape = wire.shape(payload)
    assert len(shape) < 610
    assert shape.isascii()
    assert shape.isprintable()
