"""A back end of a test that has no budget, so that there is nothing to reserve."""

from __future__ import annotations


class Unlimited:
    """What such a back end inherits."""

    def reserve(self) -> None:
        """Any number of calls is free."""

    def release(self) -> None:
        """Nothing was reserved."""
