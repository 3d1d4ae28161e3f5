"""What was meant as a record, and is none for receivers: edited or named, never left in silence."""

from __future__ import annotations

from typing import Any

import pytest

from netcup_mailauth import dmarc
from netcup_mailauth.findings import Severity
from netcup_mailauth.plan import Action, Place, applied, compute, drift, outcome
from netcup_mailauth.policy import SpfPolicy
from netcup_mailauth.records import DesiredRecord, Kind, Zone
from tests.core.judge.cases import (
    CLEAN,
    DMARC,
    SPF,
    case_of,
    codes,
    judged,
    key_record,
    mail_zone,
    only,
    source,
    to_type,
    wants,
)

RUA = "rua=mailto:o@example.com"
NEAR_MISSES = [
    f"V=DMARC1; p=reject; {RUA}",
    f" v=DMARC1; p=reject; {RUA}",
    f"v=dmarc1; p=reject; {RUA}",
    f'"v=DMARC1; p=reject; {RUA}',
    f"v=DMARC1\\; p=reject\\; {RUA}",
    f"v=DMARC1, p=reject, {RUA}",
    f"v=DMARC1: p=reject: {RUA}",
    f"v=DMARC1 p=reject {RUA}",
    f"DMARC1; p=reject; {RUA}",
    f"p=reject; {RUA}; v=DMARC1",
    f"p=reject; {RUA}",
    f"'v=DMARC1; p=reject; {RUA}'",
    f"v = Dmarc1 ;p=reject;{RUA}",
]


def after(before: Zone, wish: str | dict[str, Any]) -> list[str]:
    """What stands at ``_dmarc`` when the wish is written."""
    case, _ = case_of(before, wants(dmarc=wish))
    zone = applied(before, case.change_set.changes)
    return [record.destination for record in zone.at("_dmarc", "TXT")]


@pytest.mark.parametrize("text", NEAR_MISSES)
def test_an_edit_of_a_near_miss_makes_it_the_one_record_and_loses_no_address(text: str) -> None:
    (new,) = after(mail_zone(SPF, text), {"policy": "quarantine", "rua": ["mailto:n@example.com"]})
    record = dmarc.parse(new)
    assert record.p == "quarantine"
    assert record.rua == ("mailto:o@example.com", "mailto:n@example.com")


@pytest.mark.parametrize("text", NEAR_MISSES)
def test_a_policy_that_nobody_read_starts_as_none_unless_one_is_named(text: str) -> None:
    before = mail_zone(SPF, text.replace("p=reject", "p=reject; sp=quarantine"))
    (new,) = after(before, {"rua": ["mailto:n@example.com"]})
    record = dmarc.parse(new)
    if text.startswith("V="):  # which receivers of RFC 9989 do read
        assert (record.p, record.sp) == ("reject", "quarantine")
    else:
        assert (record.p, record.effective_subdomain_policy) == ("none", "none")
        found = judged(before, wants(dmarc={"rua": ["mailto:n@example.com"]}))
        assert "p=reject and sp=quarantine had no effect so far" in str(found)


@pytest.mark.parametrize("text", NEAR_MISSES)
def test_a_near_miss_that_a_change_takes_is_named(text: str) -> None:
    before = mail_zone(SPF, text)
    for wish in ({"policy": "none"}, DMARC):
        found = judged(before, wants(dmarc=wish))
        if text.startswith("V="):
            assert "dmarc-weakens-policy" in codes(found)
        else:
            assert text in only(found, "near-miss").message


def test_a_near_miss_is_replaced_by_a_record_given_whole_which_tells_what_goes() -> None:
    before = mail_zone(SPF, f" v=DMARC1; p=reject; {RUA}")
    assert after(before, DMARC) == [DMARC]
    found = only(judged(before, wants(dmarc=DMARC)), "near-miss")
    assert found.severity is Severity.WARNING
    assert "mailto:o@example.com" in found.advice


@pytest.mark.parametrize(
    "text",
    [
        "v=dmarc1; p=rejct; rua=mailto:o@example.com",
        "v=DMARC1, p=none, adkim=strict",
        "v=dmarc1; p=none; p=reject",
        "v=dmarc1; what is this; p=none",
    ],
)
def test_a_near_miss_that_is_not_plain_is_refused_with_its_text(text: str) -> None:
    before = mail_zone(SPF, text)
    wish = {"rua": ["mailto:n@example.com"]}
    assert after(before, wish) == [text]
    refused = only(judged(before, wants(dmarc=wish)), "dmarc-syntax")
    assert refused.severity is Severity.REFUSED
    assert text in refused.message
    assert after(before, DMARC) == [DMARC]


