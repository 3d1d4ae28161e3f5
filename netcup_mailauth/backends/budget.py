"""The request budget: bursts pass at once, and no minute holds more calls than allowed."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

CALLS = 170
WINDOW = 60.0
"""netcup answers the 181st call within a minute with an error (fact 1.11); ten are left to
other programs of the same account."""


class Budget:
    """At most ``calls`` calls in any ``window`` seconds; sleeps only when it must.

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
        self._window = window
        self._clock = clock
        self._sleep = sleep
        self._sent: deque[float] = deque(maxlen=calls)
        self._counting = threading.Lock()

    def spend(self) -> None:
        """Count one call, waiting first if it would be one too many; parallel jobs queue here."""
        with self._counting:
            if len(self._sent) == self._sent.maxlen:
                free = self._sent[0] + self._window
                # Again, should the sleep end a moment early.
                while (wait := free - self._clock()) > 0:
                    self._sleep(wait)
            self._sent.append(self._clock())
