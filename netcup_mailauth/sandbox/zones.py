"""The zones of the account and their records, whichever API looks at them."""

from __future__ import annotations

import ipaddress
import random
import re
import threading
import time
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from netcup_mailauth.sandbox.quirks import Quirks

#: netcup's name servers (1.12); the first is the primary.
NAME_SERVERS = ("root-dns.netcup.net.", "second-dns.netcup.net.", "third-dns.netcup.net.")

#: The mailbox in every SOA.
CONTACT = "dnsadmin.netcup.net."

#: Where a zone is served (L16).
Backend = Literal["ccp", "clouddns"]

#: The types netcup's CCP takes (1.5).
TYPES = frozenset(
    {
        "A", "AAAA", "CAA", "CNAME", "DS", "MX", "NS",
        "OPENPGPKEY", "SMIMEA", "SRV", "SSHFP", "TLSA", "TXT",
    }
)  # fmt: skip

#: What reads the addresses that two of them hold.
ADDRESSES = {"A": ipaddress.IPv4Address, "AAAA": ipaddress.IPv6Address}

#: The TTL of a record that was given none, in seconds (R14).
USUAL_TTL = 3600

_FIRST_ID = 405400
_LONGEST_NUMBER = 18
_HOSTNAME = re.compile(
    r"@|\*|(?:\*\.)?[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*", re.IGNORECASE | re.ASCII
)
# One label and a TLD (1.3). netcup has a fixed list of TLDs; any run of letters passes here, plus
# the best-known ones of two labels.
_LABEL = r"(?:[a-z]|(?=[a-z0-9]*[a-z])[a-z0-9]{2}|[a-z0-9][a-z0-9-]{1,61}[a-z0-9])"
_TLD = r"(?:[a-z]{2,63}|xn--[a-z0-9-]{2,59}|(?:co|me|org|ltd|plc)\.uk|(?:co|or)\.at|com\.de)"
_ZONE_NAME = re.compile(rf"{_LABEL}\.{_TLD}", re.IGNORECASE | re.ASCII)

_REQUIRED = ("hostname", "type", "destination")
_KNOWN = {"id", *_REQUIRED, "priority", "deleterecord", "state", "ttl"}


@dataclass(frozen=True, slots=True)
class Record:
    """One stored record.

    `written` is when it last changed, 0 for "long ago"; `ttl` counts while the zone is on CloudDNS
    (R14), as the CCP knows only one for the whole zone (L39).
    """

    id: int
    hostname: str
    type: str
    priority: str
    destination: str
    written: float = 0.0
    ttl: int = USUAL_TTL

    def wire(self, state: str) -> dict[str, object]:
        """The seven keys in netcup's order, `deleterecord` always false (L18)."""
        return {
            "id": str(self.id),
            "hostname": self.hostname,
            "type": self.type,
            "priority": self.priority,
            "destination": self.destination,
            "deleterecord": False,
            "state": state,
        }

    def content(self) -> tuple[str, str, str, str]:
        """What the record says, ids and times aside."""
        return (self.hostname, self.type, self.priority, self.destination)


@dataclass(frozen=True, slots=True)
class Draft:
    """A record somebody hands the sandbox; id and TTL are missing where they are to be given."""

    id: int | None
    hostname: str
    type: str
    priority: str
    destination: str
    ttl: int | None = None

    def with_id(self, number: int, usual_ttl: int) -> Record:
        """The record it becomes, published long ago."""
        ttl = usual_ttl if self.ttl is None else self.ttl
        return Record(number, self.hostname, self.type, self.priority, self.destination, ttl=ttl)


def read_drafts(where: str, data: object) -> tuple[Draft, ...]:
    """Read a list of records in wire form, as a zone file or a control call holds it.

    Values are kept as given, even such as netcup would refuse today: old zones hold some. `where`
    is what the list is called in an error, for example `zone example.org`.

    Raises:
        ValueError: one sentence that names the record and its field.
    """
    if not isinstance(data, list | tuple):
        raise ValueError(f"{where}: the records must be a list")
    drafts = tuple(_draft(f"{where}, record {n}", entry) for n, entry in enumerate(data, start=1))
    given = [draft.id for draft in drafts if draft.id is not None]
    for number in given:
        if given.count(number) > 1:
            raise ValueError(f"{where}: the id {number} is used twice")
    return drafts


