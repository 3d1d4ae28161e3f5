"""How a run asks DNS: which resolver, and which servers speak for a zone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from netcup_mailauth.dnsio.nameservers import authoritative, parse_servers
from netcup_mailauth.dnsio.resolver import Resolver, zone_of

if TYPE_CHECKING:
    from netcup_mailauth.backends.zonefile import ZoneFiles
    from netcup_mailauth.dnsio.nameservers import Server
    from netcup_mailauth.lookup import Lookup


@dataclass(frozen=True, slots=True)
class Dns:
    """The DNS of a run.

    Attributes:
        resolver: the recursive resolver to ask, as HOST or HOST:PORT; ``None`` for the system's.
        servers: servers to ask instead of a zone's own, in the same form; its own if empty.
        zones: exported zones, which say themselves what lies in them; ``None`` to ask DNS.
    """

    resolver: str | None = None
    servers: tuple[str, ...] = ()
    zones: ZoneFiles | None = None

    def lookup(self) -> Lookup:
        """A look-up with a budget of queries and time of its own: one for each domain."""
        return Resolver(self.resolver)

    def zone_of(self, domain: str) -> str:
        """The zone that a domain lies in.

        Raises:
            ZoneError: DNS does not say, or there is no such domain.
        """
        if self.zones is not None:
            return self.zones.zone_of(domain)
        return zone_of(domain, self.resolver)

    def servers_of(self, zone: str) -> tuple[Server, ...]:
        """The servers to ask about a zone: those named, else its own.

        Raises:
            UsageError: one of those named is no server.
            MailauthError: DNS does not say which it has.
        """
        if self.servers:
            return parse_servers(self.servers)
        return authoritative(zone, Resolver(self.resolver))
