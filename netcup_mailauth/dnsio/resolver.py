"""Questions to a recursive resolver: the system's, or one that is named.

What the resolvers of a run have answered is kept in its cache, and nobody asks the same beside
another. Times are moments of ``time.monotonic()``: no clock that is set can stretch them.
"""

from __future__ import annotations

from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING

from netcup_mailauth.dnsio import ask
from netcup_mailauth.dnsio.ask import (
    addresses,
    host_and_port,
    negative_ttl,
    records,
    texts,
    to_resolver,
    to_wire,
)
from netcup_mailauth.dnsio.cache import SILENCE, UNSAID, Cache, Place
from netcup_mailauth.dnsio.lanes import TO_A_RESOLVER, in_lanes
from netcup_mailauth.errors import UnknownZoneError, ZoneError
from netcup_mailauth.lookup import Answer, Query, Status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dns.message import Message, QueryMessage
    from dns.name import Name

LIFETIME = 5.0
"""Seconds for finding a zone, retries included."""

_ROUNDS = 2
"""How often each server is tried that does not answer."""

_AT_A_CUT = frozenset({"NS", "SOA"})
"""Types that say where a zone begins: asked of an alias, they are not looked for at its target."""


class Resolver:
    """Answers the core's queries: a :data:`netcup_mailauth.lookup.Lookup` that asks DNS.

    What was asked once is remembered; what the ``cache`` of the run holds, or is being asked by
    somebody else, is not asked. Failures are answers, never exceptions: ``SERVFAIL`` for a name
    that DNS cannot hold, for nonsense and for an alias that leads round and round; ``TIMEOUT`` for
    silence and for what was not asked. Aliases are followed as far as the resolver's own answer
    goes, but for NS and SOA, which belong to the name itself. Of several servers the next is tried
    when one is silent or fails.

    ``server`` is ``HOST[:PORT]``, the system's by default. At most ``limit`` different queries are
    answered, in ``budget`` seconds of asking, in which waiting for the turn among the questions of
    others does not count. One try at one server takes ``timeout`` seconds.

    Raises:
        UsageError: ``server`` is not ``HOST[:PORT]``, or the host has no address.
    """

    def __init__(
        self,
        server: str | None = None,
        *,
        cache: Cache | None = None,
        limit: int = 50,
        budget: float = 10.0,
        timeout: float = 2.0,
    ) -> None:
        self._cache = Cache() if cache is None else cache
        self._places = None if server is None else _places_of(server, self._cache)
        self._limit = limit
        self._left = budget
        self._timeout = timeout
        self._known: dict[Query, Answer] = {}
        self._lock = Lock()

    def __call__(self, queries: Sequence[Query]) -> list[Answer]:
        """An answer for each query, in the order asked; those not yet known are asked at once."""
        with self._lock:
            self._ask([query for query in dict.fromkeys(queries) if query not in self._known])
            return [self._known.get(query, Answer(Status.TIMEOUT)) for query in queries]

    def _ask(self, queries: list[Query]) -> None:
        """Add to what is known, as far as limit and budget go."""
        places = self._servers()
        left = queries[: max(0, self._limit - len(self._known))]
        while left and places and self._left > 0:
            self._ask_once(left, places)
            # What somebody else asked, and gave up early, has no answer yet.
            left = [query for query in left if query not in self._known]

    def _ask_once(self, queries: list[Query], places: tuple[Place, ...]) -> None:
        silent = self._cache.silent
        begun = {query: self._cache.begin((places, query)) for query in queries}
        own = [query for query, (_, is_ours) in begun.items() if is_ours]
        spent: list[float] = []

        def asked(query: Query) -> Answer | None:
            """``None`` where nobody answers lately: then the first question tries it for all."""
            if query != own[0] and silent.issuperset(places):
                return None
            began = monotonic()
            until = began + self._left - max(spent, default=0.0)
            answer, seconds = self._answer(query, places, until)
            spent.append(monotonic() - began)
            self._cache.end((places, query), None if seconds is None else answer, seconds or 0.0)
            return answer

        try:
            answers = in_lanes(asked, own, lambda _query: places, TO_A_RESOLVER)
            for query, answer in zip(own, answers, strict=True):
                if answer is not None:
                    self._known[query] = answer
                elif answers[0] == Answer(Status.TIMEOUT):
                    self._known[query] = answers[0]
                    self._cache.end((places, query), answers[0], SILENCE)
        finally:
            for query in own:
                self._cache.end((places, query), None)
        self._left -= max(spent, default=0.0)
        for query, (future, is_ours) in begun.items():
            heard = None if is_ours else future.result()
            if heard is not None:
                self._known[query] = heard

    def _servers(self) -> tuple[Place, ...]:
        if self._places is None:
            self._places = _systems_places()
        return self._places

    def _answer(
        self, query: Query, places: tuple[Place, ...], until: float
    ) -> tuple[Answer, float | None]:
        """The answer, and how many seconds it holds; ``None`` where it was cut short.

        Then it is only that there was not the time to hear one.
        """
        try:
            question = to_resolver(query)
        except ValueError:
            return Answer(Status.SERVFAIL), 0.0
        failed: set[Place] = set()
        heard_out: set[Place] = set()
        silent = self._cache.silent
        for place in sorted(places, key=silent.__contains__) * _ROUNDS:
            now = monotonic()
            if place in failed or now >= until:
                continue
            answer, seconds = _try(query, place, question, min(until, now + self._timeout))
            if answer.status is Status.TIMEOUT:
                if now + self._timeout <= until:
                    heard_out.add(place)
                    silent.add(place)
                continue
            silent.discard(place)
            if answer.status is not Status.SERVFAIL:
                return answer, seconds
            failed.add(place)
        status = Status.SERVFAIL if failed else Status.TIMEOUT
        return Answer(status), SILENCE if failed | heard_out >= set(places) else None


