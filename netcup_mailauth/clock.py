"""The time: by a clock that counts sleep, by one that is set, and by how long the machine runs.

How old a zone is has to be known also after the laptop's lid was closed. And a wrong clock that is
set right makes seven days of grace one second, so a long wait counts time twice: by the clock, and
within one boot by the uptime; the slower one counts. How long is waited before something is looked
at again is here too.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""Linux's monotonic clock stands still while the machine sleeps, its boot-time clock does not. On
the BSDs and on macOS the monotonic one goes on (confidence: M). None counts the time for which a
virtual machine was frozen from outside."""


def now() -> float:
    """Seconds since some moment in the past, sleep included; never set by anybody."""
    return time.clock_gettime(_CLOCK)


@dataclass(frozen=True, slots=True)
class Pauses:
    """How long a run waits by itself before it reads or asks again. All are in seconds.

    Attributes:
        settle: before a zone, or mailcow, is read a second time after a write of unclear outcome.
        again: before the second and the third attempt at a read over HTTP. A write is not repeated.
        unsaid: after "too many requests", when the API does not say for how long.
        longest: what is waited at most if it does.
        round: while name servers are watched, from round to round at first: under one, so that the
            last of them is seen within one.
        retry: until name servers are asked again for a rotation while somebody sits and waits.
    """

    settle: float = 10.0
    again: tuple[float, ...] = (0.5, 2.0)
    unsaid: float = 5.0
    longest: float = 60.0
    round: float = 0.8
    retry: float = 15.0


BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Uptime(NamedTuple):
    """How long a machine runs, sleep included; another boot counts from its own beginning."""

    boot: str
    seconds: float


class Clock:
    """The time, and how it is waited: of the machine it runs on."""

    def time(self) -> float:
        """Seconds since 1970, as this machine is set."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds since some moment in the past, never going back."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)

    def uptime(self, boot_id: Path = BOOT_ID) -> Uptime | None:
        """How long this machine runs; ``None`` where the system does not say.

        That is anything but Linux: there is no boot id, or no uptime that counts sleep.
        """
        try:
            boot = boot_id.read_text(encoding="ascii").strip()
            return Uptime(boot, time.clock_gettime(time.CLOCK_BOOTTIME)) if boot else None
        except (AttributeError, OSError, ValueError):
            return None


def jump(clock: float, since: Uptime | None, now: float, up: Uptime | None) -> float | None:
    """How far the clock went beyond the time that passed; below 0 where it lags behind it.

    ``clock`` is what it showed then, in seconds since 1970, when the machine ran for ``since``;
    ``now`` is what it shows when the machine runs for ``up``. ``None`` where that cannot be told,
    as after a restart of the machine.
    """
    if since is None or up is None or since.boot != up.boot or up.seconds < since.seconds:
        return None
    return (now - clock) - (up.seconds - since.seconds)
