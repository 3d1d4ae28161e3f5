"""netcup's two APIs as a command reaches them: where they are, with which credentials."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from netcup_mailauth.cli.common import asker, say, settings, warn

if TYPE_CHECKING:
    from pathlib import Path

    from netcup_mailauth.netcup.zones import Router, ServesRecords

CCP_ENDPOINT = "NETCUP_CCP_ENDPOINT"
REST_ENDPOINT = "NETCUP_REST_ENDPOINT"


def open_router(serves_records: ServesRecords, rate: int) -> Router:
    """The APIs there are credentials for, none of them asked yet.

    ``rate`` is how many calls to each any minute may hold.

    Raises:
        CredentialsError: there are none, or they cannot be right.
        UsageError: an endpoint is no address for a secret.
    """
    from netcup_mailauth.cli import connections
    from netcup_mailauth.netcup.zones import Router
    from netcup_mailauth.settings.credentials import netcup_credentials

    credentials = netcup_credentials(os.environ, warn, asker())
    ccp, rest_key = credentials.ccp, credentials.rest_key
    return Router(
        connections.ccp_backend(ccp, told(CCP_ENDPOINT), rate) if ccp else None,
        connections.clouddns_backend(rest_key, told(REST_ENDPOINT), rate) if rest_key else None,
        serves_records,
    )


def told(variable: str) -> str:
    """The endpoint in a variable, named on stderr if it is not netcup's own address."""
    address = endpoint(variable)
    if address != _default(variable) and not settings().quiet:
        say(f"endpoint: {urlsplit(address).netloc} ({variable})")
    return address


def endpoint(variable: str) -> str:
    """The endpoint in a variable, or netcup's own.

    Raises:
        UsageError: it is no address for a secret.
    """
    from netcup_mailauth.netcup.http import check_url

    # Checked before it is named: there may be a password in it.
    return check_url(os.environ.get(variable) or _default(variable), f"the address in {variable}")


def _default(variable: str) -> str:
    from netcup_mailauth.netcup import ccp, clouddns

    return {CCP_ENDPOINT: ccp.ENDPOINT, REST_ENDPOINT: clouddns.ENDPOINT}[variable]


def state_folders() -> list[Path]:
    """The state of both endpoints in use, whatever the account.

    Raises:
        NotOursError: some of it is another user's, so that it is not to be believed.
    """
    from netcup_mailauth import state

    root = state.root(os.environ)
    addresses = dict.fromkeys((endpoint(CCP_ENDPOINT), endpoint(REST_ENDPOINT)))
    return list(dict.fromkeys(state.known_folder(root, address) for address in addresses))
