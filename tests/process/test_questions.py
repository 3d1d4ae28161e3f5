"""What may be typed at a question, and what it leaves behind: nothing is written without a yes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from netcup_mailauth.errors import ExitCode
from tests.process.terminal import dialogue
from tests.story.wanted import DROP, WISH

if TYPE_CHECKING:
    from tests.process.command import Command


@pytest.mark.parametrize("answer", ["y", "YES", "j", "Ja", " J "])
def test_yes_may_be_said_in_german_too(command: Command, answer: str) -> None:
    ended = dialogue(command, "apply", "example.com", *WISH, answers=[answer])
    assert ended.code == ExitCode.OK
    assert "written and verified" in ended.stdout


@pytest.mark.parametrize("answer", ["", "n", "Nein", "\x04"])
def test_no_enter_and_the_end_of_the_input_are_no(command: Command, answer: str) -> None:
    before = command.sandbox.zone("example.com")
    ended = dialogue(command, "apply", "example.com", *WISH, answers=[answer])
    assert ended.code == ExitCode.USAGE
    assert ended.stdout.splitlines()[-1] == "Not confirmed; nothing was written."
    assert command.sandbox.zone("example.com") == before


def test_what_is_neither_is_asked_again(command: Command) -> None:
    ended = dialogue(command, "apply", "example.com", *WISH, answers=["jein", "j"])
    assert ended.code == ExitCode.OK
    assert ended.stdout.count("[y/N]") == 2
    assert "'jein' is neither" in ended.stdout


@pytest.mark.parametrize("what", [("apply", *WISH), ("undo",), ("undo", "--lost")])
def test_ctrl_c_ends_the_line_and_says_that_nothing_was_written(
    command: Command, what: tuple[str, ...]
) -> None:
    if what[0] != "apply":
        command("apply", "example.com", "--spf", "v=spf1 a mx ~all", *DROP, "--yes")
    if what[1:] == ("--lost",):
        kept = [r for r in command.sandbox.zone("example.com") if r["type"] != "MX"]
        command.sandbox.set_zone("example.com", kept)
    before = command.sandbox.zone("example.com")
    ended = dialogue(command, what[0], "example.com", *what[1:], answers=["^C"])
    assert ended.code == ExitCode.INTERRUPTED, ended.stdout
    *_, asked, said = ended.stdout.splitlines()
    assert "[y/N]" in asked
    assert "Interrupted" not in asked
    assert said == "netcup-mailauth: Interrupted; nothing was written."
    assert command.sandbox.zone("example.com") == before
