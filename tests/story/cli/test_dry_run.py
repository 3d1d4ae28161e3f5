"""``apply --dry-run`` is ``plan``: with whatever else is said, nothing is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from netcup_mailauth.errors import ExitCode
from tests.apis import each_api
from tests.story.wanted import WISH

if TYPE_CHECKING:
    from tests.apis import Api
    from tests.story.inprocess import Cli

api = each_api


@pytest.mark.parametrize(
    "more",
    [
        (),
        ("--yes",),
        ("-y",),
        ("-y", "--wait", "--timeout", "0", "--lock-timeout", "1"),
        ("--format", "json"),
        ("--format", "markdown", "--full"),
        ("--changed", "--jobs", "2", "--rate", "100"),
    ],
)
def test_it_shows_what_plan_does_and_writes_nothing(
    cli: Cli, api: Api, more: tuple[str, ...]
) -> None:
    dry = cli("apply", "example.com", *WISH, "--dry-run", *more)
    shown = [word for word in more if word not in ("--yes", "-y", "--wait")]
    for name in ("--timeout", "--lock-timeout"):
        if name in shown:
            del shown[shown.index(name) : shown.index(name) + 2]
    plan = cli("plan", "example.com", *WISH, *shown)
    assert (dry.code, dry.stdout) == (plan.code, plan.stdout)
    assert api.writes(cli.sandbox) == 0


def test_it_needs_no_terminal_and_reads_a_key_from_standard_input(cli: Cli, api: Api) -> None:
    key = "v=DKIM1;k=ed25519;p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
    ended = cli("apply", "example.com", "--dkim", "-", "--dry-run", stdin=key)
    assert ended.code == ExitCode.OK
    assert "Ed25519" in ended.stdout
    assert api.writes(cli.sandbox) == 0


def test_a_plan_file_is_only_shown(cli: Cli, api: Api) -> None:
    cli("plan", "example.com", *WISH, "--out", "plan.json")
    dry = cli("apply", "--plan", "plan.json", "--dry-run", "--yes")
    assert dry.stdout == cli("show", "plan.json").stdout
    assert dry.code == ExitCode.OK
    assert api.writes(cli.sandbox) == 0
    beside = cli("apply", "--plan", "plan.json", "--dry-run", "example.com")
    assert beside.code == ExitCode.USAGE


def test_no_monitor_takes_it_for_an_apply(cli: Cli) -> None:
    cli("apply", "example.com", *WISH, "--dry-run", "--metrics-file", "run.prom")
    written = (cli.folder / "run.prom").read_text()
    assert 'command="plan"' in written
    assert 'command="apply"' not in written


def test_a_guard_that_would_stop_it_stops_no_dry_run(cli: Cli, api: Api) -> None:
    ended = cli("apply", "example.com", "--spf", "v=spf1 mx a -all", "--dry-run")
    assert ended.code == ExitCode.OK
    assert "spf-drops-sender" in ended.stdout
    assert api.writes(cli.sandbox) == 0
