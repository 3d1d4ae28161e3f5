"""Whether this machine's clock is to be believed, before a wait is taken to be over.

A wrong clock that is set right makes seven days of grace one second. So time is counted twice: by
the clock, and within one boot by the uptime, sleep included; the slower one counts. And what the
other ends say in the ``Date`` of their answers is compared with the clock.

Where the system has no boot id or no such uptime (anything but Linux), and where no answer has a
``Date``, what is left counts alone.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from netcup_mailauth.rotation.steps import Stop

if TYPE_CHECKING:
    from collections.abc import Mapping

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")

MOST_APART = 3600.0
"""Seconds that two clocks may differ before nothing is removed or switched any more."""

_SET_IT = (
    "Nothing was removed or switched. Set the clock that is wrong right (timedatectl shows this "
    "machine's), then: netcup-mailauth rotate --continue"
)


@dataclass(frozen=True, slots=True)
class Uptime:
    """How long a machine runs.

    Attributes:
        boot: names this boot; another one counts from its own beginning.
        seconds: since then, sleep included.
    """

    boot: str
    seconds: float


def uptime(boot_id: Path = BOOT_ID) -> Uptime | None:
    """How long this machine runs; ``None`` where the system does not say."""
    try:
        boot = boot_id.read_text(encoding="ascii").strip()
        return Uptime(boot, time.clock_gettime(time.CLOCK_BOOTTIME)) if boot else None
    except (AttributeError, OSError, ValueError):
        return None


def jump(clock: float, since: Uptime | None, now: float, up: Uptime | None) -> float | None:
    """How far the clock went beyond the time that passed; below 0 where it lags behind it.

    Args:
        clock: what the clock showed then, in seconds since 1970.
        since: the uptime then.
        now: what it shows now.
        up: the uptime now.

    Returns:
        Seconds; ``None`` where that cannot be told, as after a restart of the machine.
    """
    if since is None or up is None or since.boot != up.boot or up.seconds < since.seconds:
        return None
    return (now - clock) - (up.seconds - since.seconds)


def doubt(now: float, jumped: float | None, ahead: Mapping[str, float]) -> Stop | None:
    """Why the clock is not to be believed; ``None`` if nothing speaks against it.

    Args:
        now: what it shows, in seconds since 1970.
        jumped: see :func:`jump`.
        ahead: for each other end, how far the time that it named is ahead of the clock.
    """
    if jumped is not None and abs(jumped) > MOST_APART:
        return Stop(
            f"This machine's clock shows {_moment(now)}, and by the time that it has run it should "
            f"be {_moment(now - jumped)}: it was set meanwhile.",
            "Nothing was removed or switched, and waits go on by the time that has really passed. "
            "See that the clock is right (timedatectl), then: netcup-mailauth rotate --continue",
        )
    for who, seconds in ahead.items():
        if abs(seconds) > MOST_APART:
            return Stop(
                f"This machine's clock shows {_moment(now)}, and {who} says that it is "
                f"{_moment(now + seconds)}: one of them is wrong.",
                _SET_IT,
            )
    return None


def _moment(time: float) -> str:
    try:
        return f"{datetime.fromtimestamp(time, UTC):%Y-%m-%d %H:%M:%S} UTC"
    except (OverflowError, OSError, ValueError):
        return f"{time:.0f} s after 1970"
