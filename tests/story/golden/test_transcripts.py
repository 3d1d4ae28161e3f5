"""Whole runs and every ``--help`` are, byte for byte, what they were when they were frozen."""

from __future__ import annotations

import pytest

from netcup_mailauth.cli.commands import COMMANDS
from tests.story.golden.transcripts import GROUPS, HELP, TRANSCRIPTS, help_of, transcript


@pytest.mark.parametrize("group", GROUPS)
def test_runs_are_as_they_were_frozen(group: str) -> None:
    assert transcript(group).splitlines() == (TRANSCRIPTS / f"{group}.txt").read_text().splitlines()


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_is_as_it_was_frozen(command: str) -> None:
    frozen = HELP / f"{command or 'netcup-mailauth'}.txt"
    assert help_of(command) == frozen.read_text()


def test_nothing_is_frozen_that_is_not_told_any_more() -> None:
    assert {path.stem for path in TRANSCRIPTS.iterdir()} == set(GROUPS)
    assert {path.stem for path in HELP.iterdir()} == {"netcup-mailauth", *COMMANDS}
