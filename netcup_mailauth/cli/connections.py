"""Makes the clients that hold a secret: each with its hold, its trace, and its secrets masked."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from netcup_mailauth.cli.common import asker, attended, say, settings, warn
from netcup_mailauth.cli.logs import masking
from netcup_mailauth.netcup.api import CALLS, Budget

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import SecretStr

    from netcup_mailauth.keys.mailcow import Mailcow
    from netcup_mailauth.netcup.ccp import CcpBackend
    from netcup_mailauth.netcup.clouddns import CloudDnsBackend
    from netcup_mailauth.settings.config import LoadedConfig, MailcowAccess
    from netcup_mailauth.settings.credentials import CcpCredentials
    from netcup_mailauth.state.holds import Hold


def ccp_backend(credentials: CcpCredentials, endpoint: str, rate: int = CALLS) -> CcpBackend:
    """The CCP API, not yet logged in to; ``rate`` is how many calls any minute may hold."""
    from pydantic import SecretStr

    from netcup_mailauth.netcup.ccp import CcpBackend

    number = SecretStr(credentials.customer_number)
    secrets = (number, credentials.api_key, credentials.api_password)
    masking.hide(*secrets)
    return CcpBackend(
        credentials.customer_number,
        credentials.api_key,
        credentials.api_password,
        endpoint=endpoint,
        trace=_trace if settings().verbose else None,
        hold=hold("netcup", endpoint, *secrets),
        budget=Budget(rate),
    )


def clouddns_backend(key: SecretStr, endpoint: str, rate: int = CALLS) -> CloudDnsBackend:
    """The REST API, not yet asked; ``rate`` is how many calls any minute may hold."""
    from netcup_mailauth.netcup.clouddns import CloudDnsBackend

    masking.hide(key)
    return CloudDnsBackend(
        key,
        endpoint=endpoint,
        trace=_trace if settings().verbose else None,
        hold=hold("netcup's REST API", endpoint, key),
        budget=Budget(rate),
    )


def mailcow(access: MailcowAccess) -> Mailcow:
    """The mailcow, not yet asked."""
    from netcup_mailauth.keys.mailcow import Mailcow

    masking.hide(access.api_key)
    kept = hold("mailcow", access.url, access.api_key)
    return Mailcow(access.url, access.api_key, hold=kept, warn=warn)


def mailcow_access(url: str | None, config: LoadedConfig) -> MailcowAccess:
    """Which mailcow is meant, and its key; somebody at the terminal is asked for a missing one.

    Raises:
        UsageError, CredentialsError, ConfigError: see :mod:`netcup_mailauth.settings.config`.
    """
    from netcup_mailauth.errors import CredentialsError
    from netcup_mailauth.settings.config import mailcow_access
    from netcup_mailauth.settings.credentials import MAILCOW_KEY, checked, find

    def access(environ: Mapping[str, str]) -> MailcowAccess:
        return mailcow_access(url, config, environ, warn)

    ask = asker()
    try:
        return access(os.environ)
    except CredentialsError:
        # A key that is there, or a file of one that is named, has to be put right instead.
        named = config.config.mailcow.api_key_file or find(MAILCOW_KEY, os.environ, warn)
        if ask is None or named:
            raise
        typed = checked(MAILCOW_KEY, ask(MAILCOW_KEY), warn)
        if typed is None:
            raise
    return access({**os.environ, MAILCOW_KEY: typed})


def hold(who: str, endpoint: str, *secrets: SecretStr) -> Hold:
    """What is remembered of these secrets at this endpoint."""
    from netcup_mailauth import state
    from netcup_mailauth.errors import UsageError
    from netcup_mailauth.files import NotOursError
    from netcup_mailauth.state.holds import FileHold, NoHold, digest

    try:
        root = state.root(os.environ)
    except (UsageError, NotOursError):  # no home of ours; whoever writes needs one, others do not
        return NoHold()
    name = digest(endpoint, (secret.get_secret_value() for secret in secrets))
    return FileHold(root, endpoint, name, who, attended(), warn)


def _trace(line: str) -> None:
    say(masking.masked(line))
