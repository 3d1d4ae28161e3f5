"""What holds for every record, and for every text that is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netcup_mailauth.spf import (
    Qualifier,
    SpfEditError,
    SpfRecord,
    SpfSyntaxError,
    check_host,
    cost,
    describe_changes,
    drop,
    equal,
    lint,
    merge,
    parse,
    parse_term,
    parse_wanted,
    require,
    with_all,
)
from tests.core.spf.zones import Zones
from tests.effort import MANY, SOME

if TYPE_CHECKING:
    from collections.abc import Callable

QUALIFIERS = st.sampled_from(["", "+", "-", "~", "?"])
NAMES = st.sampled_from(
    ["example.com", "Mail.Example.COM.", "_spf.%{d}", "%{ir}.%{v}.x.example", "a.xn--p1ai"]
)
PREFIX4 = st.one_of(st.just(""), st.integers(0, 32).map(lambda n: f"/{n}"))
PREFIX6 = st.one_of(st.just(""), st.integers(0, 128).map(lambda n: f"/{n}"))
DUAL = st.tuples(PREFIX4, st.one_of(st.just(""), st.integers(0, 128).map(lambda n: f"//{n}"))).map(
    "".join
)
NETWORKS = st.one_of(
    st.tuples(st.just("ip4:"), st.ip_addresses(v=4).map(str), PREFIX4).map("".join),
    st.tuples(st.just("IP6:"), st.ip_addresses(v=6).map(str), PREFIX6).map("".join),
    st.tuples(st.just("ip4:203.0.113.7"), PREFIX4).map("".join),
)
MECHANISMS = st.tuples(
    QUALIFIERS,
    st.one_of(
        NETWORKS,
        st.tuples(st.sampled_from(["a", "mx", "MX"]), DUAL).map("".join),
        st.tuples(st.sampled_from(["a:", "mx:"]), NAMES, DUAL).map("".join),
        st.tuples(st.sampled_from(["include:", "exists:", "ptr:"]), NAMES).map("".join),
        st.just("ptr"),
    ),
).map("".join)
MODIFIERS = st.sampled_from(["moo=Cow", "ra=me", "x.y-z_=%%", "exp=why.example.com"])
ENDS = st.sampled_from(["", "~all", "-ALL", "?all", "all", "redirect=_spf.example.com"])


@st.composite
def records(draw: st.DrawFn) -> str:
    terms = draw(st.lists(MECHANISMS, max_size=6))
    middle = draw(st.lists(MODIFIERS, max_size=1))
    dead = draw(st.lists(MECHANISMS, max_size=1))
    words = [*terms, *middle, draw(ENDS), *dead]
    blanks = draw(st.lists(st.integers(1, 3), min_size=len(words), max_size=len(words)))
    text = "".join(" " * n + word for n, word in zip(blanks, words, strict=True))
    return draw(st.sampled_from(["v=spf1", "V=SPF1"])) + text


TEXTS = st.one_of(
    st.text(max_size=60),
    st.text(max_size=60).map(lambda text: f"v=spf1 {text}"),
    st.text(alphabet="amxiplc46:/.%{}dr2-+~?=0135 \\,;<>\"' ", max_size=50).map(
        lambda text: f"v=spf1 {text}"
    ),
    st.lists(
        st.sampled_from(
            [
                "ip4:",
                "ip6:",
                "a",
                ":",
                "/",
                "24",
                "%{d",
                "}",
                "all",
                "-",
                "1.2.3.4",
                "::1",
                " ",
                "=",
            ]
        ),
        max_size=8,
    ).map(lambda parts: "v=spf1 " + "".join(parts)),
)


def check_message(error: SpfSyntaxError) -> None:
    assert error.what.isprintable()
    assert error.advice.isprintable()
    assert error.advice


@MANY
@given(records())
def test_every_record_is_printed_as_it_was_written(text: str) -> None:
    assert str(parse(text)) == text


@MANY
@given(TEXTS)
def test_no_text_does_worse_than_a_syntax_error(text: str) -> None:
    try:
        record = parse(text)
    except SpfSyntaxError as error:
        check_message(error)
        return
    assert str(record) == text
    lint(record)
    assert parse("v=spf1 " + " ".join(record.canonical)).canonical == record.canonical


@MANY
@given(TEXTS)
@pytest.mark.parametrize("function", [parse_wanted, parse_term])
def test_no_wanted_text_does_worse_either(function: Callable[[str], object], text: str) -> None:
    try:
        function(text)
    except SpfSyntaxError as error:
        check_message(error)


@SOME
@given(records(), st.lists(MECHANISMS, min_size=1, max_size=3))
def test_requiring_keeps_all_else_in_its_order_and_is_settled_at_once(
    text: str, terms: list[str]
) -> None:
    record = parse(text)
    try:
        edited = require(record, *terms)
    except SpfEditError:
        return
    added = [change for change in describe_changes(record, edited) if change.action != "kept"]
    assert {change.action for change in added} <= {"added", "changed", "moved"}
    named = {parse_term(term).unqualified for term in terms}
    assert {parse_term(change.text).unqualified for change in added} <= named
    others = [term for term in record.terms if term.unqualified not in named]
    assert [term for term in edited.terms if term.unqualified not in named] == others
    assert require(edited, *terms) is edited
    assert str(parse(str(edited))) == str(edited)


@SOME
@given(records(), st.lists(MECHANISMS, max_size=2))
def test_dropping_takes_out_only_what_is_named(text: str, extra: list[str]) -> None:
    record = parse(text)
    named = [*extra, *(term.text for term in record.terms[:2])]
    edited = drop(record, *named)
    assert set(edited.terms) <= set(record.terms)
    assert drop(edited, *named) is edited
    assert str(parse(str(edited))) == str(edited)


@SOME
@given(records(), st.sampled_from(Qualifier))
def test_setting_the_all_sets_nothing_else(text: str, qualifier: Qualifier) -> None:
    record = parse(text)
    edited: SpfRecord | None
    try:
        edited = with_all(record, qualifier)
    except SpfEditError:
        edited = None
    if edited is None:
        assert record.redirect_in_effect is not None
        return
    assert edited.all_qualifier is qualifier
    others = [term for term in record.terms if term is not record.all_term]
    assert [term for term in edited.terms if term is not edited.all_term] == others
    assert parse(str(edited)).canonical == edited.canonical


def senders(record: SpfRecord) -> set[str]:
    return {term.unqualified for term in record.mechanisms if term.name != "all"}


@SOME
@given(st.lists(records(), min_size=1, max_size=3))
def test_merging_loses_no_sender_and_gives_a_record(texts: list[str]) -> None:
    parsed = [parse(text) for text in texts]
    merged = merge(parsed).record
    assert set().union(*(senders(record) for record in parsed)) <= senders(merged)
    assert parse(str(merged)).canonical == merged.canonical
    assert equal(merge([merged, merged]).record, merged) or len(parsed) == 1


@SOME
@given(records(), records())
def test_a_diff_accounts_for_every_term_once(old: str, new: str) -> None:
    before, after = parse(old), parse(new)
    changes = describe_changes(before, after)
    assert sorted(c.before.text for c in changes if c.before) == sorted(
        term.text for term in before.terms
    )
    assert [c.after for c in changes if c.after] == list(after.terms)
    assert sum(c.lookups for c in changes) == len(after.counted) - len(before.counted)


@SOME
@given(records(), st.ip_addresses().map(str), st.text(max_size=20), st.text(max_size=20))
def test_no_mail_makes_the_evaluation_or_the_count_fail(
    text: str, ip: str, sender: str, helo: str
) -> None:
    zones = Zones({"example.com": [{"SPF": text}, {"MX": [1, "mail.example.com"]}]})
    check_host(ip, "example.com", sender, zones, helo=helo)
    check_host(ip, sender, f"{helo}@{sender}", zones, helo=helo)
    assert cost(parse(text), sender, zones).lookups_total >= 0
