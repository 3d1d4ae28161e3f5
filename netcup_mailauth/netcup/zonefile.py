"""Zones that were exported with ``records --format json``: read only, asks nobody.

For jobs that must not hold a key to a zone, such as the one that shows a merge request's plan.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple, Self

from pydantic import Field, ValidationError

from netcup_mailauth import documents, records
from netcup_mailauth.documents import MOMENT, SCHEMA, LiveRecordShape, Ttl
from netcup_mailauth.errors import UsageError, ZoneError
from netcup_mailauth.files import read_named
from netcup_mailauth.netcup.clouddns import DEFAULT_TTL
from netcup_mailauth.records import CLOUDDNS, EXPORTED, Zone, reason_not_to_store
from netcup_mailauth.shapes import Shape

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from netcup_mailauth.plan import Edit
    from netcup_mailauth.records import DesiredRecord

WHAT = "what netcup-mailauth records DOMAIN --format json prints"


class ZoneFiles:
    """A back end over exported zones, from whichever API.

    Attributes:
        exported: when the oldest of them was exported, as far as its file says.
    """

    endpoint = EXPORTED
    account = ""

    def __init__(self, zones: Sequence[Zone], exported: datetime | None = None) -> None:
        self.exported = exported
        self._zones = {zone.name: zone for zone in zones}
        records = {zone.backend for zone in zones}
        self.name = records.pop() if len(records) == 1 else ""
        self.new_ttl = DEFAULT_TTL if self.name == CLOUDDNS else None

    @classmethod
    def read(cls, paths: Sequence[Path]) -> Self:
        """The zones in these files.

        Raises:
            UsageError: one of them is no export, or one zone is in two of them.
        """
        exports = [read_export(path) for path in paths]
        zones = [zone for export in exports for zone in export.zones]
        if len({zone.name for zone in zones}) != len(zones):
            raise UsageError("One zone is given in two zone files.", "Leave one of them out.")
        moments = [export.moment for export in exports if export.moment is not None]
        return cls(zones, min(moments, default=None))

    @property
    def names(self) -> tuple[str, ...]:
        """Of the zones, as they come in the files."""
        return tuple(self._zones)

    def serving(self, name: str) -> ZoneFiles:
        """The zones from one API."""
        return ZoneFiles([zone for zone in self._zones.values() if zone.backend == name])

    @property
    def ahead(self) -> dict[str, float]:
        """A file tells no time. See :class:`~netcup_mailauth.netcup.api.Backend`."""
        return {}

    def reserve(self) -> None:
        """A file can be read at any time."""

    def release(self) -> None:
        """Nothing was reserved."""

    def zone(self, name: str) -> Zone:
        """The zone as it was exported."""
        if name in self._zones:
            return self._zones[name]
        raise ZoneError(
            f"The zone {name} is not in the zone file, which holds {', '.join(self._zones)}.",
            f"Export it: netcup-mailauth records {name} --format json",
        )

    def zone_of(self, domain: str) -> str:
        """The exported zone in which a domain lies; the domain itself if it lies in none."""
        inside = [zone for zone in self._zones if f".{domain}".endswith(f".{zone}")]
        return max(inside, key=len, default=domain)

    def apply(self, zone: Zone, changes: Sequence[Edit]) -> Zone:  # noqa: ARG002
        """Refuse to write: there is no API behind a file."""
        raise UsageError(
            f"The zone {zone.name} was read from a file, and cannot be written to.",
            "Plan again with credentials, and apply that plan.",
        )

    def refuses(self, record: DesiredRecord) -> str | None:
        """Why the API that the zones come from cannot hold the record, or ``None``."""
        return reason_not_to_store(record.value, self.name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        """Nothing is open."""


class _Record(LiveRecordShape, Shape):  # closed by the latter
    type: str = Field(pattern=r"^[A-Z0-9]{1,10}$")
    ttl: Ttl | None


class _Listing(Shape):
    domain: str
    backend: str = Field(pattern=r"^[a-z]{1,20}$")
    records: list[_Record]


class _Head(Shape):
    version: int = Field(alias="schema", ge=SCHEMA, le=SCHEMA)
    exported: str | None = Field(None, pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")

    @property
    def moment(self) -> datetime | None:
        """When it was exported, if it says."""
        if self.exported is None:
            return None
        return datetime.strptime(self.exported, MOMENT).replace(tzinfo=UTC)


class _One(_Listing, _Head):  # the head comes first: pydantic goes from right to left
    """An export of one zone."""


class _Several(_Head):
    zones: list[_Listing]


class Export(NamedTuple):
    """What is in one file, and when that was exported, if it says."""

    zones: tuple[Zone, ...]
    moment: datetime | None


def read_export(path: Path) -> Export:
    """The zones in an export; a UsageError says why it is none."""
    document = documents.parse(read_named(path, WHAT), str(path), WHAT)
    several = isinstance(document, dict) and "zones" in document
    try:
        if several:
            read: _Several | _One = _Several.model_validate(document)
        else:
            read = _One.model_validate(document)
        moment = read.moment
    except ValidationError as error:
        where = ".".join(map(str, error.errors()[0]["loc"]))
        raise _no_export(path, f" (at {where[:200]!a})" if where else "") from None
    except ValueError:  # a day that no calendar has
        raise _no_export(path, " (at 'exported')") from None
    listings = read.zones if isinstance(read, _Several) else [read]
    return Export(tuple(_zone(path, listing) for listing in listings), moment)


def _zone(path: Path, listing: _Listing) -> Zone:
    if not records.is_name(listing.domain):
        raise _no_export(path, " (at 'domain')")
    live = tuple(record.live() for record in listing.records)
    identifiers = [record.id for record in live if record.id is not None]
    if len(set(identifiers)) != len(identifiers):
        raise UsageError(f"{path} lists two records under one id.", "Export the zone again.")
    return Zone(listing.domain, listing.backend, live)


def _no_export(path: Path, where: str) -> UsageError:
    return UsageError(f"{path} is not an exported zone{where}.", f"Give {WHAT}.")
