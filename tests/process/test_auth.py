"""``auth``: credentials are entered once, tried, kept for one user alone, and shown to nobody."""

from __future__ import annotations

import stat
import tomllib
from typing import TYPE_CHECKING

import pytest

from tests.process.terminal import dialogue
from tests.worlds import requests_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.process.command import Command, Ended

NAMES = (
    "NETCUP_CUSTOMER_NUMBER",
    "NETCUP_API_KEY",
    "NETCUP_API_PASSWORD",
    "NETCUP_REST_API_KEY",
    "MAILCOW_URL",
    "MAILCOW_API_KEY",
)


@pytest.fixture
def bare(command: Command) -> Command:
    """The command without any credential."""
    command.changes = dict.fromkeys(NAMES)
    return command


def valid(command: Command, **changes: str) -> list[str]:
    """What to type, in the order of the questions."""
    values = {name: command.sandbox.env.get(name) or "" for name in NAMES} | changes
    return [values[name] for name in NAMES]


def secrets(answers: list[str]) -> list[str]:
    """Those of what is typed that are not shown: all but the customer number and the address."""
    return [*answers[1:4], answers[-1]]


def kept_in(command: Command) -> Path:
    return command.folder / "home" / ".config" / "netcup-mailauth" / "credentials.toml"


def kept(command: Command) -> dict[str, object]:
    path = kept_in(command)
    return tomllib.loads(path.read_text()) if path.exists() else {}


def shows_none_of(ended: Ended, *secrets: str) -> None:
    shown = ended.stdout + ended.stderr
    assert not [secret for secret in secrets if secret and secret in shown]
    assert "Traceback" not in shown


def test_what_is_entered_is_tried_kept_and_used(bare: Command) -> None:
    answers = valid(bare, NETCUP_REST_API_KEY=bare.sandbox.rest_key)
    ended = dialogue(bare, "auth", answers=answers)
    assert ended.code == 0, ended.stdout
    shows_none_of(ended, *secrets(answers))
    assert f"netcup customer number: {answers[0]}\n" in ended.stdout, "it is no secret"
    assert "works: logged in, and out again" in ended.stdout
    assert "works: mailcow" in ended.stdout
    assert "netcup REST API\n  works\n" in ended.stdout
    assert requests_of(bare.sandbox) == {"login": 1, "logout": 1, "domain": 1}
    assert kept(bare) == dict(zip(map(str.lower, NAMES), answers, strict=True))
    assert stat.S_IMODE(kept_in(bare).stat().st_mode) == 0o600
    assert stat.S_IMODE(kept_in(bare).parent.stat().st_mode) == 0o700
    assert [path.name for path in kept_in(bare).parent.iterdir()] == ["credentials.toml"]
    # A run without a terminal, as from a timer, now needs nothing else.
    assert bare("plan", "example.com", "--dkim", "mailcow").code == 0


def test_an_empty_answer_keeps_what_is_there(bare: Command) -> None:
    dialogue(bare, "auth", answers=valid(bare))
    before = kept(bare)
    ended = dialogue(bare, "auth", answers=["", "", "", bare.sandbox.rest_key, "", ""])
    assert ended.code == 0
    assert kept(bare) == {**before, "netcup_rest_api_key": bare.sandbox.rest_key}
    assert ended.stdout.count(", kept: ") == 4
    assert f"[{bare.sandbox.mailcow_url}]: " in ended.stdout


def test_what_is_refused_is_not_kept_and_the_rest_is(bare: Command) -> None:
    answers = valid(bare, NETCUP_API_PASSWORD="C4n4ry-wrong")
    ended = dialogue(bare, "auth", answers=answers)
    assert ended.code == 4
    shows_none_of(ended, *secrets(answers))
    assert "Not kept, because refused: NETCUP_API_KEY, NETCUP_API_PASSWORD" in ended.stdout
    assert list(kept(bare)) == ["mailcow_api_key", "mailcow_url"]
    assert requests_of(bare.sandbox) == {"login": 1}


