"""Interrupted: before a write nothing is sent, and a write that runs is waited for and told."""

from __future__ import annotations

import re
import signal
import time
from typing import TYPE_CHECKING, Any

import pytest

from netcup_mailauth.errors import ExitCode
from netcup_mailauth.sandbox import Sandbox
from tests.process.command import Command
from tests.worlds import requests_of, until_called

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SPF = ("--spf-drop", "include:_spf.webhosting.systems", "--spf", "v=spf1 mx a -all")
TEN = [f"example-{number}.de" for number in range(10)]


def until(happened: Callable[[], bool]) -> None:
    """Wait until something has happened."""
    deadline = time.monotonic() + 30
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupt_before_the_write_prevents_it(
    command: Command, number: signal.Signals
) -> None:
    command.sandbox.fault("infoDnsRecords", "slow", delay=20)
    process = command.start("apply", "example.com", *SPF, "--yes")
    until_called(command.sandbox, "infoDnsRecords")
    process.send_signal(number)
    _, error = process.communicate(timeout=30)
    assert process.returncode == 130
    assert b"Traceback" not in error
    assert "updateDnsRecords" not in requests_of(command.sandbox)


def test_an_interrupt_during_the_write_waits_for_its_outcome_and_says_it(command: Command) -> None:
    command.sandbox.fault("updateDnsRecords", "slow", delay=1.5)
    process = command.start("apply", "example.com", *SPF, "--yes")
    until_called(command.sandbox, "updateDnsRecords")
    process.send_signal(signal.SIGINT)
    output, error = process.communicate(timeout=30)
    assert process.returncode == 130
    assert b"written and verified" in output
    assert b"Waiting for the write" in error


def test_a_second_interrupt_stops_at_once_and_names_the_write(command: Command) -> None:
    command.sandbox.fault("updateDnsRecords", "slow", delay=60)
    process = command.start("apply", "example.com", *SPF, "--yes")
    until_called(command.sandbox, "updateDnsRecords")
    process.send_signal(signal.SIGINT)
    process.told_until("interrupt again")
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=30)
    assert process.returncode == 8
    assert b"the write to example.com" in error


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_lets_the_writes_that_run_finish_and_begins_no_other(
    tmp_path: Path, number: signal.Signals
) -> None:
    with Sandbox(TEN, rate=None) as sandbox:
        sandbox.fault("updateDnsRecords", "slow", delay=1, times=2)
        command = Command(sandbox, tmp_path)
        process = command.start("apply", *TEN, *SPF, "--yes", "--jobs", "2")
        until_called(sandbox, "updateDnsRecords", 2)
        process.send_signal(number)
        stdout, stderr = (text.decode() for text in process.communicate())
        assert process.returncode == ExitCode.INTERRUPTED, stderr
        assert "Waiting for what is being worked on" in stderr
        assert re.findall(r"^(\S+): written", stdout, re.MULTILINE) == TEN[:2]
        assert requests_of(sandbox)["infoDnsRecords"] == 2
        assert requests_of(sandbox)["logout"] == 1


def test_a_second_signal_names_the_writes_in_flight(tmp_path: Path) -> None:
    with Sandbox(TEN, rate=None) as sandbox:
        sandbox.fault("updateDnsRecords", "slow", delay=20, times=2)
        command = Command(sandbox, tmp_path)
        process = command.start("apply", *TEN, *SPF, "--yes", "--jobs", "2")
        until_called(sandbox, "updateDnsRecords", 2)
        process.send_signal(signal.SIGINT)
        assert b"Waiting" in _line_with(process, b"Waiting")
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate()
        assert process.returncode == ExitCode.UNVERIFIED, stderr
        for domain in TEN[:2]:
            assert f"the write to {domain}" in stderr.decode()


def _line_with(process: Any, words: bytes) -> bytes:
    for line in process.stderr:
        if words in line:
            return bytes(line)
    return b""


def test_a_check_of_many_domains_ends_when_interrupted(tmp_path: Path) -> None:
    """What is being asked about is shown, and nothing further is begun."""
    many = [f"example-{number}.de" for number in range(60)]
    with Sandbox(many, rate=None) as sandbox:
        sandbox.resolver_fault("slow", delay=0.5)
        process = Command(sandbox, tmp_path).start("check", *many, "--kind", "spf")
        until(lambda: sandbox.stats()["resolver"] != 0)
        process.send_signal(signal.SIGINT)
        output, error = process.communicate(timeout=60)
    assert process.returncode == 130
    assert b"Traceback" not in error
    assert b"example-0.de: " in output
    assert b"example-59.de" not in output
