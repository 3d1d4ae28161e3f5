"""A zone as DNS would serve it: the look-ups of the pure core, answered from records just read.

Names inside the zone are answered from its records (wildcards and CNAMEs included), so that a
plan judges the zone as it will be and not as caches still see it. Everything else is passed on.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING

from netcup_mailauth.lookup import Answer, Lookup, Query, Status
from netcup_mailauth.names import APEX

if TYPE_CHECKING:
    from collections.abc import Sequence

    from netcup_mailauth.records import DnsRecord, Zone

MAX_CHAIN = 8
"""CNAMEs followed in a row; more are taken for a loop."""


@dataclass(frozen=True, slots=True)
class ZoneLookup:
    """Answers from ``zone`` where a name lies in it, else from ``outside``."""

    zone: Zone
    outside: Lookup

    def __call__(self, queries: Sequence[Query]) -> Sequence[Answer]:
        """One answer for each query, in the order asked; outside names go out in one batch."""
        steps = [self._inside(query) if self._is_ours(query.name) else query for query in queries]
        others = list(dict.fromkeys(step for step in steps if isinstance(step, Query)))
        found = dict(zip(others, self.outside(others), strict=True)) if others else {}
        return [found[step] if isinstance(step, Query) else step for step in steps]

    def _is_ours(self, name: str) -> bool:
        if name == self.zone.name:
            return True
        return name.endswith(f".{self.zone.name}") and not self._is_delegated(name)

    def _is_delegated(self, name: str) -> bool:
        """Whether the name lies at or below NS records, and so in a zone of its own."""
        hostname = f".{self._hostname(name)}"
        cuts = (r.hostname for r in self.zone.records if r.type == "NS" and r.hostname != APEX)
        return any(hostname.endswith(f".{cut}") for cut in cuts)

    def _inside(self, query: Query) -> Answer | Query:
        """The answer, or the query that a CNAME out of the zone leads to."""
        name = query.name
        for _ in range(MAX_CHAIN):
            records = self._at(name)
            matching = [r for r in records if r.type == query.type and _is_servable(r)]
            if matching:
                return Answer(Status.OK, tuple(self._value(record) for record in matching))
            alias = next((record for record in records if record.type == "CNAME"), None)
            if alias is None:
                return Answer(Status.EMPTY if records or self._exists(name) else Status.NXDOMAIN)
            name = self._target(alias.destination)
            if not self._is_ours(name):
                return Query(name, query.type)
        return Answer(Status.SERVFAIL)

    def _at(self, name: str) -> list[DnsRecord]:
        """The records at a name, from the closest wildcard where the name itself has none."""
        hostname = self._hostname(name)
        records = [record for record in self.zone.records if record.hostname == hostname]
        while not records and hostname != APEX and not self._exists_below(hostname):
            _, _, hostname = hostname.partition(".")
            wildcard = f"*.{hostname}" if hostname else "*"
            records = [record for record in self.zone.records if record.hostname == wildcard]
            if not hostname or self._is_there(hostname):
                break
        return records

    def _exists(self, name: str) -> bool:
        hostname = self._hostname(name)
        return hostname == APEX or self._is_there(hostname)

    def _is_there(self, hostname: str) -> bool:
        """Whether a name is in the zone: with records, or with names below it."""
        at_it = any(record.hostname == hostname for record in self.zone.records)
        return at_it or self._exists_below(hostname)

    def _exists_below(self, hostname: str) -> bool:
        return any(record.hostname.endswith(f".{hostname}") for record in self.zone.records)

    def _hostname(self, name: str) -> str:
        return APEX if name == self.zone.name else name.removesuffix(f".{self.zone.name}")

    def _target(self, destination: str) -> str:
        # netcup lists targets without the trailing dot, and the apex as @ (fact 1.5).
        name = destination.rstrip(".").lower()
        return self.zone.name if name == APEX else name

    def _value(self, record: DnsRecord) -> str:
        match record.type:
            case "MX":
                return f"{record.priority} {self._target(record.destination)}"
            case "CNAME" | "NS" | "PTR":
                return self._target(record.destination)
            case _:
                return record.destination


def _is_servable(record: DnsRecord) -> bool:
    """Whether a name server could serve the record: an address has to be one."""
    family = {"A": IPv4Address, "AAAA": IPv6Address}.get(record.type)
    if family is None:
        return True
    try:
        family(record.destination)
    except ValueError:
        return False
    return "%" not in record.destination
