"""Which mailcow to ask, and with which key.

A config that merely lies in the current folder may come from anybody, as in a merge request. It
may not decide where a key of the environment goes, nor which file is read as a key, unless the
user names the same mailcow elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pydantic import SecretStr

from netcup_mailauth.errors import CredentialsError, UsageError
from netcup_mailauth.settings.config import own_config
from netcup_mailauth.settings.credentials import MAILCOW_KEY, read_secret, read_secret_file

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from netcup_mailauth.policy import MailcowSettings
    from netcup_mailauth.settings.config import LoadedConfig

URL = "MAILCOW_URL"


@dataclass(frozen=True, slots=True)
class MailcowAccess:
    """Where mailcow is, and the key it wants."""

    url: str
    api_key: SecretStr


def mailcow_access(
    option: str | None,
    loaded: LoadedConfig,
    environ: Mapping[str, str],
    warn: Callable[[str], None],
) -> MailcowAccess:
    """The mailcow named by option, environment or config, and its key.

    Raises:
        UsageError: none is named, or only by a config that may not.
        CredentialsError: there is no key.
        ConfigError: the user's own config had to be asked, and has a mistake.
    """
    given = option or environ.get(URL)
    tables = _tables(given, loaded, environ)
    url = given or next((table.url for table in tables if table.url), None)
    if not url:
        raise _nowhere(loaded)
    key = read_secret(MAILCOW_KEY, environ, warn) or _key_of(tables, warn)
    if key is None:
        raise CredentialsError(
            f"{MAILCOW_KEY} is not set, so mailcow at {urlsplit(url).hostname} cannot be asked "
            f"for DKIM keys.{_left_out(loaded, tables)}",
            "A read-only key is enough: mailcow UI, System > Configuration > Access > API. Set "
            f"it, or name its file in {MAILCOW_KEY}_FILE.",
        )
    return MailcowAccess(url, SecretStr(key))


def _tables(
    given: str | None, loaded: LoadedConfig, environ: Mapping[str, str]
) -> list[MailcowSettings]:
    """The ``[mailcow]`` tables that may be followed, the more trusted one first."""
    found = loaded.config.mailcow
    if loaded.trusted:
        return [found]
    if given or not found.url:
        return [found] if _same(found.url, given) else []
    own = own_config(environ).config.mailcow
    return [own, found] if _same(found.url, own.url) else []


def _same(one: str | None, other: str | None) -> bool:
    return bool(one and other) and _normal(one or "") == _normal(other or "")


def _normal(url: str) -> tuple[str, ...]:
    scheme, place, path, query, fragment = urlsplit(url)
    return scheme, place.lower(), path.rstrip("/"), query, fragment


def _nowhere(loaded: LoadedConfig) -> UsageError:
    if not loaded.config.mailcow.url:
        return UsageError(
            "The DKIM key should come from mailcow, but no mailcow is named.",
            f"Give --mailcow https://mail.example.com, or set {URL}.",
        )
    return UsageError(
        f"{loaded.path} in the current folder names a mailcow, but may not decide where your "
        "key is sent.",
        f"If it is yours: give -c {loaded.path}, or the same address by --mailcow or in {URL}.",
    )


def _key_of(tables: list[MailcowSettings], warn: Callable[[str], None]) -> str | None:
    path = next((table.api_key_file for table in tables if table.api_key_file), None)
    return read_secret_file(Path(path), "[mailcow] api_key_file", warn) if path else None


def _left_out(loaded: LoadedConfig, tables: list[MailcowSettings]) -> str:
    if not loaded.config.mailcow.api_key_file or loaded.config.mailcow in tables:
        return ""
    return (
        f" {loaded.path} names a file with a key, but was merely found in the current folder, "
        "and the mailcow it names is not the one to ask."
    )
