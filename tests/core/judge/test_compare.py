"""Each state means what it says; above all, what only lags is pending and never wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netcup_mailauth.judge.compare import (
    AsServed,
    Elsewhere,
    Target,
    advised,
    checked,
    cut_of,
    wildcard_of,
)
from netcup_mailauth.judge.report import WORST_FIRST, Basis, ServerView, State
from netcup_mailauth.kinds import problem_of
from netcup_mailauth.lookup import Answer, Query, ServerStatus, Status
from netcup_mailauth.records import Kind
from tests.core.judge.samples import DMARC, KEY, ONE, OTHER_KEY, SPF, TWO, said
from tests.core.spf.zones import Zones

if TYPE_CHECKING:
    from netcup_mailauth.lookup import ServerAnswer

NAME = "example.com"
WANTED = Target(Kind.SPF, NAME, SPF)
PROMISED = Target(Kind.SPF, NAME, SPF, SPF)
ALONE = Target(Kind.SPF, NAME)
COMING = Target(Kind.SPF, NAME, None, SPF)
OTHER = "v=spf1 a ~all"


@pytest.mark.parametrize(
    ("target", "values", "state"),
    [
        (WANTED, (SPF,), "ok"),
        (WANTED, ("V=SPF1  +mx -all",), "ok"),  # the same by meaning
        (WANTED, (OTHER,), "wrong"),
        (WANTED, (), "missing"),
        (WANTED, (SPF, OTHER), "conflict"),
        (WANTED, ("a-verification=1", SPF), "ok"),
        (WANTED, ("a-verification=1",), "missing"),
        (PROMISED, (SPF,), "ok"),
        (PROMISED, (OTHER,), "pending"),
        (PROMISED, (), "pending"),
        (PROMISED, (SPF, OTHER), "pending"),
        (ALONE, (SPF,), "ok"),
        (ALONE, ("v=spf1 ip4:1.2.3.4/33 -all",), "wrong"),
        (ALONE, (), "missing"),
        (ALONE, (SPF, OTHER), "conflict"),
        (COMING, (SPF,), "ok"),
        (COMING, (OTHER,), "pending"),
        (COMING, (), "pending"),
    ],
)
def test_the_state_of_what_a_server_says(
    target: Target, values: tuple[str, ...], state: str
) -> None:
    record = checked(target, {ONE: said(*values)})
    assert record.state == state
    assert record.expected == target.expected


@pytest.mark.parametrize("target", [WANTED, PROMISED, ALONE, COMING])
@pytest.mark.parametrize("status", ["REFUSED", "SERVFAIL", "NO_ANSWER", "BAD"])
def test_no_usable_answer_is_an_error_and_says_why(target: Target, status: str) -> None:
    answer = said(status=ServerStatus[status], detail="it answers \x1b[31mX")
    record = checked(target, {ONE: said(SPF), TWO: answer})
    assert [view.state for view in record.servers] == ["ok", "error"]
    assert record.state == "error"
    assert record.servers[1].detail == "it answers \\x1b[31mX"


@pytest.mark.parametrize(
    ("target", "led_to", "state"),
    [
        (Target(Kind.DKIM, NAME), (KEY,), "ok"),
        (Target(Kind.DKIM, NAME, KEY), (KEY,), "ok"),
        (Target(Kind.DKIM, NAME, KEY), (OTHER_KEY,), "conflict"),
        (Target(Kind.DKIM, NAME), (), "conflict"),
        (Target(Kind.DMARC, NAME, DMARC), (), "conflict"),
        (Target(Kind.DKIM, NAME, KEY, KEY), (), "pending"),
    ],
)
def test_a_cname_is_in_the_way_unless_it_leads_to_what_is_wanted(
    target: Target, led_to: tuple[str, ...], state: str
) -> None:
    answer = said(status=ServerStatus.CNAME, cname="x.example.net")
    record = checked(target, {ONE: answer}, Elsewhere(led_to))
    assert record.state == state
    assert "it is a CNAME to x.example.net" in record.servers[0].detail
    assert ("no such record" in record.servers[0].detail) == (not led_to)


def test_an_inherited_policy_is_no_gap_unless_one_of_its_own_is_wanted() -> None:
    inherited = Elsewhere(inherited="example.com")
    alone = checked(Target(Kind.DMARC, "_dmarc.sub.example.com"), {ONE: said()}, inherited)
    assert alone.state == "ok"
    assert alone.servers[0].detail == "none of its own; that of example.com applies"
    wanted = checked(Target(Kind.DMARC, "_dmarc.sub.example.com", DMARC), {ONE: said()}, inherited)
    assert wanted.state == "missing"


def test_the_worst_server_decides_and_without_any_it_is_an_error() -> None:
    assert [state.value for state in WORST_FIRST] == [
        "conflict", "wrong", "missing", "error", "pending", "ok",
    ]  # fmt: skip
    record = checked(WANTED, {ONE: said(SPF), TWO: said(OTHER)})
    assert (record.state, [view.state for view in record.servers]) == ("wrong", ["ok", "wrong"])
    assert checked(WANTED, {}).state is State.ERROR
    assert record.servers[0] == ServerView("ns1.example.net (192.0.2.1)", (SPF,), State.OK)


@given(st.lists(st.sampled_from([SPF, OTHER, "", "v=spf1 bad:", "x"]), max_size=3))
def test_what_is_promised_is_never_called_wrong(values: list[str]) -> None:
    assert checked(PROMISED, {ONE: said(*values)}).state in (State.OK, State.PENDING)


def as_served(served: Any, *targets: Target, **more: Any) -> AsServed:
    return AsServed(Zones(served), Zones({}), frozenset({NAME}), targets, **more)


def test_conclusions_rest_on_what_is_promised_and_other_texts_stay() -> None:
    lookup = as_served({NAME: [{"TXT": OTHER}, {"TXT": "x=1"}]}, PROMISED)
    assert lookup([Query(NAME, "TXT")]) == [Answer(Status.OK, ("x=1", SPF))]
    single = as_served({NAME: [{"A": "192.0.2.1"}]}, PROMISED)
    assert single([Query(NAME, "TXT"), Query("x", "TXT")]) == [
        Answer(Status.OK, (SPF,)),
        Answer(Status.NXDOMAIN),
    ]
    unpromised = as_served({NAME: [{"TXT": OTHER}]}, WANTED)
    assert unpromised([Query(NAME, "TXT")]) == [Answer(Status.OK, (OTHER,))]


def test_the_records_are_as_servers_have_them_and_all_else_as_netcups_copy() -> None:
    copy = Zones({NAME: [{"TXT": "v=spf1 a -all"}, {"A": "192.0.2.1"}]})
    lookup = AsServed(Zones({NAME: [{"TXT": SPF}]}), copy, frozenset({NAME}), (ALONE,))
    assert lookup([Query(NAME, "A"), Query(NAME, "TXT")]) == [
        Answer(Status.OK, ("192.0.2.1",)),
        Answer(Status.OK, (SPF,)),
    ]


@pytest.mark.parametrize(
    ("kind", "text", "used"),
    [
        (Kind.DKIM, "hello", False),
        (Kind.DKIM, SPF, False),
        (Kind.DKIM, KEY, True),
        (Kind.DMARC, "hello", False),
        (Kind.DMARC, DMARC, True),
    ],
)
def test_what_a_wildcard_has_is_used_if_it_is_of_the_kind_and_else_missing(
    kind: Kind, text: str, used: bool
) -> None:
    target = Target(kind, NAME)
    record = checked(target, {ONE: said(text)}, Elsewhere(wildcard="*.com"))
    assert record.state == ("ok" if used else "missing")
    assert "*.com answers for it" in record.servers[0].detail
    lookup = as_served({NAME: [{"TXT": text}]}, target, caught=frozenset({NAME}))
    assert lookup([Query(NAME, "TXT")])[0].values == ((text,) if used else ())


@pytest.mark.parametrize(
    ("led_to", "state"), [((), "missing"), ((DMARC,), "ok"), (("hello", "x"), "missing")]
)
def test_a_wildcard_that_is_an_alias_is_never_in_the_way(
    led_to: tuple[str, ...], state: str
) -> None:
    alias = said(status=ServerStatus.CNAME, cname="www.example.com")
    record = checked(Target(Kind.DMARC, NAME), {ONE: alias}, Elsewhere(led_to, wildcard="*.com"))
    assert record.state == state
    other = Target(Kind.DMARC, NAME, "v=DMARC1;p=reject")
    wrong = checked(other, {ONE: alias}, Elsewhere((DMARC,), wildcard="*.com"))
    assert wrong.state == "wrong"  # a record of its own takes the wildcard's place


@pytest.mark.parametrize(
    ("names", "answer", "wildcard"),
    [
        ({"*.example.com": [{"TXT": "a"}]}, said("a"), "*.example.com"),
        ({"*.example.com": [{"TXT": "a"}, {"TXT": "b"}]}, said("b", "a"), "*.example.com"),
        ({"*.example.com": [{"TXT": "a"}]}, said("b"), ""),
        ({"*._domainkey.example.com": [{"TXT": "b"}], "*.example.com": [{"TXT": "a"}]},
         said("b"), "*._domainkey.example.com"),
        # From the one above the servers answer for the name of the one below, too.
        ({"*._domainkey.example.com": [{"TXT": "a"}], "*.example.com": [{"TXT": "a"}]},
         said("a"), "*.example.com"),
        ({"*.example.com": [{"A": "192.0.2.1"}]}, said("b"), ""),
        ({}, said("a"), ""),
        ({"*.com": [{"TXT": "a"}]}, said("a"), ""),
    ],
)  # fmt: skip
def test_a_wildcard_is_known_by_its_having_the_same_records(
    names: Any, answer: ServerAnswer, wildcard: str
) -> None:
    found = wildcard_of("dkim._domainkey.example.com", "example.com", [answer], Zones(names))
    assert found == wildcard


REFERRAL = said(
    status=ServerStatus.REFUSED, cut="_dmarc.example.com", servers=("ns.vendor.example",)
)


@pytest.mark.parametrize(
    ("target", "led_to", "silent", "state"),
    [
        (Target(Kind.DMARC, NAME), (DMARC,), False, "ok"),
        (Target(Kind.DMARC, NAME, DMARC), (DMARC,), False, "ok"),
        (Target(Kind.DMARC, NAME, DMARC), ("v=DMARC1;p=none",), False, "wrong"),
        (Target(Kind.DMARC, NAME, DMARC, DMARC), (), False, "missing"),
        (Target(Kind.DMARC, NAME), (), False, "missing"),
        (Target(Kind.DMARC, NAME), (), True, "error"),
    ],
)
def test_a_delegated_name_is_as_those_have_it_who_serve_it(
    target: Target, led_to: tuple[str, ...], silent: bool, state: str
) -> None:
    there = Elsewhere(led_to, cut="_dmarc.example.com", silent=silent)
    record = checked(target, {ONE: REFERRAL}, there)
    assert record.state == state
    assert "_dmarc.example.com is delegated to ns.vendor.example" in record.servers[0].detail
    assert bool(advised(record, NAME, Basis.CONFIG, there).advice) == (state != "ok")


def test_a_referral_upwards_is_a_server_that_does_not_serve_the_zone() -> None:
    lame = said(status=ServerStatus.REFUSED, cut="com", servers=("a.gtld-servers.net",))
    assert cut_of("example.com", [lame]) == ""
    assert cut_of("example.com", [said(), REFERRAL]) == "_dmarc.example.com"
    assert checked(ALONE, {ONE: lame}).state == "error"


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (Kind.SPF, SPF, "v=spf1 bad:"),
        (Kind.DKIM, KEY, KEY[:200]),
        (Kind.DMARC, DMARC, "v=DMARC1;p=nothing"),
        (Kind.DMARC_REPORT, "v=DMARC1", None),
    ],
)
def test_a_record_is_judged_by_its_own_kind(kind: Kind, good: str, bad: str | None) -> None:
    assert problem_of(kind, good) is None
    assert bad is None or problem_of(kind, bad) is not None
