"""What an SPF check knows of a mail, and what the macros make of it (RFC 7208, 4.1 and 7.2)."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING

from netcup_mailauth.lookup import Status
from netcup_mailauth.spf import macros

if TYPE_CHECKING:
    from collections.abc import Iterable

    from netcup_mailauth.lookup import RecordType
    from netcup_mailauth.spf.questions import Questions
    from netcup_mailauth.spf.term import Term

_MOST_NAMES = 10


@dataclass(slots=True)
class Mail:
    """The mail under check. The names of its sending server are asked for when first needed.

    ``has_no_name`` tells, once they were, that DNS has no name at all for its address.
    """

    ip: IPv4Address | IPv6Address
    local: str
    sender_domain: str
    helo: str
    receiver: str
    timestamp: int
    questions: Questions
    has_no_name: bool = field(default=False, init=False)
    _names: list[str] | None = field(default=None, init=False)

    @property
    def address_type(self) -> RecordType:
        """The type of address to ask for: that of the sending server (RFC 7208, 5)."""
        return "A" if self.ip.version == 4 else "AAAA"

    def in_reach(self, term: Term, addresses: Iterable[str]) -> bool:
        """Whether one of the addresses is the server's, as far as the term's prefix reaches."""
        prefix = term.cidr4 if self.ip.version == 4 else term.cidr6
        return any(self.ip in ip_network((text, prefix), strict=False) for text in addresses)

    def names(self) -> list[str]:
        """The validated names of the server: those that lead back to it (RFC 7208, 5.5)."""
        if self._names is None:
            self._names = self._validated()
        return self._names

    def _validated(self) -> list[str]:
        # DNS that fails, here or for one of the names, only means fewer names.
        [answer] = self.questions.ask_all([self.ip.reverse_pointer], "PTR")
        self.has_no_name = answer.status in (Status.EMPTY, Status.NXDOMAIN)
        names = [name.rstrip(".").lower() for name in answer.values[:_MOST_NAMES]]
        answers = self.questions.ask_all(names, self.address_type)
        return [
            name
            for name, found in zip(names, answers, strict=True)
            if any(ip_address(value) == self.ip for value in found.values)
        ]

    def target(self, term: Term, domain: str) -> str:
        """The <target-name> of a term in the record of ``domain`` (RFC 7208, 4.8)."""
        if term.domain is None:
            return domain
        return macros.expand_name(term.domain, lambda letter: self.macro(letter, domain))

    def macro(self, letter: str, domain: str) -> str:
        """The value of a macro letter, in lower case, in the record of ``domain``."""
        match letter:
            case "s":
                return f"{self.local}@{self.sender_domain}"
            case "l":
                return self.local
            case "o":
                return self.sender_domain
            case "d":
                return domain
            case "i":
                return _dotted(self.ip)
            case "p":
                return self._own_name(domain)
            case "v":
                return "in-addr" if self.ip.version == 4 else "ip6"
            case "h":
                return self.helo
            case "c":
                return str(self.ip)
            case "r":
                return self.receiver
            case _:
                return str(self.timestamp)

    def _own_name(self, domain: str) -> str:
        """The validated name for ``%{p}``, the best one first (RFC 7208, 7.3)."""
        names = self.names()
        same = [name for name in names if name == domain]
        below = [name for name in names if is_within(name, domain)]
        return next(iter([*same, *below, *names]), "unknown")


def address(text: str) -> IPv4Address | IPv6Address:
    """The address; an IPv4 one in IPv6 clothes counts as IPv4 (RFC 7208, 5).

    Raises:
        ValueError: the text is no IP address.
    """
    found = ip_address(text)
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        return found.ipv4_mapped
    return found


def is_within(name: str, domain: str) -> bool:
    """Whether ``name`` is the domain or a name below it."""
    return name == domain or name.endswith(f".{domain}")


def _dotted(ip: IPv4Address | IPv6Address) -> str:
    """The address in dots: octets, or the 32 nibbles of an IPv6 address (RFC 7208, 7.3)."""
    return str(ip) if ip.version == 4 else ".".join(f"{int(ip):032X}")
