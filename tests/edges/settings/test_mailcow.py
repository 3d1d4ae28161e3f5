"""Which mailcow is asked, and with which key; what a config that was merely found may say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from netcup_mailauth.errors import ConfigError, CredentialsError, UsageError
from netcup_mailauth.files import CONFIG_NAME
from netcup_mailauth.policy import Config, MailcowSettings
from netcup_mailauth.settings import LoadedConfig
from netcup_mailauth.settings.credentials import credential_file, save_kept
from netcup_mailauth.settings.mailcow import MailcowAccess, mailcow_access, named_mailcow

CANARY = "C4n4ry-5ecret"
KEY = {"MAILCOW_API_KEY": CANARY}
A = "https://a.example"
B = "https://b.example"


def no_warning(message: str) -> None:
    pytest.fail(f"a warning: {message}")


def config(url: str | None = None, key_file: str | None = None, **more: Any) -> LoadedConfig:
    settings = MailcowSettings(url=url, api_key_file=key_file)
    return LoadedConfig(Config(mailcow=settings), Path("/c.toml"), **more)


def found(url: str | None = None, key_file: str | None = None) -> LoadedConfig:
    """A config that merely lies in the current folder."""
    return config(url, key_file, trusted=False)


def access(
    loaded: LoadedConfig, option: str | None = None, environ: dict[str, str] | None = None
) -> MailcowAccess:
    return mailcow_access(option, loaded, KEY if environ is None else environ, no_warning)


@pytest.mark.parametrize(
    ("option", "variable", "configured", "expected"),
    [
        (A, B, B, A),
        (None, A, B, A),
        (None, None, A, A),
        (None, "", A, A),
        (A, None, None, A),
    ],
)
@pytest.mark.parametrize("trusted", [True, False])
def test_option_before_environment_before_config(
    option: str | None, variable: str | None, configured: str | None, expected: str, trusted: bool
) -> None:
    environ = KEY if variable is None else {**KEY, "MAILCOW_URL": variable}
    loaded = config(configured, trusted=trusted)
    if trusted or option or variable:
        assert access(loaded, option, environ).url == expected
    else:
        with pytest.raises(UsageError):
            access(loaded, option, environ)


@pytest.mark.parametrize(
    "loaded", [config(), found(), found(key_file="/k"), LoadedConfig(Config())]
)
def test_no_mailcow_is_named(loaded: LoadedConfig) -> None:
    with pytest.raises(UsageError, match="no mailcow is named") as caught:
        access(loaded)
    assert "--mailcow" in caught.value.advice


def test_a_found_config_does_not_decide_where_the_key_goes() -> None:
    """Else a merge request could have the key of the build machine sent anywhere."""
    with pytest.raises(UsageError, match="may not decide where your key is sent") as caught:
        access(found(f"https://evil.example/$(id)?{CANARY}"))
    assert "-c /c.toml" in caught.value.advice
    assert "evil" not in f"{caught.value.what}{caught.value.advice}", "not even to copy and paste"


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """The user's own config, and the environment that leads to it."""
    path = tmp_path / "netcup-mailauth" / CONFIG_NAME
    path.parent.mkdir()
    return path


def with_own(own: Path, **environ: str) -> dict[str, str]:
    return {"XDG_CONFIG_HOME": str(own.parents[1]), **environ}


@pytest.mark.parametrize("written", [A, f"{A}/", "https://A.example", "HTTPS://a.EXAMPLE/"])
def test_a_found_config_may_name_the_mailcow_of_the_users_own(own: Path, written: str) -> None:
    own.write_text(f'[mailcow]\nurl = "{A}"')
    assert access(found(written), environ=with_own(own, **KEY)).url == A


@pytest.mark.parametrize(
    "written",
    [B, f"{A}:8443", f"{A}.evil.example", "http://a.example", f"{A}/x", f"{A}?x", f"{A}#x"],
)
def test_another_mailcow_than_the_users_own_is_not_asked(own: Path, written: str) -> None:
    own.write_text(f'[mailcow]\nurl = "{A}"')
    with pytest.raises(UsageError, match="may not decide"):
        access(found(written), environ=with_own(own, **KEY))


def test_a_mistake_in_the_users_own_config_is_told(own: Path) -> None:
    own.write_text("x = 1")
    with pytest.raises(ConfigError, match="x: unknown key"):
        access(found(A), environ=with_own(own, **KEY))
    assert access(found(A), A, with_own(own, **KEY)).url == A, "it was not needed here"


# --- The mailcow whose key is kept ----------------------------------------------------------------


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """An environment in whose home the key of the mailcow at A is kept."""
    environ = {"XDG_CONFIG_HOME": str(tmp_path / "config")}
    path = credential_file(environ)
    assert path is not None
    values = {"MAILCOW_URL": A, "MAILCOW_API_KEY": CANARY}
    save_kept(path, {name: SecretStr(value) for name, value in values.items()})
    return environ


