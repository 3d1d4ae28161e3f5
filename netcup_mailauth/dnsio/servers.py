"""The servers of a zone: which to ask, and what each says by itself, without any cache in between.

They are its own, or those that the user names. Every address counts as a server of its own: the
machines behind the addresses of one name need not agree, and a receiver may ask any of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING
from zlib import crc32

from netcup_mailauth.dnsio import ask
from netcup_mailauth.dnsio.ask import (
    addresses,
    has_route,
    host_and_port,
    negative_ttl,
    records,
    texts,
    to_text,
    to_wire,
)
from netcup_mailauth.dnsio.cache import Cache, Place
from netcup_mailauth.dnsio.lanes import both, in_lanes
from netcup_mailauth.dnsio.resolver import Resolver, zone_of
from netcup_mailauth.errors import ZoneError
from netcup_mailauth.lookup import (
    USABLE,
    Answer,
    Lookup,
    Query,
    Server,
    ServerAnswer,
    ServerStatus,
    Status,
    Survey,
    silent,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from dns.message import Message

    from netcup_mailauth.lookup import RecordType
    from netcup_mailauth.netcup.zonefile import ZoneFiles

_FAMILIES: dict[RecordType, str] = {"A": "IPv4", "AAAA": "IPv6"}


def authoritative(zone: str, resolver: Lookup) -> tuple[Server, ...]:
    """The servers that DNS names for a zone, at each of their addresses, IPv4 and IPv6.

    A look-up of addresses that fails is no proof that there are none: the server stands in the
    list once more, without an address.

    Raises:
        ZoneError: DNS names none.
    """
    [found] = resolver([Query(zone, "NS")])
    if found.status is not Status.OK:
        raise ZoneError(
            f"DNS does not name the name servers of {zone} ({found.status.value}).",
            "Name them with --nameserver HOST, or another resolver with --resolver HOST.",
        )
    queries = [Query(name, family) for name in found.values for family in _FAMILIES]
    answers = dict(zip(queries, resolver(queries), strict=True))
    return tuple(
        server
        for name in found.values
        for server in _at(name, {f: answers[Query(name, f)] for f in _FAMILIES})
    )


def _at(name: str, answers: dict[RecordType, Answer]) -> Iterator[Server]:
    """A server at the addresses that DNS gives for it, and once more if it does not say all."""
    known = [Server(name, address) for answer in answers.values() for address in answer.values]
    failed = [
        f"DNS does not say its {_FAMILIES[family]} addresses ({answer.status.value})"
        for family, answer in answers.items()
        if answer.status in (Status.SERVFAIL, Status.TIMEOUT)
    ]
    yield from known
    if failed:
        yield Server(name, "", unknown="; ".join(failed))
    elif not known:
        yield Server(name, "")


def with_route(servers: Sequence[Server]) -> tuple[Server, ...]:
    """The servers that this machine can ask: without those of an address family it has not got.

    All of them where it can ask none, so that the failure is seen.
    """
    asked = tuple(s for s in servers if not s.address or has_route((s.address, s.port)))
    return asked if any(server.address for server in asked) else tuple(servers)


def not_asked(servers: Sequence[Server]) -> str:
    """A sentence on the servers that :func:`with_route` leaves out; empty if it leaves out none."""
    asked = with_route(servers)
    left = [server for server in servers if server not in asked]
    families = sorted({"IPv6" if ":" in server.address else "IPv4" for server in left})
    if not left:
        return ""
    return (
        f"The {' and '.join(families)} addresses of "
        f"{', '.join(dict.fromkeys(server.name for server in left))} were not asked: this machine "
        "has no route to them."
    )


def parse_servers(texts: Iterable[str]) -> tuple[Server, ...]:
    """The servers a user names, each once, at the addresses that this machine knows for them.

    Raises:
        UsageError: one is not ``HOST[:PORT]``, or has no address.
    """
    named = [host_and_port(text) for text in texts]
    found = [Server(host, address, port) for host, port in named for address in addresses(host)]
    return tuple(dict.fromkeys(found))


TIMEOUT = 2.5
"""Seconds for one question to one server, the retry and TCP included."""


def ask_each(
    servers: Sequence[Server], queries: Sequence[Query], *, timeout: float = TIMEOUT
) -> dict[Server, tuple[ServerAnswer, ...]]:
    """For each server its answers to the queries, in their order, all asked side by side.

    Over TCP what does not fit in UDP. It all takes as long as the slowest single answer, at most
    ``timeout`` seconds, in which a question goes out twice if need be; beyond what one server is
    asked at a time, that much for each such number.
    """
    return _ask(servers, queries, timeout)


def denial_ttl(answer: ServerAnswer) -> int | None:
    """Seconds that caches keep "there is no such record", by what a server said of the SOA record.

    ``None`` if it did not say.
    """
    if not answer.values:
        return None
    # RFC 2308, 3: the lesser of the two.
    minimum = int(answer.values[0].rsplit(" ", 1)[1])
    return minimum if answer.ttl is None else min(minimum, answer.ttl)


def _ask(
    servers: Sequence[Server], queries: Sequence[Query], timeout: float, *, tcp: bool = False
) -> dict[Server, tuple[ServerAnswer, ...]]:
    asked = dict.fromkeys(servers)
    pairs = [(server, query) for server in asked for query in queries]
    answers = iter(
        in_lanes(lambda pair: _answer(*pair, monotonic() + timeout, tcp=tcp), pairs, _lane)
    )
    return {server: tuple(next(answers) for _ in queries) for server in asked}


def _lane(pair: tuple[Server, Query]) -> Place:
    """All questions to one server go one way."""
    return pair[0].address, pair[0].port


def _answer(server: Server, query: Query, until: float, *, tcp: bool = False) -> ServerAnswer:
    if not server.address:
        return ServerAnswer(ServerStatus.NO_ANSWER, detail=server.unknown)
    try:
        question, place = ask.to_server(query), (server.address, server.port)
        message = (
            ask.over_tcp(place, question, until) if tcp else ask.exchange(place, question, until)
        )
    except ask.NoAnswerError as error:
        return ServerAnswer(ServerStatus.NO_ANSWER, detail=str(error))
    except (ask.BadAnswerError, ValueError) as error:
        return ServerAnswer(ServerStatus.BAD, detail=str(error))
    return _read(query, message)


def _read(query: Query, message: Message) -> ServerAnswer:
    """What an authoritative server's message says about a query."""
    import dns.flags
    import dns.rcode

    code = message.rcode()
    if code not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
        declined = code in (dns.rcode.REFUSED, dns.rcode.NOTAUTH)
        status = ServerStatus.REFUSED if declined else ServerStatus.SERVFAIL
        return ServerAnswer(status, detail=f"it answers {dns.rcode.to_text(code)}")
    if not message.flags & dns.flags.AA:
        cut, servers = _referral(query, message)
        detail = "it does not answer for this zone itself"
        return ServerAnswer(ServerStatus.REFUSED, cut=cut, servers=servers, detail=detail)
    return _own_answer(query, message)


