"""That something takes no time, on a machine that others use too."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

TRIES = 100


def once_within(seconds: float, takes: Callable[[], float]) -> bool:
    """Whether ``takes`` took no longer than that once in so many times; most often the first."""
    return any(takes() < seconds for _ in range(TRIES))
