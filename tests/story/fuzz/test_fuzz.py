"""Nothing that somebody else wrote makes a traceback, a hang, or a write that was not asked for.

The same examples each time: a contributor tries the first of them, CI a few seconds' worth for each
input. ``python -m tests.story.fuzz`` goes on from there for as long as one likes.
"""

from __future__ import annotations

import pytest

from tests.effort import tries
from tests.story.fuzz.running import fuzz

EXAMPLES = {
    "zone-file": 350,
    "config": 250,
    "plan-file": 120,
    "key-file": 180,
    "state-file": 150,
    "ccp-answer": 120,
    "rest-answer": 120,
    "mailcow-answer": 150,
    "dns-answer": 80,
}


@pytest.mark.parametrize(("target", "count"), EXAMPLES.items())
def test_no_broken_input_makes_a_traceback_a_hang_or_a_write(target: str, count: int) -> None:
    tally = fuzz(target, 120.0, most=tries(count))
    assert tally.found == {}, (
        f"again: python -m tests.story.fuzz {target} {min(tally.found, default=0)}"
    )
    assert tally.count == tries(count)
    # Some are sound in spite of it all, most are not: neither side goes untested.
    assert 0 < tally.codes[0] < tally.codes.total()
