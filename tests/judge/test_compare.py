"""Each state means what it says; above all, what only lags is pending and never wrong."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netcup_mailauth.judge.compare import Elsewhere, Target, WithPromised, checked
from netcup_mailauth.judge.faults import problem_of
from netcup_mailauth.judge.report import WORST_FIRST, ServerView, State
from netcup_mailauth.lookup import Answer, Query, ServerStatus, Status
from netcup_mailauth.records import Kind
from tests.judge.samples import DMARC, KEY, ONE, OTHER_KEY, SPF, TWO, said
from tests.spf.zones import Zones

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


def test_conclusions_rest_on_what_is_promised_and_other_texts_stay() -> None:
    lookup = WithPromised(Zones({NAME: [{"TXT": OTHER}, {"TXT": "x=1"}]}), (PROMISED,))
    assert lookup([Query(NAME, "TXT")]) == [Answer(Status.OK, ("x=1", SPF))]
    single = WithPromised(Zones({NAME: [{"A": "192.0.2.1"}]}), (PROMISED,))
    assert single([Query(NAME, "TXT"), Query(NAME, "A"), Query("x", "TXT")]) == [
        Answer(Status.OK, (SPF,)),
        Answer(Status.OK, ("192.0.2.1",)),
        Answer(Status.NXDOMAIN),
    ]
    unpromised = WithPromised(Zones({NAME: [{"TXT": OTHER}]}), (WANTED,))
    assert unpromised([Query(NAME, "TXT")]) == [Answer(Status.OK, (OTHER,))]


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
