"""What a sandbox lets a test see of its zones and do to them, past both APIs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from netcup_mailauth.sandbox.zones import read_drafts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from netcup_mailauth.sandbox.zones import Zones


class ZonesHandle:
    """A part of the sandbox's handle; `_world` is set by the sandbox."""

    _world: Zones

    def zone(self, domain: str) -> list[dict[str, Any]]:
        """The records of a zone, wherever it is, as `infoDnsRecords` would give them.

        Raises:
            ValueError: no such zone.
        """
        zone = self._world.existing(domain.lower())
        return zone.wire_records(self._world.quirks, self._world.clock())

    def set_zone(self, domain: str, records: Sequence[Mapping[str, object]]) -> None:
        """Replace the records of a zone by these, in wire form; a `ttl` counts on CloudDNS.

        Raises:
            ValueError: no such zone, or a record is wrong.
        """
        drafts = read_drafts(f"zone {domain}", records)
        self._world.set_records(domain.lower(), drafts)

    def set_zone_ttl(self, domain: str, seconds: int) -> None:
        """Let caches keep what a zone says, and that it has none, for so long (L17, L39).

        Nobody at netcup is known to have fewer than 300; tests have no time for that.

        Raises:
            ValueError: no such zone.
        """
        self._world.set_ttl(domain.lower(), seconds)

    def set_backend(self, domain: str, backend: str) -> None:
        """Move a zone with its records to `clouddns`, or back to `ccp` (L16).

        Raises:
            ValueError: no such zone or back end.
        """
        if backend not in ("ccp", "clouddns"):
            raise ValueError("backend must be ccp or clouddns")
        self._world.set_backend(domain.lower(), "ccp" if backend == "ccp" else "clouddns")
