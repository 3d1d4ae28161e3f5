"""A plain DNS client on dnspython: asks one server, once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import dns.resolver

if TYPE_CHECKING:
    from dns.message import Message
    from dns.resolver import Resolver

TIMEOUT = 5.0


def place(server: str) -> tuple[str, int]:
    host, _, port = server.partition(":")
    return host, int(port)


def ask(server: str, name: str, kind: str, timeout: float = TIMEOUT) -> Message:
    """UDP, and TCP if the answer does not fit."""
    host, port = place(server)
    query = dns.message.make_query(name, kind)
    return dns.query.udp_with_fallback(query, host, port=port, timeout=timeout)[0]


def udp(server: str, query: Message, timeout: float = TIMEOUT) -> Message:
    host, port = place(server)
    return dns.query.udp(query, host, port=port, timeout=timeout)


def tcp(server: str, query: Message, timeout: float = TIMEOUT) -> Message:
    host, port = place(server)
    return dns.query.tcp(query, host, port=port, timeout=timeout)


def rcode(message: Message) -> str:
    return dns.rcode.to_text(message.rcode())


def answers(message: Message, kind: str) -> list[str]:
    """The values of a type in the answer, sorted; TXT as one text each."""
    wanted = dns.rdatatype.from_text(kind)
    rdatas = [rdata for rrset in message.answer if rrset.rdtype == wanted for rdata in rrset]
    if kind == "TXT":
        return sorted(b"".join(rdata.strings).decode() for rdata in rdatas)
    return sorted(rdata.to_text() for rdata in rdatas)


def authority(message: Message) -> list[tuple[str, str]]:
    """Owner and type of what is in the authority section."""
    return [(str(rrset.name), dns.rdatatype.to_text(rrset.rdtype)) for rrset in message.authority]


def resolver(server: str) -> Resolver:
    found = dns.resolver.Resolver(configure=False)
    host, found.port = place(server)
    found.nameservers = [host]
    found.lifetime = TIMEOUT
    return found
