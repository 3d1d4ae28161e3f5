"""DMARC: what is done with failing mail, and who hears of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from netcup_mailauth.findings import Severity
from netcup_mailauth.kinds import of_kind
from netcup_mailauth.lookup import silent
from netcup_mailauth.policy import DomainPolicy
from netcup_mailauth.records import Kind, Zone
from tests.core.judge.cases import (
    CLEAN,
    DMARC,
    SPF,
    codes,
    creates,
    deletes,
    dns,
    judged,
    judged_changes,
    key_record,
    mail_zone,
    only,
    safer,
    source,
    wants,
    zone,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

D, W, N = Severity.DANGER, Severity.WARNING, Severity.NOTE
WATCHING = "v=DMARC1;p=none;rua=mailto:dmarc@example.com"
AGREED = dns({"example.com._report._dmarc.example.net": [{"TXT": "v=DMARC1"}]})


def from_to(live: str | tuple[str, ...], wish: str | dict[str, Any], **more: Any) -> Any:
    return judged(mail_zone(SPF, live), wants(dmarc=wish), **more)


@pytest.mark.parametrize(
    ("live", "new", "words"),
    [
        (DMARC, WATCHING, "quarantine -> none"),
        (f"{DMARC};sp=reject", f"{DMARC};sp=none", f"{DMARC};sp=reject -> {DMARC};sp=none"),
        (DMARC, f"{DMARC};t=y", "quarantine -> none"),
        (DMARC, f"{DMARC};pct=10", f"{DMARC} -> {DMARC};pct=10"),
    ],
)
def test_any_weakening_is_a_danger_and_shows_what_it_weakens(
    live: str, new: str, words: str
) -> None:
    found = only(from_to(live, new), "dmarc-weakens-policy")
    assert found.severity is D
    assert words in found.message


def test_two_records_that_cancel_each_other_cannot_be_weakened() -> None:
    found = from_to((DMARC, "v=DMARC1;p=reject"), WATCHING)
    assert codes(found, D) == []


def test_an_address_that_goes_is_named_with_the_whole_record_that_keeps_it() -> None:
    live = f"{DMARC},mailto:Reports@Service.example"
    new = "v=DMARC1;p=quarantine;rua=mailto:new@example.com"
    found = only(from_to(live, new), "dmarc-drops-reports")
    assert "mailto:dmarc@example.com and mailto:Reports@Service.example" in found.message
    policy = safer(mail_zone(SPF, live), wants(dmarc=new), dns=AGREED)
    kept = f"{new},mailto:dmarc@example.com,mailto:Reports@Service.example"
    assert policy == wants(dmarc=kept)


def test_an_address_that_never_got_a_report_is_no_loss() -> None:
    assert "dmarc-drops-reports" not in codes(from_to("v=DMARC1;p=none;rua=dmarc@x", WATCHING))


def test_two_records_of_which_parts_could_mean_either_are_refused() -> None:
    found = from_to((DMARC, WATCHING), {"policy": "reject"})
    refused = only(found, "dmarc-ambiguous")
    assert refused.severity is Severity.REFUSED
    assert DMARC in refused.message
    assert WATCHING in refused.message


def test_a_second_record_is_a_danger_and_two_that_were_two_are_not() -> None:
    added = only(judged_changes(CLEAN, creates(Kind.DMARC, "_dmarc", WATCHING)), "dmarc-multiple")
    assert added.severity is D
    two = mail_zone(SPF, (DMARC, WATCHING))
    first, _ = of_kind(two, Kind.DMARC, "_dmarc")
    change = creates(Kind.DMARC, "_dmarc", "v=DMARC1;p=reject")
    same = judged_changes(two, type(change)(change.action, Kind.DMARC, first, change.after))
    assert only(same, "dmarc-multiple").severity is W


def test_a_broken_live_record_that_stays_is_no_refusal() -> None:
    broken = mail_zone(SPF, "v=DMARC1;p=rejekt;rua=mailto:dmarc@example.com")
    key = judged(broken, wants(dkim="dkim", dmarc={}), source(key_record()))
    assert "dmarc-syntax" not in codes(key)


# Enforcing


@pytest.mark.parametrize(
    ("live", "new", "severity"),
    [
        (WATCHING, DMARC, D),
        (DMARC, f"{DMARC};sp=reject", W),  # already so
        (DMARC, DMARC, W),
        (DMARC, DMARC.replace("quarantine", "reject"), D),  # worse
        ((), DMARC, D),
    ],
)
def test_enforcing_without_a_key_is_a_danger_where_the_change_does_it(
    live: str | tuple[str, ...], new: str, severity: Severity
) -> None:
    found = only(judged(mail_zone(SPF, live, ()), wants(dmarc=new)), "dmarc-enforces-without-dkim")
    assert found.severity is severity
    assert "example.com is at" in found.message


@pytest.mark.parametrize("live", [(), WATCHING, DMARC])
@pytest.mark.parametrize("new", [DMARC, DMARC.replace("quarantine", "reject")])
def test_a_key_that_another_run_publishes_is_no_danger_in_this_one(
    live: str | tuple[str, ...], new: str
) -> None:
    found = judged(mail_zone(SPF, live, ()), wants(dmarc=new), dkim_left_out=True)
    told = only(found, "dkim-not-looked-at")
    assert told.severity is W
    assert told.message.startswith("DKIM was not looked at in this run: ")
    assert "dmarc-enforces-without-dkim" not in codes(found)


@pytest.mark.parametrize(
    ("zone", "new"),
    [
        (mail_zone(SPF, WATCHING), DMARC),  # the key is there
        (mail_zone(SPF, WATCHING, ()), WATCHING),  # nothing counts on one
        (mail_zone(SPF, WATCHING, ()), f"{DMARC};t=y"),
    ],
)
def test_where_no_key_is_missed_nothing_is_said_of_what_is_left_out(zone: Zone, new: str) -> None:
    found = judged(zone, wants(dmarc=new), dkim_left_out=True)
    assert not {"dkim-not-looked-at", "dmarc-enforces-without-dkim"} & set(codes(found, D, W, N))


def test_taking_the_only_key_away_under_an_enforcing_policy_is_a_danger() -> None:
    policy = wants(dmarc={"policy": "quarantine"}, dkim="dkim")
    found = judged(CLEAN, policy, source("v=DKIM1;p="))
    assert only(found, "dmarc-enforces-without-dkim").severity is D


@pytest.mark.parametrize(
    "line",
    [
        f"s2026._domainkey TXT {key_record()}",
        "s1._domainkey CNAME s1.domainkey.service.example",
        "_domainkey NS ns1.example.net",
        "_domainkey CNAME keys.example.net",
    ],
)
def test_a_key_under_any_selector_counts_also_one_that_lives_elsewhere(line: str) -> None:
    found = judged(mail_zone(SPF, WATCHING, (), line), wants(dmarc=DMARC))
    assert "dmarc-enforces-without-dkim" not in codes(found)


@pytest.mark.parametrize(
    "line",
    [
        "key1._domainkey CNAME key1._domainkey.webhosting.systems",
        "dkim._domainkey TXT v=DKIM1;p=",
        "dkim._domainkey TXT junk",
        f"dkim._domainkey.intern TXT {key_record()}",
        "_domainkey A 203.0.113.1",
    ],
)
def test_netcups_key_a_revoked_one_and_another_domains_do_not_count(line: str) -> None:
    found = judged(mail_zone(SPF, WATCHING, (), line), wants(dmarc=DMARC))
    assert "dmarc-enforces-without-dkim" in codes(found)


NETCUPS_KEY = "key1._domainkey.webhosting.systems"


@pytest.mark.parametrize(
    ("mx", "world", "counts"),
    [
        (("10 mxf8a.netcup.net",), {NETCUPS_KEY: [{"TXT": key_record()}]}, True),
        (("10 Example-com.Netcup-Mail.de",), {NETCUPS_KEY: [{"TXT": key_record()}]}, True),
        (("10 mxf8a.netcup.net",), {NETCUPS_KEY: ["TIMEOUT"]}, True),  # not known to lead nowhere
        (("10 mxf8a.netcup.net",), {NETCUPS_KEY: [{"TXT": "v=DKIM1;p="}]}, False),
        (("10 mxf8a.netcup.net",), {}, False),
        (("10 mxf8a.netcup.net", "5 mail.example.com"), {NETCUPS_KEY: [{"TXT": key_record()}]},
         False),
        ((), {NETCUPS_KEY: [{"TXT": key_record()}]}, False),
    ],
)  # fmt: skip
def test_netcups_keys_count_where_netcup_sends_and_they_are_there(
    mx: tuple[str, ...], world: dict[str, Sequence[Any]], counts: bool
) -> None:
    before = zone(
        *(f"@ MX {one}" for one in mx),
        f"@ TXT {SPF}",
        f"_dmarc TXT {WATCHING}",
        "key1._domainkey CNAME KEY1._domainkey.Webhosting.systems.",
    )
    found = judged(before, wants(dmarc=DMARC), dns=dns(world))
    assert ("dmarc-enforces-without-dkim" not in codes(found)) == counts
    assert ("stale-netcup-mail" in codes(found)) == (len(mx) > 1)


def test_a_key_of_a_domain_below_the_zone_counts_for_it() -> None:
    before = zone("_dmarc TXT v=DMARC1;p=none", f"dkim._domainkey.intern TXT {key_record()}")
    policy = wants(dmarc="v=DMARC1;p=reject;rua=mailto:d@example.com")
    found = judged(before, policy, domain="intern.example.com")
    assert codes(found, D) == []


def test_a_key_published_in_the_same_run_counts() -> None:
    policy = wants(dmarc=DMARC, dkim="dkim")
    assert codes(judged(mail_zone(SPF, WATCHING, ()), policy, source(key_record())), D) == []


@pytest.mark.parametrize(
    ("live", "words"),
    [((), "no DMARC record"), ((DMARC, WATCHING), "2 records that cancel each other out")],
)
def test_nothing_to_quarantine_at_once_is_untested(live: tuple[str, ...], words: str) -> None:
    found = only(from_to(live, "v=DMARC1;p=quarantine"), "dmarc-untested")
    assert f"From {words} to quarantine" in found.message
    assert "with p=none" in found.advice


# Watching


def test_a_policy_that_only_watches_says_the_next_step() -> None:
    found = only(from_to((), {"rua": ["mailto:a@example.com"]}), "dmarc-policy-none")
    assert found.message.startswith("p=none only watches")
    assert "go on to p=quarantine" in found.advice


def test_a_policy_in_test_mode_is_not_called_none() -> None:
    found = only(from_to(WATCHING, f"{DMARC};t=y"), "dmarc-policy-none")
    assert found.message.startswith("p=quarantine;t=y only watches")
    assert "take t=y out" in found.advice


def test_reject_in_test_mode_quarantines_and_still_is_about_mailing_lists() -> None:
    found = from_to(DMARC, f"{DMARC.replace('quarantine', 'reject')};t=y")
    assert codes(found) == ["dmarc-reject-and-mailing-lists"]


@pytest.mark.parametrize("tags", ["pct=50", "rf=afrf;ri=86400"])
def test_a_tag_that_receivers_no_longer_read_is_named_where_it_stays(tags: str) -> None:
    found = from_to(f"{WATCHING};{tags}", {"rua": ["mailto:b@example.com"]})
    assert tags.replace(";", " and ") in only(found, "dmarc-removed-tag").message


# Reports


def test_a_foreign_address_that_this_run_adds_needs_leave_and_an_old_one_is_a_warning() -> None:
    added = from_to(DMARC, {"rua": ["mailto:x@example.net"]})
    found = only(added, "dmarc-report-not-authorised")
    assert found.severity is D
    assert "mailto:x@example.net" in found.message
    assert 'example.com._report._dmarc.example.net TXT "v=DMARC1"' in found.advice
    assert "plan both domains in one run" in found.advice
    old = from_to(f"{DMARC},mailto:x@example.net!10m", {"policy": "reject"})
    assert only(old, "dmarc-report-not-authorised").severity is W
    assert only(old, "dmarc-report-not-authorised").message.startswith("Already so")


def test_a_foreign_address_that_agreed_or_agrees_in_this_run_is_fine() -> None:
    wish = {"rua": ["mailto:x@example.net"]}
    assert codes(from_to(DMARC, wish, dns=AGREED)) == []
    planned = {"example.com._report._dmarc.example.net": "v=DMARC1"}
    assert codes(from_to(DMARC, wish, coming=planned)) == []


def test_dns_that_is_silent_on_an_agreement_is_a_warning() -> None:
    found = only(
        from_to(DMARC, {"rua": ["mailto:x@example.net"]}, dns=silent),
        "dmarc-report-not-authorised",
    )
    assert found.severity is W
    assert "no answer" in found.message


def test_a_parent_without_a_record_of_its_own_is_told_how_to_become_one_organisation() -> None:
    before = zone(f"dkim._domainkey.intern TXT {key_record()}")
    policy = wants(dmarc="v=DMARC1;p=none;rua=mailto:d@example.com")
    found = judged(before, policy, domain="intern.example.com")
    advice = only(found, "dmarc-report-not-authorised").advice
    assert "give example.com a DMARC record of its own" in advice
    with_one = zone("_dmarc TXT v=DMARC1;p=none")
    assert "dmarc-report-not-authorised" not in codes(
        judged(with_one, policy, domain="intern.example.com")
    )


def test_a_broken_address_in_a_live_record_is_skipped_as_receivers_do() -> None:
    two = mail_zone(SPF, ("v=DMARC1;p=none;rua=dmarc@x,mailto:x@example.net", DMARC))
    _, second = of_kind(two, Kind.DMARC, "_dmarc")
    change = deletes(CLEAN, Kind.DMARC, "_dmarc")
    found = judged_changes(two, type(change)(change.action, Kind.DMARC, second, None))
    assert "x@example.net" in only(found, "dmarc-report-not-authorised").message


def test_a_parked_domain_is_not_told_to_test_or_to_read_reports() -> None:
    found = judged(mail_zone((), (), ()), DomainPolicy(parked=True).settled())
    assert codes(found) == []
