"""Waiting and doing things later, in a way that ends at once when the sandbox does."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


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

        Args:
            seconds: how long to wait.
            job: gets a function that says whether it was called off; a job that takes a lock asks
                again once it holds it.
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
