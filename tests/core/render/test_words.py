"""What a change means in words, and what is shown of a value."""

from __future__ import annotations

import unicodedata
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netcup_mailauth.errors import ExitCode
from netcup_mailauth.findings import Finding, Severity
from netcup_mailauth.plan import ChangeSet, Failure, Kept, Place, Plan, compute
from netcup_mailauth.records import DesiredRecord, Kind, Zone
from netcup_mailauth.render import words
from netcup_mailauth.render.words import Detail
from netcup_mailauth.render.zone import where
from netcup_mailauth.shown import visible
from tests.core.render.samples import (
    CCP,
    DECEIVING,
    DMARC,
    ED25519,
    NETCUP_SPF,
    PLACE,
    RSA,
    RSA_FINGERPRINT,
    RSA_P,
    SPF,
    VALUES,
    change,
    change_set,
    ed25519,
    txt,
)


@pytest.mark.parametrize("character", DECEIVING, ids=lambda c: f"U+{ord(c):04X}")
def test_a_character_that_could_deceive_is_shown_by_its_number(character: str) -> None:
    shown = visible(f"a{character}b")
    assert shown.isascii()
    assert shown.isprintable()
    assert shown.startswith("a\\")
    assert shown.endswith("b")


@given(st.text())
def test_whatever_is_shown_holds_no_control_format_or_combining_character(text: str) -> None:
    for character in visible(text):
        category = unicodedata.category(character)
        assert category[0] not in "CM" or category == "Mc"
        assert category[0] != "Z" or character == " "


def test_letters_of_other_scripts_and_typographic_marks_stay_as_they_are() -> None:
    assert visible("Käse -> 日本 „…“ é") == "Käse -> 日本 „…“ é"


def test_a_dkim_key_is_shown_by_sort_size_and_fingerprint() -> None:
    assert words.value_of(Kind.DKIM, RSA, full=False) == f"RSA 1024, {RSA_FINGERPRINT}"
    assert words.value_of(Kind.DKIM, ED25519, full=False).startswith("Ed25519, SHA256:")
    assert words.value_of(Kind.DKIM, "v=DKIM1;p=", full=False) == "revoked (empty p=)"


def test_in_full_a_dkim_key_is_shown_as_it_is() -> None:
    assert words.value_of(Kind.DKIM, RSA, full=True) == RSA


def test_a_text_that_is_no_key_is_shown_as_it_is() -> None:
    assert words.value_of(Kind.DKIM, "v=DKIM1;p=abc\x1b", full=False) == "v=DKIM1;p=abc\\x1b"


def test_an_empty_text_at_a_selector_is_said_to_be_empty() -> None:
    assert words.value_of(Kind.DKIM, "", full=False) == "(empty)"
    assert words.value_of(Kind.DKIM, "", full=True) == ""


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32))
def test_two_different_keys_never_look_equal(one: bytes, other: bytes) -> None:
    shown = [words.value_of(Kind.DKIM, ed25519(seed), full=False) for seed in (one, other)]
    assert (shown[0] == shown[1]) is (one == other)


def test_one_key_looks_the_same_whatever_the_record_around_it() -> None:
    spaced = f"v=DKIM1; k=rsa; p={RSA_P[:60]} {RSA_P[60:]}"
    assert words.value_of(Kind.DKIM, spaced, full=False) == f"RSA 1024, {RSA_FINGERPRINT}"


def test_an_spf_change_is_told_term_by_term() -> None:
    assert words.details(change(Kind.SPF, NETCUP_SPF, SPF)) == [
        Detail(
            "-", "include:_spf.webhosting.systems", "may no longer send for you; 1 look-up less"
        ),
        Detail("~", "-all", "softfail -> fail"),
    ]


def test_several_more_look_ups_are_counted_where_they_arise() -> None:
    told = words.details(change(Kind.SPF, "v=spf1 ip4:192.0.2.1 -all", "v=spf1 a mx -all"))
    assert [detail.words for detail in told if detail.sign == "+"] == [
        "may send for you; 1 look-up more",
        "may send for you; 1 look-up more",
    ]


def test_a_term_that_moves_is_marked_as_changed() -> None:
    told = words.details(change(Kind.SPF, "v=spf1 a mx -all", "v=spf1 mx a -all"))
    assert [(detail.sign, detail.words) for detail in told] == [("~", "another place in the order")]


def test_a_new_spf_record_says_it_all_itself() -> None:
    assert words.details(change(Kind.SPF, None, SPF)) == []


def test_a_deleted_record_says_it_all_itself() -> None:
    for kind, value in ((Kind.SPF, SPF), (Kind.DKIM, RSA), (Kind.DMARC, DMARC)):
        assert words.details(change(kind, value, None)) == []


