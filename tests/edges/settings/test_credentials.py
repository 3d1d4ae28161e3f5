"""Credentials: found in a fixed order, checked when loaded, shown nowhere."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netcup_mailauth.errors import CredentialsError, ExitCode
from netcup_mailauth.settings.credentials import (
    CcpCredentials,
    ccp_credentials,
    find,
    missing_for_netcup,
    netcup_credentials,
    read_secret,
)

CANARY = "C4n4ry-5ecret"
NAME = "NETCUP_API_KEY"
ALL = {
    "NETCUP_CUSTOMER_NUMBER": "12345",
    "NETCUP_API_KEY": "K" * 50,
    "NETCUP_API_PASSWORD": CANARY,
}


def no_warning(message: str) -> None:
    pytest.fail(f"a warning: {message}")


def refused(environ: dict[str, str], *words: str) -> CredentialsError:
    """The error, which never shows the secret."""
    with pytest.raises(CredentialsError) as caught:
        read_secret(NAME, environ, lambda _: None)
    said = f"{caught.value.what} {caught.value.advice}"
    assert CANARY not in said
    assert caught.value.exit_code == ExitCode.CREDENTIALS
    for word in (NAME, *words):
        assert word in said
    return caught.value


def file(path: Path, content: bytes | str = CANARY) -> str:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(path)


# --- Where it is found ----------------------------------------------------------------------------


def test_the_order_of_the_places(tmp_path: Path) -> None:
    folder = tmp_path / "systemd"
    folder.mkdir()
    file(folder / "netcup_api_key", "from-systemd")
    environ = {"CREDENTIALS_DIRECTORY": str(folder)}
    assert read_secret(NAME, environ, no_warning) == "from-systemd"
    environ[f"{NAME}_FILE"] = file(tmp_path / "key", "from-file")
    assert read_secret(NAME, environ, no_warning) == "from-file"
    environ = {NAME: "direct", "CREDENTIALS_DIRECTORY": str(folder)}
    assert read_secret(NAME, environ, no_warning) == "direct"


@pytest.mark.parametrize(
    "environ",
    [{}, {NAME: "", f"{NAME}_FILE": "", "CREDENTIALS_DIRECTORY": ""}],
)
def test_it_is_nowhere(environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty variable counts as none; above all, the current folder is not searched."""
    assert read_secret(NAME, environ, no_warning) is None


def test_an_empty_credentials_directory_is_not_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file(tmp_path / "netcup_api_key")
    monkeypatch.chdir(tmp_path)
    assert read_secret(NAME, {"CREDENTIALS_DIRECTORY": ""}, no_warning) is None


def test_systemds_folder_may_hold_other_things_only(tmp_path: Path) -> None:
    assert read_secret(NAME, {"CREDENTIALS_DIRECTORY": str(tmp_path)}, no_warning) is None
    assert read_secret(NAME, {"CREDENTIALS_DIRECTORY": "/nowhere"}, no_warning) is None


def test_both_set_and_equal(tmp_path: Path) -> None:
    environ = {NAME: CANARY, f"{NAME}_FILE": file(tmp_path / "k", f"{CANARY}\n")}
    assert read_secret(NAME, environ, no_warning) == CANARY


def test_both_set_and_different(tmp_path: Path) -> None:
    refused({NAME: "other", f"{NAME}_FILE": file(tmp_path / "k")}, "different values")


# --- What is in a file ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line", ["{}={}", "export {}={}", "{} = '{}'", "\ufeff{}={}\r\n", 'NETCUP_API_PASSWORD="{1}"']
)
@pytest.mark.parametrize("name", [NAME, NAME.lower()])
def test_a_line_of_an_env_file_is_no_value(tmp_path: Path, line: str, name: str) -> None:
    content = line.format(name, CANARY)
    refused({f"{NAME}_FILE": file(tmp_path / "key", content)}, "as a shell has it", "behind it")
    refused({NAME: content.removeprefix("\ufeff")}, "as a shell has it")


