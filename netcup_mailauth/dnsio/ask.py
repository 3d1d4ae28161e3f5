"""Questions to DNS: to a recursive resolver, the system's or one that is named, and to one server.

One question to one server, over UDP or TCP, and the answer that belongs to it. Sockets are
connected, so that the kernel drops what comes from elsewhere and reports a closed port at once.
Times are moments of ``time.monotonic()``: no clock that is set can stretch them. Names are taken as
they are: a label may hold ``:``, ``/``, ``%``, a blank or a backslash (an SPF macro can make any of
them), and none of these escapes another.
"""

from __future__ import annotations

import errno
import ipaddress
import re
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, Any

from netcup_mailauth.dnsio.cache import SILENCE, UNSAID, Cache, Place
from netcup_mailauth.dnsio.lanes import in_lanes
from netcup_mailauth.errors import UnknownZoneError, UsageError, ZoneError
from netcup_mailauth.lookup import PORT, Answer, Query, Status

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from socket import SocketKind, socket

    from dns.message import Message, QueryMessage
    from dns.name import Name
    from dns.rrset import RRset

    from netcup_mailauth.lookup import RecordType

__all__ = ["LIFETIME", "Resolver", "host_and_port", "zone_of"]

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
            answers = in_lanes(asked, own, lambda _query: places)
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
        message = exchange(place, question, until)
    except NoAnswerError:
        return Answer(Status.TIMEOUT), SILENCE
    except BadAnswerError:
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


def negative_ttl(message: Message) -> int | None:
    """Seconds that caches may keep what a message denies (RFC 2308, 5); ``None`` if unsaid."""
    import dns.rdatatype

    found = [part for part in message.authority if part.rdtype == dns.rdatatype.SOA]
    return min(found[0].ttl, found[0][0].minimum) if found else None


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
        found = sorted(addresses(host), key=_has_colon)
        cache.places[server] = tuple((address, port) for address in found)
    return cache.places[server]


def _has_colon(address: str) -> bool:
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


PAYLOAD = 1232
"""Bytes of an answer over UDP that pass every network unfragmented (DNS flag day 2020)."""


class NoAnswerError(Exception):
    """Nothing usable came back in time; the message says how it ended."""


class BadAnswerError(Exception):
    """Something came back that is no answer to the question; the message says what."""


class _TruncatedError(Exception):
    """The answer does not fit in UDP."""


def to_resolver(query: Query) -> QueryMessage:
    """The message that asks a resolver, which is to find the answer wherever it is.

    Raises:
        ValueError: DNS cannot hold the name.
    """
    import dns.message

    return dns.message.make_query(to_wire(query.name), query.type, use_edns=0, payload=PAYLOAD)


def to_server(query: Query) -> QueryMessage:
    """The message that asks a server for what it knows itself.

    Raises:
        ValueError: DNS cannot hold the name.
    """
    import dns.flags

    message = to_resolver(query)
    message.flags &= ~dns.flags.RD
    return message


def exchange(place: Place, question: QueryMessage, until: float, sends: int = 1) -> Message:
    """The answer over UDP, or over TCP if it does not fit.

    Over UDP the question goes out ``sends`` times, evenly spread over the time ``until`` then.

    Raises:
        NoAnswerError: none came.
        BadAnswerError: it is malformed, or answers something else.
    """
    try:
        return _over_udp(place, question, until, sends)
    except _TruncatedError:
        pass
    try:
        return over_tcp(place, question, until)
    except NoAnswerError as error:
        raise NoAnswerError(f"too long for UDP, and over TCP: {error}") from None


def over_tcp(place: Place, question: QueryMessage, until: float) -> Message:
    """The answer over TCP; fails as :func:`exchange` does."""
    import socket

    try:
        with _connected(place, socket.SOCK_STREAM, until) as link:
            _limit(link, until)
            link.sendall(question.to_wire(prepend_length=True))
            size = int.from_bytes(_read(link, 2, until), "big")
            data = _read(link, size, until)
    except OSError as error:
        raise NoAnswerError(_reason(error)) from None
    try:
        return _parsed(data, question)
    except _TruncatedError:
        raise BadAnswerError("the answer is cut off, over TCP too") from None


def _over_udp(place: Place, question: QueryMessage, until: float, sends: int) -> Message:
    import socket

    step = (until - monotonic()) / sends
    moments = [until - step * left for left in reversed(range(sends))]
    strays: list[bytes] = []
    try:
        with _connected(place, socket.SOCK_DGRAM, until) as link:
            for moment in moments:
                link.send(question.to_wire())
                data = _own_datagram(link, question.id, moment, strays)
                if data is not None:
                    return _parsed(data, question)
    except OSError as error:
        raise NoAnswerError(_reason(error)) from None
    if strays:
        raise BadAnswerError("the answer carries the number of another question")
    raise NoAnswerError("no answer")


def _own_datagram(link: socket, number: int, until: float, strays: list[bytes]) -> bytes | None:
    """The next datagram with our number; what carries another may be forged, and ends nothing."""
    own = number.to_bytes(2, "big")
    while True:
        try:
            _limit(link, until)
            data = link.recv(65535)
        except TimeoutError:
            return None
        if data[:2] == own:
            return data
        strays.append(data)


def _parsed(data: bytes, question: QueryMessage) -> Message:
    import dns.exception
    import dns.message

    try:
        message = dns.message.from_wire(data, raise_on_truncation=True)
    except dns.message.Truncated:
        raise _TruncatedError from None
    except dns.exception.DNSException as error:
        raise BadAnswerError(f"the answer is malformed ({type(error).__name__})") from None
    if not question.is_response(message):
        raise BadAnswerError("the answer is to another question")
    return message


