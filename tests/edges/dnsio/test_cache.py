"""One cache a run: nothing is asked twice while it holds, and nothing is kept that must not be."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from netcup_mailauth.dnsio import cache as caching
from netcup_mailauth.dnsio.cache import SILENCE, UNSAID, Cache
from netcup_mailauth.dnsio.resolver import Resolver, zone_of
from netcup_mailauth.dnsio.servers import Dns, ask_each
from netcup_mailauth.lookup import Answer, Query, Server, Status
from tests.edges.dnsio.nameserver import answer, delayed, drop, garbage, nxdomain, rcode, serving

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.edges.dnsio.nameserver import Asked, NameServer, Reply

TEXT = Query("a.example", "TXT")
KEY = ("a.example", "TXT")
GOOD = answer('a.example. 60 IN TXT "x"')
OK = Answer(Status.OK, ("x",))
SOA = "example. 900 IN SOA ns. host. 1 2 3 4 120"


class Later:
    """A clock for the cache, which the test puts forward."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.seconds = 0.0
        monkeypatch.setattr(caching, "monotonic", lambda: time.monotonic() + self.seconds)


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Later:
    return Later(monkeypatch)


def asked_by_two(server: NameServer, cache: Cache, timeout: float = 2.0) -> list[Answer]:
    """What two domains of a run are told, each with a look-up of its own."""
    return [Resolver(server.address, cache=cache, timeout=timeout)([TEXT])[0] for _ in range(2)]


@pytest.mark.parametrize(
    ("reply", "holds"),
    [
        (GOOD, 60),
        (answer("a.example. 60 IN CNAME b.example.", 'b.example. 20 IN TXT "x"'), 20),
        (answer("a.example. 20 IN CNAME b.example.", 'b.example. 60 IN TXT "x"'), 20),
        (nxdomain(soa=SOA), 120),
        (answer(soa=SOA), 120),
        (answer(soa=SOA.replace("900", "90")), 90),
        (nxdomain("a.example. 30 IN CNAME b.example.", soa=SOA), 30),
        (nxdomain(), UNSAID),
        (rcode("SERVFAIL"), SILENCE),
        (garbage, SILENCE),
    ],
)
def test_an_answer_serves_the_whole_run_as_long_as_it_holds(
    later: Later, reply: Reply, holds: float
) -> None:
    cache = Cache()
    with serving({KEY: reply}) as server:
        first, second = asked_by_two(server, cache)
        assert first == second
        later.seconds = holds - 5
        asked_by_two(server, cache)
        assert len(server.asked) == 1
        later.seconds = holds + 5
        asked_by_two(server, cache)
        assert len(server.asked) == 2


def test_silence_is_waited_for_once_in_a_run() -> None:
    with serving({KEY: drop}) as server:
        assert asked_by_two(server, Cache(), timeout=0.1) == [Answer(Status.TIMEOUT)] * 2
        assert len(server.asked) == 4  # two tries of one question, each sent twice


def test_what_may_not_be_kept_serves_one_domain_alone() -> None:
    cache = Cache()
    with serving({KEY: answer('a.example. 0 IN TXT "x"')}) as server:
        own = Resolver(server.address, cache=cache)
        assert [own([TEXT]), own([TEXT])] == [[OK], [OK]]
        assert len(server.asked) == 1
        Resolver(server.address, cache=cache)([TEXT])
        assert len(server.asked) == 2


def test_an_answer_that_there_was_no_time_for_is_asked_for_by_the_next() -> None:
    cache = Cache()
    with serving({KEY: [drop, drop, GOOD]}) as server:
        hurried = Resolver(server.address, cache=cache, budget=0.2, timeout=60)
        assert hurried([TEXT]) == [Answer(Status.TIMEOUT)]
        assert Resolver(server.address, cache=cache)([TEXT]) == [OK]


def test_two_who_ask_the_same_at_once_ask_one_question() -> None:
    cache = Cache()
    with serving({KEY: delayed(0.3, GOOD)}) as server, ThreadPoolExecutor(8) as pool:
        together = threading.Barrier(8)

        def asks(_: int) -> list[Answer]:
            resolver = Resolver(server.address, cache=cache)
            together.wait(30)
            return resolver([TEXT])

        assert list(pool.map(asks, range(8))) == [[OK]] * 8
        assert len(server.asked) == 1


def test_one_who_gives_up_early_does_not_speak_for_those_who_waited_for_its_answer() -> None:
    cache = Cache()
    with serving({KEY: [drop, drop, GOOD]}) as server, ThreadPoolExecutor(1) as pool:
        hurried = Resolver(server.address, cache=cache, budget=0.4, timeout=60)
        early = pool.submit(hurried, [TEXT])
        while len(server.asked) < 2:  # as often as it sends it
            time.sleep(0.01)
        assert Resolver(server.address, cache=cache)([TEXT]) == [OK]
        assert early.result() == [Answer(Status.TIMEOUT)]


def test_each_resolver_speaks_for_itself() -> None:
    cache = Cache()
    with serving({KEY: GOOD}) as one, serving({KEY: nxdomain()}) as other:
        assert Resolver(one.address, cache=cache)([TEXT]) == [OK]
        assert Resolver(other.address, cache=cache)([TEXT]) == [Answer(Status.NXDOMAIN)]


def test_the_limit_of_a_domain_holds_whatever_others_have_asked() -> None:
    """The same plan whether a domain is planned alone or as one of many."""
    cache = Cache()
    numbered = [Query(f"n{n}.example", "A") for n in range(3)]
    with serving({("n0.example", "A"): answer("n0.example. 60 IN A 192.0.2.1")}) as server:
        Resolver(server.address, cache=cache)(numbered)
        found = Resolver(server.address, cache=cache, limit=1)(numbered)
    assert [one.status for one in found] == [Status.OK, Status.TIMEOUT, Status.TIMEOUT]


