"""At most so many calls in a minute, for either API (L40, R16)."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_WINDOW = 60.0


class RateLimit:
    """At most so many calls in any 60 seconds; those refused do not count."""

    def __init__(self, per_minute: int | None, clock: Callable[[], float]) -> None:
        self._per_minute = per_minute or None
        self._clock = clock
        self._calls: deque[float] = deque()

    def admits(self) -> bool:
        """Take one call in, or say that it is one too many."""
        if self._per_minute is None:
            return True
        now = self._clock()
        while self._calls and now - self._calls[0] >= _WINDOW:
            self._calls.popleft()
        if len(self._calls) >= self._per_minute:
            return False
        self._calls.append(now)
        return True

    def wait(self) -> float:
        """Seconds until the next call is taken in, were it to come now."""
        full = self._per_minute is not None and len(self._calls) >= self._per_minute
        return max(0.0, self._calls[0] + _WINDOW - self._clock()) if full else 0.0

    def clear(self) -> None:
        """Forget all calls."""
        self._calls.clear()
