"""How long a zone was known when it was written to, with all that can be slow in between.

Run it by hand: ``python tests/bench/gap.py [CASE...]``; all cases take about ten minutes. It runs
the installed command against a sandbox that notes when each zone was read and written, and prints
the longest time between the two. What is promised is 2 s and the call itself.
"""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netcup_mailauth.sandbox import Sandbox
from netcup_mailauth.sandbox.ccp import CcpAccount
from netcup_mailauth.sandbox.mailcow import Mailcow
from netcup_mailauth.sandbox.rest import RestAccount

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

COMMAND = Path(sys.executable).with_name("netcup-mailauth")
WISH = ("--spf-require", "ip4:192.0.2.25", "--dmarc", "v=DMARC1;p=none")
STOPS = 20
STOPPED = 3.0
"""How often a run is stopped, and for how many seconds."""


@dataclass
class Log:
    """When each zone was read last, how old that was at each write, and what came in between."""

    read: dict[object, float] = field(default_factory=dict)
    gaps: list[float] = field(default_factory=list)
    since: list[str] = field(default_factory=list)
    longest: list[str] = field(default_factory=list)

    def note(self, action: str, zone: object) -> None:
        """A call is being answered."""
        if action in ("infoDnsRecords", "revisions"):
            self.read[zone] = time.monotonic()
            self.since = []
        age = time.monotonic() - self.read.get(zone, time.monotonic())
        self.since.append(f"{action} {age:.3f}")
        if action in ("updateDnsRecords", "changeset"):
            self.gaps.append(age)
            if age == max(self.gaps):
                self.longest = self.since


@contextmanager
def watched(log: Log, mailcow: float) -> Iterator[None]:
    """Note every call to the sandboxes of this process; its mailcow takes so many seconds."""
    originals: list[tuple[Any, str, Any]] = []

    def watch(account: Any) -> None:
        carry_out = account.carry_out

        def noted(self: Any, call: Any, **options: Any) -> Any:
            log.note(call.action, call.domain)
            return carry_out(self, call, **options)

        originals.append((account, "carry_out", carry_out))
        account.carry_out = noted

    watch(CcpAccount)
    watch(RestAccount)
    answer = Mailcow.decode
    originals.append((Mailcow, "decode", answer))

    def slowly(self: Any, request: Any) -> Any:
        time.sleep(mailcow)
        return answer(self, request)

    Mailcow.decode = slowly  # type: ignore[method-assign]
    try:
        yield
    finally:
        for owner, name, original in originals:
            setattr(owner, name, original)


def started(
    sandbox: Sandbox, home: str, domains: list[str], *options: str
) -> subprocess.Popen[bytes]:
    known = {name: value for name, value in sandbox.env.items() if value is not None}
    known |= {"HOME": home, "NETCUP_MAILAUTH_STATE_DIR": f"{home}/state"}
    words = [str(COMMAND), "-q", "apply", *domains, *WISH, "--yes", *options]
    return subprocess.Popen(words, cwd=home, env=known, stdout=subprocess.DEVNULL)


def silent_resolver() -> socket.socket:
    """A port where nobody ever answers."""
    port = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    port.bind(("127.0.0.1", 0))
    return port


def measured(
    domains: int, *options: str, clouddns: bool = False, mailcow: float = 0, stops: int = 0
) -> tuple[Log, int]:
    """One run; with ``stops`` it is stopped so often for a while, and a rival writes then."""
    names = [f"d{number}.de" for number in range(domains)]
    log = Log()
    with (
        watched(log, mailcow),
        Sandbox(names, clouddns=names if clouddns else (), rate=None) as sandbox,
        tempfile.TemporaryDirectory() as home,
    ):
        process = started(sandbox, home, names, *options)
        for _ in range(stops):
            time.sleep(random.uniform(0.0, 0.5))
            if process.poll() is not None:
                break
            os.kill(process.pid, signal.SIGSTOP)
            time.sleep(STOPPED)
            os.kill(process.pid, signal.SIGCONT)
        code = process.wait()
    return log, code


def silent() -> tuple[Log, int]:
    """DNS does not answer."""
    with silent_resolver() as port:
        return measured(2, "--resolver", f"127.0.0.1:{port.getsockname()[1]}")


CASES: dict[str, Callable[[], tuple[Log, int]]] = {
    "mailcow": lambda: measured(2, "--dkim", "mailcow", mailcow=12),
    "dns": silent,
    "rate": lambda: measured(1, "--rate", "2"),
    "rate-clouddns": lambda: measured(1, "--rate", "2", clouddns=True),
    "ninety": lambda: measured(90),
    "jobs": lambda: measured(90, "--jobs", "8"),
    "jobs-clouddns": lambda: measured(90, "--jobs", "8", clouddns=True),
    "stopped": lambda: measured(60, "--rate", "0", stops=STOPS),
    "stopped-clouddns": lambda: measured(60, "--rate", "0", stops=STOPS, clouddns=True),
}


def main() -> None:
    """Print a line for each case."""
    for name in sys.argv[1:] or CASES:
        began = time.monotonic()
        log, code = CASES[name]()
        longest = max(log.gaps, default=0.0)
        print(  # noqa: T201
            f"{name}: {len(log.gaps)} writes, longest gap {longest:.3f} s, exit {code}, "
            f"{time.monotonic() - began:.0f} s in all ({', '.join(log.longest)})",
            flush=True,
        )


if __name__ == "__main__":
    main()
