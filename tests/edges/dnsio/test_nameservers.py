"""Asking each authoritative server, at scripted ones on loopback."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import dns.flags
import pytest

from netcup_mailauth.dnsio.servers import Dns, ask_each, denial_ttl
from netcup_mailauth.lookup import Query, Server, ServerAnswer, ServerStatus
from tests.edges.dnsio import nameserver
from tests.edges.dnsio.nameserver import (
    all_at_once,
    always_cut,
    answer,
    closed_port,
    drop,
    garbage,
    nxdomain,
    other_question,
    raw,
    rcode,
    serving,
    truncated,
    without_authority,
    wrong_id,
)
from tests.soon import given_time

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.edges.dnsio.nameserver import Asked, NameServer, Reply

A_TEXT = 'a.example. 300 IN TXT "v=spf1 " "-all"'
SOA = "example. 900 IN SOA ns.example. a\\032b.example. 2026 1 2 3 600"
TEXT = Query("a.example", "TXT")
OK = ServerAnswer(ServerStatus.OK, ("v=spf1 -all",), ttl=300)


def at(server: NameServer, name: str = "ns.example") -> Server:
    return Server(name, "127.0.0.1", server.port)


def ask_once(reply: Reply, query: Query = TEXT, timeout: float = 2) -> ServerAnswer:
    """What is made of a reply."""
    with serving({(query.name, query.type): reply}) as server:
        [[found]] = ask_each([at(server)], [query], timeout=timeout).values()
    return found


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (answer(A_TEXT), OK),
        (answer(soa=SOA), ServerAnswer(ServerStatus.EMPTY, ttl=600)),
        (nxdomain(soa=SOA), ServerAnswer(ServerStatus.NXDOMAIN, ttl=600)),
        (
            nxdomain(soa=SOA.replace("900", "30")),
            ServerAnswer(ServerStatus.NXDOMAIN, ttl=30),
        ),
        (nxdomain(), ServerAnswer(ServerStatus.NXDOMAIN)),
        (
            answer("a.example. 60 IN CNAME Key.Other.test."),
            ServerAnswer(ServerStatus.CNAME, (), "key.other.test", ttl=60),
        ),
        (
            nxdomain("a.example. 60 IN CNAME b.example."),
            ServerAnswer(ServerStatus.CNAME, (), "b.example", ttl=60),
        ),
        (
            answer("a.example. 60 IN CNAME b.example.", 'b.example. 5 IN TXT "x"'),
            ServerAnswer(ServerStatus.CNAME, (), "b.example", ttl=60),
        ),
    ],
)
def test_what_a_server_says_of_its_own_zone(reply: Reply, expected: ServerAnswer) -> None:
    assert ask_once(reply) == expected


@pytest.mark.parametrize(
    ("reply", "status", "detail"),
    [
        (rcode("SERVFAIL"), ServerStatus.SERVFAIL, "it answers SERVFAIL"),
        (rcode("FORMERR"), ServerStatus.SERVFAIL, "it answers FORMERR"),
        (rcode("REFUSED"), ServerStatus.REFUSED, "it answers REFUSED"),
        (rcode("NOTAUTH"), ServerStatus.REFUSED, "it answers NOTAUTH"),
        (without_authority(), ServerStatus.REFUSED, "it does not answer for this zone itself"),
        (without_authority(A_TEXT), ServerStatus.REFUSED, "it does not answer for this zone"),
        (without_authority(code="NXDOMAIN"), ServerStatus.REFUSED, "it does not answer for this"),
        (garbage, ServerStatus.BAD, "the answer is malformed"),
        (other_question, ServerStatus.BAD, "the answer is to another question"),
        (answer('b.example. 5 IN TXT "x"'), ServerStatus.BAD, "the answer does not fit"),
        (answer("a.example. 5 IN A 192.0.2.1"), ServerStatus.BAD, "the answer does not fit"),
        (nxdomain(A_TEXT), ServerStatus.BAD, "the answer does not fit the question"),
        (truncated(garbage), ServerStatus.BAD, "the answer is malformed"),
        (always_cut, ServerStatus.BAD, "the answer is cut off, over TCP too"),
        (
            truncated(raw(nameserver.SHUT)),
            ServerStatus.NO_ANSWER,
            "too long for UDP, and over TCP: the connection was closed before",
        ),
    ],
)
def test_what_is_no_answer(reply: Reply, status: ServerStatus, detail: str) -> None:
    found = ask_once(reply)
    assert found.status is status
    assert found.detail.startswith(detail)
    assert (found.values, found.cname, found.ttl) == ((), "", None)


@pytest.mark.parametrize(
    ("reply", "status", "detail"),
    [
        (drop, ServerStatus.NO_ANSWER, "no answer"),
        (raw(b"\x00"), ServerStatus.BAD, "the answer carries the number of another question"),
        (wrong_id(answer(A_TEXT)), ServerStatus.BAD, "the answer carries the number of another"),
        (truncated(drop), ServerStatus.NO_ANSWER, "too long for UDP, and over TCP: no answer"),
    ],
)
def test_what_is_waited_for_in_vain(reply: Reply, status: ServerStatus, detail: str) -> None:
    found = given_time(
        lambda seconds: ask_once(reply, timeout=seconds),
        lambda found: found.detail.startswith(detail),
    )
    assert found.status is status
    assert found.detail.startswith(detail)


def test_a_referral_to_where_the_name_is_not_leads_nowhere() -> None:
    elsewhere = "other.test. 60 IN NS ns.other.test."
    found = ask_once(nameserver.message((), soa=elsewhere, flags=dns.flags.Flag(0)))
    assert (found.status, found.cut, found.servers) == (ServerStatus.REFUSED, "", ())


@pytest.mark.parametrize("name", ["", "a..b", "münchen.example", "a" * 64])
def test_a_question_that_cannot_be_asked(name: str) -> None:
    [[found]] = ask_each(
        [Server("ns.example", "127.0.0.1", closed_port())], [Query(name, "A")]
    ).values()
    assert found.status is ServerStatus.BAD
    assert "DNS cannot hold the name" in found.detail


def test_recursion_is_not_asked_for() -> None:
    with serving({("a.example", "TXT"): answer(A_TEXT)}) as server:
        ask_each([at(server)], [TEXT])
    [asked] = server.messages
    assert not asked.flags & dns.flags.RD
    assert asked.payload == 1232


def test_tcp_only() -> None:
    with serving({("a.example", "TXT"): answer(A_TEXT)}) as server:
        assert Dns().ask_over_tcp([at(server)], [TEXT]) == {at(server): (OK,)}
    assert [over for *_, over in server.asked] == ["tcp"]


def test_tcp_only_at_a_closed_port() -> None:
    [[found]] = Dns().ask_over_tcp([Server("ns", "127.0.0.1", closed_port())], [TEXT]).values()
    assert found == ServerAnswer(ServerStatus.NO_ANSWER, detail="Connection refused")


def test_one_lost_datagram_is_made_up_for() -> None:
    with serving({("a.example", "TXT"): [drop, answer(A_TEXT)]}) as server:
        assert ask_each([at(server)], [TEXT], timeout=2)[at(server)] == (OK,)


def test_a_slow_answer_to_the_first_try_still_counts() -> None:
    again = threading.Event()

    def late(asked: Asked) -> Sequence[bytes]:
        again.wait(30)
        return answer(A_TEXT)(asked)

    def silent(_: Asked) -> list[bytes]:
        again.set()
        return []

    with serving({("a.example", "TXT"): [late, silent]}) as server:
        assert ask_each([at(server)], [TEXT], timeout=2)[at(server)] == (OK,)
    assert len(server.asked) == 2


def test_a_dead_server_among_three_is_bounded_and_named() -> None:
    script = {("a.example", "TXT"): answer(A_TEXT), ("b.example", "TXT"): nxdomain()}
    silent = dict.fromkeys(script, drop)
    queries = [TEXT, Query("b.example", "TXT")]
    with serving(script) as one, serving(silent) as dead, serving(script) as three:
        servers = [at(one, "one"), at(dead, "dead"), at(three, "three")]

        def ask(seconds: float) -> dict[str, list[ServerStatus]]:
            started = time.monotonic()
            found = ask_each(servers, queries, timeout=seconds)
            assert seconds <= time.monotonic() - started < 20
            assert list(found) == servers
            return {server.name: [a.status for a in said] for server, said in found.items()}

        expected = {
            "one": [ServerStatus.OK, ServerStatus.NXDOMAIN],
            "dead": [ServerStatus.NO_ANSWER] * 2,
            "three": [ServerStatus.OK, ServerStatus.NXDOMAIN],
        }
        assert given_time(ask, expected.__eq__) == expected


def test_all_are_asked_side_by_side() -> None:
    queries = [Query(f"n{n}.example", "A") for n in range(8)]
    script = {
        (query.name, query.type): answer(f"{query.name}. 60 IN A 192.0.2.{n}")
        for n, query in enumerate(queries)
    }
    first, second = all_at_once(script, script)
    with serving(first) as one, serving(second) as two:
        found = ask_each([at(one), at(two)], queries, timeout=30)
    for answers in found.values():
        assert [answer.values for answer in answers] == [(f"192.0.2.{n}",) for n in range(8)]


def test_a_closed_port_is_known_at_once() -> None:
    started = time.monotonic()
    place = Server("ns", "127.0.0.1", closed_port())
    [[found]] = ask_each([place], [TEXT], timeout=60).values()
    assert found == ServerAnswer(ServerStatus.NO_ANSWER, detail="Connection refused")
    assert time.monotonic() - started < 30


@pytest.mark.parametrize("address", ["::1", "fe80::1%nowhere"])
def test_ipv6(address: str) -> None:
    """Whether or not this machine has IPv6: no such server answers, and nothing is raised."""
    server = Server(address, address, closed_port())
    for said in (Dns().ask_over_tcp([server], [TEXT]), ask_each([server], [TEXT], timeout=0.5)):
        [[found]] = said.values()
        assert found.status is ServerStatus.NO_ANSWER


def test_a_server_without_an_address() -> None:
    gone = Server("ns.example", "")
    [[found]] = ask_each([gone], [TEXT]).values()
    assert found == ServerAnswer(ServerStatus.NO_ANSWER, detail="DNS gives no address for it")


def test_no_time_at_all() -> None:
    with serving({}) as server:
        [[found]] = ask_each([at(server)], [TEXT], timeout=0).values()
    assert found.status is ServerStatus.NO_ANSWER


def test_nobody_and_nothing_to_ask() -> None:
    somebody = Server("ns", "127.0.0.1", 9)
    assert ask_each([], [TEXT]) == {}
    assert ask_each([somebody], []) == {somebody: ()}


def test_a_server_named_twice_is_asked_once() -> None:
    with serving({("a.example", "TXT"): answer(A_TEXT)}) as server:
        assert ask_each([at(server), at(server)], [TEXT]) == {at(server): (OK,)}
    assert len(server.asked) == 1


def test_negative_ttl_of_each_server() -> None:
    fresh, stale = SOA.replace("2026", "2027"), SOA.replace("900", "60")
    with (
        serving({("example", "SOA"): answer(fresh)}) as one,
        serving({("example", "SOA"): answer(stale)}) as two,
        serving({("example", "SOA"): rcode("REFUSED")}) as three,
    ):
        servers = [at(one), at(two), at(three)]
        found = ask_each(servers, [Query("example", "SOA")])
    assert [denial_ttl(found[each][0]) for each in servers] == [600, 60, None]
