"""A resolver as the core's ``Lookup``, at a scripted name server on loopback."""

from __future__ import annotations

import time
from itertools import pairwise
from typing import TYPE_CHECKING

import dns.flags
import dns.resolver
import pytest

from netcup_mailauth.dnsio.resolver import Resolver, zone_of
from netcup_mailauth.errors import UsageError, ZoneError
from netcup_mailauth.lookup import Answer, Lookup, Query, RecordType, Status
from tests.edges.dnsio import nameserver
from tests.edges.dnsio.nameserver import (
    all_at_once,
    always_cut,
    answer,
    closed_port,
    delayed,
    drop,
    garbage,
    message,
    nxdomain,
    other_question,
    preceded_by,
    raw,
    rcode,
    serving,
    truncated,
    wrong_id,
)
from tests.soon import given_time

if TYPE_CHECKING:
    from tests.edges.dnsio.nameserver import NameServer, Reply, Script

A_TEXT = 'a.example. 60 IN TXT "v=spf1 -all"'
OK = Answer(Status.OK, ("v=spf1 -all",))
TEXT = Query("a.example", "TXT")


def ask_once(reply: Reply, query: Query = TEXT, timeout: float = 2) -> Answer:
    """What a resolver makes of a reply."""
    with serving({(query.name, query.type): reply}) as server:
        [found] = Resolver(server.address, timeout=timeout)([query])
    return found


def test_a_resolver_is_a_lookup() -> None:
    lookup: Lookup = Resolver("127.0.0.1:9")
    assert lookup([]) == []


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (answer(A_TEXT), OK),
        (answer(), Answer(Status.EMPTY)),
        (nxdomain(), Answer(Status.NXDOMAIN)),
        (rcode("SERVFAIL"), Answer(Status.SERVFAIL)),
        (rcode("REFUSED"), Answer(Status.SERVFAIL)),
        (rcode("NOTIMP"), Answer(Status.SERVFAIL)),
        (garbage, Answer(Status.SERVFAIL)),
        (other_question, Answer(Status.SERVFAIL)),
        (answer('b.example. 60 IN TXT "x"'), Answer(Status.SERVFAIL)),
    ],
)
def test_how_a_query_ends(reply: Reply, expected: Answer) -> None:
    assert ask_once(reply) == expected


@pytest.mark.parametrize(
    ("reply", "status"),
    [
        (drop, Status.TIMEOUT),
        (truncated(drop), Status.TIMEOUT),
        (raw(b"\xff" * 40), Status.SERVFAIL),
        (wrong_id(answer(A_TEXT)), Status.SERVFAIL),
    ],
)
def test_what_is_waited_for_in_vain(reply: Reply, status: Status) -> None:
    expected = Answer(status)
    found = given_time(lambda seconds: ask_once(reply, timeout=seconds), expected.__eq__)
    assert found == expected


@pytest.mark.parametrize(
    ("record_type", "records", "values"),
    [
        ("A", ("192.0.2.9", "192.0.2.1"), ("192.0.2.1", "192.0.2.9")),
        ("AAAA", ("2001:DB8:0:0::1",), ("2001:db8::1",)),
        ("MX", ("10 Mail.Example.", "5 b.example."), ("10 mail.example", "5 b.example")),
        ("MX", ("0 .",), ("0 .",)),
        ("NS", ("ns.example.",), ("ns.example",)),
        ("PTR", ("Host.Example.", r"a\032b\.c.example."), (r"a b\.c.example", "host.example")),
        ("CNAME", ("b.example.",), ("b.example",)),
        ("SOA", ("ns. host. 1 2 3 4 5",), ("ns host 1 2 3 4 5",)),
        ("TXT", ('"v=spf1 " "-all"', '""'), ("", "v=spf1 -all")),
        ("TXT", (f'"{"a" * 255}" "{"b" * 255}" "c"',), ("a" * 255 + "b" * 255 + "c",)),
        ("TXT", (r'"gr\195\188\223\228"',), ("gr\u00c3\u00bc\u00df\u00e4",)),
        ("TXT", (r'"a\"b\\c;"',), (r'a"b\c;',)),
    ],
)
def test_values_by_type(
    record_type: RecordType, records: tuple[str, ...], values: tuple[str, ...]
) -> None:
    lines = [f"a.example. 60 IN {record_type} {record}" for record in records]
    assert ask_once(answer(*lines), Query("a.example", record_type)).values == values


