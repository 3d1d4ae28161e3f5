"""``auth --check`` without a terminal, and a found config that says where a key goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from netcup_mailauth.sandbox import Sandbox
from tests.apis import CCP, CLOUDDNS
from tests.worlds import requests_of

if TYPE_CHECKING:
    from tests.story.inprocess import Cli


@pytest.fixture
def bare(cli: Cli) -> Cli:
    """The command line without any credential."""
    cli.set(dict.fromkeys((*CCP.secrets, *CLOUDDNS.secrets, "MAILCOW_API_KEY")))
    return cli


def test_check_when_there_is_nothing(bare: Cli) -> None:
    bare.set({"MAILCOW_URL": None})
    ended = bare("auth", "--check")
    assert ended.code == 4
    assert "no credentials" in ended.stdout
    assert "netcup-mailauth auth" in ended.stdout
    assert "no mailcow is named" in ended.stdout
    assert requests_of(bare.sandbox) == {}


def test_a_quiet_check_says_nothing_unless_something_is_wrong(cli: Cli) -> None:
    ended = cli("auth", "--check", "-q")
    assert (ended.code, ended.stdout, ended.stderr) == (0, "", "")
    cli.set({"NETCUP_API_PASSWORD": "wrong-password"})
    ended = cli("auth", "--check", "-q")
    assert ended.code == 4
    assert "refuses" in ended.stdout


def test_the_mailcow_of_the_config_and_its_key_file(bare: Cli) -> None:
    key = bare.folder / "key"
    key.write_text(bare.sandbox.env["MAILCOW_API_KEY"] or "")
    config = bare.folder / "c.toml"
    url = bare.sandbox.mailcow_url
    config.write_text(f'[mailcow]\nurl = "{url}"\napi_key_file = "{key}"\n')
    bare.set({"MAILCOW_URL": None})
    ended = bare("auth", "--check", "-c", "c.toml")
    assert "[mailcow] api_key_file of the config" in ended.stdout
    assert "works: mailcow" in ended.stdout
    config.write_text("[mailcow]\nurl = 5\n")
    ended = bare("auth", "--check", "-c", "c.toml")
    assert "should be a text" in ended.stdout


def test_an_address_that_is_no_mailcow(cli: Cli) -> None:
    cli.set({"MAILCOW_URL": cli.sandbox.control_url})
    ended = cli("auth", "--check")
    assert ended.code == 1
    assert "no mailcow API" in ended.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ("plan", "example.com", "--dkim", "mailcow"),
        ("apply", "--yes"),
        ("check", "example.com"),
        ("init",),
        ("auth", "--check"),
    ],
)
def test_a_config_in_the_current_folder_does_not_say_where_a_key_goes(
    cli: Cli, arguments: tuple[str, ...]
) -> None:
    """It may come with a merge request; the key would go wherever its author likes."""
    with Sandbox() as elsewhere:
        cli.set({"MAILCOW_URL": None})
        (cli.folder / "netcup-mailauth.toml").write_text(
            f'[mailcow]\nurl = "{elsewhere.mailcow_url}"\n'
            '[domains."example.com"]\ndkim = { source = "mailcow" }\n'
        )
        ended = cli(*arguments)
        assert elsewhere.stats()["mailcow"] == {}
        assert "may not decide where your key is sent" in " ".join(
            (ended.stdout + ended.stderr).split()
        )
        # Named by its user, it is followed.
        named = cli(*arguments, "-c", "netcup-mailauth.toml")
        assert elsewhere.stats()["mailcow"] != {}, named.stderr