def test_a_value_may_have_an_equals_sign() -> None:
    assert read_secret("NETCUP_API_PASSWORD", {"NETCUP_API_PASSWORD": "a=b"}, no_warning) == "a=b"


def test_a_mark_of_the_byte_order_is_no_part_of_a_value(tmp_path: Path) -> None:
    written = file(tmp_path / "key", f"\ufeff{CANARY}\r\n")
    assert read_secret(NAME, {f"{NAME}_FILE": written}, no_warning) == CANARY
    kept = tmp_path / "netcup-mailauth" / "credentials.toml"
    kept.parent.mkdir()
    file(kept, f'\ufeffnetcup_api_key = "{CANARY}"\r\n')
    kept.chmod(0o600)
    assert read_secret(NAME, {"XDG_CONFIG_HOME": str(tmp_path)}, no_warning) == CANARY


@pytest.mark.parametrize("ending", ["", "\n", "\r\n", "\n\n"])
def test_a_line_end_in_a_file_is_nothing_odd(tmp_path: Path, ending: str) -> None:
    environ = {f"{NAME}_FILE": file(tmp_path / "k", CANARY + ending)}
    assert read_secret(NAME, environ, no_warning) == CANARY


def test_a_link_to_a_regular_file_is_fine(tmp_path: Path) -> None:
    """Kubernetes mounts secrets as links."""
    file(tmp_path / "k")
    (tmp_path / "link").symlink_to(tmp_path / "k")
    assert read_secret(NAME, {f"{NAME}_FILE": str(tmp_path / "link")}, no_warning) == CANARY


def test_the_longest_secret(tmp_path: Path) -> None:
    environ = {f"{NAME}_FILE": file(tmp_path / "k", "k" * 4096)}
    assert read_secret(NAME, environ, no_warning) == "k" * 4096
    refused({f"{NAME}_FILE": file(tmp_path / "k", CANARY * 400)}, "longer than 4096 bytes")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    refused({f"{NAME}_FILE": str(tmp_path / "k")}, f"{NAME}_FILE", "No such file")


@pytest.mark.parametrize("sort", ["folder", "pipe", "device", "endless device"])
def test_what_is_no_regular_file_is_refused_at_once(tmp_path: Path, sort: str) -> None:
    """A pipe that nobody writes to would hang the run; a timer would never finish."""
    path = tmp_path / "k"
    match sort:
        case "folder":
            path.mkdir()
        case "pipe":
            os.mkfifo(path)
        case "device":
            path = Path("/dev/null")
        case _:
            path = Path("/dev/zero")
    refused({f"{NAME}_FILE": str(path)}, "directory" if sort == "folder" else "regular file")


def test_systemds_file_is_checked_the_same_way(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "netcup_api_key")
    refused({"CREDENTIALS_DIRECTORY": str(tmp_path)}, "CREDENTIALS_DIRECTORY", "regular file")
    (tmp_path / "netcup_api_key").unlink()
    (tmp_path / "netcup_api_key").symlink_to("nowhere")
    refused({"CREDENTIALS_DIRECTORY": str(tmp_path)}, "No such file")


def test_a_path_that_is_none() -> None:
    """As a config can write it, though no environment can."""
    refused({f"{NAME}_FILE": "a\0b"}, "no path")


# --- What is in a value ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "written",
    [f'"{CANARY}"', f"'{CANARY}'", f" {CANARY}", f"{CANARY}\t", f'" {CANARY} "', f' "{CANARY}"\n'],
)
@pytest.mark.parametrize("by", ["variable", "file"])
def test_quotes_and_blanks_are_left_out_with_a_warning(
    tmp_path: Path, written: str, by: str
) -> None:
    environ = {NAME: written}
    if by == "file":
        environ = {f"{NAME}_FILE": file(tmp_path / "k", written)}
    warnings: list[str] = []
    assert read_secret(NAME, environ, warnings.append) == CANARY
    (warning,) = warnings
    assert NAME in warning
    assert CANARY not in warning