@pytest.mark.parametrize("text", [*NEAR_MISSES[1:], "v=DMARC2; p=none", "hello", ""])
def test_every_text_beside_a_good_record_is_named_and_stays(text: str) -> None:
    before = mail_zone(SPF, (DMARC, text))
    assert after(before, {"policy": "reject"})[1:] == [text]
    for wish in (wants(dmarc={"policy": "reject"}), wants({"require": ["mx"]})):
        found = only(judged(before, wish), "near-miss")
        assert text in found.message
        for policy in to_type(found):
            assert policy.dmarc


def test_a_capital_v_beside_a_good_record_is_a_second_record() -> None:
    two = mail_zone(SPF, (DMARC, f"V=DMARC1; p=reject; {RUA}"))
    assert "dmarc-ambiguous" in codes(judged(two, wants(dmarc={"policy": "none"})))
    assert after(two, DMARC) == [DMARC]


def test_two_near_misses_are_no_coin_toss() -> None:
    two = mail_zone(SPF, NEAR_MISSES[1:3])
    assert "dmarc-ambiguous" in codes(judged(two, wants(dmarc={"policy": "none"})))
    assert after(two, DMARC) == [DMARC]


@pytest.mark.parametrize("text", ["v=DMARC2; p=none", "hello", "google-site-verification=x"])
def test_what_was_not_meant_as_a_record_is_named_and_left_alone(text: str) -> None:
    before = mail_zone(SPF, text)
    assert after(before, DMARC) == [text, DMARC]
    assert text in only(judged(before, wants(dmarc=DMARC)), "near-miss").message


def test_the_precondition_and_the_outcome_of_a_write_know_the_near_miss() -> None:
    before = mail_zone(SPF, NEAR_MISSES[1])
    desired = [DesiredRecord(Kind.DMARC, "_dmarc", DMARC)]
    change_set = compute(Place("example.com", "example.com", "ccp"), before, desired)
    assert [change.action for change in change_set.changes] == [Action.UPDATE]
    assert drift(change_set, before) == ()
    assert drift(change_set, CLEAN)
    assert outcome(change_set, applied(before, change_set.changes)) == ()
    assert outcome(change_set, before)
    assert compute(change_set.place, applied(before, change_set.changes), desired).is_empty


# An edit loses nothing


@pytest.mark.parametrize(
    ("live", "expected"),
    [
        (f"v=DMARC1; p=none {RUA}", f"v=DMARC1; p=reject; {RUA}"),
        ("v=DMARC1; p=quarantine sp=reject", "v=DMARC1; p=reject; sp=reject"),
        (f"v=DMARC1;p=none,{RUA}", f"v=DMARC1;p=reject;{RUA}"),
        (f"v=DMARC1; p=none: sp=none: {RUA}", f"v=DMARC1; p=reject; sp=none; {RUA}"),
        (f"v=DMARC1; P=none; RUA={RUA[4:]}", f"v=DMARC1; p=reject; {RUA}"),
        (f"v=DMARC1; p=none; {RUA};mailto:b@x.de", f"v=DMARC1; p=reject; {RUA},mailto:b@x.de"),
        (f"v=DMARC1; p=none; {RUA} mailto:b@x.de", f"v=DMARC1; p=reject; {RUA},mailto:b@x.de"),
        ("v=DMARC1; p=none; rua=o@x.de", "v=DMARC1; p=reject; rua=mailto:o@x.de"),
        (f"v=DMARC1; p=none; {RUA}; {RUA}", f"v=DMARC1; p=reject; {RUA}"),
        ("v=DMARC1; p=none; fo=0:1:d:s", "v=DMARC1; p=reject; fo=0:1:d:s"),
        ("v=DMARC1; p=none; fo=1:1", "v=DMARC1; p=reject; fo=1:1"),
        ("v=DMARC1; p=none; adkm=s; x=1", "v=DMARC1; p=reject; adkm=s; x=1"),
        ("v=DMARC1; p=none; rua=mailto:o'b@x.de", "v=DMARC1; p=reject; rua=mailto:o%27b@x.de"),
        ('v=DMARC1; p=none; x="a\\"', "v=DMARC1; p=reject; x=a"),
    ],
)
def test_an_edit_of_the_policy_loses_no_tag_and_no_address(live: str, expected: str) -> None:
    before = mail_zone(SPF, live)
    wish = {"policy": "reject"}
    assert after(before, wish) == [expected]
    found = judged(before, wants(dmarc=wish))
    assert "dmarc-syntax" not in codes(found, Severity.REFUSED)
    assert "dmarc-drops-reports" not in codes(found)
    assert after(mail_zone(SPF, expected), wish) == [expected]


