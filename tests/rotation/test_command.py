"""``rotate`` as it is typed, against the sandbox: netcup, three name servers, and a mailcow."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from netcup_mailauth.cli.entry import main
from netcup_mailauth.errors import ExitCode
from netcup_mailauth.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DOMAIN = "example.com"
CONFIG = """
[mailcow]
helper_domain = "helper.example"

[rotation]
between_rounds = "0.2s"
negative_ttl = "0.3s"
grace = "0.5s"
retry = "0.2s"
"""
SHORT = ("--allow", "rotation-short-grace")
BEGIN = ("rotate", DOMAIN, "--yes", *SHORT)


@pytest.fixture
def sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    (tmp_path / "netcup-mailauth.toml").write_text(CONFIG)
    monkeypatch.chdir(tmp_path)
    with Sandbox([DOMAIN], dkim_keys={"helper.example": None}) as running:
        for name, value in running.env.items():
            if value is not None:
                monkeypatch.setenv(name, value)
        monkeypatch.setenv("MAILCOW_API_KEY", running.mailcow_rw_key)
        assert main(["apply", DOMAIN, "--dkim", "mailcow", "--yes"]) == ExitCode.OK
        yield running


def keys_of(sandbox: Sandbox) -> set[str]:
    found = (str(r["hostname"]) for r in sandbox.zone(DOMAIN) if r["type"] == "TXT")
    return {name for name in found if name.endswith("._domainkey")}


def test_it_is_begun_and_stays_until_it_is_done(
    sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*BEGIN, "--wait", "--timeout", "30"]) == ExitCode.OK
    output = capsys.readouterr()
    (new,) = keys_of(sandbox)
    assert new != "dkim._domainkey"
    assert output.out.splitlines()[-1] == f"{DOMAIN}: The rotation is done."
    assert main(["rotate", "--status"]) == ExitCode.OK
    assert "No rotation is open" in capsys.readouterr().err
    # The second run of apply finds the key that mailcow signs with now, and nothing to do.
    assert main(["plan", DOMAIN, "--dkim", "mailcow", "--exit-code"]) == ExitCode.OK


def test_a_dry_run_shows_every_write_with_its_date_and_writes_nothing(
    sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sandbox.zone(DOMAIN)
    assert main(["rotate", DOMAIN, "--dry-run", *SHORT]) == ExitCode.OK
    output = capsys.readouterr()
    now, switch, retire = output.out.split("Not before ")[0:3]
    assert "is created with the new key" in now
    assert "(add/dkim)" in now
    assert "add/dkim_duplicate" in switch
    assert "dkim._domainkey is removed" in retire
    assert max(map(len, output.out.splitlines())) <= 100
    assert sandbox.zone(DOMAIN) == before
    assert main(["rotate", "--status", "--format", "json"]) == ExitCode.OK
    assert json.loads(capsys.readouterr().out) == {"schema": 1, "rotations": []}


def test_a_timer_goes_on_with_what_is_open_and_begins_nothing(
    sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["rotate", "--continue"]) == ExitCode.OK
    assert keys_of(sandbox) == {"dkim._domainkey"}
    assert main([*BEGIN]) == ExitCode.OK
    assert len(keys_of(sandbox)) == 2
    assert main(["rotate", "--status"]) == ExitCode.OK
    assert "is published, dkim signs" in capsys.readouterr().out
    assert main(["rotate", "--continue", "--wait", "--format", "json"]) == ExitCode.OK
    (shown,) = json.loads(capsys.readouterr().out)["rotations"]
    assert shown["phase"] == "done"
    assert len(keys_of(sandbox)) == 1


def test_an_abort_withdraws_what_was_published(sandbox: Sandbox) -> None:
    assert main([*BEGIN]) == ExitCode.OK
    assert main(["rotate", DOMAIN, "--abort", "--yes"]) == ExitCode.OK
    assert keys_of(sandbox) == {"dkim._domainkey"}


def test_a_short_grace_needs_consent_by_its_code(
    sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["rotate", DOMAIN, "--yes"]) == ExitCode.REFUSED
    assert "rotation-short-grace" in capsys.readouterr().err
    assert keys_of(sandbox) == {"dkim._domainkey"}


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
        ["rotate"],
        ["rotate", "--abort"],
        ["rotate", DOMAIN, "--grace", "7"],
        ["rotate", DOMAIN, "--allow", "no-such-code", "--yes"],
        ["rotate", DOMAIN, "--import-key", "--signer-command", "x", "--yes"],
        ["rotate", DOMAIN, "--status", "--abort"],
        ["rotate", DOMAIN],  # nobody to ask
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


def test_mistakes_in_the_waits_are_named_by_table_and_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "netcup-mailauth.toml").write_text('[rotation]\ngrace = "7"\nrounds = 0\nx = 1\n')
    assert main(["rotate", "--status"]) == ExitCode.USAGE
    error = capsys.readouterr().err
    assert "[rotation] grace: '7' is not a span of time." in error
    assert "[rotation] rounds:" in error
    assert "[rotation] x: unknown key" in error


def test_a_second_rotation_in_a_month_gets_a_selector_that_was_never_used(
    sandbox: Sandbox,
) -> None:
    for _ in range(2):
        assert main([*BEGIN, "--wait", "--timeout", "30"]) == ExitCode.OK
    (name,) = keys_of(sandbox)
    assert name.partition(".")[0].endswith("b")
