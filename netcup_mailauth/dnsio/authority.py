"""Look-ups answered by a zone's own servers for names in it, by a resolver for all others."""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING

from netcup_mailauth.dnsio.crowd import side_by_side
from netcup_mailauth.dnsio.nameservers import ServerStatus, ask
from netcup_mailauth.lookup import Answer, Lookup, Query, Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from netcup_mailauth.dnsio.nameservers import Server, ServerAnswer

MAX_CHAIN = 8
"""CNAMEs followed in a row; more are taken for a loop."""

PATIENCE = 1.8
"""Seconds for one question to one server in a check, the retry and TCP included.

A server that is dead costs this much once, so that a check stays under three seconds.
"""

_THREADS = 100
_STATUS = {
    ServerStatus.OK: Status.OK,
    ServerStatus.EMPTY: Status.EMPTY,
    ServerStatus.NXDOMAIN: Status.NXDOMAIN,
    ServerStatus.NO_ANSWER: Status.TIMEOUT,
}
_USABLE = frozenset(
    {ServerStatus.OK, ServerStatus.EMPTY, ServerStatus.NXDOMAIN, ServerStatus.CNAME}
)


@dataclass(frozen=True, slots=True)
class Survey:
    """What each server said, and in which order to ask them further.

    Attributes:
        queries: what they were asked.
        answers: for each server its answers, in the order of ``queries``.
        order: the servers that gave a usable answer, the quickest first; empty if none did.
    """

    queries: tuple[Query, ...]
    answers: Mapping[Server, tuple[ServerAnswer, ...]]
    order: tuple[Server, ...]

    def of(self, query: Query) -> dict[Server, ServerAnswer]:
        """What each server said of one query."""
        index = self.queries.index(query)
        return {server: answers[index] for server, answers in self.answers.items()}

    def best(self) -> dict[Query, ServerAnswer]:
        """For each query the first usable answer, of the quickest server that has one."""
        found = {}
        for server in reversed(self.order):
            for query, answer in zip(self.queries, self.answers[server], strict=True):
                if answer.status in _USABLE:
                    found[query] = answer
        return found


def survey(
    servers: Sequence[Server], queries: Sequence[Query], *, timeout: float = PATIENCE
) -> Survey:
    """Ask every server every query, all at once, and note which ones are quick."""
    started = monotonic()
    own = tuple(dict.fromkeys(queries))

    def asked(server: Server) -> tuple[tuple[ServerAnswer, ...], float]:
        return ask([server], own, timeout=timeout)[server], monotonic() - started

    known = tuple(dict.fromkeys(servers))
    found = dict(zip(known, side_by_side(asked, known, _THREADS), strict=True))
    answers = {server: answered for server, (answered, _) in found.items()}
    usable = [s for s in known if any(a.status in _USABLE for a in answers[s])]
    return Survey(own, answers, tuple(sorted(usable, key=lambda server: found[server][1])))


def serves_records(zone: str, servers: Sequence[Server]) -> bool | None:
    """Whether a zone's servers have anything at its apex but SOA and NS; ``None`` if none answers.

    Used where an API says that the zone is empty.
    """
    found = survey(servers, [Query(zone, kind) for kind in ("A", "AAAA", "MX", "TXT")])
    if not found.order:
        return None
    answers = (answer for server in found.order for answer in found.answers[server])
    return any(answer.status is ServerStatus.OK for answer in answers)


class ZoneServers:
    """A :data:`~netcup_mailauth.lookup.Lookup` without a cache between us and a zone.

    One server is asked, and the others, side by side, only for what it gave no usable answer to:
    dead or slow ones behind it cost no time, and several of them no more than one.

    Args:
        domain: names at and below it are asked of ``servers``.
        servers: the zone's authoritative servers, the one to ask first before the others.
        outside: answers everything else.
        known: usable answers that are there already.
    """

    def __init__(
        self,
        domain: str,
        servers: Sequence[Server],
        outside: Lookup,
        known: Mapping[Query, ServerAnswer] | None = None,
    ) -> None:
        self._domain = domain
        self._servers = servers
        self._outside = outside
        self._known: dict[Query, ServerAnswer] = dict(known or {})
        self._tried = set(self._known)

    def __call__(self, queries: Sequence[Query]) -> list[Answer]:
        """One answer for each query, in the order asked; each round goes out side by side."""
        targets = {query: query for query in queries}
        done: dict[Query, Answer] = {}
        for _ in range(MAX_CHAIN):
            self._ask([target for query, target in targets.items() if query not in done])
            for query, target in targets.items():
                if query not in done and self._is_ours(target.name):
                    answer = self._known.get(target)
                    if answer is not None and answer.status is ServerStatus.CNAME:
                        targets[query] = Query(answer.cname, query.type)
                    elif answer is None or not self._is_delegated(target, answer):
                        done[query] = _answer(answer)
        outside = [q for q, target in targets.items() if q not in done and self._is_out(target)]
        found = self._outside([targets[query] for query in outside]) if outside else []
        done.update(zip(outside, found, strict=True))
        return [done.get(query, Answer(Status.SERVFAIL)) for query in queries]

    def _is_ours(self, name: str) -> bool:
        return name == self._domain or name.endswith(f".{self._domain}")

    def _is_out(self, target: Query) -> bool:
        known = self._known.get(target)
        return not self._is_ours(target.name) or (
            known is not None and self._is_delegated(target, known)
        )

    def _is_delegated(self, target: Query, answer: ServerAnswer) -> bool:
        """Whether the servers say that a name below the zone is in a zone of its own."""
        return answer.status is ServerStatus.REFUSED and target.name != self._domain

    def _ask(self, queries: Sequence[Query]) -> None:
        ours = [query for query in dict.fromkeys(queries) if self._is_ours(query.name)]
        left = [query for query in ours if query not in self._tried]
        self._tried.update(left)
        for servers in (self._servers[:1], self._servers[1:]):
            if not servers or not left:
                return
            for answers in ask(servers, left, timeout=PATIENCE).values():
                self._learn(zip(left, answers, strict=True))
            left = [query for query in left if self._known[query].status not in _USABLE]

    def _learn(self, told: Iterable[tuple[Query, ServerAnswer]]) -> None:
        """Keep the first usable answer to each query; else the last that was one at all."""
        for query, answer in told:
            known = self._known.get(query)
            if known is None or (
                known.status not in _USABLE and answer.status is not ServerStatus.NO_ANSWER
            ):
                self._known[query] = answer


def _answer(answer: ServerAnswer | None) -> Answer:
    if answer is None:  # there is no server to ask
        return Answer(Status.TIMEOUT)
    return Answer(_STATUS.get(answer.status, Status.SERVFAIL), answer.values)
