"""The limit of a request, rung by hand: no test waits for it, or is cut off on a busy machine."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from netcup_mailauth.netcup import line
from netcup_mailauth.sandbox import http

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Bell:
    """A timer that rings when a test says so, and never by itself."""

    def __init__(self, _seconds: float, function: Callable[[], None]) -> None:
        self.finished = threading.Event()
        self.daemon = False
        self.started = False
        self.ring = function

    def start(self) -> None:
        """Note that it was started."""
        self.started = True

    def cancel(self) -> None:
        """As a timer's."""
        self.finished.set()

    def join(self) -> None:
        """As a timer's, whose thread has ended."""


@pytest.fixture
def bells(monkeypatch: pytest.MonkeyPatch) -> list[Bell]:
    """The timers of the requests so far."""
    made: list[Bell] = []

    def bell(seconds: float, function: Callable[[], None]) -> Bell:
        made.append(Bell(seconds, function))
        return made[-1]

    monkeypatch.setattr(line, "Timer", bell)
    return made


@pytest.fixture
def _drips_are_cut_off(bells: list[Bell], monkeypatch: pytest.MonkeyPatch) -> None:
    """Once an answer of a sandbox in this process has begun to drip, its time is over."""

    pieces = http.pieces

    def dripping(whole: bytes, body: bytes, transfer: str) -> Iterator[bytes]:
        bell = bells[-1]  # of the request that this answers; later ones have theirs
        for piece in pieces(whole, body, transfer):
            yield piece
            if transfer.startswith("drip-"):
                bell.ring()

    monkeypatch.setattr(http, "pieces", dripping)
