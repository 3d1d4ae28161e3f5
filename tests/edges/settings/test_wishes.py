"""From options and config to a wish per domain: which layer wins, and what is nothing at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import pytest

from netcup_mailauth.errors import UsageError
from netcup_mailauth.policy import Config, DkimPolicy, DmarcPolicy, DomainPolicy, SpfPolicy, Wish
from netcup_mailauth.records import Kind
from netcup_mailauth.settings.wishes import check_code, wishes, wishes_to_check, with_allowed

NONE = DomainPolicy()


def spf(all_: str) -> SpfPolicy:
    return SpfPolicy(record=f"v=spf1 mx {all_}all")


def dmarc(policy: str) -> DmarcPolicy:
    return DmarcPolicy(record=f"v=DMARC1;p={policy}")


def config(defaults: DomainPolicy = NONE, **domains: DomainPolicy) -> Config:
    named = {name.replace("_", "."): policy for name, policy in domains.items()}
    return Config(defaults=defaults, domains=named)


def one(domain: str, options: DomainPolicy, of: Config, *kinds: Kind) -> DomainPolicy:
    (wish,) = wishes([domain], options, kinds, of)
    assert wish.domain == "example.com"
    return wish.policy


def refused(*args: Any) -> UsageError:
    with pytest.raises(UsageError) as caught:
        wishes(*args)
    assert caught.value.advice
    return caught.value


def test_options_over_the_domain_over_the_defaults() -> None:
    of = config(
        DomainPolicy(spf=spf("?"), dkim=DkimPolicy(source="mailcow"), dmarc=dmarc("none")),
        example_com=DomainPolicy(zone="example.com", spf=spf("~"), dkim=DkimPolicy(selector="s1")),
    )
    policy = one("example.com", DomainPolicy(spf=spf("-")), of)
    assert policy == DomainPolicy(
        zone="example.com",
        spf=spf("-"),
        dkim=DkimPolicy(source="mailcow", selector="s1"),
        dmarc=dmarc("none"),
    )
    assert one("example.com", NONE, of).spf == spf("~")


def test_tables_merge_key_by_key() -> None:
    of = config(
        DomainPolicy(dkim=DkimPolicy(source="mailcow", selector="a")),
        example_com=DomainPolicy(dkim=DkimPolicy(selector="b")),
    )
    options = DomainPolicy(dkim=DkimPolicy(source="file:/k"))
    assert one("example.com", options, of).dkim == DkimPolicy(source="file:/k", selector="b")


@pytest.mark.parametrize(
    ("defaults", "domain", "option", "expected"),
    [
        (spf("-"), False, None, False),
        (False, spf("-"), None, spf("-")),
        (spf("-"), False, spf("~"), spf("~")),
        (False, None, None, False),
        (spf("-"), None, None, spf("-")),
    ],
)
def test_false_is_a_layer_like_any_other(
    defaults: SpfPolicy | Literal[False] | None,
    domain: SpfPolicy | Literal[False] | None,
    option: SpfPolicy | None,
    expected: SpfPolicy | Literal[False],
) -> None:
    of = config(
        DomainPolicy(spf=defaults, dmarc=dmarc("none")), example_com=DomainPolicy(spf=domain)
    )
    assert one("example.com", DomainPolicy(spf=option), of).spf == expected


def test_a_domain_that_is_not_in_the_config_gets_no_defaults() -> None:
    """What the user wants for their own domains says nothing about a name typed in passing."""
    of = config(DomainPolicy(dmarc=dmarc("reject")), example_org=NONE)
    assert one("example.com", DomainPolicy(spf=spf("-")), of) == DomainPolicy(spf=spf("-"))
    assert "Nothing is wanted for example.com." in refused(["example.com"], NONE, [], of).what


def test_a_mistyped_domain_gets_the_nearest_one_named() -> None:
    of = config(example_com=DomainPolicy(spf=spf("-")), other_org=NONE)
    assert "is example.com meant?" in refused(["exmaple.com"], NONE, [], of).advice
    assert "meant?" not in refused(["unlike.net"], NONE, [], of).advice
    assert "meant?" not in refused(["other.org"], NONE, [], of).advice


def test_a_domain_named_twice_is_one() -> None:
    options = DomainPolicy(spf=spf("-"))
    named = ["example.com", "b.example", "EXAMPLE.com.", " example.com"]
    assert wishes(named, options, [], Config()) == [
        Wish("example.com", options),
        Wish("b.example", options),
    ]


def test_what_is_no_domain_is_refused() -> None:
    refused(["https://example.com"], DomainPolicy(spf=spf("-")), [], Config())


def test_without_a_domain_it_is_every_one_of_the_config() -> None:
    of = config(DomainPolicy(spf=spf("-")), b_example=NONE, a_example=DomainPolicy(spf=spf("~")))
    found = {wish.domain: wish.policy.spf for wish in wishes([], NONE, [], of)}
    assert found == {"b.example": spf("-"), "a.example": spf("~")}
    assert list(found) == ["b.example", "a.example"], "in the order of the config"


def test_options_for_no_domain_are_not_for_all_of_them() -> None:
    of = config(example_com=DomainPolicy(spf=spf("-")))
    assert "need a DOMAIN" in refused([], DomainPolicy(dmarc=dmarc("none")), [], of).what


def test_no_domain_and_no_config() -> None:
    assert "No DOMAIN" in refused([], NONE, [], Config()).what
    with pytest.raises(UsageError, match=r"the config x/c\.toml has none") as caught:
        wishes([], NONE, [], Config(), path=Path("x/c.toml"))
    assert '[domains."example.com"]' in caught.value.advice
    assert "No DOMAIN" in refused([], NONE, [], config(DomainPolicy(spf=spf("-")))).what


# --- Domains that mailcow serves ------------------------------------------------------------------


def never() -> list[str]:
    pytest.fail("mailcow was asked")


def discovering(**domains: DomainPolicy) -> Config:
    named = {name.replace("_", "."): policy for name, policy in domains.items()}
    defaults = DomainPolicy(spf=spf("-"))
    return Config(domains_from="mailcow", defaults=defaults, domains=named)


def test_domains_of_mailcow_get_the_defaults() -> None:
    of = discovering(own_example=DomainPolicy(spf=spf("~")))
    found = wishes([], NONE, [], of, lambda: ["a.example", "own.example"])
    assert [(wish.domain, wish.policy.spf, wish.discovered) for wish in found] == [
        ("own.example", spf("~"), False),
        ("a.example", spf("-"), True),
    ]


def test_a_domain_of_mailcow_may_be_named() -> None:
    (wish,) = wishes(["a.example"], NONE, [], discovering(), lambda: ["a.example"])
    assert (wish.policy.spf, wish.discovered) == (spf("-"), True)
    assert (
        "b.example" in refused(["b.example"], NONE, [], discovering(), lambda: ["a.example"]).what
    )


def test_mailcow_is_asked_only_where_the_config_says_so() -> None:
    own = DomainPolicy(spf=spf("~"))
    assert wishes([], NONE, [], config(a_example=own), never)
    assert wishes(["a.example"], NONE, [], discovering(a_example=own), never)
    assert wishes(["b.example"], own, [], discovering(), never)[0].policy == own


@pytest.mark.parametrize(
    ("only", "exclude", "left"),
    [
        (None, None, ["a.example", "b.test"]),
        (["*.example"], None, ["a.example"]),
        (["b.*", "a.*"], ["a.*"], ["b.test"]),
        (None, ["*.test"], ["a.example"]),
    ],
)
def test_patterns_let_domains_of_mailcow_in(
    only: list[str] | None, exclude: list[str] | None, left: list[str]
) -> None:
    of = discovering().model_copy(update={"only": only, "exclude": exclude})
    found = wishes([], NONE, [], of, lambda: ["a.example", "b.test"])
    assert [wish.domain for wish in found] == left


def test_no_domain_that_is_let_in() -> None:
    of = discovering().model_copy(update={"exclude": ["*"]})
    assert "lets in" in refused([], NONE, [], of, lambda: ["a.example"]).what


# --- Findings that are accepted -------------------------------------------------------------------


def some(*names: str) -> list[Wish]:
    return [Wish(name, DomainPolicy(spf=spf("-"), allow=["spf-multiple"])) for name in names]


def test_allow_adds_to_what_the_config_allows() -> None:
    (wish,) = with_allowed(some("a.example"), ["spf-pass-all", "spf-multiple", "spf-pass-all"])
    assert list(wish.allow) == ["spf-multiple", "spf-pass-all"]


def test_allow_is_for_the_domain_named() -> None:
    first, second = with_allowed(some("a.example", "b.example"), ["spf-pass-all:B.example."])
    assert list(first.allow) == ["spf-multiple"]
    assert list(second.allow) == ["spf-multiple", "spf-pass-all"]


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ("spf-pass-all", "for which of the 2 domains"),
        ("spf-pass-all:c.example", "not part of this run"),
        ("spf-pass", "no finding 'spf-pass'"),
        ("nonsense:a.example", "no finding 'nonsense'"),
    ],
)
def test_an_allow_that_means_nothing_is_refused(entry: str, words: str) -> None:
    """One that is silently without effect would be found out in the middle of the night."""
    with pytest.raises(UsageError, match=words):
        with_allowed(some("a.example", "b.example"), [entry])


def test_a_mistyped_finding_gets_the_nearest_one_named() -> None:
    with pytest.raises(UsageError) as caught:
        check_code("spf-pas-all")
    assert "spf-pass-all" in caught.value.advice


# --- Kinds ----------------------------------------------------------------------------------------

FULL = DomainPolicy(spf=spf("-"), dkim=DkimPolicy(source="mailcow"), dmarc=dmarc("none"))


@pytest.mark.parametrize(
    ("kinds", "left"),
    [
        ([Kind.SPF], DomainPolicy(spf=FULL.spf, dkim=False, dmarc=False)),
        ([Kind.DMARC, Kind.DKIM], DomainPolicy(spf=False, dkim=FULL.dkim, dmarc=FULL.dmarc)),
        ([], FULL),
    ],
)
def test_only_the_kinds_named(kinds: list[Kind], left: DomainPolicy) -> None:
    assert one("example.com", NONE, config(example_com=FULL), *kinds) == left
    assert one("example.com", FULL, Config(), *kinds) == left


def test_nothing_of_that_kind_for_a_domain_that_was_named() -> None:
    of = config(example_com=DomainPolicy(spf=spf("-"), dmarc=False))
    assert "of kind dkim" in refused(["example.com"], NONE, [Kind.DKIM], of).what
    error = refused(["example.com"], NONE, [Kind.DKIM, Kind.DMARC], of)
    assert "of kind dkim, dmarc" in error.what


def test_a_domain_that_nobody_named_is_left_out_where_it_has_no_such_wish() -> None:
    """`--kind dmarc` over a whole config is not spoilt by one domain that says `dmarc = false`."""
    of = config(FULL, a_example=DomainPolicy(dmarc=False), b_example=NONE)
    assert [wish.domain for wish in wishes([], NONE, [Kind.DMARC], of)] == ["b.example"]
    assert len(wishes([], NONE, [], of)) == 2


def test_a_domain_that_says_false_to_everything_is_left_out() -> None:
    of = config(FULL, a_example=DomainPolicy(spf=False, dkim=False, dmarc=False), b_example=NONE)
    assert [wish.domain for wish in wishes([], NONE, [], of)] == ["b.example"]
    assert "a.example" in refused(["a.example"], NONE, [], of).what


def test_a_domain_that_says_nothing_is_a_mistake() -> None:
    of = config(a_example=NONE, b_example=FULL)
    assert "Nothing is wanted for a.example." in refused([], NONE, [], of).what


def test_an_empty_match_is_an_error() -> None:
    """Never "all", and never a run that does nothing and calls it done."""
    of = config(a_example=DomainPolicy(spf=spf("-")), b_example=DomainPolicy(dkim=False))
    assert "of kind dkim" in refused([], NONE, [Kind.DKIM], of).what


# --- Tables that say too little -------------------------------------------------------------------


def test_a_selector_without_a_key() -> None:
    options = DomainPolicy(dkim=DkimPolicy(selector="s1"))
    error = refused(["example.com"], options, [], Config())
    assert "selector is given for example.com, but no key" in error.what
    assert "--dkim" in error.advice
    of = config(example_com=FULL)
    assert one("example.com", options, of).dkim == DkimPolicy(source="mailcow", selector="s1")


@pytest.mark.parametrize(
    "policy",
    [
        DomainPolicy(spf=SpfPolicy()),
        DomainPolicy(dkim=DkimPolicy()),
        DomainPolicy(spf=spf("-"), dmarc=DmarcPolicy()),
    ],
)
def test_an_empty_table_is_a_mistake(policy: DomainPolicy) -> None:
    """`spf = {}` manages nothing; a run that says "nothing to do" would look like all is well."""
    assert "says nothing" in refused(["example.com"], NONE, [], config(example_com=policy)).what


def test_an_empty_table_over_a_full_one_changes_nothing() -> None:
    of = config(FULL, example_com=DomainPolicy(spf=SpfPolicy()))
    assert one("example.com", NONE, of).spf == spf("-")


def test_a_check_takes_strangers_beside_domains_of_the_config_and_a_consent_for_each() -> None:
    of = config(example_com=DomainPolicy(spf=spf("~")))
    named = ["example.com", "Stranger.example"]
    found = wishes_to_check(named, NONE, (), of, served=tuple, path=None)
    assert [(wish.domain, wish.policy.manages) for wish in found] == [
        ("example.com", (Kind.SPF,)),
        ("stranger.example", ()),
    ]
    allowed = with_allowed(found, ["spf-ptr:stranger.example"])
    assert [wish.allow for wish in allowed] == [(), ("spf-ptr",)]


def test_options_of_a_check_are_for_all_that_are_named() -> None:
    of = config(example_com=DomainPolicy(spf=spf("~")))
    options = DomainPolicy(dmarc=dmarc("none"))
    found = wishes_to_check(["example.com", "stranger.example"], options, (), of, tuple, None)
    assert [wish.policy.dmarc for wish in found] == [dmarc("none")] * 2
