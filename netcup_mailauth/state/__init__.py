"""What lasts between runs, and what keeps two runs apart."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from netcup_mailauth.errors import MailauthError
from netcup_mailauth.privatefiles import sync_folder
from netcup_mailauth.settings.folders import expanded, xdg_folder

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def root(environ: Mapping[str, str]) -> Path:
    """The folder for state: ``NETCUP_MAILAUTH_STATE_DIR``, else the XDG state folder.

    Raises:
        UsageError: neither is known.
    """
    named = environ.get("NETCUP_MAILAUTH_STATE_DIR")
    if named:
        return expanded(named)
    return xdg_folder("XDG_STATE_HOME", "~/.local/state", environ)


def endpoint_folder(root_folder: Path, endpoint: str) -> Path:
    """The state of one endpoint. It may not be there yet."""
    parts = urlsplit(endpoint)
    host = (parts.hostname or "unknown").replace(":", "_")
    return root_folder / (f"{host}_{parts.port}" if parts.port else host)


def account_folder(root_folder: Path, endpoint: str, account: str) -> Path:
    """The state of one account at one endpoint, so that a sandbox never mixes with netcup.

    Made if it is not there, for this user alone.

    Raises:
        MailauthError: it cannot be made.
    """
    folder = endpoint_folder(root_folder, endpoint) / account
    try:
        make_folder(folder)
    except OSError as error:
        raise MailauthError(
            f"The state folder {folder} cannot be made: {error.strerror or error}.",
            "Nothing was written. Name a folder of yours in NETCUP_MAILAUTH_STATE_DIR.",
        ) from None
    return folder


def make_folder(folder: Path) -> None:
    """Make a folder for this user alone, and what is missing above it, to last.

    Raises:
        OSError: it cannot be made.
    """
    # One by one: mkdir would make the parents readable to everybody.
    if not folder.is_dir():
        make_folder(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)
        sync_folder(folder.parent)
