"""Asking one DNS server on loopback."""

from __future__ import annotations

from typing import Any

import dns.message
import dns.name
import dns.nameserver
import dns.query
import dns.rcode
import dns.rdatatype
import dns.resolver


def resolver_at(address: str) -> dns.resolver.Resolver:
    """A resolver that knows one server, as ``HOST:PORT``, and keeps nothing."""
    host, port = address.split(":")
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers = [dns.nameserver.Do53Nameserver(host, int(port))]
    resolver.lifetime = 5.0
    return resolver


def ask(address: str, name: str, kind: str, seconds: float = 3.0) -> dns.message.Message:
    """What it answers, over TCP if it does not fit.

    Raises:
        OSError, dns.exception.Timeout: it does not answer.
    """
    host, port = address.split(":")
    query = dns.message.make_query(name, kind, use_edns=0, payload=1232)
    answer, _ = dns.query.udp_with_fallback(query, host, timeout=seconds, port=int(port))
    return answer


def answered(address: str, name: str, kind: str, seconds: float = 3.0) -> tuple[str, list[str]]:
    """The response code, and the values in order: ``("NOERROR", ["10 mail.example.com."])``.

    Raises:
        OSError, dns.exception.Timeout: it does not answer.
    """
    answer = ask(address, name, kind, seconds)
    wanted = dns.rdatatype.from_text(kind)
    values = [str(data) for rrset in answer.answer if rrset.rdtype == wanted for data in rrset]
    return dns.rcode.to_text(answer.rcode()), sorted(values)


def txt_strings(address: str, name: str) -> list[list[bytes]]:
    """The TXT records of a name, each in its strings."""
    rrsets: list[Any] = [
        r for r in ask(address, name, "TXT").answer if r.rdtype == dns.rdatatype.TXT
    ]
    return [list(data.strings) for rrset in rrsets for data in rrset]
