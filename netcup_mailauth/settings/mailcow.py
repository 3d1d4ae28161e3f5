"""Which mailcow to ask, and with which key.

A config that merely lies in the current folder may come from anybody. It does not decide where a
key goes or which file is read as one, unless the user names the same mailcow elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pydantic import SecretStr

from netcup_mailauth.errors import CredentialsError, UsageError
from netcup_mailauth.netcup.http import check_url
from netcup_mailauth.settings.config import own_config
from netcup_mailauth.settings.credentials import (
    MAILCOW_KEY,
    MAILCOW_URL,
    credential_file,
    find,
    kept,
    read_secret_file,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from netcup_mailauth.policy import MailcowSettings
    from netcup_mailauth.settings import LoadedConfig
    from netcup_mailauth.settings.credentials import Found


@dataclass(frozen=True, slots=True)
class MailcowAccess:
    """Where mailcow is, and the key it wants."""

    url: str
    api_key: SecretStr


@dataclass(frozen=True, slots=True)
class NamedMailcow:
    """The address of a mailcow, and who named it, in words."""

    url: str
    source: str


def named_mailcow(
    option: str | None, loaded: LoadedConfig, environ: Mapping[str, str]
) -> NamedMailcow | None:
    """The mailcow named by option, environment, config, or beside the key that ``auth`` keeps.

    Whether a key may be sent to it is another question: :func:`mailcow_access`. Raises as
    credentials.kept.
    """
    if option:
        return NamedMailcow(option, "--mailcow")
    if environ.get(MAILCOW_URL):
        return NamedMailcow(environ[MAILCOW_URL], "environment")
    if loaded.config.mailcow.url:
        return NamedMailcow(loaded.config.mailcow.url, f"[mailcow] url of {loaded.path}")
    address = address_kept(environ)
    return NamedMailcow(address, str(credential_file(environ))) if address else None


def mailcow_access(
    option: str | None,
    loaded: LoadedConfig,
    environ: Mapping[str, str],
    warn: Callable[[str], None],
) -> MailcowAccess:
    """The mailcow that is named, see :func:`named_mailcow`, and its key.

    A key that ``auth`` keeps beside an address is sent nowhere else.

    Raises:
        UsageError: none is named, or only by a config that may not, or it is no address for a key.
        CredentialsError: there is no key, or none for this mailcow.
        ConfigError: the user's own config had to be asked, and has a mistake.
    """
    given = option or environ.get(MAILCOW_URL)
    if given:
        check_url(given, "the address of mailcow")
    tables = _trusted_tables(given, loaded, environ)
    if not given and not tables and loaded.config.mailcow.url:
        raise _not_followed(loaded)
    url = given or next((table.url for table in tables if table.url), None) or address_kept(environ)
    if not url:
        raise UsageError(
            "The DKIM key should come from mailcow, but no mailcow is named.",
            f"Give --mailcow https://mail.example.com, or set {MAILCOW_URL}.",
        )
    found = find(MAILCOW_KEY, environ, warn)
    other = _other_mailcow(found, url, environ)
    key = found.value.get_secret_value() if found and not other else _key_of(tables, warn)
    if key is None:
        raise _no_key(url, other, _left_out(loaded, tables))
    return MailcowAccess(url, SecretStr(key))


def _trusted_tables(
    given: str | None, loaded: LoadedConfig, environ: Mapping[str, str]
) -> list[MailcowSettings]:
    """The ``[mailcow]`` tables that may be followed, the more trusted one first."""
    found = loaded.config.mailcow
    if loaded.trusted:
        return [found]
    if given or not found.url:
        return [found] if is_same_url(found.url, given) else []
    own = own_config(environ).config.mailcow
    if is_same_url(found.url, own.url):
        return [own, found]
    return [found] if is_same_url(found.url, address_kept(environ)) else []


def is_same_url(one: str | None, other: str | None) -> bool:
    """Whether two addresses are one mailcow's, whatever the case of the host."""
    return bool(one and other) and _normal(one or "") == _normal(other or "")


def _normal(url: str) -> tuple[str, ...]:
    scheme, place, path, query, fragment = urlsplit(url)
    return scheme, place.lower(), path.rstrip("/"), query, fragment


def address_kept(environ: Mapping[str, str]) -> str | None:
    """The mailcow whose key ``auth`` keeps.

    Raises as credentials.kept, and UsageError if it is no address for a key.
    """
    address = kept(environ).get(MAILCOW_URL)
    if address is None:
        return None
    return check_url(address.get_secret_value(), f"the mailcow_url in {credential_file(environ)}")


def _other_mailcow(found: Found | None, url: str, environ: Mapping[str, str]) -> str | None:
    """The mailcow that a key is for, where that is kept beside it and is not the one at ``url``."""
    if found is None or found.source != str(credential_file(environ)):
        return None
    address = address_kept(environ)
    return None if address is None or is_same_url(address, url) else address


def _not_followed(loaded: LoadedConfig) -> UsageError:
    return UsageError(
        f"{loaded.path} in the current folder names a mailcow, but may not decide where your "
        "key is sent.",
        f"If it is yours: give -c {loaded.path}, or the same address by --mailcow or in "
        f"{MAILCOW_URL}; or enter the address beside its key once: netcup-mailauth auth",
    )


def _no_key(url: str, other: str | None, left_out: str) -> CredentialsError:
    host = _host(url)
    if other is not None:
        return CredentialsError(
            f"The mailcow key that is kept is for {_host(other)}, and is not sent to "
            f"{host}.{left_out}",
            f"Enter one for {host} with netcup-mailauth auth, or set {MAILCOW_KEY}.",
        )
    return CredentialsError(
        f"{MAILCOW_KEY} is not set, so mailcow at {host} cannot be asked for DKIM keys.{left_out}",
        "A read-only key is enough: mailcow UI, System > Configuration > Access > API. Enter it "
        f"once with netcup-mailauth auth; or set it, or name its file in {MAILCOW_KEY}_FILE.",
    )


def _host(url: str) -> str:
    return urlsplit(url).netloc.rpartition("@")[2]


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
