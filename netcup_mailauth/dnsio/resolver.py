"""Questions to a recursive resolver: the system's, or one that is named."""

from __future__ import annotations

from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING

from netcup_mailauth.dnsio import wire
from netcup_mailauth.dnsio.crowd import side_by_side
from netcup_mailauth.dnsio.names import to_wire
from netcup_mailauth.dnsio.places import addresses, host_and_port
from netcup_mailauth.dnsio.values import records, texts
from netcup_mailauth.errors import UnknownZoneError, ZoneError
from netcup_mailauth.lookup import Answer, Query, Status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dns.message import Message, QueryMessage
    from dns.name import Name

    from netcup_mailauth.dnsio.places import Place

__all__ = ["LIFETIME", "Resolver", "host_and_port", "zone_of"]

LIFETIME = 5.0
"""Seconds for finding a zone, retries included."""

_THREADS = 32
_AT_A_CUT = frozenset({"NS", "SOA"})
"""Types that say where a zone begins: asked of an alias, they are not looked for at its target."""


class Resolver:
    """Answers the core's queries: a :data:`netcup_mailauth.lookup.Lookup` that asks DNS.

    What was asked once is remembered. Failures are answers, never exceptions: ``SERVFAIL`` for a
    name that DNS cannot hold, for nonsense and for an alias that leads round and round;
    ``TIMEOUT`` for silence and for what was not asked (see ``exhausted``). Aliases are followed as
    far as the resolver's own answer goes, but for NS and SOA, which belong to the name itself.
    Of several servers the next is tried when one is silent or fails.

    Args:
        server: ``HOST[:PORT]`` of the resolver to ask; the system's by default.
        limit: how many different queries are asked in all.
        budget: seconds that asking takes in all; a batch never takes longer than what is left.
        timeout: seconds for one try at one server.
        retries: how many more rounds through the servers follow the first one.

    Raises:
        UsageError: ``server`` is not ``HOST[:PORT]``, or the host has no address.
    """

    def __init__(
        self,
        server: str | None = None,
        *,
        limit: int = 50,
        budget: float = 10.0,
        timeout: float = 2.0,
        retries: int = 1,
    ) -> None:
        self.exhausted: str | None = None
        """Why something was not asked, or the next question will not be; ``None`` if all can be."""
        self._places = None if server is None else _places_of(server)
        self._limit = limit
        self._budget = self._left = budget
        self._timeout = timeout
        self._rounds = 1 + retries
        self._known: dict[Query, Answer] = {}
        self._lock = Lock()

    def __call__(self, queries: Sequence[Query]) -> list[Answer]:
        """An answer for each query, in the order asked; those not yet known are asked at once."""
        with self._lock:
            self._ask([query for query in dict.fromkeys(queries) if query not in self._known])
            return [self._known.get(query, Answer(Status.TIMEOUT)) for query in queries]

    def _ask(self, queries: list[Query]) -> None:
        """Add to what is known, as far as limit and budget go."""
        room = self._limit - len(self._known)
        if len(queries) > room:
            self.exhausted = f"more than {self._limit} DNS queries"
        places = self._servers()
        if not places:
            self.exhausted = "this machine names no DNS resolver"
        if self._left <= 0 or not places or not queries[:room]:
            return
        started = monotonic()
        until = started + self._left
        answers = side_by_side(
            lambda query: self._answer(query, places, until), queries[:room], _THREADS
        )
        self._known.update(zip(queries[:room], answers, strict=True))
        self._left -= monotonic() - started
        if self._left <= 0:
            self.exhausted = f"DNS took more than {self._budget:g} s"

    def _servers(self) -> tuple[Place, ...]:
        if self._places is None:
            self._places = _systems_places()
        return self._places

    def _answer(self, query: Query, places: tuple[Place, ...], until: float) -> Answer:
        try:
            question = wire.to_resolver(query)
        except ValueError:
            return Answer(Status.SERVFAIL)
        failed: set[Place] = set()
        for place in places * self._rounds:
            now = monotonic()
            if place in failed or now >= until:
                continue
            answer = _try(query, place, question, min(until, now + self._timeout))
            if answer.status is Status.SERVFAIL:
                failed.add(place)
            elif answer.status is not Status.TIMEOUT:
                return answer
        return Answer(Status.SERVFAIL if failed else Status.TIMEOUT)


def _try(query: Query, place: Place, question: QueryMessage, until: float) -> Answer:
    try:
        return _read(query, wire.exchange(place, question, until))
    except wire.NoAnswerError:
        return Answer(Status.TIMEOUT)
    except wire.BadAnswerError:
        return Answer(Status.SERVFAIL)


def _read(query: Query, message: Message) -> Answer:
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


def zone_of(domain: str, server: str | None = None) -> str:
    """The zone that ``domain`` lies in: the nearest name upwards with an SOA record.

    A name that DNS gives no answer for ends the search: the zone could begin right there.

    Args:
        domain: a full name.
        server: ``HOST[:PORT]`` of the resolver to ask; the system's by default.

    Raises:
        UsageError: ``server`` is not ``HOST[:PORT]``, or the host has no address.
        UnknownZoneError: DNS does not answer.
        ZoneError: it knows no such zone.
    """
    resolver = Resolver(server, limit=_MOST_LABELS, budget=LIFETIME)
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


def _places_of(server: str) -> tuple[Place, ...]:
    """One resolver may have several addresses; any will do, and IPv4 is the likelier to work."""
    host, port = host_and_port(server)
    return tuple((address, port) for address in sorted(addresses(host), key=_is_ipv6))


def _is_ipv6(address: str) -> bool:
    return ":" in address


def _systems_places() -> tuple[Place, ...]:
    """The system's resolvers, as /etc/resolv.conf names them; none if it does not."""
    import dns.exception
    import dns.resolver

    try:
        system = dns.resolver.Resolver()
    except (dns.exception.DNSException, ValueError):
        return ()
    return tuple((str(server), system.port) for server in system.nameservers)