def _draft(where: str, entry: object) -> Draft:
    if not isinstance(entry, Mapping):
        raise ValueError(f"{where}: must be an object with hostname, type and destination")
    for field in entry:
        if field not in _KNOWN:
            raise ValueError(f"{where}: unknown field {field!r}")
    for field in _REQUIRED:
        if not isinstance(entry.get(field), str) or not entry[field]:
            raise ValueError(f"{where}: field {field!r} must be a text that is not empty")
    if entry["type"] not in TYPES:
        raise ValueError(f"{where}: field 'type' must be one of {', '.join(sorted(TYPES))}")
    number = _number(where, "id", entry.get("id"), positive=True)
    priority = _number(where, "priority", entry.get("priority"), positive=False) or 0
    ttl = _number(where, "ttl", entry.get("ttl"), positive=True)
    hostname, kind, destination = (entry[field] for field in _REQUIRED)
    return Draft(number, hostname, kind, str(priority), destination, ttl)


def is_hostname(text: str) -> bool:
    """Whether it is the name of a record below its zone: `@`, `*`, or labels."""
    return _HOSTNAME.fullmatch(text) is not None


def relative(full: str, zone: str) -> str | None:
    """The hostname in a full name without its last dot; `None` outside the zone."""
    if full.lower() == zone:
        return "@"
    suffix = f".{zone}"
    return full[: -len(suffix)] if full.lower().endswith(suffix) else None


def is_number(value: object) -> bool:
    """Whether it is a whole number, as number or text, short enough for a counter."""
    text = "" if isinstance(value, bool) else str(value)
    return text.isascii() and text.isdigit() and len(text) <= _LONGEST_NUMBER


