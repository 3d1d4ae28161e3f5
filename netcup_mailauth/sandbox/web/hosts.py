"""For which names the sandbox answers: none that a foreign web page could point here."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Names served beside the addresses of loopback, in lower case.
SERVED = frozenset({"localhost"})


def are_served(hosts: Sequence[str]) -> bool:
    """Whether a request is meant for the sandbox, by every host it names.

    A page of `evil.example` may have that name point to 127.0.0.1 (DNS rebinding); what its scripts
    send then names that host. A request that names none is refused too: nobody who is to be served
    sends one, as even HTTP/1.0 clients send a Host header.

    Args:
        hosts: the values of the Host header, and the authority of an absolute target
            (RFC 9112 3.2).
    """
    return bool(hosts) and all(_is_served(host) for host in hosts)


def _is_served(host: str) -> bool:
    try:
        parts = urlsplit(f"//{host}")
        _ = parts.port  # raises for one that is no number
        if parts.netloc != host or "@" in host:
            return False
        name = parts.hostname or ""
        return name in SERVED or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
