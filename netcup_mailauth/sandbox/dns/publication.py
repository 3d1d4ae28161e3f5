"""Which state of a zone a server sees: the API's at once, a name server's after its delay (L38)."""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from netcup_mailauth.sandbox.zones import Zone


@dataclass(frozen=True, slots=True)
class _Version:
    """How a zone looks from a time on; None where it is not there."""

    since: float
    zone: Zone | None


class Publication:
    """The recent history of all zones.

    What it starts with was published long ago; what changes later becomes visible late.

    Args:
        zones: the zones by name.
        longest: the longest delay that will be asked for; older versions are forgotten.
        clock: the time in seconds.
    """

    def __init__(
        self, zones: Mapping[str, Zone], longest: float, clock: Callable[[], float]
    ) -> None:
        self._lock = threading.Lock()
        self._longest, self._clock = longest, clock
        self._history = {name: [_Version(-math.inf, zone)] for name, zone in zones.items()}

    def note(self, zones: Mapping[str, Zone]) -> None:
        """Take down how all zones look now."""
        now = self._clock()
        with self._lock:
            for name in zones.keys() | self._history.keys():
                versions = self._history.setdefault(name, [])
                zone = zones.get(name)
                if not versions or versions[-1].zone is not zone:
                    versions.append(_Version(now, zone))
                    self._history[name] = _without_old(versions, now - self._longest)

    def seen(self, delay: float) -> dict[str, Zone]:
        """The zones as a server sees them that is so many seconds late."""
        # The latest counts even if the clock was set back since.
        horizon = self._clock() - delay if delay > 0 else math.inf
        with self._lock:
            found = {name: _as_of(versions, horizon) for name, versions in self._history.items()}
        return {name: zone for name, zone in found.items() if zone is not None}


class Window:
    """One server's view of the zones, which can be made to stand still."""

    def __init__(self, publication: Publication, delay: float) -> None:
        self._publication, self._delay = publication, delay
        self._frozen: dict[str, Zone] | None = None

    def zones(self) -> Mapping[str, Zone]:
        """What the server sees now, by name."""
        frozen = self._frozen
        return self._publication.seen(self._delay) if frozen is None else frozen

    def freeze(self) -> None:
        """Go on seeing what is seen now."""
        self._frozen = dict(self.zones())

    def thaw(self) -> None:
        """See changes again."""
        self._frozen = None


def _as_of(versions: Sequence[_Version], horizon: float) -> Zone | None:
    return next((v.zone for v in reversed(versions) if v.since <= horizon), None)


def _without_old(versions: list[_Version], horizon: float) -> list[_Version]:
    """The version of that time, and all that came later."""
    old = sum(1 for version in versions if version.since <= horizon)
    return versions[max(0, old - 1) :]
