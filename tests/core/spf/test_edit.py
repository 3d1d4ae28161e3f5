from __future__ import annotations

import pytest

from netcup_mailauth.spf import (
    Qualifier,
    SpfEditError,
    SpfSyntaxError,
    drop,
    parse,
    require,
    with_all,
)


@pytest.mark.parametrize(
    ("live", "term"),
    [
        ("v=spf1 mx -all", "+MX"),
        ("v=spf1 ip4:203.0.113.0/24 -all", "ip4:203.0.113.7"),
        ("v=spf1 ip4:203.0.113.0/24 -all", "ip4:203.0.113.128/25"),
        ("v=spf1 ip6:2001:DB8::/32 -all", "ip6:2001:db8::7/128"),
        ("v=spf1 ip4:203.0.113.7 -ip4:203.0.113.0/24 -all", "ip4:203.0.113.7"),
        ("v=spf1 -ip4:203.0.113.9 ip4:203.0.113.0/24 -all", "ip4:203.0.113.0/24"),
        ("v=spf1 a:Mail.example.com/24 -all", "a:mail.example.com"),
        ("v=spf1 ~include:a.example.com -all", "~include:a.example.com"),
        ("v=spf1 mx redirect=_spf.example.com", "redirect=_spf.Example.com"),
        ("v=spf1 mx -all exp=why.example.com", "exp=why.example.com"),
    ],
)
def test_what_is_in_effect_already_changes_nothing(live: str, term: str) -> None:
    record = parse(live)
    assert require(record, term) is record


@pytest.mark.parametrize(
    ("live", "term", "edited"),
    [
        ("v=spf1 a -all", "mx", "v=spf1 mx a -all"),
        ("v=spf1", "mx", "v=spf1 mx"),
        ("v=spf1  A   -all  ", "mx", "v=spf1 mx  A   -all"),
        ("v=spf1 -all mx", "mx", "v=spf1 mx -all mx"),
        ("v=spf1 redirect=b.example", "mx", "v=spf1 mx redirect=b.example"),
        ("v=spf1 ?mx ~all", "mx", "v=spf1 mx ~all"),
        ("v=spf1 a/24 ~all", "a/16", "v=spf1 a/16 a/24 ~all"),
        ("v=spf1 mx//64 ~all", "mx", None),
        ("v=spf1 mx/24 ~all", "mx//64", "v=spf1 mx//64 mx/24 ~all"),
        (
            "v=spf1 -ip4:203.0.113.0/24 ip4:203.0.113.7 -all",
            "ip4:203.0.113.7",
            "v=spf1 ip4:203.0.113.7 -ip4:203.0.113.0/24 ip4:203.0.113.7 -all",
        ),
        (
            "v=spf1 ip4:203.0.113.0/25 -all",
            "ip4:203.0.113.0/24",
            "v=spf1 ip4:203.0.113.0/24 ip4:203.0.113.0/25 -all",
        ),
        (
            "v=spf1 ip6:::/0 -all",
            "ip4:203.0.113.7",
            "v=spf1 ip4:203.0.113.7 ip6:::/0 -all",
        ),
        ("v=spf1 mx", "redirect=b.example", "v=spf1 mx redirect=b.example"),
        ("v=spf1 mx -all", "exp=w.example.com", "v=spf1 mx -all exp=w.example.com"),
        ("v=spf1 mx -all", "ra=postmaster", "v=spf1 mx -all ra=postmaster"),
    ],
)
def test_what_is_missing_is_put_where_it_has_effect(
    live: str, term: str, edited: str | None
) -> None:
    record = require(parse(live), term)
    assert str(record) == (edited or live)
    assert require(record, term) is record


