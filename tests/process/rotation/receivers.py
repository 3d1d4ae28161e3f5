"""Receivers of mail: each asks one DNS server, keeps its answers as long as it may, and verifies.

They verify with dkimpy, which knows nothing of this project.
"""

from __future__ import annotations

import time
from functools import cached_property
from typing import TYPE_CHECKING, Any

import dns.message
import dns.query
import dns.rdatatype

from tests.world.judges.judges import load

if TYPE_CHECKING:
    from types import ModuleType

    from dns.rrset import RRset

    from tests.process.rotation.mails import Mail


class Receiver:
    """A mail server with a cache of its own, that honours TTL and negative TTL (RFC 2308).

    Args:
        server: the DNS server it asks, as HOST:PORT.
    """

    def __init__(self, server: str) -> None:
        host, _, port = server.rpartition(":")
        self._host, self._port = host, int(port)
        self._known: dict[str, tuple[float, bytes]] = {}

    @cached_property
    def _dkim(self) -> ModuleType:
        return load("dkimpy", "dkim", "pip install dkimpy")

    def verifies(self, mail: Mail) -> bool:
        """Whether the mail's signature is right, by what DNS says of its key."""
        found: bool = self._dkim.verify(mail.text, dnsfunc=self._asked_by_dkimpy)
        return found

    def text(self, name: str) -> bytes:
        """The TXT record at a name, out of the cache if it is there; empty for none."""
        until, text = self._known.get(name, (0.0, b""))
        now = time.monotonic()
        if now >= until:
            ttl, text = self._ask(name)
            # Counted from before the question: no cache keeps it for longer.
            self._known[name] = (now + ttl, text)
        return text

    def _asked_by_dkimpy(self, name: bytes, timeout: Any = None) -> bytes:
        return self.text(name.decode("ascii").removesuffix("."))

    def _ask(self, name: str) -> tuple[float, bytes]:
        question = dns.message.make_query(name, dns.rdatatype.TXT)
        answer = dns.query.tcp(question, self._host, timeout=5, port=self._port)
        for rrset in answer.answer:
            if rrset.rdtype == dns.rdatatype.TXT:
                return float(rrset.ttl), b"".join(rrset[0].strings)
        return _negative_ttl(answer.authority), b""


def _negative_ttl(authority: list[RRset]) -> float:
    """The lesser of the SOA's own TTL and what it says itself (RFC 2308, 5)."""
    for rrset in authority:
        if rrset.rdtype == dns.rdatatype.SOA:
            return float(min(rrset.ttl, rrset[0].minimum))
    raise AssertionError("a denial without a SOA")
