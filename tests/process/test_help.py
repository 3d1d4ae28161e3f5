"""``help`` at a terminal: what does not fit on it goes through the user's pager, page by page."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.process.terminal import dialogue

if TYPE_CHECKING:
    from tests.process.command import Command

AT_A_TERMINAL = {"PATH": os.environ.get("PATH", ""), "TERM": "xterm"}


@pytest.mark.parametrize(("subject", "paged"), [("rotate", True), ("3", False)])
def test_only_what_does_not_fit_is_paged(command: Command, subject: str, paged: bool) -> None:
    command.changes |= {**AT_A_TERMINAL, "PAGER": "sed s/^/paged:/"}
    ended = dialogue(command, "help", subject)
    assert ended.code == 0
    assert ended.stdout.startswith("paged:") is paged


def test_a_pager_that_is_left_early_is_no_fault(command: Command) -> None:
    command.changes |= {**AT_A_TERMINAL, "PAGER": "head -n 1"}
    ended = dialogue(command, "help", "findings")
    assert (ended.code, ended.stdout) == (0, "Findings\n")


def test_a_pipe_gets_all_of_it(command: Command) -> None:
    command.changes |= {**AT_A_TERMINAL, "PAGER": "sed s/^/paged:/"}
    ended = command("help", "findings")
    assert ended.code == 0
    assert "\nzone-reads-empty\n" in ended.stdout
    assert "paged:" not in ended.stdout
