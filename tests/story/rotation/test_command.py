"""``rotate`` as it is typed, against the sandbox: netcup, three name servers, and a mailcow."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING

import pytest

from netcup_mailauth.cli.entry import main
from netcup_mailauth.errors import ExitCode
from tests.story.rotation.typed import BEGIN, CONFIG, DOMAIN, SHORT, keys_of

if TYPE_CHECKING:
    from pathlib import Path

    from netcup_mailauth.sandbox import Sandbox


def test_a_key_of_unknown_age_is_counted_from_the_first_time_it_is_seen(
    sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    # The apply of the fixture is in the journal, so its age is known: some seconds.
    assert main(["rotate", DOMAIN, "--older-than", "180d", "--yes", *SHORT]) == ExitCode.OK
    assert "nothing is due" in capsys.readouterr().err
    assert keys_of(sandbox) == {"dkim._domainkey"}
    assert main(["rotate", DOMAIN, "--older-than", "0s", "--yes", *SHORT]) == ExitCode.OK
    assert len(keys_of(sandbox)) == 2


def test_consent_to_a_short_grace_may_stand_in_the_config(sandbox: Sandbox, tmp_path: Path) -> None:
    config = tmp_path / "netcup-mailauth.toml"
    allow = 'allow = ["rotation-short-grace"]'
    config.write_text(f'{CONFIG}\n[domains."{DOMAIN}"]\ndkim.source = "mailcow"\n{allow}\n')
    assert main(["rotate", DOMAIN, "--yes"]) == ExitCode.OK
    assert len(keys_of(sandbox)) == 2
    # It is about rotate alone: no plan holds it, or its file could not be read again.
    assert main(["plan", DOMAIN, "--out", "plan.json"]) == ExitCode.OK
    assert "short-grace" not in (tmp_path / "plan.json").read_text()
    assert main(["show", "plan.json"]) == ExitCode.OK


def test_what_a_refused_rotation_says_to_type_begins_it(
    sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["rotate", DOMAIN, "--yes", "--grace", "60s"]) == ExitCode.REFUSED
    said = capsys.readouterr().err.splitlines()
    (line,) = {line.strip() for line in said if line.strip().startswith("netcup-mailauth rotate")}
    assert main(shlex.split(line)[1:]) == ExitCode.OK
    assert len(keys_of(sandbox)) == 2


def test_consent_for_one_domain_is_none_for_another(sandbox: Sandbox) -> None:
    allow = ("--allow", "rotation-short-grace:other.example")
    assert main(["rotate", DOMAIN, "--yes", *allow]) == ExitCode.REFUSED
    allow = ("--allow", f"rotation-short-grace:{DOMAIN}")
    assert main(["rotate", DOMAIN, "--yes", *allow]) == ExitCode.OK


@pytest.mark.parametrize("how", ["option", "environment"])
def test_servers_are_named_only_with_a_netcup_on_this_machine(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], how: str
) -> None:
    """Before anything is asked: nothing here could be reached."""
    for name in ("NETCUP_CUSTOMER_NUMBER", "NETCUP_API_KEY", "NETCUP_API_PASSWORD"):
        monkeypatch.setenv(name, "12345")
    options = ["--nameserver", "127.0.0.1:53"] if how == "option" else []
    if how == "environment":
        monkeypatch.setenv("NETCUP_MAILAUTH_NAMESERVERS", "127.0.0.1:53")
    assert main(["rotate", DOMAIN, "--yes", *options]) == ExitCode.USAGE
    assert "only with a netcup on this machine" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ["rotate", "--abort"],
        ["rotate", DOMAIN, "--grace", "7"],
        ["rotate", DOMAIN, "--allow", "no-such-code", "--yes"],
        ["rotate", DOMAIN, "--import-key", "--signer-command", "x", "--yes"],
        ["rotate", DOMAIN, "--status", "--abort"],
    ],
)
def test_what_makes_no_sense_is_a_usage_error(arguments: list[str]) -> None:
    assert main(arguments) == ExitCode.USAGE


def test_a_config_that_merely_lies_here_may_not_name_a_command_to_run(
    sandbox: Sandbox, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "netcup-mailauth.toml"
    config.write_text(f'{CONFIG}signer_command = ["touch", "{tmp_path}/ran"]\n')
    assert main([*BEGIN]) == ExitCode.USAGE
    assert "may not name a command" in capsys.readouterr().err
    assert not (tmp_path / "ran").exists()
    assert keys_of(sandbox) == {"dkim._domainkey"}


def test_after_an_error_that_ends_the_run_no_further_domain_is_tried(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NETCUP_API_PASSWORD", "another-password")
    capsys.readouterr()
    code = main(["rotate", DOMAIN, "example.org", "--yes", *SHORT, "--format", "json"])
    output = capsys.readouterr()
    assert code == ExitCode.CREDENTIALS
    assert [one["domain"] for one in json.loads(output.out)["rotations"]] == [DOMAIN]
    assert "example.org" not in output.err
