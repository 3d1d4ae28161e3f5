"""What a policy may say, and which layer wins."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from netcup_mailauth.errors import RecordError, UsageError
from netcup_mailauth.policy import (
    Config,
    DkimPolicy,
    DmarcPolicy,
    DomainPolicy,
    SpfPolicy,
    dmarc_record,
    host_or_address,
    layered,
    report_uri,
    seconds,
    spf_record,
    spf_term,
    words,
)
from netcup_mailauth.records import Kind

# Values


def test_a_record_pasted_with_its_quotes_is_taken_without_them() -> None:
    assert spf_record(' "v=spf1 mx" " -all" ') == "v=spf1 mx -all"
    assert dmarc_record('"v=DMARC1;p=none"') == "v=DMARC1;p=none"


@pytest.mark.parametrize("text", ["v=spf1 ip4:<YOUR-IP4-ADDRESS> -all", "v=DMARC1;p=none", ""])
def test_what_is_no_spf_record_is_refused(text: str) -> None:
    with pytest.raises(RecordError):
        spf_record(text)


def test_a_dmarc_record_that_ends_at_the_first_semicolon_names_a_whole_one() -> None:
    with pytest.raises(RecordError) as caught:
        dmarc_record("v=DMARC1")
    assert "v=DMARC1;p=none" in caught.value.advice


def test_a_term_an_address_and_a_host_are_taken_without_blanks_around_them() -> None:
    assert spf_term(" include:x.example ") == "include:x.example"
    assert report_uri(" mailto:a@example.com ") == "mailto:a@example.com"
    assert host_or_address(" 2001:DB8:0::7 ") == "2001:db8::7"
    assert host_or_address("Mail.Example.com.") == "mail.example.com"


@pytest.mark.parametrize("text", ["mx a", "include:", "include=x.example", "v=spf1"])
def test_what_is_no_term_is_refused(text: str) -> None:
    with pytest.raises(RecordError):
        spf_term(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a@example.com", "mailto:a@example.com"),
        ("mailto:a@example.com,mailto:b@example.com", "each of them by itself"),
        ("a@example.com,b@example.com", "each of them by itself"),
        ("mailto:a,b@example.com", "%2C"),
    ],
)
def test_a_report_address_that_is_none_says_what_to_write(text: str, words: str) -> None:
    with pytest.raises(RecordError) as caught:
        report_uri(text)
    assert words in caught.value.advice


def test_a_server_that_is_neither_host_nor_address_is_refused() -> None:
    with pytest.raises(UsageError):
        host_or_address("https://mail.example.com")


def problems(data: dict[str, Any]) -> list[str]:
    with pytest.raises(ValidationError) as caught:
        DomainPolicy.model_validate(data)
    return [error["msg"] for error in caught.value.errors()]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"spf": {"record": "v=spf1 {x} -all"}}, "{x}"),
        ({"spf": {"require": ["ip4:{x}"]}}, "{x}"),
        ({"spf": {"drop": ["mx a"]}}, "has a blank in it"),
        ({"zone": "nonsense"}, "not a domain name"),
        ({"dkim": {"selector": "a b"}}, "not a DKIM selector"),
        ({"dmarc": {"record": "v=DMARC1;p=quarentine"}}, "quarantine"),
        ({"dmarc": {"rua": ["dmarc@example.com"]}}, "mailto:dmarc@example.com"),
        ({"server": ["https://x"]}, "neither the name of a host"),
    ],
)
def test_a_bad_value_is_explained_in_our_own_words(data: dict[str, Any], words: str) -> None:
    assert any(words in message for message in problems(data))


@pytest.mark.parametrize(
    ("data", "named"),
    [
        ({"spf": {"record": "v=spf1 -all", "require": ["mx"], "all": "fail"}}, "require, all"),
        ({"spf": {"record": "v=spf1 -all", "require": []}}, "require"),
        (
            {"dmarc": {"record": "v=DMARC1;p=none", "policy": "none", "rua": []}},
            "take out policy, rua",
        ),
        ({"dmarc": {"record": "v=DMARC1;p=none", "subdomain_policy": "none"}}, "subdomain_policy"),
    ],
)
def test_whole_and_in_parts_at_once_is_a_mistake_that_names_the_parts(
    data: dict[str, Any], named: str
) -> None:
    assert any("record says it all already" in text and named in text for text in problems(data))


def test_what_may_go_can_stand_beside_a_whole_record() -> None:
    policy = DomainPolicy.model_validate({"spf": {"record": "v=spf1 -all", "drop": ["mx"]}})
    assert policy.spf == SpfPolicy(record="v=spf1 -all", drop=["mx"])


@pytest.mark.parametrize("kind", ["spf", "dkim"])
def test_a_parked_domain_has_no_sending_tables(kind: str) -> None:
    table = {"spf": {"all": "fail"}, "dkim": {"source": "-"}}[kind]
    assert any(
        "parked domain sends no mail" in text for text in problems({"parked": True, kind: table})
    )
    DomainPolicy.model_validate({"parked": True, kind: False})
    DomainPolicy.model_validate({"parked": False, kind: table})


@pytest.mark.parametrize(
    ("defaults", "words"),
    [({"zone": "example.com"}, "zone belongs"), ({"parked": True}, "parked belongs")],
)
def test_what_is_for_one_domain_has_no_place_in_the_defaults(
    defaults: dict[str, Any], words: str
) -> None:
    with pytest.raises(ValidationError, match=words):
        Config.model_validate({"defaults": defaults})


def test_a_domain_of_the_config_is_known_by_its_punycode() -> None:
    config = Config.model_validate({"domains": {"München.de": {"spf": False}}})
    assert list(config.domains) == ["xn--mnchen-3ya.de"]


# Layers


def spf(**parts: Any) -> DomainPolicy:
    return DomainPolicy(spf=SpfPolicy(**parts))


def dmarc(**parts: Any) -> DomainPolicy:
    return DomainPolicy(dmarc=DmarcPolicy(**parts))


LOWER = DomainPolicy(
    zone="example.com",
    dkim=DkimPolicy(source="mailcow", selector="dkim"),
    dmarc=DmarcPolicy(record="v=DMARC1;p=none"),
    server=["mail.example.com"],
    allow=["spf-removed"],
)


def test_the_upper_layer_wins_key_by_key() -> None:
    upper = DomainPolicy(spf=SpfPolicy(record="v=spf1 -all"), dkim=DkimPolicy(selector="s2"))
    both = layered(LOWER, upper)
    assert both == DomainPolicy(
        zone="example.com",
        spf=upper.spf,
        dkim=DkimPolicy(source="mailcow", selector="s2"),
        dmarc=LOWER.dmarc,
        server=["mail.example.com"],
        allow=["spf-removed"],
    )


def test_lists_replace_also_by_an_empty_one() -> None:
    upper = DomainPolicy(server=["192.0.2.1"], allow=[])
    both = layered(LOWER, upper)
    assert (both.server, both.allow) == (["192.0.2.1"], [])
    assert layered(dmarc(rua=["mailto:a@x.net"]), dmarc(rua=[])).dmarc == DmarcPolicy(rua=[])


def test_false_leaves_a_kind_alone_and_a_table_above_it_takes_it_back() -> None:
    off = layered(LOWER, DomainPolicy(dkim=False))
    assert off.dkim is False
    assert off.manages == (Kind.DMARC,)
    on = layered(off, DomainPolicy(dkim=DkimPolicy(source="-")))
    assert on.dkim == DkimPolicy(source="-")


WHOLE, OTHER = "v=spf1 mx -all", "v=spf1 a -all"


@pytest.mark.parametrize(
    ("lower", "upper", "expected"),
    [
        ({"require": ["mx"], "all": "fail"}, {"require": ["a"]}, {"require": ["a"], "all": "fail"}),
        ({"require": ["mx"], "all": "fail", "drop": ["a"]}, {"record": WHOLE}, {"record": WHOLE}),
        ({"require": ["mx"]}, {"record": WHOLE, "drop": ["a"]}, {"record": WHOLE, "drop": ["a"]}),
        ({"record": WHOLE}, {"record": OTHER}, {"record": OTHER}),
        ({"record": WHOLE}, {"require": ["a"]}, {"require": ["a"]}),
        ({"record": WHOLE}, {"all": "fail"}, {"all": "fail"}),
        ({"record": WHOLE}, {"drop": ["a"]}, {"record": WHOLE, "drop": ["a"]}),
        ({"require": ["mx"]}, {"drop": ["a"]}, {"require": ["mx"], "drop": ["a"]}),
        ({"drop": ["mx"]}, {"drop": ["a"]}, {"drop": ["a"]}),
    ],
)
def test_a_whole_spf_record_and_parts_drop_each_other_and_what_may_go_stays(
    lower: dict[str, Any], upper: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert layered(spf(**lower), spf(**upper)).spf == SpfPolicy(**expected)


@pytest.mark.parametrize(
    ("lower", "upper", "expected"),
    [
        (
            {"policy": "none", "rua": ["mailto:a@x.net"]},
            {"policy": "reject"},
            {"policy": "reject", "rua": ["mailto:a@x.net"]},
        ),
        (
            {"policy": "none", "subdomain_policy": "none"},
            {"record": "v=DMARC1;p=reject"},
            {"record": "v=DMARC1;p=reject"},
        ),
        ({"record": "v=DMARC1;p=reject"}, {"rua": ["mailto:a@x.net"]}, {"rua": ["mailto:a@x.net"]}),
        (
            {"record": "v=DMARC1;p=reject"},
            {"subdomain_policy": "none"},
            {"subdomain_policy": "none"},
        ),
    ],
)
def test_a_whole_dmarc_record_and_parts_drop_each_other(
    lower: dict[str, Any], upper: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert layered(dmarc(**lower), dmarc(**upper)).dmarc == DmarcPolicy(**expected)


# Parked domains

PARKED = DomainPolicy(parked=True)
DEFAULTS = DomainPolicy(
    spf=SpfPolicy(require=["mx"]),
    dkim=DkimPolicy(source="mailcow"),
    dmarc=DmarcPolicy(policy="quarantine", rua=["mailto:d@example.com"]),
)


def test_a_parked_domain_has_two_records_and_no_key_whatever_the_defaults_say() -> None:
    for lower in (DomainPolicy(), DEFAULTS):
        assert layered(lower, PARKED) == DomainPolicy.model_construct(
            spf=SpfPolicy(record="v=spf1 -all"),
            dkim=False,
            dmarc=DmarcPolicy(record="v=DMARC1;p=reject"),
            parked=True,
        )


def test_a_domain_that_is_not_parked_is_left_as_it_is() -> None:
    assert DEFAULTS.settled() is DEFAULTS
    assert layered(DEFAULTS, DomainPolicy(parked=False)).spf == DEFAULTS.spf


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        ({"rua": ["mailto:p@example.com"]}, {"policy": "reject", "rua": ["mailto:p@example.com"]}),
        ({"policy": "none"}, {"policy": "none", "rua": ["mailto:d@example.com"]}),
        ({"record": "v=DMARC1;p=none"}, {"record": "v=DMARC1;p=none"}),
    ],
)
def test_a_parked_domains_own_dmarc_table_stands_beside_it(
    own: dict[str, Any], expected: dict[str, Any]
) -> None:
    policy = layered(DEFAULTS, DomainPolicy(parked=True, dmarc=DmarcPolicy(**own)))
    assert policy.dmarc == DmarcPolicy(**expected)


def test_false_holds_for_a_parked_domain_too() -> None:
    policy = layered(DEFAULTS, DomainPolicy(parked=True, spf=False, dmarc=False))
    assert (policy.spf, policy.dkim, policy.dmarc) == (False, False, False)
    assert policy.parked


@pytest.mark.parametrize(
    ("option", "still"),
    [
        (spf(require=["mx"]), False),
        (spf(record="v=spf1 mx -all"), False),
        (DomainPolicy(dkim=DkimPolicy(source="-")), False),
        (spf(drop=["mx"]), True),
        (dmarc(rua=["mailto:a@x.net"]), True),
        (DomainPolicy(server=["192.0.2.1"]), True),
    ],
)
def test_an_option_that_lets_somebody_send_ends_the_parking(
    option: DomainPolicy, still: bool
) -> None:
    assert bool(layered(layered(DEFAULTS, PARKED), option).parked) is still


def test_only_some_kinds_can_be_meant_in_a_run() -> None:
    assert LOWER.manages == (Kind.DKIM, Kind.DMARC)
    assert LOWER.only([Kind.DMARC]).manages == (Kind.DMARC,)
    assert LOWER.only([Kind.SPF]).manages == ()
    assert layered(DEFAULTS, PARKED).only([Kind.SPF]).parked


@pytest.mark.parametrize(
    ("text", "span"), [("7d", 604800.0), ("12h", 43200.0), (" 45M ", 2700.0), ("0.5s", 0.5)]
)
def test_spans_have_a_unit(text: str, span: float) -> None:
    assert seconds(text) == span


@pytest.mark.parametrize("text", ["7", "d", "-1d", "1e3s", "7 days", "9999999w", "", "٣d"])
def test_what_has_none_is_no_span(text: str) -> None:
    with pytest.raises(UsageError):
        seconds(text)


@pytest.mark.parametrize(
    ("span", "text"),
    [(0.2, "1 s"), (45, "45 s"), (2700, "45 min"), (604800, "7 d"), (90061, "1 d 1 h")],
)
def test_spans_are_told_in_two_units(span: float, text: str) -> None:
    assert words(span) == text
