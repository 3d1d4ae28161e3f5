"""The merge scenarios of the design, as far as they lie within one SPF record."""

from __future__ import annotations

import pytest

from netcup_mailauth.spf import (
    Qualifier,
    SpfSyntaxError,
    check_host,
    cost,
    drop,
    equal,
    merge,
    parse,
    require,
    with_all,
)
from tests.core.spf.zones import Zones

NETCUP_DEFAULT = "v=spf1 mx a include:_spf.webhosting.systems ~all"


def merged(*texts: str) -> str:
    return str(merge([parse(text) for text in texts]).record)


def notes(*texts: str) -> list[str]:
    return merge([parse(text) for text in texts]).notes


def test_s2_netcup_default_has_what_mailcow_needs_already() -> None:
    live = parse(NETCUP_DEFAULT)
    assert require(live, "mx", "a") is live
    assert str(with_all(live, Qualifier.FAIL)) == NETCUP_DEFAULT.replace("~all", "-all")
    assert str(drop(live, "include:_spf.webhosting.systems")) == "v=spf1 mx a ~all"


def test_s3_other_senders_stay() -> None:
    live = parse("v=spf1 mx a include:servers.mcsv.net include:spf.brevo.com ~all")
    assert str(require(live, "ip4:203.0.113.7")) == (
        "v=spf1 ip4:203.0.113.7 mx a include:servers.mcsv.net include:spf.brevo.com ~all"
    )


def test_s4_two_records_become_one_and_no_sender_is_lost() -> None:
    texts = (NETCUP_DEFAULT, "v=spf1 MX include:spf.brevo.com -all")
    assert (
        merged(*texts) == "v=spf1 mx a include:_spf.webhosting.systems include:spf.brevo.com ~all"
    )
    assert notes(*texts) == ['of -all and ~all the softer "~all" stays']


def test_s5_an_address_within_a_live_prefix_changes_nothing() -> None:
    live = parse("v=spf1 ip4:203.0.113.0/24 ip6:2001:db8::/32 -all")
    assert require(live, "ip4:203.0.113.7", "ip6:2001:db8::7") is live


def test_s6_a_redirect_stays_in_effect() -> None:
    live = parse("v=spf1 redirect=_spf.example.com")
    assert str(require(live, "mx")) == "v=spf1 mx redirect=_spf.example.com"


@pytest.mark.parametrize(("number", "too_many"), [(9, False), (10, True)])
def test_s7_the_tenth_look_up_fits_and_the_eleventh_does_not(number: int, too_many: bool) -> None:
    includes = [f"include:s{index}.example.com" for index in range(number)]
    zones = Zones(
        {
            **{f"s{i}.example.com": [{"SPF": "v=spf1 ip4:192.0.2.1 ~all"}] for i in range(number)},
            "example.com": [{"MX": [10, "mail.example.com"]}],
        }
    )
    record = require(parse(f"v=spf1 {' '.join(includes)} ~all"), "mx")
    found = cost(record, "example.com", zones)
    assert found.lookups_total == number + 1
    assert found.too_many is too_many


def test_s8_a_blank_lost_between_two_strings_is_named() -> None:
    with pytest.raises(SpfSyntaxError) as caught:
        parse("v=spf1 ip4:203.0.113.7" + "include:spf.brevo.com ~all")
    assert caught.value.term == "ip4:203.0.113.7include:spf.brevo.com"
    assert "no blank before" in caught.value.what


def test_s10_an_open_record_is_closed_on_request_only() -> None:
    live = parse("v=spf1 mx +all")
    assert str(require(live, "a")) == "v=spf1 a mx +all"
    assert str(with_all(live, Qualifier.SOFTFAIL)) == "v=spf1 mx ~all"
    assert merged("v=spf1 mx +all", "v=spf1 a -all") == "v=spf1 mx a +all"


def test_s20_a_second_run_changes_nothing() -> None:
    once = merge([parse(NETCUP_DEFAULT), parse("v=spf1 a:x.example.com -all")]).record
    edited = with_all(drop(require(once, "ip4:203.0.113.7"), "a"), Qualifier.FAIL)
    again = merge([edited])
    assert again.record is edited
    assert again.notes == []
    assert with_all(drop(require(edited, "ip4:203.0.113.7"), "a"), Qualifier.FAIL) is edited


def test_the_softer_all_wins_and_none_has_no_say() -> None:
    assert merged("v=spf1 mx -all", "v=spf1 a ?all") == "v=spf1 mx a ?all"
    assert merged("v=spf1 mx ?all", "v=spf1 a ~all") == "v=spf1 mx a ?all"
    assert (
        merged("v=spf1 include:a.example", "v=spf1 mx ~all") == "v=spf1 include:a.example mx ~all"
    )
    assert merged("v=spf1 mx", "v=spf1 a") == "v=spf1 mx a"


def test_equal_records_merge_into_the_first_without_a_word() -> None:
    texts = ("v=spf1  mx ~all ", "V=SPF1 +mx ~ALL", "v=spf1 mx ~all")
    assert merged(*texts) == "v=spf1 mx ~all"
    assert notes(*texts) == []


