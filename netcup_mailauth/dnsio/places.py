"""Where a DNS server listens: ``HOST[:PORT]`` as a user writes it, and the addresses of a host."""

from __future__ import annotations

import errno
import ipaddress
import re

from netcup_mailauth.errors import UsageError

PORT = 53

Place = tuple[str, int]
"""An IP address and a port."""


def host_and_port(text: str, default_port: int = PORT) -> tuple[str, int]:
    """``HOST[:PORT]`` in its two parts; an IPv6 address with a port stands in brackets.

    Raises:
        UsageError: the text is no such thing.
    """
    host, port = _split(text.strip())
    usable = _is_ipv6(host) if ":" in host else re.fullmatch(r"[A-Za-z0-9_.-]+", host)
    number = int(port) if re.fullmatch(r"[0-9]{1,5}", port) else default_port if not port else 0
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
