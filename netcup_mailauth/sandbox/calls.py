"""What calls have in common, whichever API they are made to: counts, limits, waits."""

from __future__ import annotations

import threading
from collections import Counter, deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from netcup_mailauth.sandbox.quirks import Quirks

_WINDOW = 60.0


class Counters:
    """Requests by action, the connections that carried them, and what was asked of mailcow."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: Counter[str] = Counter()
        self._mailcow: Counter[str] = Counter()
        self._connections: set[int] = set()

    def note_call(self, action: str, connection: int) -> None:
        """Count one request to the CCP or the REST API, whatever becomes of it."""
        with self._lock:
            self._requests[action] += 1
            self._connections.add(connection)

    def note_mailcow(self, kind: str) -> None:
        """Count one request to mailcow by its kind of path, or a refused one as `401`."""
        with self._lock:
            self._mailcow[kind] += 1

    def clear(self) -> None:
        """Start again at nothing."""
        with self._lock:
            self._requests.clear()
            self._mailcow.clear()
            self._connections.clear()

    def report(self) -> dict[str, object]:
        """The counts as JSON holds them."""
        with self._lock:
            return {
                "requests": dict(self._requests),
                "connections": len(self._connections),
                "mailcow": dict(self._mailcow),
            }


class RateLimit:
    """At most so many calls in any 60 seconds (L40, R16); those refused do not count."""

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


class Lockout:
    """After so many errors in a row the CCP refuses every call, the login too (L41)."""

    def __init__(self, quirks: Quirks) -> None:
        self._quirks = quirks
        self._errors_in_a_row = 0
        self._locked = False

    def holds(self) -> bool:
        """Whether a call arriving now is refused; nothing but a reset ends it."""
        return self._locked

    def note(self, *, error: bool) -> None:
        """Count an answer that was given; a success starts the count anew."""
        self._errors_in_a_row = self._errors_in_a_row + 1 if error else 0
        limit = self._quirks.lockout_after
        self._locked |= limit is not None and self._errors_in_a_row >= limit

    def clear(self) -> None:
        """Unlock."""
        self._errors_in_a_row = 0
        self._locked = False


class Timers:
    """Pauses and late jobs; all daemon threads, all ended by `close`."""

    def __init__(self) -> None:
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._cancelled = threading.Event()
        self._threads: set[threading.Thread] = set()

    def pause(self, seconds: float) -> None:
        """Sleep, but not longer than the sandbox lives."""
        if seconds > 0:
            self._closing.wait(seconds)

    def later(self, seconds: float, job: Callable[[Callable[[], bool]], None]) -> None:
        """Do a job after a while.

        It gets a function that says whether it was called off; a job that takes a lock asks again
        once it holds it.
        """
        with self._lock:
            if self._closing.is_set():
                return
            cancelled = self._cancelled
            thread = threading.Thread(
                target=self._run, args=(seconds, job, cancelled), name="sandbox-late", daemon=True
            )
            self._threads.add(thread)
            thread.start()

    def cancel(self) -> None:
        """Call off all jobs that have not begun."""
        with self._lock:
            self._cancelled.set()
            self._cancelled = threading.Event()

    def close(self) -> None:
        """End all pauses and jobs, and wait for their threads."""
        self._closing.set()
        self.cancel()
        with self._lock:
            threads = tuple(self._threads)
        for thread in threads:
            thread.join(timeout=5)

    def _run(
        self,
        seconds: float,
        job: Callable[[Callable[[], bool]], None],
        cancelled: threading.Event,
    ) -> None:
        if not cancelled.wait(seconds):
            job(cancelled.is_set)
        with self._lock:
            self._threads.discard(threading.current_thread())
