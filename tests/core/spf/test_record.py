from __future__ import annotations

from ipaddress import ip_network

import pytest

from netcup_mailauth.spf import (
    Qualifier,
    SpfSyntaxError,
    equal,
    is_spf,
    parse,
    parse_term,
    parse_wanted,
)


@pytest.mark.parametrize("text", ["v=spf1", "v=spf1 ", "V=SpF1 mx -all", "v=spf1 ???"])
def test_what_receivers_take_for_an_spf_record(text: str) -> None:
    assert is_spf(text)


@pytest.mark.parametrize(
    "text",
    ["", "v=spf10", "v=spf1;", "v=spf1\tmx", " v=spf1", "v=spf2 mx", "v=ſpf1 mx", "v=DMARC1"],
)
def test_what_receivers_do_not_take_for_an_spf_record(text: str) -> None:
    assert not is_spf(text)


@pytest.mark.parametrize(
    "text",
    [
        "v=spf1",
        "v=spf1 ",
        "V=SPF1  +MX   a  ~ALL  ",
        "v=spf1 mx a include:_spf.webhosting.systems ~all",
        "v=spf1 exists:%{i}._spf.%{d2} redirect=_spf.%{D2R-} ",
        "v=spf1 moo.cow-far_out=man:dog/cat ra=postmaster -all exp=why.%{d}",
        "v=spf1 a:foo:bar/baz.example.com/24//64 ip6:2001:DB8:0::/32 mx//128 ptr:%%.%_.%-",
        "v=spf1 ?all -all",
    ],
)
def test_a_record_is_printed_as_it_was_written(text: str) -> None:
    assert str(parse(text)) == text


def test_a_term_is_understood_part_by_part() -> None:
    term = parse_term("~A:Mail.Example.COM/24//64")
    assert (term.kind, term.name, term.qualifier) == ("mechanism", "a", Qualifier.SOFTFAIL)
    assert (term.domain, term.cidr4, term.cidr6) == ("Mail.Example.COM", 24, 64)
    assert parse_term("ip4:203.0.113.7/24").network == ip_network("203.0.113.0/24")
    assert parse_term("redirect=_spf.example.com").qualifier is None
    assert (parse_term("mx").domain, parse_term("mx").network) == (None, None)


@pytest.mark.parametrize(
    ("written", "standard"),
    [
        ("+MX", "mx"),
        ("?ALL", "?all"),
        ("a:Example.COM./32//128", "a:example.com"),
        ("a/32", "a"),
        ("mx/24//128", "mx/24"),
        ("mx//64", "mx//64"),
        ("IP4:203.0.113.7/32", "ip4:203.0.113.7"),
        ("ip4:203.0.113.7/24", "ip4:203.0.113.0/24"),
        ("ip6:2001:0DB8:0:0:0:0:0:1/128", "ip6:2001:db8::1"),
        ("ip6:::FFFF:1.2.3.4", "ip6:::ffff:1.2.3.4"),
        ("exists:%{L}.%{D02R}.Example.com", "exists:%{L}.%{D2r}.example.com"),
        ("exists:%%.%_.%-", "exists:%%.%_.%-"),
        ("EXP=Why.Example.com", "exp=why.example.com"),
        ("Moo=Cow", "moo=Cow"),
    ],
)
def test_terms_of_one_meaning_share_one_spelling(written: str, standard: str) -> None:
    assert parse_term(written).canonical == standard


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("v=spf1 mx -all", "V=SPF1  +MX  -ALL "),
        ("v=spf1 ip4:203.0.113.7/24 -all", "v=spf1 ip4:203.0.113.0/24 -all"),
        ("v=spf1 include:example.com.", "v=spf1 include:Example.com"),
    ],
)
def test_spelling_makes_no_difference(one: str, other: str) -> None:
    assert equal(parse(one), parse(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("v=spf1 mx a -all", "v=spf1 a mx -all"),
        ("v=spf1 mx -all", "v=spf1 mx ~all"),
        ("v=spf1 mx/24", "v=spf1 mx//24"),
        ("v=spf1 exists:%{l}.example.com", "v=spf1 exists:%{L}.example.com"),
        ("v=spf1 moo=Cow", "v=spf1 moo=cow"),
    ],
)
def test_order_qualifier_prefix_and_macro_case_make_a_difference(one: str, other: str) -> None:
    assert not equal(parse(one), parse(other))


def test_only_the_first_all_counts_and_nothing_behind_it() -> None:
    record = parse("v=spf1 mx ~all a -all redirect=_spf.example.com exp=why.example.com")
    assert record.all_qualifier is Qualifier.SOFTFAIL
    assert [term.text for term in record.mechanisms] == ["mx", "~all"]
    assert [term.text for term in record.unreached] == ["a", "-all"]
    assert [term.text for term in record.counted] == ["mx"]
    assert record.redirect is not None
    assert record.redirect_in_effect is None
    assert record.exp is not None
    assert record.exp.text == "exp=why.example.com"


def test_a_redirect_without_all_is_in_effect_and_costs_a_look_up() -> None:
    record = parse("v=spf1 ip4:203.0.113.7 mx redirect=_spf.example.com")
    assert record.all_qualifier is None
    assert record.redirect_in_effect is record.redirect
    assert [term.name for term in record.counted] == ["mx", "redirect"]


def test_two_all_are_grammar_but_two_redirects_are_not() -> None:
    assert len(parse("v=spf1 ~all -all").terms) == 2
    for name in ("redirect", "exp"):
        with pytest.raises(SpfSyntaxError, match=f"second {name}="):
            parse(f"v=spf1 {name}=a.example.com {name.upper()}=b.example.com")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("v=spf1 include:example.com-all", 'no blank before its "all"'),
        ("v=spf1 include=example.com ~all", '"=" behind include'),
        ("v=spf1 ip4=203.0.113.7 ~all", '"=" behind ip4'),
        ("v=spf1 include:<your-host>.example.com ~all", "placeholder"),
        ("v=spf1 include:https://spf.example.com ~all", "web address"),
        ("v=spf1 include:me@example.com ~all", "mail address"),
        ("v=spf1 mx v=spf1 a ~all", "second beginning"),
        ("v=spf1 exists:a,mx.example.com", "comma"),
        ("v=spf1 include:a.exampleinclude:b.example ~all", "no blank before"),
    ],
)
def test_a_wanted_record_may_not_hold_what_nobody_means(text: str, words: str) -> None:
    assert str(parse(text)) == text
    with pytest.raises(SpfSyntaxError, match=words):
        parse_wanted(text)


@pytest.mark.parametrize(
    "text",
    [
        "v=spf1 include:spf.your-server.de a:x.xyz.example.com -all",
        "v=spf1 exists:%{l1r+,-}.%{d} ra=me@example.com moo= redirect=%{d}.example.com",
        "v=spf1 mx a:small.example.com include:all.example.com ~all",
    ],
)
def test_a_wanted_record_is_not_refused_for_looking_odd(text: str) -> None:
    assert str(parse_wanted(text)) == text
