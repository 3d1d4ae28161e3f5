"""Standard files that are full, closed or of a small encoding: no run is lost for want of them."""

from __future__ import annotations

import os
import pty
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.process.processes import COMMAND, Start, started
from tests.worlds import requests_of

if TYPE_CHECKING:
    from tests.process.command import Command

SPF = ("example.com", "--spf-drop", "include:_spf.webhosting.systems", "--spf", "v=spf1 mx a -all")
WRITES = ("apply", *SPF, "--yes")


@dataclass
class Printed:
    """How a run ended, and what became of the one stream that could be printed to."""

    code: int
    text: str


def run(command: Command, broken: int, sink: str, *arguments: str) -> Printed:
    """Run it with one stream (1 or 2) that takes nothing, and read the other."""
    read, write = os.pipe()
    if sink == "full":
        bad = os.open("/dev/full", os.O_WRONLY)
    else:
        gone, bad = os.pipe()
        os.close(gone)
    nothing = os.open(os.devnull, os.O_RDONLY)
    files = (nothing, bad, write) if broken == 1 else (nothing, write, bad)
    process = started(Start(arguments, command.folder, command.environment(), files))
    for file in (nothing, bad, write):
        os.close(file)
    with os.fdopen(read, "rb") as pipe:
        text = pipe.read().decode()
    return Printed(process.wait(60), text)


def in_a_shell(
    command: Command, redirections: str, *arguments: str
) -> subprocess.CompletedProcess[bytes]:
    """Run it as a shell does, whose redirections can close a file before it starts."""
    line = f'exec "$0" "$@" {redirections}'
    return subprocess.run(
        ["/bin/sh", "-c", line, str(COMMAND), *arguments],
        cwd=command.folder,
        env=command.environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=False,
    )


def was_written(command: Command) -> bool:
    """Whether netcup has it, and the journal knows that it was verified."""
    state = command.folder / "state"
    marks = "".join(path.read_text() for path in state.rglob("*.json"))
    return "updateDnsRecords" in requests_of(command.sandbox) and '"verified"' in marks


@pytest.mark.parametrize("sink", ["full", "closed pipe"])
def test_a_write_goes_on_to_its_verified_end_without_stdout(command: Command, sink: str) -> None:
    ended = run(command, 1, sink, *WRITES)
    assert ended.code == 1
    assert "stdout" in ended.text
    assert "Traceback" not in ended.text
    assert was_written(command)


@pytest.mark.parametrize("broken", [1, 2])
def test_an_undo_goes_on_to_its_verified_end(command: Command, broken: int) -> None:
    assert command(*WRITES).code == 0
    ended = run(command, broken, "full", "undo", "example.com", "--yes")
    assert ended.code == (1 if broken == 1 else 0)
    assert requests_of(command.sandbox)["updateDnsRecords"] == 2
    assert command("undo", "--list").stdout.count("verified") == 2


@pytest.mark.parametrize("sink", ["full", "closed pipe"])
def test_a_write_goes_on_and_is_told_without_stderr(command: Command, sink: str) -> None:
    ended = run(command, 2, sink, *WRITES)
    assert ended.code == 0
    assert "written and verified" in ended.text
    assert was_written(command)


@pytest.mark.parametrize(
    "arguments",
    [
        ("plan", *SPF),
        ("check", "example.com"),
        ("records", "example.com"),
        ("show", "plan.json"),
        ("undo", "--list"),
        ("rotate", "--status", "--format", "json"),
        ("init", "example.com"),
        ("auth", "--check"),
        ("--help",),
        ("plan", "--help"),
        ("--version",),
    ],
    ids=" ".join,
)
def test_what_is_printed_in_vain_is_an_error_whatever_the_command(
    command: Command, arguments: tuple[str, ...]
) -> None:
    assert command("plan", *SPF, "--out", "plan.json").code == 0
    (command.folder / "netcup-mailauth.toml").write_text("")
    if "undo" in arguments:
        assert command(*WRITES).code == 0
    as_usual = command(*arguments)
    for sink in ("full", "closed pipe"):
        ended = run(command, 1, sink, *arguments)
        assert ended.code == (as_usual.code or 1), ended.text
        assert "stdout" in ended.text
        assert "Traceback" not in ended.text
        assert run(command, 2, sink, *arguments).code == as_usual.code


def test_an_error_keeps_its_code_without_stderr(command: Command) -> None:
    for sink in ("full", "closed pipe"):
        assert run(command, 2, sink, "plan", "example").code == 2
        assert run(command, 1, sink, "plan", "foreign.com", *SPF[1:]).code == 5


def test_files_that_are_closed_from_the_start(command: Command) -> None:
    ended = in_a_shell(command, ">&- 2>&-", *WRITES)
    assert ended.returncode == 1
    assert was_written(command)
    ended = in_a_shell(command, "2>&-", "undo", "example.com", "--yes")
    assert ended.returncode == 0
    assert b"written and verified" in ended.stdout
    ended = in_a_shell(command, ">&-", "plan", *SPF)
    assert ended.returncode == 1
    assert b"stdout" in ended.stderr
    assert b"Traceback" not in ended.stderr
    ended = in_a_shell(command, "<&-", "plan", *SPF)
    assert ended.returncode == 0


def test_a_reader_who_has_seen_enough_is_no_failure_of_the_write(command: Command) -> None:
    ended = in_a_shell(command, "| head -c1", *WRITES, "--format", "json")
    assert ended.stdout == b"{"
    assert b"Traceback" not in ended.stderr
    assert was_written(command)


@pytest.mark.parametrize(
    "encoding", [{"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0"}]
)
def test_an_encoding_that_cannot_show_it_all(
    command: Command, encoding: dict[str, str | None]
) -> None:
    """A lone surrogate comes from an argument; netcup's TXT has letters beyond ASCII."""
    odd = {"hostname": "@", "type": "TXT", "destination": "Käse 日本 \U0001f9c0"}
    command.sandbox.set_zone("example.com", [*command.sandbox.zone("example.com"), odd])
    command.changes = encoding
    for arguments in (
        ("records", "example.com"),
        ("records", "example.com", "--format", "markdown"),
        ("records", "example.com", "--format", "json"),
        WRITES,
        ("plan", "ex\udcffample\u202e.com", "--spf", "v=spf1 \udcff ~all"),
    ):
        ended = subprocess.run(
            [COMMAND, *arguments],
            cwd=command.folder,
            env=command.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
        printed = ended.stdout + ended.stderr
        assert ended.returncode == (2 if arguments[0] == "plan" else 0), printed
        assert b"Traceback" not in printed
        assert b"\x1b" not in printed


@pytest.mark.parametrize("broken", [1, 2])
def test_a_plan_or_question_that_nobody_can_see_is_not_asked(command: Command, broken: int) -> None:
    ours, terminal = pty.openpty()
    full = os.open("/dev/full", os.O_WRONLY)
    files = (terminal, full, terminal) if broken == 1 else (terminal, terminal, full)
    start = Start(("apply", *SPF), command.folder, command.environment(), files, terminal=True)
    process = started(start)
    os.write(ours, b"y\n")
    assert process.wait(60) == 1
    for file in (ours, terminal, full):
        os.close(file)
    assert "updateDnsRecords" not in requests_of(command.sandbox)
