"""JSON files that others may have written: read with limits, written whole or not at all."""

from __future__ import annotations

import json
import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from netcup_mailauth.errors import UsageError
from netcup_mailauth.privatefiles import NotRegularError, open_regular

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_SIZE = 16 * 1024 * 1024
"""The largest file that is read, in bytes; a plan for ten thousand domains has less."""


MOST_LINKS = 40
"""As many links in a row as Linux follows."""

SHARED = stat.S_ISVTX | stat.S_IWOTH
"""A folder where everybody makes files, and nobody removes those of others."""


class _TwiceError(ValueError):
    """A name stands twice in one object."""


def read(path: Path, what: str) -> Any:
    """The JSON value in a file; ``what`` the file should be, as in ``"a plan file"``.

    A name that is twice in one object is refused: another program would read the other value.

    Raises:
        UsageError: there is no such file, or it is no JSON.
    """
    return parse(_bytes(path, what), str(path), what)


def parse(data: bytes, name: str, what: str) -> Any:
    """The JSON value in ``data``, which is called ``name``. See :func:`read`.

    Raises:
        UsageError: it is no JSON.
    """
    advice = f"Give {what}."
    if len(data) > MAX_SIZE:
        raise UsageError(
            f"{name} is larger than {MAX_SIZE // 1024 // 1024} MiB, so it is not {what}.", advice
        )
    try:
        return json.loads(
            data.decode("utf-8-sig"), object_pairs_hook=_once, parse_constant=_no_number
        )
    except RecursionError:
        problem = "is nested too deeply"
    except _TwiceError:
        problem = "says the same thing twice in one place"
    except UnicodeDecodeError:
        problem = "is not UTF-8 text"
    except ValueError:
        problem = "is not JSON"
    raise UsageError(f"{name} {problem}, so it is not {what}.", advice)


def check_target(path: Path) -> None:
    """Raise :class:`UsageError` if ``path`` is no place for a file, as far as one can see."""
    target = _target(path)
    if not target.parent.is_dir():
        raise UsageError(f"{path} cannot be written: its folder is not there.", "Make it first.")
    if target.exists() and not target.is_file():
        raise UsageError(
            f"{path} cannot be written: it is a folder or a device, not a file.",
            "Name a file; what is printed can be redirected instead.",
        )


def write(path: Path, text: str) -> None:
    """Put ``text`` in place whole or not at all, readable as the umask says.

    Raises:
        UsageError: it cannot be written.
    """
    check_target(path)
    # The file that a link leads to is replaced, not the link.
    target = _target(path)
    temporary = target.with_name(f".{secrets.token_hex(8)}.part")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink()
        raise UsageError(
            f"{path} cannot be written: {error.strerror}.", "Name a file in a folder of yours."
        ) from None


def _target(path: Path) -> Path:
    """The file that ``path`` leads to, if it leads where the user meant it to.

    In a folder like ``/tmp`` a link of somebody else's may lead to any file of the user's. Linux
    does not follow it (``fs.protected_symlinks``), but a file is put in place without asking Linux
    to follow anything.

    Raises:
        UsageError: the link is somebody else's.
    """
    link = path
    with suppress(OSError):  # no link, or no end of them; the file cannot be opened either
        for _ in range(MOST_LINKS):
            leads = link.readlink()
            folder, owner = link.parent.stat(), link.lstat().st_uid
            if folder.st_mode & SHARED == SHARED and owner not in (os.geteuid(), folder.st_uid):
                raise UsageError(
                    f"{path} cannot be written: {link} is a link that another user has made.",
                    "Name a file in a folder of yours.",
                )
            link = link.parent / leads
    return Path(os.path.realpath(path))


def _bytes(path: Path, what: str) -> bytes:
    try:
        with open_regular(path) as file:
            return file.read(MAX_SIZE + 1)
    except NotRegularError:
        problem = "is a pipe or a device, and what comes from it may be larger than any file"
    except FileNotFoundError:
        problem = "is not there"
    except IsADirectoryError:
        problem = "is a folder"
    except PermissionError:
        problem = "may not be read by you"
    except (OSError, ValueError):
        problem = "cannot be read"
    raise UsageError(f"{path} {problem}.", f"Give {what}.")


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _TwiceError
    return found


def _no_number(_name: str) -> NoReturn:
    raise ValueError("NaN and Infinity are no JSON")
