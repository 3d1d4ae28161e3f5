"""After a refusal somebody at a terminal may still try, and is told how it went."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.process.terminal import dialogue
from tests.story.test_holds import PLAN, WRONG, holds, logins

if TYPE_CHECKING:
    from tests.process.command import Command


def test_somebody_at_a_terminal_may_try_and_a_success_lifts_it(command: Command) -> None:
    command.sandbox.fault("login", "lockout")
    command(*PLAN)
    assert command(*PLAN).code == 10
    ended = dialogue(command, "auth", "--check")
    assert ended.code == 0, ended.stdout
    assert holds(command) == []
    assert command(*PLAN).code == 0


def test_somebody_at_a_terminal_is_told_that_it_still_does_not_work(command: Command) -> None:
    command.changes = dict(WRONG)
    command(*PLAN)
    ended = dialogue(command, *PLAN)
    assert ended.code == 4
    assert "Customer account not found" in " ".join(ended.stdout.split())
    assert logins(command) == 2
    command(*PLAN)
    assert logins(command) == 2