@pytest.mark.parametrize(
    ("live", "term", "edited"),
    [
        ("v=spf1 -ip4:192.0.2.9 mx -all", "ip4:192.0.2.0/24", "behind -ip4:192.0.2.9"),
        ("v=spf1 mx -ip4:192.0.2.9 -all", "ip4:192.0.2.0/24", "behind -ip4:192.0.2.9"),
        ("v=spf1 ~ip6:2001:db8::9 mx -all", "ip6:2001:db8::/32", "behind ~ip6:2001:db8::9"),
        ("v=spf1 ?a/24 mx -all", "a/16", "behind ?a/24"),
        ("v=spf1 -exists:%{i}.bl.example mx -all", "ip4:192.0.2.7", "behind -exists"),
        ("v=spf1 a -include:x.example ~all", "mx", "behind -include"),
        ("v=spf1 -a mx -all", "ip4:192.0.2.0/24", "behind -a"),
        ("v=spf1 ?ip4:192.0.2.9 -all", "include:x.example", "behind ?ip4"),
        ("v=spf1 -a/24//32 -all", "a/16//64", "behind -a/24"),
        ("v=spf1 moo=cow -ptr ~all exp=w.example.com", "mx", "behind -ptr"),
        ("v=spf1 -mx", "a", "behind -mx"),
        ("v=spf1 -a redirect=b.example", "mx", "behind -a"),
        ("v=spf1 -ip4:192.0.2.0/24 mx -all", "ip4:192.0.2.7", "in front of -ip4"),
        ("v=spf1 mx -ip4:192.0.2.0/24 -exists:x.example -all", "ip4:192.0.2.7", "first"),
        ("v=spf1 -exists:x.example ?ip4:192.0.2.0/24 -a", "ip4:192.0.2.7", "in front of ?ip4"),
        (
            "v=spf1 -ip4:192.0.2.9 -ip4:192.0.2.0/24",
            "ip4:192.0.2.0/28",
            "in front of -ip4:192.0.2.0",
        ),
        ("v=spf1 mx ?ip4:0.0.0.0/0 ?ip6:::/0", "a", "first"),
        ("v=spf1 -mx ?ip4:0.0.0.0/0 ?ip6:::/0", "a", "in front of ?ip4"),
        ("v=spf1 -ip4:198.51.100.9 mx -all", "ip4:192.0.2.0/24", "first"),
        ("v=spf1 -ip6:2001:db8::9 mx -all", "ip4:192.0.2.0/24", "first"),
        ("v=spf1 mx -all -exists:x.example", "a", "first"),
        ("v=spf1 -exists:x.example mx -all", "-a", "first"),
    ],
)
def test_a_required_term_goes_where_it_can_match_and_admits_nobody_shut_out(
    live: str, term: str, edited: str
) -> None:
    record = parse(live)
    found = require(record, term)
    index = next(i for i, own in enumerate(found.terms) if own.text == term)
    assert (*found.terms[:index], *found.terms[index + 1 :]) == record.terms
    if edited == "first":
        assert index == 0
    elif edited.startswith("behind "):
        assert found.terms[index - 1].text.startswith(edited.removeprefix("behind "))
    else:
        assert found.terms[index + 1].text.startswith(edited.removeprefix("in front of "))
    assert require(found, term) is found


@pytest.mark.parametrize(
    ("live", "term", "edited"),
    [
        (
            "v=spf1 a ?include:x.example  -all",
            "include:x.example",
            "v=spf1 a include:x.example  -all",
        ),
        ("v=spf1 a  ~mx -all", "mx", "v=spf1 a  mx -all"),
        (
            "v=spf1 -Include:X.example a -all",
            "include:x.example",
            "v=spf1 include:x.example a -all",
        ),
        ("v=spf1 ~ip4:192.0.2.7 -all", "ip4:192.0.2.7/32", "v=spf1 ip4:192.0.2.7/32 -all"),
        (
            "v=spf1 a ?exists:%{i}.x.example",
            "exists:%{i}.x.example",
            "v=spf1 a exists:%{i}.x.example",
        ),
        ("v=spf1 mx a -all", "?mx", "v=spf1 ?mx a -all"),
        ("v=spf1 ?mx ~mx -all", "mx", "v=spf1 mx ~mx -all"),
    ],
)
def test_a_term_that_is_there_with_another_qualifier_gets_the_new_one_in_its_place(
    live: str, term: str, edited: str
) -> None:
    record = require(parse(live), term)
    assert str(record) == edited
    assert require(record, term) is record
    if not live.startswith("v=spf1 ?mx ~mx"):
        assert len(record.counted) == len(parse(live).counted)


