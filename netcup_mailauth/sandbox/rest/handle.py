"""What a sandbox lets a test see of a zone as the REST API shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netcup_mailauth.sandbox.rest_records import rows_of

if TYPE_CHECKING:
    from netcup_mailauth.sandbox.zones import Zones


class RestHandle:
    """A part of the sandbox's handle; `_world` is set by the sandbox."""

    _world: Zones

    def rest_records(self, domain: str) -> list[dict[str, object]]:
        """The records of a zone as a revision would hold them, without identifiers.

        A zone on the CCP is shown as it would look on CloudDNS.

        Raises:
            ValueError: no such zone.
        """
        zone = self._world.existing(domain.lower())
        quirks = self._world.quirks
        return [row.wire(quirks) for row in rows_of(zone, quirks)]
