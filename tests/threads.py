"""A machine that gives a process only so many threads, as a container with a limit does."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def only(most: int) -> Iterator[None]:
    """At most so many threads can run beside those that do already."""
    room = threading.Semaphore(most)
    start, run = threading.Thread.start, threading.Thread.run

    def started(thread: threading.Thread) -> None:
        if not room.acquire(blocking=False):
            raise RuntimeError("can't start new thread")
        start(thread)

    def ran(thread: threading.Thread, *_: Any) -> None:
        try:
            run(thread)
        finally:
            room.release()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(threading.Thread, "start", started)
        patch.setattr(threading.Thread, "run", ran)
        yield
