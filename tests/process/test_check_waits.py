"""``check --wait`` of the installed command, while name servers catch up."""

from __future__ import annotations

import re
import shlex
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

from netcup_mailauth.sandbox import Sandbox
from tests.process.command import COMMAND, Command

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def late(tmp_path: Path) -> Iterator[Command]:
    """Two of the name servers keep what they have until they are told otherwise."""
    with Sandbox(["example.com"]) as sandbox:
        for number in (1, 2):
            sandbox.dns_fault(number, "stale")
        command = Command(sandbox, tmp_path)
        yield command
        command.stop()


APPLY = ("example.com", "--spf", "v=spf1 mx a ~all", "--spf-drop",
         "include:_spf.webhosting.systems", "--dmarc",
         "v=DMARC1;p=none;rua=mailto:postmaster@example.com")  # fmt: skip
CHECK = (*APPLY, "--kind", "spf", "--kind", "dmarc")
"""There is no key, and of that nothing is to be said."""


def test_wait_returns_when_the_last_server_has_it_and_not_before(late: Command) -> None:
    assert late("apply", *APPLY, "--yes").code == 0
    pending = late("check", *CHECK, "--format", "json")
    assert pending.code == 9
    assert {record["state"] for record in pending.json["domains"][0]["records"]} == {"pending"}
    assert "wrong" not in pending.stdout
    _, second, third = late.sandbox.addresses.nameservers
    process = late.start("check", *CHECK, "--wait")
    told = process.told_until(f"for {second}, {third}\n")
    late.sandbox.dns_fault(1, "ok")
    told += process.told_until(f" s for {third}\n")
    assert "Every name server has it" not in told
    late.sandbox.dns_fault(2, "ok")
    _, rest = process.communicate(timeout=60)
    told += rest.decode()
    assert process.returncode == 0, told
    assert "Every name server has it" in told
    assert re.search(r"old record until .*\(in 24 h\)", told)
    assert "saying that there is none until" in told


def test_apply_waits_too_and_a_timeout_is_nine(late: Command) -> None:
    ended = late("apply", *APPLY, "--yes", "--wait", "--timeout", "1")
    assert ended.code == 9
    assert re.search(r"Not everywhere after \d+ s", ended.stderr)
    assert re.search(r"netcup-mailauth check example.com .*--wait", ended.stderr)
    assert late("check", *CHECK, "--wait", "--timeout", "0").code == 9


def test_interrupted_it_leaves_the_zone_and_says_how_to_go_on(late: Command) -> None:
    assert late("apply", *APPLY, "--yes").code == 0
    process = late.start("check", *CHECK, "--wait")
    process.told_until("waiting")
    zone = late.sandbox.zone("example.com")
    process.send_signal(signal.SIGINT)
    _, rest = process.communicate(timeout=20)
    assert process.returncode == 130
    assert late.sandbox.zone("example.com") == zone
    said = rest.decode()
    assert "The zone stays as it is" in said
    assert "Traceback" not in said
    again = re.search(r"^  netcup-mailauth (check example.com .* --wait)$", said, re.MULTILINE)
    assert again is not None
    for number in (1, 2):
        late.sandbox.dns_fault(number, "ok")
    assert late(*shlex.split(again[1])).code == 0


def test_many_domains_are_checked_where_there_is_hardly_room_for_threads(tmp_path: Path) -> None:
    """As after ``ulimit -v``; too many of them hang, or end without a word."""
    names = [f"example-{number}.de" for number in range(12)]
    with Sandbox(names) as sandbox:
        command = Command(sandbox, tmp_path)
        script = 'ulimit -v 400000; exec "$@"'
        limited = subprocess.run(
            ["sh", "-c", script, "sh", str(COMMAND), "check", *names],
            env=command.environment(),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        ended = command("check", *names)
    assert (limited.returncode, limited.stdout) == (ended.code, ended.stdout), limited.stderr