def _own_answer(query: Query, message: Message) -> ServerAnswer:
    import dns.rcode

    name = to_wire(query.name)
    missing = message.rcode() == dns.rcode.NXDOMAIN
    found = records(message, name, query.type)
    if found is not None and not missing:
        values = texts(found, query.type)
        return ServerAnswer(ServerStatus.OK, values, ttl=found.ttl)
    alias = records(message, name, "CNAME")
    if alias is not None:
        target = to_text(alias[0].target)
        return ServerAnswer(ServerStatus.CNAME, (), target, ttl=alias.ttl)
    if message.answer:
        return ServerAnswer(ServerStatus.BAD, detail="the answer does not fit the question")
    status = ServerStatus.NXDOMAIN if missing else ServerStatus.EMPTY
    return ServerAnswer(status, ttl=negative_ttl(message))


def _referral(query: Query, message: Message) -> tuple[str, tuple[str, ...]]:
    """Where the zone begins that a server refers to, and its servers; nothing if it names none."""
    import dns.rdatatype

    name = to_wire(query.name)
    for part in message.authority:
        if part.rdtype == dns.rdatatype.NS and name.is_subdomain(part.name):
            return to_text(part.name), tuple(sorted(to_text(one.target) for one in part))
    return "", ()


MAX_CHAIN = 8
"""CNAMEs followed in a row; more are taken for a loop."""

