"""Text for people: all there is to judge, nothing cut, nothing that deceives the eye."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netcup_mailauth.errors import ExitCode
from netcup_mailauth.findings import Finding, Severity
from netcup_mailauth.plan import ChangeSet, Failure, Kept, Place, Plan, Result, RunResult, Status
from netcup_mailauth.records import DnsRecord, Kind, Zone
from netcup_mailauth.render.page import Page
from netcup_mailauth.render.text import change_set_text, plan_text, result_text, run_text
from netcup_mailauth.render.zone import zone_text
from netcup_mailauth.shown import visible
from tests.core.render.samples import (
    CCP,
    DECEIVING,
    DMARC,
    ED25519,
    ED25519_P,
    FAILED,
    FULL_STORY,
    LONG_WORDS,
    NETCUP_SPF,
    PLACE,
    PLANS,
    RESULTS,
    RSA,
    RSA_FINGERPRINT,
    RSA_P,
    SPF,
    TEXTS,
    UNCHANGED,
    VALUES,
    change,
    change_set,
    plan,
    txt,
)

PAGE = Page(width=100)
WIDTHS = st.integers(60, 120)
ANSI = re.compile(r"\x1b\[[0-9;]*m")


def squashed(text: str) -> str:
    return re.sub(r"\s", "", text)


def assert_nothing_deceives(text: str) -> None:
    for line in text.split("\n"):
        assert visible(line) == line


def test_a_plan_as_it_is_shown_at_120_columns() -> None:
    expected = f"""\
example.com{"CCP API":>109}

  ~ SPF    @                v=spf1 mx a include:_spf.webhosting.systems ~all
                         -> v=spf1 mx a -all
                            - include:_spf.webhosting.systems  may no longer send for you; 1 look-up less
                            ~ -all                             softfail -> fail
  + DKIM   dkim._domainkey  RSA 1024, {RSA_FINGERPRINT}, from mailcow at mail.example.com
                            v=DKIM1;k=rsa;p=MIGfMA0G...ckcQ2QIDAQAB
                            --full shows the key whole
    DMARC as wanted; 11 other records stay as they are, 2 of them TXT beside the SPF record

  ! spf-drops-sender  A sender is dropped.
    Keep it.

  ? dkim-no-key  There is no key.
    Make one.

1 domain: 1 to create, 1 to update, 0 to delete. 1 domain is stopped by spf-drops-sender.
"""  # noqa: E501
    assert plan_text(plan(FULL_STORY), Page(width=120)) == expected


def test_a_plan_as_it_is_shown_at_80_columns() -> None:
    shown = plan_text(plan(FULL_STORY), Page(width=80))
    assert shown.startswith(f"""\
example.com{"CCP API":>69}

  ~ SPF    @                v=spf1 mx a include:_spf.webhosting.systems ~all
                         -> v=spf1 mx a -all
                            - include:_spf.webhosting.systems
                                may no longer send for you; 1 look-up less
                            ~ -all  softfail -> fail
  + DKIM   dkim._domainkey  RSA 1024, {RSA_FINGERPRINT}, from mailcow at
                            mail.example.com
                            v=DKIM1;k=rsa;p=MIGfMA0G...ckcQ2QIDAQAB
                            --full shows the key whole
    DMARC as wanted; 11 other records stay as they are, 2 of them TXT beside the
    SPF record
