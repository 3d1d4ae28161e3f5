from __future__ import annotations

from typing import Any

import pytest

from netcup_mailauth.lookup import Query
from netcup_mailauth.spf import Cost, cost, parse, void_hosts
from tests.core.spf.zones import Zones


def counted(text: str, zones: Zones | dict[str, Any], domain: str = "example.com") -> Cost:
    return cost(parse(text), domain, zones if isinstance(zones, Zones) else Zones(zones))


def test_each_branch_says_what_it_costs() -> None:
    zones = {
        "a.example": [{"SPF": "v=spf1 include:b.example a:host.example ~all"}],
        "b.example": [{"SPF": "v=spf1 ip4:192.0.2.1 mx ~all"}, {"MX": [1, "host.example"]}],
        "host.example": [{"A": "192.0.2.1"}],
        "example.com": [{"MX": [1, "host.example"]}],
    }
    found = counted("v=spf1 mx ip4:192.0.2.2 ptr include:a.example -all a", zones, "Example.COM.")
    assert [(node.term, node.lookups_total) for node in found.walk()] == [
        ("example.com", 6),
        ("mx", 1),
        ("ptr", 1),
        ("include:a.example", 4),
        ("include:b.example", 2),
        ("mx", 1),
        ("a:host.example", 1),
    ]
    assert found.void == 0
    assert not found.too_many
    assert not any(node.problem for node in found.walk())


def test_a_redirect_counts_unless_an_all_disables_it() -> None:
    zones = {"b.example": [{"SPF": "v=spf1 a:x.example ~all"}], "x.example": [{"A": "192.0.2.1"}]}
    assert counted("v=spf1 redirect=b.example", zones).lookups_total == 2
    assert counted("v=spf1 redirect=b.example -all", zones).lookups_total == 0


def test_questions_of_one_level_go_in_one_batch() -> None:
    zones = Zones({f"{name}.example": [{"SPF": "v=spf1 mx ~all"}] for name in "ab"})
    counted("v=spf1 include:a.example a include:b.example -all", zones)
    assert zones.batches == [
        [
            Query("a.example", "TXT"),
            Query("example.com", "A"),
            Query("example.com", "AAAA"),
            Query("b.example", "TXT"),
        ],
        [Query("a.example", "MX"), Query("b.example", "MX")],
    ]


def test_names_without_answer_are_void_and_told() -> None:
    found = counted("v=spf1 a:x.example mx:y.example exists:z.example ~all", {})
    assert found.void == 3
    assert found.too_many_void
    assert [node.problem for node in found.children] == [
        "x.example has no such record",
        "y.example has no such record",
        "z.example has no such record",
    ]


def test_a_host_with_one_family_of_addresses_is_not_void() -> None:
    zones = {"v6.example": [{"AAAA": "2001:db8::1"}]}
    assert counted("v=spf1 a:v6.example ~all", zones).void == 0


def test_a_loop_is_told_and_left() -> None:
    zones = Zones({"b.example": [{"SPF": "v=spf1 include:Example.com include:b.example ~all"}]})
    found = counted("v=spf1 include:b.example ~all", zones)
    assert [node.problem for node in found.children[0].children] == [
        "leads back to example.com, round and round",
        "leads back to b.example, round and round",
    ]
    assert len(zones.asked) == 1


def test_what_depends_on_the_mail_is_counted_but_not_asked_for() -> None:
    zones = Zones({"x.example.com": [{"A": "192.0.2.1"}]})
    found = counted("v=spf1 exists:%{i}.b.example a:x.%{d} ~all", zones)
    assert found.lookups_total == 2
    assert [query.name for query in zones.asked] == ["x.example.com"] * 2


def test_dns_that_fails_is_a_finding() -> None:
    found = counted("v=spf1 include:b.example ~all", {"b.example": ["TIMEOUT"]})
    [node] = found.children
    assert node.unanswered
    assert node.problem == "DNS gives no answer for b.example (timeout)"
    assert (node.lookups_total, node.void) == (1, 0)


