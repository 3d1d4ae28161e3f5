"""All zones of the one account, and the lock around every change of state."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from netcup_mailauth.sandbox.zones.zone import Zone, first_serial, next_serial

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from netcup_mailauth.sandbox.quirks import Quirks
    from netcup_mailauth.sandbox.zones.records import Draft, Record

_FIRST_ID = 405400

Backend = Literal["ccp", "clouddns"]


@dataclass(frozen=True, slots=True)
class Seed:
    """What a zone holds when the sandbox starts, or is reset."""

    name: str
    drafts: tuple[Draft, ...]
    backend: Backend = "ccp"


class World:
    """The zones and the id counter.

    Whoever reads and then writes holds `lock` in between. Zones are frozen, so a reader of one
    needs no lock.

    Args:
        seeds: the zones to start with.
        quirks: the switches.
        clock: the time in seconds since 1970.
    """

    def __init__(self, seeds: Sequence[Seed], quirks: Quirks, clock: Callable[[], float]) -> None:
        self.lock = threading.RLock()
        self.quirks = quirks
        self.clock = clock
        self.on_change: Callable[[], None] = lambda: None
        self._seeds = tuple(seeds)
        self._zones: dict[str, Zone] = {}
        self._last_id = 0
        self._sow()

    @property
    def zones(self) -> dict[str, Zone]:
        """All zones by name; a copy."""
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
            self.on_change()

    def set_records(self, name: str, drafts: Sequence[Draft]) -> None:
        """Replace all records of a zone.

        Raises:
            ValueError: no such zone, or an id belongs to a record of another zone.
        """
        with self.lock:
            zone = self.existing(name)
            self.put(zone.with_records(self._plant(name, drafts), self.clock()))

    def intrude(self, name: str, drafts: Sequence[Draft]) -> None:
        """Let another writer add records, or change those whose ids the drafts have (L46).

        Raises:
            ValueError: no such zone.
        """
        with self.lock:
            zone, now = self.existing(name), self.clock()
            records = {record.id: record for record in zone.records}
            for draft in drafts:
                record = draft.with_id(draft.id or self.new_id(), self.quirks.rest_default_ttl)
                records[record.id] = replace(record, written=now)
            self.put(zone.with_records(tuple(records.values()), now))

    def set_backend(self, name: str, backend: Backend) -> None:
        """Move a zone to CloudDNS, or back (L16).

        Raises:
            ValueError: no such zone.
        """
        with self.lock:
            self.put(replace(self.existing(name), backend=backend))

    def set_ttl(self, name: str, seconds: int) -> None:
        """Give a zone another TTL.

        Raises:
            ValueError: no such zone.
        """
        with self.lock:
            zone = self.existing(name)
            serial = next_serial(zone.serial, self.clock())
            self.put(replace(zone, ttl=str(seconds), serial=serial))

    def existing(self, name: str) -> Zone:
        """The zone of this name.

        Raises:
            ValueError: no such zone.
        """
        zone = self.find(name)
        if zone is None:
            raise ValueError(f"this sandbox has no zone {name!r}")
        return zone

    def reset(self) -> None:
        """Put all zones, and the id counter, back to the start."""
        with self.lock:
            self._sow()
            self.on_change()

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

    def _sow(self) -> None:
        self._zones = {}
        self._last_id = _FIRST_ID - 1
        given = [draft.id for seed in self._seeds for draft in seed.drafts if draft.id is not None]
        self._last_id = max([self._last_id, *given])
        for seed in self._seeds:
            records = self._plant(seed.name, seed.drafts)
            serial = first_serial(self.clock())
            self._zones[seed.name] = Zone(seed.name, records, serial, backend=seed.backend)

    def _plant(self, name: str, drafts: Sequence[Draft]) -> tuple[Record, ...]:
        given = [draft.id for draft in drafts if draft.id is not None]
        for zone in self._zones.values():
            for record in zone.records:
                if zone.name != name and record.id in given:
                    owner = f"the zone {zone.name}"
                    raise ValueError(f"zone {name}: the id {record.id} belongs to {owner}")
        self._last_id = max([self._last_id, *given])
        ttl = self.quirks.rest_default_ttl
        return tuple(draft.with_id(draft.id or self.new_id(), ttl) for draft in drafts)
