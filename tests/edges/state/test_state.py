"""Where state lies, and that it is nobody else's to read."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from netcup_mailauth import state
from netcup_mailauth.errors import MailauthError, UsageError

ENDPOINT = "https://ccp.netcup.net/run/webservice/servers/endpoint.php?JSON"


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"NETCUP_MAILAUTH_STATE_DIR": "/s"}, "/s"),
        ({"NETCUP_MAILAUTH_STATE_DIR": "/s", "XDG_STATE_HOME": "/x"}, "/s"),
        ({"NETCUP_MAILAUTH_STATE_DIR": "~/s"}, "{home}/s"),
        ({"XDG_STATE_HOME": "/x"}, "/x/netcup-mailauth"),
        ({"XDG_STATE_HOME": "relative"}, "{home}/.local/state/netcup-mailauth"),
        ({"NETCUP_MAILAUTH_STATE_DIR": ""}, "{home}/.local/state/netcup-mailauth"),
        ({}, "{home}/.local/state/netcup-mailauth"),
    ],
)
def test_the_root_of_all_state(environ: dict[str, str], expected: str) -> None:
    assert state.root(environ) == Path(expected.format(home=Path.home()))


def test_an_unknown_home_is_told() -> None:
    with pytest.raises(UsageError, match=r"~nobody-of-that-name/s"):
        state.root({"NETCUP_MAILAUTH_STATE_DIR": "~nobody-of-that-name/s"})


@pytest.mark.parametrize(
    ("endpoint", "host"),
    [
        (ENDPOINT, "ccp.netcup.net"),
        ("http://127.0.0.1:8053/", "127.0.0.1_8053"),
        ("http://[::1]:8053/", "__1_8053"),
        ("HTTPS://CCP.netcup.net/", "ccp.netcup.net"),
    ],
)
def test_each_endpoint_and_account_has_its_own_folder(
    tmp_path: Path, endpoint: str, host: str
) -> None:
    folder = state.account_folder(tmp_path, endpoint, "0123456789ab")
    assert folder == tmp_path / host / "0123456789ab"
    assert folder.is_dir()
    assert state.account_folder(tmp_path, endpoint, "0123456789ab") == folder


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077])
def test_every_folder_made_is_for_this_user_alone(tmp_path: Path, mask: int) -> None:
    """mkdir(parents=True) gives its mode to the last folder only."""
    before = os.umask(mask)
    try:
        folder = state.account_folder(tmp_path / "a" / "b", ENDPOINT, "account")
    finally:
        os.umask(before)
    while folder != tmp_path:
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700, folder
        folder = folder.parent


def test_a_folder_that_was_there_keeps_its_mode(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    state.account_folder(tmp_path, ENDPOINT, "account")
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755


@pytest.mark.parametrize("sort", ["file", "dangling link"])
def test_a_folder_that_cannot_be_made(tmp_path: Path, sort: str) -> None:
    in_the_way = tmp_path / "ccp.netcup.net"
    if sort == "file":
        in_the_way.touch()
    else:
        in_the_way.symlink_to(tmp_path / "nowhere")
    with pytest.raises(MailauthError, match="cannot be made") as caught:
        state.account_folder(tmp_path, ENDPOINT, "account")
    assert "Nothing was written" in caught.value.advice
    assert "NETCUP_MAILAUTH_STATE_DIR" in caught.value.advice
