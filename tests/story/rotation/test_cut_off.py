"""A rotation that is cut off, taken back or met by another machine, with each signer as it is."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from netcup_mailauth.errors import ExitCode
from netcup_mailauth.sandbox.faults import read_mailcow_fault
from tests.process.rotation.place import AT_ONCE, DOMAIN, SHORT, SIGNERS, Place, is_over

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.story.inprocess import PointedAt

MOST_RUNS = 80


@pytest.fixture
def signer() -> str:
    return "copy"


@pytest.fixture
def place(tmp_path: Path, signer: str, pointed_at: PointedAt) -> Iterator[Place]:
    by_command = signer == "command"
    with Place(
        tmp_path, delays=AT_ONCE, waits=SHORT, by_command=by_command, pointed_at=pointed_at
    ) as place:
        yield place


NETCUP = ("drop", "apply-then-drop", "500")
MAILCOW = (
    {"mode": "drop-before"},
    {"mode": "partly", "writes": 1},
    {"mode": "killed", "writes": 1},
    {"mode": "partly", "writes": 2},
    {"mode": "drop-after"},
)


def test_cut_off_again_and_again_it_finishes_and_says_why_it_stops(
    place: Place,
) -> None:
    """In each run one side is gone from some call on; every fourth run goes well."""
    failed, begun = 0, False
    for number in range(MOST_RUNS):
        late, calm = number // 2 % 5, number % 4 == 3
        if number % 4 == 1:
            place.sandbox.fault("*", NETCUP[number // 4 % 3], times=99, after=late)
        elif not calm:
            fault = {"call": "*", "after": late % 3, "times": 9, **MAILCOW[number // 2 % 5]}
            place.sandbox.add_fault(read_mailcow_fault(fault))
        ended = place.step((), begun)
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
    place.check_that_it_is_rotated()


def check_that_no_mail_fails(place: Place) -> None:
    """What signs is published; where mailcow has half a key, nothing signs, and nothing fails."""
    if place.signing is not None:
        place.check_that_what_signs_is_published()


@pytest.mark.parametrize(
    ("signer", "phase"),
    [("copy", "waiting"), ("import", "grace"), ("command", "waiting"), ("command", "grace")],
)
def test_an_abort_goes_back_or_says_that_it_cannot(place: Place, signer: str, phase: str) -> None:
    options = SIGNERS[signer]
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
        place.check_that_it_is_rotated()
    else:
        assert place.signing == old
        assert set(place.published) == {"dkim"}


def test_of_two_machines_the_second_keeps_its_hands_off(place: Place, tmp_path: Path) -> None:
    place.good("rotate", DOMAIN, "--yes")
    before = place.published
    place.command.set({"NETCUP_MAILAUTH_STATE_DIR": str(tmp_path / "another machine")})
    ended = place.run("rotate", DOMAIN, "--yes")
    assert ended.code == ExitCode.REFUSED
    assert "another machine may be rotating" in ended.stderr
    assert place.published == before
    place.command.set({"NETCUP_MAILAUTH_STATE_DIR": str(tmp_path / "state")})
    place.until_done()
    place.check_that_it_is_rotated()
