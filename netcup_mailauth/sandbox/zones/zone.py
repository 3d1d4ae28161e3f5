"""A zone as the sandbox keeps it: its records, its SOA values, and how netcup shows both."""

from __future__ import annotations

import random
import re
import time
import zlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from netcup_mailauth.sandbox.quirks import Quirks
    from netcup_mailauth.sandbox.zones.records import Record

# One label and a TLD (1.3). netcup has a fixed list of TLDs; any run of letters passes here, plus
# the best-known ones of two labels.
_LABEL = r"(?:[a-z]|(?=[a-z0-9]*[a-z])[a-z0-9]{2}|[a-z0-9][a-z0-9-]{1,61}[a-z0-9])"
_TLD = r"(?:[a-z]{2,63}|xn--[a-z0-9-]{2,59}|(?:co|me|org|ltd|plc)\.uk|(?:co|or)\.at|com\.de)"
_ZONE_NAME = re.compile(rf"{_LABEL}\.{_TLD}", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True, slots=True)
class Zone:
    """One zone; frozen, so that a change is a new zone and an old one can be kept.

    The SOA defaults are those seen at netcup (L17).
    """

    name: str
    records: tuple[Record, ...]
    serial: int
    ttl: str = "86400"
    refresh: str = "28800"
    retry: str = "7200"
    expire: str = "1209600"
    dnssec: bool = False
    dnssec_enabled: float = 0.0
    backend: Literal["ccp", "clouddns"] = "ccp"

    def with_records(self, records: tuple[Record, ...], now: float) -> Zone:
        """The zone with these records; the serial moves only if they say something else (L24)."""
        if set(map(_said, records)) == set(map(_said, self.records)):
            return self
        return replace(self, records=records, serial=next_serial(self.serial, now))

    def wire(self, name: str, quirks: Quirks) -> dict[str, object]:
        """The object of `infoDnsZone`: numbers are texts (L17)."""
        return {
            "name": name,
            "ttl": self.ttl,
            "serial": str(self.serial),
            "refresh": self.refresh,
            "retry": self.retry,
            "expire": self.expire,
            "dnssecstatus": self.dnssec and not quirks.dnssec_forgotten,
        }

    def wire_records(self, quirks: Quirks, now: float) -> list[dict[str, object]]:
        """The list of `infoDnsRecords`, in netcup's order (L18, L19, L37)."""
        ordered = sorted(self.records, key=lambda record: _order(record, quirks))
        return [record.wire(_state(record, quirks, now)) for record in ordered]

    def ttl_of(self, record: Record) -> str:
        """What the name servers serve it with: its own TTL on CloudDNS (R14), else the zone's."""
        return str(record.ttl) if self.backend == "clouddns" else self.ttl


def is_zone_name(name: object) -> bool:
    """Whether netcup takes this as a `domainname`: exactly one label and a TLD (L13)."""
    return isinstance(name, str) and _ZONE_NAME.fullmatch(name) is not None


def first_serial(now: float) -> int:
    """The serial of a zone written today for the first time: YYYYMMDD01 (L24)."""
    return int(time.strftime("%Y%m%d", time.gmtime(now))) * 100 + 1


def next_serial(serial: int, now: float) -> int:
    """One more, or the first of today; runs past 99 without a thought (L24)."""
    return max(serial + 1, first_serial(now))


def _said(record: Record) -> tuple[int, tuple[str, str, str, str], int]:
    return (record.id, record.content(), record.ttl)


def _order(record: Record, quirks: Quirks) -> tuple[str, float]:
    """Upper-cased ASCII, so `_` comes last; equal names in an order that is not the ids'."""
    if quirks.ties == "shuffled":
        return (record.hostname.upper(), random.random())  # noqa: S311 - not for secrets
    return (record.hostname.upper(), zlib.crc32(str(record.id).encode()))


def _state(record: Record, quirks: Quirks, now: float) -> str:
    if quirks.state_field == "always-unknown":
        return "unknown"
    if quirks.state_field == "always-yes":
        return "yes"
    return "yes" if now - record.written >= quirks.publish_delay else "unknown"
