"""The installed command, run as a user runs it: a process of its own, against a sandbox."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from netcup_mailauth.sandbox import Sandbox

COMMAND = Path(sys.executable).with_name("netcup-mailauth")
"""The console script beside the interpreter that runs the tests."""


@dataclass(frozen=True)
class Ended:
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
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def environment(self) -> dict[str, str]:
        """Nothing but the sandbox's addresses, a home, and what the tests changed."""
        home = str(self.folder / "home")
        values = {"HOME": home, "COLUMNS": "100", **self.sandbox.env, **self.changes}
        values.setdefault("NETCUP_MAILAUTH_STATE_DIR", str(self.folder / "state"))
        values.setdefault("NETCUP_MAILAUTH_RESOLVER", values.get("NETCUP_MAILAUTH_RESOLVER"))
        coverage = os.environ.get("COVERAGE_PROCESS_START")
        values["COVERAGE_PROCESS_START"] = coverage
        return {name: value for name, value in values.items() if value is not None}

    def __call__(self, *arguments: str, stdin: str | bytes = b"", timeout: float = 60) -> Ended:
        """Run it without a terminal."""
        ended = subprocess.run(
            [str(COMMAND), *arguments],
            input=stdin.encode() if isinstance(stdin, str) else stdin,
            capture_output=True,
            cwd=self.folder,
            env=self.environment(),
            timeout=timeout,
            check=False,
        )
        return Ended(ended.returncode, ended.stdout.decode(), ended.stderr.decode())

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start it and do not wait."""
        process = subprocess.Popen(
            [str(COMMAND), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=self.folder,
            env=self.environment(),
        )
        self.running.append(process)
        return process

    def stop(self) -> None:
        """End what was started and is still running, as after a test that failed."""
        for process in self.running:
            process.kill()
            process.communicate()

    def at_terminal(self, *arguments: str, answer: str, before: Any = None) -> Ended:
        """Run it at a terminal and answer its question; ``before`` is called just before that."""
        process, terminal = pty.fork()
        if process == 0:
            os.chdir(self.folder)
            os.execve(COMMAND, [str(COMMAND), *arguments], self.environment())
        shown = _until(terminal, "[y/N]")
        if before is not None:
            before()
        if answer == "^C":
            os.kill(process, signal.SIGINT)
        else:
            os.write(terminal, f"{answer}\n".encode())
        shown += _until(terminal, None)
        os.close(terminal)
        _, status = os.waitpid(process, 0)
        return Ended(os.waitstatus_to_exitcode(status), shown, "")


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
