"""``rotate`` as it is installed, killed, cut off and taken back, with each of the three signers.

Every moment of every step is tried in memory, in ``tests/story/rotation`` and
``tests/edges/signers``; here it is some of them with everything real.
"""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING

import pytest

from netcup_mailauth.errors import ExitCode
from netcup_mailauth.sandbox.faults import read_mailcow_fault
from tests.process.rotation.killing import kill_after, prepare
from tests.process.rotation.place import DOMAIN, Place, is_over

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.process.command import Ended

SIGNERS = {"copy": (), "import": ("--import-key",), "command": ()}
AT_ONCE = (0.0, 0.0, 0.0)
WAITS = {"between_rounds": "0.1s", "negative_ttl": "0.1s", "grace": "0.3s"}
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
    with Place(tmp_path, delays=AT_ONCE, waits=WAITS, by_command=by_command) as place:
        prepare(place, tmp_path)
        yield place


def step(place: Place, options: tuple[str, ...], begun: bool) -> Ended:
    what = ("--continue",) if begun else (DOMAIN, "--yes")
    ended = place.run("rotate", *what, "--format", "json", *options)
    assert "Traceback" not in ended.stderr
    return ended


def assert_rotated(place: Place) -> None:
    """One key is left, and it is the one that signs."""
    assert place.phase is None
    (selector,) = place.published
    assert selector != "dkim"
    place.check_that_what_signs_is_published()
    keyring = place.sandbox._keyring
    assert [name for name in keyring.pub_keys if name != DOMAIN] == []
    assert list(place.command.folder.glob("state/*/*/rotations/*.key")) == []


def test_killed_again_and_again_it_finishes(place: Place, options: tuple[str, ...]) -> None:
    kills, moments, begun = 0, 1, False
    for _ in range(MOST_RUNS):
        kill_after(place, moments)
        ended = step(place, options, begun)
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
    assert_rotated(place)


ONE = pytest.mark.parametrize("signer", ["copy"], indirect=True)

NETCUP = ("drop", "apply-then-drop", "500")
MAILCOW = (
    {"mode": "drop-before"},
    {"mode": "partly", "writes": 1},
    {"mode": "killed", "writes": 1},
    {"mode": "partly", "writes": 2},
    {"mode": "drop-after"},
)


@ONE
def test_cut_off_again_and_again_it_finishes_and_says_why_it_stops(
    place: Place, options: tuple[str, ...]
) -> None:
    """In each run one side is gone from some call on; every fourth run goes well."""
    failed, begun = 0, False
    for number in range(MOST_RUNS):
        late, calm = number // 2 % 5, number % 4 == 3
        if number % 4 == 1:
            place.sandbox.fault("*", NETCUP[number // 4 % 3], times=99, after=late)
        elif not calm:
            fault = {"call": "*", "after": late % 3, "times": 9, **MAILCOW[number // 2 % 5]}
            place.sandbox.add_mailcow_fault(read_mailcow_fault(fault))
        ended = step(place, options, begun)
        place.sandbox._faults.clear()
        check_that_no_mail_fails(place)
        begun = begun or place.phase is not None
        if ended.code != ExitCode.OK:
            assert ended.stderr.strip(), "it stops without a word"
            failed += 1
        elif is_over(ended) and begun:
            break
        time.sleep(0.1)
    assert failed >= 2
    assert_rotated(place)


def check_that_no_mail_fails(place: Place) -> None:
    """What signs is published; where mailcow has half a key, nothing signs, and nothing fails."""
    if place.signing is not None:
        place.check_that_what_signs_is_published()


@pytest.mark.parametrize(
    ("signer", "phase"),
    [("copy", "waiting"), ("import", "grace"), ("command", "waiting"), ("command", "grace")],
    indirect=["signer"],
)
def test_an_abort_goes_back_or_says_that_it_cannot(
    place: Place, signer: str, options: tuple[str, ...], phase: str
) -> None:
    old = place.signing
    place.rotate_until(phase, *options)
    ended = place.run("rotate", DOMAIN, "--abort", "--yes", *options)
    place.check_that_what_signs_is_published()
    forward = signer == "command" and phase == "grace"
    assert (ended.code, "Rotate forward" in ended.stderr) == (
        (ExitCode.REFUSED, True) if forward else (ExitCode.OK, False)
    )
    place.let_go()
    place.until_done(*options)
    if forward:
        assert_rotated(place)
    else:
        assert place.signing == old
        assert set(place.published) == {"dkim"}


@ONE
def test_of_two_machines_the_second_keeps_its_hands_off(place: Place, tmp_path: Path) -> None:
    place.good("rotate", DOMAIN, "--yes")
    before = place.published
    place.command.changes["NETCUP_MAILAUTH_STATE_DIR"] = str(tmp_path / "another machine")
    ended = place.run("rotate", DOMAIN, "--yes")
    assert ended.code == ExitCode.REFUSED
    assert "another machine may be rotating" in ended.stderr
    assert place.published == before
    place.command.changes.pop("NETCUP_MAILAUTH_STATE_DIR")
    place.until_done()
    assert_rotated(place)
