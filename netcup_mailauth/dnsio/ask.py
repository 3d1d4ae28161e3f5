"""One question to one server, over UDP or TCP, and the answer that belongs to it.

Sockets are connected, so that the kernel drops what comes from elsewhere and reports a closed port
at once. Times are moments of ``time.monotonic()``: no clock that is set can stretch them. Names are
taken as they are: a label may hold ``:``, ``/``, ``%``, a blank or a backslash (an SPF macro can
make any of them), and none of these escapes another.
"""

from __future__ import annotations

import errno
import ipaddress
import re
from time import monotonic
from typing import TYPE_CHECKING, Any

from netcup_mailauth.errors import UsageError
from netcup_mailauth.lookup import PORT, Query

if TYPE_CHECKING:
    from collections.abc import Callable
    from socket import SocketKind, socket

    from dns.message import Message, QueryMessage
    from dns.name import Name
    from dns.rrset import RRset

    from netcup_mailauth.dnsio.cache import Place
    from netcup_mailauth.lookup import RecordType

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


def exchange(place: Place, question: QueryMessage, until: float) -> Message:
    """The answer over UDP, or over TCP if it does not fit.

    Over UDP the question goes out twice in the time ``until`` then: many answer so much a second.

    Raises:
        NoAnswerError: none came.
        BadAnswerError: it is malformed, or answers something else.
    """
    try:
        return _over_udp(place, question, until)
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


def _over_udp(place: Place, question: QueryMessage, until: float) -> Message:
    import socket

    half_way = (monotonic() + until) / 2
    strays: list[bytes] = []
    try:
        with _connected(place, socket.SOCK_DGRAM, until) as link:
            for moment in (half_way, until):
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


def negative_ttl(message: Message) -> int | None:
    """Seconds that caches may keep what a message denies (RFC 2308, 5); ``None`` if unsaid."""
    import dns.rdatatype

    found = [part for part in message.authority if part.rdtype == dns.rdatatype.SOA]
    return min(found[0].ttl, found[0][0].minimum) if found else None


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
