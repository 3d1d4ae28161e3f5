"""``--wait``: ask the name servers until every one of them has what is wanted.

Polite: a round a second at first, slower after half a minute, with jitter; a server that agrees
is not asked again until a last round confirms them all.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from netcup_mailauth.dnsio.crowd import side_by_side
from netcup_mailauth.dnsio.nameservers import ServerStatus, ask
from netcup_mailauth.judge.compare import checked, values_of
from netcup_mailauth.judge.report import State

if TYPE_CHECKING:
    from netcup_mailauth.dnsio.nameservers import Server, ServerAnswer
    from netcup_mailauth.judge.compare import Target
    from netcup_mailauth.lookup import Query

QUICK = 0.8
"""Seconds from round to round at first: under one, so that the last server is seen within one."""
SLOW = 15.0
"""Seconds from round to round in the end; netcup's servers reload about every ten minutes."""
QUICK_FOR = 30.0
"""Seconds after which the rounds begin to slow down."""
GROWTH = 1.5
JITTER = 0.2
"""The share of a pause by which chance may shorten it."""

_DOMAINS_AT_ONCE = 16

Ask = Callable[[Sequence["Server"], Sequence["Query"]], "dict[Server, tuple[ServerAnswer, ...]]"]


@dataclass(frozen=True, slots=True)
class Watched:
    """The records of one domain, and the servers that should have them."""

    domain: str
    targets: tuple[Target, ...]
    servers: tuple[Server, ...]
    queries: tuple[Query, ...]


@dataclass(frozen=True, slots=True)
class Lag:
    """A server that does not have a domain's records yet, and which it lacks."""

    domain: str
    server: Server
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Caches:
    """How many seconds caches elsewhere may go on with what servers said before.

    Attributes:
        record: with another record; ``None`` if no server had one.
        none: with there being none, which they hold for the negative TTL of the zone's SOA;
            ``None`` if every server had one.
    """

    record: int | None = None
    none: int | None = None


@dataclass(frozen=True, slots=True)
class Waited:
    """How the waiting ended: who still lags, and what caches may hold."""

    lagging: tuple[Lag, ...]
    seconds: float
    caches: Caches = Caches()


@dataclass(slots=True)
class Waiter:
    """Waits for servers.

    Attributes:
        tell: called after each round with who lags and for how many seconds we have waited.
        ask: asks servers.
        clock: seconds, never going back.
        sleep: how to wait between rounds.
        chance: a number from 0 to 1.
    """

    tell: Callable[[Sequence[Lag], float], None]
    ask: Ask = ask
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    chance: Callable[[], float] = random.random
    _caches: Caches = field(default=Caches(), init=False)

    def wait(self, watched: Sequence[Watched], timeout: float) -> Waited:
        """Wait until every server agrees, at most ``timeout`` seconds."""
        everyone = {one.domain: one.servers for one in watched}
        start = self.clock()
        pause, whom = QUICK, everyone
        while True:
            began = self.clock()
            lags = self._round(watched, whom)
            if not lags and whom != everyone:
                # One address may be several machines, so all are asked once more.
                lags = self._round(watched, everyone)
            waited = self.clock() - start
            if not lags:
                return Waited((), waited, self._caches)
            self.tell(lags, waited)
            if waited >= timeout:
                return Waited(tuple(lags), waited, self._caches)
            if waited > QUICK_FOR:
                pause = min(pause * GROWTH, SLOW)
            nap = began + pause * (1 - JITTER * self.chance()) - self.clock()
            self.sleep(max(0.0, min(nap, timeout - waited)))
            whom = _still(lags)

    def _round(self, watched: Sequence[Watched], whom: dict[str, tuple[Server, ...]]) -> list[Lag]:
        asked = [one for one in watched if whom.get(one.domain)]
        answers = side_by_side(
            lambda one: self.ask(whom[one.domain], one.queries), asked, _DOMAINS_AT_ONCE
        )
        return [
            lag for one, own in zip(asked, answers, strict=True) for lag in self._lags(one, own)
        ]

    def _lags(self, watched: Watched, answers: dict[Server, tuple[ServerAnswer, ...]]) -> list[Lag]:
        lags = []
        for server, own in answers.items():
            lacking = [
                (target, answer)
                for target, answer in zip(watched.targets, own, strict=True)
                if checked(target, {server: answer}).state is not State.OK
            ]
            for target, answer in lacking:
                self._note(target, answer)
            if lacking:
                names = tuple(target.name for target, _ in lacking)
                lags.append(Lag(watched.domain, server, names))
        return lags

    def _note(self, target: Target, answer: ServerAnswer) -> None:
        """Remember for how long a cache that asked just before may keep the old answer."""
        known, ttl = self._caches, answer.ttl
        if ttl is None:
            return
        if values_of(target.kind, answer) or answer.status is ServerStatus.CNAME:
            self._caches = Caches(max(known.record or 0, ttl), known.none)
        else:
            self._caches = Caches(known.record, max(known.none or 0, ttl))


def _still(lags: Sequence[Lag]) -> dict[str, tuple[Server, ...]]:
    whom: dict[str, tuple[Server, ...]] = {}
    for lag in lags:
        whom[lag.domain] = (*whom.get(lag.domain, ()), lag.server)
    return whom