def test_a_mailcow_key_that_is_refused(bare: Command) -> None:
    ended = dialogue(bare, "auth", answers=valid(bare, MAILCOW_API_KEY="C4n4ry-wrong"))
    assert ended.code == 4
    assert "mailcow_api_key" not in kept(bare)
    assert len(kept(bare)) == 3


def test_what_cannot_be_tried_is_kept_and_told(bare: Command) -> None:
    """An API that is down for a moment must not lose what somebody has typed."""
    bare.sandbox.fault("login", "lockout")
    ended = dialogue(bare, "auth", answers=valid(bare, MAILCOW_URL="https://127.0.0.1:1"))
    assert ended.code == 10
    assert "locked" in ended.stdout
    assert "127.0.0.1" in ended.stdout
    assert len(kept(bare)) == 5


def test_some_of_them_are_kept_and_what_is_missing_is_told(bare: Command) -> None:
    ended = dialogue(bare, "auth", answers=["12345", "", "", "", ""])
    assert ended.code == 4
    assert "NETCUP_API_KEY and NETCUP_API_PASSWORD are not set" in ended.stdout
    assert kept(bare) == {"netcup_customer_number": "12345"}
    assert requests_of(bare.sandbox) == {}


def test_what_cannot_be_right_is_asked_for_again(bare: Command) -> None:
    number, key, *rest = valid(bare)
    ended = dialogue(bare, "auth", answers=["1234a", number, "C" * 64, f"'{key}'", *rest])
    assert ended.code == 0
    assert "is not a number" in ended.stdout
    assert "64 characters" in ended.stdout
    assert "quotes or blanks" in ended.stdout
    assert kept(bare)["netcup_api_key"] == key
    shows_none_of(ended, "C" * 64, key)


def test_the_environment_comes_first_and_that_is_said(command: Command) -> None:
    ended = dialogue(command, "auth", answers=valid(command))
    assert "NETCUP_API_KEY is set in the environment too" in ended.stdout


def test_interrupted_while_asking_nothing_is_written(bare: Command) -> None:
    ended = dialogue(bare, "auth", answers=["12345", "^C"])
    assert ended.code == 130
    assert not kept_in(bare).exists()


@pytest.mark.parametrize("arguments", [("auth",), ("records", "example.com")])
def test_interrupted_at_the_first_question_ends_its_line(
    bare: Command, arguments: tuple[str, ...]
) -> None:
    ended = dialogue(bare, *arguments, answers=["^C"])
    assert ended.code == 130
    assert "\nnetcup-mailauth: Interrupted." in ended.stdout
    assert requests_of(bare.sandbox) == {}


def test_a_user_without_a_config_folder(bare: Command) -> None:
    bare.changes |= {"HOME": None, "XDG_CONFIG_HOME": str(bare.folder / "file")}
    (bare.folder / "file").write_text("")
    ended = dialogue(bare, "auth", answers=valid(bare))
    assert ended.code == 4
    assert "cannot be written" in ended.stdout
    shows_none_of(ended, *secrets(valid(bare)))


# --- auth --check ---------------------------------------------------------------------------------


def test_a_refused_rest_key_is_not_kept_and_a_ccp_key_in_its_place_is_not_sent(
    bare: Command,
) -> None:
    ended = dialogue(bare, "auth", answers=valid(bare, NETCUP_REST_API_KEY="R" * 64))
    assert ended.code == 4
    assert "Not kept, because refused: NETCUP_REST_API_KEY." in ended.stdout
    asked = bare.sandbox.stats()["requests"]["domain"]
    bare.changes["NETCUP_REST_API_KEY"] = "k" * 50
    ended = bare("auth", "--check")
    assert ended.code == 4
    assert "is one for netcup's CCP API" in ended.stdout
    assert bare.sandbox.stats()["requests"]["domain"] == asked


