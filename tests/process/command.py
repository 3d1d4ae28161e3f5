"""The installed command, run as a user runs it: a process of its own, against a sandbox."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.process.processes import COMMAND, Start, started, until_it_reads
from tests.process.running import Running

if TYPE_CHECKING:
    from pathlib import Path

    from netcup_mailauth.sandbox import Sandbox
    from tests.process.processes import Process

__all__ = ["COMMAND", "Command", "Ended"]


class Ended(NamedTuple):
    """How a run of the command ended."""

    code: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        """What was printed, as JSON."""
        return json.loads(self.stdout)


@dataclass
class Command:
    """The command in a folder and an environment of its own, pointed at a sandbox."""

    sandbox: Sandbox
    folder: Path
    changes: dict[str, str | None] = field(default_factory=dict)
    running: list[Running] = field(default_factory=list)

    def environment(self) -> dict[str, str]:
        """Nothing but the sandbox's addresses, a home, and what the tests changed."""
        home = str(self.folder / "home")
        values = {"HOME": home, "COLUMNS": "100", **self.sandbox.env, **self.changes}
        values.setdefault("NETCUP_MAILAUTH_STATE_DIR", str(self.folder / "state"))
        values.setdefault("NETCUP_MAILAUTH_RESOLVER", values.get("NETCUP_MAILAUTH_RESOLVER"))
        coverage = os.environ.get("COVERAGE_PROCESS_START")
        values["COVERAGE_PROCESS_START"] = coverage
        return {name: value for name, value in values.items() if value is not None}

    def set(self, variables: dict[str, str | None]) -> None:
        """Set these variables of the runs to come; ``None`` takes one away."""
        self.changes |= variables

    def __call__(self, *arguments: str, stdin: str | bytes = b"", timeout: float = 60) -> Ended:
        """Run it without a terminal."""
        process = Running(arguments, self.folder, self.environment())
        given = stdin.encode() if isinstance(stdin, str) else stdin
        stdout, stderr = process.communicate(given, timeout)
        return Ended(process.returncode, stdout.decode(), stderr.decode())

    def start(self, *arguments: str) -> Running:
        """Start it and do not wait."""
        process = Running(arguments, self.folder, self.environment())
        self.running.append(process)
        return process

    def stop(self) -> None:
        """End what was started and is still running, as after a test that failed."""
        for process in self.running:
            process.stop()

    def open_terminal(self, *arguments: str) -> tuple[Process, int]:
        """Start it at a terminal of its own; the process, and our side of the terminal."""
        ours, theirs = pty.openpty()
        files = (theirs, theirs, theirs)
        process = started(Start(arguments, self.folder, self.environment(), files, terminal=True))
        os.close(theirs)
        return process, ours

    def at_terminal(self, *arguments: str, answer: str, before: Any = None) -> Ended:
        """Run it at a terminal and answer its question; ``before`` is called just before that."""
        process, terminal = self.open_terminal(*arguments)
        shown = _until(terminal, "[y/N]")
        if before is not None:
            before()
        if answer == "^C":
            until_it_reads(process)
            process.send_signal(signal.SIGINT)
        else:
            os.write(terminal, f"{answer}\n".encode())
        shown += _until(terminal, None)
        os.close(terminal)
        return Ended(process.wait(30), shown, "")


def _until(terminal: int, words: str | None) -> str:
    shown = b""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        ready, _, _ = select.select([terminal], [], [], 0.2)
        if not ready:
            continue
        try:
            data = os.read(terminal, 65536)
        except OSError:  # the command has closed its side
            break
        if not data:
            break
        shown += data
        if words is not None and words.encode() in shown:
            break
    return shown.decode().replace("\r\n", "\n")
