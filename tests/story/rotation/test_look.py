"""A round of a rotation hears every address that this machine can ask, each for itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netcup_mailauth.actions.session import Session
from netcup_mailauth.dnsio import servers
from netcup_mailauth.lookup import Server
from netcup_mailauth.rotation.zone import look
from tests.edges.dnsio.nameserver import answer, closed_port, serving
from tests.sessions import Answering, Heard

if TYPE_CHECKING:
    import pytest

    from netcup_mailauth.rotation.state import Round

NAME = "s2026._domainkey.example.com"
SCRIPT = {
    (NAME, "TXT"): answer(f'{NAME}. 300 IN TXT "v=DKIM1;p=AAAA"'),
    ("example.com", "SOA"): answer("example.com. 900 IN SOA ns.test. root.test. 1 2 3 4 600"),
}


def asked(*servers: Server, reporter: Heard | None = None) -> Round:
    dns = Answering(serves=servers)
    return look(Session(dns=dns, reporter=reporter or Heard()), "example.com", [NAME])


def test_every_address_of_a_server_has_to_have_the_key() -> None:
    with serving(SCRIPT) as server:
        first = Server("ns.test", "127.0.0.1", server.port)
        second = Server("ns.test", "127.0.0.2", closed_port())
        heard = asked(first, second)
    assert heard.said[first.label].texts == {NAME: ("v=DKIM1;p=AAAA",)}
    assert heard.lagging(NAME, "v=DKIM1;p=AAAA") == (second.label,)


def test_an_address_without_a_route_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servers, "has_route", lambda place: ":" not in place[0])
    with serving(SCRIPT) as server:
        four = Server("ns.test", "127.0.0.1", server.port)
        told = Heard()
        heard = asked(four, Server("ns.test", "2001:db8::1"), reporter=told)
    assert heard.is_everywhere(NAME, "v=DKIM1;p=AAAA")
    assert [note for note in told.notes if "IPv6 addresses of ns.test were not asked" in note]


def test_addresses_that_dns_did_not_say_are_waited_for() -> None:
    with serving(SCRIPT) as server:
        four = Server("ns.test", "127.0.0.1", server.port)
        heard = asked(four, Server("ns.test", "", unknown="servfail"))
    assert heard.lagging(NAME, "v=DKIM1;p=AAAA") == ("ns.test",)


def test_an_alias_in_the_place_of_the_key_is_told_as_such() -> None:
    alias = {**SCRIPT, (NAME, "TXT"): answer(f"{NAME}. 300 IN CNAME elsewhere.test.")}
    with serving(alias) as server:
        one = Server("ns.test", "127.0.0.1", server.port)
        heard = asked(one)
    assert heard.said[one.label].texts == {NAME: ("CNAME elsewhere.test",)}
