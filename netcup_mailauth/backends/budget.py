"""The request budget: bursts pass at once, and no minute holds more calls than allowed.

A zone that is to be written is read a moment before. So that no pause falls between the two, a
job takes the calls for both together, and keeps them until they are sent.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

CALLS = 170
WINDOW = 60.0
"""netcup answers the 181st call within a minute with an error (fact 1.11); ten are left to
other programs of the same account."""

GLANCE = 1.0
"""Seconds after which a job that waits looks whether another has given calls back."""


class Budget:
    """At most ``calls`` calls in any ``window`` seconds; sleeps only when it must.

    Calls that belong together are sent together even where the budget is smaller than that; the
    next ones wait for as long as it takes.

    Args:
        calls: how many calls a window may hold.
        window: its length in seconds.
        clock: seconds, never going back.
        sleep: how to wait.
    """

    def __init__(
        self,
        calls: int = CALLS,
        window: float = WINDOW,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._calls = calls
        self._window = window
        self._clock = clock
        self._sleep = sleep
        self._sent: deque[float] = deque()  # calls that are kept, too, from when they were taken
        self._job = threading.local()
        self._counting = threading.Lock()
        self._queue = threading.Lock()

    def spend(self) -> None:
        """Count one call: one that this job keeps, else the next free one."""
        self.take(1)
        with self._counting:
            self._give_back(self._job.kept.pop())
            self._sent.append(self._clock())

    def take(self, calls: int) -> None:
        """Wait until this job may send so many calls at once, and keep them for it.

        Those that it keeps already count. They are given back while it waits, so that no two jobs
        wait for what the other keeps; they do not keep longer than a window.
        """
        if len(self._kept) >= calls:
            return
        self.release()
        with self._queue:  # so that no job is overtaken for ever
            while wait := self._wait_or_take(calls):
                self._sleep(min(wait, GLANCE))

    def release(self) -> None:
        """Give back what this job has kept and not sent."""
        kept, self._job.kept = self._kept, []
        with self._counting:
            for taken in kept:
                self._give_back(taken)

    @property
    def _kept(self) -> list[float]:
        """When the calls were taken that this job keeps."""
        fresh = self._clock() - self._window
        kept = [taken for taken in getattr(self._job, "kept", ()) if taken > fresh]
        self._job.kept = kept
        return kept

    def _give_back(self, taken: float) -> None:
        with suppress(ValueError):
            self._sent.remove(taken)

    def _wait_or_take(self, calls: int) -> float:
        """Take the calls if there is room, else say for how many seconds there is none."""
        with self._counting:
            now = self._clock()
            while self._sent and self._sent[0] + self._window <= now:
                self._sent.popleft()
            too_many = len(self._sent) - max(self._calls - calls, 0)
            if too_many > 0:
                return self._sent[too_many - 1] + self._window - now
            self._sent.extend([now] * calls)
            self._job.kept = [now] * calls
            return 0.0