PATIENCE = 1.8
"""Seconds for one question to one server in a check, the retry and TCP included.

A server that is dead costs this much once, so that a check stays under three seconds.
"""

ALIKE = 0.05
"""Seconds within which two servers count as equally quick."""

_STATUS = {
    ServerStatus.OK: Status.OK,
    ServerStatus.EMPTY: Status.EMPTY,
    ServerStatus.NXDOMAIN: Status.NXDOMAIN,
    ServerStatus.NO_ANSWER: Status.TIMEOUT,
}


def survey(
    servers: Sequence[Server],
    queries: Sequence[Query],
    once: Sequence[Query] = (),
    silent: set[Place] | None = None,
    *,
    timeout: float = PATIENCE,
) -> Survey:
    """Ask every server every query, all at once, and note which ones are quick.

    ``once`` is asked in the same wave, of one server alone: not of the same for all domains. Those
    that are known to be ``silent`` are asked for the first query, and for the rest if they answer
    that: so that a dead server costs many domains little.
    """
    silent = set() if silent is None else silent
    known, own = tuple(dict.fromkeys(servers)), tuple(dict.fromkeys(queries))
    beside = [query for query in dict.fromkeys(once) if query not in own]
    share = crc32(own[0].name.encode()) % len(known) if own and known else 0
    one = known[share : share + 1]
    pairs = [(server, query) for server in known for query in own]
    pairs += [(server, query) for server in one for query in beside]

    def asked(pair: tuple[Server, Query]) -> tuple[ServerAnswer, float]:
        answer = _answer(*pair, monotonic() + timeout)
        change = silent.add if answer.status is ServerStatus.NO_ANSWER else silent.discard
        change(_lane(pair))
        return answer, monotonic()

    def unless_silent(pair: tuple[Server, Query]) -> tuple[ServerAnswer, float] | None:
        return None if pair[1] != own[0] and _lane(pair) in silent else asked(pair)

    told = zip(pairs, in_lanes(unless_silent, pairs, _lane), strict=True)
    found = {pair: heard for pair, heard in told if heard is not None}
    for pair in pairs:
        first = found[pair[0], own[0]]
        if first[0].status is ServerStatus.NO_ANSWER:
            found.setdefault(pair, first)
    left = [pair for pair in pairs if pair not in found]
    found |= zip(left, in_lanes(asked, left, _lane), strict=True)
    answers = {server: tuple(found[server, query][0] for query in own) for server in known}
    done = {s: max((found[s, query][1] for query in own), default=0.0) for s in known}
    usable = [s for s in known if any(a.status in USABLE for a in answers[s])]
    soonest = min((done[server] for server in usable), default=0.0)
    usable.sort(key=lambda server: (done[server] - soonest) // ALIKE)
    said = tuple((query, found[server, query][0]) for server in one for query in beside)
    return Survey(own, answers, tuple(usable), said)


def surveyed_further(asked: Survey, queries: Iterable[Query]) -> Survey:
    """The survey with those of these queries that it lacks.

    Whoever gave no usable answer is not asked again, and is taken to say the same once more.
    """
    more = tuple(query for query in dict.fromkeys(queries) if query not in asked.queries)
    if not more:
        return asked
    said = ask_each(asked.order, more, timeout=PATIENCE)
    answers = {
        server: (*own, *said.get(server, own[:1] * len(more)))
        for server, own in asked.answers.items()
    }
    return Survey((*asked.queries, *more), answers, asked.order, asked.beside)


def answers_of(asked: Survey) -> dict[Query, Answer]:
    """What a survey has found out already; where an alias leads to it has not."""
    best = asked.best().items()
    return {q: _answer_of(a) for q, a in best if a.status is not ServerStatus.CNAME}


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

    Names at and below ``domain`` are asked of ``servers``, the first of them first; ``outside``
    answers everything else. ``known`` are usable answers that are there already.
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
        for _ in range(MAX_CHAIN + 1):
            left = [query for query in targets if query not in done]
            outside = [query for query in left if self._is_out(targets[query])]
            own = [targets[query] for query in left if query not in outside]
            if not left:
                break
            done |= zip(outside, self._asked(own, [targets[q] for q in outside]), strict=True)
            for query in left:
                answer = self._known.get(targets[query])
                if query in done or not self._is_ours(targets[query].name):
                    continue
                if answer is not None and answer.status is ServerStatus.CNAME:
                    targets[query] = Query(answer.cname, query.type)
                elif answer is None or not self._is_delegated(targets[query], answer):
                    done[query] = _answer_of(answer)
        return [done.get(query, Answer(Status.SERVFAIL)) for query in queries]

    def _asked(self, own: Sequence[Query], outside: Sequence[Query]) -> Sequence[Answer]:
        """Ask the servers, and whoever answers what lies outside meanwhile: its answers."""
        if outside and any(query not in self._tried for query in own):
            return both(lambda: self._outside(outside), lambda: self._ask(own))[0]
        self._ask(own)
        return self._outside(outside) if outside else ()

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
            for answers in ask_each(servers, left, timeout=PATIENCE).values():
                self._learn(zip(left, answers, strict=True))
            left = [query for query in left if self._known[query].status not in USABLE]

    def _learn(self, told: Iterable[tuple[Query, ServerAnswer]]) -> None:
        """Keep the first usable answer to each query; else the last that was one at all."""
        for query, answer in told:
            known = self._known.get(query)
            if known is None or (
                known.status not in USABLE and answer.status is not ServerStatus.NO_ANSWER
            ):
                self._known[query] = answer


def _answer_of(answer: ServerAnswer | None) -> Answer:
    if answer is None:  # there is no server to ask
        return Answer(Status.TIMEOUT)
    return Answer(_STATUS.get(answer.status, Status.SERVFAIL), answer.values)


@dataclass(frozen=True, slots=True)
class Dns:
    """The DNS of a run.

    Resolver (the system's if ``None``) and servers (a zone's own if empty) are HOST or HOST:PORT.
    ``zones`` are exported ones, which say themselves what lies in them; ``None`` to ask DNS.
    What resolvers answer is in the ``cache``; what a zone's servers say never is.
    """

    resolver: str | None = None
    servers: tuple[str, ...] = ()
    zones: ZoneFiles | None = None
    cache: Cache = field(default_factory=Cache, compare=False, repr=False)

    def lookup(self) -> Lookup:
        """A look-up with a budget of queries and time of its own: one for each domain."""
        return Resolver(self.resolver, cache=self.cache)

    def zone_of(self, domain: str) -> str:
        """The zone that a domain lies in.

        Raises:
            ZoneError: DNS does not say, or there is no such domain.
        """
        if self.zones is not None:
            return self.zones.zone_of(domain)
        return zone_of(domain, self.resolver, self.cache)

    def servers_of(self, zone: str) -> tuple[Server, ...]:
        """The servers to ask about a zone: those named, else its own.

        Raises:
            UsageError: one of those named is no server.
            MailauthError: DNS does not say which it has.
        """
        if self.servers:
            return parse_servers(self.servers)
        return authoritative(zone, self.lookup())

    def survey(
        self, servers: Sequence[Server], queries: Sequence[Query], once: Sequence[Query]
    ) -> Survey:
        """What each of these servers says of each query, and one of them of those beside."""
        return survey(servers, queries, once, self.cache.silent)

    def ask(
        self, servers: Sequence[Server], queries: Sequence[Query]
    ) -> dict[Server, tuple[ServerAnswer, ...]]:
        """What each of these servers says of each of these queries."""
        return ask_each(servers, queries)

    def ask_over_tcp(
        self, servers: Sequence[Server], queries: Sequence[Query]
    ) -> dict[Server, tuple[ServerAnswer, ...]]:
        """The same, over TCP: what only fits into UDP cut off does not help anybody."""
        return _ask(servers, queries, TIMEOUT, tcp=True)


class Unasked(Dns):
    """As `Dns`, but nobody is asked about names outside a zone."""

    def lookup(self) -> Lookup:
        """The look-up that answers nothing."""
        return silent
