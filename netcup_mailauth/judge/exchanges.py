"""A domain's MX records."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from netcup_mailauth.judge.zone import NETCUP_MX
from netcup_mailauth.lookup import Query, Status

if TYPE_CHECKING:
    from netcup_mailauth.lookup import Lookup

NULL = "."
"""What the one MX of a domain that takes no mail names (RFC 7505)."""


@dataclass(frozen=True, slots=True)
class Exchanges:
    """The MX hosts of a domain, the preferred first; ``answered`` unless DNS was silent."""

    hosts: tuple[str, ...]
    answered: bool

    @property
    def is_null(self) -> bool:
        """Whether the domain says that it takes no mail."""
        return self.hosts == (NULL,)

    @property
    def stale(self) -> tuple[str, ...]:
        """netcup's own mail servers beside others, as its web hosting leaves them behind."""
        netcups = tuple(host for host in self.hosts if NETCUP_MX.fullmatch(host))
        return netcups if len(netcups) < len(self.hosts) else ()

    @property
    def own(self) -> tuple[str, ...]:
        """The hosts that the domain's mail is meant to go to."""
        return () if self.is_null else tuple(h for h in self.hosts if h not in self.stale)


def exchanges(domain: str, lookup: Lookup) -> Exchanges:
    """Ask for a domain's MX records."""
    (answer,) = lookup([Query(domain, "MX")])
    pairs = (value.partition(" ") for value in answer.values)
    hosts = sorted(
        (int(preference) if preference.isdecimal() else 0, host or NULL)
        for preference, _, host in pairs
    )
    answered = answer.status in (Status.OK, Status.EMPTY, Status.NXDOMAIN)
    return Exchanges(tuple(host for _, host in hosts), answered)
