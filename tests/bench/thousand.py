"""What a run over many domains costs that finds nothing to do.

Run it by hand: ``python tests/bench/thousand.py``. It prints what each further domain costs, beside
what it costs a program that only reads the zones (``clients.py``); and what ten connections cost
over https beside http. With ``--budget`` it keeps netcup's limit, over
400 domains, which takes two minutes, and prints the announced finish beside the real one.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

import certifi

from netcup_mailauth.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

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


def nothing_to_do(domains: int, *options: str, tls: bool = False) -> Nothing:
    """Apply what so many domains have already, without the budget."""
    return _run(domains, "--rate", "0", *options, tls=tls)[0]


def only_read(domains: int) -> Nothing:
    """Read so many zones, and do nothing else."""
    with _account(domains) as (sandbox, environment):
        script = Path(__file__).with_name("clients.py")
        return _cost(sandbox, environment, sys.executable, str(script), "reading", str(domains))[0]


def _run(domains: int, *options: str, tls: bool = False) -> tuple[Nothing, str]:
    with _account(domains, tls=tls) as (sandbox, environment):
        config = Path(environment["HOME"]) / "netcup-mailauth.toml"
        command = [str(COMMAND), "apply", "--yes", "-c", str(config), *options]
        return _cost(sandbox, environment, *command)


@contextmanager
def _account(domains: int, *, tls: bool = False) -> Iterator[tuple[Sandbox, dict[str, str]]]:
    """A sandbox with so many zones, and an environment with a config of what they have already."""
    names = [f"example-{number}.de" for number in range(domains)]
    tables = (f'[domains."{name}"]\nspf.record = "{FRESH}"\n' for name in names)
    with Sandbox(names, rate=None, tls=tls) as sandbox, tempfile.TemporaryDirectory() as home:
        (Path(home) / "netcup-mailauth.toml").write_text("".join(tables))
        known = {name: value for name, value in sandbox.env.items() if value is not None}
        path = str(Path(__file__).parents[2])
        environment = {**known, "HOME": home, "PATH": os.environ["PATH"], "PYTHONPATH": path}
        if tls:  # as many authorities as a system has, and the sandbox's own
            bundle = Path(home) / "authorities.pem"
            own = Path(known["SSL_CERT_FILE"]).read_text()
            bundle.write_text(Path(certifi.where()).read_text() + own)
            environment |= dict.fromkeys(("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"), str(bundle))
        yield sandbox, environment


def _cost(sandbox: Sandbox, environment: dict[str, str], *command: str) -> tuple[Nothing, str]:
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
    ours, bare = cheapest([nothing_to_do, only_read], (1, *FEW_AND_MANY))
    for number, run in ours.items():
        cost = f"{run.calls} calls, {run.cpu:.2f} s CPU, {run.megabytes:.0f} MB"
        print(f"{number:>5} domains: {cost}")  # noqa: T201
    _, many = FEW_AND_MANY
    print(f"{many} domains: {ours[many].megabytes:.0f} MB   goal: 60")  # noqa: T201
    here, there = _each(ours), _each(bare)
    told = f"{here:.2f} ms CPU, only read {there:.2f}: {here / there:.2f} times"
    print(f"each further domain: {told}   goal: 1.67 times")  # noqa: T201
    times = median(_ten_jobs(tls=True) / _ten_jobs() for _ in range(PAIRS))
    print(f"--jobs 10 over https, to http: {times:.2f} times   goal: 1.15 times")  # noqa: T201


FEW_AND_MANY = (1000, 5000)
ROUNDS = 3
PAIRS = 15
"""Runs of ten threads, whose cost varies by more than what they are compared for."""


def cheapest(
    contestants: Sequence[Callable[[int], Nothing]], numbers: Sequence[int]
) -> list[dict[int, Nothing]]:
    """For each of them, and each number of domains, the run of several that took the least CPU.

    They take turns: what else the machine does meanwhile is to cost all of them the same.
    """
    found: list[dict[int, Nothing]] = [{} for _ in contestants]
    for number in (number for _ in range(ROUNDS) for number in numbers):
        for work, best in zip(contestants, found, strict=True):
            run = work(number)
            best[number] = min(best.get(number, run), run, key=lambda one: one.cpu)
    return found


def _each(runs: Mapping[int, Nothing]) -> float:
    """Milliseconds of CPU for each domain more."""
    few, many = FEW_AND_MANY
    return (runs[many].cpu - runs[few].cpu) / (many - few) * 1000


def _ten_jobs(*, tls: bool = False) -> float:
    return nothing_to_do(100, "--jobs", "10", tls=tls).cpu


if __name__ == "__main__":
    main()
