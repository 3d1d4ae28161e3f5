"""How long ten domains take us and others: the table of the guide, measured within one run.

Run it by hand: ``python tests/bench/peers.py``. Every contestant sets SPF, DKIM and DMARC at ten
domains of a sandbox that takes 100 ms for each request, in a process of its own, start-up included
and told: the time until its first request. Only the ratios say something; the seconds are those of
the machine it runs on. dnssync-nc takes part where it is installed (``pip install dnssync-nc``); it
gets the file of each zone that it needs beforehand.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from netcup_mailauth.sandbox import Quirks, Sandbox
from netcup_mailauth.sandbox.ccp import CcpAccount

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
PROGRAMS = Path(sys.executable).parent
DOMAINS = [f"example-{number}.de" for number in range(10)]
DKIM = "v=DKIM1;k=ed25519;p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
RECORDS = {"@": "v=spf1 mx a ~all", "dkim._domainkey": DKIM, "_dmarc": "v=DMARC1;p=none"}
LATENCY = 0.1
"""Seconds that the sandbox takes for a request."""

ROUNDS = 3
"""Runs of each contestant; the fastest counts."""

OURS = (
    *("apply", *DOMAINS, "--yes", "--rate", "0"),
    *("--spf", RECORDS["@"], "--spf-drop", "include:_spf.webhosting.systems"),
    *("--dkim", DKIM, "--dmarc", RECORDS["_dmarc"]),
)
CREDENTIALS, LAYOUT = "dnssync.json", "zones.txt"
DNSSYNC = [sys.executable, "-m", "dnssync_nc", "-c", CREDENTIALS, "-a", "push", "-C", LAYOUT]
SNAPSHOT = """
import dns.name, dns.resolver, tldextract
own = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)
tldextract.TLDExtract = lambda **_: own
dns.resolver.zone_for_name = dns.name.from_text
"""
"""For lexicon, which would otherwise ask the web for the list of suffixes, and DNS for the zone:
here both cost it nothing."""


class Measured(NamedTuple):
    """One contestant's run.

    Attributes:
        seconds: from its start to its end.
        calls: to the API.
        connections: that carried them.
        start: seconds of them from each process's start to its first request.
    """

    seconds: float
    calls: int
    connections: int
    start: float = 0.0


class Contestant(NamedTuple):
    """One way to set the records.

    Attributes:
        name: as the table has it.
        commands: what has to be run, one after the other.
    """

    name: str
    commands: list[list[str]]


def contestants() -> list[Contestant]:
    """Us, with one job and five, and the others."""
    ours = [str(PROGRAMS / "netcup-mailauth"), *OURS]
    return [
        Contestant("netcup-mailauth `--jobs 5`", [[*ours, "--jobs", "5"]]),
        Contestant("netcup-mailauth", [ours]),
        Contestant("the same calls, bare, over one connection", [_client("bare")]),
        Contestant("nc-dnsapi (library)", [_client("nc_dnsapi")]),
        *([Contestant("dnssync-nc (command)", [DNSSYNC])] if find_spec("dnssync_nc") else []),
        Contestant("dns-lexicon (library)", [_client("lexicon")]),
        Contestant("dns-lexicon (command)", list(map(_lexicon, DOMAINS * 3, _names()))),
    ]


def _client(name: str) -> list[str]:
    return [sys.executable, str(HERE / "clients.py"), name]


def _names() -> list[str]:
    return [name for name in RECORDS for _ in DOMAINS]


def _lexicon(domain: str, name: str) -> list[str]:
    program = str(PROGRAMS / "lexicon")
    return [program, "netcup", "create", domain, "TXT", "--name", name, "--content", RECORDS[name]]


def measured(contestant: Contestant, latency: float = LATENCY) -> Measured:
    """Run it against a fresh sandbox.

    Raises:
        subprocess.CalledProcessError: it failed.
        AssertionError: a domain has not got its records.
    """
    quirks = Quirks(lockout_after=None)
    with (
        Sandbox(DOMAINS, latency=latency, rate=None, quirks=quirks) as sandbox,
        tempfile.TemporaryDirectory() as home,
    ):
        environment = _environment(sandbox, home)
        if "lexicon" in contestant.name:
            (Path(home) / "sitecustomize.py").write_text(SNAPSHOT)
            environment["PYTHONPATH"] += os.pathsep + home
        if contestant.commands == [DNSSYNC]:
            _write_layout(Path(home), environment)
        before = sandbox.stats()
        seconds, start = _timed(contestant.commands, environment, home)
        stats = sandbox.stats()
        for domain in DOMAINS:
            held = {str(record["destination"]) for record in sandbox.zone(domain)}
            assert held >= set(RECORDS.values()), (contestant.name, domain)
    calls = sum(stats["requests"].values()) - sum(before["requests"].values())
    connections = stats["connections"] - before["connections"]
    return Measured(seconds, calls, connections, start - len(contestant.commands) * latency)


def _timed(
    commands: list[list[str]], environment: dict[str, str], home: str
) -> tuple[float, float]:
    """The seconds that the commands take, and those until each has the answer to its first call."""
    seconds = start = 0.0
    with answered() as moments:
        for command in commands:
            began = time.perf_counter()
            subprocess.run(command, env=environment, cwd=home, capture_output=True, check=True)
            seconds += time.perf_counter() - began
            start += min(moment for moment in moments if moment > began) - began
    return seconds, start


@contextmanager
def answered() -> Iterator[list[float]]:
    """When each call to the sandboxes of this process was answered."""
    moments: list[float] = []
    carry_out = CcpAccount.carry_out

    def noted(self: Any, call: Any, **options: Any) -> Any:
        moments.append(time.perf_counter())
        return carry_out(self, call, **options)

    CcpAccount.carry_out = noted  # type: ignore[method-assign]
    try:
        yield moments
    finally:
        CcpAccount.carry_out = carry_out  # type: ignore[method-assign]


def _environment(sandbox: Sandbox, home: str) -> dict[str, str]:
    """What every contestant finds, in its variables and its home."""
    known = {name: value for name, value in sandbox.env.items() if value is not None}
    credentials = {
        "json_endpoint": sandbox.ccp_endpoint,
        "customer": known["NETCUP_CUSTOMER_NUMBER"],
        "api_key": known["NETCUP_API_KEY"],
        "api_password": known["NETCUP_API_PASSWORD"],
    }
    (Path(home) / CREDENTIALS).write_text(json.dumps(credentials))
    return {
        **known,
        "HOME": home,
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(HERE.parents[1]),
        "LEXICON_NETCUP_API_ENDPOINT": sandbox.ccp_endpoint,
        "LEXICON_NETCUP_AUTH_CUSTOMER_ID": known["NETCUP_CUSTOMER_NUMBER"],
        "LEXICON_NETCUP_AUTH_API_KEY": known["NETCUP_API_KEY"],
        "LEXICON_NETCUP_AUTH_API_PASSWORD": known["NETCUP_API_PASSWORD"],
    }


def _write_layout(home: Path, environment: dict[str, str]) -> None:
    """The zones as dnssync-nc pulls them, with the records that are wanted put into its file."""
    pull = [sys.executable, "-m", "dnssync_nc", "-c", CREDENTIALS, "-a", "pull", *DOMAINS]
    pulled = subprocess.run(
        pull, env=environment, cwd=home, capture_output=True, text=True, check=True
    )
    lines: list[str] = []
    for line in pulled.stdout.splitlines():
        if "\tv=spf1" not in line:
            lines.append(line)
            continue
        lines += [f"\tTXT\t{name}\t{text}" for name, text in RECORDS.items()]
    (home / LAYOUT).write_text("\n".join([*lines, ""]))


def table(found: list[tuple[str, Measured]], base: str = "netcup-mailauth") -> str:
    """The Markdown table of what was measured, with the ratios to one of them."""
    unit = dict(found)[base].seconds
    rows = [
        f"| {name} | {one.calls} | {one.connections} | {one.seconds:.1f} s "
        f"| {one.seconds / unit:.2f} | {one.start / unit:.2f} |"
        for name, one in found
    ]
    head = [
        "| | calls | connections | seconds | ratio | of it start-up |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    return "\n".join([*head, *rows])


def main() -> None:
    """Print the table."""
    fastest = [(one.name, min(measured(one) for _ in range(ROUNDS))) for one in contestants()]
    print(table(fastest))  # noqa: T201
    if not find_spec("dnssync_nc"):
        print("\ndnssync-nc is not installed, and is left out.")  # noqa: T201


if __name__ == "__main__":
    main()
