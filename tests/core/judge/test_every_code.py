"""Every code of the contract is provoked here, and none of them by a zone that is in order."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from netcup_mailauth.findings import CODES, OF_CHANGES, Finding, Severity, by_gravity
from netcup_mailauth.judge import holding
from netcup_mailauth.judge.case import Signer
from netcup_mailauth.judge.dkim import no_key, note_left_out
from netcup_mailauth.judge.spf import relayhost
from netcup_mailauth.lookup import silent
from netcup_mailauth.plan import ChangeSet, Place
from netcup_mailauth.records import DnsRecord, Kind, Zone
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
    judged_wish,
    key_record,
    mail_zone,
    only,
    source,
    to_type,
    wants,
    zone,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


LATER = {"dkim-key-mismatch"}
"""Codes of ``check``, which compares what is published with what signs."""

R, D, W, N = Severity.REFUSED, Severity.DANGER, Severity.WARNING, Severity.NOTE
NETCUP = "v=spf1 mx a include:_spf.webhosting.systems ~all"
SIGNED = source(key_record())
LIVE_TTL = Zone(
    "example.com", "clouddns", (DnsRecord(None, "dkim._domainkey", "TXT", key_record(), ttl=86400),)
)

# What is done, by code: in each a zone that is in order but for this, and a wish.
PROVOKED: dict[str, tuple[Severity, Callable[[], Sequence[Finding]]]] = {
    "cname-conflict": (
        R,
        lambda: judged(mail_zone(SPF, (), None, "_dmarc CNAME x.example.net"), wants(dmarc=DMARC)),
    ),
    "dkim-cname": (
        R,
        lambda: judged(
            mail_zone(SPF, DMARC, (), "dkim._domainkey CNAME x.example.net"),
            wants(dkim="dkim"),
            SIGNED,
        ),
    ),
    "dkim-key-too-short": (
        R,
        lambda: judged_wish(CLEAN, Kind.DKIM, "dkim._domainkey", key_record(512)),
    ),
    "dkim-selector-mismatch": (
        R,
        lambda: judged(CLEAN, wants(dkim="s1"), SIGNED, signer=Signer(SIGNED.key, "dkim")),
    ),
    "rotation-in-progress": (
        R,
        lambda: judged(
            CLEAN,
            wants(dkim="dkim"),
            source(key_record(number=2)),
            held=frozenset({"dkim._domainkey"}),
        ),
    ),
    "record-fixed": (
        R,
        lambda: judged(
            Zone(
                "example.com",
                "clouddns",
                (DnsRecord(None, "@", "TXT", "v=spf1 mx ~all", ttl=3600, immutable=True),),
            ),
            wants("v=spf1 mx -all"),
        ),
    ),
    "spf-syntax": (R, lambda: judged(mail_zone("v=spf1 ip4:x ~all"), wants({"require": ["a"]}))),
    "dkim-syntax": (R, lambda: judged_wish(CLEAN, Kind.DKIM, "dkim._domainkey", "v=DKIM1;k=rsa")),
    "dmarc-syntax": (R, lambda: judged_wish(CLEAN, Kind.DMARC, "_dmarc", "v=DMARC1;p=rejekt")),
    "dmarc-ambiguous": (
        R,
        lambda: judged(mail_zone(SPF, (DMARC, "v=DMARC1;p=none")), wants(dmarc={"policy": "none"})),
    ),
    "spf-multiple": (D, lambda: judged_changes(CLEAN, creates(Kind.SPF, "@", "v=spf1 a ~all"))),
    "spf-too-many-lookups": (
        D,
        lambda: judged(CLEAN, wants({"require": [f"a:h{n}.example.com" for n in range(10)]})),
    ),
    "spf-void-lookups": (
        D,
        lambda: judged(CLEAN, wants({"require": [f"a:h{n}.example.net" for n in range(3)]})),
    ),
    "spf-broken-include": (
        D,
        lambda: judged(CLEAN, wants({"require": ["include:gone.example.net"]})),
    ),
    "spf-pass-all": (D, lambda: judged(CLEAN, wants("v=spf1 mx +all"))),
    "spf-drops-sender": (D, lambda: judged(mail_zone(NETCUP), wants("v=spf1 mx a ~all"))),
    "spf-admits-excluded": (
        D,
        lambda: judged(
            mail_zone("v=spf1 -ip4:192.0.2.9 mx ~all"), wants("v=spf1 ip4:192.0.2.0/24 mx ~all")
        ),
    ),
    "spf-excludes-own-server": (
        D,
        lambda: judged(CLEAN, wants("v=spf1 a ~all"), hosts=("mail.example.com",)),
    ),
    "spf-loosens-all": (D, lambda: judged(CLEAN, wants({"all": "neutral"}))),
    "spf-not-checked": (
        D,
        lambda: judged(CLEAN, wants({"require": ["include:x.example"]}), dns=silent),
    ),
    "spf-removed": (D, lambda: judged_changes(CLEAN, deletes(CLEAN, Kind.SPF, "@"))),
    "dkim-revokes-key": (D, lambda: judged(CLEAN, wants(dkim="dkim"), source("v=DKIM1;p="))),
    "dkim-multiple": (
        D,
        lambda: judged_changes(CLEAN, creates(Kind.DKIM, "dkim._domainkey", key_record(number=2))),
    ),
    "dkim-removes-signing-key": (
        D,
        lambda: judged(
            CLEAN, wants(dkim="dkim"), source(key_record(number=2)), signer=Signer(SIGNED.key)
        ),
    ),
    "dmarc-weakens-policy": (D, lambda: judged(CLEAN, wants(dmarc={"policy": "none"}))),
    "dmarc-drops-reports": (D, lambda: judged(CLEAN, wants(dmarc="v=DMARC1;p=quarantine"))),
    "dmarc-multiple": (
        D,
        lambda: judged_changes(CLEAN, creates(Kind.DMARC, "_dmarc", "v=DMARC1;p=none")),
    ),
    "dkim-not-looked-at": (
        W,
        lambda: judged(mail_zone(SPF, (), ()), wants(dmarc=DMARC), dkim_left_out=True),
    ),
    "dmarc-enforces-without-dkim": (
        D,
        lambda: judged(
            mail_zone(SPF, "v=DMARC1;p=none;rua=mailto:d@example.com", ()), wants(dmarc=DMARC)
        ),
    ),
    "dmarc-report-not-authorised": (
        D,
        lambda: judged(CLEAN, wants(dmarc={"rua": ["mailto:x@example.net"]})),
    ),
    "record-vanished": (
        D,
        lambda: judged(mail_zone(()), wants({"require": ["mx"]}), remembered=CLEAN),
    ),
    "name-delegated": (
        D,
        lambda: judged(mail_zone(SPF, (), None, "_dmarc NS ns.vendor.example"), wants(dmarc=DMARC)),
    ),
    "wildcard-shadowed": (
        D,
        lambda: judged(
            mail_zone(SPF, DMARC, None, "* A 203.0.113.80"),
            wants(dmarc=DMARC),
            domain="shop.example.com",
        ),
    ),
    "zone-has-draft": (D, lambda: judged(mail_zone(draft="r7"), wants({"require": ["mx"]}))),
    "zone-reads-empty": (D, lambda: judged(zone(), wants("v=spf1 mx ~all"))),
    "spf-ptr": (W, lambda: judged(CLEAN, wants({"require": ["ptr"]}))),
    "spf-long": (
        W,
        lambda: judged(mail_zone(SPF, DMARC, None, f"@ TXT {'x' * 400}"), wants("v=spf1 mx -all")),
    ),
    "spf-void-hosts": (
        W,
        lambda: judged(
            zone(
                *(f"@ MX {n} m{n}.example.com" for n in (10, 20, 30)),
                *(f"m{n} A 203.0.113.{n}" for n in (10, 20, 30)),
            ),
            wants("v=spf1 mx ~all"),
        ),
    ),
    "spf-near-limit": (
        W,
        lambda: judged(
            CLEAN, wants({"require": ["a", *(f"exists:{n}.example.com" for n in "abcdef")]})
        ),
    ),
    "spf-after-all": (W, lambda: judged(CLEAN, wants("v=spf1 mx ~all a"))),
    "spf-no-all": (W, lambda: judged(CLEAN, wants("v=spf1 mx"))),
    "spf-neutral-all": (W, lambda: judged(CLEAN, wants("v=spf1 mx ?all"))),
    "spf-softens-all": (W, lambda: judged(mail_zone("v=spf1 mx -all"), wants({"all": "softfail"}))),
    "own-server-unknown": (W, lambda: judged(zone("@ A 203.0.113.1"), wants("v=spf1 a ~all"))),
    "dkim-key-1024": (W, lambda: judged(CLEAN, wants(dkim="s2"), source(key_record(1024)))),
    "dkim-testing": (W, lambda: judged(CLEAN, wants(dkim="s2"), source(key_record(tags="t=y;")))),
    "dkim-key-replaced": (
        W,
        lambda: judged(CLEAN, wants(dkim="dkim"), source(key_record(number=2))),
    ),
    "ttl-long": (W, lambda: judged(LIVE_TTL, wants(dkim="dkim"), source(key_record(number=2)))),
    "dkim-n-left-out": (N, lambda: [note_left_out('say "hi"', "netcup refuses a double quote")]),
    "dkim-named-elsewhere": (
        N,
        lambda: judged(
            mail_zone(SPF, DMARC, ()),
            wants(dkim="dkim"),
            replace(SIGNED, domain="other.example"),
        ),
    ),
    "dkim-no-key": (W, lambda: [no_key("example.com")]),
    "relayhost": (W, lambda: [relayhost("example.com", "7")]),
    "dmarc-untested": (W, lambda: judged(mail_zone(SPF, ()), wants(dmarc=DMARC))),
    "dmarc-no-reports": (W, lambda: judged(mail_zone(SPF, ()), wants(dmarc="v=DMARC1;p=none"))),
    "dmarc-removed-tag": (
        W,
        lambda: judged(mail_zone(SPF, f"{DMARC};pct=50"), wants(dmarc={"policy": "quarantine"})),
    ),
    "dmarc-pct-0": (
        W,
        lambda: judged(mail_zone(SPF, f"{DMARC};pct=0"), wants(dmarc={"policy": "reject"})),
    ),
    "dmarc-ruf-not-authorised": (
        W,
        lambda: judged(CLEAN, wants(dmarc=f"{DMARC};ruf=mailto:x@example.net")),
    ),
    "dmarc-psd": (N, lambda: judged(CLEAN, wants(dmarc=f"{DMARC};psd=y"))),
    "near-miss": (
        W,
        lambda: judged(mail_zone(SPF, (DMARC, "hello")), wants({"require": ["mx"]})),
    ),
    "misplaced-record": (
        W,
        lambda: judged(
            mail_zone(SPF, DMARC, None, f"dmarc TXT {DMARC}"), wants({"require": ["mx"]})
        ),
    ),
    "stale-netcup-mail": (
        W,
        lambda: judged(
            mail_zone(SPF, DMARC, None, "@ MX 50 mxf8a.netcup.net"), wants({"require": ["mx"]})
        ),
    ),
    "spf-fail-and-forwarding": (N, lambda: judged(CLEAN, wants({"all": "fail"}))),
    "dmarc-policy-none": (N, lambda: judged(mail_zone(SPF, ()), wants(dmarc={"rua": []}))),
    "dmarc-reject-and-mailing-lists": (N, lambda: judged(CLEAN, wants(dmarc={"policy": "reject"}))),
    "wildcard-txt": (
        N,
        lambda: judged(mail_zone(SPF, DMARC, None, "* TXT hello"), wants({"require": ["mx"]})),
    ),
}


@pytest.mark.parametrize("code", sorted(PROVOKED))
def test_the_code_is_provoked_with_its_severity_and_says_something(code: str) -> None:
    severity, provoke = PROVOKED[code]
    found = [finding for finding in provoke() if finding.code == code]
    assert [finding.severity for finding in found] == [severity]
    assert found[0].message
    assert found[0].advice or code == "dmarc-removed-tag"


def test_no_code_of_the_contract_is_left_out_and_none_is_beside_it() -> None:
    assert set(PROVOKED) == set(CODES) - LATER
    seen = {finding.code for _, provoke in PROVOKED.values() for finding in provoke()}
    assert seen == set(CODES) - LATER


def test_a_code_weighs_what_the_table_says() -> None:
    worse = {"own-server-unknown"}  # a danger where -all is new
    given = {code: severity for code, (severity, _) in PROVOKED.items() if code not in worse}
    assert {code: s for s, table in OF_CHANGES.items() for code in table if code in given} == given


HARMLESS = wants(
    {"require": ["ip4:203.0.113.26"]}, {"rua": ["mailto:second@example.com"]}, dkim="dkim"
)


def test_a_harmless_change_of_a_clean_zone_is_not_commented_at_all() -> None:
    found = judged(
        CLEAN,
        HARMLESS,
        SIGNED,
        hosts=("mail.example.com",),
        signer=Signer(SIGNED.key, "dkim"),
        remembered=CLEAN,
    )
    assert found == ()


def test_a_clean_zone_that_is_as_wanted_is_not_commented_either() -> None:
    policy = wants({"require": ["mx"]}, {"policy": "quarantine"}, dkim="dkim")
    assert judged(CLEAN, policy, SIGNED, dns=dns()) == ()


@pytest.mark.parametrize("code", sorted(PROVOKED))
def test_what_an_advice_says_to_type_is_understood_and_never_a_consent(code: str) -> None:
    for finding in PROVOKED[code][1]():
        to_type(finding)
        assert "--allow" not in finding.advice
        assert "\n  --" not in finding.advice  # what is typed is whole, or said in words


def test_findings_come_with_the_gravest_first_and_each_once() -> None:
    found = judged(
        mail_zone(NETCUP, DMARC, None, "* TXT a", "@ MX 50 mx1f.netcup.net"),
        wants("v=spf1 a -all"),
        hosts=("mail.example.com",),
    )
    order = [list(Severity).index(finding.severity) for finding in found]
    assert order == sorted(order)
    assert len(set(order)) == 3
    assert by_gravity([*found, *found]) == found


def test_the_code_that_only_check_gives_is_known_to_allow() -> None:
    assert set(CODES) >= LATER
    assert not LATER & set(codes(judged(CLEAN, HARMLESS, SIGNED)))


def test_the_relay_and_the_missing_key_name_the_domain() -> None:
    assert "example.com" in only([no_key("example.com")], "dkim-no-key").message
    relay = relayhost("example.com", "smtp.example.net")
    assert "smtp.example.net" in relay.message


def test_what_is_allowed_without_need_is_known() -> None:
    change_set = ChangeSet(Place("a.de", "a.de"), allow=("spf-ptr", "spf-ptr"))
    assert holding.needless(change_set) == ("spf-ptr",)
    ptr = Finding("spf-ptr", Severity.WARNING, "")
    assert holding.needless(replace(change_set, findings=(ptr,))) == ()
