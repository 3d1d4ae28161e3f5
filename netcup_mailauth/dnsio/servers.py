"""Which servers to ask about a zone: its own, or those that the user names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from netcup_mailauth.dnsio.places import PORT, addresses, host_and_port
from netcup_mailauth.errors import ZoneError
from netcup_mailauth.lookup import Query, Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from netcup_mailauth.lookup import Lookup, RecordType


@dataclass(frozen=True, slots=True)
class Server:
    """A name server at one of its addresses.

    Args:
        name: as the zone or the user names it.
        address: its IP address; empty if DNS gives none, so that it is missed and not forgotten.
        port: where it listens.
    """

    name: str
    address: str
    port: int = PORT

    @property
    def label(self) -> str:
        """Name and address for people: ``ns.example.com (192.0.2.1)``, ``127.0.0.1:5300``."""
        if not self.address:
            return self.name
        bracketed = f"[{self.address}]" if ":" in self.address else self.address
        place = self.address if self.port == PORT else f"{bracketed}:{self.port}"
        return place if self.name == self.address else f"{self.name} ({place})"


def authoritative(zone: str, resolver: Lookup) -> tuple[Server, ...]:
    """The servers that DNS names for a zone, at each IPv4 address, or IPv6 for want of one.

    Args:
        zone: the zone's name.
        resolver: answers the questions for their names and addresses.

    Raises:
        ZoneError: DNS names none.
    """
    [found] = resolver([Query(zone, "NS")])
    if found.status is not Status.OK:
        raise ZoneError(
            f"DNS does not name the name servers of {zone} ({found.status.value}).",
            "Name them with --nameserver HOST, or another resolver with --resolver HOST.",
        )
    places = _addresses(found.values, "A", resolver)
    without = [name for name, known in places.items() if not known]
    places |= _addresses(without, "AAAA", resolver)
    return tuple(
        Server(name, address) for name, known in places.items() for address in known or ("",)
    )


def _addresses(
    names: Sequence[str], record_type: RecordType, resolver: Lookup
) -> dict[str, tuple[str, ...]]:
    answers = resolver([Query(name, record_type) for name in names])
    return {name: answer.values for name, answer in zip(names, answers, strict=True)}


def parse_servers(texts: Iterable[str]) -> tuple[Server, ...]:
    """The servers a user names, each once, at the addresses that this machine knows for them.

    Args:
        texts: ``HOST[:PORT]`` each.

    Raises:
        UsageError: one is no such thing, or has no address.
    """
    named = [host_and_port(text) for text in texts]
    found = [Server(host, address, port) for host, port in named for address in addresses(host)]
    return tuple(dict.fromkeys(found))
