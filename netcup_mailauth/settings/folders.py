"""The user's own folders for this program (XDG base directory specification)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from netcup_mailauth.errors import UsageError
from netcup_mailauth.privatefiles import NotOursError

if TYPE_CHECKING:
    from collections.abc import Mapping


def expanded(path: str) -> Path:
    """``path`` with ``~`` and ``~user`` replaced.

    Raises:
        UsageError: there is no such user, or no home.
    """
    try:
        return Path(path).expanduser()
    except RuntimeError:
        raise UsageError(
            f"Where {path} is cannot be told: there is no such user, or no home folder.",
            "Write the path in full.",
        ) from None


def xdg_folder(variable: str, default: str, environ: Mapping[str, str]) -> Path:
    """This program's folder below the base folder in ``variable``, else below ``default``.

    A relative base folder does not count, as the specification says.

    Raises:
        UsageError: the base folder is not known.
    """
    named = Path(environ.get(variable, ""))
    return (named if named.is_absolute() else expanded(default)) / "netcup-mailauth"


def check_home(folder: Path, environ: Mapping[str, str]) -> None:
    """Raise if something would be kept in the home of the user who called sudo.

    Root would leave files there that this user can no longer use, and would believe what the user
    may have put there.

    Raises:
        NotOursError: this runs under sudo, and ``folder`` lies in a home that is not root's.
    """
    if os.geteuid() != 0 or environ.get("SUDO_UID", "0") == "0":
        return
    home = expanded("~")
    if folder.is_relative_to(home) and home.is_dir() and (owner := home.stat().st_uid) != 0:
        raise NotOursError(
            f"This runs under sudo with the home folder of another user, {home} (uid {owner}), "
            "where root's files would be in that user's way.",
            "Run it without sudo, or with sudo -H, which takes root's own home.",
        )
