"""DMARC records: strict where we write, lenient where we read, lossless where we edit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netcup_mailauth import dmarc
from netcup_mailauth.dmarc import Authorisation, DmarcRecord, DmarcSyntaxError, Policy
from netcup_mailauth.errors import RecordError
from netcup_mailauth.lookup import Answer, Query, Status
from tests.effort import MANY, tries

if TYPE_CHECKING:
    from collections.abc import Sequence

    from netcup_mailauth.lookup import Lookup


def live(text: str) -> DmarcRecord:
    record = dmarc.read(text)
    assert record is not None
    return record


def check_words(error: RecordError) -> None:
    assert error.what.endswith(".")
    assert error.advice


def refusal(text: str) -> DmarcSyntaxError:
    with pytest.raises(DmarcSyntaxError) as caught:
        dmarc.parse(text)
    check_words(caught.value)
    return caught.value


class Dns:
    """A DNS of TXT records at names; it remembers what it was asked."""

    def __init__(self, zone: dict[str, str | list[str] | Status]) -> None:
        self.zone = zone
        self.asked: list[str] = []

    def __call__(self, queries: Sequence[Query]) -> list[Answer]:
        return [self._answer(query) for query in queries]

    def _answer(self, query: Query) -> Answer:
        assert query.type == "TXT"
        self.asked.append(query.name)
        found = self.zone.get(query.name, Status.NXDOMAIN)
        if isinstance(found, Status):
            return Answer(found)
        return Answer(Status.OK, tuple([found] if isinstance(found, str) else found))


# -- recognising ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("v=DMARC1", True),
        ("v=DMARC1;p=none", True),
        ("v \t= DMARC1 ; p=none", True),
        ("v=DMARC1; total nonsense", True),
        ("v=dmarc1; p=none", False),
        ("V=DMARC1; p=none", True),  # RFC 9989's grammar: the name in either case
        (" v=DMARC1; p=none", False),
        ("v=DMARC10; p=none", False),
        ("p=none; v=DMARC1", False),
        ("v=spf1 -all", False),
        ("", False),
    ],
)
def test_policy_records_are_told_from_others_as_receivers_do(text: str, answer: bool) -> None:
    assert dmarc.is_dmarc(text) is answer
    assert (dmarc.read(text) is not None) is answer


# -- strict parsing ------------------------------------------------------------------------------


def test_a_full_record_is_read_with_all_its_tags() -> None:
    record = dmarc.parse(
        "v=DMARC1; p=quarantine; sp=none; np=reject; adkim=s; aspf=s; fo=1:d; t=y; psd=n;"
        " rua=mailto:a@example.com, https://r.example.net/x; ruf=mailto:f@example.com!10m; pct=50"
    )
    assert (record.p, record.sp, record.np) == ("quarantine", "none", "reject")
    assert (record.adkim, record.aspf, record.t, record.psd) == ("s", "s", "y", "n")
    assert record.fo == ("1", "d")
    assert record.rua == ("mailto:a@example.com", "https://r.example.net/x")
    assert record.ruf == ("mailto:f@example.com!10m",)
    assert record.pct == 50


def test_defaults_of_the_shortest_record() -> None:
    record = dmarc.parse("v=DMARC1;p=reject")
    assert (record.sp, record.np, record.pct) == (None, None, None)
    assert (record.adkim, record.aspf, record.t, record.psd) == ("r", "r", "n", "u")
    assert (record.rua, record.ruf, record.fo) == ((), (), ("0",))
    assert record.effective_policy == "reject"
    assert record.effective_subdomain_policy == "reject"
    assert record.effective_nonexistent_policy == "reject"


@pytest.mark.parametrize(
    "text",
    [
        "v=DMARC1;p=none;",
        "v=DMARC1; p=NONE; ",
        "v = DMARC1 ; rua=mailto:a@b.de ; p = none",
        "v=DMARC1;p=none;x=unknown",
        "v=DMARC1;p=none;rua=MAILTO:a%2Cb@b.de",
        "v=DMARC1;p=none;fo=s:d:0",
        "v=DMARC1;p=none;fo=0:1:d:s",  # RFC 7489, 6.4
        "v=DMARC1;p=none;fo=d:d",
        "v=DMARC1;p=none;pct=abc;rf=afrf;ri=86400",
    ],
)
def test_legal_spellings_are_accepted_and_kept(text: str) -> None:
    assert str(dmarc.parse(text)) == text


@pytest.mark.parametrize(
    ("text", "says", "advises"),
    [
        ("", "is empty", "v=DMARC1;p=none"),
        (" v=DMARC1;p=none", "begins with ' '", "blanks"),
        ('"v=DMARC1;p=none"', "begins with '\"'", "quotation marks"),
        ("v=DMARC1;none", "'none' is no tag", "semicolon"),
        ("v=DMARC1;;p=none", "nothing between", "semicolon"),
        ("v=DMARC1;p=none;rua=mailto:a@x.de;mailto:b@x.de", "'mailto:b@x.de'", "comma"),
        ("v=DMARC1;p=none;p=reject", "'p' twice", "Keep one"),
        ("p=none;v=DMARC1", "begins with the tag 'p'", "first"),
        ("v=dmarc1;p=none", "v='dmarc1'", "capitals"),
        ("v=DMARC1 p=none", "v='DMARC1 p=none'", "semicolon after it"),
        ("v=DMARC1", "ends after v=DMARC1", "p=none"),
        ("v=DMARC1;", "ends after v=DMARC1", "p=none"),
        ("v=DMARC1;p=...", "placeholder", "real value"),
        ("v=DMARC1;p=none;rua=mailto:…", "placeholder", "real value"),
        ("v=DMARC1;p=none;rua=mailto:<you>@x.de", "placeholder", "real value"),
        ("v=DMARC1;p=none;rua=mailto:j\xfcrgen@x.de", "'\\xfc'", "ASCII"),
        ("v=DMARC1;p=none;rua=mailto:a@m\xfcller.de", "'\\xfc'", "xn-- form"),
        ("v=DMARC1;p=none;ruf=a@stra\xdfe.de", "'\\xdf'", "xn-- form"),
        ("v=DMARC1;p=none;rua=mailto:a@x.de\xa0", "'\\xa0'", "type that place again"),
        ("v=DMARC1;\np=none", "'\\n'", "one line"),
        ("v=DMARC1;sp=none", "no p= tag", "Add p=none"),
        ("v=DMARC1;policy=none", "'policy'", "p="),
        ("v=DMARC1;P=none", "'P'", "Did you mean p="),
        ("v=DMARC1;p=none;rau=mailto:a@x.de", "'rau'", "Did you mean rua="),
        ("v=DMARC1;p=none;adkm=s", "'adkm'", "Did you mean adkim="),
        ("v=DMARC1;p=quarentine", "p='quarentine'", "p=quarantine"),
        ("v=DMARC1;p=", "p=''", "none, quarantine or reject"),
        ("v=DMARC1;p=none rua=mailto:a@x.de", "p='none rua=", "semicolon after the value"),
        ("v=DMARC1;p=none;sp=rejct", "sp='rejct'", "sp=reject"),
        ("v=DMARC1;p=none;adkim=strict", "adkim='strict'", "r or s"),
        ("v=DMARC1;p=none;t=1", "t='1'", "y or n"),
        ("v=DMARC1;p=none;psd=x", "psd='x'", "y, n or u"),
        ("v=DMARC1;p=none;fo=0:2", "fo='0:2'", "fo=1:d"),
        ("V=DMARC1;p=none", "capital V", "small v"),
        ("v=DMARC1;p=none;fo=", "fo=''", "fo=1:d"),
        ("v=DMARC1;p=none;rua=a@x.de", "no mailto: before it", "mailto:a@x.de"),
        ("v=DMARC1;p=none;ruf=x.de", "no mailto: before it (ruf=)", "mailto:name@"),
        ("v=DMARC1;p=none;rua=mailto://a@x.de", "slashes", "mailto:a@x.de"),
        ("v=DMARC1;p=none;rua=mailto:a", "no valid host", "mailto:name@"),
        ("v=DMARC1;p=none;rua=mailto:@x.de", "no valid host", "mailto:name@"),
        ("v=DMARC1;p=none;rua=mailto:a@localhost", "no valid host", "mailto:name@"),
        ("v=DMARC1;p=none;rua=https:x", "no valid host", "mailto:name@"),
        ("v=DMARC1;p=none;rua=https://[1/x", "no valid host", "mailto:name@"),
        ("v=DMARC1;p=none;rua=mailto:a!b@x.de", "must be encoded", "%21"),
        ("v=DMARC1;p=none;rua=mailto:a@x.de mailto:b@x.de", "has a blank", "comma"),
        ("v=DMARC1;p=none;rua=mailto:a@x.de,", "is empty", "comma"),
        ("v=DMARC1;p=none;rua=", "is empty", "comma"),
    ],
)
def test_each_mistake_has_its_own_words(text: str, says: str, advises: str) -> None:
    error = refusal(text)
    assert says in error.what
    assert advises in error.advice


# -- lenient reading -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "policy", "in_force"),
    [
        ("v=DMARC1; p=reject", "reject", True),
        ("v=DMARC1; p=REJECT; junk; x=1", "reject", True),
        ("v=DMARC1; sp=reject; p=reject", "reject", True),
        ("v=DMARC1", "none", False),
        ("v=DMARC1; p=rejct", "none", False),
        ("v=DMARC1; p=reject; sp=rejct", "none", False),
        ("v=DMARC1; p=reject; np=", "none", False),
        ("v=DMARC1; p=reject; p=none", "none", False),
        ("v=DMARC1; p=reject; rua=mailto:a@x.de; rua=mailto:b@x.de", "none", False),
        ("v=DMARC1; rua=mailto:a@x.de", "none", True),
        ("v=DMARC1; p=reject; sp=bad; rua=bad, mailto:a@x.de", "none", True),
        ("v=DMARC1; p=bad; rua=a@x.de", "none", False),
    ],
)
def test_faulty_records_mean_what_the_rfc_says(text: str, policy: str, in_force: bool) -> None:
    record = live(text)
    assert record.effective_policy == policy
    assert record.in_force is in_force
    assert str(record) == text


def test_a_faulty_record_has_no_sub_domain_policies_either() -> None:
    record = live("v=DMARC1; p=bad; sp=reject; np=reject; rua=mailto:a@x.de")
    assert record.effective_subdomain_policy == "none"
    assert record.effective_nonexistent_policy == "none"


def test_a_faulty_tag_falls_back_to_its_default() -> None:
    record = live("v=DMARC1; p=none; adkim=x; t=maybe; fo=0:1; psd=q; pct=101; rua=,")
    assert (record.adkim, record.t, record.psd, record.fo) == ("r", "n", "u", ("0",))
    assert (record.pct, record.rua) == (None, ())


def test_sub_domain_policies_inherit_one_from_the_other() -> None:
    record = live("v=DMARC1; p=reject; sp=quarantine")
    assert record.effective_subdomain_policy == "quarantine"
    assert record.effective_nonexistent_policy == "quarantine"
    assert live("v=DMARC1; p=none; np=reject").effective_nonexistent_policy == "reject"


# -- equal meaning -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "other",
    [
        "v=DMARC1;p=none;rua=mailto:a@x.de,mailto:b@x.de",
        "v = DMARC1 ; rua = mailto:b@X.de , MAILTO:a@x.DE ; p = NONE ;",
        "v=DMARC1;p=none;rua=mailto:a@x.de,mailto:b@x.de;adkim=r;aspf=R",
        "v=DMARC1;p=none;fo=0;t=n;psd=u;rua=mailto:a@x.de,mailto:b@x.de",
    ],
)
def test_order_blanks_case_and_defaults_are_no_difference(other: str) -> None:
    record = live("v=DMARC1; p=none; rua=mailto:a@x.de, mailto:b@x.de")
    assert dmarc.equal(record, live(other))


@pytest.mark.parametrize(
    "other",
    [
        "v=DMARC1; p=reject; fo=1:d; rua=mailto:a@x.de",
        "v=DMARC1; p=none; rua=mailto:a@x.de",
        "v=DMARC1; p=none; fo=1:d",
        "V=DMARC1; p=none; fo=1:d; rua=mailto:a@x.de",  # which some receivers do not read
        "v=DMARC1; p=none; fo=1:d; rua=mailto:a@x.de; x=1",
        "v=DMARC1; p=none; fo=1:d; rua=mailto:a@x.de; junk",
        "v=DMARC1; p=none; fo=1:d; rua=mailto:A@x.de",
        "v=DMARC1; p=none; fo=1:d; rua=mailto:a@x.de!10m",
    ],
)
def test_each_explicit_tag_is_a_difference(other: str) -> None:
    record = live("v=DMARC1; p=none; fo=d:1; rua=mailto:a@x.de")
    assert dmarc.equal(record, live("v=DMARC1; fo=1:d; rua=mailto:a@x.de; p=none"))
    assert not dmarc.equal(record, live(other))


# -- building and editing ------------------------------------------------------------------------


def test_a_policy_is_set_in_place_and_all_else_kept() -> None:
    record = live("v=DMARC1;  p = none ; x=foreign; junk; rua=mailto:a@x.de;")
    edited = dmarc.with_policy(record, "quarantine")
    assert str(edited) == "v=DMARC1;  p = quarantine ; x=foreign; junk; rua=mailto:a@x.de;"
    assert dmarc.removed_tags(record, edited) == []


def test_a_missing_policy_comes_second_where_old_receivers_want_it() -> None:
    assert str(dmarc.with_policy(live("v=DMARC1; rua=mailto:a@x.de"), "none")) == (
        "v=DMARC1; p=none; rua=mailto:a@x.de"
    )


def test_obsolete_tags_go_with_the_old_policy_and_are_told() -> None:
    record = live("v=DMARC1; p=quarantine; pct=50; rf=afrf; ri=3600; rua=mailto:a@x.de")
    edited = dmarc.with_policy(record, "quarantine")
    assert str(edited) == "v=DMARC1; p=quarantine; rua=mailto:a@x.de"
    told = dmarc.removed_tags(record, edited)
    assert told[0] == "pct=50 goes: 50 % -> all failing mail"
    assert "no longer read" in told[1]
    assert len(told) == 3


@pytest.mark.parametrize(
    ("text", "policy", "expected", "note"),
    [
        ("v=DMARC1;p=none;pct=0", "none", "v=DMARC1;p=none", "t=y"),
        ("v=DMARC1;p=none;pct=0;t=y", "none", "v=DMARC1;p=none;t=y", "t=y says"),
        ("v=DMARC1;p=none;pct=0;t=n", "reject", "v=DMARC1;p=reject;t=n", "t=n says"),
        ("v=DMARC1;p=none;pct=100", "reject", "v=DMARC1;p=reject", "no longer read"),
        ("v=DMARC1;p=none;pct=x", "reject", "v=DMARC1;p=reject", "no longer read"),
    ],
)
def test_a_share_goes_where_it_keeps_nobody_from_applying_the_policy(
    text: str, policy: Policy, expected: str, note: str
) -> None:
    edited = dmarc.with_policy(live(text), policy)
    assert str(edited) == expected
    assert note in dmarc.removed_tags(live(text), edited)[0]


@pytest.mark.parametrize(
    ("text", "policy", "expected"),
    [
        ("v=DMARC1;p=none;pct=0", "reject", "v=DMARC1;p=reject;t=y;pct=0"),
        ("v=DMARC1;p=quarantine;pct=0", "reject", "v=DMARC1;p=reject;t=y;pct=0"),
        ("v=DMARC1;p=quarantine;t=y;pct=0", "reject", "v=DMARC1;p=reject;t=y;pct=0"),
        ("v=DMARC1;p=none;sp=reject;pct=0;ri=1", "none", "v=DMARC1;p=none;sp=reject;t=y;pct=0"),
    ],
)
def test_a_share_of_nothing_keeps_old_and_new_receivers_from_applying_the_policy(
    text: str, policy: Policy, expected: str
) -> None:
    assert str(dmarc.with_policy(live(text), policy)) == expected


def test_other_edits_leave_obsolete_tags_alone() -> None:
    record = live("v=DMARC1; p=none; pct=50")
    assert "pct=50" in str(dmarc.with_subdomain_policy(record, "reject"))
    assert "pct=50" in str(dmarc.with_addresses(record, "rua", "mailto:a@x.de"))


def test_a_sub_domain_policy_comes_behind_the_policy() -> None:
    assert str(dmarc.with_subdomain_policy(live("v=DMARC1;p=none;t=y"), "reject")) == (
        "v=DMARC1;p=none;sp=reject;t=y"
    )


@pytest.mark.parametrize("policy", ["", "NONE", "delete", "none;x=1"])
def test_no_other_policy_can_be_set(policy: Policy) -> None:
    for edit in (dmarc.with_policy, dmarc.with_subdomain_policy):
        with pytest.raises(DmarcSyntaxError, match="no DMARC policy") as caught:
            edit(live("v=DMARC1;p=none"), policy)
        check_words(caught.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("v=DMARC1; p=none; fo=1", "v=DMARC1; p=none; rua=mailto:a@x.de; fo=1"),
        ("v=DMARC1;p=none;rua=", "v=DMARC1;p=none;rua=mailto:a@x.de"),
        ("v=DMARC1;p=none;rua=mailto:b@x.de", "v=DMARC1;p=none;rua=mailto:b@x.de,mailto:a@x.de"),
        (
            "v=DMARC1;rua=mailto:b@x.de, mailto:c@x.de;p=none",
            "v=DMARC1;rua=mailto:b@x.de, mailto:c@x.de, mailto:a@x.de;p=none",
        ),
        # nothing to do: it is there, in other words
        ("v=DMARC1;p=none;rua=MAILTO:a@X.de!10m;", "v=DMARC1;p=none;rua=MAILTO:a@X.de!10m;"),
        # two rua tags make a record void; no address may be lost in repairing it
        (
            "v=DMARC1;p=none;rua=mailto:b@x.de;rua=mailto:c@x.de",
            "v=DMARC1;p=none;rua=mailto:b@x.de,mailto:c@x.de,mailto:a@x.de",
        ),
        (
            "v=DMARC1;p=none;rua=mailto:b@x.de;rua=mailto:a@x.de",
            "v=DMARC1;p=none;rua=mailto:b@x.de,mailto:a@x.de",
        ),
    ],
)
def test_a_report_address_is_added_once_and_none_is_lost(text: str, expected: str) -> None:
    edited = dmarc.with_addresses(live(text), "rua", "mailto:a@x.de")
    assert str(edited) == expected
    assert str(dmarc.with_addresses(edited, "rua", "mailto:a@x.de")) == expected


@pytest.mark.parametrize("uri", ["mailto:a@m\xfcller.de", "a@m\xfcller.de", "mailto:j\xfc@x.de"])
def test_an_umlaut_in_an_address_gets_the_advice_to_encode_it(uri: str) -> None:
    with pytest.raises(DmarcSyntaxError) as caught:
        dmarc.report_host(uri)
    assert "'\\xfc'" in caught.value.what
    assert "xn-- form" in caught.value.advice


def test_a_bad_report_address_is_refused() -> None:
    with pytest.raises(DmarcSyntaxError, match="mailto:"):
        dmarc.with_addresses(live("v=DMARC1;p=none"), "rua", "a@x.de")


# -- what a change means -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (
            None,
            "v=DMARC1;p=quarantine;rua=mailto:postmaster@example.com",
            ("failing mail: delivered -> quarantined", "reports go to postmaster@example.com"),
        ),
        (None, "v=DMARC1;p=none", ("failing mail: delivered, as before",)),
        (
            None,
            "v=DMARC1;p=none;sp=reject;ri=1;x=1",
            (
                "failing mail: delivered, as before",
                "failing mail of sub-domains: delivered -> rejected",
                "ri=1: receivers no longer read it (RFC 9989)",
                "x: (nothing) -> 1",
            ),
        ),
        ("v=DMARC1;p=none", "v=DMARC1; p=none;", ()),
        (
            "V=DMARC1;p=none",
            "v=DMARC1;p=reject",
            (
                "the v in front is small now; some receivers read no other",
                "failing mail: delivered -> rejected",
            ),
        ),
        (
            "v=DMARC1;p=none;pct=50;x=1;junk",
            "v=DMARC1;p=reject;rua=https://r.example.net/x",
            (
                "failing mail: delivered -> rejected",
                "reports go to https://r.example.net/x",
                "pct=50 goes: 50 % -> all failing mail",
                "x: 1 -> (nothing)",
                "a part that is no tag: junk -> (nothing)",
            ),
        ),
        (
            "v=DMARC1;p=reject;rua=mailto:a@x.de,mailto:b@x.de;ruf=mailto:f@x.de",
            "v=DMARC1;p=reject;rua=mailto:a@x.de!5m,mailto:c@x.de",
            (
                "reports also go to c@x.de",
                "reports no longer go to b@x.de",
                "failure reports no longer go to f@x.de",
            ),
        ),
        (
            "v=DMARC1;p=reject;sp=reject;np=none",
            "v=DMARC1;p=reject;sp=none",
            (
                "failing mail of sub-domains: rejected -> delivered",
                "failing mail of sub-domains that do not exist: delivered, as before",
            ),
        ),
        (
            "v=DMARC1;p=reject",
            "v=DMARC1;p=reject;adkim=s;aspf=s;t=y;psd=n;fo=1:d",
            (
                "test mode: off -> on, the policy is applied one level lower",
                "DKIM alignment: relaxed -> strict",
                "SPF alignment: relaxed -> strict",
                "the domain is: not said -> an organisation of its own",
                "failures that are reported (fo): 0 -> 1:d",
            ),
        ),
        (
            "v=DMARC1;p=none;pct=10;junk",
            "v=DMARC1;p=none;pct=20",
            (
                "pct=20: receivers no longer read it (RFC 9989)",
                "a part that is no tag: junk -> (nothing)",
            ),
        ),
    ],
)
def test_a_change_is_told_tag_by_tag(old: str | None, new: str, words: tuple[str, ...]) -> None:
    assert dmarc.describe_changes(live(old) if old else None, live(new)) == words


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        ("t=y;pct=0", "", "pct=0 goes: 0 % -> all failing mail"),
        ("pct=0;t=n", "", "pct=0 goes: 0 % -> all failing mail"),
        ("pct=0;t=y", "t=y", "pct=0 goes: t=y says whether this is a test (RFC 9989)"),
        ("pct=0;t=y", "t=n", "pct=0 goes: t=n says whether this is a test (RFC 9989)"),
        ("pct=0", "", "pct=0 goes: test mode is written t=y now (RFC 9989)"),
    ],
)
def test_of_a_share_that_goes_no_tag_is_said_to_tell_that_goes_with_it(
    old: str, new: str, word: str
) -> None:
    before, after = (live(f"v=DMARC1;p=reject;{tags}") for tags in (old, new))
    assert [w for w in dmarc.describe_changes(before, after) if "pct" in w] == [word]


@pytest.mark.parametrize(
    ("text", "policy"),
    [
        ("v=DMARC1;p=reject", "reject"),
        ("v=DMARC1;p=reject;t=y", "quarantine"),
        ("v=DMARC1;p=quarantine;t=y", "none"),
        ("v=DMARC1;p=none;t=y", "none"),
        ("v=DMARC1;p=bad", "none"),
    ],
)
def test_test_mode_applies_one_level_lower(text: str, policy: str) -> None:
    assert dmarc.applied_policy(live(text)) == policy


@pytest.mark.parametrize(
    ("old", "new", "weaker"),
    [
        ("p=none", "p=reject", False),
        ("p=reject", "p=quarantine", True),
        ("p=reject", "p=reject;t=y", True),
        ("p=quarantine", "p=reject;t=y", False),
        ("p=none", "p=none;t=y", False),
        ("p=reject", "p=reject;sp=none", True),
        ("p=reject;sp=none", "p=reject", False),
        ("p=reject", "p=reject;np=quarantine", True),
        ("p=reject", "p=reject;pct=50", True),
        ("p=reject;pct=50", "p=reject", False),
        ("p=none;pct=100", "p=none;pct=1", False),
        ("p=quarantine;pct=0", "p=quarantine;t=y", False),
        ("p=quarantine;pct=50", "p=quarantine;t=y", True),
        ("p=reject", "p=rejct", True),
        ("p=bad", "p=none", False),
    ],
)
def test_a_step_back_is_seen_in_every_scope(old: str, new: str, weaker: bool) -> None:
    assert dmarc.weakens(live(f"v=DMARC1;{old}"), live(f"v=DMARC1;{new}")) is weaker


def test_a_removed_record_is_a_step_back_and_a_new_one_is_none() -> None:
    assert dmarc.weakens(live("v=DMARC1;p=reject"), None)
    assert not dmarc.weakens(live("v=DMARC1;p=none"), None)
    assert not dmarc.weakens(None, live("v=DMARC1;p=none"))


def test_dropped_report_addresses_are_named() -> None:
    old = live("v=DMARC1;p=none;rua=mailto:a@x.de,mailto:b@x.de")
    assert dmarc.dropped_reports(old, live("v=DMARC1;p=none;rua=mailto:a@X.de!1g")) == (
        "mailto:b@x.de",
    )
    assert dmarc.dropped_reports(old, None) == old.rua
    assert dmarc.dropped_reports(None, old) == ()


# -- discovery: the tree walk --------------------------------------------------------------------

P = "v=DMARC1; p=reject"


def test_the_walk_of_the_rfcs_example_takes_eight_queries() -> None:
    dns = Dns({})
    found = dmarc.discover("a.b.c.d.e.f.g.h.i.j.mail.example.com", dns)
    assert found.queries == tuple(dns.asked)
    assert dns.asked == [
        "_dmarc.a.b.c.d.e.f.g.h.i.j.mail.example.com",
        "_dmarc.g.h.i.j.mail.example.com",
        "_dmarc.h.i.j.mail.example.com",
        "_dmarc.i.j.mail.example.com",
        "_dmarc.j.mail.example.com",
        "_dmarc.mail.example.com",
        "_dmarc.example.com",
        "_dmarc.com",
    ]
    assert (found.record_text, found.found_at) == (None, None)
    assert found.org_domain == "a.b.c.d.e.f.g.h.i.j.mail.example.com"


@pytest.mark.parametrize("labels", range(1, 12))
def test_no_walk_takes_more_than_eight_queries(labels: int) -> None:
    dns = Dns({})
    dmarc.discover(".".join("abcdefghijkl"[:labels]), dns)
    assert len(dns.asked) == min(labels, 8)
    assert len(set(dns.asked)) == len(dns.asked)


@pytest.mark.parametrize(
    ("domain", "zone", "found_at", "org"),
    [
        # the examples of RFC 9989, 4.10.2 and appendix B.4
        (
            "a.mail.example.com",
            {"mail.example.com": P, "example.com": P},
            "example.com",
            "example.com",
        ),
        (
            "a.mail.example.com",
            {"mail.example.com": P + "; psd=n", "example.com": P},
            "mail.example.com",
            "mail.example.com",
        ),
        ("a.mail.example.com", {"com": P + "; psd=y"}, "com", "example.com"),
        (
            "signing.example.com",
            {"signing.example.com": P, "example.com": P},
            "signing.example.com",
            "example.com",
        ),
        (
            "giant.bank.example",
            {"giant.bank.example": P, "bank.example": P + ";psd=y"},
            "giant.bank.example",
            "giant.bank.example",
        ),
        (
            "mail.giant.bank.example",
            {"giant.bank.example": P, "bank.example": P + ";psd=y"},
            "giant.bank.example",
            "giant.bank.example",
        ),
        (
            "mail.mega.bank.example",
            {"bank.example": P + ";psd=y"},
            "bank.example",
            "mega.bank.example",
        ),
        # a public suffix itself, and one that the walk never gets above
        (
            "bank.example",
            {"bank.example": P + ";psd=y", "example": P},
            "bank.example",
            "bank.example",
        ),
        ("a.b.example", {"b.example": P + ";psd=y", "example": P}, "b.example", "a.b.example"),
        # how names are written does not matter
        ("Example.COM.", {"example.com": P}, "example.com", "example.com"),
    ],
)
def test_the_record_that_applies_and_the_organisation(
    domain: str, zone: dict[str, str], found_at: str, org: str
) -> None:
    dns = Dns({f"_dmarc.{name}": text for name, text in zone.items()})
    found = dmarc.discover(domain, dns)
    assert (found.found_at, found.org_domain) == (found_at, org)
    assert found.record_text == zone[found_at]


def test_several_records_at_one_name_are_all_discarded() -> None:
    dns = Dns({"_dmarc.a.example.com": [P, P], "_dmarc.example.com": ["v=spf1 -all", P]})
    assert dmarc.discover("a.example.com", dns).found_at == "example.com"


def test_names_that_dns_gave_no_answer_for_are_told() -> None:
    dns = Dns({"_dmarc.example.com": Status.TIMEOUT, "_dmarc.com": Status.SERVFAIL})
    found = dmarc.discover("a.example.com", dns)
    assert found.failed == ("_dmarc.example.com", "_dmarc.com")


def test_a_name_too_long_for_dns_is_not_asked() -> None:
    dns = Dns({})
    assert dmarc.discover("a" * 260, dns).queries == ()
    assert dns.asked == []


# -- where reports may go ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("uri", "host"),
    [
        ("mailto:a@X.de", "x.de"),
        ("mailto:a@x.de!10m", "x.de"),
        ("mailto:a@x.de?subject=b@c.de", "x.de"),
        ("https://user@r.example.net:8443/x?y#z", "r.example.net"),
    ],
)
def test_the_host_of_a_report_address(uri: str, host: str) -> None:
    assert dmarc.report_host(uri) == host


def test_what_is_no_report_address_has_no_host() -> None:
    with pytest.raises(DmarcSyntaxError, match="no mailto:") as caught:
        dmarc.report_host("a@x.de")
    check_words(caught.value)


NAME = "blue.example.com._report._dmarc.red.example.net"


def test_the_name_of_the_rfcs_example() -> None:
    assert dmarc.authorisation_name("Blue.example.com.", "red.example.net") == NAME


def test_one_organisation_needs_no_authorisation() -> None:
    dns = Dns({"_dmarc.example.com": P})
    for host in ("blue.example.com", "example.com", "mail.example.com"):
        assert dmarc.is_one_organisation("blue.example.com", host, dns)
        state = dmarc.authorisation("blue.example.com", f"mailto:a@{host}", dns)
        assert state is Authorisation.NOT_NEEDED


@pytest.mark.parametrize(
    ("zone", "state"),
    [
        ({}, Authorisation.MISSING),
        ({NAME: "v=DMARC1"}, Authorisation.GRANTED),
        ({NAME: "v=DMARC1;"}, Authorisation.GRANTED),
        ({NAME: ["v=spf1 -all", "v=DMARC1"]}, Authorisation.GRANTED),
        ({NAME: "v=DMARC1; rua=mailto:b@red.example.net"}, Authorisation.GRANTED),
        ({NAME: "v=DMARC1; rua=mailto:b@green.example.net"}, Authorisation.MISSING),
        ({NAME: "v=DMARC1; rua=b@red.example.net"}, Authorisation.MISSING),
        ({NAME: "v=spf1 -all"}, Authorisation.MISSING),
        ({NAME: Status.TIMEOUT}, Authorisation.UNKNOWN),
        ({NAME: Status.SERVFAIL}, Authorisation.UNKNOWN),
    ],
)
def test_a_foreign_host_has_to_agree(
    zone: dict[str, str | list[str] | Status], state: Authorisation
) -> None:
    dns = Dns({"_dmarc.blue.example.com": P, **zone})
    uri = "mailto:reports@red.example.net"
    assert not dmarc.is_one_organisation("blue.example.com", "red.example.net", dns)
    assert dmarc.authorisation("blue.example.com", uri, dns) is state


def test_a_name_too_long_for_dns_authorises_nothing() -> None:
    long = ".".join(["a" * 60] * 4)
    dns = Dns({})
    found = dmarc.authorisation(long, "mailto:a@red.example.net", dns)
    assert found is Authorisation.MISSING
    assert not any("_report" in name for name in dns.asked)


# -- any input -----------------------------------------------------------------------------------

WORDS = [
    "v=DMARC1", ";", " ", "p=none", "p=reject", "sp=quarantine", "np=", "rua=", "mailto:a@x.de",
    ",", "!10m", "pct=0", "pct=50", "ri=1", "t=y", "fo=", "1:d", "psd=y", "=", "x=1", "junk",
    "\xff", "\t", "@", "https://x.de", "https://[", "adkim=s",
]  # fmt: skip
TEXTS = st.text() | st.lists(st.sampled_from(WORDS), max_size=14).map("".join)
RECORDS = st.lists(st.sampled_from(WORDS), max_size=14).map(lambda w: "v=DMARC1;" + "".join(w))


@given(TEXTS | RECORDS)
@MANY
def test_no_text_makes_a_traceback_and_what_parses_is_kept(text: str) -> None:
    try:
        record = dmarc.parse(text)
    except RecordError as error:
        check_words(error)
    else:
        assert str(record) == text
        assert dmarc.is_dmarc(text)
        assert dmarc.equal(record, record)
        assert record.in_force


@given(RECORDS, RECORDS, st.sampled_from(["none", "quarantine", "reject"]))
@MANY
def test_any_live_record_can_be_judged_and_edited(a: str, b: str, policy: Policy) -> None:
    old, new = live(a), live(b)
    assert str(old) == a
    dmarc.describe_changes(old, new)
    assert not dmarc.weakens(old, old)
    assert dmarc.describe_changes(old, old) == ()
    edited = dmarc.with_addresses(dmarc.with_policy(old, policy), "rua", "mailto:q@x.de")
    assert edited.p == policy
    assert {uri for uri in old.rua if ";" not in uri} <= set(edited.rua) | {"mailto:q@x.de"}
    assert [t for t in edited.tags.tags if t.name in ("x", "")] == [
        t for t in old.tags.tags if t.name in ("x", "")
    ]


@given(st.text(max_size=300), st.text(max_size=40))
@settings(max_examples=tries(300), deadline=None)
def test_no_name_or_address_makes_a_traceback(domain: str, uri: str) -> None:
    lookup: Lookup = Dns({})
    dmarc.discover(domain, lookup)
    try:
        dmarc.authorisation(domain, uri, lookup)
    except RecordError as error:
        check_words(error)


@pytest.mark.parametrize(
    "uri",
    [
        "mailto:mailto:a@example.com",
        "https://reports.example.com/100%",
        "mailto:50%off@example.com",
        "mailto:a@b@example.com",
        "mailto:.a@example.com",
        "mailto:a..b@example.com",
        "mailto:a(b)@example.com",
        "mailto:a#b@example.com",
        "mailto:a@192.0.2.1",
    ],
)
def test_a_report_address_that_no_receiver_could_use_is_refused(uri: str) -> None:
    with pytest.raises(dmarc.DmarcSyntaxError):
        dmarc.report_host(uri)


@pytest.mark.parametrize("uri", ["mailto:a.b+c@example.com", "mailto:a%2Fb@example.com?x=y"])
def test_a_report_address_may_be_encoded(uri: str) -> None:
    assert dmarc.report_host(uri) == "example.com"


def test_several_report_addresses_at_once_are_those_one_by_one() -> None:
    record = dmarc.parse("v=DMARC1;p=none;rua=mailto:a@example.com")
    uris = ["mailto:b@example.com", "mailto:a@EXAMPLE.com!10m", "mailto:c@example.com"]
    at_once = dmarc.with_addresses(record, "rua", *uris, "mailto:b@example.com")
    for uri in uris:
        record = dmarc.with_addresses(record, "rua", uri)
    assert str(at_once) == str(record)
