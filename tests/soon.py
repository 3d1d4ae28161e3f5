"""That something takes no time, or comes in time, on a machine that others use too."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Found = TypeVar("Found")

TRIES = 100


def once_within(seconds: float, takes: Callable[[], float]) -> bool:
    """Whether ``takes`` took no longer than that once in so many times; most often the first."""
    return any(takes() < seconds for _ in range(TRIES))


def given_time(ask: Callable[[float], Found], is_right: Callable[[Found], bool]) -> Found:
    """What is found within half a second; where that is not it, within two and within eight."""
    return next(filter(is_right, map(ask, (0.5, 2.0))), None) or ask(8.0)
