"""``netcup-mailauth sandbox``: one JSON line when it is ready, and it serves until a signal."""

from __future__ import annotations

import json
import re
import shlex
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests

if TYPE_CHECKING:
    from tests.process.command import Command
    from tests.process.running import Running


SPF = ("--spf", "v=spf1 mx a -all", "--spf-drop", "include:_spf.webhosting.systems")


MILD = ("--spf", "v=spf1 mx a ip4:192.0.2.1 ~all")


def started(command: Command, *arguments: str) -> tuple[Running, dict[str, Any]]:
    process = command.start("sandbox", "--port", "0", "--format", "json", *arguments)
    return process, json.loads(process.stdout.readline())


def ended(process: Running, number: signal.Signals = signal.SIGTERM) -> int:
    process.send_signal(number)
    process.communicate(timeout=10)
    return process.returncode


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_says_where_it_is_and_ends_quietly(command: Command, number: signal.Signals) -> None:
    process, banner = started(command, "--domain", "example.com")
    assert list(banner) == [
        "ccp_endpoint",
        "rest_endpoint",
        "rest_key",
        "mailcow_url",
        "mailcow_rw_key",
        "nameservers",
        "control_url",
        "env",
    ]
    stats = requests.get(f"{banner['control_url']}/stats", timeout=5).json()
    assert stats["zones"]["example.com"]
    assert ended(process, number) == 0


def test_its_environment_is_all_a_client_needs(command: Command) -> None:
    process, banner = started(command, "--domain", "example.org")
    command.changes = banner["env"]
    assert command("apply", "example.org", *SPF, "--yes").code == 0
    stats = requests.get(f"{banner['control_url']}/stats", timeout=5).json()
    assert stats["requests"]["updateDnsRecords"] == 1
    ended(process)


def test_a_fault_ordered_over_http_happens(command: Command) -> None:
    process, banner = started(command, "--domain", "example.com")
    command.changes = banner["env"]
    order = {"action": "updateDnsRecords", "mode": "apply-then-drop", "times": 1}
    assert requests.post(f"{banner['control_url']}/fault", json=order, timeout=5).ok
    applied = command("apply", "example.com", *SPF, "--yes")
    assert applied.code == 0
    assert "netcup holds the records" in applied.stdout
    ended(process)


def test_a_zone_from_a_file_and_a_state_that_survives_a_restart(command: Command) -> None:
    record = {"hostname": "@", "type": "TXT", "destination": "v=spf1 mx a ~all"}
    Path(command.folder, "zone.json").write_text(json.dumps([record]))
    options = ("--zone", "example.net=zone.json", "--state", "state.json")
    process, banner = started(command, *options)
    command.changes = banner["env"]
    assert command("apply", "example.net", *MILD, "--yes").code == 0
    ended(process)
    process, banner = started(command, *options)
    command.changes = banner["env"]
    assert "nothing to do" in command("plan", "example.net", *MILD).stdout
    ended(process)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--zone", "example.com"), "DOMAIN=FILE"),
        (("--zone", "example.com=none.json"), "none.json"),
        (("--domain", "not a domain"), "not a domain"),
        (("--state", "none/x.json"), "none/x.json cannot be written: there is no folder none."),
    ],
)
def test_what_it_cannot_start_with_is_one_sentence(
    command: Command, arguments: tuple[str, ...], words: str
) -> None:
    refused = command("sandbox", *arguments)
    assert refused.code == 2
    assert words in refused.stderr
    assert "Traceback" not in refused.stderr


def test_for_people_it_prints_lines_to_paste(command: Command) -> None:
    process = command.start("sandbox", "--domain", "example.com")
    line = b""
    while b"NETCUP_CCP_ENDPOINT" not in line:
        line = process.stdout.readline()
        assert line
    assert line.startswith(b"export NETCUP_CCP_ENDPOINT='http://127.0.0.1:")
    ended(process)


def printed(process: Running) -> list[str]:
    """All that it prints for people when it starts."""
    lines: list[str] = []
    while not lines or "Ctrl-C" not in lines[-1]:
        line = process.stdout.readline().decode()
        assert line, lines
        lines.append(line.rstrip("\n"))
    return lines


def exported(lines: list[str]) -> dict[str, str]:
    """The variables that a shell has when it was given these lines."""
    words = [shlex.split(line) for line in lines if line.startswith("export ")]
    return dict(word[1].split("=", 1) for word in words)


ROTATING = """
[rotation]
rounds = 1
negative_ttl = "0.1s"
grace = "0.1s"
retry = "0.2s"

[domains."example.com"]
dkim = "mailcow"
allow = ["rotation-short-grace"]
"""


def test_a_rotation_can_be_practised_with_what_it_prints(command: Command) -> None:
    process = command.start("sandbox")
    command.changes = dict(exported(printed(process)))
    (command.folder / "c.toml").write_text(ROTATING)
    assert command("-c", "c.toml", "apply", "--yes").code == 0
    begun = command("-c", "c.toml", "rotate", "example.com", "--import-key", "--yes")
    assert begun.code == 0, begun
    until = time.monotonic() + 60
    while "No rotation is open" not in command("-c", "c.toml", "rotate", "--status").stderr:
        gone_on = command("-c", "c.toml", "rotate", "--continue", "--yes")
        assert gone_on.code == 0, gone_on
        assert time.monotonic() < until, gone_on
    shown = command("records", "example.com", "--mail").stdout
    assert re.search(r"\bs20\d\d-\d\da\._domainkey", shown)
    assert not re.search(r"\bdkim\._domainkey", shown)
    ended(process)


def test_the_key_that_changes_mailcow_is_in_both_forms_and_control_says_what_it_is_for(
    command: Command,
) -> None:
    process = command.start("sandbox")
    lines = printed(process)
    keys = [line for line in lines if line.startswith("export MAILCOW_API_KEY=")]
    assert len(set(keys)) == 2
    assert max(map(len, (line for line in lines if "export" not in line))) <= 90
    (url,) = re.findall(r"GET (\S+/stats) says what was asked", "\n".join(lines))
    assert requests.get(url, timeout=5).json()["zones"]
    ended(process)
    process, banner = started(command)
    assert banner["mailcow_rw_key"] != banner["env"]["MAILCOW_API_KEY"]
    ended(process)


def test_each_start_has_new_keys_but_for_scripts_that_ask_for_fixed_ones(command: Command) -> None:
    secrets = ("NETCUP_API_KEY", "NETCUP_API_PASSWORD", "MAILCOW_API_KEY")
    for options, how_many in (((), 2), (("--fixed-keys",), 1)):
        seen = set()
        for _ in range(2):
            process, banner = started(command, *options)
            seen.add((*(banner["env"][name] for name in secrets), banner["rest_key"]))
            ended(process)
        assert len(seen) == how_many
