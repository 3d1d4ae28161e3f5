"""Programs of others: found, run without privileges on loopback, and stopped with nothing left."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

from tests.world.judges.judges import absent

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""Where Debian puts its programs; an ordinary user's own PATH lacks the half of it."""

PACKAGES = {
    "knotd": "knot",
    "rspamd": "rspamd",
    "opendkim-testkey": "opendkim-tools",
    "spfquery.mail-spf-perl": "spf-tools-perl",
}
"""Debian's package of each program; .ci/packages is the list to install."""

_STARTS = 3
_SECONDS_TO_START = 15.0
_SECONDS_TO_STOP = 10.0


def find(program: str) -> str:
    """Where a program is; without it the test is skipped, or fails where REQUIRE_E2E is set."""
    path = shutil.which(program, path=f"{os.environ.get('PATH', '')}:{PATH}")
    if path is None:
        absent(program, f"apt-get install --no-install-recommends {PACKAGES[program]}")
    return path


def until(ready: Callable[[], bool], seconds: float, pause: float = 0.01) -> bool:
    """Whether it came true in time."""
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
    return True


def free_port() -> int:
    """A port that is free for both UDP and TCP, at least now."""
    while True:
        with socket.socket(type=socket.SOCK_DGRAM) as udp, socket.socket() as tcp:
            udp.bind(("127.0.0.1", 0))
            port: int = udp.getsockname()[1]
            try:
                tcp.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


class Folder:
    """A folder for the files of one program, which may run as nobody there.

    Its path is short, as that of a Unix socket must not have more than 107 bytes.
    """

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="nm-", dir="/tmp"))
        self._hand_over(self.path)

    def write(self, name: str, text: str) -> Path:
        """Write a file that nobody else can read."""
        path = self.path / name
        path.write_text(text, encoding="utf-8")
        path.chmod(0o600)
        self._hand_over(path)
        return path

    def run(
        self, command: Sequence[str], env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a program to its end."""
        return subprocess.run(
            command,
            cwd=self.path,
            env={**self._environment(), **(env or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
            user=_user(),
            group=_group(),
            extra_groups=_no_groups(),
        )

    def start(self, command: Sequence[str]) -> subprocess.Popen[bytes]:
        """Start a program in a session of its own, so that its children can be found."""
        with (self.path / "output").open("wb") as output:
            return subprocess.Popen(
                command,
                cwd=self.path,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                user=_user(),
                group=_group(),
                extra_groups=_no_groups(),
            )

    def output(self) -> str:
        """What the started program has said."""
        return (self.path / "output").read_text(encoding="utf-8", errors="replace")

    def remove(self) -> None:
        """Remove it with all that is in it."""
        shutil.rmtree(self.path)

    def _environment(self) -> dict[str, str]:
        folder = str(self.path)
        return {"PATH": PATH, "HOME": folder, "TMPDIR": folder, "LC_ALL": "C.UTF-8"}

    @staticmethod
    def _hand_over(path: Path) -> None:
        user, group = _user(), _group()
        if user is not None and group is not None:
            os.chown(path, user, group)


def _user() -> int | None:
    """Who shall run the programs: nobody, if the tests run as root."""
    return pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else None


def _group() -> int | None:
    return pwd.getpwnam("nobody").pw_gid if os.geteuid() == 0 else None


def _no_groups() -> list[int] | None:
    return [] if os.geteuid() == 0 else None


class Server:
    """A program that serves on a port of loopback until it is stopped.

    Args:
        folder: where its files are; removed with it.
        configure: writes its files for a port, and gives its command line.
        answers: whether it answers at its port.

    Raises:
        AssertionError: it does not start.
    """

    def __init__(
        self,
        folder: Folder,
        configure: Callable[[int], Sequence[str]],
        answers: Callable[[int], bool],
    ) -> None:
        self.folder = folder
        for _ in range(_STARTS):  # somebody else may take the port just before it does
            self.port = free_port()
            begun = time.monotonic()
            self.process = folder.start(configure(self.port))
            ended_or_ready = until(lambda: self._ended() or answers(self.port), _SECONDS_TO_START)
            self.seconds_to_start = time.monotonic() - begun
            if ended_or_ready and not self._ended():
                return
            self._kill()
        output = folder.output()
        folder.remove()
        raise AssertionError(f"it does not start:\n{output}")

    def _ended(self) -> bool:
        return self.process.poll() is not None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def processes(self) -> list[int]:
        """The processes of its session: itself, and what it started."""
        return [pid for pid in _pids() if _session(pid) == self.process.pid]

    def stop(self) -> None:
        """Stop it as an init system would.

        Raises:
            AssertionError: it ended badly, or left a process behind.
        """
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(_SECONDS_TO_STOP)
            assert code == 0, self.folder.output()
            assert until(lambda: not self.processes(), _SECONDS_TO_STOP), self.processes()
        finally:
            self._kill()
            self.folder.remove()

    def _kill(self) -> None:
        for pid in self.processes():
            os.kill(pid, signal.SIGKILL)
        self.process.wait()


def _pids() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _session(pid: int) -> int | None:
    """The session of a process; None if it has ended."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    state, _, _, session = stat.rpartition(")")[2].split()[:4]
    return None if state == "Z" else int(session)
