"""With many domains, what several of them have in common is said once."""

from __future__ import annotations

from dataclasses import replace

from netcup_mailauth.findings import Finding, Severity
from netcup_mailauth.plan import ChangeSet, Place, Plan
from netcup_mailauth.records import Kind
from netcup_mailauth.render.page import Page
from netcup_mailauth.render.text import plan_text
from tests.core.render.samples import SPF, change

SHARED = Finding("spf-drops-sender", Severity.DANGER, "It drops a sender.", "Keep it.")
OWN = Finding("dkim-testing", Severity.WARNING, "One key only tests.")


def domain(name: str, *findings: Finding, allow: tuple[str, ...] = ()) -> ChangeSet:
    place = Place(name, name, "ccp", "https://ccp.netcup.net/", "abc")
    return ChangeSet(
        place, (change(Kind.SPF, None, SPF),), findings=findings, allow=allow, untouched=3
    )


def text(*zones: ChangeSet) -> str:
    return plan_text(Plan(zones), Page(width=100))


def test_a_finding_of_several_domains_is_said_once_with_all_their_names() -> None:
    shown = text(domain("a.de", SHARED), domain("b.de", SHARED, OWN), domain("c.de"))
    assert shown.count("It drops a sender.") == 1
    assert "2 domains (a.de, b.de):" in shown
    assert shown.count("One key only tests.") == 1


def test_it_comes_after_the_domains_and_before_the_totals() -> None:
    shown = text(domain("a.de", SHARED), domain("b.de", SHARED))
    assert shown.index("b.de") < shown.index("It drops a sender.") < shown.index("2 domains: ")


def test_what_one_domain_has_accepted_is_told_apart() -> None:
    shown = text(domain("a.de", SHARED, allow=(SHARED.code,)), domain("b.de", SHARED))
    assert shown.count("It drops a sender.") == 2
    assert shown.count("allowed: ") == 1


def test_a_finding_twice_in_one_domain_is_not_shared() -> None:
    zone = domain("a.de", SHARED)
    shown = text(replace(zone, findings=(SHARED, SHARED)))
    assert "domains (" not in shown
