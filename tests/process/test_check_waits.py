"""``check --wait`` of the installed command, while name servers catch up."""

from __future__ import annotations

import re
import shlex
import signal
import time
from typing import TYPE_CHECKING

import pytest

from netcup_mailauth.sandbox import Sandbox
from tests.process.command import Command

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def late(tmp_path: Path) -> Iterator[Command]:
    with Sandbox(["example.com"], publish_delays=(0, 2, 5)) as sandbox:
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
    written = time.monotonic()
    pending = late("check", *CHECK, "--format", "json")
    assert pending.code == 9
    assert {record["state"] for record in pending.json["domains"][0]["records"]} == {"pending"}
    assert "wrong" not in pending.stdout
    ended = late("check", *CHECK, "--wait")
    seconds = time.monotonic() - written
    assert ended.code == 0, ended.stdout
    # Written up to half a second before the clock was read; ended half a second after the last
    # server, for a machine that is busy.
    assert 4.3 < seconds < 6.5
    assert "Every name server has it" in ended.stderr
    waits = re.findall(r"waiting \d+ s for (.*)", ended.stderr)
    _, second, third = late.sandbox.addresses.nameservers
    assert waits[-2:] in ([f"{second}, {third}", third], [third])
    assert re.search(r"old record until .*\(in 24 h\)", ended.stderr) or len(waits) == 1
    assert "saying that there is none until" in ended.stderr


def test_apply_waits_too_and_a_timeout_is_nine(late: Command) -> None:
    began = time.monotonic()
    ended = late("apply", *APPLY, "--yes", "--wait", "--timeout", "1")
    assert ended.code == 9
    assert time.monotonic() - began < 4
    assert "Not everywhere after 1 s" in ended.stderr
    assert re.search(r"netcup-mailauth check example.com .*--wait", ended.stderr)
    assert late("check", *CHECK, "--wait", "--timeout", "0").code == 9


def test_interrupted_it_leaves_the_zone_and_says_how_to_go_on(late: Command) -> None:
    assert late("apply", *APPLY, "--yes").code == 0
    process = late.start("check", *CHECK, "--wait")
    assert process.stderr is not None
    seen = b""
    while b"waiting" not in seen:
        seen += process.stderr.readline()
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
    assert late(*shlex.split(again[1])).code == 0
