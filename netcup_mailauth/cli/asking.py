"""The DNS of a run of the command line, which says on stderr whom it asks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from netcup_mailauth.dnsio.asking import Dns

if TYPE_CHECKING:
    from netcup_mailauth.cli.wiring import Run
    from netcup_mailauth.dnsio.nameservers import Server


@dataclass(frozen=True)
class RunDns(Dns):
    """As `Dns`; which servers are asked instead of a zone's own is known to the run, and told."""

    run: Run | None = None

    def servers_of(self, zone: str) -> tuple[Server, ...]:
        """See `Dns`."""
        assert self.run is not None
        return self.run.servers_of(zone)
