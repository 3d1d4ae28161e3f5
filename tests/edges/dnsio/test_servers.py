"""Which servers are asked about a zone."""

from __future__ import annotations

import errno
import socket
from typing import TYPE_CHECKING, Self

import pytest

from netcup_mailauth.dnsio.servers import (
    ask_each,
    authoritative,
    not_asked,
    parse_servers,
    serves_records,
    with_route,
)
from netcup_mailauth.errors import UsageError, ZoneError
from netcup_mailauth.lookup import Answer, Query, Server, ServerStatus, Status
from tests.edges.dnsio.nameserver import closed_port

if TYPE_CHECKING:
    from collections.abc import Sequence

    from netcup_mailauth.lookup import RecordType


class Dns:
    """A ``Lookup`` from a dictionary; what is not in it does not exist."""

    def __init__(self, known: dict[tuple[str, RecordType], tuple[str, ...] | Status]) -> None:
        self.known = known
        self.batches: list[list[Query]] = []

    def __call__(self, queries: Sequence[Query]) -> list[Answer]:
        self.batches.append(list(queries))
        return [self.answer(query) for query in queries]

    def answer(self, query: Query) -> Answer:
        found = self.known.get((query.name, query.type), Status.NXDOMAIN)
        return Answer(found) if isinstance(found, Status) else Answer(Status.OK, found)


def test_the_servers_of_a_zone_at_their_addresses() -> None:
    resolver = Dns(
        {
            ("example.com", "NS"): ("ns1.example", "ns2.example", "ns3.example"),
            ("ns1.example", "A"): ("192.0.2.1", "192.0.2.2"),
            ("ns1.example", "AAAA"): ("2001:db8::1",),
            ("ns2.example", "A"): Status.EMPTY,
            ("ns2.example", "AAAA"): ("2001:db8::2",),
            ("ns3.example", "A"): ("192.0.2.3",),
        }
    )
    assert authoritative("example.com", resolver) == (
        Server("ns1.example", "192.0.2.1"),
        Server("ns1.example", "192.0.2.2"),
        Server("ns1.example", "2001:db8::1"),
        Server("ns2.example", "2001:db8::2"),
        Server("ns3.example", "192.0.2.3"),
    )
    assert [len(batch) for batch in resolver.batches] == [1, 6]


@pytest.mark.parametrize("status", [Status.SERVFAIL, Status.TIMEOUT])
def test_addresses_that_dns_does_not_say_are_not_taken_for_none(status: Status) -> None:
    resolver = Dns(
        {
            ("example.com", "NS"): ("ns1.example",),
            ("ns1.example", "A"): ("192.0.2.1",),
            ("ns1.example", "AAAA"): status,
        }
    )
    known, unknown = authoritative("example.com", resolver)
    assert known == Server("ns1.example", "192.0.2.1")
    [[said]] = ask_each([unknown], [Query("example.com", "TXT")]).values()
    assert said.status is ServerStatus.NO_ANSWER
    assert said.detail == f"DNS does not say its IPv6 addresses ({status})"


class Kernel:
    """What connecting a socket does on a machine that has no way to some addresses."""

    def __init__(self, number: int, without: str) -> None:
        self.number, self.without = number, without

    def __call__(self, family: int, kind: int) -> Self:
        assert kind == socket.SOCK_DGRAM  # to connect one sends nothing
        if self.number == errno.EAFNOSUPPORT and family == socket.AF_INET6:
            raise OSError(self.number, "no such family")
        return self

    def connect(self, place: tuple[str, ...]) -> None:
        if place[0].startswith(self.without):
            raise OSError(self.number, "no route")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass


FOUR, SIX, UNKNOWN = (Server("ns.example", a) for a in ("192.0.2.1", "2001:db8::1", ""))


@pytest.mark.parametrize(
    "number", [errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT]
)
def test_a_family_without_a_route_is_left_out_and_told(
    monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    monkeypatch.setattr(socket, "socket", Kernel(number, "2001:"))
    assert with_route([FOUR, SIX, UNKNOWN]) == (FOUR, UNKNOWN)
    assert not_asked([FOUR, SIX, UNKNOWN]) == (
        "The IPv6 addresses of ns.example were not asked: this machine has no route to them."
    )
    assert not_asked([FOUR, UNKNOWN]) == ""


def test_where_no_address_can_be_asked_none_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "socket", Kernel(errno.ENETUNREACH, ""))
    assert with_route([FOUR, SIX, UNKNOWN]) == (FOUR, SIX, UNKNOWN)
    assert not_asked([FOUR, SIX]) == ""


