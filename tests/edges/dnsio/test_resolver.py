"""Asking a resolver for the zone of a name, at a small name server on loopback."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import dns.flags
import dns.message
import dns.rcode
import dns.resolver
import dns.rrset
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netcup_mailauth.dnsio import resolver
from netcup_mailauth.dnsio.ask import host_and_port
from netcup_mailauth.dnsio.resolver import zone_of
from netcup_mailauth.errors import UsageError, ZoneError

Reply = Callable[[dns.message.QueryMessage], dns.message.Message | None]


class NameServer:
    """A name server on loopback that answers each query as a test says, or not at all."""

    def __init__(self, reply: Reply) -> None:
        self.asked: list[str] = []
        self._reply = reply
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> NameServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.sendto(b"", self._socket.getsockname())
        self._thread.join(5)
        self._socket.close()

    def _serve(self) -> None:
        while True:
            data, client = self._socket.recvfrom(4096)
            if not data:
                return
            query = dns.message.from_wire(data)
            assert isinstance(query, dns.message.QueryMessage)
            self.asked.append(query.question[0].name.to_text(omit_final_dot=True))
            answer = self._reply(query)
            if answer is not None:
                self._socket.sendto(answer.to_wire(), client)


Serve = Callable[[Reply], NameServer]


@pytest.fixture
def serve() -> Iterator[Serve]:
    with ExitStack() as stack:
        yield lambda reply: stack.enter_context(NameServer(reply))


def answers(*zones: str, code: dns.rcode.Rcode = dns.rcode.NOERROR) -> Reply:
    """A server that has the SOA records of these zones, and nothing to say of any other name."""

    def reply(query: dns.message.QueryMessage) -> dns.message.Message:
        answer = dns.message.make_response(query, recursion_available=True)
        name = query.question[0].name.to_text()
        if name.lower().rstrip(".") in zones:
            soa = "ns.example. host.example. 1 2 3 4 5"
            answer.answer.append(dns.rrset.from_text(name, 60, "IN", "SOA", soa))
        else:
            answer.set_rcode(code)
        return answer

    return reply


@pytest.mark.parametrize("code", [dns.rcode.NOERROR, dns.rcode.NXDOMAIN])
def test_the_zone_is_the_nearest_name_upwards_with_an_soa(
    serve: Serve, code: dns.rcode.Rcode
) -> None:
    server = serve(answers("example.com", "com", code=code))
    assert zone_of("a.intern.example.com", server.address) == "example.com"
    assert server.asked == ["a.intern.example.com", "intern.example.com", "example.com"]


def test_a_zone_of_its_own_below_another_is_the_zone(serve: Serve) -> None:
    server = serve(answers("intern.example.com", "example.com"))
    assert zone_of("intern.example.com", server.address) == "intern.example.com"


def test_the_zone_is_in_lower_case(serve: Serve) -> None:
    assert zone_of("Intern.Example.COM", serve(answers("example.com")).address) == "example.com"


@pytest.mark.parametrize("zones", [("com",), ("",), ()])
def test_a_top_level_domain_is_nobodys_zone(serve: Serve, zones: tuple[str, ...]) -> None:
    """A mistyped name must not send the run to the zone com."""
    server = serve(answers(*zones, code=dns.rcode.NXDOMAIN))
    with pytest.raises(ZoneError, match=r"in which zone exmaple\.com lies") as caught:
        zone_of("exmaple.com", server.address)
    assert '[domains."exmaple.com"] zone = ' in caught.value.advice


def silent(_query: dns.message.QueryMessage) -> None:
    return None


def failing(query: dns.message.QueryMessage) -> dns.message.Message:
    answer = dns.message.make_response(query)
    answer.set_rcode(dns.rcode.SERVFAIL)
    return answer


@pytest.mark.parametrize("reply", [silent, failing])
def test_no_answer_ends_within_the_lifetime(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, reply: Reply
) -> None:
    monkeypatch.setattr(resolver, "LIFETIME", 0.2)
    started = time.monotonic()
    with pytest.raises(ZoneError, match=r"in which zone a\.b\.c\.example\.com lies"):
        zone_of("a.b.c.example.com", serve(reply).address)
    assert time.monotonic() - started < 60


def test_a_resolver_may_be_named(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """dnspython itself takes addresses only."""
    server = serve(answers("example.com"))
    asked: list[object] = []

    def lookup(host: str, *_args: object, **_kwargs: object) -> list[tuple[object, ...]]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_DGRAM, 17, "", ("127.0.0.1", 0))]

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    assert zone_of("x.example.com", f"dns.test:{server.address.split(':')[1]}") == "example.com"
    assert "dns.test" in asked


def test_a_resolver_without_an_address_is_a_usage_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_args: object, **_kwargs: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(UsageError, match=r"dns\.test has no address: Name or service not known"):
        zone_of("x.example.com", "dns.test")


def test_the_systems_resolver_is_the_default(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    server = serve(answers("example.com"))
    own = dns.resolver.Resolver(configure=False)
    own.nameservers, own.port = ["127.0.0.1"], int(server.address.split(":")[1])
    monkeypatch.setattr(dns.resolver, "Resolver", lambda: own)
    assert zone_of("x.example.com") == "example.com"


@pytest.mark.parametrize("domain", ["a" * 64 + ".example.com", "a..example.com"])
def test_what_is_no_name_has_no_zone(domain: str) -> None:
    with pytest.raises(ZoneError):
        zone_of(domain, "127.0.0.1:9")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("192.0.2.53", ("192.0.2.53", 53)),
        ("192.0.2.53:5300", ("192.0.2.53", 5300)),
        (" 192.0.2.53:1 ", ("192.0.2.53", 1)),
        ("dns.example.com", ("dns.example.com", 53)),
        ("dns.example.com:65535", ("dns.example.com", 65535)),
        ("localhost", ("localhost", 53)),
        ("::1", ("::1", 53)),
        ("2001:db8::53", ("2001:db8::53", 53)),
        ("[2001:db8::53]", ("2001:db8::53", 53)),
        ("[2001:db8::53]:5300", ("2001:db8::53", 5300)),
        ("fe80::1%eth0", ("fe80::1%eth0", 53)),
    ],
)
def test_host_and_port(text: str, expected: tuple[str, int]) -> None:
    assert host_and_port(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":",
        ":53",
        "h:",
        "h:0",
        "h:65536",
        "h:-1",
        "h:53x",
        "h:\N{ARABIC-INDIC DIGIT FIVE}",
        "h:999999999999",
        "a b",
        "192.0.2.53:53:53",
        "2001:db8::zz",
        "[2001:db8::53",
        "[2001:db8::53]5300",
        "[2001:db8::53]:",
        "[192.0.2.53]",
        "[]",
        "[]:53",
        "[[::1]]",
        "::%[",
        "fe80::1%\x1b[31m",
        "[fe80::1% a]:53",
        "https://dns.example/dns-query",
        "h@53",
    ],
)
def test_what_is_no_host_and_port(text: str) -> None:
    with pytest.raises(UsageError, match="is not HOST or HOST:PORT"):
        host_and_port(text)


@given(st.text(st.sampled_from("[]:.%01f a"), max_size=12))
def test_any_text_is_a_host_or_a_usage_error(text: str) -> None:
    try:
        host, port = host_and_port(text)
    except UsageError:
        return
    assert host
    assert not set(host) & set("[] ")
    assert 0 < port < 65536