@pytest.mark.parametrize(
    ("live", "expected"),
    [
        ("v = DMARC1; p=none", "v=DMARC1; p=reject"),
        (f"v =DMARC1 ;p = none ; {RUA}", f"v=DMARC1;p = reject ; {RUA}"),
        ("v=\tDMARC1;p=none;x=1;", "v=DMARC1;p=reject;x=1;"),
        ("v=DMARC1 ; p=none", "v=DMARC1 ; p=reject"),
    ],
)
def test_an_edit_writes_the_version_in_one_piece_as_some_receivers_look_for_it(
    live: str, expected: str
) -> None:
    before = mail_zone(SPF, live)
    assert after(before, {"policy": "reject"}) == [expected]
    assert after(before, {"policy": "none"}) == [live]  # it is right as it stands
    assert "dmarc-syntax" not in codes(judged(before, wants(dmarc={"policy": "reject"})))


@pytest.mark.parametrize(
    "live", ["v=DMARC1; p=none; adkim=strict", "v=DMARC1; p=none; sp=", "v=DMARC1; p=none; junk"]
)
def test_what_an_edit_does_not_understand_is_refused(live: str) -> None:
    before = mail_zone(SPF, live)
    assert after(before, {"policy": "reject"}) == [live]
    found = judged(before, wants(dmarc={"policy": "reject"}))
    assert codes(found, Severity.REFUSED) == ["dmarc-syntax"]


@pytest.mark.parametrize(
    "live", [f"v=DMARC1; p=none; junk; {RUA}", f"v=DMARC1; P=reject; p=none; {RUA}"]
)
def test_a_wish_that_is_fulfilled_repairs_nothing(live: str) -> None:
    assert after(mail_zone(SPF, live), {"policy": "none"}) == [live]


@pytest.mark.parametrize(
    ("live", "wish"),
    [
        ("v=DMARC1; p=reject; sp=rejct", {"policy": "reject"}),  # which is as good as none
        (f"v=DMARC1; p=reject; x=1; x=2; {RUA}", {"policy": "reject"}),
        (f"v=DMARC1; p=none; x=1; x=2; {RUA}", {"rua": ["mailto:o@example.com"]}),
        ("v=DMARC1; p=rejct; sp=reject", {"subdomain_policy": "reject"}),
    ],
)
def test_what_is_written_and_has_no_effect_is_not_called_fulfilled(
    live: str, wish: dict[str, Any]
) -> None:
    found = judged(mail_zone(SPF, live), wants(dmarc=wish))
    assert codes(found, Severity.REFUSED) == ["dmarc-syntax"]


def test_a_repair_is_told() -> None:
    found = judged(mail_zone(SPF, f"v=DMARC1; p=none {RUA}"), wants(dmarc={"policy": "reject"}))
    told = only(found, "dmarc-syntax")
    assert told.severity is Severity.WARNING
    assert f"p=none {RUA}" in told.message


# Watching by pct=0


@pytest.mark.parametrize("live", ["p=quarantine;pct=0", "p=none;pct=0", "p=reject;t=y;pct=0"])
def test_the_watching_of_both_rfcs_goes_on_under_a_new_policy(live: str) -> None:
    before = mail_zone(SPF, f"v=DMARC1;{live};{RUA}")
    (new,) = after(before, {"policy": "quarantine"})
    record = dmarc.parse(new)
    assert (record.p, record.t, record.pct) == ("quarantine", "y", 0)
    found = judged(before, wants(dmarc={"policy": "quarantine"}))
    assert f"v=DMARC1;p=quarantine;{RUA}" in only(found, "dmarc-pct-0").advice
    assert "dmarc-removed-tag" not in codes(found)


def test_watching_by_t_alone_is_told_with_its_limit() -> None:
    found = judged(mail_zone(SPF, f"{DMARC};t=y"), wants(dmarc={"policy": "quarantine"}))
    assert "RFC 7489 does not read t=y" in only(found, "dmarc-policy-none").message


# Failure reports


def test_failure_reports_need_leave_as_well() -> None:
    whole = f"{DMARC};ruf=mailto:f@example.net"
    found = only(judged(CLEAN, wants(dmarc=whole)), "dmarc-ruf-not-authorised")
    assert found.severity is Severity.WARNING
    assert "mailto:f@example.net" in found.message
    own = f"{DMARC};ruf=mailto:f@example.com"
    assert "dmarc-ruf-not-authorised" not in codes(judged(CLEAN, wants(dmarc=own)))


def test_failure_reports_that_go_are_named() -> None:
    before = mail_zone(SPF, f"{DMARC};ruf=mailto:f@example.com")
    found = only(judged(before, wants(dmarc=DMARC)), "dmarc-drops-reports")
    assert "mailto:f@example.com" in found.message