def test_another_failure_is_no_missing_route(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "socket", Kernel(errno.EPERM, ""))
    assert with_route([FOUR, SIX]) == (FOUR, SIX)


@pytest.mark.parametrize("status", [Status.TIMEOUT, Status.NXDOMAIN])
def test_a_server_without_an_address_is_not_forgotten(status: Status) -> None:
    resolver = Dns(
        {
            ("example.com", "NS"): ("ns1.example", "ns2.example"),
            ("ns1.example", "A"): ("192.0.2.1",),
            ("ns2.example", "A"): status,
        }
    )
    gone = authoritative("example.com", resolver)[1]
    assert gone == Server("ns2.example", "")
    assert gone.label == "ns2.example"


def test_where_no_server_answers_nobody_knows_whether_there_are_records() -> None:
    assert serves_records("example.com", [Server("ns", "127.0.0.1", closed_port())]) is None


@pytest.mark.parametrize("status", [s for s in Status if s is not Status.OK])
def test_a_zone_that_dns_names_no_servers_for(status: Status) -> None:
    with pytest.raises(ZoneError, match=rf"name servers of example\.com \({status}\)") as caught:
        authoritative("example.com", Dns({("example.com", "NS"): status}))
    assert "--nameserver" in caught.value.advice


@pytest.mark.parametrize(
    ("server", "label"),
    [
        (Server("ns.example", "192.0.2.1"), "ns.example (192.0.2.1)"),
        (Server("ns.example", "192.0.2.1", 5300), "ns.example (192.0.2.1:5300)"),
        (Server("ns.example", "2001:db8::1"), "ns.example (2001:db8::1)"),
        (Server("192.0.2.1", "192.0.2.1"), "192.0.2.1"),
        (Server("127.0.0.1", "127.0.0.1", 5300), "127.0.0.1:5300"),
        (Server("::1", "::1", 5300), "[::1]:5300"),
        (Server("ns.example", "", 5300), "ns.example"),
    ],
)
def test_labels(server: Server, label: str) -> None:
    assert server.label == label


def test_servers_that_the_user_names() -> None:
    assert parse_servers(["127.0.0.1:5300", " 192.0.2.1", "[::1]:53", "192.0.2.1:53"]) == (
        Server("127.0.0.1", "127.0.0.1", 5300),
        Server("192.0.2.1", "192.0.2.1", 53),
        Server("::1", "::1", 53),
    )
    assert parse_servers([]) == ()


def test_a_named_host_is_asked_at_all_its_addresses(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    known = {
        "both.test": ["2001:db8::1", "192.0.2.1", "192.0.2.2", "192.0.2.1"],
        "six.test": ["2001:db8::1"],
    }

    def lookup(host: str, *_args: object, **_kwargs: object) -> list[tuple[object, ...]]:
        return [(None, None, None, "", (address, 0)) for address in known[host]]

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    assert parse_servers(["both.test:54", "six.test"]) == (
        Server("both.test", "2001:db8::1", 54),
        Server("both.test", "192.0.2.1", 54),
        Server("both.test", "192.0.2.2", 54),
        Server("six.test", "2001:db8::1", 53),
    )


def test_a_host_that_nobody_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_args: object, **_kwargs: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(UsageError, match=r"dns\.test has no address: Name or service not known"):
        parse_servers(["dns.test"])


@pytest.mark.parametrize("text", ["a..b", "a" * 64 + ".test"])
def test_a_host_that_cannot_be(text: str) -> None:
    with pytest.raises(UsageError, match="has no address: this is no host name"):
        parse_servers([text])


@pytest.mark.parametrize("text", ["", "a b", "h:0", "https://dns.example"])
def test_what_is_no_server(text: str) -> None:
    with pytest.raises(UsageError, match="is not HOST or HOST:PORT"):
        parse_servers(["127.0.0.1", text])
