"""The command, with everything it leaves behind searched for secrets after each run."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.process.command import Command, Ended

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pytest

    from netcup_mailauth.sandbox import Sandbox

WRONG = {
    "NETCUP_CUSTOMER_NUMBER": "4711081547",
    "NETCUP_API_KEY": "C4n4ryWrongKey".ljust(50, "k"),
    "NETCUP_API_PASSWORD": "C4n4ryWrongPassword%\\\"'",
    "MAILCOW_API_KEY": "C4N4RY-WR0NG0-K3Y000",
}

CHILD_STARTED = 99
GUARD = f"""
import os, sys
STARTS = {{"subprocess.Popen", "os.fork", "os.forkpty", "os.posix_spawn", "os.exec", "os.system"}}
def guard(event, arguments):
    if event in STARTS:
        os._exit({CHILD_STARTED})
    if event == "socket.connect" and os.environ.get("CRASH"):
        raise RuntimeError(os.environ["NETCUP_API_PASSWORD"])
sys.addaudithook(guard)
"""
"""Ends the command if it starts a program, to which it would hand its environment."""

runs: list[str] = []
"""Every run that was searched, of all tests."""

leaked: list[str] = []
"""Every secret that was found."""


@dataclass
class Watched:
    """Runs the command and searches what it prints and writes.

    Attributes:
        command: the command.
        secrets: what must be nowhere.
        given: files that hold secrets because the test put them there.
    """

    command: Command
    secrets: list[str]
    given: list[Path] = field(default_factory=list)

    @property
    def folder(self) -> Path:
        return self.command.folder

    def secret_file(self, name: str, text: str) -> Path:
        """A file that may hold a secret."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.write_text(text)
        path.chmod(0o600)
        self.given.append(path)
        return path

    def __call__(self, *arguments: str, stdin: str = "") -> Ended:
        """Run it, and search everything."""
        ended = self.command(*arguments, stdin=stdin)
        self.search(ended, " ".join(arguments))
        return ended

    def search(self, ended: Ended, what: str) -> None:
        """Search what was printed, and every file that there is now."""
        runs.append(what)
        assert ended.code != CHILD_STARTED, f"{what}: a program was started"
        assert "Traceback" not in ended.stderr, f"{what}: {ended.stderr}"
        texts = {"stdout": ended.stdout, "stderr": ended.stderr, **dict(self._files())}
        found = [
            f"{what}: {place} holds {form!r}"
            for place, text in texts.items()
            for form in self._forms()
            if form in text  # which is quick, and rules out nearly all
            and re.search(rf"(?<![0-9A-Za-z]){re.escape(form)}(?![0-9A-Za-z])", text)
        ]
        leaked.extend(found)
        assert not found, "\n".join(found)

    def _files(self) -> Iterator[tuple[str, str]]:
        for path in self.folder.rglob("*"):
            if path.is_file() and path not in self.given and "__pycache__" not in path.parts:
                text = path.read_bytes().decode("latin-1")
                yield str(path), f"{path.relative_to(self.folder)}\n{text}"

    def _forms(self) -> Iterator[str]:
        """A secret, and as JSON, Python, Base64 and folded lines would show it."""
        for secret in self.secrets:
            yield secret
            yield from {repr(secret)[1:-1], base64.b64encode(secret.encode()).decode()} - {secret}
            if len(secret) > 30:
                yield secret[:30]  # text that is folded or cut off


def watched(sandbox: Sandbox, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Watched:
    """The command at a sandbox whose secrets, sessions and private keys are searched for."""
    folder.mkdir(exist_ok=True)
    command = Command(sandbox, folder, {"PYTHONPATH": str(folder / "guard")})
    (folder / "guard").mkdir()
    (folder / "guard" / "sitecustomize.py").write_text(GUARD)
    own = [value for name, value in sandbox.env.items() if name in WRONG and value]
    secrets = [*own, *WRONG.values()]
    sessions = sandbox._ccp.sessions
    begin = sessions.open

    def opened() -> str:
        secrets.append(begin())
        return secrets[-1]

    monkeypatch.setattr(sessions, "open", opened)
    return Watched(command, secrets)