def _number(where: str, field: str, value: object, *, positive: bool) -> int | None:
    if value is None or value == "":
        return None
    number = int(str(value)) if is_number(value) else -1
    if number < (1 if positive else 0):
        raise ValueError(f"{where}: field {field!r} must be a number")
    return number


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
    backend: Backend = "ccp"

    def with_records(self, records: tuple[Record, ...], now: float) -> Zone:
        """The zone with these records; the serial moves only if they say something else (L24)."""
        if set(map(_said, records)) == set(map(_said, self.records)):
            return self
        return replace(self, records=records, serial=next_serial(self.serial, now))

    def wire(self, name: str) -> dict[str, object]:
        """The object of `infoDnsZone`: numbers are texts (L17)."""
        return {
            "name": name,
            "ttl": self.ttl,
            "serial": str(self.serial),
            "refresh": self.refresh,
            "retry": self.retry,
            "expire": self.expire,
            "dnssecstatus": self.dnssec,
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


@dataclass(frozen=True, slots=True)
class ZoneSeed:
    """What a zone holds when the sandbox starts, or is reset."""

    name: str
    drafts: tuple[Draft, ...]
    backend: Backend = "ccp"


class Zones:
    """All zones of the one account, and the id counter.

    `clock` tells seconds since 1970; `on_change` is called after each change.

    Whoever reads and then writes holds `lock` in between. Zones are frozen, so a reader of one
    needs no lock. A ValueError says that there is no zone of a name, or that an id belongs to a
    record of another.
    """

    def __init__(
        self,
        seeds: Sequence[ZoneSeed],
        quirks: Quirks,
        clock: Callable[[], float],
        on_change: Callable[[], None],
    ) -> None:
        self.lock = threading.RLock()
        self.quirks = quirks
        self.clock = clock
        self._on_change = on_change
        self._seeds = tuple(seeds)
        self._zones: dict[str, Zone] = {}
        self._last_id = 0
        self._begin()

    @property
    def by_name(self) -> dict[str, Zone]:
        """All zones; a copy."""
        with self.lock:
            return dict(self._zones)

    @property
    def last_id(self) -> int:
        """The highest record id that was ever given."""
        return self._last_id

    def find(self, name: str) -> Zone | None:
        """The zone of this name (in lower case), wherever it is served."""
        return self._zones.get(name)

    def on_ccp(self, name: str) -> Zone | None:
        """The zone as the CCP API sees it: one on CloudDNS is not there (L16)."""
        zone = self._zones.get(name)
        return zone if zone is not None and zone.backend == "ccp" else None

    def on_clouddns(self, name: str) -> Zone | None:
        """The zone as the REST API sees it, if it is there."""
        zone = self._zones.get(name)
        return zone if zone is not None and zone.backend == "clouddns" else None

    def new_id(self) -> int:
        """The next id; one counter for all zones (L23)."""
        with self.lock:
            self._last_id += 1
            return self._last_id

    def put(self, zone: Zone) -> None:
        """Store a changed zone."""
        with self.lock:
            if self._zones.get(zone.name) == zone:
                return
            self._zones[zone.name] = zone
            self._on_change()

    def announce(self) -> None:
        """Tell of a change beside the records: what the name servers serve is another now."""
        with self.lock:
            self._on_change()

    def set_records(self, name: str, drafts: Sequence[Draft]) -> None:
        """Replace all records of a zone."""
        with self.lock:
            zone = self.existing(name)
            self.put(zone.with_records(self._given_ids(name, drafts), self.clock()))

    def write_beside(self, name: str, drafts: Sequence[Draft]) -> None:
        """Let another writer add records, or change those whose ids the drafts have (L46)."""
        with self.lock:
            zone, now = self.existing(name), self.clock()
            records = {record.id: record for record in zone.records}
            for draft in drafts:
                record = draft.with_id(draft.id or self.new_id(), self.quirks.rest_default_ttl)
                records[record.id] = replace(record, written=now)
            self.put(zone.with_records(tuple(records.values()), now))

    def set_backend(self, name: str, backend: Backend) -> None:
        """Move a zone to CloudDNS, or back (L16)."""
        with self.lock:
            self.put(replace(self.existing(name), backend=backend))

    def set_ttl(self, name: str, seconds: int) -> None:
        """Give a zone another TTL."""
        with self.lock:
            zone = self.existing(name)
            serial = next_serial(zone.serial, self.clock())
            self.put(replace(zone, ttl=str(seconds), serial=serial))

    def existing(self, name: str) -> Zone:
        """The zone of this name."""
        zone = self.find(name)
        if zone is None:
            raise ValueError(f"this sandbox has no zone {name!r}")
        return zone

    def refuse_inside(self, name: str) -> None:
        """Let nobody give values to a name of a zone but in the zone."""
        for zone in self.by_name:
            if f".{name.lower().removesuffix('.')}".endswith(f".{zone}"):
                raise ValueError(f"{name} is in the zone {zone} of this sandbox: set it there")

    def reset(self) -> None:
        """Put all zones, and the id counter, back to the start."""
        with self.lock:
            self._begin()
            self._on_change()

    def restore(self, zones: Mapping[str, Zone], last_id: int) -> None:
        """Take over zones from an earlier run; those it did not have stay as they are."""
        with self.lock:
            taken = {record.id for zone in zones.values() for record in zone.records}
            self._last_id = max(self._last_id, last_id, *taken, 0)
            fresh = {name: zone for name, zone in self._zones.items() if name not in zones}
            self._zones.update(zones)
            for name, zone in fresh.items():
                records = tuple(self._renumbered(record, taken) for record in zone.records)
                self._zones[name] = replace(zone, records=records)

    def _renumbered(self, record: Record, taken: set[int]) -> Record:
        return replace(record, id=self.new_id()) if record.id in taken else record

    def _begin(self) -> None:
        self._zones = {}
        self._last_id = _FIRST_ID - 1
        given = [draft.id for seed in self._seeds for draft in seed.drafts if draft.id is not None]
        self._last_id = max([self._last_id, *given])
        for seed in self._seeds:
            records = self._given_ids(seed.name, seed.drafts)
            serial = first_serial(self.clock())
            self._zones[seed.name] = Zone(seed.name, records, serial, backend=seed.backend)

    def _given_ids(self, name: str, drafts: Sequence[Draft]) -> tuple[Record, ...]:
        given = [draft.id for draft in drafts if draft.id is not None]
        for zone in self._zones.values():
            for record in zone.records:
                if zone.name != name and record.id in given:
                    owner = f"the zone {zone.name}"
                    raise ValueError(f"zone {name}: the id {record.id} belongs to {owner}")
        self._last_id = max([self._last_id, *given])
        ttl = self.quirks.rest_default_ttl
        return tuple(draft.with_id(draft.id or self.new_id(), ttl) for draft in drafts)
