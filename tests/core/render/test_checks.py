"""A check hides nothing: the worst comes first, values are whole, and nothing leaves its place."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netcup_mailauth.errors import ExitCode
from netcup_mailauth.findings import Finding, Severity
from netcup_mailauth.judge.report import (
    Basis,
    CheckedRecord,
    CheckReport,
    DomainCheck,
    ServerView,
    State,
)
from netcup_mailauth.plan import Failure
from netcup_mailauth.records import Kind
from netcup_mailauth.render.checks import check_document, check_markdown, check_text
from netcup_mailauth.render.forge import LONGEST
from netcup_mailauth.render.page import Page
from netcup_mailauth.shown import visible
from tests.core.render.samples import (
    DECEIVING,
    DMARC,
    FAILURES,
    FINDINGS,
    RSA,
    RSA_FINGERPRINT,
    SPF,
    TEXTS,
    VALUES,
)
from tests.effort import tries
from tests.hostile import ATTACKS
from tests.rendering import is_harmless

WIDE = Page(100)
NAMES = ("root-dns.netcup.net (46.38.225.225)", "second-dns.netcup.net (37.221.199.199)",
         "third-dns.netcup.net (188.68.63.63)")  # fmt: skip


def view(number: int, state: str, *values: str, detail: str = "") -> ServerView:
    return ServerView(NAMES[number], values, State(state), detail)


def record(
    *views: ServerView, kind: Kind = Kind.SPF, name: str = "example.com", **more: Any
) -> CheckedRecord:
    return CheckedRecord(kind, name, more.pop("expected", None), views, **more)


def domain(*records: CheckedRecord, **more: Any) -> DomainCheck:
    return DomainCheck("example.com", more.pop("basis", Basis.CONFIG), records, **more)


def text(*domains: DomainCheck, page: Page = WIDE, full: bool = False) -> str:
    return check_text(CheckReport(domains), page, full)


RIGHT = record(*(view(n, "ok", SPF) for n in range(3)), expected=SPF)
LATE = record(
    view(0, "ok", DMARC), view(1, "pending"), view(2, "pending"),
    kind=Kind.DMARC, name="_dmarc.example.com", expected=DMARC, advice="Wait.",
)  # fmt: skip
DEAD = record(view(0, "ok", SPF), view(1, "error", detail="no answer"), view(2, "ok", SPF),
              expected=SPF, advice="Try again.")  # fmt: skip


def test_what_is_right_is_one_line() -> None:
    assert text(domain(RIGHT)) == (
        "example.com: all is right\n"
        "  compared with the config\n"
        "\n"
        "  ok       SPF    example.com  v=spf1 mx a -all\n"
    )


def test_servers_that_say_the_same_are_told_together_the_worst_first_with_what_to_do() -> None:
    assert text(domain(RIGHT, LATE), page=Page(80)) == (
        "example.com: nothing wrong; not everywhere yet: DMARC\n"
        "  compared with the config\n"
        "\n"
        "  pending  DMARC  _dmarc.example.com\n"
        f"           wanted    {DMARC}\n"
        "           pending   no such record\n"
        f"                     at {NAMES[1]}\n"
        f"                     at {NAMES[2]}\n"
        f"           ok        at {NAMES[0]}\n"
        "           Wait.\n"
        "\n"
        "  ok       SPF    example.com         v=spf1 mx a -all\n"
    )
    assert f"at {NAMES[1]}, {NAMES[2]}\n" in text(domain(LATE))


def test_a_server_without_answer_is_named_with_the_reason() -> None:
    shown = text(domain(DEAD))
    assert shown.startswith(f"example.com: no usable answer from {NAMES[1]}\n")
    both = record(view(0, "missing"), view(1, "error"), kind=Kind.DKIM)
    assert f"DKIM missing, no usable answer from {NAMES[1]}" in text(domain(DEAD, both))
    assert text(domain(record())).startswith("example.com: no name server was asked\n")
    assert f"error     no answer\n                     at {NAMES[1]}\n" in shown
    assert "Try again." in shown


def test_where_all_servers_say_the_same_they_are_counted() -> None:
    wrong = record(*(view(n, "wrong", "v=spf1 a -all") for n in range(3)), expected=SPF)
    assert "at all 3 name servers\n" in text(domain(wrong))


@pytest.mark.parametrize(
    ("check", "headline"),
    [
        (domain(LATE, record(view(0, "missing"), kind=Kind.DKIM)), "DKIM missing"),
        (domain(RIGHT, findings=(Finding("a-code", Severity.DANGER, "x"),)), "a-code"),
        (domain(RIGHT, findings=(Finding("a-code", Severity.DANGER, "x"),), allow=("a-code",)),
         "all is right, 1 warning"),
        (domain(record(view(0, "wrong"), findings=(Finding("c", Severity.DANGER, "x"),))),
         "SPF wrong"),
        (domain(RIGHT, findings=(Finding("n", Severity.NOTE, "x"),)), "all is right"),
        (domain(), "all is right"),
    ],
)  # fmt: skip
def test_the_headline_says_what_is_wrong_by_name(check: DomainCheck, headline: str) -> None:
    assert text(check).splitlines()[0] == f"example.com: {headline}"
    assert f"\n> {headline}\n" in check_markdown(CheckReport((check,)))


OF_ITSELF = record(view(0, "ok", RSA), kind=Kind.DKIM)
NONE_OF_ITSELF = record(view(0, "missing"), kind=Kind.DMARC)


@pytest.mark.parametrize(
    ("check", "grounds"),
    [
        (domain(RIGHT, LATE), "compared with the config"),
        (domain(RIGHT, basis=Basis.OPTIONS), "compared with the options"),
        (domain(RIGHT, OF_ITSELF), "SPF compared with the config; DKIM as published"),
        (domain(OF_ITSELF, RIGHT, NONE_OF_ITSELF, basis=Basis.OPTIONS),
         "SPF compared with the options; DKIM and DMARC as published"),
        (domain(RIGHT, OF_ITSELF, OF_ITSELF, LATE),
         "SPF and DMARC compared with the config; DKIM as published"),
        (domain(OF_ITSELF, NONE_OF_ITSELF), "what is published, judged by itself"),
        (domain(OF_ITSELF, basis=Basis.PUBLISHED), "what is published, judged by itself"),
        (domain(), "compared with the config"),
    ],
)  # fmt: skip
def test_what_each_kind_is_compared_with_is_told_for_people_too(
    check: DomainCheck, grounds: str
) -> None:
    assert text(check).splitlines()[1] == f"  {grounds}"
    assert f"\n> {grounds}\n" in check_markdown(CheckReport((check,)))
    narrow = text(check, page=Page(40)).partition("\n\n")[0]
    assert " ".join(narrow.split()).endswith(grounds)


def test_findings_stand_before_conclusions_and_notes_last() -> None:
    findings = tuple(Finding(s.value, s, f"it is {s}", "do this") for s in reversed(Severity))
    shown = text(
        domain(RIGHT, findings=findings, conclusions=("it passes",), costs=("1", "  include:x"))
    )
    order = ["is refused", "is danger", "is warning", "What receivers", "it passes", "SPF: 1"]
    order += ["include:x", "is note"]
    places = [shown.index(word) for word in order]
    assert places == sorted(places)
    assert shown.count("do this") == 4


def test_conclusions_say_when_they_are_about_what_is_still_on_its_way() -> None:
    assert "once it is everywhere:" in text(domain(LATE, conclusions=("x",)))
    assert "once it is everywhere" not in text(domain(RIGHT, conclusions=("x",)))


def test_a_key_is_told_by_its_fingerprint_and_in_full_where_only_that_shows_the_difference() -> (
    None
):
    same_key = RSA.replace("p=", "t=y;p=")
    differs = record(view(0, "wrong", same_key), kind=Kind.DKIM, expected=RSA)
    alike = record(view(0, "ok", RSA), kind=Kind.DKIM, expected=RSA)
    assert RSA_FINGERPRINT in text(domain(alike))
    assert RSA not in text(domain(alike), page=Page(500))
    assert RSA in text(domain(alike), page=Page(500), full=True)
    noted = record(view(0, "wrong", RSA.replace("p=", "n=note;p=")), kind=Kind.DKIM, expected=RSA)
    assert RSA in text(domain(noted), page=Page(500))
    assert RSA in text(domain(differs), page=Page(500), full=True)


def test_a_key_that_was_compared_with_none_is_shown_by_its_ends_too() -> None:
    ends = "v=DKIM1;k=rsa;p=MIGfMA0G...ckcQ2QIDAQAB"
    assert f"\n{' ' * 18}{ends}\n" in text(domain(OF_ITSELF))
    assert ends not in text(domain(OF_ITSELF), full=True)
    compared = record(view(0, "ok", RSA), kind=Kind.DKIM, expected=RSA)
    assert ends not in text(domain(compared))


def test_a_domain_that_failed_says_why_unless_a_message_does() -> None:
    failed = DomainCheck(
        "xn--bcher-kva.example", Basis.CONFIG, error=Failure(ExitCode.ZONE, "Gone.")
    )
    shown = text(failed, page=Page(100, why=False))
    assert shown == "bücher.example (xn--bcher-kva.example): failed\n"


def test_a_domain_that_failed_says_why() -> None:
    failed = domain(error=Failure(ExitCode.ZONE, "There is no such domain.", "Look again."))
    assert text(failed) == "example.com\n  There is no such domain.\n  Look again.\n"
    assert check_markdown(CheckReport((failed,))) == (
        "## Mail records as receivers see them\n\n**1 domain: 1 failed.**\n\n"
        "### `example.com`: failed\n\n> [!CAUTION]\n> **Failed.**\n>\n"
        "> ```text\n> There is no such domain.\n>\n> Look again.\n> ```\n"
    )


def test_of_several_domains_the_totals_come_last() -> None:
    failed = domain(error=Failure(ExitCode.ZONE, "gone"))
    shown = text(domain(RIGHT), domain(LATE), domain(DEAD), failed)
    last = shown.splitlines()[-1]
    assert last == "4 domains: 1 right, 1 not everywhere yet, 1 wrong, 1 failed."


def test_colour_adds_nothing_but_colour() -> None:
    check = domain(RIGHT, LATE, DEAD)
    coloured = text(check, page=Page(100, colour=True))
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == text(check)
    assert "\x1b[33mpending \x1b[0m" in coloured


def test_the_json_document_is_the_contract() -> None:
    finding = Finding("a-code", Severity.NOTE, "it is so", "do this")
    check = domain(
        record(view(1, "error", detail="no answer"), expected=SPF, findings=(finding,)),
        basis=Basis.OPTIONS,
        findings=(finding,),
    )
    document = check_document(CheckReport((check,)))
    (found,) = document["domains"]
    (one,) = found["records"]
    assert document["schema"] == 1
    assert (found["domain"], found["basis"], found["error"]) == ("example.com", "options", None)
    assert {k: one[k] for k in ("kind", "name", "state", "expected")} == {
        "kind": "spf", "name": "example.com", "state": "error", "expected": SPF,
    }  # fmt: skip
    assert one["servers"] == [
        {"server": NAMES[1], "values": [], "state": "error", "detail": "no answer"}
    ]
    told = {"code": "a-code", "severity": "note", "message": "it is so", "advice": "do this"}
    assert one["findings"] == found["findings"] == [told]
    failed = domain(error=Failure(ExitCode.ZONE, "gone", "look"))
    assert check_document(CheckReport((failed,)))["domains"][0]["error"] == {
        "exit_code": 5, "message": "gone", "advice": "look",
    }  # fmt: skip


VIEWS = st.builds(ServerView, TEXTS, st.lists(VALUES, max_size=2).map(tuple),
                  st.sampled_from(State), TEXTS)  # fmt: skip
RECORDS = st.builds(
    CheckedRecord,
    st.sampled_from(Kind),
    TEXTS,
    st.none() | VALUES,
    st.lists(VIEWS, max_size=3).map(tuple),
    st.lists(FINDINGS, max_size=1).map(tuple),
    TEXTS,
)
CHECKS = st.builds(
    DomainCheck,
    TEXTS,
    st.sampled_from(Basis),
    st.lists(RECORDS, max_size=3).map(tuple),
    st.lists(FINDINGS, max_size=2).map(tuple),
    st.lists(TEXTS, max_size=2).map(tuple),
    st.lists(TEXTS, max_size=2).map(tuple),
    st.lists(TEXTS, max_size=1).map(tuple),
    st.none() | FAILURES,
)


@settings(max_examples=tries(60))
@given(CHECKS, st.integers(60, 120), st.booleans())
def test_nothing_in_a_check_can_deceive_the_eye_or_is_cut(
    check: DomainCheck, width: int, full: bool
) -> None:
    shown = text(check, page=Page(width), full=full)
    assert not set(shown) & (set(DECEIVING) - {"\n"})
    squeezed = "".join(shown.split())
    for one in check.records if check.error is None else ():
        assert "".join(visible(one.name).split()) in squeezed
        told = [v for seen in one.servers if seen.state is not State.OK for v in seen.values]
        for value in told if full else ():
            assert "".join(visible(value).split()) in squeezed


@settings(max_examples=tries(30))
@given(CHECKS)
def test_json_holds_any_text_as_it_is(check: DomainCheck) -> None:
    document = check_document(CheckReport((check,)))
    assert json.loads(json.dumps(document)) == document
    assert [r["name"] for r in document["domains"][0]["records"]] == [r.name for r in check.records]


@settings(max_examples=tries(60))
@given(CHECKS)
def test_a_check_of_anything_is_harmless_in_markdown(check: DomainCheck) -> None:
    document = check_markdown(CheckReport((check,)))
    assert not set(document) & (set(DECEIVING) - {"\n"})
    squeezed = "".join("".join(is_harmless(document).codes).split())
    for one in check.records if check.error is None else ():
        assert "".join(visible(one.name).split()) in squeezed


@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_of_others_leaves_its_code_in_a_check(attack: str) -> None:
    def words_of(text: str) -> list[str]:
        findings = tuple(
            Finding(text, s, f"It is {text}.", f"Do {text}.\n  {text}") for s in Severity
        )
        seen = (
            view(0, "ok", text),
            view(1, "wrong", text, SPF),
            ServerView(text, (), State.ERROR, text),
        )
        checked = [
            CheckedRecord(kind, text, text, seen, findings, f"Do:\n  {text}\n{text}")
            for kind in Kind
        ]
        whole = DomainCheck(text, Basis.CONFIG, tuple(checked), findings, (text,), (text, text))
        failed = DomainCheck(text, Basis.CONFIG, error=Failure(ExitCode.ZONE, text, f"Do {text}."))
        return is_harmless(check_markdown(CheckReport((whole, failed)))).words

    assert words_of(attack) == words_of("x")


def test_in_markdown_dangers_come_first_what_is_typed_stands_alone_and_notes_are_folded() -> None:
    findings = tuple(Finding(s.value, s, f"it is {s}", "do this") for s in reversed(Severity))
    command = "netcup-mailauth plan example.com"
    late = replace(LATE, advice=f"Publish it:\n  {command}")
    document = check_markdown(
        CheckReport((domain(RIGHT, late, findings=findings, conclusions=("it passes",)),))
    )
    order = ["`refused`", "`danger`", "  pending  DMARC", "it passes", "> DMARC:", "Publish it:"]
    order += [f"> ```sh\n> {command}\n> ```", "`warning`", "<summary>1 note</summary>", "`note`"]
    places = [document.index(word) for word in order]
    assert sorted(places[:2]) + places[2:] == sorted(places)
    assert document.count("> [!CAUTION]") == 2
    assert document.count("> [!WARNING]") == 1


def test_a_report_that_no_comment_can_hold_has_a_line_for_what_is_left_out() -> None:
    reports = [replace(domain(RIGHT, LATE), domain=f"n{n}.example") for n in range(400)]
    document = check_markdown(CheckReport((*reports, domain(DEAD))))
    assert len(document) <= LONGEST
    assert "All of it is in the output of `--format json`.\n\n- `n" in document
    assert "### `example.com`: wrong\n" in document
    endless = record(*(view(n, "ok", "x" * 60_000) for n in range(3)), expected="x" * 60_000)
    assert "(60,000 characters, left out here" in check_markdown(CheckReport((domain(endless),)))


def test_a_value_too_long_for_its_line_stands_below_its_name_in_full() -> None:
    long = f"v=spf1 {' '.join(f'ip4:203.0.113.{n}' for n in range(20))} -all"
    view = ServerView("192.0.2.1:53", (long,), State.OK)
    record = CheckedRecord(Kind.SPF, "example.com", long, (view,))
    check = DomainCheck("example.com", Basis.OPTIONS, (record,))
    shown = check_text(CheckReport((check,)), Page(80))
    assert " ".join(shown.split()).count(long) == 1
    assert max(map(len, shown.splitlines())) <= 80


def test_servers_with_several_addresses_are_counted_as_such() -> None:
    views = [
        ServerView(f"{name} ({address})", (), State.MISSING)
        for name in ("ns1.example", "ns2.example")
        for address in ("192.0.2.1", "2001:db8::1")
    ]
    record = CheckedRecord(Kind.SPF, "example.com", None, tuple(views))
    assert "at all 4 addresses of 2 name servers\n" in text(domain(record))
