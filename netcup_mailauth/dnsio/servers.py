"""Which servers to ask about a zone: its own, or those that the user names.

Every address counts as a server of its own: the machines behind the addresses of one name need
not agree, and a receiver may ask any of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from netcup_mailauth.dnsio.places import PORT, addresses, has_route, host_and_port
from netcup_mailauth.errors import ZoneError
from netcup_mailauth.lookup import Query, Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from netcup_mailauth.lookup import Answer, Lookup, RecordType

_FAMILIES: dict[RecordType, str] = {"A": "IPv4", "AAAA": "IPv6"}


@dataclass(frozen=True, slots=True)
class Server:
    """A name server at one of its addresses.

    Args:
        name: as the zone or the user names it.
        address: its IP address; empty if DNS gives none, so that it is missed and not forgotten.
        port: where it listens.
        unknown: a clause on why there is no address.
    """

    name: str
    address: str
    port: int = PORT
    unknown: str = field(default="DNS gives no address for it", compare=False)

    @property
    def label(self) -> str:
        """Name and address for people: ``ns.example.com (192.0.2.1)``, ``127.0.0.1:5300``."""
        if not self.address:
            return self.name
        bracketed = f"[{self.address}]" if ":" in self.address else self.address
        place = self.address if self.port == PORT else f"{bracketed}:{self.port}"
        return place if self.name == self.address else f"{self.name} ({place})"


def authoritative(zone: str, resolver: Lookup) -> tuple[Server, ...]:
    """The servers that DNS names for a zone, at each of their addresses, IPv4 and IPv6.

    A look-up of addresses that fails is no proof that there are none: the server stands in the
    list once more, without an address.

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
    queries = [Query(name, family) for name in found.values for family in _FAMILIES]
    answers = dict(zip(queries, resolver(queries), strict=True))
    return tuple(
        server
        for name in found.values
        for server in _at(name, {f: answers[Query(name, f)] for f in _FAMILIES})
    )


def _at(name: str, answers: dict[RecordType, Answer]) -> Iterator[Server]:
    """A server at the addresses that DNS gives for it, and once more if it does not say all."""
    known = [Server(name, address) for answer in answers.values() for address in answer.values]
    failed = [
        f"DNS does not say its {_FAMILIES[family]} addresses ({answer.status.value})"
        for family, answer in answers.items()
        if answer.status in (Status.SERVFAIL, Status.TIMEOUT)
    ]
    yield from known
    if failed:
        yield Server(name, "", unknown="; ".join(failed))
    elif not known:
        yield Server(name, "")


def with_route(servers: Sequence[Server]) -> tuple[Server, ...]:
    """The servers that this machine can ask: without those of an address family it has not got.

    All of them where it can ask none, so that the failure is seen.
    """
    asked = tuple(s for s in servers if not s.address or has_route((s.address, s.port)))
    return asked if any(server.address for server in asked) else tuple(servers)


def not_asked(servers: Sequence[Server]) -> str:
    """A sentence on the servers that :func:`with_route` leaves out; empty if it leaves out none."""
    asked = with_route(servers)
    left = [server for server in servers if server not in asked]
    families = sorted({"IPv6" if ":" in server.address else "IPv4" for server in left})
    if not left:
        return ""
    return (
        f"The {' and '.join(families)} addresses of "
        f"{', '.join(dict.fromkeys(server.name for server in left))} were not asked: this machine "
        "has no route to them."
    )


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
