"""What netcup does to those who ask wrongly too often (L41)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from netcup_mailauth.sandbox.quirks import Quirks


class Lockout:
    """After so many errors in a row every call is refused, the login too."""

    def __init__(self, quirks: Quirks, clock: Callable[[], float]) -> None:
        self._quirks = quirks
        self._clock = clock
        self._errors_in_a_row = 0
        self._since: float | None = None

    def holds(self) -> bool:
        """Whether a call arriving now is refused; it may make the lock-out longer."""
        if self._since is None:
            return False
        now, lasts = self._clock(), self._quirks.lockout_seconds
        if lasts is not None and now - self._since >= lasts:
            self.clear()
            return False
        if self._quirks.lockout_extends:
            self._since = now
        return True

    def note(self, *, error: bool) -> None:
        """Count an answer that was given; a success starts the count anew."""
        self._errors_in_a_row = self._errors_in_a_row + 1 if error else 0
        limit = self._quirks.lockout_after
        if self._since is None and limit is not None and self._errors_in_a_row >= limit:
            self._since = self._clock()

    def clear(self) -> None:
        """Unlock."""
        self._errors_in_a_row = 0
        self._since = None
