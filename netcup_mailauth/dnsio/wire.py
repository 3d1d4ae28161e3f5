"""One question to one server, over UDP or TCP, and the answer that belongs to it.

Sockets are connected, so that the kernel drops what comes from elsewhere and reports a closed
port at once. Times are moments of ``time.monotonic()``: no clock that is set can stretch them.
"""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

from netcup_mailauth.dnsio.names import to_wire

if TYPE_CHECKING:
    from socket import SocketKind, socket

    from dns.message import Message, QueryMessage

    from netcup_mailauth.dnsio.places import Place
    from netcup_mailauth.lookup import Query

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

    Args:
        place: where the server listens.
        question: what to ask.
        until: when to give up.
        sends: how often the question goes out over UDP, evenly spread over the time.

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
    """The answer over TCP.

    Args:
        place: where the server listens.
        question: what to ask.
        until: when to give up.

    Raises:
        NoAnswerError: none came.
        BadAnswerError: it is malformed, or answers something else.
    """
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
    """Let the next step on the socket take no longer than ``until``.

    Raises:
        TimeoutError: it is past that.
    """
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
