"""The file that ``auth`` writes: private, whole, and none of its values in any message."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from netcup_mailauth.errors import CredentialsError, ExitCode
from netcup_mailauth.settings.credentials import (
    CCP_NAMES,
    KEPT_NAMES,
    NETCUP_NAMES,
    ccp_credentials,
    credential_file,
    find,
    has_ccp_credentials,
    load_kept,
    missing_for_netcup,
    read_secret,
    save_kept,
    with_entered,
)
from tests.edges.settings.test_credentials import ALL, CANARY, NAME, no_warning


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "config" / "netcup-mailauth" / "credentials.toml"


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"XDG_CONFIG_HOME": str(tmp_path / "config")}


def written(path: Path, text: str, mode: int = 0o600) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    path.chmod(mode)
    return path


def refusal(path: Path) -> CredentialsError:
    """The error, which never shows a value, nor keeps what could."""
    with pytest.raises(CredentialsError) as caught:
        load_kept(path)
    error = caught.value
    assert error.exit_code == ExitCode.CREDENTIALS
    assert CANARY not in f"{error.what} {error.advice} {error!r} {error.__context__!r}"
    assert not getattr(error.__context__, "doc", None)
    return error


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


# --- Where it comes in the order ------------------------------------------------------------------


def test_it_comes_after_the_environment_a_file_and_systemd(
    path: Path, environ: dict[str, str], tmp_path: Path
) -> None:
    save_kept(path, {NAME: SecretStr("kept")})
    found = find(NAME, environ, no_warning)
    assert found is not None
    assert (found.value.get_secret_value(), found.source) == ("kept", str(path))
    (tmp_path / "netcup_api_key").write_text("systemd")
    environ["CREDENTIALS_DIRECTORY"] = str(tmp_path)
    assert read_secret(NAME, environ, no_warning) == "systemd"
    (tmp_path / "file").write_text("file")
    environ[f"{NAME}_FILE"] = str(tmp_path / "file")
    found = find(NAME, environ, no_warning)
    assert found is not None
    assert found.value.get_secret_value() == "file"
    assert found.source == f"{NAME}_FILE: {tmp_path / 'file'}"
    del environ[f"{NAME}_FILE"]
    environ[NAME] = "direct"
    assert read_secret(NAME, environ, no_warning) == "direct"


def test_all_three_from_the_file(path: Path, environ: dict[str, str]) -> None:
    assert not has_ccp_credentials(environ)
    save_kept(path, {name: SecretStr(value) for name, value in ALL.items()})
    assert has_ccp_credentials(environ)
    assert ccp_credentials(environ, no_warning).api_password.get_secret_value() == CANARY


def test_a_value_that_somebody_wrote_is_cleaned_and_checked(
    path: Path, environ: dict[str, str]
) -> None:
    written(path, f'netcup_api_key = " {CANARY}"')
    warnings: list[str] = []
    assert read_secret(NAME, environ, warnings.append) == CANARY
    assert CANARY not in "".join(warnings)
    assert str(path) in warnings[0]
    written(path, f'netcup_api_key = "{CANARY} ä"')
    with pytest.raises(CredentialsError) as caught:
        read_secret(NAME, environ, no_warning)
    assert CANARY not in f"{caught.value.what} {caught.value.advice}"


def test_a_user_without_a_home_has_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless(_: Path) -> Path:
        raise RuntimeError

    monkeypatch.setattr(Path, "expanduser", homeless)
    assert credential_file({}) is None
    assert read_secret(NAME, {}, no_warning) is None


# --- What is read ---------------------------------------------------------------------------------


@pytest.mark.parametrize("bits", [0o644, 0o640, 0o604, 0o620, 0o602, 0o610, 0o666])
def test_what_others_can_read_or_change_is_not_used(path: Path, bits: int) -> None:
    """A credential that others may have read is no longer one; one they can write is theirs."""
    error = refusal(written(path, f'netcup_api_key = "{CANARY}"', bits))
    assert f"{bits:04o}" in error.what
    assert f"chmod 600 {path}" in error.advice


@pytest.mark.parametrize("bits", [0o600, 0o400])
def test_private_is_enough(path: Path, bits: int) -> None:
    assert load_kept(written(path, f'netcup_api_key = "{CANARY}"', bits))


def test_somebody_elses_file_is_not_used(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(path, f'netcup_api_key = "{CANARY}"')
    monkeypatch.setattr(os, "geteuid", lambda: 4711)
    assert "another user" in refusal(path).what


@pytest.mark.parametrize("sort", ["folder", "pipe", "link to a device"])
def test_what_is_no_regular_file(path: Path, sort: str) -> None:
    path.parent.mkdir(parents=True)
    match sort:
        case "folder":
            path.mkdir()
        case "pipe":
            os.mkfifo(path, 0o600)
        case _:
            path.symlink_to("/dev/zero")
    assert ("directory" if sort == "folder" else "regular file") in refusal(path).what


def test_it_cannot_be_opened(path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.symlink_to(path)
    assert "cannot be read" in refusal(path).what


def test_no_file_no_folder_or_a_file_in_its_place_is_no_credential(tmp_path: Path) -> None:
    assert load_kept(tmp_path / "a" / "b") == {}
    (tmp_path / "a").write_text("")
    assert load_kept(tmp_path / "a" / "b") == {}


def test_an_endless_file(path: Path) -> None:
    assert "longer than" in refusal(written(path, f"# {CANARY}\n" * 10_000)).what


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f'netcup_api_kez = "{CANARY}"', "netcup_api_kez: unknown key"),
        (f'NETCUP_API_KEY = "{CANARY}"', "NETCUP_API_KEY: unknown key"),
        (f'"{CANARY}" = 1', "a key that is none: unknown key"),
        (f'[netcup]\napi_key = "{CANARY}"', "netcup: unknown key"),
        ("netcup_customer_number = 12345", "netcup_customer_number: should be a text"),
        (f'netcup_api_key = ["{CANARY}"]', "netcup_api_key: should be a text"),
        (f'a = 1\nnetcup_api_key = {{x="{CANARY}"}}', "a: unknown key; netcup_api_key: should be"),
    ],
)
def test_a_mistake_names_the_key_and_never_the_value(path: Path, text: str, words: str) -> None:
    error = refusal(written(path, text))
    assert words in error.what
    assert "netcup_api_password" in error.advice


@pytest.mark.parametrize(
    "text",
    [
        f"netcup_api_key = {CANARY}",
        f'x = 1\nnetcup_api_key = "{CANARY}',
        f"{CANARY}",
        f'netcup_api_key = "{CANARY}\\q"',
        f'netcup_api_key = "{CANARY}"\nnetcup_api_key = "{CANARY}"',
        "x = " + "[" * 5000,
    ],
)
def test_what_is_no_toml_is_told_by_its_line(path: Path, text: str) -> None:
    assert "not valid TOML" in refusal(written(path, text)).what


def test_bytes_that_are_no_text(path: Path, environ: dict[str, str]) -> None:
    written(path, f'netcup_api_key = "{CANARY}\udcff"')
    with pytest.raises(CredentialsError, match="characters that no key has"):
        read_secret(NAME, environ, no_warning)


# --- What is written ------------------------------------------------------------------------------


def test_file_and_folder_are_this_users_alone_whatever_the_umask(path: Path) -> None:
    before = os.umask(0)
    try:
        save_kept(path, {NAME: SecretStr("k")})
    finally:
        os.umask(before)
    assert (mode(path), mode(path.parent)) == (0o600, 0o700)


def test_a_folder_open_to_others_is_closed(path: Path) -> None:
    """Others who can write in it could put a file of theirs in place of the config."""
    path.parent.mkdir(parents=True)
    path.parent.chmod(0o755)
    save_kept(path, {NAME: SecretStr("k")})
    assert mode(path.parent) == 0o700


def test_a_file_open_to_others_is_replaced_by_a_private_one(path: Path) -> None:
    written(path, "", 0o644)
    save_kept(path, {NAME: SecretStr("k")})
    assert mode(path) == 0o600


SECRETS = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=70)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(st.dictionaries(st.sampled_from(KEPT_NAMES), SECRETS))
@example({NAME: '"\\"'})
def test_what_is_written_is_read_again(path: Path, values: dict[str, str]) -> None:
    save_kept(path, {name: SecretStr(value) for name, value in values.items()})
    assert {n: v.get_secret_value() for n, v in load_kept(path).items()} == values
    assert list(path.parent.iterdir()) == [path]


def test_a_disk_that_is_full_leaves_the_old_file_and_no_other(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_kept(path, {NAME: SecretStr("old")})

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(CredentialsError, match="No space left") as caught:
        save_kept(path, {NAME: SecretStr(CANARY)})
    assert CANARY not in repr(caught.value)
    assert load_kept(path)[NAME].get_secret_value() == "old"
    assert list(path.parent.iterdir()) == [path]


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CredentialsError, match="cannot be written"):
        save_kept(tmp_path / "file" / "x" / "credentials.toml", {NAME: SecretStr("k")})


# --- What somebody at the terminal is asked for ---------------------------------------------------


@pytest.mark.parametrize(
    ("there", "missing"),
    [
        ((), NETCUP_NAMES),
        (("MAILCOW_API_KEY",), NETCUP_NAMES),
        (("NETCUP_REST_API_KEY",), ()),
        (CCP_NAMES, ()),
        (("NETCUP_API_KEY",), ("NETCUP_CUSTOMER_NUMBER", "NETCUP_API_PASSWORD")),
        (("NETCUP_REST_API_KEY", "NETCUP_API_KEY"), (CCP_NAMES[0], CCP_NAMES[2])),
    ],
)
def test_what_is_missing_for_one_api_or_for_both(
    there: tuple[str, ...], missing: tuple[str, ...]
) -> None:
    assert missing_for_netcup(dict.fromkeys(there, "k")) == missing


def test_a_rest_key_in_the_place_of_the_other_key_is_all_that_is_needed() -> None:
    assert missing_for_netcup({"NETCUP_API_KEY": "k" * 64}) == ()


def test_an_empty_file_of_a_secret_is_not_asked_around(tmp_path: Path) -> None:
    (tmp_path / "k").write_text("")
    with pytest.raises(CredentialsError, match="is empty"):
        missing_for_netcup({"NETCUP_API_KEY_FILE": str(tmp_path / "k")})


def test_what_was_entered_comes_before_a_file_that_is_named() -> None:
    found = with_entered({"NETCUP_API_KEY_FILE": "/nowhere"}, {"NETCUP_API_KEY": "k"})
    assert found == {"NETCUP_API_KEY": "k"}
