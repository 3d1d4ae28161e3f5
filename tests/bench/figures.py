"""Measures what the program promises: calls, start-up, and speed, as ratios within one run.

Run it by hand: ``python tests/bench/figures.py``. It prints a table and judges nothing, because
machines are noisy; the counts are also held by tests.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from netcup_mailauth.sandbox import Sandbox
from tests.unlimited import Unlimited

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from netcup_mailauth.plan import Edit
    from netcup_mailauth.records import DesiredRecord, Zone

COMMAND = Path(sys.executable).with_name("netcup-mailauth")
TEN = [f"example-{number}.de" for number in range(10)]
WISH = (
    "--spf",
    "v=spf1 mx a -all",
    "--spf-drop",
    "include:_spf.webhosting.systems",
    "--dkim",
    "mailcow",
    "--dmarc",
    "v=DMARC1;p=quarantine",
)
LATENCY = 0.1
"""Seconds per request in the speed figure."""


def main() -> None:
    """Print all figures."""
    for name, figure, promised in (*calls(), *start_up(), *speed(), *planning()):
        print(f"{name:<75} {figure:>14}   promised: {promised}")  # noqa: T201


def calls() -> list[tuple[str, str, str]]:
    """How many calls the main jobs take, over how many connections."""
    with Sandbox(TEN) as sandbox:
        one = ("apply", TEN[0], *WISH, "--yes")
        rows = [
            ("calls: list one zone", counted(sandbox, ("records", TEN[0])), "3 over 1"),
            ("calls: upsert 3 TXT in 1 domain", counted(sandbox, one), "4 over 1"),
        ]
        sandbox.reset()
        every = ("apply", *TEN, *WISH, "--yes")
        rows.append(("calls: upsert 3 TXT in 10 domains", counted(sandbox, every), "22 over 1"))
        rows.append(("calls: 10 domains, nothing to do", counted(sandbox, every), "12 over 1"))
    return rows


def counted(sandbox: Sandbox, words: tuple[str, ...]) -> str:
    """The calls and connections of one run of the command."""
    before = sandbox.stats()
    run(sandbox, *words)
    after = sandbox.stats()
    calls_made = sum(after["requests"].values()) - sum(before["requests"].values())
    return f"{calls_made} over {after['connections'] - before['connections']}"


def start_up() -> list[tuple[str, str, str]]:
    """What a command costs that does next to nothing, against importing what it stands on."""
    asked: dict[str, tuple[str, str]] = {
        "--help": ("click", "1.35"),
        "plan --help": ("click", "1.35"),
        "setup --help": ("click", "1.35"),
        f"records {TEN[0]}": ("click, requests, pydantic", "1.6"),
        f"plan {TEN[0]} --spf-require mx": ("click, requests, pydantic", "1.8"),
    }
    with Sandbox(TEN[:1], rate=None) as sandbox, tempfile.TemporaryDirectory() as home:
        known = {name: value for name, value in sandbox.env.items() if value is not None}
        environment = {**known, "HOME": home, "PATH": os.environ["PATH"]}
        commands = {words: [str(COMMAND), *words.split()] for words in asked}
        bases = {name for name, _ in asked.values()}
        commands |= {name: [sys.executable, "-c", f"import {name}"] for name in bases}
        cpu = {name: cpu_of(words, environment) for name, words in commands.items()}
    return [
        (f"start-up: {words}, to `import {base}`", f"{cpu[words] / cpu[base]:.2f} times", goal)
        for words, (base, goal) in asked.items()
    ]


def cpu_of(words: list[str], environment: dict[str, str], rounds: int = 20) -> float:
    """CPU seconds of the cheapest of several runs of a program."""
    costs = []
    for _ in range(rounds):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        plain(words, environment)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        costs.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(costs)


def speed() -> list[tuple[str, str, str]]:
    """How long 10 domains take beyond the waits for the network and the start-up."""
    with Sandbox(TEN) as quick, Sandbox(TEN, latency=LATENCY) as slow:
        start = best(lambda: run(quick, "plan", TEN[0], *WISH), rounds=3)
        took = best(lambda: fresh_apply(slow), rounds=3)
    ratio = (took - start) / (22 * LATENCY)
    name = f"speed: 10 domains x 3 TXT at {LATENCY * 1000:.0f} ms, over the sum of the waits"
    return [(name, f"{ratio:.2f} times", "1.15")]


def fresh_apply(sandbox: Sandbox) -> None:
    """Put the sandbox back to the start, and apply to all ten domains."""
    sandbox.reset()
    run(sandbox, "apply", *TEN, *WISH, "--yes")


def planning() -> list[tuple[str, str, str]]:
    """How much CPU time planning and judging a zone of 10,000 records takes."""
    from netcup_mailauth.actions.planning import draft
    from netcup_mailauth.actions.session import Session
    from netcup_mailauth.policy import DmarcPolicy, DomainPolicy, SpfPolicy, Wish
    from netcup_mailauth.records import DnsRecord, Zone

    records = [DnsRecord(str(n), f"host{n}", "A", "203.0.113.1") for n in range(9_998)]
    records += [
        DnsRecord("9998", "@", "TXT", "v=spf1 mx a ~all"),
        DnsRecord("9999", "@", "MX", "host1.example.com", "10"),
    ]
    zone = Zone("example.com", "ccp", tuple(records))
    policy = DomainPolicy(
        spf=SpfPolicy(require=["ip4:203.0.113.7"]), dmarc=DmarcPolicy(policy="none")
    )
    session = Session(StillBackend(zone))

    def cpu() -> float:
        start = time.process_time()
        draft(session, Wish("example.com", policy))
        return time.process_time() - start

    cpu()
    return [
        ("CPU: planning a zone of 10,000 records", f"{min(cpu() for _ in range(5)):.3f} s", "0.2")
    ]


class StillBackend(Unlimited):
    """A back end that holds one zone and is never written to."""

    name = "ccp"
    endpoint = ""
    account = ""
    new_ttl: int | None = None

    def __init__(self, zone: Zone) -> None:
        self._zone = zone

    def zone(self, name: str) -> Zone:
        """The zone."""
        return self._zone

    def serving(self, name: str) -> StillBackend:
        """Itself."""
        return self

    def apply(self, zone: Zone, changes: Sequence[Edit]) -> Zone:
        """Nothing is ever written."""
        raise AssertionError

    def refuses(self, record: DesiredRecord) -> str | None:
        """Everything fits."""
        return None

    def __enter__(self) -> StillBackend:
        return self

    def __exit__(self, *_: object) -> None:
        return


def run(sandbox: Sandbox, *words: str) -> None:
    """Run the command against a sandbox."""
    with tempfile.TemporaryDirectory() as home:
        environment = {k: v for k, v in sandbox.env.items() if v is not None}
        plain([str(COMMAND), *words], {**environment, "HOME": home})


def plain(words: list[str], environment: dict[str, str] | None = None) -> None:
    """Run a program and throw away what it prints."""
    subprocess.run(
        words,
        env={"PATH": os.environ["PATH"]} if environment is None else environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=True,
    )


def best(work: Callable[[], object], rounds: int = 15) -> float:
    """Seconds of the fastest of several runs."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


if __name__ == "__main__":
    main()
