"""Records that let everybody pass, or half of all addresses, without saying so."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netcup_mailauth.spf import check_host, cost, crowds, everybody, lint, parse
from tests.core.spf.zones import Zones
from tests.effort import tries

EVERYBODY = {4: 1.0, 6: 1.0}


def shares(text: str, dns: Zones | None = None) -> dict[int, float]:
    """The shares that a record lets in, all its crowds together."""
    record = parse(f"v=spf1 {text}")
    children = () if dns is None else cost(record, "example.com", dns).children
    return {v: share for crowd in crowds(record, children) for v, share in crowd.shares.items()}


def eighths(first: int, behind: int) -> str:
    return " ".join(f"ip4:{n}.0.0.0/8" for n in range(first, behind))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("ip4:0.0.0.0/1 ip4:128.0.0.0/1 -all", {4: 1.0}),
        ("ip4:128.0.0.0/1 mx ip4:0.0.0.0/1 ~all", {4: 1.0}),
        ("ip4:0.0.0.0/1 -all", {4: 0.5}),
        ("ip4:0.0.0.0/2 ip4:64.0.0.0/2 ip4:128.0.0.0/2 ip4:192.0.0.0/2 -all", {4: 1.0}),
        (f"{eighths(0, 256)} -all", {4: 1.0}),
        (f"{eighths(1, 224)} -all", {4: 223 / 256}),
        ("ip6:2000::/3 -all", {6: 1.0}),
        ("ip6:::/1 -all", {6: 1.0}),
        ("ip6:2000::/4 ip6:3000::/4 -all", {6: 1.0}),
        ("ip4:0.0.0.0/1 ip4:128.0.0.0/1 ip6:::/1 -all", EVERYBODY),
        ("a/1 -all", {4: 0.5}),
        ("a/0//0 -all", EVERYBODY),
        ("ip4:0.0.0.0/1 ip4:0.0.0.0/1 -all", {4: 0.5}),
        ("-ip4:10.0.0.0/8 ip4:0.0.0.0/1 ip4:128.0.0.0/1 -all", {4: 255 / 256}),
        ("-ip4:0.0.0.0/2 ip4:0.0.0.0/0 -all", {4: 0.75}),
        ("ip4:0.0.0.0/0 -ip4:0.0.0.0/2 -all", {4: 1.0}),
    ],
)
def test_networks_that_are_an_all_in_other_words(text: str, found: dict[int, float]) -> None:
    assert shares(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "mx a ~all",
        "ip4:0.0.0.0/2 -all",
        f"{eighths(1, 100)} -all",
        "ip4:17.0.0.0/8 ip4:40.92.0.0/14 ip4:52.100.0.0/14 ip6:2a01:111:f400::/48 -all",
        "ip6:2001:4860:4000::/36 ip6:2404:6800:4000::/36 ip6:2000::/5 ~all",
        "ip6:fc00::/7 -all",
        "-ip4:0.0.0.0/0 ip4:0.0.0.0/1 ip4:128.0.0.0/1 -all",
        "~ip4:0.0.0.0/1 ip4:0.0.0.0/1 -ip4:192.0.2.4 -all",
        "?ip4:0.0.0.0/1 ?ip4:128.0.0.0/1 -all",
        "-all ip4:0.0.0.0/1 ip4:128.0.0.0/1",
        "exists:%{i}.list.example -all",
        "include:elsewhere.example redirect=elsewhere.example",
    ],
)
def test_what_is_large_and_what_is_shut_out_before_is_no_crowd(text: str) -> None:
    assert shares(text) == {}


WORLD = {
    "open.example": "+all",
    "nested.example": "include:open.example -all",
    "on.example": "redirect=open.example",
    "low.example": "ip4:0.0.0.0/1 -all",
    "high.example": "ip4:128.0.0.0/1 -all",
    "shut.example": "-all +all",
    "neutral.example": "?all",
    "carved.example": "-ip4:0.0.0.0/0 +all",
    "gone.example": "a:nothing.example/0 -all",
    "loop.example": "include:loop.example +all",
    "broken.example": "include:nothing.example +all",
    "outlook.example": "ip4:40.92.0.0/15 ip4:40.107.0.0/16 ip4:52.100.0.0/15 -all",
}
DNS: dict[str, Any] = {name: [{"SPF": f"v=spf1 {text}"}] for name, text in WORLD.items()}
DNS["wide.example"] = [{"SPF": "v=spf1 a/0 -all"}, {"A": "192.0.2.1"}]
DNS["here.example"] = [{"A": "127.0.0.1"}]
DNS["silent.example"] = ["TIMEOUT"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("include:open.example -all", EVERYBODY),
        ("mx include:nested.example ~all", EVERYBODY),
        ("redirect=open.example", EVERYBODY),
        ("redirect=on.example", EVERYBODY),
        ("include:on.example -all", EVERYBODY),
        ("include:low.example include:high.example -all", {4: 1.0}),
        ("include:low.example ip4:128.0.0.0/1 -all", {4: 1.0}),
        ("include:wide.example -all", {4: 1.0}),
        ("exists:here.example -all", EVERYBODY),
        ("include:carved.example -all", {6: 1.0}),
        ("-ip4:0.0.0.0/0 include:open.example -all", {6: 1.0}),
        ("-include:low.example include:open.example -all", {4: 0.5, 6: 1.0}),
    ],
)
def test_what_a_term_leads_to_lets_in_counts(text: str, found: dict[int, float]) -> None:
    assert shares(text, Zones(DNS)) == found


@pytest.mark.parametrize(
    "text",
    [
        "include:shut.example -all",
        "include:neutral.example -all",
        "include:gone.example -all",
        "include:loop.example -all",
        "include:broken.example -all",
        "include:nothing.example include:open.example -all",
        "include:silent.example -all",
        "include:outlook.example mx -all",
        "?include:open.example -all",
        "-include:open.example ip4:0.0.0.0/0 -all",
        "-all redirect=open.example",
        "exists:%{i}.here.example -all",
        "exists:nothing.example -all",
    ],
)
def test_what_a_term_leads_to_and_lets_nobody_in_does_not(text: str) -> None:
    assert shares(text, Zones(DNS)) == {}


def test_no_dns_is_asked_beyond_what_the_count_asks() -> None:
    dns = Zones(DNS)
    record = parse("v=spf1 include:nested.example a:here.example/1 redirect=on.example")
    found = cost(record, "example.com", dns)
    asked = len(dns.asked)
    assert crowds(record, found.children)
    assert len(dns.asked) == asked


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("ip4:0.0.0.0/1 ip4:128.0.0.0/1", '"ip4:0.0.0.0/1" and "ip4:128.0.0.0/1" let all IPv4'),
        ("-ip4:10.0.0.0/8 ip4:0.0.0.0/1 ip4:128.0.0.0/1", "let nearly all IPv4 addresses send"),
        ("ip4:0.0.0.0/1 mx", '"ip4:0.0.0.0/1" lets at least half of all IPv4 addresses send'),
        (eighths(1, 200), '"ip4:4.0.0.0/8" and 195 more let at least half of all IPv4 addresses'),
        ("a/0//0", '"a/0//0" lets everybody send as this domain, for its length is 0'),
    ],
)
def test_it_is_said_who_lets_in_whom(text: str, said: str) -> None:
    (problem,) = lint(parse(f"v=spf1 {text} -all"))
    assert problem.code == "spf-pass-all"
    assert said in problem.message


def test_of_a_term_that_lets_both_families_in_it_is_said_once() -> None:
    record = parse("v=spf1 include:open.example -all")
    (crowd,) = crowds(record, cost(record, "example.com", Zones(DNS)).children)
    assert everybody(crowd) == '"include:open.example" lets everybody send as this domain'


NETWORKS = st.builds(
    lambda sign, number, length: f"{sign}ip4:{number << 24 >> 24}.0.0.0/{length}",
    st.sampled_from(["", "-", "~", "?"]),
    st.integers(0, 255),
    st.integers(0, 3),
)


@settings(max_examples=tries(60))
@given(st.lists(NETWORKS, max_size=6))
def test_the_share_is_that_of_the_addresses_that_pass(terms: list[str]) -> None:
    """Of as many parts as networks of these lengths can tell apart, each tried by an address."""
    text = " ".join([*terms, "-all"])
    dns = Zones({"example.com": [{"SPF": f"v=spf1 {text}"}]})
    tried = [f"{part * 32 + 1}.2.3.4" for part in range(8)]
    passing = sum(
        check_host(address, "example.com", "a@example.com", dns).result == "pass"
        for address in tried
    )
    assert shares(text).get(4, 0.0) == (passing / 8 if passing >= 4 else 0.0)
