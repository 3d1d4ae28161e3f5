"""Markdown for a merge request: complete, and nothing in it becomes markup."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from itertools import islice, product

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from netcup_mailauth.errors import ExitCode
from netcup_mailauth.findings import Finding, Severity
from netcup_mailauth.plan import (
    ChangeSet,
    Failure,
    Kept,
    Place,
    Plan,
    Result,
    RunResult,
    Status,
    Unmanaged,
)
from netcup_mailauth.records import DnsRecord, Kind, Zone
from netcup_mailauth.render.forge import LONGEST
from netcup_mailauth.render.markdown import (
    plan_markdown,
    run_markdown,
    zone_markdown,
    zones_markdown,
)
from netcup_mailauth.render.words import HELD
from netcup_mailauth.shown import visible
from tests.core.render.samples import (
    CHANGE_SETS,
    DMARC,
    ED25519,
    FAILED,
    FULL_STORY,
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
    txt,
)
from tests.hostile import ATTACKS
from tests.rendering import Page, is_harmless

PLAIN = replace(FULL_STORY, findings=())


def attacked(text: str) -> tuple[Plan, RunResult, Zone]:
    """A plan, a run and a zone with ``text`` wherever an API or a DNS server may put it."""
    failure = Failure(ExitCode.ERROR, f"It failed: {text}.", f"Try {text}.\n  {text}")
    changes = (
        change(Kind.SPF, f"v=spf1 {text} a -all", f"v=spf1 mx {text} -all", text),
        change(Kind.SPF, text, "v=spf1 -all", text),
        change(Kind.DKIM, text, RSA, text, text or "x"),
        change(Kind.DKIM, f"{RSA};n={text}", RSA, text, text or "x"),
        change(Kind.DMARC, text, None, text),
        change(Kind.DMARC, f"{DMARC};{text};x={text}", f"v=DMARC1;p=none;{text}", text),
        change(Kind.DMARC_REPORT, None, text, f"{text}._report._dmarc"),
    )
    findings = tuple(
        Finding(text, severity, f"It is {text}, so.\n{text}", f"Do {text}.\n  {text}")
        for severity in Severity
    )
    planned = ChangeSet(
        Place(text, f"zone {text}", text or "x", text),
        changes,
        (Kept(Kind.SPF, txt(text, text)),),
        findings=findings,
        unmanaged=(Unmanaged(Kind.DMARC, (text, text)),),
    )
    dull = ChangeSet(Place(text, text, "ccp"), unmanaged=(Unmanaged(Kind.SPF, (text,)),))
    failed = replace(dull, error=failure)
    run = RunResult(
        (
            Result(planned, Status.FAILED, failure, (f"Note {text}.", text)),
            Result(dull, Status.UNCHANGED),
        )
    )
    mail_exchanger = DnsRecord(text, text, "MX", text, priority=text)
    zone = Zone(text, "ccp", (DnsRecord(text, text, text, text), mail_exchanger))
    return plan(planned, dull, failed), run, zone


def documents(text: str, full: bool = False) -> list[str]:
    a_plan, a_run, a_zone = attacked(text)
    return [
        plan_markdown(a_plan, full, text),
        plan_markdown(Plan(a_plan.zones[1:2])),
        run_markdown(a_run, full),
        zone_markdown(a_zone),
    ]


@cache
def harmless_words(full: bool) -> list[list[str]]:
    return [words_of(is_harmless(document)) for document in documents("x", full)]


def words_of(shown: Page) -> list[str]:
    """What stands outside code, numbers aside."""
    return re.sub(r"\d+", "N", " ".join(shown.words)).split()


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("full", [False, True])
def test_nothing_of_others_leaves_its_code_whatever_it_says(attack: str, full: bool) -> None:
    """Rendered, what stands outside code is the same as if they had said something else."""
    assert [words_of(is_harmless(d)) for d in documents(attack, full)] == harmless_words(full)


def test_no_pair_of_attacks_leaves_its_code() -> None:
    """What one of them opens, the other might close."""
    for one, other in islice(product(ATTACKS, reversed(ATTACKS)), 0, None, 97):
        shown = [words_of(is_harmless(document)) for document in documents(f"{one}{other}")]
        assert shown == harmless_words(False)


def test_what_is_endless_is_left_out_and_the_rest_stays() -> None:
    for attack in ("x" * 60_000, "`" * 60_000, "x " * 30_000, "@everyone " * 6_000):
        for document in documents(attack):
            assert len(document) <= LONGEST
            shown = is_harmless(document)
            assert any("left out here" in text for text in (*shown.codes, *shown.words))


def test_of_a_record_without_end_the_terms_go_and_the_domain_stays() -> None:
    endless = f"v=spf1 {'a ' * 25_000}-all"
    document = plan_markdown(plan(change_set(change(Kind.SPF, endless, "v=spf1 -all"))))
    assert len(document) <= LONGEST
    assert "- `example.com`: update SPF\n" in document
    assert "Make the whole plan a file with `--out`" in document
    is_harmless(document)


@given(PLANS, st.booleans())
def test_a_plan_of_anything_is_harmless(a_plan: Plan, full: bool) -> None:
    is_harmless(plan_markdown(a_plan, full))


@given(RUNS, st.booleans())
def test_a_run_of_anything_is_harmless(run: RunResult, full: bool) -> None:
    is_harmless(run_markdown(run, full))


@given(st.lists(st.builds(DnsRecord, TEXTS, TEXTS, TEXTS, VALUES)), TEXTS)
def test_a_zone_of_anything_is_harmless(records: list[DnsRecord], name: str) -> None:
    document = zone_markdown(Zone(name, "ccp", tuple(records)))
    assert len(document) <= LONGEST
    is_harmless(document)


def diff_of(*changes_: object, **more: object) -> str:
    document = plan_markdown(plan(replace(change_set(*changes_), **more)))  # type: ignore[arg-type]
    (diff,) = (code for code in is_harmless(document).codes if code.startswith("@@"))
    return diff


def test_a_plan_as_it_is_shown() -> None:
    expected = f"""\