@pytest.mark.parametrize("name", ["a:b.example", "a/b.example", "%20.example", "a b.example"])
def test_odd_names_are_asked_as_they_are(name: str) -> None:
    odd = name.replace(" ", r"\032")
    assert ask_once(answer(f'{odd}. 60 IN TXT "x"'), Query(name, "TXT")).values == ("x",)


@pytest.mark.parametrize("name", [r"a\b.example", r"\.example", r"\046.example"])
def test_a_backslash_is_a_backslash(name: str) -> None:
    odd = name.replace("\\", "\\\\")
    assert ask_once(answer(f'{odd}. 60 IN TXT "x"'), Query(name, "TXT")).values == ("x",)


@pytest.mark.parametrize("name", ["", "a..b", "a" * 64 + ".example", "münchen.example", "."])
def test_a_name_that_dns_cannot_hold_is_not_asked_for(name: str) -> None:
    with serving({}) as server:
        assert Resolver(server.address)([Query(name, "A")]) == [Answer(Status.SERVFAIL)]
        assert server.asked == []


def chain(*names: str) -> list[str]:
    return [f"{a} 60 IN CNAME {b}" for a, b in pairwise(names)]


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (answer(*chain("a.example.", "B.example.", "c."), 'c. 60 IN TXT "v=spf1 -all"'), OK),
        (answer(*chain("a.example.", "b.example.")), Answer(Status.EMPTY)),
        (nxdomain(*chain("a.example.", "b.example.")), Answer(Status.NXDOMAIN)),
        (answer(*chain("a.example.", "b.", "a.example.")), Answer(Status.SERVFAIL)),
        (answer(*chain("a.example.", "a.example.")), Answer(Status.SERVFAIL)),
    ],
)
def test_aliases(reply: Reply, expected: Answer) -> None:
    assert ask_once(reply) == expected


@pytest.mark.parametrize("record_type", ["SOA", "NS"])
def test_a_zone_does_not_begin_at_an_alias(record_type: RecordType) -> None:
    value = {"SOA": "ns. host. 1 2 3 4 5", "NS": "ns."}[record_type]
    records = [*chain("a.example.", "b."), f"b. 60 IN {record_type} {value}"]
    found = ask_once(answer(*records), Query("a.example", record_type))
    assert found == Answer(Status.EMPTY)


def test_recursion_is_asked_for() -> None:
    with serving({("a.example", "TXT"): answer(A_TEXT)}) as server:
        Resolver(server.address)([TEXT])
    [asked] = server.messages
    assert asked.flags & dns.flags.RD
    assert asked.payload == 1232


def test_what_does_not_fit_in_udp_comes_over_tcp() -> None:
    texts = [f'a.example. 60 IN TXT "{n}{"x" * 200}"' for n in range(9)]
    with serving({("a.example", "TXT"): answer(*texts)}) as server:
        [found] = Resolver(server.address)([TEXT])
    assert [value[0] for value in found.values] == list("012345678")
    assert [over for *_, over in server.asked] == ["udp", "tcp"]


@pytest.mark.parametrize(
    ("over_tcp", "status"),
    [
        (garbage, Status.SERVFAIL),
        (wrong_id(answer()), Status.SERVFAIL),
        (always_cut, Status.SERVFAIL),
        (raw(nameserver.SHUT), Status.TIMEOUT),
        (raw(nameserver.BARE, b"\x00\x20abc", nameserver.SHUT), Status.TIMEOUT),
    ],
)
def test_tcp_that_fails(over_tcp: Reply, status: Status) -> None:
    assert ask_once(truncated(over_tcp)) == Answer(status)