def test_an_include_without_one_good_record_is_a_finding() -> None:
    zones = {
        "none.example": [{"TXT": "hello"}],
        "two.example": [{"TXT": "v=spf1 mx"}, {"TXT": "v=spf1 a"}],
        "bad.example": [{"TXT": "v=spf1 ip4:192.0.2.0/33"}],
    }
    text = "v=spf1 include:none.example include:two.example include:bad.example ~all"
    assert [node.problem for node in counted(text, zones).children] == [
        "none.example has no SPF record: permerror",
        "two.example has 2 SPF records: permerror",
        'bad.example: SPF: "ip4:192.0.2.0/33" has a prefix longer than 32 (RFC 7208 5.6)',
    ]
    gone = counted("v=spf1 include:gone.example ~all", {})
    assert (gone.void, gone.children[0].problem) == (1, "gone.example has no SPF record: permerror")


def test_a_name_that_cannot_be_is_a_finding() -> None:
    zones = Zones({})
    assert counted("v=spf1 a:b..example ~all", zones).children[0].problem
    assert zones.asked == []


def test_more_mail_hosts_than_receivers_look_at_are_a_finding() -> None:
    zones = {"example.com": [{"MX": [i, f"m{i}.example"]} for i in range(11)]}
    assert "more than 10 MX" in counted("v=spf1 mx ~all", zones).children[0].problem


def test_the_tree_stays_small_whatever_is_published() -> None:
    includes = " ".join(f"include:x{i}.example" for i in range(10))
    zones = Zones({f"x{i}.example": [{"SPF": f"v=spf1 {includes}"}] for i in range(10)})
    found = counted(f"v=spf1 {includes}", zones)
    assert len(zones.asked) <= 50
    assert found.too_many
    assert any(node.unanswered and "50 DNS queries" in node.problem for node in found.walk())


def test_a_record_without_look_ups_asks_nothing() -> None:
    zones = Zones({})
    assert counted("v=spf1 ip4:192.0.2.1 -all", zones) == Cost("example.com")
    assert zones.batches == []


def of_hosts(text: str, *hosts: str, mx: str = "m1 m2 m3") -> object:
    """What some receivers count, where ``hosts`` are names with what addresses they have."""
    world: dict[str, list[Any]] = {"example.com": []}
    for host in hosts:
        name, *types = host.split()
        values = {"A": "192.0.2.1", "AAAA": "2001:db8::1"}
        full = f"{name}.example.com".removeprefix("@.")
        world[full] = [*world.get(full, []), *({kind: values[kind]} for kind in types)]
    world["example.com"] += ({"MX": [10, f"{name}.example.com"]} for name in mx.split())
    zones = Zones(world)
    found = void_hosts(cost(parse(text), "example.com", zones), zones)
    return None if found is None else (found.term, found.family, len(found.hosts), found.count)


V4 = ("m1 A", "m2 A", "m3 A")


@pytest.mark.parametrize(
    ("text", "hosts", "mx", "found"),
    [
        ("v=spf1 mx -all", V4, "m1 m2 m3", ("mx", "IPv6", 3, 3)),
        ("v=spf1 mx -all", ("m1 AAAA", "m2 AAAA", "m3 AAAA"), "m1 m2 m3", ("mx", "IPv4", 3, 3)),
        ("v=spf1 a mx -all", ("@ A", *V4), "m1 m2", ("mx", "IPv6", 2, 3)),
        ("v=spf1 mx a:no.example.com -all", V4, "m1 m2", ("mx", "IPv6", 2, 3)),
        ("v=spf1 mx -all", V4, "m1 m2", None),
        ("v=spf1 mx -all", ("m1 A AAAA", "m2 A", "m3 A"), "m1 m2 m3", None),
        ("v=spf1 mx a a:m2.example.com -all", ("@ A", *V4), "m1", None),
        ("v=spf1 ip4:192.0.2.1 -all", V4, "m1 m2 m3", None),
    ],
)
def test_hosts_that_some_receivers_count_each_are_found(
    text: str, hosts: tuple[str, ...], mx: str, found: object
) -> None:
    assert of_hosts(text, *hosts, mx=mx) == found
