"""A timer with a wrong password must not lock the account for every other program."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from netcup_mailauth.sandbox import Quirks, Sandbox
from tests.worlds import requests_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.process.command import Command
    from tests.story.inprocess import Cli, PointedAt

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
WRONG: dict[str, str | None] = {"NETCUP_API_PASSWORD": "C4n4ry-wrong"}


def logins(cli: Cli | Command) -> int:
    return requests_of(cli.sandbox).get("login", 0)


def holds(cli: Cli | Command) -> list[Path]:
    return sorted((cli.folder / "state").glob("*/holds/*.json"))


@pytest.mark.parametrize(
    "arguments", [PLAN, APPLY, ("records", "example.com"), ("auth", "--check")]
)
def test_after_a_refusal_runs_without_a_terminal_send_nothing(
    cli: Cli, arguments: tuple[str, ...]
) -> None:
    cli.set(WRONG)
    first = cli(*arguments)
    assert first.code == 4
    assert "Runs without a terminal send nothing to netcup" in first.stderr
    for _ in range(3):
        ended = cli(*arguments)
        shown = " ".join((ended.stdout + ended.stderr).split())
        assert ended.code == 4
        assert "nothing is sent with them until 20" in shown
        assert "auth --check" in shown
    assert logins(cli) == 1


def test_a_rate_limit_is_over_soon_and_not_held(cli: Cli) -> None:
    cli.sandbox.fault("login", "rate-limit")
    assert cli(*PLAN).code == 10
    assert cli(*PLAN).code == 0
    assert holds(cli) == []


def test_the_rate_limits_text_for_a_wrong_password_is_not_held_either(
    pointed_at: PointedAt,
) -> None:
    """It cannot be told from a rate limit; netcup counts these itself."""
    with Sandbox(quirks=Quirks(wrong_credentials="rate-text")) as sandbox:
        cli = pointed_at(sandbox)
        cli.set(WRONG)
        assert [cli(*PLAN).code for _ in range(2)] == [10, 10]
        assert logins(cli) == 2


@pytest.fixture
def denied(pointed_at: PointedAt) -> Iterator[Cli]:
    """A mailcow whose list of addresses does not hold ours."""
    with Sandbox(quirks=Quirks(mailcow_denies_ip=True)) as sandbox:
        yield pointed_at(sandbox)


def test_mailcows_401_is_held_and_netcup_is_not(denied: Cli) -> None:
    """mailcow's fail2ban bans the address after a few of them."""
    assert denied(*DKIM).code == 4
    ended = denied(*DKIM)
    assert ended.code == 4
    assert "mailcow has refused these credentials" in ended.stderr
    assert denied.sandbox.stats()["mailcow"] == {"401": 1}
    assert denied(*PLAN).code == 0