@pytest.mark.parametrize("forged", [b"", b"\x00", b"\x00\x00 and so on"])
def test_a_forged_datagram_does_not_keep_the_answer_out(forged: bytes) -> None:
    # One number in 65536 is the right one by chance.
    assert ask_once(preceded_by(forged, forged, then=answer(A_TEXT))) == OK


def numbered(n: int) -> Query:
    return Query(f"n{n}.example", "A")


def addresses(count: int) -> Script:
    return {
        (f"n{n}.example", "A"): answer(f"n{n}.example. 60 IN A 192.0.2.{n}") for n in range(count)
    }


def test_answers_come_in_the_order_asked() -> None:
    script = {
        (f"n{n}.example", "A"): delayed(
            0.05 * (3 - n), answer(f"n{n}.example. 60 IN A 192.0.2.{n}")
        )
        for n in range(4)
    }
    with serving(script) as server:
        found = Resolver(server.address)([numbered(n) for n in (2, 0, 3, 0, 1)])
    assert [answer.values for answer in found] == [(f"192.0.2.{n}",) for n in (2, 0, 3, 0, 1)]


def test_the_queries_of_a_batch_are_asked_at_once() -> None:
    [script] = all_at_once(addresses(8))
    with serving(script) as server:
        found = Resolver(server.address, budget=60, timeout=30)([numbered(n) for n in range(8)])
    assert {answer.status for answer in found} == {Status.OK}


def test_what_was_asked_once_is_remembered() -> None:
    with serving({**addresses(1), ("n1.example", "A"): rcode("SERVFAIL")}) as server:
        resolver = Resolver(server.address)
        first = resolver([numbered(0), numbered(0), numbered(1)])
        assert resolver([numbered(1), numbered(0)]) == [first[2], first[0]]
        assert len(server.asked) == 2


def test_no_more_queries_than_the_limit() -> None:
    with serving(addresses(6)) as server:
        resolver = Resolver(server.address, limit=3)
        assert resolver([numbered(0)])[0].status is Status.OK
        found = resolver([numbered(n) for n in range(5)])
        assert [answer.status for answer in found] == [Status.OK] * 3 + [Status.TIMEOUT] * 2
        assert resolver([numbered(5), numbered(1)]) == [Answer(Status.TIMEOUT), found[1]]
        assert len(server.asked) == 3


def test_no_longer_than_the_budget() -> None:
    with serving({("n0.example", "A"): drop, **addresses(0)}) as server:
        resolver = Resolver(server.address, budget=0.2, timeout=60)
        started = time.monotonic()
        assert resolver([numbered(0)]) == [Answer(Status.TIMEOUT)]
        assert resolver([numbered(1)]) == [Answer(Status.TIMEOUT)]
        assert time.monotonic() - started < 30
        assert {name for name, *_ in server.asked} == {"n0.example"}


