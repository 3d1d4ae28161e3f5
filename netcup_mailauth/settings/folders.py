"""The user's own folders for this program (XDG base directory specification)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from netcup_mailauth.errors import UsageError

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
