"""Credentials: where they are looked for, and what a value has to look like.

Order: the variable itself, the file in ``<NAME>_FILE``, systemd's credentials folder, and the file
that ``auth`` writes. Everything that is missing is named at
once. Values live in ``SecretStr`` and are never shown.
"""

from __future__ import annotations

import os
import re
import shlex
import stat
from codecs import BOM_UTF8
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pydantic import SecretStr

from netcup_mailauth.errors import CredentialsError, UsageError
from netcup_mailauth.files import (
    NotRegularError,
    TooLargeError,
    check_home,
    config_folder,
    open_regular,
    own_folder,
    read_regular,
    read_up_to,
    write_private,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

CUSTOMER_NUMBER = "NETCUP_CUSTOMER_NUMBER"
API_KEY = "NETCUP_API_KEY"
API_PASSWORD = "NETCUP_API_PASSWORD"  # noqa: S105 - the name of a variable
REST_KEY = "NETCUP_REST_API_KEY"
LEGO_REST_KEY = "NETCUPV1_API_KEY"
"""What lego calls the REST key; read as one where nothing else is set for netcup."""

MAILCOW_KEY = "MAILCOW_API_KEY"
MAILCOW_URL = "MAILCOW_URL"

CCP_NAMES = (CUSTOMER_NUMBER, API_KEY, API_PASSWORD)
NETCUP_NAMES = (*CCP_NAMES, REST_KEY)
KEPT_NAMES = (*NETCUP_NAMES, MAILCOW_URL, MAILCOW_KEY)
"""All that ``auth`` asks for and keeps: every secret, and the mailcow that one of them is for."""

KEPT_NAME = "credentials.toml"
"""The file that ``auth`` keeps credentials in: this user's alone, and written whole."""

MAX_KEPT = 64 * 1024
"""Bytes of that file; six values take a few hundred."""

HEADER = "# Written by netcup-mailauth auth. Whoever can read this can change your DNS.\n"

MAX_SECRET = 4096
"""Bytes of a file that holds one secret."""

REST_KEY_LENGTH = 64
CCP_KEY_LENGTH = 50
"""Characters of a key for CloudDNS and of one for the CCP API (facts 1.2 and 2.2)."""


@dataclass(frozen=True, slots=True)
class CcpCredentials:
    """What a login at the CCP API takes."""

    customer_number: str = field(repr=False)
    api_key: SecretStr
    api_password: SecretStr


class Found(NamedTuple):
    """A secret, and where it was found, in words."""

    value: SecretStr
    source: str


class NetcupCredentials(NamedTuple):
    """What there is for netcup's two APIs; at least one of both."""

    ccp: CcpCredentials | None
    rest_key: SecretStr | None


def with_entered(environ: Mapping[str, str], entered: Mapping[str, str]) -> dict[str, str]:
    """``environ`` with what somebody has typed, which comes before all else."""
    files = {f"{name}_FILE" for name in entered}
    left = {name: value for name, value in environ.items() if name not in files}
    return {**left, **entered}


def netcup_credentials(
    environ: Mapping[str, str], warn: Callable[[str], None]
) -> NetcupCredentials:
    """The credentials for netcup, for whichever of its APIs they are.

    Here and below, ``warn`` is told of what is odd about a value. Raises CredentialsError if there
    are none, some of the CCP API's are missing, or one cannot be right.
    """
    key, by_length = rest_key(environ, warn), rest_key_by_length(environ)
    if by_length is not None:
        if key is not None and key != by_length.value:
            raise CredentialsError(
                f"{API_KEY} and {REST_KEY} both hold a REST key, and not the same.",
                f"Take {API_KEY} out, or set it to the key of 50 characters for the CCP API.",
            )
        return NetcupCredentials(None, by_length.value)
    if key is not None and not has_ccp_credentials(environ):
        return NetcupCredentials(None, key)
    return NetcupCredentials(ccp_credentials(environ, warn), key)


def missing_for_netcup(environ: Mapping[str, str]) -> tuple[str, ...]:
    """What there is to ask for, by name: all that netcup knows where there is nothing at all.

    Where there is a key for one API, the other's are not missing. Raises as :func:`find`.
    """
    if not has_netcup_credentials(environ):
        return NETCUP_NAMES
    if rest_key_by_length(environ) or not has_ccp_credentials(environ):
        return ()
    return tuple(name for name in CCP_NAMES if not _is_somewhere(name, environ))


def rest_key(environ: Mapping[str, str], warn: Callable[[str], None]) -> SecretStr | None:
    """The key for the REST API (CloudDNS), or ``None``.

    Raises CredentialsError if it cannot be right.
    """
    name = LEGO_REST_KEY if _by_lego_alone(environ) else REST_KEY
    value = checked(name, read_secret(name, environ, warn) or "", warn)
    return SecretStr(value) if value else None


def rest_key_by_length(environ: Mapping[str, str]) -> Found | None:
    """The key for the REST API that stands where the CCP API's should, told by its length.

    Raises as :func:`find`.
    """
    found = find(API_KEY, environ, silent)
    return found if found and len(found.value) == REST_KEY_LENGTH else None


def has_netcup_credentials(environ: Mapping[str, str]) -> bool:
    """Whether there is anything to ask one of netcup's APIs with. Raises as :func:`find`."""
    return has_ccp_credentials(environ) or _is_somewhere(REST_KEY, environ)


def ccp_credentials(environ: Mapping[str, str], warn: Callable[[str], None]) -> CcpCredentials:
    """The customer number and the two secrets of the CCP API.

    Raises CredentialsError if some are missing (all are named), or one cannot be right.
    """
    found = {name: read_secret(name, environ, warn) for name in CCP_NAMES}
    missing = [name for name, value in found.items() if value is None]
    if missing:
        raise CredentialsError(
            f"No credentials for netcup: {_listed(missing)} "
            f"{'is' if len(missing) == 1 else 'are'} not set.",
            "Make them in the CCP (Stammdaten > API / master data > API) and enter them once with "
            f"netcup-mailauth auth; or set them, or name a file for each in {missing[0]}_FILE and "
            f"so on. For a zone on CloudDNS, {REST_KEY} alone will do.",
        )
    number, key, password = (checked(name, found[name] or "", warn) or "" for name in CCP_NAMES)
    return CcpCredentials(number, SecretStr(key), SecretStr(password))


def checked(name: str, value: str, warn: Callable[[str], None]) -> str | None:
    """A value as it is used, or ``None`` if it is empty.

    Raises CredentialsError if it cannot be right.
    """
    if not value:
        return None
    bare = _clean(value, name, warn)
    if name == CUSTOMER_NUMBER and not bare.isdecimal():
        raise CredentialsError(
            f"{CUSTOMER_NUMBER} is not a number.", "It is the number you log in to the CCP with."
        )
    if name == API_KEY and len(bare) == REST_KEY_LENGTH:
        raise CredentialsError(
            f"{API_KEY} holds a key of {REST_KEY_LENGTH} characters, which is one for netcup's new "
            "REST API (CloudDNS); the CCP API takes one of 50.",
            'Make a key under "Legacy-API-Keys" in the CCP (Stammdaten > API) and use that.',
        )
    if name in (REST_KEY, LEGO_REST_KEY) and len(bare) == CCP_KEY_LENGTH:
        raise CredentialsError(
            f"{name} holds a key of {CCP_KEY_LENGTH} characters, which is one for netcup's CCP "
            f"API; the REST API (CloudDNS) takes one of {REST_KEY_LENGTH}.",
            'Make a key under "API-Keys" in the CCP (Stammdaten > API) and use that.',
        )
    return bare


def has_ccp_credentials(environ: Mapping[str, str]) -> bool:
    """Whether any of the three is there, so that the rest should be too.

    Raises CredentialsError if the file that ``auth`` writes may not be used.
    """
    return any(_is_somewhere(name, environ) for name in CCP_NAMES)


def _is_somewhere(name: str, environ: Mapping[str, str]) -> bool:
    return _is_there(name, environ) or (name == REST_KEY and _by_lego_alone(environ))


def _by_lego_alone(environ: Mapping[str, str]) -> bool:
    """Whether the REST key by lego's name is all that there is for netcup."""
    others = (_is_there(name, environ) for name in NETCUP_NAMES)
    return _is_given(LEGO_REST_KEY, environ) and not any(others)


def _is_there(name: str, environ: Mapping[str, str]) -> bool:
    return _is_given(name, environ) or name in kept(environ)


def _is_given(name: str, environ: Mapping[str, str]) -> bool:
    """Whether it comes from outside, and not from the file that ``auth`` writes."""
    folder = environ.get("CREDENTIALS_DIRECTORY")
    in_folder = bool(folder) and os.path.lexists(Path(folder or "") / name.lower())
    return bool(environ.get(name) or environ.get(f"{name}_FILE")) or in_folder


def read_secret(name: str, environ: Mapping[str, str], warn: Callable[[str], None]) -> str | None:
    """One secret, or ``None`` if it is nowhere. Raises as :func:`find`."""
    found = find(name, environ, warn)
    return found.value.get_secret_value() if found else None


def find(name: str, environ: Mapping[str, str], warn: Callable[[str], None]) -> Found | None:
    """One secret and where it is, or ``None`` if it is nowhere.

    The REST key may be there by another program's name, if nothing else is. Raises CredentialsError
    if two sources disagree, a file is unreadable, or the value has
    characters that no key has.
    """
    if name == REST_KEY and _by_lego_alone(environ):
        found = find(LEGO_REST_KEY, environ, warn)
        return found and Found(found.value, f"{LEGO_REST_KEY}, {found.source}")
    direct = environ.get(name)
    path = environ.get(f"{name}_FILE")
    from_file = read_secret_file(Path(path), f"{name}_FILE", warn) if path else None
    if direct:
        value = _clean(direct, name, warn)
        if from_file is not None and from_file != value:
            raise CredentialsError(
                f"{name} and the file in {name}_FILE hold different values.", "Set only one."
            )
        return Found(SecretStr(value), "environment")
    if from_file is not None:
        return Found(SecretStr(from_file), f"{name}_FILE: {path}")
    return _systemd(name, environ, warn) or _kept(name, environ, warn)


def kept(environ: Mapping[str, str]) -> dict[str, SecretStr]:
    """What ``auth`` has written.

    Raises CredentialsError if the file may not be used; see :func:`load_kept`.
    """
    path = credential_file(environ)
    return load_kept(path) if path else {}


def _kept(name: str, environ: Mapping[str, str], warn: Callable[[str], None]) -> Found | None:
    value = kept(environ).get(name)
    if value is None:
        return None
    path = credential_file(environ)
    bare = _clean(value.get_secret_value(), f"{name.lower()} in {path}", warn)
    return Found(SecretStr(bare), str(path))


def read_secret_file(path: Path, what: str, warn: Callable[[str], None]) -> str:
    """The one secret in a file. ``what`` says who named the file.

    Raises CredentialsError if the file is unreadable, or the value has characters that no key has.
    """
    try:
        data = _file(path, what)
    except (OSError, ValueError) as error:  # a path with a NUL in it is a ValueError
        reason = getattr(error, "strerror", None) or "it is no path"
        raise CredentialsError(
            f"The file of {what} cannot be read: {path}: {reason}.", "Check the path."
        ) from None
    return _clean(data, f"the file of {what}", warn)


def _systemd(name: str, environ: Mapping[str, str], warn: Callable[[str], None]) -> Found | None:
    folder = environ.get("CREDENTIALS_DIRECTORY")
    path = Path(folder or "") / name.lower()
    if not folder or not os.path.lexists(path):
        return None
    value = read_secret_file(path, f"{name} in $CREDENTIALS_DIRECTORY", warn)
    return Found(SecretStr(value), "$CREDENTIALS_DIRECTORY")


def _file(path: Path, what: str) -> str:
    try:
        return read_regular(path, MAX_SECRET).removeprefix(BOM_UTF8).decode("latin-1")
    except NotRegularError:
        raise CredentialsError(
            f"The file of {what} is not a regular file: {path}.", "Name a regular file."
        ) from None
    except TooLargeError:
        raise CredentialsError(
            f"The file of {what} is longer than {MAX_SECRET} bytes: {path}.",
            "It should hold the one secret and nothing else.",
        ) from None


BLANKS = " \t\r\n"

_ASSIGNMENT = re.compile(
    rf"(?:export\s+)?(?:{'|'.join((*KEPT_NAMES, LEGO_REST_KEY))})\s*=", re.IGNORECASE
)
"""A line of a shell or an env file in the place of a value."""


def _clean(value: str, name: str, warn: Callable[[str], None]) -> str:
    # Docker's env files keep the quotes that a shell would take away.
    bare = value.strip(BLANKS)
    if len(bare) > 1 and bare[0] == bare[-1] and bare[0] in "\"'":
        bare = bare[1:-1].strip(BLANKS)
    if bare != value.rstrip("\r\n"):
        warn(f"{name}: quotes or blanks around the value were left out.")
    if (assigned := _ASSIGNMENT.match(bare)) is not None:
        # Sent as it is, it would be a refused login, of which netcup allows few.
        raise CredentialsError(
            f"{name[0].upper()}{name[1:]} begins with {assigned[0]} as a shell has it.",
            "Only what stands behind it belongs there.",
        )
    if not bare or not all("!" <= character <= "~" for character in bare):
        raise CredentialsError(
            f"{name[0].upper()}{name[1:]} is empty or holds characters that no key has (blanks, "
            "umlauts, control characters).",
            "Copy it again.",
        )
    return bare


def silent(_message: str) -> None:
    """What is odd about a value is told when it is read to be used."""


def _listed(words: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


# --- The file that auth writes --------------------------------------------------------------------


def credential_file(environ: Mapping[str, str]) -> Path | None:
    """Where the file is, beside the user's config; ``None`` for a user without a home."""
    try:
        return config_folder(environ) / KEPT_NAME
    except UsageError:
        return None


def load_kept(path: Path) -> dict[str, SecretStr]:
    """What is in the file, by the names of the variables; nothing if there is no file.

    Raises CredentialsError if others can read it, or it says something it may not. Never shows a
    value.
    """
    text = _kept_text(path)
    if not text:
        return {}
    found: dict[str, SecretStr] = {}
    problems = []
    for key, value in _toml(text, path).items():
        name = key.upper()
        if key != key.lower() or name not in KEPT_NAMES:
            problems.append(f"{_shown(key)}: unknown key")
        elif not isinstance(value, str):
            problems.append(f"{key}: should be a text in quotes")
        else:
            found[name] = SecretStr(value)
    if problems:
        known = ", ".join(sorted(name.lower() for name in KEPT_NAMES))
        raise CredentialsError(f"{path}: {'; '.join(problems)}.", f"The keys are: {known}.")
    return found


def save_kept(path: Path, values: Mapping[str, SecretStr]) -> None:
    """Put the file in place with these values, for this user alone.

    Raises:
        CredentialsError: it cannot be written, or its folder belongs to somebody else.
        NotOursError: its folder is in another user's home, under sudo.
    """
    from netcup_mailauth.settings.writing import quoted  # not needed but to write

    check_home(path, os.environ)
    given = {name.lower(): values[name].get_secret_value() for name in sorted(values)}
    lines = [f"{name} = {quoted(text)}\n" for name, text in given.items()]
    try:
        own_folder(path.parent)
        write_private(path, HEADER + "".join(lines))
    except OSError as error:
        reason = error.strerror
    else:
        return
    raise CredentialsError(
        f"{path} cannot be written: {reason}.",
        "Nothing was kept. The folder has to be yours; XDG_CONFIG_HOME names another.",
    )


def _kept_text(path: Path) -> str:
    """The file's text, empty if there is no file. All is asked of the opened file itself."""
    try:
        with open_regular(path) as stream:
            _check_owner_and_mode(os.fstat(stream.fileno()), path)
            data = read_up_to(stream, MAX_KEPT)
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except NotRegularError:
        raise CredentialsError(
            f"{path} is not a regular file.", "Make it anew: auth writes it."
        ) from None
    except TooLargeError:
        raise CredentialsError(
            f"{path} is longer than {MAX_KEPT} bytes.", "Is it the right file?"
        ) from None
    except OSError as error:
        raise CredentialsError(
            f"The credentials in {path} cannot be read: {error.strerror}.", "Is it yours?"
        ) from None
    # No secret has other characters; that is told when it is used.
    return data.decode("utf-8-sig", "replace")


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
            f"chmod 600 {shlex.quote(str(path))}   (and make new credentials, if others may have "
            "read it)",
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


def _shown(key: str) -> str:
    """A key as it is written, if it can be a key; anything else may be a value in its place."""
    return key if re.fullmatch(r"[A-Za-z][A-Za-z_]{0,39}", key) else "a key that is none"
