"""What a rotation prints to be typed goes on with it, whoever sits there."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import pytest

from netcup_mailauth.cli.entry import main
from netcup_mailauth.errors import ExitCode

if TYPE_CHECKING:
    from pathlib import Path

    from netcup_mailauth.sandbox import Sandbox

DOMAIN = "example.com"
HELPED = ["rotate", DOMAIN, "--yes", "--helper-domain", "helper.example"]


@pytest.fixture(autouse=True)
def _no_config(tmp_path: Path, sandbox: Sandbox) -> None:
    (tmp_path / "netcup-mailauth.toml").unlink()


def printed(capsys: pytest.CaptureFixture[str]) -> list[str]:
    (line,) = (x for x in capsys.readouterr().err.splitlines() if "To go on then" in x)
    return shlex.split(line.partition(":  netcup-mailauth ")[2])


@pytest.mark.parametrize("begun", [HELPED, ["rotate", DOMAIN, "--yes", "--import-key"]])
def test_the_line_for_a_timer_goes_on_with_the_rotation(
    begun: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert main([*begun]) == ExitCode.OK
    on = printed(capsys)
    assert on[:2] == ["rotate", "--continue"]
    assert main(on) == ExitCode.OK, capsys.readouterr()


def test_without_the_helper_domain_it_says_that_it_is_missing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(HELPED) == ExitCode.OK
    for mode in ("--continue", "--abort"):
        words = ["rotate", mode, "--yes"] if mode == "--continue" else ["rotate", DOMAIN, mode]
        assert main([*words] if mode == "--continue" else [*words, "--yes"]) == ExitCode.REFUSED
        assert "--helper-domain" in capsys.readouterr().err


def test_a_key_that_is_not_published_is_published_by_what_is_said(
    sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    zone = [r for r in sandbox.zone(DOMAIN) if r["hostname"] != "dkim._domainkey"]
    sandbox.set_zone(DOMAIN, zone)
    assert main(HELPED) == ExitCode.REFUSED
    said = capsys.readouterr().err.partition("Put that right first: netcup-mailauth ")[2]
    assert main([*shlex.split(said.splitlines()[0]), "--yes"]) == ExitCode.OK
    assert main(HELPED) == ExitCode.OK
