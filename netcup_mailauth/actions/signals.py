"""A write is not interrupted half way: signals wait until its outcome is known."""

from __future__ import annotations

import os
import signal
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from netcup_mailauth.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

WAITING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def uninterrupted(what: str) -> Iterator[None]:
    """Keep SIGINT, SIGTERM and SIGHUP waiting while ``what`` runs; then let them take effect.

    A second signal ends the process at once with exit code 8 and names what was in flight.
    Outside the main thread Python delivers no signals, and nothing is done.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    caught: list[int] = []

    def wait(number: int, _frame: FrameType | None) -> None:
        if caught:
            print(f"Stopped during {what}; whether it arrived is not known.", file=sys.stderr)  # noqa: T201
            os._exit(ExitCode.UNVERIFIED)
        caught.append(number)
        print(f"Waiting for {what}; interrupt again to stop at once.", file=sys.stderr)  # noqa: T201

    # One that is ignored stays so, as SIGHUP is under nohup; None is a handler not ours to keep.
    heard = [n for n in WAITING if signal.getsignal(n) not in (signal.SIG_IGN, None)]
    before = {number: signal.signal(number, wait) for number in heard}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        # Also when the write ended with an error: who interrupts does not want the next one.
        if caught:
            signal.raise_signal(caught[0])