@pytest.mark.parametrize(
    ("live", "term", "edited"),
    [
        ("v=spf1 mx:example.com -all", "mx", None),
        ("v=spf1 a:EXAMPLE.com. -all", "a", None),
        ("v=spf1 a -all", "a:%{d}", None),
        ("v=spf1 ?mx:example.com a -all", "mx", "v=spf1 mx a -all"),
        ("v=spf1 ~a:%{d} -all", "a", "v=spf1 a -all"),
        ("v=spf1 -mx/24 -all", "mx:example.com", "v=spf1 mx:example.com -mx/24 -all"),
        ("v=spf1 mx:example.net -all", "mx", "v=spf1 mx mx:example.net -all"),
    ],
)
def test_the_domain_that_a_term_means_by_itself_is_the_one_of_the_record(
    live: str, term: str, edited: str | None
) -> None:
    record = require(parse(live), term, domain="example.com")
    assert str(record) == (edited or live)
    assert require(record, term, domain="example.com") is record
    assert parse(str(record)) == record


def test_one_term_required_with_two_qualifiers_is_refused() -> None:
    with pytest.raises(SpfEditError, match="no effect behind"):
        require(parse("v=spf1 ?mx ~all"), "mx", "-mx")


def test_several_terms_round_carve_outs_are_all_in_effect_and_settled() -> None:
    record = require(
        parse("v=spf1 -exists:x.example ip4:192.0.2.7 -all"),
        *("ip4:192.0.2.7", "-ip4:192.0.2.0/24", "mx", "ip4:198.51.100.0/24"),
    )
    assert str(record) == (
        "v=spf1 -exists:x.example ip4:192.0.2.7 -ip4:192.0.2.0/24 mx ip4:198.51.100.0/24 "
        "ip4:192.0.2.7 -all"
    )
    assert require(record, "mx", "ip4:192.0.2.7", "-ip4:192.0.2.0/24") is record


def test_several_missing_terms_keep_the_order_given() -> None:
    record = require(parse("v=spf1 a ~all"), "mx", "ip4:203.0.113.7", "a", "mx")
    assert str(record) == "v=spf1 mx ip4:203.0.113.7 a ~all"


def test_an_inserted_term_does_not_take_the_effect_of_another_required_one() -> None:
    live = parse("v=spf1 ip4:203.0.113.7 ~all")
    record = require(live, "ip4:203.0.113.7", "-ip4:203.0.113.0/24")
    assert str(record) == "v=spf1 ip4:203.0.113.7 -ip4:203.0.113.0/24 ip4:203.0.113.7 ~all"
    assert require(record, "ip4:203.0.113.7", "-ip4:203.0.113.0/24") is record


def test_foreign_terms_stay_to_the_letter() -> None:
    live = "v=spf1 Include:A.example  exists:%{I}.x.example moo=Cow ~all exp=W.example.com"
    assert str(require(parse(live), "mx")) == live.replace("v=spf1", "v=spf1 mx")


@pytest.mark.parametrize("term", ["-all", "all"])
def test_an_all_is_not_required_but_set(term: str) -> None:
    with pytest.raises(SpfEditError) as caught:
        require(parse("v=spf1 mx ~all"), term)
    assert "--spf-all" in caught.value.advice


def test_terms_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(SpfEditError, match=r"no effect behind \"-ip4:203\.0"):
        require(parse("v=spf1 ~all"), "-ip4:203.0.113.0/24", "ip4:203.0.113.7")


