"""What a run over many domains costs that finds nothing to do.

Run it by hand: ``python tests/bench/thousand.py``. With ``--budget`` it keeps netcup's limit, over
400 domains, which takes two minutes, and prints the announced finish beside the real one.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from netcup_mailauth.sandbox import Sandbox

COMMAND = Path(sys.executable).with_name("netcup-mailauth")
FRESH = "v=spf1 mx a include:_spf.webhosting.systems ~all"
"""The SPF record that a fresh zone of the sandbox has."""

LAUNCHER = """
import os, sys
pid = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ)
_, status, usage = os.wait4(pid, 0)
print(usage.ru_utime + usage.ru_stime, usage.ru_maxrss)
sys.exit(os.waitstatus_to_exitcode(status))
"""
"""Starts the command, and prints its CPU seconds and kilobytes. It is small itself, because Linux
counts what a process was forked from."""


class Nothing(NamedTuple):
    """What a run cost.

    Attributes:
        calls: to the API.
        cpu: seconds of its process.
        megabytes: the most memory it had at a time.
    """

    calls: int
    cpu: float
    megabytes: float


def nothing_to_do(domains: int) -> Nothing:
    """Apply what so many domains have already, without the budget."""
    return _run(domains, "--rate", "0")[0]


def _run(domains: int, *options: str) -> tuple[Nothing, str]:
    names = [f"example-{number}.de" for number in range(domains)]
    with Sandbox(names, rate=None) as sandbox, tempfile.TemporaryDirectory() as home:
        config = Path(home) / "netcup-mailauth.toml"
        tables = (f'[domains."{name}"]\nspf.record = "{FRESH}"\n' for name in names)
        config.write_text("".join(tables))
        known = {name: value for name, value in sandbox.env.items() if value is not None}
        command = [str(COMMAND), "apply", "--yes", "-c", str(config), *options]
        environment = {**known, "HOME": home, "PATH": os.environ["PATH"]}
        ended = subprocess.run(
            [sys.executable, "-c", LAUNCHER, *command],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        cpu, kilobytes = map(float, ended.stdout.splitlines()[-1].split())
        calls = sum(sandbox.stats()["requests"].values())
    return Nothing(calls, cpu, kilobytes / 1024), ended.stderr


def main() -> None:
    """Print the figures."""
    if "--budget" in sys.argv:
        _, words = _run(400)
        (told,) = re.findall(r"done by about (\S+)", words)
        print(f"announced {told}, done {datetime.now().astimezone():%H:%M:%S}")  # noqa: T201
        return
    for number in (1, 250, 500, 1000):
        run = nothing_to_do(number)
        cost = f"{run.calls} calls, {run.cpu:.2f} s CPU, {run.megabytes:.0f} MB"
        print(f"{number:>5} domains: {cost}")  # noqa: T201


if __name__ == "__main__":
    main()
