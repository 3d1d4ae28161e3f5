"""What a check over many domains takes, told in answers of one name server: ratios of one run.

Run it by hand: ``python tests/bench/checking.py``. Name servers and resolver of the sandbox answer
late, all by the same time; the start of the program is taken off, as a check of one domain without
that delay takes it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from netcup_mailauth.sandbox import Sandbox

COMMAND = Path(sys.executable).with_name("netcup-mailauth")
KEY = "v=DKIM1;k=ed25519;p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
ADDRESS = "203.0.113.25"
REVERSE = "25.113.0.203.in-addr.arpa"
SPF = "v=spf1 mx a include:_spf.webhosting.systems include:_spf.news.example.net ~all"
WORLD = {
    REVERSE: {"PTR": ["mail.example-0.de"]},
    "_spf.news.example.net": {"TXT": ["v=spf1 include:a.news.example.net -all"]},
    "a.news.example.net": {"TXT": ["v=spf1 ip4:198.51.100.8 -all"]},
}


def main() -> None:
    """Print the figures."""
    start = min(taken(1, 0.0)[0] for _ in range(3))
    one, _ = taken(1, 0.3)
    print(f"one domain: {(one - start) / 0.3:.1f} answers of 0.3 s")  # noqa: T201
    for number in (10, 100):
        seconds, asked = taken(number, 0.05)
        print(  # noqa: T201
            f"{number} domains: {seconds - start:.1f} s beside the start, "
            f"{(seconds - start) / 0.05 / number:.2f} answers of 0.05 s a domain, "
            f"{asked / number:.2f} questions to the resolver a domain"
        )


def taken(number: int, delay: float) -> tuple[float, int]:
    """The seconds of a check over so many domains, and how much the resolver was asked."""
    names = [f"example-{n}.de" for n in range(number)]
    zones = {name: zone_of(name) for name in names}
    with (
        Sandbox([], zones=zones, rate=None, world=WORLD) as sandbox,
        tempfile.TemporaryDirectory() as home,
    ):
        if delay:
            sandbox.resolver_fault("slow", delay=delay)
            for server in range(3):
                sandbox.dns_fault(server, "slow", delay=delay)
        known = {k: v for k, v in sandbox.env.items() if v and k.startswith("NETCUP_MAILAUTH_")}
        environment = {**known, "HOME": home, "PATH": os.environ["PATH"]}
        began = time.monotonic()
        subprocess.run(
            [str(COMMAND), "--quiet", "check", *names],
            env=environment,
            stdout=subprocess.DEVNULL,
            check=True,
        )
        return time.monotonic() - began, int(sandbox.stats()["resolver"])


def zone_of(name: str) -> list[dict[str, str]]:
    """The records of a domain at which all is right."""
    return [
        {"hostname": hostname, "type": kind, "priority": priority, "destination": value}
        for hostname, kind, priority, value in (
            ("@", "A", "0", "203.0.113.10"),
            ("mail", "A", "0", ADDRESS),
            ("@", "MX", "10", "mail.example-0.de"),
            ("@", "TXT", "0", SPF),
            ("dkim._domainkey", "TXT", "0", KEY),
            ("_dmarc", "TXT", "0", f"v=DMARC1;p=quarantine;rua=mailto:postmaster@{name}"),
        )
    ]


if __name__ == "__main__":
    main()
