"""Waiting is polite, ends with the last server and never before, and knows what caches may hold."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import pytest

from netcup_mailauth.actions.session import Session
from netcup_mailauth.actions.waiting import (
    JITTER,
    QUICK_FOR,
    SLOW,
    Caches,
    Lag,
    Waited,
    Watched,
    wait,
)
from netcup_mailauth.clock import Clock, Pauses
from netcup_mailauth.dnsio.servers import Dns
from netcup_mailauth.judge.compare import Target
from netcup_mailauth.lookup import Query, Server, ServerAnswer, ServerStatus
from netcup_mailauth.records import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

OLD, NEW = "v=spf1 mx ~all", "v=spf1 mx -all"
ONE, TWO, THREE = (Server(f"ns{n}.example.net", f"192.0.2.{n}") for n in (1, 2, 3))
TARGET = Target(Kind.SPF, "example.com", NEW, NEW)
QUERY = Query("example.com", "TXT")
QUICK = Pauses().round


def answer(value: str | None, ttl: int | None = 300) -> ServerAnswer:
    status = ServerStatus.OK if value else ServerStatus.NXDOMAIN
    return ServerAnswer(status, (value,) if value else (), ttl=ttl)


@dataclass
class World:
    """Servers that switch at a moment each, and a clock that only sleeping and asking move."""

    switches: dict[Server, float]
    before: ServerAnswer = field(default_factory=lambda: answer(OLD))
    takes: float = 0.01
    now: float = 1000.0
    asked: list[tuple[float, Server]] = field(default_factory=list)
    rounds: list[float] = field(default_factory=list)
    told: list[tuple[tuple[Lag, ...], float]] = field(default_factory=list)

    def ask(
        self, servers: Sequence[Server], queries: Sequence[Query]
    ) -> dict[Server, tuple[ServerAnswer, ...]]:
        seen = self.now - 1000
        self.rounds.append(seen)
        self.asked += ((seen, server) for server in servers)
        self.now += self.takes
        return {
            s: tuple(answer(NEW) if seen >= self.switches[s] else self.before for _ in queries)
            for s in servers
        }

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def wait(self, timeout: float = 1800, chance: float = 0.5, *more: Watched) -> Waited:
        watched = Watched("example.com", (TARGET,), tuple(self.switches), (QUERY,))
        with patch("random.random", lambda: chance):
            return self.waited([watched, *more], timeout)

    def waited(
        self, watched: Sequence[Watched], timeout: float, ask: Callable[..., Any] | None = None
    ) -> Waited:
        """How the waiting ended; what was told until then is noted."""
        session = Session(dns=Asked(answer=ask or self.ask), clock=Moving(self))
        *before, last = wait(session, watched, timeout)
        self.told += (
            (waited.lagging, waited.seconds) for waited in [*before, last] if waited.lagging
        )
        return last

    def number(self, server: Server) -> int:
        return Counter(s for _, s in self.asked)[server]


@dataclass(frozen=True)
class Asked(Dns):
    """Servers that answer as a world says."""

    answer: Any = None

    def ask(
        self, servers: Sequence[Server], queries: Sequence[Query]
    ) -> dict[Server, tuple[ServerAnswer, ...]]:
        found: dict[Server, tuple[ServerAnswer, ...]] = self.answer(servers, queries)
        return found


class Moving(Clock):
    """The clock of a world."""

    def __init__(self, world: World) -> None:
        self.world = world

    def monotonic(self) -> float:
        return self.world.now

    def sleep(self, seconds: float) -> None:
        self.world.sleep(seconds)


@pytest.mark.parametrize("chance", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("last", [0.3, 2.0, 5.0, 9.99, 28.0])
def test_it_returns_within_a_second_of_the_last_server_and_never_before(
    last: float, chance: float
) -> None:
    world = World({ONE: 0, TWO: last / 2, THREE: last})
    waited = world.wait(chance=chance)
    assert waited.lagging == ()
    assert last <= waited.seconds <= last + 1


def test_a_server_that_agrees_is_asked_once_more_and_that_is_in_the_last_round() -> None:
    world = World({ONE: 0, TWO: 0, THREE: 20})
    world.wait()
    assert (world.number(ONE), world.number(TWO)) == (2, 2)
    assert [moment for moment, server in world.asked if server is ONE] == [0, world.rounds[-1]]
    assert world.number(THREE) > 20


def test_when_all_agree_at_once_nobody_is_asked_twice() -> None:
    world = World({ONE: 0, TWO: 0})
    assert world.wait().seconds < 0.1
    assert len(world.asked) == 2
    assert world.told == []


def test_rounds_come_about_once_a_second_then_ever_slower_and_never_slower_than_the_slowest() -> (
    None
):
    world = World({ONE: 600})
    world.wait(chance=0.0)
    gaps = [b - a for a, b in zip(world.rounds, world.rounds[1:], strict=False)]
    early = [gap for gap, moment in zip(gaps, world.rounds, strict=False) if moment < QUICK_FOR]
    late = [gap for gap, moment in zip(gaps, world.rounds, strict=False) if moment > 70]
    assert all(gap == pytest.approx(QUICK) for gap in early)
    assert all(gap == pytest.approx(SLOW) for gap in late[:-1])
    assert len([moment for moment in world.rounds if moment < 60]) < 50
    assert len(world.rounds) < 100


def test_chance_shortens_a_pause_so_that_many_programs_do_not_keep_step() -> None:
    world = World({ONE: 600})
    world.wait(timeout=10, chance=1.0)
    assert world.rounds[1] == pytest.approx(QUICK * (1 - JITTER))


def test_the_time_that_asking_takes_is_part_of_the_pause() -> None:
    world = World({ONE: 600}, takes=QUICK / 2)
    world.wait(timeout=5, chance=0.0)
    assert world.rounds[:3] == [pytest.approx(n * QUICK) for n in range(3)]
    slow = World({ONE: 600}, takes=3.0)
    slow.wait(timeout=10, chance=0.0)
    assert slow.rounds[:3] == [0, pytest.approx(3.0), pytest.approx(6.0)]


def test_a_server_that_falls_back_in_the_last_round_is_waited_for_again() -> None:
    world = World({ONE: 0, TWO: 2})
    flaps = iter([NEW, OLD])

    def ask(
        servers: Sequence[Server], queries: Sequence[Query]
    ) -> dict[Server, tuple[ServerAnswer, ...]]:
        found = world.ask(servers, queries)
        if ONE in servers:  # several machines behind one address
            found[ONE] = (answer(next(flaps, NEW)),)
        return found

    watched = Watched("example.com", (TARGET,), (ONE, TWO), (QUERY,))
    waited = world.waited([watched], 60, ask)
    assert waited.lagging == ()
    assert [lag.server for lag in world.told[-1][0]] == [ONE]


def test_after_the_timeout_it_says_who_lags_and_what_it_lacks() -> None:
    world = World({ONE: 0, TWO: 99})
    waited = world.wait(timeout=3)
    assert waited.lagging == (Lag("example.com", TWO, ("example.com",)),)
    assert waited.seconds == pytest.approx(3, abs=0.1)
    assert World({ONE: 99}).wait(timeout=0).seconds < 0.1


def test_each_domain_asks_only_its_own_laggards() -> None:
    other = Watched("example.org", (TARGET,), (THREE,), (QUERY,))
    world = World({ONE: 0, TWO: 0})
    world.switches[THREE] = 3  # known to the world, not to example.com
    watched = Watched("example.com", (TARGET,), (ONE, TWO), (QUERY,))
    assert world.waited([watched, other], 60).lagging == ()
    assert world.number(ONE) == 2
    assert {lag.domain for lags, _ in world.told for lag in lags} == {"example.org"}


@pytest.mark.parametrize(
    ("before", "caches"),
    [
        (answer(OLD, 86400), Caches(record=86400)),
        (answer(None, 3600), Caches(none=3600)),
        # At the apex there are other texts: caches hold all of them for their TTL, and no SPF.
        (answer("some-verification=1", 7200), Caches(none=7200)),
        (ServerAnswer(ServerStatus.CNAME, (), "x.example.net", 600), Caches(record=600)),
        (ServerAnswer(ServerStatus.NO_ANSWER), Caches()),
    ],
    ids=["old-record", "nothing", "other-text", "alias", "silent"],
)
def test_what_caches_may_hold_follows_from_what_a_server_said_before(
    before: ServerAnswer, caches: Caches
) -> None:
    assert World({ONE: 2}, before=before).wait().caches == caches


def test_of_several_ttls_the_longest_counts() -> None:
    world = World({ONE: 2, TWO: 2})
    ttls = {ONE: 60, TWO: 900}

    def ask(
        servers: Sequence[Server], queries: Sequence[Query]
    ) -> dict[Server, tuple[ServerAnswer, ...]]:
        found = world.ask(servers, queries)
        return {
            s: (a if a.values == (NEW,) else answer(OLD, ttls[s]),) for s, (a,) in found.items()
        }

    watched = Watched("example.com", (TARGET,), (ONE, TWO), (QUERY,))
    assert world.waited([watched], 60, ask).caches == Caches(record=900)
