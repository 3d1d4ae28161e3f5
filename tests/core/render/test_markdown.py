"""Markdown for a merge request: complete, and nothing in it becomes markup."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import islice, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netcup_mailauth.errors import ExitCode
from netcup_mailauth.findings import Finding, Severity
from netcup_mailauth.plan import ChangeSet, Failure, Place, Plan, Result, RunResult, Status
from netcup_mailauth.records import DnsRecord, Kind, Zone, visible
from netcup_mailauth.render.markdown import (
    cell,
    code,
    plain,
    plan_markdown,
    run_markdown,
    zone_markdown,
)
from netcup_mailauth.render.words import HELD
from tests.core.render.commonmark import cells, inline
from tests.core.render.samples import (
    DMARC,
    FAILED,
    FULL_STORY,
    NETCUP_SPF,
    PLACE,
    PLANS,
    RSA,
    RSA_FINGERPRINT,
    RUNS,
    SPF,
    TEXTS,
    UNCHANGED,
    VALUES,
    change,
    change_set,
    plan,
)

ATTACKS = [
    "`",
    "``",
    "a`b``c```",
    "`@user`",
    "|",
    "a|b\\|c\\\\|d",
    "@user",
    "/close",
    "\n/close\n",
    "::set-output name=a::b",
    "\n::error::x",
    "##[error]x",
    "<img src=x onerror=y>",
    "</details><b>",
    "[a](https://evil.example)",
    "![a](https://evil.example/x.png)",
    "https://evil.example",
    "www.evil.example",
    "user@evil.example",
    "#1 !2 $3 ~label %milestone &4 GH-5",
    "**bold** _it_ ~~gone~~ # head",
    "- [ ] task",
    ":smile:",
    "$`x`$",
    "&amp;&#64;user",
    "\\`@user\\`",
    "\\",
    " a ",
    "",
    "\r/close\x1b[2J\x85",
    "a\u2028\u2029/close",
    "\u202e\u2066@user\u2069\u200b",
    "\udc80`\ud800",
]
MARKUP = re.compile(r"[`*_~<>\[\]|&$^\\{}]|!\[")
REFERENCE = re.compile(r"[@#!$~%&^]\w|:\w+:|\w+://|www\.|GH-\d", re.IGNORECASE)


def attacked(text: str) -> tuple[Plan, RunResult, Zone]:
    """A plan, a run and a zone with ``text`` wherever an API or a DNS server may put it."""
    failure = Failure(ExitCode.ERROR, "It failed.", "Try again.")
    changes = (
        change(Kind.SPF, text, f"v=spf1 {text}", text),
        change(Kind.DKIM, text, RSA, text, text or "x"),
        change(Kind.DMARC, text, None, text),
    )
    planned = ChangeSet(
        Place(text, text, "ccp", "https://ccp.netcup.net/"),
        changes,
        findings=(Finding(text, Severity.DANGER, "So."),),
    )
    run = RunResult((Result(planned, Status.FAILED, failure),))
    mail_exchanger = DnsRecord(text, text, "MX", text, priority=text)
    return (
        plan(planned),
        run,
        Zone(text, "ccp", (DnsRecord(text, text, text, text), mail_exchanger)),
    )


def skeleton(markdown: str) -> list[str]:
    """What is left of each line without its code spans; tables cell by cell."""
    lines = []
    for line in markdown.split("\n"):
        row = line.startswith("|") and not line.startswith("|---")
        lines.append(" | ".join(inline(part).text for part in (cells(line) if row else [line])))
    return lines


def prose_is_harmless(markdown: str, but: str = "") -> None:
    text = inline(markdown)
    assert set(MARKUP.findall(text.raw)) <= set(but)
    assert not REFERENCE.search(text.text)


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("full", [False, True])
def test_no_value_and_no_name_leaves_its_code_span(attack: str, full: bool) -> None:
    """The document around the spans is the same, whatever stands in them."""
    a_plan, a_run, a_zone = attacked(attack)
    harmless_plan, harmless_run, harmless_zone = attacked("x")
    for document, harmless in (
        (zone_markdown(a_zone), zone_markdown(harmless_zone)),
        (
            _without_details(plan_markdown(a_plan, full)),
            _without_details(plan_markdown(harmless_plan, full)),
        ),
        (
            _without_details(run_markdown(a_run, full)),
            _without_details(run_markdown(harmless_run, full)),
        ),
    ):
        assert skeleton(document) == skeleton(harmless)


def test_no_pair_of_attacks_leaves_its_code_span() -> None:
    """What one of them opens, the other might close: some five hundred values."""
    harmless_plan, _, harmless_zone = attacked("x")
    zone_skeleton = skeleton(zone_markdown(harmless_zone))
    plan_skeleton = skeleton(_without_details(plan_markdown(harmless_plan)))
    for one, other in islice(product(ATTACKS, reversed(ATTACKS)), 0, None, 2):
        a_plan, _, a_zone = attacked(f"{one}{other}")
        assert skeleton(zone_markdown(a_zone)) == zone_skeleton
        assert skeleton(_without_details(plan_markdown(a_plan))) == plan_skeleton


def _without_details(markdown: str) -> str:
    """Less the lines of what a change means (prose, tested for itself) and the totals."""
    return "\n".join(
        line
        for line in markdown.split("\n")
        if not line.startswith(("  - so far", "  - no valid")) and "to create" not in line
    )


@given(TEXTS | st.sampled_from(ATTACKS))
def test_a_code_span_gives_its_text_back_and_nothing_else(text: str) -> None:
    shown = inline(code(text))
    assert shown.text == "␀"
    assert shown.spans == (visible(text) or "  ",)


@given(TEXTS | st.sampled_from(ATTACKS))
def test_a_cell_is_one_cell_and_gives_its_text_back(text: str) -> None:
    (content,) = cells(f"| {cell(text)} |")
    assert inline(content).spans == (visible(text) or "  ",)
    assert inline(content).text == "␀"


@given(TEXTS | st.sampled_from(ATTACKS))
def test_a_fence_is_longer_than_any_run_of_backticks_inside(text: str) -> None:
    shown = code(text)
    fence = re.match("`+", shown)
    assert fence is not None
    assert fence[0] not in shown[len(fence[0]) : -len(fence[0])]


@given(TEXTS | st.sampled_from(ATTACKS))
def test_prose_never_becomes_markup_a_mention_or_a_link(text: str) -> None:
    prose_is_harmless(plain(text))


@given(TEXTS | st.sampled_from(ATTACKS))
def test_prose_in_a_table_stays_in_its_cell_and_never_becomes_markup(text: str) -> None:
    (content,) = cells(f"| a {plain(text, cell)} |")
    prose_is_harmless(content, but="|")  # a pipe that is no longer between cells is a pipe


@given(TEXTS | st.sampled_from(ATTACKS))
def test_prose_reads_as_it_was_written(text: str) -> None:
    shown = inline(plain(text))
    spans = iter(shown.spans)
    assert re.sub("␀", lambda _: next(spans), shown.text) == visible(text)


def test_sentences_without_values_are_not_touched() -> None:
    sentence = 'Make one in mailcow (Options, ARC/DKIM keys), then run this again: it\'s "done".'
    assert plain(sentence) == sentence


@given(PLANS, st.booleans())
def test_no_line_of_a_plan_begins_with_a_command_or_a_mention(a_plan: Plan, full: bool) -> None:
    assert_no_commands(plan_markdown(a_plan, full))


@given(RUNS)
def test_no_line_of_a_run_begins_with_a_command_or_a_mention(run: RunResult) -> None:
    assert_no_commands(run_markdown(run))


@given(st.lists(st.builds(DnsRecord, TEXTS, TEXTS, TEXTS, VALUES)), TEXTS)
def test_no_line_of_a_zone_begins_with_a_command_or_a_mention(
    records: list[DnsRecord], name: str
) -> None:
    assert_no_commands(zone_markdown(Zone(name, "ccp", tuple(records))))


def assert_no_commands(markdown: str) -> None:
    for line in markdown.split("\n"):
        assert not line.lstrip().startswith(("/", "::", "@"))
        assert visible(line) == line


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("full", [False, True])
def test_every_change_shows_action_kind_hostname_and_both_values(kind: Kind, full: bool) -> None:
    label = {Kind.SPF: "SPF", Kind.DKIM: "DKIM", Kind.DMARC: "DMARC", Kind.DMARC_REPORT: "report"}
    for action, before, after in (
        ("create", None, "new | value"),
        ("update", "old `value", "new | value"),
        ("delete", "old `value", None),
    ):
        shown = plan_markdown(plan(change_set(change(kind, before, after, "here"))), full)
        assert f"- **{action}** {label[kind]} at `here`" in shown
        assert ("``old `value``" in shown) is (before is not None)
        assert ("`new | value`" in shown) is (after is not None)


def test_a_plan_as_it_is_shown() -> None:
    expected = f"""\