def test_check_says_what_is_where_and_whether_it_works(command: Command) -> None:
    """Whole lines: this is what a user sees of it."""
    dialogue(command, "auth", answers=valid(command))
    key = command.folder / "key"
    key.write_text(command.sandbox.env["NETCUP_API_KEY"] or "")
    systemd = command.folder / "systemd"
    systemd.mkdir()
    (systemd / "mailcow_api_key").write_text(command.sandbox.env["MAILCOW_API_KEY"] or "")
    command.changes = {
        "NETCUP_API_KEY": None,
        "NETCUP_API_KEY_FILE": str(key),
        "NETCUP_API_PASSWORD": None,
        "MAILCOW_API_KEY": None,
        "CREDENTIALS_DIRECTORY": str(systemd),
    }
    ended = command("auth", "--check")
    assert ended.code == 0, ended.stdout
    assert ended.stdout.splitlines() == [
        "netcup CCP API",
        "  NETCUP_CUSTOMER_NUMBER  environment",
        f"  NETCUP_API_KEY          NETCUP_API_KEY_FILE: {key}",
        f"  NETCUP_API_PASSWORD     {kept_in(command)}",
        "  works: logged in, and out again",
        "netcup REST API",
        "  NETCUP_REST_API_KEY     not found",
        "  no key; only CloudDNS zones need one",
        "mailcow",
        "  MAILCOW_URL             environment",
        "  MAILCOW_API_KEY         $CREDENTIALS_DIRECTORY",
        "  works: mailcow 2026-08 at 127.0.0.1",
    ]
    assert "NETCUP_CCP_ENDPOINT" in ended.stderr
    shows_none_of(ended, *valid(command)[1:])


def test_a_file_that_others_can_read_is_not_used(bare: Command) -> None:
    dialogue(bare, "auth", answers=valid(bare))
    kept_in(bare).chmod(0o644)
    ended = bare("auth", "--check")
    assert ended.code == 4
    assert "cannot be used" in ended.stdout
    assert "chmod 600" in ended.stdout
    for arguments in (["plan", "example.com", "--spf", "v=spf1 -all"], ["records", "example.com"]):
        ended = bare(*arguments)
        assert ended.code == 4
        assert "can be read or changed by others" in ended.stderr
    ended = dialogue(bare, "auth")
    assert ended.code == 4
    assert "chmod 600" in ended.stdout
    assert requests_of(bare.sandbox) == {"login": 1, "logout": 1}


# --- Asking for what is missing -------------------------------------------------------------------


def test_at_a_terminal_what_is_missing_is_asked_for_once_and_not_kept(command: Command) -> None:
    command.changes = {"NETCUP_API_PASSWORD": None, "MAILCOW_API_KEY": None}
    password, key = (command.sandbox.env[n] or "" for n in ("NETCUP_API_PASSWORD", NAMES[-1]))
    ended = dialogue(command, "plan", "example.com", "--dkim", "mailcow", answers=[password, key])
    assert ended.code == 0, ended.stdout
    assert ended.stdout.count("netcup API password: ") == 1
    assert ended.stdout.count("mailcow API key (read-only suffices): ") == 1
    assert "DKIM" in ended.stdout
    shows_none_of(ended, password, key)
    assert not kept_in(command).exists()


@pytest.mark.parametrize("option", ["-q", "--yes"])
def test_with_yes_or_quiet_nobody_is_asked(command: Command, option: str) -> None:
    """Both are for runs that nobody watches, even if they have a terminal."""
    command.changes = {"NETCUP_API_PASSWORD": None}
    name = "apply" if option == "--yes" else "plan"
    ended = dialogue(command, name, "example.com", "--spf", "v=spf1 -all", option)
    assert ended.code == 4
    assert "NETCUP_API_PASSWORD is not set" in ended.stdout


def test_a_check_without_credentials_asks_for_none(bare: Command) -> None:
    ended = dialogue(bare, "check", "example.com")
    assert "NETCUP_" not in ended.stdout.replace("NETCUP_CCP_ENDPOINT", "")


def test_a_key_file_that_cannot_be_read_is_told_and_not_asked_around(command: Command) -> None:
    command.changes = {"MAILCOW_API_KEY": None}
    (command.folder / "c.toml").write_text(
        f'[mailcow]\nurl = "{command.sandbox.mailcow_url}"\napi_key_file = "nowhere"\n'
    )
    arguments = ("-c", "c.toml", "plan", "example.com", "--dkim", "mailcow")
    ended = dialogue(command, *arguments)
    assert ended.code == 4
    assert "nowhere" in ended.stdout