def test_modifiers_and_unreached_terms_keep_their_place() -> None:
    texts = (
        "v=spf1 mx moo=cow -all exp=a.example.com ptr",
        "v=spf1 a -all exp=b.example.com ra=postmaster -mx",
    )
    assert merged(*texts) == ("v=spf1 mx moo=cow a -all exp=a.example.com ptr ra=postmaster -mx")
    assert notes(*texts) == ['"exp=b.example.com" is left out; a record holds one exp= only']


def test_one_redirect_is_kept_while_no_all_disables_it() -> None:
    assert merged("v=spf1 mx", "v=spf1 redirect=b.example a") == "v=spf1 mx a redirect=b.example"
    assert merged("v=spf1 redirect=b.example", "v=spf1 redirect=B.example") == (
        "v=spf1 redirect=b.example"
    )


def test_a_redirect_that_an_all_would_disable_becomes_an_include() -> None:
    texts = ("v=spf1 redirect=b.example mx", "v=spf1 a ~all")
    assert merged(*texts) == "v=spf1 mx include:b.example a ~all"
    assert notes(*texts) == [
        '"redirect=b.example" becomes "include:b.example", so that it still has an effect'
    ]


def test_two_different_redirects_become_includes_with_a_neutral_end() -> None:
    assert merged("v=spf1 redirect=b.example", "v=spf1 redirect=c.example") == (
        "v=spf1 include:b.example include:c.example ?all"
    )


def test_a_redirect_without_effect_gets_none() -> None:
    texts = ("v=spf1 mx -all redirect=b.example", "v=spf1 ~all redirect=c.example")
    assert merged(*texts) == "v=spf1 mx redirect=b.example ~all"
    assert notes(*texts)[0] == '"redirect=c.example" had no effect and is left out'


def test_different_qualifiers_of_one_question_are_told() -> None:
    texts = ("v=spf1 ?include:b.example ~all", "v=spf1 include:b.example ~all")
    assert merged(*texts) == "v=spf1 ?include:b.example include:b.example ~all"
    assert notes(*texts) == ['"?include:b.example" stands before "include:b.example" and decides']


@pytest.mark.parametrize(
    ("first", "second", "text"),
    [
        (
            "v=spf1 ip4:192.0.2.0/24 -all",
            "v=spf1 -ip4:192.0.2.9 mx -all",
            "v=spf1 -ip4:192.0.2.9 mx ip4:192.0.2.0/24 -all",
        ),
        ("v=spf1 a/16 -all", "v=spf1 mx ~a/24 ~all", "v=spf1 mx ~a/24 a/16 ~all"),
        (
            "v=spf1 ip6:2001:db8::/32 ~all",
            "v=spf1 ip6:2001:db8:1::1 ?ip6:2001:db8:1::/48 ~all",
            "v=spf1 ip6:2001:db8:1::1 ?ip6:2001:db8:1::/48 ip6:2001:db8::/32 ~all",
        ),
        (
            "v=spf1 ip4:192.0.2.7 -all",
            "v=spf1 -ip4:192.0.2.0/24 mx -all",
            "v=spf1 ip4:192.0.2.7 -ip4:192.0.2.0/24 mx -all",
        ),
    ],
)
def test_a_carve_out_of_either_record_stands_where_it_can_match(
    first: str, second: str, text: str
) -> None:
    assert merged(first, second) == text
    assert [note for note in notes(first, second) if "stands before" in note] == []


@pytest.mark.parametrize(
    ("first", "second", "note"),
    [
        (
            "v=spf1 ip4:192.0.2.0/24 -ip4:198.51.100.9 -all",
            "v=spf1 ip4:198.51.100.0/24 -ip4:192.0.2.9 -all",
            '"ip4:192.0.2.0/24" stands before "-ip4:192.0.2.9" and decides',
        ),
        ("v=spf1 mx -all", "v=spf1 -mx -all", '"mx" stands before "-mx" and decides'),
        (
            "v=spf1 ip4:192.0.2.0/24 -all",
            "v=spf1 ip4:192.0.2.7 -all",
            '"ip4:192.0.2.7" adds nothing to "ip4:192.0.2.0/24"',
        ),
        (
            "v=spf1 -ip4:10.0.0.0/8 -all",
            "v=spf1 ip4:10.0.0.1 -all",
            '"-ip4:10.0.0.0/8" stands before "ip4:10.0.0.1" and decides',
        ),
    ],
)
def test_a_merged_term_that_can_never_match_is_told(first: str, second: str, note: str) -> None:
    assert note in notes(first, second)


def test_the_merged_record_passes_whoever_one_of_the_records_passed() -> None:
    texts = ("v=spf1 ip4:192.0.2.1 redirect=b.example", "v=spf1 ip4:192.0.2.2 -all")
    zones = Zones({"b.example": [{"SPF": "v=spf1 ip4:192.0.2.3 -all"}]})
    text = merged(*texts)
    for ip in ("192.0.2.1", "192.0.2.2", "192.0.2.3"):
        found = check_host(ip, "example.com", "me@example.com", zones, record=text)
        assert found.result == "pass"


def test_merging_is_settled_after_one_time() -> None:
    once = merge([parse(NETCUP_DEFAULT), parse("v=spf1 a -all redirect=b.example")]).record
    assert equal(merge([once, once]).record, once)


def test_there_must_be_something_to_merge() -> None:
    with pytest.raises(ValueError, match="nothing to merge"):
        merge([])
