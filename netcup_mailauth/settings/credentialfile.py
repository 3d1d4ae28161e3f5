"""The file that ``auth`` keeps credentials in: this user's alone, and written whole."""

from __future__ import annotations

import os
import re
import stat
from typing import TYPE_CHECKING

from pydantic import SecretStr

from netcup_mailauth.errors import CredentialsError, UsageError
from netcup_mailauth.files import (
    NotRegularError,
    TooLargeError,
    check_home,
    open_regular,
    read_up_to,
    write_private,
    xdg_folder,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

FILE_NAME = "credentials.toml"

MAX_SIZE = 64 * 1024
"""Bytes of the file; five secrets take a few hundred."""

HEADER = "# Written by netcup-mailauth auth. Whoever can read this can change your DNS.\n"


def credential_file(environ: Mapping[str, str]) -> Path | None:
    """Where the file is, beside the user's config; ``None`` for a user without a home."""
    try:
        return xdg_folder("XDG_CONFIG_HOME", "~/.config", environ) / FILE_NAME
    except UsageError:
        return None


def load(path: Path, names: Collection[str]) -> dict[str, SecretStr]:
    """The secrets in the file, by the names of their variables; none if there is no file.

    Args:
        path: the file.
        names: the variables that it may hold, in lower case.

    Raises:
        CredentialsError: others can read it, or it says something it may not. Never shows a value.
    """
    text = _text(path)
    found: dict[str, SecretStr] = {}
    problems = []
    for key, value in _toml(text, path).items():
        name = key.upper()
        if key != key.lower() or name not in names:
            problems.append(f"{_shown(key)}: unknown key")
        elif not isinstance(value, str):
            problems.append(f"{key}: should be a text in quotes")
        else:
            found[name] = SecretStr(value)
    if problems:
        known = ", ".join(sorted(name.lower() for name in names))
        raise CredentialsError(f"{path}: {'; '.join(problems)}.", f"The keys are: {known}.")
    return found


def save(path: Path, values: Mapping[str, SecretStr]) -> None:
    """Put the file in place with these values, for this user alone.

    Raises:
        CredentialsError: it cannot be written, or its folder belongs to somebody else.
        NotOursError: its folder is in another user's home, under sudo.
    """
    check_home(path, os.environ)
    lines = [f"{name.lower()} = {_quoted(values[name])}\n" for name in sorted(values)]
    try:
        _own_folder(path.parent)
        write_private(path, HEADER + "".join(lines))
    except OSError as error:
        reason = error.strerror
    else:
        return
    raise CredentialsError(
        f"{path} cannot be written: {reason}.",
        "Nothing was kept. The folder has to be yours; XDG_CONFIG_HOME names another.",
    )


def _own_folder(folder: Path) -> None:
    """Make the folder, or close it to others, who could put another file in place."""
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700)
    elif stat.S_IMODE(folder.stat().st_mode) & 0o077:
        folder.chmod(0o700)  # fails where the folder is somebody else's


def _text(path: Path) -> str:
    """The file's text, empty if there is no file. All is asked of the opened file itself."""
    try:
        with open_regular(path) as stream:
            _check_owner_and_mode(os.fstat(stream.fileno()), path)
            data = read_up_to(stream, MAX_SIZE)
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except NotRegularError:
        raise CredentialsError(
            f"{path} is not a regular file.", "Make it anew: auth writes it."
        ) from None
    except TooLargeError:
        raise CredentialsError(
            f"{path} is longer than {MAX_SIZE} bytes.", "Is it the right file?"
        ) from None
    except OSError as error:
        raise CredentialsError(
            f"The credentials in {path} cannot be read: {error.strerror}.", "Is it yours?"
        ) from None
    return data.decode("utf-8", "replace")  # no secret has such characters; told when it is used


def _check_owner_and_mode(status: os.stat_result, path: Path) -> None:
    if status.st_uid != os.geteuid():
        raise CredentialsError(
            f"{path} belongs to another user, so its credentials are not used.",
            "Make one of your own: netcup-mailauth auth",
        )
    if stat.S_IMODE(status.st_mode) & 0o077:
        raise CredentialsError(
            f"{path} can be read or changed by others (mode "
            f"{stat.S_IMODE(status.st_mode):04o}), so its credentials are not used.",
            f"chmod 600 {path}   (and make new credentials, if others may have read it)",
        )


def _toml(text: str, path: Path) -> dict[str, object]:
    import tomllib

    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        line = re.search(r"at line \d+", str(error))
        where = f" ({line[0]})" if line else ""
    # Outside the except block, and without Python's words: both can hold what the file says.
    raise CredentialsError(
        f"{path} is not valid TOML{where}.", 'Write one key = "value" on each line.'
    )


def _quoted(value: SecretStr) -> str:
    """A value as TOML; :mod:`credentials` lets only printable ASCII through."""
    text = value.get_secret_value().replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'


def _shown(key: str) -> str:
    """A key as it is written, if it can be a key; anything else may be a value in its place."""
    return key if re.fullmatch(r"[A-Za-z][A-Za-z_]{0,39}", key) else "a key that is none"
