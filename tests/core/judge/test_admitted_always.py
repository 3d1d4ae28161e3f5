"""Of any SPF record and any edit: nobody who was shut out by name passes without being named."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from netcup_mailauth.findings import by_gravity
from netcup_mailauth.judge import guard
from netcup_mailauth.kinds import of_kind
from netcup_mailauth.records import Kind
from tests.core.judge.carved import WORLD, edits, records, unnamed
from tests.core.judge.cases import (
    DMARC,
    all_the_same,
    case_of,
    dns,
    judged,
    mail_zone,
    safer,
    wants,
)
from tests.effort import SOME, tries

EXAMPLES = settings(
    max_examples=tries(500),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@EXAMPLES
@given(st.data())
def test_nobody_shut_out_by_name_passes_without_being_named(data: st.DataObject) -> None:
    live = [data.draw(records()) for _ in range(data.draw(st.sampled_from((1, 1, 1, 2))))]
    wish = data.draw(edits(live))
    case, found = case_of(mail_zone(live, DMARC, ()), wants(wish), dns=dns(WORLD))
    if len(of_kind(case.after, Kind.SPF, "@")) != 1:
        return
    findings = by_gravity([*found, *guard.judge(case)])
    assert list(unnamed(case, findings, wish)) == []


def test_what_two_records_shut_out_by_two_spellings_is_named_by_one() -> None:
    live = ["v=spf1 -mx -all", "v=spf1 -mx:%{d} -all"]
    wish = "v=spf1 ip4:203.0.113.25 -all"
    case, found = case_of(mail_zone(live, DMARC, ()), wants(wish), dns=dns(WORLD))
    assert list(unnamed(case, [*found, *guard.judge(case)], wish)) == []
    assert list(unnamed(case, found, wish)) != []


def test_a_redirect_that_is_dropped_is_no_consent_to_whom_an_include_shut_out() -> None:
    live = ["v=spf1 -include:x.example.net ip4:192.0.2.9 redirect=x.example.net"]
    wish = {"require": ["include:x.example.net"], "drop": ["redirect=x.example.net"]}
    case, found = case_of(mail_zone(live, DMARC, ()), wants(wish), dns=dns(WORLD))
    assert list(unnamed(case, [*found, *guard.judge(case)], wish)) == []


@SOME
@given(st.data())
def test_the_safer_wish_is_not_held_back_and_consent_leaves_no_danger(
    data: st.DataObject,
) -> None:
    live = [data.draw(records()) for _ in range(data.draw(st.sampled_from((1, 1, 2))))]
    wish = wants(data.draw(edits(live)))
    before = mail_zone(live, DMARC, ())
    policy = safer(before, wish, dns=dns(WORLD))
    if policy is not None:
        again = judged(before, policy, dns=dns(WORLD))
        assert not {each.severity for each in again} & {"refused", "danger"}
    allow = all_the_same(before, wish, dns=dns(WORLD))
    if allow:
        again = judged(before, wish.model_copy(update={"allow": list(allow)}), dns=dns(WORLD))
        assert {each.code for each in again if each.severity == "danger"} <= {*allow}
