"""The domains of the account, and the numbers they have in every path (R3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from netcup_mailauth.sandbox.zones import Zone, Zones

_FIRST = 1047093


class Domains:
    """All zones by number, those on the CCP too. Callers hold `world.lock`."""

    def __init__(self, world: Zones) -> None:
        self._world = world
        self._numbers: dict[str, int] = {}

    def all(self) -> list[Zone]:
        """Every domain of the account."""
        zones = list(self._world.zones.values())
        for zone in zones:
            self.number(zone)
        return zones

    def number(self, zone: Zone) -> int:
        """The number of a domain; it never changes."""
        return self._numbers.setdefault(zone.name, _FIRST + len(self._numbers))

    def find(self, number: int | None) -> Zone | None:
        """The domain of this number, wherever it is served."""
        return next((zone for zone in self.all() if self.number(zone) == number), None)
