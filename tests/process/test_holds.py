"""A timer with a wrong password must not lock the account for every other program."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from netcup_mailauth.sandbox import Quirks, Sandbox
from tests.process.command import Command
from tests.process.terminal import dialogue
from tests.worlds import requests_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PLAN = ("plan", "example.com", "--spf", "v=spf1 mx -all")
APPLY = (
    "apply",
    "example.com",
    "--spf-drop",
    "include:_spf.webhosting.systems",
    *PLAN[2:],
    "--yes",
)
DKIM = ("plan", "example.com", "--dkim", "mailcow")
WRONG = {"NETCUP_API_PASSWORD": "C4n4ry-wrong"}


def logins(command: Command) -> int:
    return requests_of(command.sandbox).get("login", 0)


def holds(command: Command) -> list[Path]:
    return sorted((command.folder / "state").glob("*/holds/*.json"))


def later(command: Command) -> None:
    """Let every hold be over, as if its time had passed."""
    for path in holds(command):
        data = json.loads(path.read_text())
        data["until"] = (datetime.now(UTC) - timedelta(seconds=1)).isoformat()
        path.write_text(json.dumps(data))


@pytest.mark.parametrize(
    "arguments", [PLAN, APPLY, ("records", "example.com"), ("auth", "--check")]
)
def test_after_a_refusal_runs_without_a_terminal_send_nothing(
    command: Command, arguments: tuple[str, ...]
) -> None:
    command.changes = dict(WRONG)
    first = command(*arguments)
    assert first.code == 4
    assert "Runs without a terminal send nothing to netcup" in first.stderr
    for _ in range(3):
        ended = command(*arguments)
        shown = " ".join((ended.stdout + ended.stderr).split())
        assert ended.code == 4
        assert "nothing is sent with them until 20" in shown
        assert "auth --check" in shown
    assert logins(command) == 1


def test_a_lock_out_says_wait(command: Command) -> None:
    command.sandbox.fault("login", "lockout")
    assert command(*PLAN).code == 10
    ended = command(*PLAN)
    assert ended.code == 10
    assert "has locked out these credentials" in ended.stderr
    assert logins(command) == 1


def test_a_rate_limit_is_over_soon_and_not_held(command: Command) -> None:
    command.sandbox.fault("login", "rate-limit")
    assert command(*PLAN).code == 10
    assert command(*PLAN).code == 0
    assert holds(command) == []


def test_the_rate_limits_text_for_a_wrong_password_is_not_held_either(tmp_path: Path) -> None:
    """It cannot be told from a rate limit; netcup counts these itself."""
    with Sandbox(quirks=Quirks(wrong_credentials="rate-text")) as sandbox:
        command = Command(sandbox, tmp_path, dict(WRONG))
        assert [command(*PLAN).code for _ in range(2)] == [10, 10]
        assert logins(command) == 2


def test_each_further_refusal_doubles_it(command: Command) -> None:
    command.changes = dict(WRONG)
    lasted = []
    for _ in range(3):
        before = datetime.now(UTC)
        command(*PLAN)
        (path,) = holds(command)
        until = datetime.fromisoformat(json.loads(path.read_text())["until"])
        lasted.append(round((until - before) / timedelta(minutes=15)))
        later(command)
    assert lasted == [1, 2, 4]
    assert logins(command) == 3


def test_new_credentials_are_not_held(command: Command) -> None:
    command.changes = dict(WRONG)
    command(*PLAN)
    command.changes = {}
    assert command(*PLAN).code == 0


def test_somebody_at_a_terminal_may_try_and_a_success_lifts_it(command: Command) -> None:
    command.sandbox.fault("login", "lockout")
    command(*PLAN)
    assert command(*PLAN).code == 10
    ended = dialogue(command, "auth", "--check")
    assert ended.code == 0, ended.stdout
    assert holds(command) == []
    assert command(*PLAN).code == 0


def test_somebody_at_a_terminal_is_told_that_it_still_does_not_work(command: Command) -> None:
    command.changes = dict(WRONG)
    command(*PLAN)
    ended = dialogue(command, *PLAN)
    assert ended.code == 4
    assert "Customer account not found" in " ".join(ended.stdout.split())
    assert logins(command) == 2
    command(*PLAN)
    assert logins(command) == 2


@pytest.fixture
def denied(tmp_path: Path) -> Iterator[Command]:
    """A mailcow whose list of addresses does not hold ours."""
    with Sandbox(quirks=Quirks(mailcow_denies_ip=True)) as sandbox:
        yield Command(sandbox, tmp_path)


def test_mailcows_401_is_held_and_netcup_is_not(denied: Command) -> None:
    """mailcow's fail2ban bans the address after a few of them."""
    assert denied(*DKIM).code == 4
    ended = denied(*DKIM)
    assert ended.code == 4
    assert "mailcow has refused these credentials" in ended.stderr
    assert denied.sandbox.stats()["mailcow"] == {"401": 1}
    assert denied(*PLAN).code == 0


def test_a_state_folder_that_cannot_be_written_hides_no_other_error(command: Command) -> None:
    (command.folder / "file").write_text("")
    command.changes = {**WRONG, "NETCUP_MAILAUTH_STATE_DIR": str(command.folder / "file")}
    ended = command("records", "example.com")
    assert ended.code == 4
    assert "refuses the customer number" in ended.stderr
    assert "could not be noted" in ended.stderr


def test_nothing_of_the_credentials_is_in_the_state_folder(command: Command) -> None:
    command.changes = dict(WRONG)
    command(*PLAN)
    secrets = [*WRONG.values(), command.sandbox.env["NETCUP_API_KEY"] or ""]
    for path in (command.folder / "state").rglob("*"):
        shown = path.name + (path.read_text() if path.is_file() else "")
        assert not any(secret in shown for secret in secrets)
