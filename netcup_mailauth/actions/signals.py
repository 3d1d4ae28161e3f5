"""A write is not interrupted half way: signals wait until its outcome is known."""

from __future__ import annotations

import os
import signal
import sys
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from netcup_mailauth.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

WAITING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
STDERR = 2


_in_flight: list[str] = []
"""The writes of which it is not known yet what became of them, in whichever thread they run."""


last_words: list[Callable[[], None]] = []
"""Each says what is known and not told yet, when the process ends at once."""


@contextmanager
def uninterrupted(write: str) -> Iterator[None]:
    """Keep SIGINT, SIGTERM and SIGHUP waiting until the outcome of a write is known.

    A second signal ends the process at once with exit code 8 and names the write. In another
    thread, where Python delivers no signals, it is only remembered for that.
    """
    _in_flight.append(write)
    try:
        with held_back(write):
            yield
    finally:
        _in_flight.remove(write)


@contextmanager
def held_back(what: str, heard_one: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Keep SIGINT, SIGTERM and SIGHUP waiting while ``what`` runs; then let them take effect.

    ``heard_one`` is called at the first signal, for work that can end early. A second signal ends
    the process at once: with exit code 8 if writes are in flight, which it names, else with 130.
    Outside the main thread Python delivers no signals, and nothing is done.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    caught: list[int] = []

    def wait(number: int, _frame: FrameType | None) -> None:
        if caught:
            _stop_at_once()
        caught.append(number)
        heard_one()
        _say(f"Waiting for {what}; interrupt again to stop at once.")

    # One that is ignored stays so, as SIGHUP is under nohup; None is a handler not ours to keep.
    handled = [n for n in WAITING if signal.getsignal(n) not in (signal.SIG_IGN, None)]
    before = {number: signal.signal(number, wait) for number in handled}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        # Also when the write ended with an error: who interrupts does not want the next one.
        if caught:
            signal.raise_signal(caught[0])


def _stop_at_once() -> None:
    writes = list(_in_flight)
    for say in list(last_words):
        with suppress(Exception):  # a stream may be in the middle of a line of its own
            say()
    if writes:
        it = "it" if len(writes) == 1 else "each"
        _say(f"Stopped during {' and '.join(writes)}; whether {it} arrived is not known.")
    else:
        _say("Interrupted.")
    os._exit(ExitCode.UNVERIFIED if writes else ExitCode.INTERRUPTED)


def _say(message: str) -> None:
    """On a line of its own: on a terminal there may be a progress bar, or the ``^C``."""
    text = f"\n{message}" if sys.stderr.isatty() else message
    try:
        print(text, file=sys.stderr)  # noqa: T201
    except RuntimeError:  # the second signal came while the first one's words were being written
        os.write(STDERR, f"{text}\n".encode())
