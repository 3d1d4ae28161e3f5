"""Credentials asked for at a terminal: which, in which words, and what becomes of the answers."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from netcup_mailauth.cli import asking
from netcup_mailauth.cli.auth import enter_mailcow, enter_netcup, keep
from netcup_mailauth.cli.output import begin
from netcup_mailauth.cli.run import run
from netcup_mailauth.errors import CredentialsError
from netcup_mailauth.sandbox import Sandbox
from netcup_mailauth.settings.credentials import kept
from tests.worlds import requests_of

if TYPE_CHECKING:
    from tests.process.command import Ended
    from tests.story.inprocess import Cli

CCP = ("NETCUP_CUSTOMER_NUMBER", "NETCUP_API_KEY", "NETCUP_API_PASSWORD")
NAMES = (*CCP, "NETCUP_REST_API_KEY", "MAILCOW_URL", "MAILCOW_API_KEY")


class Terminal:
    """Somebody at a terminal who types these answers, in turn.

    Attributes:
        asked: what was asked for so far.
        seen: which of it can be seen as it is typed.
    """

    def __init__(self, cli: Cli) -> None:
        self.cli, self.asked, self.seen = cli, list[str](), list[str]()
        self._left: list[str] = []
        cli.monkeypatch.setattr(asking, "attended", lambda: True)
        cli.monkeypatch.setattr(asking, "typed", self._typed)
        cli.monkeypatch.setattr(asking, "typed_unseen", self._unseen)

    def will_type(self, *answers: str) -> None:
        self._left = list(answers)
        self.asked, self.seen = [], []

    def __call__(self, *arguments: str, answers: tuple[str, ...]) -> Ended:
        self.will_type(*answers)
        ended = self.cli(*arguments)
        assert not self._left, f"nobody asked for {self._left}: {ended}"
        return ended

    def _unseen(self, what: str) -> str:
        self.asked.append(what)
        assert self._left, f"nobody knows the {what}"
        return self._left.pop(0)

    def _typed(self, what: str, default: str = "") -> str:
        self.seen.append(what)
        return self._unseen(what) or default


@pytest.fixture
def terminal(cli: Cli) -> Terminal:
    """A terminal, and no credential anywhere."""
    cli.set(dict.fromkeys(NAMES))
    cli.set({"HOME": str(cli.folder / "home"), "XDG_CONFIG_HOME": None})
    begin()
    return Terminal(cli)


def ccp(terminal: Terminal, **changes: str) -> tuple[str, ...]:
    values = {name: terminal.cli.sandbox.env[name] or "" for name in CCP} | changes
    return tuple(values[name] for name in CCP)


PLAN = ("plan", "example.com", "--spf-require", "mx")


def test_a_plan_says_what_is_missing_and_what_keeps_it_before_it_asks(terminal: Terminal) -> None:
    ended = terminal(*PLAN, answers=(*ccp(terminal), ""))
    assert ended.code == 0, ended
    assert "There are no credentials for netcup yet." in ended.stderr
    assert "Stammdaten > API" in ended.stderr
    assert "netcup-mailauth auth tries it and keeps it" in ended.stderr
    assert terminal.seen == ["netcup customer number"], "which is no secret"
    assert len(terminal.asked) == 4, "the REST key is offered"
    assert kept(os.environ) == {}


def test_whoever_has_only_a_rest_key_gets_through(terminal: Terminal) -> None:
    with Sandbox(clouddns=["example.com"]) as sandbox:
        terminal.cli.set({**sandbox.env, **dict.fromkeys(NAMES)})
        ended = terminal(*PLAN, answers=("", sandbox.rest_key))
    assert ended.code == 0, ended
    assert terminal.asked == [
        "netcup customer number",
        "netcup REST API key (CloudDNS, 64 characters)",
    ]


def test_only_what_is_missing_is_asked_for_and_named(terminal: Terminal) -> None:
    number, key, password = ccp(terminal)
    terminal.cli.set({"NETCUP_CUSTOMER_NUMBER": number, "NETCUP_API_KEY": key})
    ended = terminal(*PLAN, answers=(password,))
    assert ended.code == 0
    assert "Some of the credentials for netcup are missing: API password." in ended.stderr


def test_a_slip_is_asked_for_again(terminal: Terminal) -> None:
    number, key, password = ccp(terminal)
    answers = ("1234a", number, "R" * 64, key, password, "")
    ended = terminal(*PLAN, answers=answers)
    assert ended.code == 0
    assert "is not a number" in ended.stderr
    assert '"Legacy-API-Keys"' in ended.stderr


def test_whoever_has_nothing_is_told_what_to_do(terminal: Terminal) -> None:
    ended = terminal(*PLAN, answers=("", ""))
    assert ended.code == 4
    assert "No credentials for netcup" in ended.stderr
    assert requests_of(terminal.cli.sandbox) == {}


def test_mailcows_key_is_asked_for_once_with_the_reason(terminal: Terminal) -> None:
    url = terminal.cli.sandbox.mailcow_url
    answers = (*ccp(terminal), "", "")
    arguments = ("plan", "example.com", "example.org", "--dkim", "mailcow", "--mailcow", url)
    ended = terminal(*arguments, answers=answers)
    assert ended.code == 4
    assert terminal.asked.count(asking.WHAT["MAILCOW_API_KEY"]) == 1
    assert "cannot be asked for DKIM keys" in ended.stderr
    assert "System > Configuration > Access > API" in ended.stderr


# --- What setup works with ------------------------------------------------------------------------


def test_what_is_entered_is_tried_used_and_kept_only_when_asked(terminal: Terminal) -> None:
    terminal.will_type(*ccp(terminal), "")
    with run() as current:
        entered = enter_netcup(current)
        assert entered == dict(zip(CCP, ccp(terminal), strict=True))
        assert requests_of(terminal.cli.sandbox) == {"login": 1, "logout": 1}
        assert current.backend.zone("example.com").records
        assert kept(os.environ) == {}
        assert enter_netcup(current) == {}, "nothing is missing any more"
    keep(entered)
    assert {name: value.get_secret_value() for name, value in kept(os.environ).items()} == entered


def test_what_is_refused_is_asked_for_again_and_forgotten(terminal: Terminal) -> None:
    wrong = ccp(terminal, NETCUP_API_PASSWORD="C4n4ry-wrong")
    terminal.will_type(*wrong, "", *ccp(terminal))
    with run() as current:
        assert enter_netcup(current) == dict(zip(CCP, ccp(terminal), strict=True))
    assert requests_of(terminal.cli.sandbox)["login"] == 2


def test_a_rest_key_that_works_is_enough_beside_a_login_that_does_not(terminal: Terminal) -> None:
    key = terminal.cli.sandbox.rest_key
    wrong = ccp(terminal, NETCUP_API_PASSWORD="C4n4ry-wrong")
    terminal.will_type(*wrong, key, "")
    with run() as current:
        assert enter_netcup(current) == {"NETCUP_REST_API_KEY": key}


def test_three_refusals_are_the_end(terminal: Terminal) -> None:
    wrong = ccp(terminal, NETCUP_API_PASSWORD="C4n4ry-wrong")
    terminal.will_type(*wrong, "", *wrong, *wrong)
    with run() as current, pytest.raises(CredentialsError):
        enter_netcup(current)
    assert requests_of(terminal.cli.sandbox)["login"] <= 3
    assert kept(os.environ) == {}


def mailcow_key(terminal: Terminal) -> str:
    return terminal.cli.sandbox.env["MAILCOW_API_KEY"] or ""


def test_a_mailcow_is_asked_for_tried_and_used(terminal: Terminal) -> None:
    sandbox = terminal.cli.sandbox
    terminal.will_type(sandbox.mailcow_url, mailcow_key(terminal))
    with run() as current:
        entered = enter_mailcow(current)
        assert set(entered) == {"MAILCOW_URL", "MAILCOW_API_KEY"}
        assert current.mailcow_named() == sandbox.mailcow_url
        assert current.mailcow.domains()
        assert enter_mailcow(current) == {}
    assert kept(os.environ) == {}


def test_who_has_no_mailcow_says_so_with_enter(terminal: Terminal) -> None:
    terminal.will_type("")
    with run() as current:
        assert enter_mailcow(current) == {}
        assert current.mailcow_named() is None
    assert terminal.asked == terminal.seen == [asking.WHAT["MAILCOW_URL"]]


def test_a_wrong_mailcow_key_is_asked_for_again_with_the_address_offered(
    terminal: Terminal,
) -> None:
    terminal.will_type(terminal.cli.sandbox.mailcow_url, "C4n4ry-wrong", "", mailcow_key(terminal))
    with run() as current:
        assert enter_mailcow(current)["MAILCOW_API_KEY"] == mailcow_key(terminal)


def test_a_key_in_the_place_of_the_address_is_no_address(terminal: Terminal) -> None:
    terminal.will_type(mailcow_key(terminal), "")
    with run() as current:
        assert enter_mailcow(current) == {}
    assert len(terminal.asked) == 2


def test_an_address_without_its_key_is_left_out(terminal: Terminal) -> None:
    terminal.will_type("mail.example.com", "")
    with run() as current:
        assert enter_mailcow(current) == {}
        assert current.mailcow_named() is None


# --- The mailcow that is kept ---------------------------------------------------------------------


def kept_by_auth(terminal: Terminal) -> None:
    """netcup's credentials, and mailcow's key with its address."""
    terminal.cli.monkeypatch.setattr("netcup_mailauth.cli.auth.attended", lambda: True)
    answers = (*ccp(terminal), "", terminal.cli.sandbox.mailcow_url, mailcow_key(terminal))
    assert terminal("auth", answers=answers).code == 0


def test_the_config_that_init_wrote_works_from_its_own_folder(terminal: Terminal) -> None:
    kept_by_auth(terminal)
    cli, url = terminal.cli, terminal.cli.sandbox.mailcow_url
    ended = cli("init", "--mailcow", url, "example.com")
    assert ended.code == 0, ended
    assert url in (cli.folder / "netcup-mailauth.toml").read_text()
    for arguments in (["plan"], ["-c", "netcup-mailauth.toml", "plan"], ["apply", "--yes"]):
        ended = cli(*arguments)
        assert ended.code == 0, ended
    assert "dkim._domainkey" in cli("records", "example.com").stdout


def test_a_mailcow_that_is_kept_need_not_be_named(terminal: Terminal) -> None:
    kept_by_auth(terminal)
    ended = terminal.cli("plan", "example.com", "--dkim", "mailcow")
    assert ended.code == 0, ended
    assert terminal.cli("init", "example.com").code == 0
    assert "[mailcow]" in (terminal.cli.folder / "netcup-mailauth.toml").read_text()


def test_a_key_that_is_kept_is_sent_nowhere_but_to_its_mailcow(terminal: Terminal) -> None:
    kept_by_auth(terminal)
    with Sandbox() as elsewhere:
        arguments = ("plan", "example.com", "--mailcow", elsewhere.mailcow_url)
        ended = terminal.cli(*arguments, "--dkim", "mailcow", "-q")
        assert elsewhere.stats()["mailcow"] == {}
    assert ended.code == 4
    assert "is for 127.0.0.1" in ended.stderr


def test_auth_shows_where_the_address_is_from_and_that_it_works(terminal: Terminal) -> None:
    kept_by_auth(terminal)
    shown = terminal.cli("auth", "--check").stdout
    path = terminal.cli.folder / "home/.config/netcup-mailauth/credentials.toml"
    assert f"  MAILCOW_URL             {path}\n  MAILCOW_API_KEY         {path}\n" in shown
    assert "works: mailcow" in shown


def test_another_address_needs_a_key_of_its_own(terminal: Terminal) -> None:
    kept_by_auth(terminal)
    before = kept(os.environ)
    ended = terminal("auth", answers=("", "", "", "", "https://other.example", ""))
    assert "left out" in ended.stderr
    assert kept(os.environ) == before


def test_the_address_of_a_config_that_was_merely_found_is_not_offered(terminal: Terminal) -> None:
    terminal.cli.monkeypatch.setattr("netcup_mailauth.cli.auth.attended", lambda: True)
    (terminal.cli.folder / "netcup-mailauth.toml").write_text(
        '[mailcow]\nurl = "https://evil.example"\n'
    )
    ended = terminal("auth", answers=("", "", ""))
    assert "evil.example" not in ended.stdout + ended.stderr


@pytest.mark.parametrize(
    "url", ["https://u:C4n4ry@mail.example.com", "https://x\x1b[2J", "http://mail.example.com"]
)
def test_an_address_that_no_key_may_be_sent_to_is_neither_offered_nor_shown(
    terminal: Terminal, url: str
) -> None:
    terminal.cli.monkeypatch.setattr("netcup_mailauth.cli.auth.attended", lambda: True)
    defaults: list[str] = []

    def typed(_what: str, default: str = "") -> str:
        defaults.append(default)
        return ""

    terminal.will_type("")
    terminal.cli.monkeypatch.setattr(asking, "typed", typed)
    terminal.cli.set({"MAILCOW_URL": url})
    ended = terminal.cli("auth")
    assert defaults == ["", ""]
    assert "C4n4ry" not in ended.stderr + ended.stdout
    assert "\x1b" not in ended.stderr + ended.stdout


def test_an_address_that_was_kept_and_spoilt_is_told(terminal: Terminal) -> None:
    kept_by_auth(terminal)
    path = terminal.cli.folder / "home/.config/netcup-mailauth/credentials.toml"
    path.write_text(path.read_text().replace("http://127", "ftp://u:C4n4ry@127"))
    ended = terminal.cli("plan", "example.com", "--dkim", "mailcow")
    assert ended.code == 2, ended
    assert "C4n4ry" not in ended.stderr + ended.stdout
    assert f"The mailcow_url in {path} has a user name or password in it" in ended.stderr