@pytest.mark.parametrize("tag", ["rua", "ruf"])
def test_an_address_that_some_receivers_cut_off_is_named_with_its_encoded_form(tag: str) -> None:
    before = mail_zone(SPF, f"v=DMARC1;p=none;{tag}=mailto:a=b@example.com")
    found = only(judged(before, wants(dmarc={"policy": "none"})), "dmarc-syntax")
    assert found.severity is Severity.NOTE
    assert "mailto:a%3Db@example.com" in found.advice
    encoded = f"v=DMARC1;p=none;{tag}=mailto:a%3Db@example.com"
    assert codes(judged(before, wants(dmarc=encoded)), Severity.DANGER) == []


# DKIM


@pytest.mark.parametrize(
    "text", ["v=DKIM1\\; k=rsa\\; p=AAAA", "hello", '"v=DKIM1; p=x', "v=DKIM2;p="]
)
def test_a_text_at_a_selector_that_is_no_key_is_named(text: str) -> None:
    before = mail_zone(SPF, DMARC, None, f"old._domainkey TXT {text}")
    for wish in (wants(dmarc=DMARC), wants({"require": ["mx"]})):
        found = only(judged(before, wish), "near-miss")
        assert f"old._domainkey.example.com has the text {text}" in found.message


@pytest.mark.parametrize("line", ["_domainkey TXT o=~", "_adsp._domainkey TXT dkim=all"])
def test_what_older_standards_put_there_is_no_near_miss(line: str) -> None:
    found = judged(mail_zone(SPF, DMARC, None, line), wants(dmarc=DMARC))
    assert "near-miss" not in codes(found)


def test_a_text_that_a_key_replaces_is_not_called_left_over() -> None:
    before = mail_zone(SPF, DMARC, "hello")
    found = judged(before, wants(dkim="dkim"), source(key_record()))
    assert "It becomes v=DKIM1" in only(found, "near-miss").message


# SPF

SPF_MISSES = [
    " v=spf1 mx -all",
    '"v=spf1 mx -all',
    "v=spf1, mx, -all",
    "v=spf1; mx; -all",
    "spf1 mx -all",
    "v=spf1\tmx -all",
    "v = SPF1 mx -all",
]


def spf_after(before: Zone, wish: str | dict[str, Any]) -> list[str]:
    case, _ = case_of(before, wants(wish))
    zone = applied(before, case.change_set.changes)
    texts = [record.destination for record in zone.at("@", "TXT")]
    return [text for text in texts if not text.startswith("google")]


@pytest.mark.parametrize("text", SPF_MISSES)
def test_an_edit_of_a_near_miss_of_spf_makes_it_the_one_record(text: str) -> None:
    before = mail_zone(text)
    assert spf_after(before, {"require": ["ip4:192.0.2.1"]}) == ["v=spf1 ip4:192.0.2.1 mx -all"]
    assert spf_after(before, {"require": ["mx"]}) == ["v=spf1 mx -all"]
    assert spf_after(before, SPF) == [SPF]
    for wish in ({"require": ["mx"]}, SPF):
        assert text in only(judged(before, wants(wish)), "near-miss").message


@pytest.mark.parametrize("text", SPF_MISSES)
def test_a_near_miss_of_spf_beside_a_good_record_is_named_and_stays(text: str) -> None:
    before = mail_zone((SPF, text))
    assert spf_after(before, {"require": ["a"]})[1:] == [text]
    found = only(judged(before, wants({"require": ["a"]})), "near-miss")
    assert text in found.message
    assert [policy.spf for policy in to_type(found)] == [SpfPolicy(record="v=spf1 mx -all")]


@pytest.mark.parametrize("text", ["spf2.0/pra mx -all", "v=spf10 mx", "spf1-token", "hello v=spf1"])
def test_what_only_looks_like_spf_at_the_apex_is_somebody_elses(text: str) -> None:
    before = mail_zone(text)
    assert spf_after(before, SPF) == [text, SPF]
    assert "near-miss" not in codes(judged(before, wants(SPF)))


def test_a_near_miss_of_spf_that_is_not_plain_and_one_of_two_are_refused_with_their_text() -> None:
    for texts in ((" v=spf1 mx what -all",), SPF_MISSES[:2]):
        before = mail_zone(texts)
        assert spf_after(before, {"require": ["a"]}) == list(texts)
        found = only(judged(before, wants({"require": ["a"]})), "spf-syntax")
        assert found.severity is Severity.REFUSED
        assert spf_after(before, SPF) == [SPF]
