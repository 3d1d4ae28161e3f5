"""Tag lists: nothing is lost in reading, and an edit touches one tag only."""

from __future__ import annotations

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from netcup_mailauth import taglist
from netcup_mailauth.taglist import Tag, TagListError
from tests.effort import MANY

PIECES = st.lists(
    st.sampled_from(["v", "p", "a_1", "=", ";", " ", "\t", "\r\n", "DKIM1", "none", "\xa0", "1x"]),
    max_size=25,
).map("".join)


@given(PIECES | st.text())
@MANY
@example("")
@example(";")
@example("a=b; ;c=d;\n")
def test_any_text_is_printed_as_it_was_read(text: str) -> None:
    assert str(taglist.read(text)) == text


@given(PIECES)
@MANY
def test_what_parses_is_printed_unchanged_and_has_only_tags(text: str) -> None:
    try:
        tags = taglist.parse(text)
    except TagListError:
        assert "" in taglist.read(text).names()
    else:
        assert str(tags) == text
        assert all(tags.names())


@given(PIECES, st.sampled_from(["p", "v", "zz"]), st.sampled_from(["x", "", "a=b", "a b"]))
@MANY
def test_a_set_tag_is_there_once_and_the_others_keep_their_text(
    text: str, name: str, value: str
) -> None:
    before = taglist.read(text)
    after = taglist.read(str(before.with_tag(name, value, after="v")))
    assert after.get(name) == value
    assert after.names().count(name) == 1
    assert [t.value for t in after.tags if t.name and t.name != name] == [
        t.value for t in before.tags if t.name and t.name != name
    ]


def test_blanks_around_names_and_values_are_kept_but_not_part_of_them() -> None:
    tags = taglist.parse("v = DMARC1 ;\tp\r\n =none ; ")
    assert tags.tags[1] == Tag("p", "none", "\tp\r\n =none ")
    assert tags.tail == " "


def test_a_no_break_space_is_not_a_blank() -> None:
    assert taglist.parse("p=\xa0none").get("p") == "\xa0none"


def test_a_value_may_hold_equals_signs() -> None:
    assert taglist.parse("p=QUJD==").get("p") == "QUJD=="


def test_the_tail_tells_no_semicolon_from_one() -> None:
    assert taglist.parse("v=x").tail is None
    assert taglist.parse("v=x;").tail == ""


@pytest.mark.parametrize("text", ["", "v", "v=x;;p=y", "v=x;p", "v=x; -p=y", "=x", "1a=x", "ä=x"])
def test_what_is_no_tag_is_refused(text: str) -> None:
    with pytest.raises(TagListError):
        taglist.parse(text)


def test_the_message_names_the_part() -> None:
    with pytest.raises(TagListError, match=r"'mailto:b@x\.de' is no tag"):
        taglist.parse("v=DMARC1;rua=mailto:a@x.de;mailto:b@x.de")
    with pytest.raises(TagListError, match="nothing between two semicolons"):
        taglist.parse("v=DMARC1;;p=none")


def test_a_missing_tag_is_none_and_the_first_of_two_counts() -> None:
    tags = taglist.parse("a=1;a=2")
    assert tags.get("a") == "1"
    assert tags.get("A") is None


def test_duplicates_are_found() -> None:
    assert taglist.parse("a=1;b=2").duplicate() is None
    assert taglist.parse("a=1;b=2;b=3").duplicate() == "b"
    assert taglist.read("x;y").duplicate() is None  # parts without a name are no duplicates


def test_a_tag_is_set_in_place_with_its_blanks() -> None:
    tags = taglist.parse("v=DMARC1;  p =  none  ; sp=none")
    assert str(tags.with_tag("p", "reject", after="v")) == "v=DMARC1;  p =  reject  ; sp=none"


def test_an_empty_value_is_filled() -> None:
    assert str(taglist.parse("v=DKIM1; p= ;").with_tag("p", "x", after="v")) == "v=DKIM1; p=x ;"


def test_setting_a_tag_removes_its_duplicates() -> None:
    tags = taglist.parse("v=DMARC1; p=none; x=1; p=reject")
    assert str(tags.with_tag("p", "none", after="v")) == "v=DMARC1; p=none; x=1"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("v=DMARC1; p=none", "v=DMARC1; sp=none; p=none"),
        ("v=DMARC1;p=none;", "v=DMARC1;sp=none;p=none;"),
        ("v=DMARC1", "v=DMARC1;sp=none"),
        ("p=none; x=1", "p=none; x=1; sp=none"),  # nothing to stand behind: last
    ],
)
def test_a_new_tag_is_spelled_like_its_neighbours(text: str, expected: str) -> None:
    assert str(taglist.parse(text).with_tag("sp", "none", after="v")) == expected


@pytest.mark.parametrize(("name", "value"), [("p", "a;b"), ("p", " a"), ("p q", "a"), ("", "a")])
def test_what_would_not_be_read_back_is_not_written(name: str, value: str) -> None:
    with pytest.raises(TagListError, match="cannot be written"):
        taglist.parse("v=DMARC1").with_tag(name, value, after="v")


def test_a_tag_is_taken_out_wherever_it_stands() -> None:
    tags = taglist.parse("v=DMARC1; pct=5; p=none; pct=6;")
    assert str(tags.without("pct")) == "v=DMARC1; p=none;"


def test_a_key_in_the_wrong_place_is_not_shown() -> None:
    secret = "nWGxne9qmWYAcBDaV6lMTVZbQWEH8Q4HbuyE4AyDtnU="
    assert secret[:12] not in taglist.shown(secret)
    assert taglist.shown("p=none") == "'p=none'"
    assert taglist.shown("x " * 40).endswith("…'")


def test_long_runs_of_blanks_take_no_quadratic_time() -> None:
    started = time.thread_time()
    taglist.parse("v=" + " " * 200_000 + "x" + " " * 200_000 + "y;a=b")
    assert time.thread_time() - started < 10
