"""``--wait``: ask until every authoritative server has what is wanted.

Politely: a round a second at first, slower after half a minute, with jitter; a server that agrees
is not asked again until a last round confirms them all.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

from netcup_mailauth.dnsio.lanes import side_by_side
from netcup_mailauth.judge.compare import checked
from netcup_mailauth.judge.report import State
from netcup_mailauth.kinds import counting
from netcup_mailauth.lookup import ServerStatus

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from netcup_mailauth.actions.session import Session
    from netcup_mailauth.judge.compare import Target
    from netcup_mailauth.lookup import Query, Server, ServerAnswer

SLOW = 15.0
"""Seconds from round to round in the end; netcup's servers reload about every ten minutes."""
QUICK_FOR = 30.0
"""Seconds after which the rounds begin to slow down."""
GROWTH = 1.5
JITTER = 0.2
"""The share of a pause by which chance may shorten it."""

_DOMAINS_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class Watched:
    """The records of one domain, and the servers that should have them.

    ``backend`` is the API that its zone lies at, if that is known.
    """

    domain: str
    targets: tuple[Target, ...]
    servers: tuple[Server, ...]
    queries: tuple[Query, ...]
    backend: str = ""


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


def wait(session: Session, watched: Sequence[Watched], timeout: float) -> Iterator[Waited]:
    """Ask until every server agrees, at most ``timeout`` seconds: how it stands after each round.

    The session's clock is waited by between two rounds.
    """
    everyone = {one.domain: one.servers for one in watched}
    clock, caches = session.clock, Caches()
    start = clock.monotonic()
    pause, whom = session.pauses.round, everyone
    while True:
        began = clock.monotonic()
        lags, caches = _round(session, watched, whom, caches)
        if not lags and whom != everyone:
            # One address may be several machines, so all are asked once more.
            lags, caches = _round(session, watched, everyone, caches)
        waited = clock.monotonic() - start
        yield Waited(lags, waited, caches)
        if not lags or waited >= timeout:
            return
        if waited > QUICK_FOR:
            pause = min(pause * GROWTH, SLOW)
        nap = began + pause * (1 - JITTER * random.random()) - clock.monotonic()  # noqa: S311
        clock.sleep(max(0.0, min(nap, timeout - waited)))
        whom = _still(lags)


def _round(
    session: Session,
    watched: Sequence[Watched],
    whom: Mapping[str, tuple[Server, ...]],
    caches: Caches,
) -> tuple[tuple[Lag, ...], Caches]:
    """Who lacks what of those that are asked, and what caches may hold since."""
    asked = [one for one in watched if whom.get(one.domain)]
    answers = side_by_side(
        lambda one: session.dns.ask(whom[one.domain], one.queries), asked, _DOMAINS_AT_ONCE
    )
    lags = []
    for one, own in zip(asked, answers, strict=True):
        for server, said in own.items():
            lacking = [
                (target, answer)
                for target, answer in zip(one.targets, said, strict=True)
                if checked(target, {server: answer}).state is not State.OK
            ]
            for target, answer in lacking:
                caches = _noted(caches, target, answer)
            if lacking:
                lags.append(Lag(one.domain, server, tuple(target.name for target, _ in lacking)))
    return tuple(lags), caches


def _noted(caches: Caches, target: Target, answer: ServerAnswer) -> Caches:
    """For how long a cache that asked just before may keep the old answer, this one counted."""
    ttl = answer.ttl
    if ttl is None:
        return caches
    if counting(target.kind, answer.values) or answer.status is ServerStatus.CNAME:
        return Caches(max(caches.record or 0, ttl), caches.none)
    return Caches(caches.record, max(caches.none or 0, ttl))


def _still(lags: Sequence[Lag]) -> dict[str, tuple[Server, ...]]:
    whom: dict[str, tuple[Server, ...]] = {}
    for lag in lags:
        whom[lag.domain] = (*whom.get(lag.domain, ()), lag.server)
    return whom