def _connected(place: Place, kind: SocketKind, until: float) -> socket:
    import socket

    import dns.inet

    family = dns.inet.af_for_address(place[0])
    # Of fe80::1%eth0 this keeps the interface, which connect() by itself would lose.
    target = dns.inet.low_level_address_tuple(place, family)
    link = socket.socket(family, kind)
    try:
        _limit(link, until)
        link.connect(target)
    except BaseException:
        link.close()
        raise
    return link


def _limit(link: socket, until: float) -> None:
    """Let the next step on the socket take no longer than ``until``; raise if it is past that."""
    left = until - monotonic()
    if left <= 0:
        raise TimeoutError
    link.settimeout(left)


def _read(link: socket, size: int, until: float) -> bytes:
    data = b""
    while len(data) < size:
        _limit(link, until)
        piece = link.recv(size - len(data))
        if not piece:
            raise ConnectionError("the connection was closed before the answer was complete")
        data += piece
    return data


def _reason(error: OSError) -> str:
    if isinstance(error, TimeoutError):
        return "no answer"
    return error.strerror or str(error)


ROOT = "."


def to_wire(text: str) -> Name:
    """The name to ask for.

    Raises:
        ValueError: DNS cannot hold this name, or it is not in punycode.
    """
    import dns.exception
    import dns.name

    try:
        labels = [label.encode("ascii") for label in text.removesuffix(".").split(".")]
        if not all(labels):
            raise ValueError("a label is empty")
        return dns.name.Name([*labels, b""])
    except (UnicodeError, ValueError, dns.exception.DNSException):
        raise ValueError(f"DNS cannot hold the name {text!r}") from None


def to_text(name: Name) -> str:
    """A name that DNS gave: in lower case, without the final dot; the root is ``.``.

    Bytes beyond ASCII become one character each (latin-1). A dot inside a label gets a backslash,
    so that it cannot pass for the border of two labels.
    """
    labels = name.canonicalize().labels[:-1]
    return ".".join(label.replace(b".", b"\\.").decode("latin-1") for label in labels) or ROOT


def records(message: Message, name: Name, record_type: RecordType) -> RRset | None:
    """The records of this type at this very name, in the answer section; ``None`` for none."""
    import dns.rdataclass
    import dns.rdatatype

    return message.get_rrset(
        message.answer, name, dns.rdataclass.IN, dns.rdatatype.from_text(record_type)
    )


def texts(found: RRset, record_type: RecordType) -> tuple[str, ...]:
    """Each record as text, sorted: servers turn the order with every answer."""
    return tuple(sorted(map(_TEXT[record_type], found)))


def _soa(record: Any) -> str:
    numbers = (record.serial, record.refresh, record.retry, record.expire, record.minimum)
    return " ".join([to_text(record.mname), to_text(record.rname), *map(str, numbers)])


_TEXT: dict[RecordType, Callable[[Any], str]] = {
    "A": lambda record: str(record.address),
    "AAAA": lambda record: str(record.address),
    "CNAME": lambda record: to_text(record.target),
    "MX": lambda record: f"{record.preference} {to_text(record.exchange)}",
    "NS": lambda record: to_text(record.target),
    "PTR": lambda record: to_text(record.target),
    "SOA": _soa,
    "TXT": lambda record: b"".join(record.strings).decode("latin-1"),
}


def host_and_port(text: str) -> tuple[str, int]:
    """``HOST[:PORT]`` in its two parts; an IPv6 address with a port stands in brackets.

    Raises:
        UsageError: the text is no such thing.
    """
    host, port = _split(text.strip())
    usable = _is_ipv6(host) if ":" in host else re.fullmatch(r"[A-Za-z0-9_.-]+", host)
    number = int(port) if re.fullmatch(r"[0-9]{1,5}", port) else PORT if not port else 0
    if not usable or not 0 < number < 65536:
        raise UsageError(
            f"{text!r} is not HOST or HOST:PORT.", "As in 192.0.2.53, 127.0.0.1:5300 or [::1]:5300"
        )
    return host, number


def _split(text: str) -> tuple[str, str]:
    """Host and port as written; the host is empty if they cannot be told apart."""
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        if not bracket or ":" not in host or rest[:1] not in ("", ":") or rest == ":":
            return "", ""
        return host, rest[1:]
    if text.count(":") > 1:
        return text, ""
    host, colon, port = text.partition(":")
    return ("", "") if colon and not port else (host, port)


def _is_ipv6(text: str) -> bool:
    """Whether it is an address, perhaps with the interface it is reached by (RFC 4007, 11)."""
    _, percent, interface = text.partition("%")
    if percent and not re.fullmatch(r"[A-Za-z0-9_.-]+", interface):
        return False
    try:
        return ipaddress.ip_address(text).version == 6
    except ValueError:
        return False


def addresses(host: str) -> tuple[str, ...]:
    """The addresses of a host, IPv4 and IPv6, as this machine knows them.

    A name takes as long as the machine's own resolver allows itself; an address takes no time.

    Raises:
        UsageError: it has none.
    """
    import socket

    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_DGRAM)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "this is no host name"
        raise UsageError(
            f"The DNS server {host} has no address: {reason}.", "Give its address instead."
        ) from None
    return tuple(dict.fromkeys(str(place[0]) for *_, place in found))


_NO_ROUTE = frozenset(
    {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}
)
"""How the kernel says that there is no way to an address: no route, no address of our own to ask
from, or no such protocol at all."""


def has_route(place: Place) -> bool:
    """Whether this machine knows a way to an address. Nothing is sent."""
    import socket

    import dns.inet

    family = dns.inet.af_for_address(place[0])
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as link:
            link.connect(dns.inet.low_level_address_tuple(place, family))
    except OSError as error:
        return error.errno not in _NO_ROUTE
    return True