@pytest.mark.parametrize(
    ("kind", "broken", "right"), [(Kind.SPF, "v=spf1 mx include:", SPF), (Kind.DKIM, "old", RSA)]
)
def test_a_live_record_that_is_broken_is_said_to_be(kind: Kind, broken: str, right: str) -> None:
    first, *rest = words.details(change(kind, broken, right))
    assert first.words.startswith("so far no valid record: ")
    assert rest == []


@pytest.mark.parametrize(
    ("kind", "broken"),
    [(Kind.SPF, "v=spf1 mx include:"), (Kind.DKIM, "v=DKIM1;p=abc"), (Kind.DMARC, "v=DMARC1;p=x")],
)
@pytest.mark.parametrize("live", [True, False])
def test_a_broken_record_that_is_wanted_is_said_to_be(kind: Kind, broken: str, live: bool) -> None:
    (told,) = words.details(change(kind, broken if live else None, broken))
    assert told.words.startswith("no valid record: ")


def test_a_dmarc_change_is_told_tag_by_tag() -> None:
    told = words.details(change(Kind.DMARC, "v=DMARC1;p=none", DMARC))
    assert [detail.words for detail in told] == [
        "failing mail: delivered -> quarantined",
        "reports go to postmaster@example.com",
    ]


def test_a_new_dmarc_record_says_what_becomes_of_failing_mail() -> None:
    told = words.details(change(Kind.DMARC, None, "v=DMARC1;p=reject"))
    assert [detail.words for detail in told] == ["failing mail: delivered -> rejected"]


@pytest.mark.parametrize(
    ("hostname", "about"),
    [("example.org._report._dmarc", "example.org"), ("*._report._dmarc", "every domain")],
)
def test_a_report_record_says_whose_reports_it_lets_in(hostname: str, about: str) -> None:
    (told,) = words.details(change(Kind.DMARC_REPORT, None, "v=DMARC1", hostname))
    assert told.words == f"DMARC reports about {about} may be sent here"


def test_a_dkim_record_whose_key_stays_says_which_other_tag_changes() -> None:
    old = f"v=DKIM1;h=sha256;t=s;x=1;p={RSA_P}"
    new = f"v=DKIM1;t=y:s;n=spring;x=1;p={RSA_P}"
    assert words.details(change(Kind.DKIM, old, new)) == [
        Detail("-", "h=sha256", "no other hash algorithm"),
        Detail("~", "t=y:s", "only testing; not for sub-domains; so far t=s"),
        Detail("+", "n=spring", "a note, which receivers ignore"),
    ]


def test_a_new_dkim_record_names_its_other_tags() -> None:
    told = words.details(change(Kind.DKIM, None, f"v=DKIM1;s=email;zz=7;p={RSA_P}"))
    assert told == [Detail("+", "s=email", "for mail only"), Detail("+", "zz=7", "")]


def test_a_dkim_record_with_nothing_but_a_key_needs_no_details() -> None:
    assert words.details(change(Kind.DKIM, RSA, ED25519)) == []


DKIM_RECORDS = st.builds(
    lambda tags, p: ";".join(["v=DKIM1", *tags, f"p={p}"]),
    st.lists(
        st.sampled_from(["t=s", "t=y", "t=y:s", "s=email", "s=*", "h=sha256", "n=a", "k=rsa"]),
        unique_by=lambda tag: tag[0],
    ),
    st.sampled_from([RSA_P, ""]),
)
SPF_RECORDS = st.builds(
    lambda terms, end: " ".join(["v=spf1", *terms, end]),
    st.lists(
        st.sampled_from(["a", "mx", "~mx", "ip4:192.0.2.1", "include:example.org", "exp=a.b"]),
        max_size=4,
    ).filter(lambda terms: terms.count("exp=a.b") < 2),
    st.sampled_from(["-all", "~all", "all", "redirect=example.net", ""]),
)
DMARC_RECORDS = st.builds(
    lambda policy, tags: ";".join(["v=DMARC1", f"p={policy}", *tags]),
    st.sampled_from(["none", "quarantine", "reject"]),
    st.lists(
        st.sampled_from(
            ["sp=none", "np=reject", "adkim=s", "aspf=s", "t=y", "rua=mailto:a@example.com", "zz=1"]
        ),
        unique=True,
    ),
)
PAIRS = st.one_of(
    st.tuples(st.just(Kind.DKIM), DKIM_RECORDS, DKIM_RECORDS),
    st.tuples(st.just(Kind.SPF), SPF_RECORDS, SPF_RECORDS),
    st.tuples(st.just(Kind.DMARC), DMARC_RECORDS, DMARC_RECORDS),
)