""")


def test_in_full_a_value_stands_on_a_line_of_its_own_below_what_it_is() -> None:
    shown = plan_text(plan(FULL_STORY), Page(width=80), full=True)
    assert (
        f"""
  ~ SPF    @
{NETCUP_SPF}
                         ->
{SPF}
"""
        in shown
    )
    assert (
        f"""
  + DKIM   dkim._domainkey  RSA 1024, {RSA_FINGERPRINT}, from mailcow at
                            mail.example.com
{RSA}
"""
        in shown
    )


def test_in_full_a_long_hostname_leaves_no_empty_line() -> None:
    hostname = "dkim-2026-long._domainkey.intern"
    shown = plan_text(
        plan(change_set(change(Kind.SPF, None, SPF, hostname))), Page(width=80), full=True
    )
    assert f"  + SPF    {hostname}\n{SPF}\n" in shown


def test_a_name_too_long_for_its_column_is_shown_whole_above_its_value() -> None:
    hostname = f"{'a' * 60}._domainkey"
    shown = plan_text(plan(change_set(change(Kind.DKIM, None, RSA, hostname))), Page(width=60))
    assert f"  + DKIM   {hostname}\n{' ' * 33}RSA 1024" in shown


def test_unchanged_domains_take_a_line_each() -> None:
    shown = plan_text(plan(UNCHANGED, UNCHANGED, FULL_STORY, UNCHANGED), PAGE)
    line = f"example.com: nothing to do; SPF as wanted{'CCP API':>59}\n"
    assert shown.startswith(f"{line}{line}\nexample.com  ")
    assert shown.endswith(f"\n\n{line}\n{shown.splitlines()[-1]}\n")


def test_an_unchanged_domain_whose_line_is_too_long_takes_two() -> None:
    place = Place("intern.example.com", "example.com", "ccp", "https://a-long-name.example/")
    kept = tuple(Kept(kind, txt("x")) for kind in (Kind.SPF, Kind.DKIM))
    shown = plan_text(plan(ChangeSet(place, unchanged=kept)), Page(width=60))
    assert shown.startswith(
        "intern.example.com (zone example.com)  CCP API at a-long-name.example\n"
        "    nothing to do; SPF, DKIM as wanted\n\n"
    )


def test_a_domain_for_which_nothing_is_wanted_says_so_and_needs_no_back_end() -> None:
    shown = change_set_text(ChangeSet(Place("example.com", "example.com")), PAGE)
    assert shown == "example.com: nothing to do; nothing managed\n"


def test_findings_are_shown_where_there_is_nothing_to_do() -> None:
    quiet = ChangeSet(PLACE, findings=(Finding("ttl-long", Severity.NOTE, "Long.", "A\nB"),))
    shown = change_set_text(quiet, PAGE)
    assert shown.endswith("CCP API\n\n    ttl-long  Long.\n    A\n    B\n\n")


def test_a_finding_says_whether_consent_helps_and_whether_it_is_given() -> None:
    findings = (
        Finding("cname-conflict", Severity.REFUSED, "Never."),
        Finding("spf-removed", Severity.DANGER, "Perhaps."),
        Finding("spf-pass-all", Severity.DANGER, "Not yet."),
        Finding("spf-ptr", Severity.WARNING, "Hm."),
    )
    allow = ("spf-removed", "cname-conflict", "spf-ptr")
    shown = change_set_text(
        ChangeSet(PLACE, (change(Kind.SPF, SPF, None),), findings=findings, allow=allow), PAGE
    )
    assert [line for line in shown.splitlines() if line.startswith(("  !", "  ?"))] == [
        "  ! cname-conflict  refused: Never.",
        "  ! spf-removed  allowed: Perhaps.",
        "  ! spf-pass-all  Not yet.",
        "  ? spf-ptr  Hm.",
    ]


def test_the_message_of_a_finding_with_a_long_code_goes_below_it() -> None:
    finding = Finding("dmarc-enforces-without-dkim", Severity.WARNING, "So.")
    shown = change_set_text(ChangeSet(PLACE, findings=(finding,)), Page(width=60))
    assert "  ? dmarc-enforces-without-dkim\n    So.\n" in shown


def test_a_domain_that_failed_says_why_and_what_to_do() -> None:
    shown = change_set_text(FAILED, PAGE)
    assert shown.endswith("CCP API\n\n  The zone is not here.\n  Look elsewhere.\n\n")


def test_a_failure_without_advice_leaves_no_empty_line() -> None:
    failed = ChangeSet(PLACE, error=Failure(ExitCode.ERROR, "Odd."))
    assert change_set_text(failed, PAGE).endswith("\n\n  Odd.\n\n")


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("full", [False, True])
def test_every_change_shows_sign_kind_hostname_and_both_values(kind: Kind, full: bool) -> None:
    label = {Kind.SPF: "SPF", Kind.DKIM: "DKIM", Kind.DMARC: "DMARC", Kind.DMARC_REPORT: "report"}
    texts = (("+", None, "new value"), ("~", "old value", "new value"), ("-", "old value", None))
    for sign, before, after in texts:
        shown = change_set_text(change_set(change(kind, before, after, "here")), PAGE, full)
        assert f"\n  {sign} {label[kind]:<6} here" in shown
        assert ("old value" in shown) is (before is not None)
        assert ("new value" in shown) is (after is not None)


@given(
    LONG_WORDS | VALUES, st.sampled_from([Kind.SPF, Kind.DMARC, Kind.DMARC_REPORT]), WIDTHS, TEXTS
)
def test_no_value_and_no_name_is_ever_cut(
    value: str, kind: Kind, width: int, hostname: str
) -> None:
    deleted = change_set_text(change_set(change(kind, value, None, hostname)), Page(width=width))
    assert squashed(visible(value)) in squashed(deleted)
    assert squashed(visible(hostname)) in squashed(deleted)


@given(LONG_WORDS, WIDTHS)
def test_a_text_at_a_selector_that_is_no_key_is_never_cut(value: str, width: int) -> None:
    text = f"v=DKIM1;k=none;p={value}"
    shown = change_set_text(change_set(change(Kind.DKIM, text, None)), Page(width=width))
    assert squashed(text) in squashed(shown)


@given(VALUES, st.sampled_from(Kind), WIDTHS, st.booleans())
def test_in_full_a_value_is_verbatim_on_one_line(
    value: str, kind: Kind, width: int, colour: bool
) -> None:
    page = Page(width=width, colour=colour)
    shown = change_set_text(change_set(change(kind, None, value)), page, full=True)
    assert visible(value) in [ANSI.sub("", line) for line in shown.split("\n")]


@given(
    st.lists(
        st.sampled_from([NETCUP_SPF, SPF, DMARC, RSA, ED25519, "x" * 300]), min_size=2, max_size=2
    ),
    st.sampled_from(Kind),
    WIDTHS,
)
def test_no_line_is_wider_than_the_page(values: list[str], kind: Kind, width: int) -> None:
    shown = plan_text(
        plan(change_set(change(kind, values[0], values[1], source="mailcow " * 12)), FULL_STORY),
        Page(width=width),
    )
    assert max(map(len, shown.splitlines())) <= width


@given(PLANS, WIDTHS, st.booleans())
def test_colour_changes_nothing_but_escapes_and_off_means_none(
    any_plan: Plan, width: int, full: bool
) -> None:
    coloured = plan_text(any_plan, Page(width, colour=True), full)
    bare = plan_text(any_plan, Page(width, colour=False), full)
    assert ANSI.sub("", coloured) == bare
    assert "\x1b" not in bare


@given(RESULTS, WIDTHS)
def test_colour_changes_nothing_of_a_result_but_escapes(result: Result, width: int) -> None:
    bare = result_text(result, Page(width, colour=False))
    assert ANSI.sub("", result_text(result, Page(width, colour=True))) == bare
    assert "\x1b" not in bare


def test_signs_values_and_names_are_coloured() -> None:
    shown = plan_text(plan(FULL_STORY), Page(width=100, colour=True))
    assert "\x1b[1mexample.com\x1b[0m" in shown
    assert "\x1b[33m~\x1b[0m SPF" in shown
    assert f"\x1b[31m{NETCUP_SPF}\x1b[0m" in shown
    assert f"\x1b[32m{SPF}\x1b[0m" in shown


@given(PLANS, WIDTHS, st.booleans())
def test_nothing_in_a_plan_deceives_the_eye(any_plan: Plan, width: int, full: bool) -> None:
    assert_nothing_deceives(plan_text(any_plan, Page(width), full))


@given(RESULTS, WIDTHS)
def test_nothing_in_a_result_deceives_the_eye(result: Result, width: int) -> None:
    assert_nothing_deceives(result_text(result, Page(width)))


@pytest.mark.parametrize("character", DECEIVING, ids=lambda c: f"U+{ord(c):04X}")
def test_a_deceiving_character_is_escaped_wherever_it_comes_from(character: str) -> None:
    bad = f"a{character}b"
    shown = visible(bad)
    place = Place(bad, "example.com", bad, f"https://{bad}/")
    planned = ChangeSet(
        place,
        (change(Kind.DKIM, bad, RSA, bad, bad),),
        findings=(Finding(bad, Severity.DANGER, bad),),
    )
    failure = Failure(ExitCode.ERROR, bad, bad)
    zone = Zone(bad, bad, (DnsRecord(bad, bad, bad, bad),))
    texts = {
        plan_text(plan(planned, ChangeSet(place), ChangeSet(place, error=failure)), PAGE): 12,
        result_text(Result(planned, Status.FAILED, failure, (bad,)), PAGE): 4,
        zone_text(zone, "CCP API", PAGE): 5,
        zone_text(Zone(bad, bad, ()), "CCP API", PAGE): 1,
    }
    for text, times in texts.items():
        assert_nothing_deceives(text)
        assert text.count(shown) >= times


def test_a_zone_in_columns() -> None:
    zone = Zone(
        "example.com",
        "ccp",
        (
            DnsRecord("405407", "@", "MX", "mail.example.com", "10"),
            DnsRecord("9", "@", "TXT", NETCUP_SPF),
            DnsRecord(None, "key1._domainkey.a-rather.long-name.of-a-host", "CNAME", "x.example"),
        ),
    )
    assert (
        zone_text(zone, "CCP API", Page(width=60))
        == f"""\