def test_a_batch_that_waits_for_a_thread_keeps_to_the_budget(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("netcup_mailauth.dnsio.resolver.TO_A_RESOLVER", 2)
    with serving({(f"n{n}.example", "A"): drop for n in range(6)}) as server:
        started = time.monotonic()
        resolver = Resolver(server.address, budget=0.2, timeout=60)
        found = resolver([numbered(n) for n in range(6)])
        assert time.monotonic() - started < 30
        assert found == [Answer(Status.TIMEOUT)] * 6
        assert len({name for name, *_ in server.asked}) == 2


def test_only_time_spent_asking_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    later = [0.0]
    now = time.monotonic
    monkeypatch.setattr("netcup_mailauth.dnsio.resolver.monotonic", lambda: now() + later[0])
    with serving(addresses(2)) as server:
        resolver = Resolver(server.address, budget=60)
        resolver([numbered(0)])
        later[0] = 120.0
        assert resolver([numbered(1)])[0].status is Status.OK


def test_silence_is_asked_again() -> None:
    with serving({("a.example", "TXT"): [drop, answer(A_TEXT)]}) as server:
        assert Resolver(server.address, timeout=2)([TEXT]) == [OK]
        assert len(server.asked) == 2


def test_a_failure_is_not_asked_again() -> None:
    with serving({("a.example", "TXT"): rcode("SERVFAIL")}) as server:
        assert Resolver(server.address)([TEXT]) == [Answer(Status.SERVFAIL)]
        assert len(server.asked) == 1


def test_nobody_listens() -> None:
    started = time.monotonic()
    resolver = Resolver(f"127.0.0.1:{closed_port()}", budget=60, timeout=60)
    assert resolver([TEXT]) == [Answer(Status.TIMEOUT)]
    assert time.monotonic() - started < 30


def systems(monkeypatch: pytest.MonkeyPatch, server: NameServer, *addresses: str) -> None:
    own = dns.resolver.Resolver(configure=False)
    own.nameservers, own.port = list(addresses), server.port
    monkeypatch.setattr(dns.resolver, "Resolver", lambda: own)


@pytest.mark.parametrize("first", [drop, rcode("SERVFAIL")])
def test_the_next_of_the_systems_servers_is_asked(
    monkeypatch: pytest.MonkeyPatch, first: Reply
) -> None:
    with serving({("a.example", "TXT"): [first, answer(A_TEXT)]}) as server:
        systems(monkeypatch, server, "127.0.0.1", "127.0.0.1")
        resolver = Resolver(timeout=2)
        expected = Answer(Status.SERVFAIL) if first is not drop else OK
        assert resolver([TEXT]) == [expected]


def test_another_server_makes_up_for_one_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving({("a.example", "TXT"): answer(A_TEXT)}) as server:
        # Nobody listens at 127.0.0.2: the port is bound to 127.0.0.1 only.
        systems(monkeypatch, server, "127.0.0.2", "127.0.0.1")
        assert Resolver()([TEXT]) == [OK]


def test_a_machine_without_a_resolver(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise dns.resolver.NoResolverConfiguration

    monkeypatch.setattr(dns.resolver, "Resolver", broken)
    resolver = Resolver()
    assert resolver([TEXT]) == [Answer(Status.TIMEOUT)]


@pytest.mark.parametrize("server", ["a b", "h:0", ""])
def test_a_resolver_that_cannot_be(server: str) -> None:
    with pytest.raises(UsageError):
        Resolver(server)


def test_an_alias_is_not_the_zone_that_it_leads_to() -> None:
    script: Script = {
        ("www.example.com", "SOA"): answer(
            *chain("www.example.com.", "cdn.test."), "cdn.test. 60 IN SOA ns. host. 1 2 3 4 5"
        ),
        ("example.com", "SOA"): answer("example.com. 60 IN SOA ns. host. 1 2 3 4 5"),
    }
    with serving(script) as server:
        assert zone_of("www.example.com.", server.address) == "example.com"


def test_a_name_without_an_answer_is_not_skipped() -> None:
    """The zone may begin right there; the one above would be the wrong one to write to."""
    script: Script = {
        ("intern.example.com", "SOA"): rcode("SERVFAIL"),
        ("example.com", "SOA"): answer("example.com. 60 IN SOA ns. host. 1 2 3 4 5"),
    }
    with serving(script) as server, pytest.raises(ZoneError):
        zone_of("intern.example.com", server.address)


def test_an_answer_that_says_both_is_the_resolvers_to_explain() -> None:
    assert ask_once(message([A_TEXT], code="NXDOMAIN")) == Answer(Status.NXDOMAIN)