def test_so_many_answers_are_kept_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caching, "_MOST", 2)
    cache = Cache()
    numbered = [Query(f"n{n}.example", "A") for n in range(3)]
    with serving({}) as server:
        for query in [*numbered, numbered[2], numbered[0]]:
            Resolver(server.address, cache=cache)([query])
        assert [name for name, *_ in server.asked] == [
            "n0.example",
            "n1.example",
            "n2.example",
            "n0.example",
        ]


def test_where_a_zone_lies_and_its_servers_are_asked_for_once_a_run() -> None:
    script = {
        ("example.com", "SOA"): answer("example.com. 60 IN SOA ns. host. 1 2 3 4 5"),
        ("example.com", "NS"): answer("example.com. 60 IN NS ns.example.net."),
        ("ns.example.net", "A"): answer("ns.example.net. 60 IN A 192.0.2.1"),
    }
    with serving(script) as server:
        dns = Dns(server.address)
        for _ in range(2):
            assert dns.zone_of("example.com") == "example.com"
            assert [one.address for one in dns.servers_of("example.com")] == ["192.0.2.1"]
        assert len(server.asked) == len(set(server.asked)) == 4
        assert zone_of("example.com", server.address) == "example.com"
        assert len(server.asked) == 5  # without a cache


def test_what_a_zones_own_servers_say_is_never_kept() -> None:
    with serving({KEY: [GOOD, answer('a.example. 60 IN TXT "y"')]}) as server:
        own = Server("ns", "127.0.0.1", server.port)
        dns = Dns(server.address)
        said = [dns.ask([own], [TEXT])[own][0].values for _ in range(2)]
        assert said == [("x",), ("y",)]
        assert ask_each([own], [TEXT])[own][0].values == ("y",)
        assert dns.survey([own], [TEXT], []).of(TEXT)[own].values == ("y",)
        assert len(server.asked) == 4


def numbered(count: int) -> list[Query]:
    return [Query(f"n{n}.example", "A") for n in range(count)]


def test_a_resolver_that_was_silent_is_tried_with_one_question_for_all() -> None:
    cache = Cache()
    with serving({(query.name, "A"): drop for query in numbered(9)}) as server:
        Resolver(server.address, cache=cache, timeout=0.1)(numbered(1))
        before = len(server.asked)
        found = Resolver(server.address, cache=cache, timeout=0.1)(numbered(9)[1:])
        assert found == [Answer(Status.TIMEOUT)] * 8
        assert {name for name, *_ in server.asked[before:]} == {"n1.example"}


def test_a_resolver_that_speaks_again_is_asked_for_everything() -> None:
    cache = Cache()
    with serving({("n0.example", "A"): drop}) as server:
        Resolver(server.address, cache=cache, timeout=0.1)(numbered(1))
        found = Resolver(server.address, cache=cache)(numbered(9)[1:])
        assert found == [Answer(Status.NXDOMAIN)] * 8
        assert not cache.silent


def test_a_server_of_a_zone_that_was_silent_is_tried_with_one_question() -> None:
    queries = [TEXT, *numbered(5)]
    script: dict[tuple[str, str], Reply] = {(q.name, q.type): drop for q in queries}
    with serving(script) as dead, serving({}) as alive:
        one, two = (Server("ns", "127.0.0.1", server.port) for server in (dead, alive))
        dns = Dns(dead.address)
        dns.cache.silent.add(("127.0.0.1", dead.port))
        found = dns.survey([one, two], queries, [])
        assert {name for name, *_ in dead.asked} == {TEXT.name}
        assert {answer.status for answer in found.answers[one]} == {"no answer"}
        assert {answer.status for answer in found.answers[two]} == {"nxdomain"}
        assert found.order == (two,)


def test_a_server_of_a_zone_that_speaks_again_is_asked_for_everything() -> None:
    queries = [TEXT, *numbered(5)]
    with serving({}) as server:
        own = Server("ns", "127.0.0.1", server.port)
        dns = Dns(server.address)
        dns.cache.silent.add(("127.0.0.1", server.port))
        found = dns.survey([own], queries, [Query("once.example", "A")])
        assert {answer.status for answer in found.answers[own]} == {"nxdomain"}
        assert len(server.asked) == len(set(server.asked)) == len(queries) + 1
        assert not dns.cache.silent


class Rationed:
    """Answers so many questions a second, and drops what is beyond that."""

    def __init__(self, a_second: int) -> None:
        self._rate = a_second
        self._left, self._seen = float(a_second), time.monotonic()
        self._lock = threading.Lock()

    def __call__(self, asked: Asked) -> Sequence[bytes]:
        with self._lock:
            now = time.monotonic()
            self._left = min(self._rate, self._left + (now - self._seen) * self._rate)
            self._seen = now
            if self._left < 1:
                return []
            self._left -= 1
        return answer(f"{asked.key[0]}. 60 IN A 192.0.2.1")(asked)


def test_a_resolver_that_answers_so_much_a_second_answers_all_domains() -> None:
    """Many do so: what a domain is told must not be that there is no answer."""
    rationed, cache = Rationed(40), Cache()
    script = {(query.name, "A"): rationed for query in numbered(120)}
    with serving(script) as server, ThreadPoolExecutor(30) as threads:
        resolvers = [Resolver(server.address, cache=cache, timeout=1.0) for _ in range(30)]
        shares = [numbered(120)[n::30] for n in range(30)]
        told = threads.map(lambda resolver, share: resolver(share), resolvers, shares)
        assert {answer for answers in told for answer in answers} == {
            Answer(Status.OK, ("192.0.2.1",))
        }