example.com{"CCP API":>49}

  405407  @                     MX     10 mail.example.com
       9  @                     TXT    v=spf1 mx a
                                       include:_spf.webhosti
                                       ng.systems ~all
          key1._domainkey.a-rather.long-name.of-a-host
                                CNAME  x.example

3 records.
"""
    )


@given(st.lists(st.builds(DnsRecord, st.none() | TEXTS, TEXTS, TEXTS, VALUES), min_size=1), WIDTHS)
def test_no_record_of_a_zone_is_ever_cut(records: list[DnsRecord], width: int) -> None:
    shown = squashed(zone_text(Zone("example.com", "ccp", tuple(records)), "", Page(width=width)))
    for record in records:
        assert squashed(visible(record.destination)) in shown
        assert squashed(visible(record.hostname)) in shown


def test_a_zone_without_records_says_so() -> None:
    shown = zone_text(Zone("example.com", "ccp", ()), "CCP API", PAGE)
    assert shown == "example.com has no such records (CCP API).\n"


@pytest.mark.parametrize(
    ("status", "shown"),
    [
        (Status.UNCHANGED, "nothing to do"),
        (Status.APPLIED, "written and verified: 1 created, 1 updated"),
        (Status.ALREADY, "already as planned; the same change has been made since"),
        (Status.REFUSED, "refused"),
        (Status.STALE, "stale"),
        (Status.FAILED, "failed"),
        (Status.UNKNOWN, "unknown"),
        (Status.NOT_TRIED, "not tried"),
    ],
)
def test_the_result_of_a_domain_is_one_line(status: Status, shown: str) -> None:
    assert result_text(Result(FULL_STORY, status), PAGE) == f"example.com: {shown}\n"


def test_a_domain_whose_key_is_being_rotated_is_not_just_unchanged() -> None:
    note = Finding("rotation-in-progress", Severity.NOTE, "A key rotation is open.")
    rotating = replace(FULL_STORY, changes=(), findings=(note,))
    shown = result_text(Result(rotating, Status.UNCHANGED), PAGE)
    assert "nothing to do; its DKIM key is left to the open rotation" in shown


@pytest.mark.parametrize(
    ("status", "colour"), [(Status.APPLIED, 32), (Status.UNCHANGED, 2), (Status.UNKNOWN, 31)]
)
def test_the_colour_of_a_result_tells_good_from_bad(status: Status, colour: int) -> None:
    shown = result_text(Result(FULL_STORY, status), Page(colour=True))
    assert f": \x1b[{colour}m" in shown


def test_a_result_shows_its_failure_and_its_notes() -> None:
    failure = Failure(ExitCode.UNVERIFIED, "It got no answer.", "Run it again.")
    result = Result(FULL_STORY, Status.UNKNOWN, failure, ("Another program was here.",))
    assert result_text(result, PAGE) == (
        "example.com: unknown\n  It got no answer.\n  Run it again.\n"
        "  note: Another program was here.\n"
    )


def test_a_run_is_summed_up_by_how_its_domains_ended() -> None:
    results = [Result(FULL_STORY, s) for s in (Status.FAILED, Status.APPLIED, Status.APPLIED)]
    assert run_text(RunResult(tuple(results)), PAGE) == "3 domains: 2 applied, 1 failed.\n"
    assert run_text(RunResult((results[0],)), PAGE) == "1 domain: 1 failed.\n"


def test_a_change_that_only_concerns_other_tags_of_a_key_shows_what_differs() -> None:
    update = change(Kind.DKIM, f"v=DKIM1;t=y:s;p={RSA_P}", f"v=DKIM1;t=s;p={RSA_P}")
    shown = squashed(change_set_text(change_set(update), PAGE))
    assert "testing(t=y)" in shown
    assert "sofart=y:s" in shown


def test_values_of_a_sandbox_plan_name_the_sandbox() -> None:
    sandbox = Place("example.com", "example.com", "ccp", "http://127.0.0.1:8053/x")
    assert "SANDBOX 127.0.0.1:8053\n" in change_set_text(ChangeSet(sandbox), PAGE)
    assert "SANDBOX" not in change_set_text(ChangeSet(PLACE), PAGE)
    assert CCP not in change_set_text(ChangeSet(PLACE), PAGE)


@pytest.mark.parametrize("odd", [*DECEIVING, "\x1b[2J", "\n", "\udc80"])
def test_a_priority_is_shown_printable(odd: str) -> None:
    """It comes from the API as text, like everything else."""
    record = DnsRecord("1", "@", "MX", "mail.example.com", priority=f"1{odd}0")
    shown = zone_text(Zone("example.com", "ccp", (record,)), "CCP API", PAGE)
    assert all(visible(line) == line for line in shown.split("\n"))
    assert len(shown.splitlines()) == 5


def test_records_are_listed_apex_first_then_by_name_type_and_priority() -> None:
    rows = [
        ("www", "A", "192.0.2.1", "0"),
        ("mail", "AAAA", "2001:db8::1", "0"),
        ("@", "TXT", "b", "0"),
        ("@", "MX", "late.example", "100"),
        ("@", "MX", "soon.example", "20"),
        ("mail", "A", "192.0.2.2", "0"),
        ("_dmarc", "TXT", "v=DMARC1;p=none", "0"),
        ("@", "TXT", "a", "0"),
        ("*", "A", "192.0.2.1", "0"),
    ]
    records = [DnsRecord(str(at), *row) for at, row in enumerate(rows)]
    shown = zone_text(Zone("example.com", "ccp", tuple(records)), "CCP API", PAGE)
    listed = [line.split(maxsplit=1)[1] for line in shown.splitlines()[2:-2]]
    assert [" ".join(line.split()) for line in listed] == [
        "@ MX 20 soon.example",
        "@ MX 100 late.example",
        "@ TXT a",
        "@ TXT b",
        "* A 192.0.2.1",
        "_dmarc TXT v=DMARC1;p=none",
        "mail A 192.0.2.2",
        "mail AAAA 2001:db8::1",
        "www A 192.0.2.1",
    ]


def test_identifiers_that_would_take_the_room_of_the_values_are_left_out() -> None:
    one = DnsRecord("0d3e2a52-5f0f-4e3f-9f53-6f0a2d3b1c11", "@", "TXT", SPF, "0", 3600)
    shown = zone_text(Zone("example.com", "clouddns", (one,)), "CloudDNS", Page(width=80))
    assert f"\n  @  TXT  {SPF}\n" in shown


IDN = Place("xn--bcher-kva.example", "xn--bcher-kva.example", "ccp", CCP, "0123456789ab")


def test_an_international_domain_is_headed_by_both_its_forms() -> None:
    both = "bücher.example (xn--bcher-kva.example)"
    changes = change_set(change(Kind.SPF, None, SPF), place=IDN)
    assert change_set_text(changes, PAGE).startswith(f"{both}  ")
    assert result_text(Result(changes, Status.APPLIED), PAGE).startswith(f"{both}: written")
    assert zone_text(Zone(IDN.zone, "ccp", (txt(SPF),)), "", PAGE).startswith(f"{both}\n")
    below = replace(IDN, domain=f"mail.{IDN.zone}")
    shown = change_set_text(ChangeSet(below), PAGE)
    assert shown.startswith(f"mail.bücher.example (mail.{IDN.zone}) (zone {IDN.zone})")


def test_the_ends_of_a_key_stand_below_its_fingerprint_old_and_new_and_the_hint_once() -> None:
    keys = change_set(change(Kind.DKIM, ED25519, RSA), change(Kind.DKIM, None, RSA, "b._domainkey"))
    shown = plan_text(plan(keys, replace(keys, place=IDN)), PAGE)
    assert shown.count("v=DKIM1;k=rsa;p=MIGfMA0G...ckcQ2QIDAQAB") == 4
    assert shown.count(f"v=DKIM1;k=ed25519;p={ED25519_P[:8]}...{ED25519_P[-12:]}") == 2
    assert shown.count("--full shows the key whole") == 1
    assert "..." not in plan_text(plan(keys), PAGE, full=True)
    assert "--full" not in plan_text(plan(keys), PAGE, full=True)


def test_without_keys_there_is_no_hint_and_what_is_no_key_is_shown_whole() -> None:
    broken = change_set(change(Kind.DKIM, "v=DKIM1;p=", "v=DKIM1;k=none;p=" + "A" * 80))
    assert "--full" not in plan_text(plan(broken), PAGE)
    assert "..." not in plan_text(plan(broken), PAGE)
    assert "--full" not in plan_text(plan(change_set(change(Kind.SPF, None, SPF))), PAGE)