@pytest.mark.parametrize("loaded", [config(), found(), found(A), found(f"{A}/"), config(A)])
def test_the_mailcow_that_is_kept_is_asked_unless_another_is_named(
    home: dict[str, str], loaded: LoadedConfig
) -> None:
    got = access(loaded, environ=home)
    assert (got.url.rstrip("/"), got.api_key.get_secret_value()) == (A, CANARY)
    named = named_mailcow(None, loaded, home)
    assert named is not None
    assert named.url.rstrip("/") == A


def test_a_found_config_that_names_another_is_not_followed(home: dict[str, str]) -> None:
    with pytest.raises(UsageError, match="may not decide"):
        access(found(B), environ=home)


@pytest.mark.parametrize(
    ("loaded", "option", "more"),
    [(config(), B, {}), (config(B), None, {}), (config(), None, {"MAILCOW_URL": B})],
)
def test_the_key_that_is_kept_is_for_its_own_mailcow(
    home: dict[str, str], loaded: LoadedConfig, option: str | None, more: dict[str, str]
) -> None:
    with pytest.raises(CredentialsError, match=r"is for a\.example, and is not sent to b\.example"):
        access(loaded, option, {**home, **more})
    got = access(loaded, option, {**home, **more, "MAILCOW_API_KEY": "of-b"})
    assert (got.url, got.api_key.get_secret_value()) == (B, "of-b")


def test_a_key_file_serves_where_the_key_that_is_kept_may_not(
    home: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "k").write_text("of-b")
    got = access(config(B, str(tmp_path / "k")), environ=home)
    assert got.api_key.get_secret_value() == "of-b"


# --- The key --------------------------------------------------------------------------------------


def key_file(path: Path, key: str = CANARY) -> str:
    path.write_text(key)
    return str(path)


def test_the_environments_key_comes_first(tmp_path: Path) -> None:
    loaded = config(A, key_file(tmp_path / "k"))
    assert access(loaded, environ={}).api_key.get_secret_value() == CANARY
    both = access(loaded, environ={"MAILCOW_API_KEY": "other"})
    assert both.api_key.get_secret_value() == "other"


def test_the_configs_key_file_serves_the_mailcow_of_an_option_too(tmp_path: Path) -> None:
    loaded = config(None, key_file(tmp_path / "k"))
    assert access(loaded, A, {}).api_key.get_secret_value() == CANARY


def test_a_bad_key_file_is_told_by_its_name_in_the_config(tmp_path: Path) -> None:
    with pytest.raises(CredentialsError, match=r"\[mailcow\] api_key_file cannot be read"):
        access(config(A, str(tmp_path / "k")), environ={})
    with pytest.raises(CredentialsError, match=r"\[mailcow\] api_key_file is empty or") as caught:
        access(config(A, key_file(tmp_path / "k", f"{CANARY} x")), environ={})
    assert CANARY not in caught.value.what
    with pytest.raises(CredentialsError, match="no path"):
        access(config(A, "a\0b"), environ={})


def test_no_key_at_all() -> None:
    with pytest.raises(CredentialsError, match=r"mailcow at a\.example cannot be asked") as caught:
        access(config(A), environ={})
    assert "MAILCOW_API_KEY_FILE" in caught.value.advice
    assert "read-only" in caught.value.advice


def test_a_found_config_has_no_file_of_its_choice_sent(tmp_path: Path) -> None:
    """Not to the mailcow the user names, if it names another, or none."""
    path = key_file(tmp_path / "k")
    for loaded in (found(B, path), found(None, path)):
        with pytest.raises(CredentialsError, match="merely found in the current folder"):
            access(loaded, A, {})


def test_a_found_config_that_names_no_file_is_not_blamed() -> None:
    with pytest.raises(CredentialsError) as caught:
        access(found(B), A, {})
    assert "found" not in caught.value.what


def test_its_key_file_counts_where_the_user_names_the_same_mailcow(tmp_path: Path) -> None:
    loaded = found(A, key_file(tmp_path / "k"))
    assert access(loaded, A, {}).api_key.get_secret_value() == CANARY
    assert access(loaded, None, {"MAILCOW_URL": A}).api_key.get_secret_value() == CANARY


def test_the_users_own_key_file_comes_before_that_of_a_found_config(
    own: Path, tmp_path: Path
) -> None:
    mine = key_file(tmp_path / "mine", "mine")
    own.write_text(f'[mailcow]\nurl = "{A}"\napi_key_file = "{mine}"')
    loaded = found(A, key_file(tmp_path / "theirs", "theirs"))
    assert access(loaded, environ=with_own(own)).api_key.get_secret_value() == "mine"
    own.write_text(f'[mailcow]\nurl = "{A}"')
    assert access(loaded, environ=with_own(own)).api_key.get_secret_value() == "theirs"


def test_its_repr_shows_no_key() -> None:
    assert CANARY not in repr(access(config(A)))
