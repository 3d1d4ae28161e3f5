"""A run of the command with pipes to it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from tests.process.processes import Start, started

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


class Running:
    """A process, and our ends of the pipes to it: what of `subprocess.Popen` tests need.

    Attributes:
        pid: its number.
        stdout: what it prints.
        stderr: what it complains of.
    """

    def __init__(
        self, arguments: Sequence[str], folder: Path, environment: Mapping[str, str]
    ) -> None:
        pipes = [os.pipe() for _ in range(3)]
        (stdin, ours), (out, stdout), (err, stderr) = pipes
        self._stdin = os.fdopen(ours, "wb")
        self.stdout, self.stderr = os.fdopen(out, "rb"), os.fdopen(err, "rb")
        self._process = started(Start(arguments, folder, environment, (stdin, stdout, stderr)))
        for theirs in (stdin, stdout, stderr):
            os.close(theirs)
        self.pid = self._process.pid

    def told_until(self, words: str) -> str:
        """What it complains of, up to the end of the line that ends a text with these words."""
        told = ""
        while words not in told:
            line = self.stderr.readline()
            assert line, told
            told += line.decode()
        return told

    @property
    def returncode(self) -> int:
        """How it ended; for who has waited for that."""
        code: int | None = self._process.returncode
        assert code is not None
        return code

    def wait(self, timeout: float) -> int:
        """Wait for its end, and say how it ended."""
        return self._process.wait(timeout)

    def communicate(self, stdin: bytes = b"", timeout: float = 60) -> tuple[bytes, bytes]:
        """Let it read this, wait for its end, and return what it printed that nobody has read."""
        with self.stdout, self.stderr, ThreadPoolExecutor(3) as pool:
            pool.submit(self._feed, stdin)
            printed, complained = pool.submit(self.stdout.read), pool.submit(self.stderr.read)
            try:
                self.wait(timeout)
            except subprocess.TimeoutExpired:
                self.kill()
                raise
            return printed.result(), complained.result()

    def _feed(self, stdin: bytes) -> None:
        with contextlib.suppress(BrokenPipeError), self._stdin:  # it need not read it all
            self._stdin.write(stdin)

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal, unless it has ended."""
        self._process.send_signal(number)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)

    def stop(self) -> None:
        """Leave nothing of it, whatever has become of it."""
        self.kill()
        self.wait(10)
        for pipe in (self._stdin, self.stdout, self.stderr):
            pipe.close()
