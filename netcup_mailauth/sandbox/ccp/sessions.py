"""Login sessions of the CCP API (L6, L9-L12)."""

from __future__ import annotations

import random
import secrets
import string
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from netcup_mailauth.sandbox.quirks import Quirks

_BASE64 = string.ascii_letters + string.digits + "+/"


@dataclass
class _Session:
    used: float
    dies: float | None


class Sessions:
    """The open sessions of the one account; many side by side are fine (L12).

    Args:
        idle_ttl: seconds without a call after which a session is gone (L10).
        quirks: `session_dies_after` and `first_call_4001` make them die sooner.
        clock: the time in seconds.
    """

    def __init__(self, idle_ttl: float, quirks: Quirks, clock: Callable[[], float]) -> None:
        self._idle_ttl = idle_ttl
        self._quirks = quirks
        self._clock = clock
        self._open: dict[str, _Session] = {}
        self._first_calls_to_spoil = 0
        self.clear()

    def clear(self) -> None:
        """End all sessions and forget which one-shots were fired."""
        self._open.clear()
        self._first_calls_to_spoil = 1 if self._quirks.first_call_4001 == "once" else 0

    def open(self) -> str:
        """Start a session; its id is 50 characters of the Base64 alphabet (L6)."""
        number = "".join(secrets.choice(_BASE64) for _ in range(50))
        now, span = self._clock(), self._quirks.session_dies_after
        dies = None if span is None else now + random.uniform(*span)  # noqa: S311 - not secret
        if self._quirks.first_call_4001 == "always":
            dies = now
        elif self._first_calls_to_spoil:
            self._first_calls_to_spoil -= 1
            dies = now
        self._open[number] = _Session(used=now, dies=dies)
        return number

    def use(self, number: object) -> bool:
        """Whether the session lives; if so its idle time starts anew."""
        now = self._clock()
        self._bury(now)
        session = self._open.get(number) if isinstance(number, str) else None
        if session is None:
            return False
        session.used = now
        return True

    def end(self, number: object) -> None:
        """Log out, or let a session die (L11)."""
        if isinstance(number, str):
            self._open.pop(number, None)

    def count(self) -> int:
        """How many sessions were left open and still live."""
        self._bury(self._clock())
        return len(self._open)

    def _bury(self, now: float) -> None:
        for number, session in list(self._open.items()):
            idle = now - session.used >= self._idle_ttl
            if idle or (session.dies is not None and now >= session.dies):
                del self._open[number]
