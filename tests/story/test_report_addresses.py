"""Whose agreement a report address needs, and that a run plans it where it can (RFC 9990, 4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pytest

from netcup_mailauth.actions import planning
from netcup_mailauth.findings import Severity
from netcup_mailauth.policy import DmarcPolicy, DomainPolicy, Wish, linked
from netcup_mailauth.records import Kind, Zone, absolute, normalise
from tests.core.judge.cases import key_record, only, wants, zone
from tests.story.test_scenarios import Account, session

if TYPE_CHECKING:
    from netcup_mailauth.plan import ChangeSet

KEY = key_record()
OWN = "v=DMARC1;p=none"


def domain_zone(name: str, *lines: str) -> Zone:
    return zone("@ A 203.0.113.1", f"dkim._domainkey TXT {KEY}", *lines, name=name)


def reports(domain: str, address: str, in_zone: str | None = None) -> Wish:
    return Wish(domain, DomainPolicy(dmarc=DmarcPolicy(rua=[address]), zone=in_zone))


def spf_only(domain: str, in_zone: str | None = None) -> Wish:
    return Wish(domain, wants("v=spf1 a ~all", zone=in_zone))


class Case(NamedTuple):
    """A run, and what it should come to.

    ``agreed`` are the names that it makes, ``found`` the severity of a host that did not agree.
    """

    zones: tuple[Zone, ...]
    wishes: tuple[Wish, ...]
    agreed: tuple[str, ...] = ()
    found: Severity | None = None


COM, SUB = "example.com", "intern.example.com"
PARENT = domain_zone(COM, "_dmarc TXT v=DMARC1;p=reject;rua=mailto:d@example.com")
BARE = domain_zone(COM)
TO_COM = "mailto:d@example.com"

CASES = {
    "the domain itself": Case((BARE,), (reports(COM, TO_COM),)),
    "the domain itself, in capitals": Case((BARE,), (reports(COM, "mailto:d@EXAMPLE.com"),)),
    "a host below it": Case((BARE,), (reports(COM, "mailto:d@mail.example.com"),)),
    "its parent, that has a policy": Case((PARENT,), (reports(SUB, TO_COM, COM),)),
    "its parent, that gets a policy in this run": Case(
        (BARE,), (reports(SUB, TO_COM, COM), reports(COM, TO_COM))
    ),
    "the same, in the other order": Case(
        (BARE,), (reports(COM, TO_COM), reports(SUB, TO_COM, COM))
    ),
    "its parent in another zone, that gets a policy in this run": Case(
        (BARE, domain_zone(SUB)), (reports(SUB, TO_COM, SUB), reports(COM, TO_COM))
    ),
    "its parent without a policy, in this run": Case(
        (BARE,),
        (reports(SUB, TO_COM, COM), spf_only(COM)),
        ("intern.example.com._report._dmarc.example.com",),
    ),
    "its parent with a policy that this run leaves alone": Case(
        (PARENT,), (reports(SUB, TO_COM, COM), spf_only(COM))
    ),
    "its parent without a policy, not in this run": Case(
        (BARE,), (reports(SUB, TO_COM, COM),), found=Severity.WARNING
    ),
    "its sister, below a policy": Case(
        (PARENT,), (reports(SUB, "mailto:d@b.example.com", COM), spf_only("b.example.com", COM))
    ),
    "its sister, below a policy that this run makes": Case(
        (BARE,),
        (
            reports(SUB, "mailto:d@b.example.com", COM),
            spf_only("b.example.com", COM),
            reports(COM, TO_COM),
        ),
    ),
    "its sister, below no policy": Case(
        (BARE,),
        (reports(SUB, "mailto:d@b.example.com", COM), reports("b.example.com", TO_COM, COM)),
        ("intern.example.com._report._dmarc.b.example.com",),
        Severity.WARNING,  # of the second domain's address
    ),
    "its sister, below no policy, not in this run": Case(
        (BARE,), (reports(SUB, "mailto:d@b.example.com", COM),), found=Severity.DANGER
    ),
    "a host below it that says it is an organisation of its own": Case(
        (domain_zone(COM, "_dmarc.r TXT v=DMARC1;p=none;psd=n"),),
        (reports(COM, "mailto:d@r.example.com"),),
        ("example.com._report._dmarc.r.example.com",),
    ),
    "another domain under one public suffix": Case(
        (domain_zone("a.co.uk"), domain_zone("b.co.uk")),
        (reports("a.co.uk", "mailto:d@b.co.uk"), spf_only("b.co.uk")),
        ("a.co.uk._report._dmarc.b.co.uk",),
    ),
    "another domain under a suffix that is on no list": Case(
        (domain_zone("a.com.au"), domain_zone("b.com.au")),
        (reports("a.com.au", "mailto:d@b.com.au"), spf_only("b.com.au")),
        ("a.com.au._report._dmarc.b.com.au",),
    ),
    "a domain under one public suffix that is not in this run": Case(
        (domain_zone("a.com.au"),),
        (reports("a.com.au", "mailto:d@b.com.au"),),
        found=Severity.DANGER,
    ),
    "an international domain": Case(
        (BARE, domain_zone("xn--bcher-kva.de")),
        (reports(COM, "mailto:d@xn--bcher-kva.de"), spf_only(normalise("bücher.de"))),
        ("example.com._report._dmarc.xn--bcher-kva.de",),
    ),
    "a host of another domain": Case(
        (BARE, domain_zone("example.net")),
        (reports(COM, "mailto:d@mail.example.net"), spf_only("example.net")),
        ("example.com._report._dmarc.mail.example.net",),
    ),
    "each other": Case(
        (BARE, domain_zone("example.net")),
        (reports(COM, "mailto:d@example.net"), reports("example.net", TO_COM)),
        ("example.com._report._dmarc.example.net", "example.net._report._dmarc.example.com"),
    ),
    "a domain that takes everybody's": Case(
        (BARE, domain_zone("example.net", "*._report._dmarc TXT v=DMARC1")),
        (reports(COM, "mailto:d@example.net"), spf_only("example.net")),
    ),
}


def planned(case: Case) -> tuple[ChangeSet, ...]:
    account = Account(*case.zones)
    return planning.plan(session(account), linked(case.wishes)).zones


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_host_has_to_agree_only_to_reports_of_another_organisation(case: Case) -> None:
    zones = planned(case)
    assert not [change_set.error for change_set in zones if change_set.error]
    made = [
        absolute(change.hostname, change_set.place.zone)
        for change_set in zones
        for change in change_set.changes
        if change.kind is Kind.DMARC_REPORT
    ]
    assert sorted(made) == sorted(case.agreed)
    found = [f for each in zones for f in each.findings if f.code == "dmarc-report-not-authorised"]
    assert [f.severity for f in found] == ([case.found] if case.found else [])


def test_what_is_said_of_a_parent_is_true_for_old_and_new_receivers() -> None:
    (found,) = planned(CASES["its parent without a policy, not in this run"])
    finding = only(found.findings, "dmarc-report-not-authorised")
    assert "RFC 9989" in finding.message
    assert "RFC 7489 do" in finding.message
    assert "give example.com a DMARC record of its own" in finding.advice


def test_domains_under_one_suffix_are_not_told_to_give_it_a_record() -> None:
    (found,) = planned(CASES["a domain under one public suffix that is not in this run"])
    advice = only(found.findings, "dmarc-report-not-authorised").advice
    assert "give com.au" not in advice
    assert "plan both domains in one run, with --rua mailto:d@b.com.au;" in advice


def test_an_address_that_only_the_live_record_names_is_agreed_to_as_the_advice_says() -> None:
    live = f"_dmarc TXT {OWN};rua=mailto:d@example.net"
    zones = (domain_zone(COM, live), domain_zone("example.net"))
    tightened = Wish(COM, wants(dmarc={"policy": "quarantine"}))
    first, _ = planned(Case(zones, (tightened, spf_only("example.net"))))
    advice = only(first.findings, "dmarc-report-not-authorised").advice
    assert "in one run, with --rua mailto:d@example.net; then that record" in advice
    named = reports(COM, "mailto:d@example.net")
    _, second = planned(Case(zones, (named, spf_only("example.net"))))
    assert [change.kind for change in second.changes] == [Kind.SPF, Kind.DMARC_REPORT]


def test_one_agreement_with_everybody_serves_several_domains_and_is_counted_once() -> None:
    takes_all = domain_zone("example.net", "*._report._dmarc TXT v=DMARC1")
    to_it = "mailto:d@example.net"
    senders = (reports(COM, to_it), reports("example.org", to_it))
    wishes = (*senders, spf_only("example.net"))
    *_, receiver = planned(Case((BARE, domain_zone("example.org"), takes_all), wishes))
    assert [(kept.kind, kept.record.hostname) for kept in receiver.unchanged] == [
        (Kind.DMARC_REPORT, "*._report._dmarc")
    ]
    assert receiver.untouched == len(takes_all.records) - 1
