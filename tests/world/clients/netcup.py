"""A network of its own in which netcup's names lead to a sandbox, for programs that know no other.

Their hosts are fixed in them, and so is port 443. In a namespace of its own an ordinary user may
bind that port and have a hosts file, and nothing of the machine outside is redirected: it is what
the guide's page on other programs shows.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import pytest

from netcup_mailauth.sandbox.addresses import CA_VARIABLES
from tests.effort import NOT_HERE
from tests.process.processes import COMMAND
from tests.world.judges.judges import absent
from tests.world.realworld.programs import PATH

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

BIN = Path(sys.executable).parent
"""Where the programs are that pip has installed beside ours."""

PACKAGES = {"unshare": "util-linux", "nsenter": "util-linux", "ip": "iproute2"}
"""What such a network is made with, and where Debian has it."""

HOSTS = "127.0.0.1 localhost ccp.netcup.net api.netcup.com\n"

_APART = ("unshare", "--map-root-user", "--mount", "--net")
_SET_UP = 'ip link set lo up && mount --bind "$0" /etc/hosts && exec "$@"'
_SECONDS_TO_START = 15


class Netcup:
    """A sandbox with these zones, at `https://ccp.netcup.net` and `https://api.netcup.com`.

    Args:
        folder: where its files are, and where programs are started.
        options: more for the command `sandbox`.
    """

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder = folder
        self.banner: dict[str, Any] = {"env": {}}
        for name, package in PACKAGES.items():
            program(name, package)
        hosts = folder / "hosts"
        hosts.write_text(HOSTS)
        self._errors = folder / "sandbox.err"
        served = (str(COMMAND), "sandbox", "--tls", "--port", "443", "--rate", "0", *options)
        command = (*_APART, "sh", "-c", _SET_UP, str(hosts), *served, "--format", "json")
        with self._errors.open("wb") as errors:
            self._process = subprocess.Popen(
                command, env=self._environment(), stdout=subprocess.PIPE, stderr=errors, text=True
            )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._process.communicate(timeout=_SECONDS_TO_START)
            _no_network(self._errors.read_text())
        self.banner = json.loads(line)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGINT)
        self._process.communicate(timeout=_SECONDS_TO_START)

    @property
    def env(self) -> dict[str, str]:
        """What the sandbox says of itself: credentials, addresses, the CA."""
        return {name: value for name, value in self.banner["env"].items() if value}

    def run(self, *command: str | Path, code: int = 0, env: Mapping[str, str] | None = None) -> str:
        """Run a program in this network to its end; what it has printed, errors too."""
        ended = subprocess.run(
            self._inside(command),
            env=self._environment(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        )
        assert ended.returncode == code, ended.stdout
        return ended.stdout

    def start(
        self, *command: str | Path, env: Mapping[str, str] | None = None
    ) -> subprocess.Popen[bytes]:
        """Start a program in this network that stays; what it says goes into a file."""
        with (self.folder / f"{Path(command[0]).name}.log").open("wb") as log:
            return subprocess.Popen(
                self._inside(command),
                env=self._environment(env),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def zone(self, domain: str) -> list[dict[str, str]]:
        """The records of a zone, as the CCP API has them."""
        records: list[dict[str, str]] = self.stats()["zones"][domain]
        return records

    def stats(self) -> dict[str, Any]:
        """What was asked so far, and how the zones look."""
        asked = f"import urllib.request as r; print(r.urlopen('{self.banner['control_url']}/stats')"
        answer = self.run(sys.executable, "-c", f"{asked}.read().decode())")
        stats: dict[str, Any] = json.loads(answer)
        return stats

    def _inside(self, command: Sequence[str | Path]) -> list[str]:
        target = ("nsenter", "--target", str(self._process.pid), "--user", "--mount", "--net")
        there = ("env", "-C", str(self.folder))  # nsenter begins at the root
        return [*target, "--preserve-credentials", *there, *map(str, command)]

    def _environment(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        own = {"PATH": f"{BIN}:{PATH}", "HOME": str(self.folder), "LC_ALL": "C.UTF-8"}
        trusted = {name: self.env[name] for name in CA_VARIABLES if name in self.env}
        return {**own, **trusted, **(more or {})}


def _no_network(why: str) -> None:
    """Skip the test by name where the system lets nobody have such a network; else it fails."""
    first = why.partition("\n")[0]
    if first.startswith(("unshare: ", "mount: ", "RTNETLINK ")):
        pytest.skip(f"{NOT_HERE}a network of one's own ({first})")
    pytest.fail(f"the sandbox does not start: {why}", pytrace=False)


def program(name: str, package: str) -> str:
    """Where a program of Debian's is; without it the test is skipped, or fails in CI."""
    path = shutil.which(name, path=f"{os.environ.get('PATH', '')}:{PATH}")
    if path is None:
        absent(name, f"apt-get install --no-install-recommends {package}")
    return path
