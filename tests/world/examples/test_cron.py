"""The crontab: cron takes it, its lines do their work, and they speak only when there is news."""

from __future__ import annotations

import re

import pytest

from netcup_mailauth.errors import ExitCode
from tests.world.examples.machine import EXAMPLES, Ended, Machine

CRONTAB = (EXAMPLES / "cron" / "netcup-mailauth").read_text(encoding="utf-8")
SETTINGS = dict(re.findall(r"^(\w+)=(.*)$", CRONTAB, re.MULTILINE))
JOBS = re.findall(r"^(\d+) \* \* \* \*  ([\w-]+)  (.+)$", CRONTAB, re.MULTILINE)
"""Each job: its minute, its user, and its command."""


@pytest.fixture
def host(machine: Machine) -> Machine:
    machine.install()
    machine.write_config()
    machine.write_secrets(SETTINGS["CREDENTIALS_DIRECTORY"])
    return machine


def run(host: Machine, command: str) -> Ended:
    """Run a job as cron does: by the shell, with the crontab's variables and hardly any other."""
    variables = {name: host.placed(value) for name, value in SETTINGS.items()}
    return host.shell([SETTINGS["SHELL"], "-c", host.placed(command)], variables)


def test_every_line_is_one_that_cron_knows() -> None:
    lines = [line for line in CRONTAB.splitlines() if line and not line.startswith("#")]
    assert len(lines) == len(SETTINGS) + len(JOBS)
    assert CRONTAB.endswith("\n")  # cron ignores a file whose last line has no end
    for _, user, command in JOBS:
        assert user == "netcup-mailauth"
        assert "%" not in command  # cron takes it for a new line
    minutes = {int(minute) for minute, _, _ in JOBS}
    assert len(minutes) == len(JOBS)
    assert not minutes & {0, 15, 30, 45}


def test_a_mail_is_sent_when_something_changed_and_none_when_nothing_did(host: Machine) -> None:
    (apply,) = (command for _, _, command in JOBS if "apply" in command)
    first = run(host, apply)
    assert first.code == ExitCode.OK, first.stderr
    assert "v=spf1 mx a -all" in first.stdout
    assert host.records("example.com", "@", "v=spf1") == ["v=spf1 mx a -all"]
    assert run(host, apply) == Ended(0, "", "")


def test_no_mail_is_sent_while_no_rotation_is_open(host: Machine) -> None:
    (rotate,) = (command for _, _, command in JOBS if "rotate" in command)
    assert run(host, rotate) == Ended(0, "", "")
