"""From a policy to the records a domain should have."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netcup_mailauth import dkim
from netcup_mailauth.desired import Desired, desired_records, report_authorisation
from netcup_mailauth.dkim import DkimSource
from netcup_mailauth.findings import Finding, Severity
from netcup_mailauth.plan import Place, applied, compute
from netcup_mailauth.policy import DkimPolicy, DmarcPolicy, DomainPolicy, SpfPolicy
from netcup_mailauth.records import DesiredRecord, DnsRecord, Kind, Zone
from tests.effort import tries
from tests.strategies import zones

P = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
OTHER_P = "O2onvM62pC1io6jQKm8Nc2UyFXcd4kOmOsBIoYtZ2ik="
RECORD = f"v=DKIM1;k=ed25519;p={P}"
POLICY = DomainPolicy(
    spf=SpfPolicy(record="v=spf1 -all"),
    dkim=DkimPolicy(source="mailcow"),
    dmarc=DmarcPolicy(record="v=DMARC1;p=none"),
)


def source(selector: str | None = None, *, key_only: bool = False) -> DkimSource:
    key = dkim.public_key_from_p("ed25519", P)
    return DkimSource(RECORD, key, selector, "a test", key_only)


def zone(*texts: str, hostname: str = "dkim._domainkey") -> Zone:
    records = (DnsRecord(str(number), hostname, "TXT", text) for number, text in enumerate(texts))
    return Zone("example.com", "ccp", tuple(records))


def wishes(
    before: Zone, policy: DomainPolicy, key: DkimSource | None = None, domain: str = "example.com"
) -> list[DesiredRecord]:
    """The records wanted, where nothing had to be said."""
    desired = desired_records(domain, before, policy, key)
    assert desired.findings == []
    return desired.records


def test_each_kind_of_the_policy_becomes_one_record_at_its_hostname() -> None:
    found = wishes(zone(), POLICY, source(), "intern.example.com")
    assert [(wish.kind, wish.hostname) for wish in found] == [
        (Kind.SPF, "intern"),
        (Kind.DKIM, "dkim._domainkey.intern"),
        (Kind.DMARC, "_dmarc.intern"),
    ]


def test_what_the_policy_does_not_mention_is_not_wished_for() -> None:
    assert wishes(zone(), DomainPolicy(), source()) == []
    assert wishes(zone(), DomainPolicy(spf=False, dkim=False, dmarc=False), source()) == []


def test_without_a_key_the_live_dkim_record_stays_and_the_rest_goes_on() -> None:
    kinds = [wish.kind for wish in wishes(zone(RECORD), POLICY)]
    assert kinds == [Kind.SPF, Kind.DMARC]


# DKIM


@pytest.mark.parametrize(
    ("asked", "sources", "expected"),
    [(None, None, "dkim"), (None, "MC2026", "mc2026"), ("s1", "mc2026", "s1")],
)
def test_the_selector_is_the_policys_else_the_sources_else_mailcows_default(
    asked: str | None, sources: str | None, expected: str
) -> None:
    policy = DomainPolicy(dkim=DkimPolicy(source="mailcow", selector=asked))
    (wish,) = wishes(zone(), policy, source(sources))
    assert wish.hostname == f"{expected}._domainkey"


def test_a_bare_key_leaves_the_other_tags_of_a_live_record_with_that_key_alone() -> None:
    live = f"v=DKIM1; k=ed25519; t=s; n=ours; p={P}"
    policy = DomainPolicy(dkim=DkimPolicy(source="file:x"))
    (wish,) = wishes(zone("junk", live), policy, source(key_only=True))
    assert wish.value == live


@pytest.mark.parametrize("live", ["junk", f"v=DKIM1;k=ed25519;p={OTHER_P}", "v=DKIM1;p="])
def test_a_bare_key_replaces_a_record_with_any_other_key(live: str) -> None:
    policy = DomainPolicy(dkim=DkimPolicy(source="file:x"))
    (wish,) = wishes(zone(live), policy, source(key_only=True))
    assert wish.value == RECORD
    assert wish.fingerprint == dkim.public_key_from_p("ed25519", P).fingerprint


def test_a_whole_record_is_wished_for_as_it_is_even_beside_the_same_key() -> None:
    policy = DomainPolicy(dkim=DkimPolicy(source="record:..."))
    (wish,) = wishes(zone(f"v=DKIM1;t=s;k=ed25519;p={P}"), policy, source())
    assert wish.value == RECORD


@pytest.mark.parametrize("key_only", [True, False])
def test_a_record_that_revokes_its_key_has_no_fingerprint(key_only: bool) -> None:
    revoked = DkimSource("v=DKIM1;p=", None, "dkim", "a test", key_only=key_only)
    policy = DomainPolicy(dkim=DkimPolicy(source="record:v=DKIM1;p="))
    (wish,) = wishes(zone(RECORD), policy, revoked)
    assert wish.fingerprint is None
    assert wish.value == "v=DKIM1;p="


# SPF in parts


def spf_wish(live: tuple[str, ...], **parts: Any) -> Any:
    return desired_records(
        "example.com", zone(*live, hostname="@"), DomainPolicy(spf=SpfPolicy(**parts)), None
    )


def spf_text(live: tuple[str, ...], **parts: Any) -> str:
    desired = spf_wish(live, **parts)
    assert desired.findings == []
    (wish,) = desired.records
    assert wish.kind is Kind.SPF
    return str(wish.value)


@pytest.mark.parametrize(
    ("live", "parts", "text"),
    [
        (
            "v=spf1 a include:x.example ~all",
            {"require": ["mx"]},
            "v=spf1 mx a include:x.example ~all",
        ),
        ("v=spf1 a ~all", {"drop": ["a"], "require": ["mx"]}, "v=spf1 mx ~all"),
        ("v=spf1 a ~all", {"all": "fail"}, "v=spf1 a -all"),
        ("v=spf1 a", {"all": "neutral"}, "v=spf1 a ?all"),
        ("v=spf1 a x-y=%{d} ~all", {"require": ["mx"]}, "v=spf1 mx a x-y=%{d} ~all"),
        ("v=spf1 mx redirect=x.example", {"require": ["a"]}, "v=spf1 a mx redirect=x.example"),
    ],
)
def test_parts_are_made_sure_of_and_everything_else_stays(
    live: str, parts: dict[str, Any], text: str
) -> None:
    assert spf_text((live,), **parts) == text


def test_a_record_that_has_the_parts_already_stays_byte_for_byte() -> None:
    live = "V=SPF1  +MX ip4:203.0.113.0/24   -ALL  "
    assert spf_text((live,), require=["mx", "ip4:203.0.113.7"], drop=["a"], all="fail") == live


def test_a_new_record_ends_in_softfail_unless_told_otherwise() -> None:
    assert spf_text((), require=["mx"]) == "v=spf1 mx ~all"
    assert spf_text((), require=["mx"], all="fail") == "v=spf1 mx -all"


def refused(desired: Desired) -> Finding:
    """What is said of a wish that was not carried out, and holds back nothing else."""
    assert desired.records == []
    (finding,) = desired.findings
    assert (finding.code, finding.severity) == ("spf-syntax", Severity.REFUSED)
    assert finding.kind is Kind.SPF
    return finding


@pytest.mark.parametrize("parts", [{"all": "fail"}, {"drop": ["a"]}, {"require": []}])
def test_a_new_record_needs_somebody_who_sends(parts: dict[str, Any]) -> None:
    finding = refused(spf_wish((), **parts))
    assert "example.com has no SPF record yet" in finding.message
    assert "--spf-require" in finding.advice


@pytest.mark.parametrize(
    ("require", "words"),
    [(["mx", "~mx"], "~mx"), (["redirect=x.example"], "redirect=x.example"), (["-all"], "-all")],
)
def test_a_new_record_is_refused_what_the_next_run_could_not_keep(
    require: list[str], words: str
) -> None:
    assert words in refused(spf_wish((), require=require)).message


def test_a_new_record_is_not_asked_to_hold_what_is_to_be_dropped() -> None:
    finding = refused(spf_wish((), require=["mx"], drop=["mx"]))
    assert '"mx" is required and to be dropped' in finding.message


def test_a_term_required_twice_is_written_once() -> None:
    assert spf_text((), require=["mx", "MX", "a"]) == "v=spf1 mx a ~all"


def test_two_live_records_become_one_and_what_was_decided_is_said() -> None:
    desired = spf_wish(("v=spf1 mx -all", "v=spf1 include:x.example ~all"), require=["mx"])
    (wish,) = desired.records
    assert wish.value == "v=spf1 mx include:x.example ~all"
    (finding,) = desired.findings
    assert finding.code == "spf-multiple"
    assert finding.severity is Severity.WARNING
    assert 'Of -all and ~all the softer "~all" stays.' in finding.message


@pytest.mark.parametrize(
    ("live", "parts", "words"),
    [
        ("v=spf1 ip4:203.0.113.0/33 ~all", {"require": ["mx"]}, "ip4:203.0.113.0/33"),
        ("v=spf1 redirect=x.example", {"all": "fail"}, "redirect=x.example"),
        ("v=spf1 mx ~all", {"require": ["-all"]}, "-all"),
        ("v=spf1 mx ~all", {"require": ["a", "mx"], "drop": ["mx"]}, '"mx" is required and to be'),
    ],
)
def test_what_cannot_be_edited_is_refused_and_the_other_kinds_go_on(
    live: str, parts: dict[str, Any], words: str
) -> None:
    policy = DomainPolicy(spf=SpfPolicy(**parts), dkim=POLICY.dkim, dmarc=POLICY.dmarc)
    desired = desired_records("example.com", zone(live, hostname="@"), policy, source())
    assert [wish.kind for wish in desired.records] == [Kind.DKIM, Kind.DMARC]
    (finding,) = desired.findings
    assert finding.code == "spf-syntax"
    assert finding.severity is Severity.REFUSED
    assert words in finding.message
    assert "--spf" in finding.advice


# DMARC in parts


def dmarc_wish(live: tuple[str, ...], **parts: Any) -> Any:
    policy = DomainPolicy(dmarc=DmarcPolicy(**parts))
    return desired_records("example.com", zone(*live, hostname="_dmarc"), policy, None)


@pytest.mark.parametrize(
    ("parts", "text"),
    [
        ({"rua": ["mailto:a@x.net"]}, "v=DMARC1;p=none;rua=mailto:a@x.net"),
        ({"policy": "reject", "subdomain_policy": "none"}, "v=DMARC1;p=reject;sp=none"),
        (
            {"rua": ["mailto:a@x.net", "mailto:a@X.net", "mailto:b@x.net"]},
            "v=DMARC1;p=none;rua=mailto:a@x.net,mailto:b@x.net",
        ),
    ],
)
def test_a_new_record_begins_by_watching_and_names_an_address_once(
    parts: dict[str, Any], text: str
) -> None:
    (wish,) = dmarc_wish((), **parts).records
    assert wish.value == text
    assert dmarc_wish((), **parts).findings == []


LIVE = "v=DMARC1; p=quarantine; pct=50; x=y; rua=mailto:other@example.com"


def test_the_parts_change_and_the_rest_stays_as_it_is() -> None:
    (wish,) = dmarc_wish((LIVE,), rua=["mailto:b@x.net"], subdomain_policy="reject").records
    assert wish.value == (
        "v=DMARC1; p=quarantine; sp=reject; pct=50; x=y; "
        "rua=mailto:other@example.com,mailto:b@x.net"
    )


def test_setting_the_policy_takes_the_obsolete_tags_out_and_says_so() -> None:
    desired = dmarc_wish((LIVE,), policy="quarantine")
    (wish,) = desired.records
    assert wish.value == "v=DMARC1; p=quarantine; x=y; rua=mailto:other@example.com"
    (finding,) = desired.findings
    assert (finding.code, finding.severity) == ("dmarc-removed-tag", Severity.WARNING)
    assert finding.message == "_dmarc.example.com: pct=50 goes: 50 % -> all failing mail"


@pytest.mark.parametrize("live", [LIVE, "v=DMARC1;p=rejekt", "v=DMARC1; p = none ;; "])
def test_nothing_to_change_leaves_even_an_odd_record_byte_for_byte(live: str) -> None:
    desired = dmarc_wish((live,), rua=[])
    assert [wish.value for wish in desired.records] == [live]
    assert desired.findings == []


def test_two_live_records_in_parts_are_ambiguous() -> None:
    desired = dmarc_wish(("v=DMARC1;p=none", "v=DMARC1;p=reject"), policy="none")
    assert desired.records == []
    (finding,) = desired.findings
    assert (finding.code, finding.severity) == ("dmarc-ambiguous", Severity.REFUSED)
    assert "_dmarc.example.com has 2 DMARC records" in finding.message
    assert "--dmarc" in finding.advice


def test_two_live_records_are_not_ambiguous_once_one_is_given_whole() -> None:
    (wish,) = dmarc_wish(("v=DMARC1;p=none", "v=DMARC1;p=reject"), record="v=DMARC1;p=none").records
    assert wish.value == "v=DMARC1;p=none"


def test_an_edit_that_would_leave_a_fault_in_is_refused_with_the_fault() -> None:
    desired = dmarc_wish(("v=DMARC1;p=none;adkim=x",), policy="reject")
    assert desired.records == []
    (finding,) = desired.findings
    assert (finding.code, finding.severity) == ("dmarc-syntax", Severity.REFUSED)
    assert "adkim='x'" in finding.message
    assert "--dmarc" in finding.advice


# The agreement to take reports


def test_an_agreement_is_a_record_in_the_receiving_zone() -> None:
    wish = report_authorisation("example.net", "reports.example.com", zone())
    assert wish == DesiredRecord(
        Kind.DMARC_REPORT, "example.net._report._dmarc.reports", "v=DMARC1"
    )


@pytest.mark.parametrize("hostname", ["example.net._report._dmarc", "*._report._dmarc"])
def test_an_agreement_that_is_there_stays_as_it_is_also_one_for_all(hostname: str) -> None:
    live = "v=DMARC1; rua=mailto:elsewhere@example.com"
    before = zone(live, hostname=hostname)
    wish = report_authorisation("example.net", "example.com", before)
    assert wish == DesiredRecord(Kind.DMARC_REPORT, hostname, live)
    assert compute(Place("example.com", "example.com"), before, [wish]).is_empty


# Twice is once

terms = st.sampled_from(
    (
        "mx",
        "a",
        "-a",
        "~mx",
        "ip4:203.0.113.7",
        "ip4:203.0.113.0/24",
        "include:x.example",
        "exp=e.example",
    )
)
lists = st.none() | st.lists(terms, max_size=3)
addresses = st.sampled_from(("mailto:a@example.com", "mailto:A@example.com!1m", "https://x.net/r"))
in_parts = st.builds(
    DomainPolicy,
    spf=st.builds(
        SpfPolicy,
        require=lists,
        drop=lists,
        all=st.sampled_from([None, "fail", "softfail", "neutral"]),
    ),
    dmarc=st.builds(
        DmarcPolicy,
        policy=st.sampled_from([None, "none", "quarantine", "reject"]),
        subdomain_policy=st.sampled_from([None, "none", "reject"]),
        rua=st.none() | st.lists(addresses, max_size=3),
    ),
    dkim=st.just(DkimPolicy(source="file:x")),
)
more_texts = st.lists(
    st.sampled_from(
        (
            "v=spf1 redirect=x.example",
            "v=spf1 a exp=f.example ?all mx",
            "v=spf1 ip4:203.0.113.0/24 a -all ",
            "v=DMARC1; p=reject; pct=0; sp=none",
            "v=DMARC1;p=none;rua=mailto:a@example.com;rua=mailto:z@example.com",
            "v=DMARC1;adkim=s;p=quarantine;t=y;ri=1",
        )
    ),
    max_size=2,
)


@settings(max_examples=tries(500))
@given(zones(), more_texts, in_parts)
def test_what_was_applied_asks_for_nothing_more(
    before: Zone, more: list[str], policy: DomainPolicy
) -> None:
    beside = tuple(
        DnsRecord(str(number), "@" if "spf" in text else "_dmarc", "TXT", text)
        for number, text in enumerate(more)
    )
    before = Zone("example.com", "ccp", (*before.records, *beside))
    place, key = Place("example.com", "example.com"), source(key_only=True)
    first = desired_records("example.com", before, policy, key)
    after = applied(before, compute(place, before, first.records).changes)
    second = desired_records("example.com", after, policy, key)
    change_set = compute(place, after, second.records)
    assert change_set.changes == ()
    refused = {f.code for f in first.findings if f.severity is Severity.REFUSED}
    assert {f.code for f in second.findings} <= refused


@pytest.mark.parametrize(
    ("wanted", "said"), [(None, True), ("fail", False), ("softfail", False), ("neutral", False)]
)
def test_of_the_merged_all_nothing_is_said_that_the_wish_does_not_do(
    wanted: Any, said: bool
) -> None:
    policy = DomainPolicy(spf=SpfPolicy(require=["mx"], all=wanted))
    live = zone("v=spf1 a -all", "v=spf1 mx ~all", hostname="@")
    found = desired_records("example.com", live, policy, None)
    assert ("the softer" in found.findings[0].message) == said
    qualifier = {"fail": "-", "neutral": "?"}.get(wanted, "~")
    assert found.records[0].value == f"v=spf1 a mx {qualifier}all"


@pytest.mark.parametrize(
    ("named", "domain", "told"),
    [
        ("other.example", "example.com", True),
        ("example.com", "intern.example.com", True),
        ("example.com", "example.com", False),
        ("intern", "intern.example.com", False),
        ("", "example.com", False),
    ],
)
def test_a_key_under_the_name_of_another_domain_is_told(
    named: str, domain: str, told: bool
) -> None:
    key = replace(source(), domain=named)
    policy = DomainPolicy(dkim=DkimPolicy(source="-"))
    found = desired_records(domain, zone(), policy, key)
    assert [f.code for f in found.findings] == (["dkim-named-elsewhere"] if told else [])
