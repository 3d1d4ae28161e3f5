"""What stands on stderr fits the terminal; nowhere else is a message cut into lines."""

from __future__ import annotations

import os
import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.process.processes import COMMAND
from tests.process.terminal import dialogue

if TYPE_CHECKING:
    from tests.process.command import Command

MILD = ("--dmarc", "v=DMARC1;p=none;rua=mailto:postmaster@example.com")
NOT_HERE = "does not serve the zone"


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_messages_are_wrapped_and_what_is_to_be_copied_is_not(
    command: Command, columns: int
) -> None:
    command.changes |= {"COLUMNS": str(columns), "NO_COLOR": "1"}
    ended = dialogue(command, "plan", "example.com", "foreign.example", *MILD)
    lines = ended.stdout.splitlines()
    copied = [x for x in lines if x.strip().startswith(("netcup-mailauth ", "--"))]
    assert [x for x in lines if len(x) > columns and x not in copied] == []
    assert NOT_HERE in " ".join(" ".join(lines).split())

    ended = dialogue(command, "plan", "example.com", *MILD)
    (line,) = [x for x in ended.stdout.splitlines() if x.startswith("  netcup-mailauth apply")]
    assert line.endswith("postmaster@example.com'")


def test_a_message_begins_with_whose_it_is_and_goes_on_below(command: Command) -> None:
    command.changes["COLUMNS"] = "60"
    ended = dialogue(command, "records", "foreign.example")
    said = ended.stdout[ended.stdout.index("netcup-mailauth: ") :].splitlines()
    assert len(said) > 4
    assert any(line.startswith("  Check the spelling") for line in said)


def test_a_log_gets_each_message_in_one_line(command: Command) -> None:
    _, _, err = command("plan", "foreign.example", *MILD)
    assert len([line for line in err.splitlines() if "foreign.example" in line]) == 1
    assert max(map(len, err.splitlines())) > 120


def test_only_the_messages_at_a_terminal_are_wrapped_for_it(command: Command) -> None:
    """With stdout in a file it is stderr that says how wide the terminal is."""
    command.changes["COLUMNS"] = None
    ours, theirs = os.openpty()
    os.set_blocking(ours, False)
    ended = subprocess.run(
        [str(COMMAND), "plan", "foreign.example", *MILD],
        cwd=command.folder,
        env=command.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=theirs,
        check=False,
        timeout=60,
    )
    shown = os.read(ours, 65536).decode()
    os.close(theirs)
    os.close(ours)
    assert ended.returncode == 5
    assert NOT_HERE in " ".join(shown.split())
    assert NOT_HERE not in ended.stdout.decode()


@pytest.mark.parametrize("output_format", ["text", "json", "markdown"])
@pytest.mark.parametrize("words", [("plan",), ("apply", "--yes")])
def test_in_one_log_nothing_is_told_twice(
    command: Command, words: tuple[str, ...], output_format: str
) -> None:
    ended = subprocess.run(
        [str(COMMAND), words[0], "foreign.example", *MILD, *words[1:], "--format", output_format],
        cwd=command.folder,
        env=command.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
        timeout=60,
    )
    assert " ".join(re.sub("[`>]", "", ended.stdout).split()).count(NOT_HERE) == 1, ended.stdout


def test_in_one_log_what_was_not_tried_is_one_line_of_each_domain(command: Command) -> None:
    """As in the journal of a timer whose key is refused."""
    domains = ("example.com", "a.example", "b.example")
    ended = subprocess.run(
        [str(COMMAND), "apply", *domains, *MILD, "--yes"],
        cwd=command.folder,
        env=command.environment() | {"NETCUP_API_PASSWORD": "wrong"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
        timeout=60,
    )
    assert ended.returncode == 4
    lines = ended.stdout.splitlines()
    for domain in domains:
        assert sum(line.startswith(f"{domain}: ") for line in lines) == 1
    assert not [line for line in lines if "netcup-mailauth: a.example" in line]
    assert ended.stdout.count("netcup refuses") == 1


@pytest.mark.parametrize("output_format", ["text", "json", "markdown"])
def test_why_a_domain_has_no_plan_is_told_before_the_question(
    command: Command, output_format: str
) -> None:
    words = ("apply", "example.com", "foreign.example", *MILD, "--format", output_format)
    ended = dialogue(command, *words, answers=["n"])
    before, question, _ = " ".join(ended.stdout.split()).partition("Write these changes")
    assert question
    assert before.count(NOT_HERE) == 1
    assert " ".join(ended.stdout.split()).count(NOT_HERE) == 1