@pytest.mark.parametrize("written", [f'"{CANARY}', f"{CANARY}'", '"', f"\"{CANARY}'"])
def test_a_quote_on_one_side_belongs_to_the_value(written: str) -> None:
    assert read_secret(NAME, {NAME: written}, no_warning) == written


@pytest.mark.parametrize(
    "written",
    [
        f"{CANARY} x",
        f"{CANARY}\nx",
        f"{CANARY}\x00",
        f"{CANARY}\x1b[2J",
        f"{CANARY}\x7f",
        f"{CANARY}ä",
        f"{CANARY}\N{NO-BREAK SPACE}",
        f"{CANARY}\N{BOM}",
        f"{CANARY}\udcff",
        f"{CANARY}\x1c",
        "   ",
        '""',
        "' '",
    ],
)
def test_what_no_key_has_is_refused(tmp_path: Path, written: str) -> None:
    """At the API each of these would be one more wrong login, on the way to a lock-out."""
    refused({NAME: written}, "Copy it again")
    data = written.encode("utf-8", "surrogateescape")
    refused({f"{NAME}_FILE": file(tmp_path / "k", data)}, "Copy it again")


def test_an_empty_file_is_no_secret(tmp_path: Path) -> None:
    refused({f"{NAME}_FILE": file(tmp_path / "k", "")}, "empty")


# --- The three of the CCP API ---------------------------------------------------------------------


def test_all_three() -> None:
    found = ccp_credentials(ALL, no_warning)
    assert found.customer_number == "12345"
    assert found.api_key.get_secret_value() == "K" * 50
    assert found.api_password.get_secret_value() == CANARY


@pytest.mark.parametrize(
    ("there", "missing"),
    [
        ([], "NETCUP_CUSTOMER_NUMBER, NETCUP_API_KEY and NETCUP_API_PASSWORD are not set"),
        (["NETCUP_API_KEY"], "NETCUP_CUSTOMER_NUMBER and NETCUP_API_PASSWORD are not set"),
        (["NETCUP_CUSTOMER_NUMBER", "NETCUP_API_KEY"], "NETCUP_API_PASSWORD is not set"),
    ],
)
def test_all_that_is_missing_is_named_at_once(there: list[str], missing: str) -> None:
    with pytest.raises(CredentialsError) as caught:
        ccp_credentials({name: ALL[name] for name in there}, no_warning)
    assert caught.value.what == f"No credentials for netcup: {missing}."
    assert "_FILE" in caught.value.advice
    assert "CCP" in caught.value.advice


@pytest.mark.parametrize("number", [CANARY, "12 345", "-1", "12.5"])
def test_a_customer_number_is_a_number(number: str) -> None:
    with pytest.raises(CredentialsError, match="NETCUP_CUSTOMER_NUMBER") as caught:
        ccp_credentials({**ALL, "NETCUP_CUSTOMER_NUMBER": number}, no_warning)
    assert number not in f"{caught.value.what} {caught.value.advice}"


def test_a_key_of_the_other_api_is_recognised() -> None:
    """netcup would answer it with a wrong login, and a few of those lock the account."""
    key = CANARY.ljust(64, "x")
    with pytest.raises(CredentialsError, match="64 characters") as caught:
        ccp_credentials({**ALL, "NETCUP_API_KEY": key}, no_warning)
    assert "REST" in caught.value.what
    assert "Legacy-API-Keys" in caught.value.advice
    assert CANARY not in caught.value.what
    assert ccp_credentials({**ALL, "NETCUP_API_KEY": key[:63]}, no_warning)


SECRETS = st.text(st.characters(max_codepoint=0x2FFF), min_size=1, max_size=70)


