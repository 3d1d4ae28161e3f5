"""Processes of the command: started from nothing, as a user's are, or forked, which is quicker.

Half a second of every run is Python importing. A fork of an interpreter that has done that is a
process like any other: its arguments, environment, folder, terminal, signals, memory and exit are
its own. What it cannot have anew is what Python settles before it runs a line, see `SETTLED`; and
one sees the interpreter's arguments and environment in ``ps``. And a fork does not wait before it
looks again at what failed.
"""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import functools
import json
import os
import socket
import subprocess
import sys
import termios
import time
from dataclasses import astuple
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from tests.pauses import NONE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

COMMAND = Path(sys.executable).with_name("netcup-mailauth")
"""The console script beside the interpreter that runs the tests."""

INTERPRETER = Path(__file__).with_name("interpreter.py")
"""The program whose forks become runs."""

SETTLED = ("PYTHON", "LC_", "LANG", "LD_", "COVERAGE_")
"""How the variables begin that are read before a program starts."""


class Start(NamedTuple):
    """All there is to a process that is to be started.

    Attributes:
        arguments: what follows the command's name.
        folder: where it runs.
        environment: the whole of it.
        files: its standard input, output and error.
        terminal: whether those are a terminal, which is to be its own.
    """

    arguments: Sequence[str]
    folder: Path
    environment: Mapping[str, str]
    files: tuple[int, int, int]
    terminal: bool = False

    @property
    def can_be_forked(self) -> bool:
        """Whether nothing is asked for that only Python's start can do."""
        names = set(self.environment) - {"PYTHONPATH"}  # a sitecustomize there is run in a fork too
        return not any(name.startswith(SETTLED) for name in names)


class Process(Protocol):
    """The part of `subprocess.Popen` that tests need."""

    pid: int
    returncode: int | Any  # None while it runs, which is how typeshed has it

    def wait(self, timeout: float | None = None) -> int: ...

    def send_signal(self, sig: int) -> None: ...


def until_it_reads(process: Process) -> None:
    """Wait until it sleeps: in the instant before it reads, Python would miss a signal."""
    stat = Path(f"/proc/{process.pid}/stat")
    while True:
        time.sleep(0.1)
        if stat.read_text().rpartition(")")[2].split()[0] == "S":
            return


def started(start: Start) -> Process:
    """The process, forked if that makes no difference."""
    return Forked(start) if start.can_be_forked else from_nothing(start)


def from_nothing(start: Start) -> Process:
    """The installed command, run as a user's shell runs it."""
    stdin, stdout, stderr = start.files
    return subprocess.Popen(
        [COMMAND, *start.arguments],
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        cwd=start.folder,
        env=start.environment,
        start_new_session=start.terminal,
        preexec_fn=_take_the_terminal if start.terminal else None,
    )


def _take_the_terminal() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


class Forked:
    """A fork of the interpreter that has everything imported."""

    def __init__(self, start: Start) -> None:
        self.returncode: int | Any = None
        self._channel, theirs = socket.socketpair()
        with theirs:
            socket.send_fds(_interpreter(), [b"!"], [theirs.fileno(), *start.files])
        wanted = {
            "arguments": start.arguments,
            "folder": str(start.folder),
            "environment": start.environment,
            "terminal": start.terminal,
        }
        self._channel.sendall(json.dumps(wanted).encode())
        self._channel.shutdown(socket.SHUT_WR)
        self.pid = self._told(None)

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; see `subprocess.Popen`."""
        if self.returncode is None:
            self.returncode = self._told(timeout)
            self._channel.close()
        return self.returncode

    def send_signal(self, sig: int) -> None:
        """Send a signal, unless it has ended; see `subprocess.Popen`."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.wait(0)
        if self.returncode is None:
            os.kill(self.pid, sig)

    def _told(self, timeout: float | None) -> int:
        self._channel.settimeout(timeout)
        try:
            number = self._channel.recv(4)
        except (TimeoutError, BlockingIOError):
            raise subprocess.TimeoutExpired(COMMAND.name, timeout or 0) from None
        assert number, "the interpreter has ended"
        return int.from_bytes(number, signed=True)


@functools.cache
def _interpreter() -> socket.socket:
    """Where to ask the interpreter for forks. It is started when first needed, and ends with us."""
    ours, theirs = socket.socketpair()
    with theirs:
        process = subprocess.Popen(
            [sys.executable, INTERPRETER, str(theirs.fileno()), COMMAND, json.dumps(astuple(NONE))],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            env={},
            pass_fds=[theirs.fileno()],
            start_new_session=True,  # a ^C at the terminal is for the tests alone
        )

    @atexit.register
    def end() -> None:
        ours.close()
        process.wait()

    return ours
