"""Example after example for as long as there is time; each can be had again by its number."""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tests.story.fuzz.targets import TARGETS
from tests.story.fuzz.world import opened


@dataclass
class Tally:
    """What came of the examples of one target.

    Attributes:
        count: how many there were.
        codes: how often a call of the command ended with each exit code.
        slowest: seconds of the slowest example.
        found: what was wrong, by the number of the example.
    """

    count: int = 0
    codes: Counter[int] = field(default_factory=Counter)
    slowest: float = 0.0
    found: dict[int, list[str]] = field(default_factory=dict)

    def add(self, other: Tally) -> None:
        """Take in the figures of more examples of the same target."""
        self.count += other.count
        self.codes += other.codes
        self.slowest = max(self.slowest, other.slowest)
        self.found |= other.found


def fuzz(target: str, seconds: float, start: int = 0, most: int | None = None) -> Tally:
    """Run the examples of a target from number ``start`` on.

    Args:
        target: a key of :data:`TARGETS`.
        seconds: when to stop.
        start: the number of the first example. The same number is the same example.
        most: how many at most.
    """
    tally = Tally()
    until = time.monotonic() + seconds
    with tempfile.TemporaryDirectory() as folder, opened(Path(folder)) as world:
        while time.monotonic() < until and (most is None or tally.count < most):
            number = start + tally.count
            began = time.monotonic()
            world.reset()
            problems = TARGETS[target](world, Random(f"{target} {number}"))
            tally.slowest = max(tally.slowest, time.monotonic() - began)
            tally.count += 1
            if problems:
                tally.found[number] = problems
        tally.codes = world.codes
    return tally
