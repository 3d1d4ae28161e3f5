"""A clock that counts sleep: how old a zone is, also after the laptop's lid was closed."""

from __future__ import annotations

import time

_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""Linux's monotonic clock stands still while the machine sleeps, its boot-time clock does not. On
the BSDs and on macOS the monotonic one goes on (confidence: M). None counts the time for which a
virtual machine was frozen from outside."""


def now() -> float:
    """Seconds since some moment in the past, sleep included; never set by anybody."""
    return time.clock_gettime(_CLOCK)


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
