"""The limit of a request, rung by hand: no test waits for it, or is cut off on a busy machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from netcup_mailauth.netcup import http, line
from netcup_mailauth.sandbox import http as web

if TYPE_CHECKING:
    from collections.abc import Iterator


class Bell:
    """The clock that limits requests; it stands still until a test says that the time is over."""

    def __init__(self) -> None:
        self.now = 0.0

    def ring(self) -> None:
        """End the time of every request that is under way; one that begins later has its own."""
        self.now += http.LONGEST


@pytest.fixture
def bell(monkeypatch: pytest.MonkeyPatch) -> Bell:
    one = Bell()
    monkeypatch.setattr(line, "monotonic", lambda: one.now)
    return one


@pytest.fixture
def _drips_are_cut_off(bell: Bell, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once an answer of a sandbox in this process has begun to drip, its time is over."""

    pieces = web.pieces

    def dripping(whole: bytes, body: bytes, transfer: str) -> Iterator[bytes]:
        for number, piece in enumerate(pieces(whole, body, transfer)):
            yield piece
            if transfer.startswith("drip-") and not number:
                bell.ring()

    monkeypatch.setattr(web, "pieces", dripping)
