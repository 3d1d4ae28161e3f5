"""The states of each zone on CloudDNS: a new revision with every change, and drafts (R10, R11)."""

from __future__ import annotations

import datetime
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from netcup_mailauth.sandbox.quirks import Quirks
    from netcup_mailauth.sandbox.zones import Zone


@dataclass(frozen=True, slots=True)
class Revision:
    """A zone as it was, is, or, as long as this is a draft, might become."""

    identifier: str
    created: float
    zone: Zone
    is_draft: bool

    def wire(self, quirks: Quirks) -> dict[str, object]:
        """What the API tells about it."""
        time = _time(self.created, quirks)
        return {
            "identifier": self.identifier,
            "createdAt": time,
            "modifiedAt": time,
            "state": quirks.rest_draft_state if self.is_draft else quirks.rest_committed_state,
            "serial": self.zone.serial,
        }

    def row_identifier(self, index: int) -> str:
        """The identifier of a row: the nastiest, another in every revision."""
        return str(uuid.uuid5(uuid.UUID(self.identifier), str(index)))


class Ledger:
    """All revisions of the zones on CloudDNS. Callers hold the lock around the zones.

    A zone that leaves loses its revisions; one that comes back begins with a new one.
    """

    def __init__(self, quirks: Quirks, clock: Callable[[], float]) -> None:
        self._quirks, self._clock = quirks, clock
        self._history: dict[str, list[Revision]] = {}

    def of(self, zone: Zone) -> list[Revision]:
        """The revisions of a zone in the order they were made; a copy."""
        return list(self._history.get(zone.name, ()))

    def note(self, zones: Mapping[str, Zone]) -> None:
        """Take down how all zones look now, where it is not known yet."""
        for name in self._history.keys() - zones.keys():
            del self._history[name]
        for zone in zones.values():
            if zone.backend != "clouddns":
                self._history.pop(zone.name, None)
            elif self._committed(zone.name) != zone:
                self.file(self.draw_up(zone))

    def draw_up(self, zone: Zone, *, as_draft: bool = False) -> Revision:
        """A revision with this state of a zone; nobody sees it until it is filed."""
        return Revision(str(uuid.uuid4()), self._clock(), zone, as_draft)

    def file(self, revision: Revision) -> None:
        """Add a revision; where drafts are wanted, one lies on top of each state (R11)."""
        self._history.setdefault(revision.zone.name, []).append(revision)
        if not revision.is_draft and self._quirks.rest_draft == "newest":
            self.begin_draft(revision.zone)

    def begin_draft(self, zone: Zone) -> None:
        """Let somebody begin to rebuild a zone: in this draft, all TXT records are gone."""
        now = self._clock() + 1  # later than what it lies on, also where times are in seconds
        records = tuple(record for record in zone.records if record.type != "TXT")
        draft = Revision(str(uuid.uuid4()), now, zone.with_records(records, now), is_draft=True)
        self.file(draft)

    def clear(self) -> None:
        """Forget everything."""
        self._history.clear()

    def _committed(self, name: str) -> Zone | None:
        """The newest state of a zone that is no draft."""
        history = reversed(self._history.get(name, ()))
        return next((revision.zone for revision in history if not revision.is_draft), None)


def _time(seconds: float, quirks: Quirks) -> str:
    moment = datetime.datetime.fromtimestamp(seconds, datetime.UTC)
    return moment.isoformat(timespec=quirks.rest_times)
