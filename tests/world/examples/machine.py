"""A machine that an example is put on: its absolute paths below a folder, netcup a sandbox."""

from __future__ import annotations

import io
import os
import re
import shutil
import signal
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from netcup_mailauth.cli import main
from tests.world.judges.judges import absent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from netcup_mailauth.sandbox import Sandbox

COMMAND = Path(sys.executable).with_name("netcup-mailauth")
"""The console script beside the interpreter that runs the tests."""

ROOT = Path(__file__).parents[3]
EXAMPLES = ROOT / "examples"
CONFIG = EXAMPLES / "netcup-mailauth.toml"

SECRETS = (
    "NETCUP_CUSTOMER_NUMBER",
    "NETCUP_API_KEY",
    "NETCUP_API_PASSWORD",
    "NETCUP_REST_API_KEY",
    "MAILCOW_API_KEY",
)
OWN_FOLDERS = re.compile(r"(?<![\w.}/-])/(?=(etc|var/lib|run|opt|usr/local)/)")
"""Where an absolute path of a file that only the user's machine has begins."""


def program(name: str, package: str) -> str:
    """Where a program of Debian is; without it the test is skipped, or fails in CI."""
    path = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/bin:/sbin:/bin")
    if path is None:
        absent(name, f"apt-get install --no-install-recommends {package}")
    return path


@dataclass(frozen=True)
class Ended:
    """How a run of a program ended."""

    code: int
    stdout: str
    stderr: str


@dataclass(frozen=True)
class Machine:
    """What an example finds on the machine that it is made for."""

    root: Path
    sandbox: Sandbox

    @property
    def surroundings(self) -> dict[str, str]:
        """Where the sandbox is, without a secret, and a home: all that no example says."""
        env = self.sandbox.env.items()
        where = {name: value for name, value in env if value and name not in SECRETS}
        return {"HOME": str(self.root / "home"), **where}

    @property
    def secrets(self) -> dict[str, str]:
        """What the sandbox takes, by variable."""
        env = self.sandbox.env.items()
        return {name: value for name, value in env if value and name in SECRETS}

    def placed(self, text: str) -> str:
        """``text`` with every path of this machine below its root."""
        return OWN_FOLDERS.sub(f"{self.root}/", text)

    def at(self, path: str) -> Path:
        """The file that an example names as ``path``."""
        return Path(self.placed(path))

    def write(self, path: str, text: str) -> Path:
        """Put a file on the machine, readable by its owner alone."""
        file = self.at(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        file.chmod(0o600)
        return file

    def write_secrets(self, folder: str) -> None:
        """Put a file for each secret into ``folder``, with the names in lower case."""
        for name, value in self.secrets.items():
            self.write(f"{folder}/{name.lower()}", value)

    def write_config(self, path: str = "/etc/netcup-mailauth/netcup-mailauth.toml") -> None:
        """Put the example config there, and the key file that it names."""
        self.write(path, self.placed(CONFIG.read_text(encoding="utf-8")))
        key = Ed25519PrivateKey.generate().private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
        )
        self.write("/etc/dkim/example.org.private", key.decode())

    def install(self) -> None:
        """Put the command where the examples look for it."""
        link = self.at("/opt/netcup-mailauth/bin/netcup-mailauth")
        link.parent.mkdir(parents=True)
        link.symlink_to(COMMAND)

    def run(self, words: Sequence[str], environment: Mapping[str, str]) -> Ended:
        """Run the command with nothing in its environment but this and the sandbox's addresses.

        In this process, which is quicker; what a shell makes of a line is for :meth:`shell`.
        """
        values = {**self.surroundings, **environment}
        out, err = io.StringIO(), io.StringIO()
        handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
            for name in set(os.environ) - set(values) - {"PYTEST_CURRENT_TEST"}:
                patch.delenv(name)
            for name, value in values.items():
                patch.setenv(name, value)
            code = main([self.placed(word) for word in words])
        for number, handler in handlers.items():  # which the command has set
            signal.signal(number, handler)
        return Ended(code, out.getvalue(), err.getvalue())

    def shell(
        self, words: Sequence[str], environment: Mapping[str, str], folder: Path | None = None
    ) -> Ended:
        """Run a program, most often a shell, with nothing else in its environment."""
        coverage = os.environ.get("COVERAGE_PROCESS_START")
        measured = {"COVERAGE_PROCESS_START": coverage} if coverage else {}
        ended = subprocess.run(
            words,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            cwd=folder or self.root,
            env={**measured, **self.surroundings, **environment},
            timeout=60,
            check=False,
        )
        return Ended(ended.returncode, ended.stdout.decode(), ended.stderr.decode())

    def records(self, domain: str, hostname: str, beginning: str) -> list[str]:
        """The TXT records at a name of a zone, as netcup has them now."""
        return [
            record["destination"]
            for record in self.sandbox.zone(domain)
            if record["hostname"] == hostname
            and record["type"] == "TXT"
            and record["destination"].startswith(beginning)
        ]