def _try(query: Query, place: Place, question: QueryMessage, until: float) -> tuple[Answer, float]:
    try:
        message = ask.exchange(place, question, until)
    except ask.NoAnswerError:
        return Answer(Status.TIMEOUT), SILENCE
    except ask.BadAnswerError:
        return Answer(Status.SERVFAIL), SILENCE
    answer = _answered(query, message)
    return answer, _seconds(answer, message)


def _seconds(answer: Answer, message: Message) -> float:
    """How long caches may keep what a message says: the least of what it rests on.

    A chain of aliases holds as long as each of them; what they lead to that is not there, as long
    as its zone says (RFC 2308, 5).
    """
    held = [float(part.ttl) for part in message.answer]
    if answer.status is not Status.OK:
        denied = negative_ttl(message)
        held.append(UNSAID if denied is None else float(denied))
    return min(held)


def _answered(query: Query, message: Message) -> Answer:
    """What a resolver's message says about a query."""
    import dns.rcode

    match message.rcode():
        case dns.rcode.NOERROR:
            return _follow(query, message)
        case dns.rcode.NXDOMAIN:
            return Answer(Status.NXDOMAIN)
        case _:
            return Answer(Status.SERVFAIL)


def _follow(query: Query, message: Message) -> Answer:
    """The records at the end of the aliases, as far as the message holds them."""
    name = to_wire(query.name)
    passed: set[Name] = set()
    while name not in passed:
        found = records(message, name, query.type)
        if found is not None:
            return Answer(Status.OK, texts(found, query.type))
        alias = records(message, name, "CNAME")
        if alias is None:
            nonsense = message.answer and not passed
            return Answer(Status.SERVFAIL if nonsense else Status.EMPTY)
        if query.type in _AT_A_CUT:
            return Answer(Status.EMPTY)
        passed.add(name)
        name = alias[0].target
    return Answer(Status.SERVFAIL)


def zone_of(domain: str, server: str | None = None, cache: Cache | None = None) -> str:
    """The zone that ``domain`` lies in: the nearest name upwards with an SOA record.

    A name that DNS gives no answer for ends the search: the zone could begin right there.

    Raises:
        UsageError: ``server`` is not ``HOST[:PORT]``, or the host has no address.
        UnknownZoneError: DNS does not answer.
        ZoneError: it knows no such zone.
    """
    resolver = Resolver(server, cache=cache, limit=_MOST_LABELS, budget=LIFETIME)
    name = domain.lower().removesuffix(".")
    while "." in name:
        [answer] = resolver([Query(name, "SOA")])
        if answer.status is Status.OK:
            return name
        if answer.status not in (Status.EMPTY, Status.NXDOMAIN):
            raise UnknownZoneError(*_no_zone(domain))
        name = name.partition(".")[2]
    raise ZoneError(*_no_zone(domain))


def _no_zone(domain: str) -> tuple[str, str]:
    return (
        f"DNS does not say in which zone {domain} lies.",
        f'Name it in the config: [domains."{domain}"] zone = "..."',
    )


_MOST_LABELS = 127


def _places_of(server: str, cache: Cache) -> tuple[Place, ...]:
    """One resolver may have several addresses; any will do, and IPv4 is the likelier to work.

    They are looked up once a run, not for each of its domains.
    """
    if server not in cache.places:
        host, port = host_and_port(server)
        found = sorted(addresses(host), key=lambda address: ":" in address)
        cache.places[server] = tuple((address, port) for address in found)
    return cache.places[server]


def _systems_places() -> tuple[Place, ...]:
    """The system's resolvers, as /etc/resolv.conf names them; none if it does not."""
    import dns.exception
    import dns.resolver

    try:
        system = dns.resolver.Resolver()
    except (dns.exception.DNSException, ValueError):
        return ()
    return tuple((str(server), system.port) for server in system.nameservers)
