"""A back end of a test that has no budget, so that there is nothing to reserve, and no clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class Unlimited:
    """What such a back end inherits."""

    @property
    def ahead(self) -> Mapping[str, float]:
        """It tells no time."""
        return {}

    def reserve(self) -> None:
        """Any number of calls is free."""

    def release(self) -> None:
        """Nothing was reserved."""
