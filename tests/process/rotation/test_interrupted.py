"""``rotate`` as it is installed, killed again and again, with each of the three signers.

Every moment of every step is tried in memory, in ``tests/story/rotation`` and
``tests/edges/signers``; here it is some of them with everything real.
"""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING

import pytest

from netcup_mailauth.errors import ExitCode
from tests.process.rotation.killing import kill_after, prepare
from tests.process.rotation.place import AT_ONCE, SHORT, SIGNERS, Place, is_over

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

STRIDE = 9
MOST_RUNS = 80


@pytest.fixture(params=SIGNERS)
def signer(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def options(signer: str) -> tuple[str, ...]:
    return SIGNERS[signer]


@pytest.fixture
def place(tmp_path: Path, signer: str) -> Iterator[Place]:
    by_command = signer == "command"
    with Place(tmp_path, delays=AT_ONCE, waits=SHORT, by_command=by_command) as place:
        prepare(place, tmp_path)
        yield place


def test_killed_again_and_again_it_finishes(place: Place, options: tuple[str, ...]) -> None:
    kills, moments, begun = 0, 1, False
    for _ in range(MOST_RUNS):
        kill_after(place, moments)
        ended = place.step(options, begun)
        kill_after(place, None)
        place.check_that_what_signs_is_published()
        begun = begun or place.phase is not None
        if ended.code == -signal.SIGKILL:
            kills, moments = kills + 1, moments + STRIDE
            continue
        assert ended.code == ExitCode.OK, ended.stderr
        if is_over(ended) and begun:
            break
        moments = 1 + moments % STRIDE  # every run is killed at other moments than the last
        time.sleep(0.1)
    assert kills >= 5
    place.check_that_it_is_rotated()
