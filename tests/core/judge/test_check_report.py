"""Findings come together once each: at the record they are about, and from one source."""

from __future__ import annotations

from dataclasses import replace

from netcup_mailauth.findings import Finding, Severity
from netcup_mailauth.judge.check import Verdict, assembled, of_copy
from netcup_mailauth.judge.compare import Known, Target
from netcup_mailauth.judge.report import Basis, CheckedRecord
from netcup_mailauth.policy import DomainPolicy, Wish
from netcup_mailauth.records import Kind
from tests.core.judge.cases import zone
from tests.core.judge.samples import DOMAIN, KEY, SPF, apex, world

ABOUT = (Kind.SPF, DOMAIN)
RECORD = CheckedRecord(Kind.SPF, DOMAIN, None, ())
WISH = Wish(DOMAIN, DomainPolicy(allow=["x"]))


def finding(code: str, severity: Severity = Severity.WARNING, message: str = "so") -> Finding:
    return Finding(code, severity, message)


def test_a_finding_stands_at_the_record_it_is_about_else_at_the_domain() -> None:
    verdict = Verdict(
        conclusions=("passes",),
        costs=("1 of 10",),
        findings=(
            (ABOUT, finding("b")),
            (ABOUT, finding("a", Severity.DANGER)),
            (ABOUT, finding("b")),
            ((Kind.DMARC, f"_dmarc.{DOMAIN}"), finding("c")),
        ),
    )
    decided = [finding("a"), finding("dkim-no-key")]
    known = Known(WISH, DOMAIN)
    report = assembled(known, Basis.CONFIG, [RECORD], verdict, decided, [finding("mx")])
    assert [f.code for f in report.records[0].findings] == ["a", "b"]
    # What was decided about a change is left out where a receiver sees the same.
    assert [f.code for f in report.findings] == ["dkim-no-key", "c", "mx"]
    assert (report.conclusions, report.costs, report.allow) == (("passes",), ("1 of 10",), ("x",))


LIVE = zone(
    f"@ TXT {SPF}",
    "@ MX 10 mail.example.com",
    "@ MX 50 mx2f31.netcup.net",
    "key1._domainkey CNAME key1._domainkey.webhosting.systems",
    f"dkim.domainkey TXT {KEY}",
    "_dmarc TXT v=DMARC1;p=none;pct=50",
    "* TXT something",
)
TARGETS = (Target(Kind.SPF, DOMAIN), Target(Kind.DMARC, f"_dmarc.{DOMAIN}"))


def told(live: bool = True, parked: bool = False) -> list[str]:
    known = Known(WISH, DOMAIN, LIVE if live else None)
    found = of_copy(known, TARGETS, world(apex(SPF)), parked=parked)
    return sorted(f"{f.code} {f.message.split()[0]}" for f in found)


def test_the_guard_adds_what_a_receiver_does_not_see() -> None:
    assert told() == [
        "dmarc-policy-none p=none",
        "dmarc-removed-tag The",
        "misplaced-record TXT",
        "spf-fail-and-forwarding -all:",
        "stale-netcup-mail The",
        "stale-netcup-mail key1._domainkey:",
        "wildcard-txt *",
    ]


def test_of_a_broken_record_nothing_else_is_said() -> None:
    broken = zone("_dmarc TXT v=DMARC1;p=nothing;pct=50", name=DOMAIN)
    known = Known(WISH, DOMAIN, broken)
    assert not list(of_copy(known, TARGETS, world(), parked=False))


def test_what_a_receiver_sees_is_not_said_again_of_netcups_copy() -> None:
    known = Known(WISH, DOMAIN, LIVE)
    of_zone = list(of_copy(known, TARGETS, world(apex(SPF)), parked=False))
    codes = ("misplaced-record", "stale-netcup-mail")
    seen = [replace(f, severity=Severity.DANGER) for f in of_zone if f.code == codes[0]]
    verdict = Verdict(findings=tuple((ABOUT, f) for f in seen))
    beside = [f for f in of_zone if f.code == codes[1]]
    report = assembled(known, Basis.CONFIG, [RECORD], verdict, [], [*beside, *of_zone])
    assert [f.code for f in report.records[0].findings] == [codes[0]]
    assert [f for f in report.findings if f.code in codes] == beside


def test_without_netcups_copy_only_the_records_themselves_are_judged() -> None:
    assert told(live=False) == ["spf-fail-and-forwarding -all:"]


def test_a_parked_domain_is_not_told_about_mail_that_it_does_not_send() -> None:
    assert "spf-fail-and-forwarding -all:" not in told(parked=True)