def test_a_redirect_that_an_all_would_disable_is_refused() -> None:
    for live in ("v=spf1 mx ~all", "v=spf1 ~all redirect=b.example"):
        with pytest.raises(SpfEditError, match="would ignore"):
            require(parse(live), "redirect=b.example")


@pytest.mark.parametrize("name", ["redirect", "exp"])
def test_a_second_redirect_or_exp_is_refused(name: str) -> None:
    with pytest.raises(SpfEditError, match=f"one {name}= only"):
        require(parse(f"v=spf1 {name}=b.example.com"), f"{name}=c.example.com")


def test_a_placeholder_is_not_required() -> None:
    with pytest.raises(SpfSyntaxError):
        require(parse("v=spf1 ~all"), "include:<host>.example.com")


@pytest.mark.parametrize(
    ("live", "term", "edited"),
    [
        ("v=spf1 mx  a ~all", "a", "v=spf1 mx ~all"),
        ("v=spf1 mx a ~all ", "+A", "v=spf1 mx ~all"),
        ("v=spf1 mx", "mx", "v=spf1"),
        ("v=spf1 ~Include:B.example a include:b.example", "include:b.example", "v=spf1 a"),
        ("v=spf1 ~mx a mx", "~mx", "v=spf1 a mx"),
        ("v=spf1 ~mx a mx", "+mx", "v=spf1 ~mx a"),
        ("v=spf1 -all mx", "mx", "v=spf1 -all"),
        ("v=spf1 ip4:203.0.113.7/24 ip4:203.0.113.7", "ip4:203.0.113.7/32", None),
        ("v=spf1 mx redirect=b.example", "redirect=B.example", "v=spf1 mx"),
    ],
)
def test_dropping_takes_out_the_term_and_nothing_else(
    live: str, term: str, edited: str | None
) -> None:
    record = drop(parse(live), term)
    assert str(record) == (edited or "v=spf1 ip4:203.0.113.7/24")
    assert drop(record, term) is record


def test_several_terms_are_dropped_at_once() -> None:
    assert str(drop(parse("v=spf1 mx a ptr ~all"), "ptr", "a")) == "v=spf1 mx ~all"


@pytest.mark.parametrize("term", ["ip4:203.0.113.9", "a", "-mx", "include:c.example"])
def test_dropping_what_is_not_there_changes_nothing(term: str) -> None:
    record = parse("v=spf1 mx ip4:203.0.113.0/24 ~all ")
    assert drop(record, term) is record


@pytest.mark.parametrize(
    ("live", "qualifier", "edited"),
    [
        ("v=spf1 mx ~all", Qualifier.FAIL, "v=spf1 mx -all"),
        (
            "v=spf1 mx  ALL exp=w.example.com",
            Qualifier.NEUTRAL,
            "v=spf1 mx  ?all exp=w.example.com",
        ),
        ("v=spf1 mx ~all a -all", Qualifier.FAIL, "v=spf1 mx -all a -all"),
        ("v=spf1 mx exp=w.example.com ", Qualifier.FAIL, "v=spf1 mx exp=w.example.com -all"),
        ("v=spf1 ~all redirect=b.example", Qualifier.FAIL, "v=spf1 -all redirect=b.example"),
        ("v=spf1 mx", Qualifier.PASS, "v=spf1 mx +all"),
    ],
)
def test_the_all_is_set_where_it_stands(live: str, qualifier: Qualifier, edited: str) -> None:
    record = with_all(parse(live), qualifier)
    assert str(record) == edited
    assert with_all(record, qualifier) is record


def test_the_all_that_is_there_keeps_its_spelling() -> None:
    record = parse("v=spf1 mx -ALL ")
    assert with_all(record, Qualifier.FAIL) is record


def test_an_all_does_not_disable_a_redirect() -> None:
    with pytest.raises(SpfEditError, match=r"redirect=b\.example") as caught:
        with_all(parse("v=spf1 mx redirect=b.example"), Qualifier.FAIL)
    assert "include:b.example" in caught.value.advice