## Mail records at netcup

**3 domains: 1 to create, 1 to update, 0 to delete, 1 failed. 1 domain is stopped by `spf-drops-sender`.**

### `example.com` · `CCP API`

> [!CAUTION]
> **All of it is held back:** `spf-drops-sender`
>
> ```text
> A sender is dropped.
>
> Keep it.
> ```

```diff
@@ update SPF at @ @@
  v=spf1
  mx
  a
- include:_spf.webhosting.systems  # may no longer send for you; 1 look-up less
- ~all
+ -all                             # softfail -> fail

@@ create DKIM at dkim._domainkey @@
+ RSA 1024, {RSA_FINGERPRINT}  # from mailcow at mail.example.com
+ v=DKIM1;k=rsa;p=MIGfMA0G...ckcQ2QIDAQAB

# DMARC as wanted; 11 other records stay as they are, 2 of them TXT beside the
#   SPF record
```

> [!WARNING]
> `dkim-no-key`
>
> ```text
> There is no key.
>
> Make one.
> ```

### `example.com` · `CCP API`

> [!CAUTION]
> **Failed.**
>
> ```text
> The zone is not here.
>
> Look elsewhere.
> ```

<details><summary>1 domain needs nothing</summary>

> ```text
> example.com: nothing to do; SPF as wanted
> ```

