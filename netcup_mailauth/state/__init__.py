"""What lasts between runs, and what keeps two runs apart.

State is believed (``undo`` writes what the journal says), so that nobody else may have a hand in
it. Every folder below the root is ours and writable by nobody else, or it is refused; so is every
file in them. What is above them is not looked at: whoever may swap a folder there has no other of
ours to put in its place, and what is not ours is refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from netcup_mailauth.errors import MailauthError
from netcup_mailauth.files import (
    check_folder,
    check_home,
    check_root,
    expanded,
    make_folder,
    make_missing,
    xdg_folder,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def root(environ: Mapping[str, str]) -> Path:
    """The folder for state: ``NETCUP_MAILAUTH_STATE_DIR``, else the XDG state folder.

    Raises:
        UsageError: neither is known.
        NotOursError: it would be in another user's home, under sudo.
    """
    named = environ.get("NETCUP_MAILAUTH_STATE_DIR")
    if named:
        return expanded(named)
    folder = xdg_folder("XDG_STATE_HOME", "~/.local/state", environ)
    check_home(folder, environ)
    return folder


def endpoint_folder(root_folder: Path, endpoint: str) -> Path:
    """The state of one endpoint. It may not be there yet."""
    parts = urlsplit(endpoint)
    host = (parts.hostname or "unknown").replace(":", "_")
    return root_folder / (f"{host}_{parts.port}" if parts.port else host)


def account_folder(root_folder: Path, endpoint: str, account: str) -> Path:
    """The state of one account at one endpoint, so that a sandbox never mixes with netcup.

    Made if it is not there, for this user alone.

    Raises:
        NotOursError: a folder of it is somebody else's, or others may write to it.
        MailauthError: it cannot be made.
    """
    of_endpoint = endpoint_folder(root_folder, endpoint)
    try:
        make_missing(root_folder)
        check_root(root_folder)
        make_folder(of_endpoint)
        make_folder(of_endpoint / account)
    except OSError as error:
        raise MailauthError(
            f"The state folder {of_endpoint / account} cannot be made: {error.strerror or error}.",
            "Nothing was written. Name a folder of yours in NETCUP_MAILAUTH_STATE_DIR.",
        ) from None
    return of_endpoint / account


def known_folder(root_folder: Path, endpoint: str) -> Path:
    """The state of one endpoint, to be read: it may not be there yet; if it is, it is ours.

    Raises:
        NotOursError: it, or an account's folder in it, is somebody else's.
        MailauthError: it cannot be looked at.
    """
    folder = endpoint_folder(root_folder, endpoint)
    try:
        check_root(root_folder)
        check_folder(folder)
        for account in folder.glob("*"):
            if account.is_dir():
                check_folder(account)
    except OSError as error:
        raise MailauthError(
            f"The state folder {folder} cannot be read: {error.strerror or error}.",
            "Is it yours? NETCUP_MAILAUTH_STATE_DIR names another.",
        ) from None
    return folder
