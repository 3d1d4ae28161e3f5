"""Each state that is not right comes with what to do, fit for what it was compared with."""

from __future__ import annotations

import shlex

import pytest

from netcup_mailauth.judge.compare import advised
from netcup_mailauth.judge.report import Basis, CheckedRecord, ServerView, State
from netcup_mailauth.records import CCP, CLOUDDNS, Kind


def advice(state: str, basis: Basis, kind: Kind = Kind.SPF, values: tuple[str, ...] = ()) -> str:
    views = (ServerView("ns1", ("x",), State.OK), ServerView("ns2", values, State(state)))
    record = CheckedRecord(kind, "example.com", None, views)
    return advised(record, "example.com", basis).advice


@pytest.mark.parametrize("basis", Basis)
@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("state", ["missing", "error", "pending", "conflict"])
def test_there_is_always_something_to_do(state: str, kind: Kind, basis: Basis) -> None:
    text = advice(state, basis, kind)
    assert text
    for line in text.split("\n"):
        if line.startswith("  "):
            words = shlex.split(line)
            assert words[:3] == ["netcup-mailauth", "plan", "example.com"]
            assert "--allow" not in words


@pytest.mark.parametrize(
    ("state", "basis", "words"),
    [
        ("pending", Basis.CONFIG, "Nothing to do but wait"),
        ("wrong", Basis.CONFIG, "netcup-mailauth plan example.com"),
        ("wrong", Basis.OPTIONS, "netcup-mailauth plan example.com"),
        ("missing", Basis.PUBLISHED, "--spf-require mx"),
        ("error", Basis.PUBLISHED, "Try again"),
        ("conflict", Basis.PUBLISHED, "Delete the CNAME"),
    ],
)
def test_the_advice_fits(state: str, basis: Basis, words: str) -> None:
    assert words in advice(state, basis)


@pytest.mark.parametrize("basis", Basis)
def test_where_the_key_is_missing_it_is_said_who_insists_on_one(basis: Basis) -> None:
    insists = "WEB.DE and GMX insist on a signature of the sender's own domain"
    assert insists in advice("missing", basis, Kind.DKIM)
    assert insists not in advice("missing", basis, Kind.SPF) + advice("missing", basis, Kind.DMARC)
    assert insists not in advice("pending", basis, Kind.DKIM)


def test_what_a_finding_tells_is_not_told_twice_and_right_needs_nothing() -> None:
    assert advice("ok", Basis.CONFIG) == ""
    assert advice("wrong", Basis.PUBLISHED, values=("v=spf1 bad:",)) == ""
    assert advice("conflict", Basis.PUBLISHED, values=("a", "b")) == ""


@pytest.mark.parametrize(
    ("backend", "span"),
    [(CCP, "10 to 30 minutes"), (CLOUDDNS, "1 to 10 minutes"), ("", "up to 30 minutes")],
)
@pytest.mark.parametrize("state", ["pending", "missing"])
def test_how_long_to_wait_is_said_by_the_api(state: str, backend: str, span: str) -> None:
    views = (ServerView("ns1", ("x",), State.OK), ServerView("ns2", (), State(state)))
    record = CheckedRecord(Kind.SPF, "example.com", None, views)
    assert span in advised(record, "example.com", Basis.PUBLISHED, backend=backend).advice


def test_servers_that_disagree_are_told_from_a_record_that_is_not_there() -> None:
    assert "disagree" in advice("missing", Basis.PUBLISHED)
    views = (ServerView("ns1", (), State.MISSING),)
    record = CheckedRecord(Kind.SPF, "example.com", None, views)
    assert "disagree" not in advised(record, "example.com", Basis.PUBLISHED).advice
