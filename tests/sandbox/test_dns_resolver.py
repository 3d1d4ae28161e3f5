"""The resolver: the sandbox's zones, a little of the world, and the climb to a zone's name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import dns.flags
import dns.resolver
import dns.reversename
import pytest
import requests

from netcup_mailauth.sandbox import Sandbox
from tests.sandbox.client import DOMAIN, SPF, txt
from tests.sandbox.dnsclient import answers, ask, authority, rcode, resolver

if TYPE_CHECKING:
    from collections.abc import Iterator

ADDRESSES = ["203.0.113.25", "2001:db8::25"]


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with Sandbox([DOMAIN, "example.org", "example.co.uk"]) as sandbox:
        yield sandbox.resolver


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox([DOMAIN]) as sandbox:
        yield sandbox


def texts(server: str, name: str) -> list[str]:
    return answers(ask(server, name, "TXT"), "TXT")


def test_it_answers_for_the_zones_with_ra_and_without_aa(server: str) -> None:
    answer = ask(server, DOMAIN, "TXT")
    assert SPF in answers(answer, "TXT")
    assert answer.flags & dns.flags.RA
    assert not answer.flags & dns.flags.AA


def test_it_follows_an_alias_into_the_world(server: str) -> None:
    answer = ask(server, f"key1._domainkey.{DOMAIN}", "TXT")
    assert answers(answer, "CNAME") == ["key1._domainkey.webhosting.systems."]
    assert answers(answer, "TXT")[0].startswith("v=DKIM1; k=rsa; p=MII")


def test_it_follows_an_alias_into_another_zone() -> None:
    alias = {"hostname": "@", "type": "CNAME", "destination": "www.example.org"}
    with Sandbox(["example.org"], zones={DOMAIN: [alias]}) as sandbox:
        answer = ask(sandbox.resolver, DOMAIN, "A")
        assert answers(answer, "A") == ["203.0.113.10"]
        assert sorted(answers(answer, "CNAME")) == ["example.org.", "www.example.org."]


def test_an_alias_to_a_name_that_is_not_there_is_no_such_name(sandbox: Sandbox) -> None:
    alias = {"hostname": "x", "type": "CNAME", "destination": "nothing.example.net"}
    sandbox.set_zone(DOMAIN, [alias])
    answer = ask(sandbox.resolver, f"x.{DOMAIN}", "A")
    assert rcode(answer) == "NXDOMAIN"
    assert authority(answer) == [("net.", "SOA")]


@pytest.mark.parametrize(
    ("here", "there"),
    [("x.example.com", None), ("a.shop.example", "x.example.com")],
)
def test_aliases_in_a_circle_are_servfail(sandbox: Sandbox, here: str, there: str | None) -> None:
    sandbox.set_zone(DOMAIN, [{"hostname": "x", "type": "CNAME", "destination": here}])
    if there:
        sandbox.set_world(here, "CNAME", [there])
    assert rcode(ask(sandbox.resolver, f"x.{DOMAIN}", "A")) == "SERVFAIL"


def test_a_zone_given_to_servers_out_of_reach_is_servfail(sandbox: Sandbox) -> None:
    sandbox.set_zone(DOMAIN, [{"hostname": "sub", "type": "NS", "destination": "ns.example.net"}])
    assert rcode(ask(sandbox.resolver, f"x.sub.{DOMAIN}", "A")) == "SERVFAIL"


@pytest.mark.parametrize(
    ("name", "kind", "values"),
    [
        (
            "_spf.webhosting.systems",
            "TXT",
            ["v=spf1 ip4:198.51.100.0/24 ip6:2001:db8:100::/48 -all"],
        ),
        ("webhosting.systems", "A", ["198.51.100.10"]),
        ("root-dns.netcup.net", "A", ["127.0.0.1"]),
        ("second-dns.netcup.net", "A", ["127.0.0.1"]),
        ("third-dns.netcup.net", "A", ["127.0.0.1"]),
        ("mx4eb9.netcup.net", "A", ["198.51.100.25"]),
        ("mxdeadbeef.netcup.net", "A", ["198.51.100.25"]),
        (
            "netcup.net",
            "NS",
            ["root-dns.netcup.net.", "second-dns.netcup.net.", "third-dns.netcup.net."],
        ),
    ],
)
def test_the_built_in_world(server: str, name: str, kind: str, values: list[str]) -> None:
    assert answers(ask(server, name, kind), kind) == values


def test_the_two_keys_of_the_hosting_differ(server: str) -> None:
    keys = [texts(server, f"key{n}._domainkey.webhosting.systems") for n in (1, 2)]
    assert len({key for (key,) in keys}) == 2


@pytest.mark.parametrize("name", ["key3._domainkey.webhosting.systems", "mxyz.netcup.net"])
def test_nothing_else_is_there(server: str, name: str) -> None:
    assert rcode(ask(server, name, "A")) == "NXDOMAIN"


@pytest.mark.parametrize("address", ADDRESSES)
def test_reverse_names_confirm_the_mail_server(server: str, address: str) -> None:
    reverse = dns.reversename.from_address(address)
    (host,) = answers(ask(server, str(reverse), "PTR"), "PTR")
    assert host == "mail.example.com."
    kind = "AAAA" if ":" in address else "A"
    assert answers(ask(server, host, kind), kind) == [address]


def test_other_addresses_have_no_name(server: str) -> None:
    assert rcode(ask(server, "1.2.0.192.in-addr.arpa", "PTR")) == "NXDOMAIN"


def test_without_a_zone_there_is_no_reverse_name() -> None:
    with Sandbox([]) as sandbox:
        name = str(dns.reversename.from_address(ADDRESSES[0]))
        assert rcode(ask(sandbox.resolver, name, "PTR")) == "NXDOMAIN"


# Climbing to the zone


@pytest.mark.parametrize(
    ("name", "zone"),
    [
        ("example.com", "example.com."),
        ("intern.example.com", "example.com."),
        ("a.b.c.mail.example.com", "example.com."),
        ("www.example.com", "example.com."),  # an alias
        ("x.example.co.uk", "example.co.uk."),
        ("other.co.uk", "co.uk."),
        ("_spf.webhosting.systems", "webhosting.systems."),
        ("root-dns.netcup.net", "netcup.net."),
        ("unknown.com", "com."),
        ("a.unknown.de", "de."),
        ("no.such.toplevel", "."),
    ],
)
def test_the_zone_for_a_name(server: str, name: str, zone: str) -> None:
    assert str(dns.resolver.zone_for_name(name, resolver=resolver(server))) == zone


def test_what_is_not_there_is_denied_by_the_top_level(server: str) -> None:
    answer = ask(server, "x.unknown.com", "TXT")
    assert rcode(answer) == "NXDOMAIN"
    assert authority(answer) == [("com.", "SOA")]
    answer = ask(server, "no.such.toplevel", "TXT")
    assert rcode(answer) == "NXDOMAIN"
    assert authority(answer) == [(".", "SOA")]


@pytest.mark.parametrize("name", ["com", "uk", "co.uk", "arpa", "113.0.203.in-addr.arpa", "."])
def test_names_above_known_ones_exist(server: str, name: str) -> None:
    assert rcode(ask(server, name, "A")) == "NOERROR"


# Adding to the world


def test_names_can_be_given_at_the_start() -> None:
    world = {
        "_spf.shop.example": {"TXT": ["v=spf1 a mx -all"]},
        "Shop.Example.": {"mx": ["10 mail.shop.example", "20 @"], "A": ["192.0.2.1"]},
        "_spf.webhosting.systems": {"TXT": ["v=spf1 -all"]},
    }
    with Sandbox([DOMAIN], world=world) as sandbox:
        assert texts(sandbox.resolver, "_spf.shop.example") == ["v=spf1 a mx -all"]
        mx = answers(ask(sandbox.resolver, "shop.example", "MX"), "MX")
        assert mx == ["10 mail.shop.example.", "20 ."]
        assert texts(sandbox.resolver, "_spf.webhosting.systems") == ["v=spf1 -all"]
        assert rcode(ask(sandbox.resolver, "mail.shop.example", "A")) == "NXDOMAIN"
        client = resolver(sandbox.resolver)
        assert str(dns.resolver.zone_for_name("a.shop.example", resolver=client)) == "shop.example."
        assert rcode(ask(sandbox.nameservers[0], "shop.example", "A")) == "REFUSED"


def test_names_can_be_set_replaced_and_removed(sandbox: Sandbox) -> None:
    name = "_spf.shop.example"
    sandbox.set_world(name, "TXT", ["one", "x" * 700])
    assert texts(sandbox.resolver, name) == ["one", "x" * 700]
    sandbox.set_world(name, "TXT", ["two"])
    assert texts(sandbox.resolver, name) == ["two"]
    sandbox.set_world(name, "A", ["192.0.2.1"])
    sandbox.set_world(name, "TXT", [])
    assert rcode(ask(sandbox.resolver, name, "TXT")) == "NOERROR"
    sandbox.set_world(name, "A", [])
    assert rcode(ask(sandbox.resolver, name, "TXT")) == "NXDOMAIN"


def test_wildcards_work_in_the_world(sandbox: Sandbox) -> None:
    """As for an SPF record with macros."""
    sandbox.set_world("*._spf.shop.example", "A", ["127.0.0.2"])
    answer = ask(sandbox.resolver, "1.2.3.4._spf.shop.example", "A")
    assert answers(answer, "A") == ["127.0.0.2"]


def test_a_long_chain_of_includes_can_be_built(sandbox: Sandbox) -> None:
    for number in range(12):
        text = f"v=spf1 include:s{number + 1}.example.net -all"
        sandbox.set_world(f"s{number}.example.net", "TXT", [text])
    name, steps = "s0.example.net", 0
    while found := texts(sandbox.resolver, name):
        name, steps = found[0].split()[1].removeprefix("include:"), steps + 1
    assert (name, steps) == ("s12.example.net", 12)


def test_a_name_with_servers_of_its_own_is_a_zone(sandbox: Sandbox) -> None:
    sandbox.set_world("shop.co.uk", "NS", ["ns.shop.co.uk"])
    sandbox.set_world("a.shop.co.uk", "A", ["192.0.2.1"])
    client = resolver(sandbox.resolver)
    assert str(dns.resolver.zone_for_name("a.shop.co.uk", resolver=client)) == "shop.co.uk."
    assert answers(ask(sandbox.resolver, "a.shop.co.uk", "A"), "A") == ["192.0.2.1"]
    assert answers(ask(sandbox.resolver, "shop.co.uk", "NS"), "NS") == ["ns.shop.co.uk."]


def test_reset_forgets_what_was_added() -> None:
    with Sandbox([DOMAIN], world={"a.example.net": {"TXT": ["start"]}}) as sandbox:
        sandbox.set_world("a.example.net", "TXT", ["changed"])
        sandbox.set_world("b.example.net", "TXT", ["more"])
        sandbox.reset()
        assert texts(sandbox.resolver, "a.example.net") == ["start"]
        assert texts(sandbox.resolver, "b.example.net") == []


BAD = [
    ("a.example.net", "TXT", "text"),
    ("a.example.net", "TXT", [1]),
    ("a.example.net", "A", ["192.0.2.1", "x"]),
    ("a.example.net", "AAAA", ["192.0.2.1"]),
    ("a.example.net", "MX", ["mail.example.net"]),
    ("a.example.net", "MX", ["10 a b"]),
    ("a.example.net", "CNAME", ["two words"]),
    ("a.example.net", "SOA", ["x"]),
    ("a.example.net", "", ["x"]),
    ("a..net", "A", ["192.0.2.1"]),
    ("", "A", ["192.0.2.1"]),
    (".", "A", ["192.0.2.1"]),
    ("a b.net", "A", ["192.0.2.1"]),
    ("new.example.com", "A", ["192.0.2.1"]),
    ("Example.COM.", "A", ["192.0.2.1"]),
]


@pytest.mark.parametrize(("name", "kind", "values"), BAD)
def test_what_cannot_be_added_is_refused(
    sandbox: Sandbox, name: str, kind: str, values: Any
) -> None:
    with pytest.raises(ValueError, match=r"^(name|type|values) must|is in the zone example\.com"):
        sandbox.set_world(name, kind, values)
    with pytest.raises(ValueError, match=r"must|is in the zone"):
        Sandbox([DOMAIN], world={name: {kind: values}})


@pytest.mark.parametrize(
    ("name", "kind", "values"),
    [*BAD, ("a.de", 5, ["x"]), (7, "A", ["192.0.2.1"]), ("a.de", "A", None), (None, None, None)],
)
def test_what_cannot_be_added_over_http_is_400(
    sandbox: Sandbox, name: Any, kind: Any, values: Any
) -> None:
    body = {"name": name, "type": kind, "values": values}
    response = requests.post(f"{sandbox.control_url}/world", json=body, timeout=5)
    assert response.status_code == 400
    assert response.json()["error"]


def test_over_http(sandbox: Sandbox) -> None:
    body = {"name": "_spf.shop.example", "type": "TXT", "values": ["v=spf1 -all"]}
    url = f"{sandbox.control_url}/world"
    assert requests.post(url, json=body, timeout=5).json() == body
    assert texts(sandbox.resolver, "_spf.shop.example") == ["v=spf1 -all"]


def test_a_zone_of_the_sandbox_wins() -> None:
    zones = {"netcup.net": [txt("@", "ours")]}
    with Sandbox([], zones=zones) as sandbox:
        assert texts(sandbox.resolver, "netcup.net") == ["ours"]
        assert rcode(ask(sandbox.resolver, "mx1.netcup.net", "A")) == "NXDOMAIN"