@given(st.sampled_from(list(ALL)), SECRETS, SECRETS, st.sampled_from(["", '"', "'", " ", "\n"]))
def test_no_message_and_no_repr_holds_a_secret(
    name: str, before: str, after: str, around: str
) -> None:
    """Whatever is wrong with a value, and wherever in it the secret stands."""
    value = f"{around}{before}{CANARY}{after}{around}"
    said: list[str] = []
    try:
        found = ccp_credentials({**ALL, "NETCUP_API_PASSWORD": "P", name: value}, said.append)
        said += [repr(found), str(found), f"{found}"]
    except CredentialsError as error:
        said += [error.what, error.advice, repr(error), repr(error.__context__)]
    assert CANARY not in "".join(said)


def test_the_repr_names_no_account() -> None:
    found = ccp_credentials(ALL, no_warning)
    assert "12345" not in repr(found)
    assert isinstance(found, CcpCredentials)
    with pytest.raises((TypeError, AttributeError, pickle.PicklingError)):
        found.customer_number = "1"  # type: ignore[misc]


# --- The REST key by the name that lego has for it ------------------------------------------------

LEGO = {"NETCUPV1_API_KEY": CANARY.ljust(64, "k")}


def test_legos_rest_key_is_read_where_there_is_nothing_else(tmp_path: Path) -> None:
    for environ in (
        LEGO,
        {"NETCUPV1_API_KEY_FILE": file(tmp_path / "key", LEGO["NETCUPV1_API_KEY"])},
    ):
        found = netcup_credentials(environ, no_warning)
        assert found.ccp is None
        assert found.rest_key is not None
        assert found.rest_key.get_secret_value() == LEGO["NETCUPV1_API_KEY"]
        assert missing_for_netcup(environ) == ()
        place = find("NETCUP_REST_API_KEY", environ, no_warning)
        assert place is not None
        assert place.source.startswith("NETCUPV1_API_KEY")


@pytest.mark.parametrize("also", ["NETCUP_REST_API_KEY", "NETCUP_REST_API_KEY_FILE"])
def test_our_own_name_wins_over_legos(tmp_path: Path, also: str) -> None:
    own = "o" * 64
    value = file(tmp_path / "key", own) if also.endswith("_FILE") else own
    found = netcup_credentials({**LEGO, also: value}, no_warning)
    assert found.rest_key is not None
    assert found.rest_key.get_secret_value() == own


def test_beside_anything_else_for_netcup_legos_key_is_nobodys() -> None:
    found = netcup_credentials({**ALL, **LEGO}, no_warning)
    assert (found.ccp is not None, found.rest_key) == (True, None)
    for name in ALL:
        with pytest.raises(CredentialsError):
            netcup_credentials({name: ALL[name], **LEGO}, no_warning)
    by_length = {"NETCUP_API_KEY": "o" * 64, **LEGO}
    (key,) = [netcup_credentials(by_length, no_warning).rest_key]
    assert key is not None
    assert key.get_secret_value() == "o" * 64


def test_a_mistake_in_legos_key_names_it() -> None:
    with pytest.raises(CredentialsError, match="NETCUPV1_API_KEY holds a key of 50 characters"):
        netcup_credentials({"NETCUPV1_API_KEY": "k" * 50}, no_warning)


def test_what_auth_keeps_is_something_else_too(tmp_path: Path) -> None:
    home = {"XDG_CONFIG_HOME": str(tmp_path)}
    path = tmp_path / "netcup-mailauth" / "credentials.toml"
    path.parent.mkdir(mode=0o700)
    path.write_text(f'netcup_rest_api_key = "{"o" * 64}"\n')
    path.chmod(0o600)
    found = netcup_credentials({**home, **LEGO}, no_warning)
    assert found.rest_key is not None
    assert found.rest_key.get_secret_value() == "o" * 64


def test_a_key_that_is_set_is_read_without_a_look_at_what_auth_keeps(tmp_path: Path) -> None:
    path = tmp_path / "netcup-mailauth" / "credentials.toml"
    path.parent.mkdir(mode=0o700)
    path.write_text("no TOML")
    environ = {"XDG_CONFIG_HOME": str(tmp_path), "NETCUP_REST_API_KEY": "o" * 64}
    assert read_secret("NETCUP_REST_API_KEY", environ, no_warning) == "o" * 64
