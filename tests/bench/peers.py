"""How long ten domains take us and others: the table of the guide, measured within one run.

Run it by hand: ``python tests/bench/peers.py``. Every contestant sets SPF, DKIM and DMARC at ten
domains of a sandbox that takes 100 ms for each request, in a process of its own, start-up
included. Only the ratios say something; the seconds are those of the machine it runs on.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from netcup_mailauth.sandbox import Quirks, Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(__file__).parent
PROGRAMS = Path(sys.executable).parent
DOMAINS = [f"example-{number}.de" for number in range(10)]
DKIM = "v=DKIM1;k=ed25519;p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
RECORDS = {"@": "v=spf1 mx a ~all", "dkim._domainkey": DKIM, "_dmarc": "v=DMARC1;p=none"}
LATENCY = 0.1
"""Seconds that the sandbox takes for a request."""

OURS = (
    *("apply", *DOMAINS, "--yes", "--rate", "0"),
    *("--spf", RECORDS["@"], "--spf-drop", "include:_spf.webhosting.systems"),
    *("--dkim", DKIM, "--dmarc", RECORDS["_dmarc"]),
)
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
    """

    seconds: float
    calls: int
    connections: int


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
    with Sandbox(DOMAINS, latency=latency, rate=None, quirks=quirks) as sandbox:
        seconds = _timed(lambda: _run(contestant.commands, sandbox))
        stats = sandbox.stats()
        for domain in DOMAINS:
            held = {str(record["destination"]) for record in sandbox.zone(domain)}
            assert held >= set(RECORDS.values()), (contestant.name, domain)
    return Measured(seconds, sum(stats["requests"].values()), stats["connections"])


def _timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _run(commands: list[list[str]], sandbox: Sandbox) -> None:
    known = {name: value for name, value in sandbox.env.items() if value is not None}
    with tempfile.TemporaryDirectory() as home:
        (Path(home) / "sitecustomize.py").write_text(SNAPSHOT if "lexicon" in str(commands) else "")
        environment = {
            **known,
            "HOME": home,
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join((home, str(HERE.parents[1]))),
            "LEXICON_NETCUP_API_ENDPOINT": sandbox.ccp_endpoint,
            "LEXICON_NETCUP_AUTH_CUSTOMER_ID": known["NETCUP_CUSTOMER_NUMBER"],
            "LEXICON_NETCUP_AUTH_API_KEY": known["NETCUP_API_KEY"],
            "LEXICON_NETCUP_AUTH_API_PASSWORD": known["NETCUP_API_PASSWORD"],
        }
        for command in commands:
            subprocess.run(command, env=environment, cwd=home, capture_output=True, check=True)


def table(found: list[tuple[str, Measured]], base: str = "netcup-mailauth") -> str:
    """The Markdown table of what was measured, with the ratios to one of them."""
    unit = dict(found)[base].seconds
    rows = [
        f"| {name} | {one.calls} | {one.connections} | {one.seconds:.1f} s "
        f"| {one.seconds / unit:.2f} |"
        for name, one in found
    ]
    head = ["| | calls | connections | seconds | ratio |", "|---|--:|--:|--:|--:|"]
    return "\n".join([*head, *rows])


def main() -> None:
    """Print the table."""
    print(table([(one.name, measured(one)) for one in contestants()]))  # noqa: T201


if __name__ == "__main__":
    main()