## Mail records at netcup

3 domains: 1 to create, 1 to update, 0 to delete, 1 failed. 1 domain is stopped by spf-drops-sender.

### `example.com` CCP API

- **update** SPF at `@`
  - from `{NETCUP_SPF}`
  - to `{SPF}`
  - dropped `include:_spf.webhosting.systems` may no longer send for you; 1 look-up less
  - changed `-all` softfail -\\> fail
- **create** DKIM at `dkim._domainkey`: `RSA 1024, {RSA_FINGERPRINT}`, `v=DKIM1;k=rsa;p=MIGfMA0G...ckcQ2QIDAQAB`, from `mailcow at mail.example.com`
- DMARC as wanted; 11 other records stay as they are, 2 of them TXT beside the SPF record

- **danger** `spf-drops-sender`: A sender is dropped. Keep it.

- warning `dkim-no-key`: There is no key. Make one.

### `example.com` CCP API

Nothing to do; SPF as wanted.

### `example.com` CCP API

**failed**: The zone is not here. Look elsewhere.
"""  # noqa: E501
    assert plan_markdown(plan(FULL_STORY, UNCHANGED, FAILED)) == expected


def test_in_full_a_key_is_shown_by_fingerprint_and_verbatim() -> None:
    shown = plan_markdown(plan(FULL_STORY), full=True)
    assert f"`RSA 1024, {RSA_FINGERPRINT}`, in full `{RSA}`" in shown


@given(VALUES.filter(bool), st.sampled_from(Kind))
def test_in_full_a_value_is_verbatim_in_one_span(value: str, kind: Kind) -> None:
    shown = plan_markdown(plan(change_set(change(kind, None, value, "h"))), full=True)
    line = next(line for line in shown.split("\n") if line.startswith("- **create**"))
    assert visible(value) in inline(line).spans


def test_an_empty_text_is_said_to_be_empty_and_needs_no_full_form() -> None:
    for full in (False, True):
        shown = plan_markdown(plan(change_set(change(Kind.DKIM, "", None, "h"))), full)
        assert "- **delete** DKIM at `h`: `(empty)`\n" in shown


def test_a_domain_for_which_nothing_is_wanted_says_so() -> None:
    assert "Nothing to do; nothing managed." in plan_markdown(plan(ChangeSet(PLACE)))


def test_details_without_a_term_are_sentences() -> None:
    shown = plan_markdown(plan(change_set(change(Kind.DMARC, None, DMARC))))
    assert "  - failing mail: delivered -\\> quarantined\n" in shown
    assert "  - reports go to `postmaster@example.com`\n" in shown


def test_a_consent_is_shown_beside_the_danger_it_accepts_and_nowhere_else() -> None:
    findings = (
        Finding("cname-conflict", Severity.REFUSED, "A.", "One.\nTwo."),
        Finding("spf-removed", Severity.DANGER, "B."),
        Finding("ttl-long", Severity.NOTE, "C."),
    )
    allow = ("spf-removed", "cname-conflict", "ttl-long")
    shown = plan_markdown(plan(replace(FULL_STORY, findings=findings, allow=allow)))
    assert "- **refused** `cname-conflict`: A. One. Two.\n" in shown
    assert "- **danger**, allowed `spf-removed`: B.\n" in shown
    assert "- note `ttl-long`: C.\n" in shown


def test_what_is_held_back_of_a_change_set_is_marked_as_such() -> None:
    findings = (Finding("spf-drops-sender", Severity.DANGER, "B.", kind=Kind.SPF),)
    held = replace(FULL_STORY, findings=findings, held=frozenset({Kind.SPF}))
    assert plan_markdown(plan(FULL_STORY)).count(HELD) == 0
    before, _, after = plan_markdown(plan(held)).partition(f"**{HELD}**")
    assert "SPF" in before
    assert "DKIM" not in before
    assert "DKIM" in after
    assert HELD not in after


def test_a_run_shows_each_outcome_with_advice_and_what_was_to_change() -> None:
    failure = Failure(ExitCode.UNVERIFIED, "No | answer.", "Run it again.")
    shown = run_markdown(
        RunResult(
            (
                Result(FULL_STORY, Status.UNKNOWN, failure),
                Result(UNCHANGED, Status.UNCHANGED),
                Result(FULL_STORY, Status.APPLIED, notes=("TXT at @ changed.",)),
            )
        )
    )
    assert shown.startswith(
        "## Mail records at netcup\n\n| domain | result |\n|---|---|\n"
        "| `example.com` | unknown: No \\| answer. Run it again. |\n"
        "| `example.com` | unchanged |\n"
        "| `example.com` | applied (note: TXT at \\@ changed.) |\n\n### `example.com` CCP API\n"
    )
    assert shown.count(f"  - to `{SPF}`\n") == 2
    assert "Nothing to do" not in shown


def test_a_failure_without_advice_ends_with_its_message() -> None:
    failed = ChangeSet(PLACE, error=Failure(ExitCode.ERROR, "Odd."))
    run = run_markdown(RunResult((Result(failed, Status.FAILED, failed.error),)))
    assert "| failed: Odd. |\n" in run
    assert "**failed**: Odd.\n" in plan_markdown(plan(failed))


def test_a_zone_as_a_table() -> None:
    zone = Zone(
        "example.com",
        "ccp",
        (
            DnsRecord("1", "@", "MX", "mail.example.com", "10"),
            DnsRecord("2", "@", "TXT", "a|b"),
        ),
    )
    assert zone_markdown(zone) == (
        "## `example.com`\n\n| hostname | type | value |\n|---|---|---|\n"
        "| `@` | `MX` | `10 mail.example.com` |\n| `@` | `TXT` | `a\\|b` |\n\n2 records.\n"
    )


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_quoted_value_in_a_message_never_adds_a_cell_to_the_table(attack: str) -> None:
    failure = Failure(ExitCode.ERROR, f"Got x|{attack}|y back.", f"Not p|{attack}.")
    run = run_markdown(RunResult((Result(FAILED, Status.FAILED, failure, (f"n|{attack}",)),)))
    row = run.split("\n")[4]
    assert row.startswith("| `example.com` | failed: ")
    assert len(cells(row)) == 2
    outcome = inline(cells(row)[1])
    spans = iter(outcome.spans)
    sentences = f"failed: Got x|{attack}|y back. Not p|{attack}. (note: n|{attack})"
    assert re.sub("␀", lambda _: next(spans), outcome.text) == visible(sentences)