</details>
"""  # noqa: E501
    assert plan_markdown(plan(FULL_STORY, UNCHANGED, FAILED)) == expected


def test_spf_is_told_by_term_in_the_order_of_the_record() -> None:
    old = "v=spf1 ip4:203.0.113.7 mx include:a.example exp=e.example ?all"
    new = "v=SPF1 mx ip4:203.0.113.7 +a:b.example exp=e.example -all"
    assert diff_of(change(Kind.SPF, old, new)).splitlines()[1:-2] == [
        "- v=spf1",
        "+ v=SPF1",
        "! mx                 # another place in the order",
        "  ip4:203.0.113.7",
        "- include:a.example  # may no longer send for you; 1 look-up less",
        "+ +a:b.example       # may send for you; 1 look-up more",
        "  exp=e.example",
        "- ?all",
        "+ -all               # neutral -> fail",
    ]


def test_a_broken_spf_record_is_told_word_by_word() -> None:
    lines = diff_of(change(Kind.SPF, "v=spf1 mx include: a.example  ~all", SPF)).splitlines()
    expected = ["  v=spf1", "  mx", "- include:", "- a.example", "- ~all", "+ a", "+ -all"]
    assert lines[1:8] == expected
    assert lines[8].startswith("# so far no valid record: ")
    endless = f"v=spf1 {'bad! ' * 12_000}"
    document = plan_markdown(plan(change_set(change(Kind.SPF, endless, SPF))))
    assert len(document) <= LONGEST


def test_dmarc_is_told_by_tag_and_below_in_words() -> None:
    old = "v=DMARC1; p=none; rua=mailto:a@example.com; fo=1; x=old"
    new = "v=DMARC1; p=reject; rua=mailto:a@example.com; sp=none; x=old"
    assert diff_of(change(Kind.DMARC, old, new)).splitlines()[:9] == [
        "@@ update DMARC at _dmarc @@",
        "  v=DMARC1",
        "- p=none",
        "+ p=reject",
        "  rua=mailto:a@example.com",
        "- fo=1",
        "  x=old",
        "+ sp=none",
        "# failing mail: delivered -> rejected",
    ]


def test_dkim_is_told_by_sort_size_and_fingerprint_of_the_key() -> None:
    lines = diff_of(change(Kind.DKIM, RSA, f"{ED25519};t=s", source="a file")).splitlines()
    assert lines[1] == f"- RSA 1024, {RSA_FINGERPRINT}"
    assert re.fullmatch(
        r"\+ Ed25519, SHA256:[0-9a-f]{16}  # from a file", lines[3].replace("ED", "Ed")
    )
    assert re.fullmatch(r"\+ t=s +# not for sub-domains", lines[5])


def test_a_key_that_stays_is_no_change_of_a_key() -> None:
    lines = diff_of(change(Kind.DKIM, f"{RSA};t=s", RSA, source="a file")).splitlines()
    assert f"  RSA 1024, {RSA_FINGERPRINT}" in lines
    assert "# from a file" in lines
    assert not any(line.startswith(("- RSA", "+ RSA")) for line in lines)


@pytest.mark.parametrize("kind", Kind)
def test_each_change_says_what_it_does_and_shows_both_values(kind: Kind) -> None:
    label = {Kind.SPF: "SPF", Kind.DKIM: "DKIM", Kind.DMARC: "DMARC", Kind.DMARC_REPORT: "report"}
    for action, before, after in (
        ("create", None, "new | value"),
        ("update", "old `value", "new | value"),
        ("delete", "old `value", None),
    ):
        lines = diff_of(change(kind, before, after, "here")).splitlines()
        assert lines[0] == f"@@ {action} {label[kind]} at here @@"
        gone, there = (
            " ".join(line[2:] for line in lines if line.startswith(f"{sign} ")) for sign in "-+"
        )
        assert (gone, there) == (before or "", after or "")


def test_an_empty_record_is_said_to_be_empty() -> None:
    for full in (False, True):
        document = plan_markdown(plan(change_set(change(Kind.DKIM, "", None, "h"))), full)
        assert "\n- (empty)\n" in document


@given(VALUES.filter(bool), st.sampled_from(Kind))
@example("\r", Kind.SPF)
def test_in_full_a_value_stands_whole_and_alone(value: str, kind: Kind) -> None:
    document = plan_markdown(plan(change_set(change(kind, None, value, "h"))), full=True)
    assert f"{visible(value).rstrip(' ') or '(empty)'}\n" in is_harmless(document).codes


@given(CHANGE_SETS.filter(lambda c: c.changes and not c.error))
def test_nothing_of_a_change_is_left_out(a_change_set: ChangeSet) -> None:
    document = plan_markdown(plan(a_change_set))
    (diff,) = (code for code in is_harmless(document).codes if code.startswith("@@"))
    assert diff.count("@@ ") >= len(a_change_set.changes)
    for each in a_change_set.changes:
        assert f"@@ {each.action.value} " in diff
        assert visible(each.hostname) in diff


def test_a_domain_for_which_nothing_is_wanted_says_so() -> None:
    document = plan_markdown(plan(ChangeSet(PLACE)))
    assert "> nothing to do; nothing managed\n" in document
    assert "<details>" not in document


def test_what_is_left_unmanaged_is_told_with_the_changes_and_without() -> None:
    left = (Unmanaged(Kind.SPF, (SPF,)),)
    told = f"SPF: not managed here; live is {SPF}"
    assert f"> {told}\n" in plan_markdown(plan(replace(UNCHANGED, unmanaged=left)))
    assert f"# {told}\n" in plan_markdown(plan(replace(FULL_STORY, unmanaged=left)))


def test_dangers_stand_above_the_diff_and_warnings_and_notes_below() -> None:
    findings = tuple(Finding(f"it-is-{s.value}", s, "So.", "Do.") for s in reversed(Severity))
    document = plan_markdown(plan(replace(FULL_STORY, findings=findings)))
    places = [document.index(f"it-is-{name}`\n") for name in ("refused", "danger")]
    places += [document.index("```diff"), document.index("it-is-warning")]
    places += [document.index("<details>"), document.index("it-is-note")]
    assert min(places[:2]) < max(places[:2]) < places[2] < places[3] < places[4] < places[5]


def test_each_alert_says_how_it_weighs_and_what_is_accepted() -> None:
    findings = (
        Finding("cname-conflict", Severity.REFUSED, "A.", "One.\nTwo."),
        Finding("spf-removed", Severity.DANGER, "B."),
        Finding("spf-pass-all", Severity.DANGER, "B."),
        Finding("spf-long", Severity.WARNING, "D."),
        Finding("ttl-long", Severity.NOTE, "C."),
    )
    allow = ("spf-removed", "cname-conflict", "ttl-long")
    document = plan_markdown(plan(replace(FULL_STORY, findings=findings, allow=allow)))
    assert "> [!CAUTION]\n> **Refused:** `cname-conflict`\n" in document
    assert "> [!WARNING]\n> **Allowed:** `spf-removed`\n" in document
    assert "> [!CAUTION]\n> **All of it is held back:** `spf-pass-all`\n" in document
    assert "> [!WARNING]\n> `spf-long`\n" in document
    assert "<summary>1 note</summary>\n\n> `ttl-long`\n" in document
    assert "**1 danger is allowed" not in document.partition("###")[2]
    assert " 1 danger is allowed." in document.partition("###")[0]


def test_what_several_domains_have_is_told_once_with_their_names_unless_it_stops_them() -> None:
    findings = tuple(Finding(f"it-is-{s.value}", s, "So.", "Do.") for s in Severity)
    zones = [
        replace(FULL_STORY, place=replace(PLACE, domain=f"{name}.example"), findings=findings)
        for name in "abc"
    ]
    document = plan_markdown(plan(*zones))
    counts = {s: document.count(f"`it-is-{s.value}`") for s in Severity}
    assert counts == {"refused": 4, "danger": 4, "warning": 1, "note": 1}
    head = (
        "> `it-is-warning`, 3 domains:\n>\n> ```text\n> a.example, b.example, c.example\n>\n> So."
    )
    assert head in document
    assert "<summary>1 note</summary>\n\n> `it-is-note`, 3 domains:\n" in document
    is_harmless(document)


def test_what_is_held_back_of_a_change_set_is_marked_as_such() -> None:
    findings = (Finding("spf-drops-sender", Severity.DANGER, "B.", kind=Kind.SPF),)
    held = replace(FULL_STORY, findings=findings, held=frozenset({Kind.SPF}))
    assert plan_markdown(plan(FULL_STORY)).count(HELD) == 0
    document = plan_markdown(plan(held))
    assert f"\n@@ update SPF at @: {HELD} @@\n" in document
    assert "\n@@ create DKIM at dkim._domainkey @@\n" in document
    assert "> **SPF is held back:** `spf-drops-sender`\n" in document


def test_a_run_shows_each_outcome_with_advice_and_what_was_to_change() -> None:
    failure = Failure(ExitCode.UNVERIFIED, "No | answer.", "Run it again.")
    document = run_markdown(
        RunResult(
            (
                Result(PLAIN, Status.UNKNOWN, failure),
                Result(UNCHANGED, Status.UNCHANGED),
                Result(PLAIN, Status.APPLIED, notes=("TXT at @ changed.",)),
            )
        )
    )
    is_harmless(document)
    assert document.startswith(
        "## Mail records at netcup\n\n**3 domains: 1 unchanged, 1 applied, 1 unknown.**\n\n"
        "### `example.com` · `CCP API`: unknown\n\n> [!CAUTION]\n> **Failed.**\n>\n"
        "> ```text\n> No | answer.\n>\n> Run it again.\n> ```\n"
    )
    assert "### `example.com` · `CCP API`: applied\n" in document
    assert "> Note:\n>\n> ```text\n> TXT at @ changed.\n> ```\n" in document
    assert document.count("\n+ -all ") == 2
    assert "1 domain needs nothing" in document


def test_a_run_says_what_is_held_back_once_and_tells_no_notes() -> None:
    findings = (
        Finding("spf-drops-sender", Severity.DANGER, "B.", kind=Kind.SPF),
        Finding("ttl-long", Severity.NOTE, "C."),
    )
    held = replace(FULL_STORY, findings=findings, held=frozenset({Kind.SPF}))
    refused = Failure(ExitCode.REFUSED, "SPF is held back, because of spf-drops-sender.")
    document = run_markdown(RunResult((Result(held, Status.APPLIED, refused),)))
    head, _, rest = document.partition("###")
    assert "1 domain: 1 applied. SPF is held back by `spf-drops-sender`." in head
    assert rest.startswith(" `example.com` · `CCP API`: applied; SPF is held back\n")
    assert rest.count("spf-drops-sender") == 1
    assert "ttl-long" not in document
    stale = Failure(ExitCode.STALE, "It changed.")
    assert "It changed." in run_markdown(RunResult((Result(held, Status.STALE, stale),)))


def test_what_several_domains_of_a_run_have_is_told_once() -> None:
    zones = [replace(FULL_STORY, place=replace(PLACE, domain=f"{name}.example")) for name in "ab"]
    document = run_markdown(RunResult(tuple(Result(zone, Status.REFUSED) for zone in zones)))
    assert document.count("`dkim-no-key`") == 1
    assert "> `dkim-no-key`, 2 domains:\n" in document
    assert document.count("`spf-drops-sender`\n") == 2


def test_what_could_not_be_planned_is_told_once_in_a_run() -> None:
    failed = ChangeSet(PLACE, error=Failure(ExitCode.ERROR, "Odd."))
    document = run_markdown(RunResult((Result(failed, Status.FAILED, failed.error),)))
    assert document.count("Odd.") == plan_markdown(plan(failed)).count("Odd.") == 1
    of_a_file = Failure(ExitCode.ERROR, "It could not be planned: Odd.")
    document = run_markdown(RunResult((Result(failed, Status.FAILED, of_a_file),)))
    assert document.count("Odd.") == 1


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


def test_a_zone_that_no_comment_can_hold_says_how_many_records_are_left_out() -> None:
    zone = Zone("example.com", "ccp", tuple(txt("x" * 200, f"n{n}") for n in range(1_000)))
    document = zone_markdown(zone)
    assert len(document) <= LONGEST
    left = 1_000 - document.count("| `TXT` |")
    assert (
        f"1000 records, {left} of them left out here; `--format text` lists them all." in document
    )
    is_harmless(document)


def test_of_several_zones_those_that_no_comment_can_hold_have_a_line() -> None:
    zones = [
        Zone(f"{name}.example", "ccp", tuple(txt("x" * 200, f"n{n}") for n in range(size)))
        for name, size in (("a", 100), ("b", 1_000), ("c", 2), ("d", 200))
    ]
    document = zones_markdown(zones)
    assert len(document) <= LONGEST
    assert re.findall("^## `(.*)`$", document, re.MULTILINE) == ["a.example", "c.example"]
    assert document.endswith("- `b.example`: 1000 records\n- `d.example`: 200 records\n")
    is_harmless(document)
    assert zones_markdown(zones[::2]) == "\n".join(map(zone_markdown, zones[::2]))


@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_of_several_zones_leaves_its_code(attack: str) -> None:
    zones = [attacked(attack)[2], attacked("x")[2], attacked(attack * 200)[2]]
    is_harmless(zones_markdown(zones * 20))
