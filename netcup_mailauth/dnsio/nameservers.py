"""What each authoritative server of a zone says by itself, without any cache in between."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from time import monotonic
from typing import TYPE_CHECKING

from netcup_mailauth.dnsio import wire
from netcup_mailauth.dnsio.crowd import side_by_side
from netcup_mailauth.dnsio.names import to_text, to_wire
from netcup_mailauth.dnsio.servers import (
    Server,
    authoritative,
    not_asked,
    parse_servers,
    with_route,
)
from netcup_mailauth.dnsio.values import records, texts
from netcup_mailauth.lookup import Query

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dns.message import Message, QueryMessage

    from netcup_mailauth.dnsio.places import Place

    Exchange = Callable[[Place, QueryMessage, float], Message]

__all__ = [
    "TIMEOUT",
    "Server",
    "ServerAnswer",
    "ServerStatus",
    "Soa",
    "ask",
    "ask_over_tcp",
    "authoritative",
    "not_asked",
    "parse_servers",
    "soa",
    "with_route",
]

TIMEOUT = 2.5
"""Seconds for one question to one server, the retry and TCP included."""

_THREADS = 100


class ServerStatus(StrEnum):
    """How a question to one server ended."""

    OK = "ok"
    EMPTY = "empty"  # the name exists, without records of this type
    NXDOMAIN = "nxdomain"
    CNAME = "cname"  # the name is an alias
    REFUSED = "refused"  # it does not serve this zone: REFUSED, a referral, another's data
    SERVFAIL = "servfail"  # any other failure that the server itself reports
    NO_ANSWER = "no answer"
    BAD = "bad"  # malformed, an answer to something else, or a question that cannot be asked


@dataclass(frozen=True, slots=True)
class ServerAnswer:
    """What one server says about one query.

    Args:
        status: how it ended.
        values: the records, as in :class:`netcup_mailauth.lookup.Answer`; empty unless ``OK``.
        cname: what the name is an alias of; empty unless the status is ``CNAME``.
        authoritative: whether the server calls the answer its own. Always so for ``OK``,
            ``EMPTY``, ``NXDOMAIN`` and ``CNAME``.
        ttl: seconds that a cache may keep this answer, a negative one too; ``None`` if unsaid.
        detail: a clause on why there is no answer to the query; else empty.
    """

    status: ServerStatus
    values: tuple[str, ...] = ()
    cname: str = ""
    authoritative: bool = False
    ttl: int | None = None
    detail: str = ""


def ask(
    servers: Sequence[Server], queries: Sequence[Query], *, timeout: float = TIMEOUT
) -> dict[Server, tuple[ServerAnswer, ...]]:
    """Ask every server every query, all side by side; over TCP what does not fit in UDP.

    It all takes as long as the slowest single answer, at most ``timeout``; beyond 100 questions,
    that much for each hundred.

    Args:
        servers: whom to ask.
        queries: what to ask each of them.
        timeout: seconds for one question to one server. It goes out twice if need be.

    Returns:
        For each server its answers, in the order of ``queries``.
    """
    return _ask(_over_udp, servers, queries, timeout)


def ask_over_tcp(
    servers: Sequence[Server], queries: Sequence[Query], *, timeout: float = TIMEOUT
) -> dict[Server, tuple[ServerAnswer, ...]]:
    """As :func:`ask`, but over TCP from the start: whether a server can be reached that way."""
    return _ask(wire.over_tcp, servers, queries, timeout)


@dataclass(frozen=True, slots=True)
class Soa:
    """What a server says about the version of a zone that it serves.

    Args:
        answer: the answer itself, to say why the rest is missing.
        serial: the zone's serial number; ``None`` without an answer.
        negative_ttl: seconds that a cache keeps "there is no such record"; ``None`` likewise.
    """

    answer: ServerAnswer
    serial: int | None = None
    negative_ttl: int | None = None


def soa(servers: Sequence[Server], zone: str, *, timeout: float = TIMEOUT) -> dict[Server, Soa]:
    """The SOA record of a zone at each server.

    Args:
        servers: whom to ask.
        zone: the zone's name.
        timeout: seconds for one server.
    """
    answers = ask(servers, [Query(zone, "SOA")], timeout=timeout)
    return {server: _soa(answer) for server, (answer,) in answers.items()}


def _soa(answer: ServerAnswer) -> Soa:
    if not answer.values:
        return Soa(answer)
    # From the right: the two names at the beginning may hold blanks.
    _, serial, _, _, _, minimum = answer.values[0].rsplit(" ", 5)
    # RFC 2308, 3: the lesser of the two.
    ttls = [int(minimum), *([] if answer.ttl is None else [answer.ttl])]
    return Soa(answer, int(serial), min(ttls))


def _ask(
    exchange: Exchange, servers: Sequence[Server], queries: Sequence[Query], timeout: float
) -> dict[Server, tuple[ServerAnswer, ...]]:
    asked = dict.fromkeys(servers)
    pairs = [(server, query) for server in asked for query in queries]
    answers = iter(
        side_by_side(lambda pair: _answer(exchange, *pair, monotonic() + timeout), pairs, _THREADS)
    )
    return {server: tuple(next(answers) for _ in queries) for server in asked}


def _over_udp(place: Place, question: QueryMessage, until: float) -> Message:
    return wire.exchange(place, question, until, sends=2)


def _answer(exchange: Exchange, server: Server, query: Query, until: float) -> ServerAnswer:
    if not server.address:
        return ServerAnswer(ServerStatus.NO_ANSWER, detail=server.unknown)
    try:
        question = wire.to_server(query)
        message = exchange((server.address, server.port), question, until)
    except wire.NoAnswerError as error:
        return ServerAnswer(ServerStatus.NO_ANSWER, detail=str(error))
    except (wire.BadAnswerError, ValueError) as error:
        return ServerAnswer(ServerStatus.BAD, detail=str(error))
    return _read(query, message)


def _read(query: Query, message: Message) -> ServerAnswer:
    """What an authoritative server's message says about a query."""
    import dns.flags
    import dns.rcode

    code = message.rcode()
    own = bool(message.flags & dns.flags.AA)
    if code not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
        declined = code in (dns.rcode.REFUSED, dns.rcode.NOTAUTH)
        status = ServerStatus.REFUSED if declined else ServerStatus.SERVFAIL
        return ServerAnswer(
            status, authoritative=own, detail=f"it answers {dns.rcode.to_text(code)}"
        )
    if not own:
        return ServerAnswer(ServerStatus.REFUSED, detail="it does not answer for this zone itself")
    return _own_answer(query, message)


def _own_answer(query: Query, message: Message) -> ServerAnswer:
    import dns.rcode

    name = to_wire(query.name)
    missing = message.rcode() == dns.rcode.NXDOMAIN
    found = records(message, name, query.type)
    if found is not None and not missing:
        values = texts(found, query.type)
        return ServerAnswer(ServerStatus.OK, values, authoritative=True, ttl=found.ttl)
    alias = records(message, name, "CNAME")
    if alias is not None:
        target = to_text(alias[0].target)
        return ServerAnswer(ServerStatus.CNAME, (), target, authoritative=True, ttl=alias.ttl)
    if message.answer:
        return ServerAnswer(
            ServerStatus.BAD, authoritative=True, detail="the answer does not fit the question"
        )
    status = ServerStatus.NXDOMAIN if missing else ServerStatus.EMPTY
    return ServerAnswer(status, authoritative=True, ttl=_negative_ttl(message))


def _negative_ttl(message: Message) -> int | None:
    import dns.rdatatype

    found = [part for part in message.authority if part.rdtype == dns.rdatatype.SOA]
    return min(found[0].ttl, found[0][0].minimum) if found else None
