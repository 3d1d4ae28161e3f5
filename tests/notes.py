"""A hold that only notes what it was told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netcup_mailauth.state.holds import Hold

if TYPE_CHECKING:
    from netcup_mailauth.state.holds import Reason


class Notes(Hold):
    """Stands in for what is remembered of credentials from run to run."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def check(self) -> None:
        self.told.append("asked")

    def note(self, reason: Reason) -> None:
        self.told.append(reason)

    def lift(self) -> None:
        self.told.append("lifted")