@given(PAIRS)
def test_whatever_counts_as_a_change_is_seen_to_be_one(pair: tuple[Kind, str, str]) -> None:
    """No update may look as if nothing happened: neither the values nor the words differ."""
    kind, live, wanted = pair
    zone = Zone("example.com", "ccp", (txt(live, "here"),))
    planned = compute(PLACE, zone, [DesiredRecord(kind, "here", wanted)])
    for update in planned.changes:
        shown = [words.value_of(kind, value, full=False) for value in (live, wanted)]
        assert shown[0] != shown[1] or words.details(update)


@given(st.sampled_from(Kind), st.none() | VALUES, VALUES)
def test_no_text_is_too_odd_to_be_told(kind: Kind, before: str | None, after: str) -> None:
    for detail in words.details(change(kind, before, after)):
        assert detail.words or detail.term
        assert visible(detail.words) == detail.words
        assert visible(detail.term) == detail.term


@pytest.mark.parametrize(
    ("backend", "endpoint", "shown"),
    [
        ("ccp", CCP, "CCP API"),
        ("ccp", "http://127.0.0.1:8053/x", "SANDBOX 127.0.0.1:8053"),
        ("ccp", "http://[::1]:8053/x", "SANDBOX [::1]:8053"),
        ("ccp", "https://ccp.netcup.net.example.com/", "CCP API at ccp.netcup.net.example.com"),
        ("ccp", "https://ccp.netcup.net:444/", "CCP API at ccp.netcup.net:444"),
        ("ccp", "https://127.0.0.1.example.com/", "CCP API at 127.0.0.1.example.com"),
        ("ccp", "https://me:hunter2@proxy.example/", "CCP API at proxy.example"),
        ("ccp", "https://a\u202eb.example/", "CCP API at a\\u202eb.example"),
        ("ccp", "https://[broken", "CCP API at an unknown address"),
        ("ccp", "", "CCP API at an unknown address"),
        ("other\x1b", CCP, "other\\x1b"),
        ("", CCP, ""),
    ],
)
def test_an_api_that_is_not_netcups_own_is_named_and_never_with_a_password(
    backend: str, endpoint: str, shown: str
) -> None:
    assert where(backend, endpoint) == shown


@pytest.mark.parametrize(
    ("number", "beside", "shown"),
    [
        (0, 0, "no other records in this zone"),
        (1, 0, "1 other record stays as it is"),
        (11, 0, "11 other records stay as they are"),
        (11, 2, "11 other records stay as they are, 2 of them TXT beside the SPF record"),
    ],
)
def test_the_rest_of_the_zone_is_said_to_stay(number: int, beside: int, shown: str) -> None:
    assert words.untouched(ChangeSet(PLACE, untouched=number, untouched_beside=beside)) == shown


def test_managed_records_that_stay_are_named_before_the_rest() -> None:
    kept = (Kept(Kind.SPF, txt(SPF)), Kept(Kind.DMARC, txt(DMARC)), Kept(Kind.DMARC, txt(DMARC)))
    stays = ChangeSet(PLACE, unchanged=kept, untouched=0)
    assert words.untouched(stays) == "SPF, DMARC as wanted; no other records in this zone"


def test_the_totals_count_each_action_and_each_failure() -> None:
    plan = Plan(
        (
            change_set(change(Kind.SPF, None, SPF), change(Kind.DKIM, RSA, ED25519)),
            change_set(change(Kind.SPF, SPF, None)),
            ChangeSet(PLACE, error=Failure(ExitCode.ZONE, "gone")),
        )
    )
    assert words.totals(plan) == "3 domains: 1 to create, 1 to update, 1 to delete, 1 failed."


def test_the_totals_of_one_domain_without_changes() -> None:
    totals = words.totals(Plan((ChangeSet(Place("example.com", "example.com")),)))
    assert totals == "1 domain: 0 to create, 0 to update, 0 to delete."


def test_the_totals_name_what_keeps_the_plan_from_being_written() -> None:
    def planned(*codes: str, allow: tuple[str, ...] = ()) -> ChangeSet:
        findings = tuple(Finding(code, Severity.DANGER, "no") for code in codes)
        changes = (change(Kind.SPF, None, SPF),)
        return ChangeSet(PLACE, changes, findings=findings, allow=allow)

    one = Plan((planned("spf-pass-all", "spf-removed", allow=("spf-removed",)),))
    assert words.totals(one).endswith("0 to delete. 1 domain is stopped by spf-pass-all.")
    two = Plan((planned("spf-pass-all"), planned("spf-pass-all", "spf-removed"), planned()))
    assert words.totals(two).endswith(" 2 domains are stopped by spf-pass-all, spf-removed.")


def test_what_an_spf_record_will_cost_is_told_below_it() -> None:
    priced = replace(change(Kind.SPF, None, SPF), look_ups="2 of 10: mx 1, a 1")
    assert words.details(priced)[-1].words == "DNS look-ups: 2 of 10: mx 1, a 1"
