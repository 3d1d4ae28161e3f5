"""The files and folders of this user: opened without waiting, believed only if they are ours.

A private file is a regular file of this user that nobody else may write to, in a folder of which
the same is true. What is anything else (a link, a pipe, somebody else's) is refused, never
followed, and never waited for. Written it is whole or not at all, and on the disk when that is
done.
"""

from __future__ import annotations

import errno
import os
import secrets
import shlex
import stat
from contextlib import suppress
from typing import TYPE_CHECKING, BinaryIO

from netcup_mailauth.errors import MailauthError

if TYPE_CHECKING:
    from pathlib import Path

MAX_SIZE = 16 * 1024 * 1024
"""Bytes of a private file that are read; the largest zone's journal entry has less."""

WRITABLE = stat.S_IWGRP | stat.S_IWOTH
"""Writable by others than the owner."""

_ELSEWHERE = "name a folder of yours in NETCUP_MAILAUTH_STATE_DIR"


class NotOursError(MailauthError):
    """A private file or folder is a link, no file, somebody else's, or open to others."""


class NotRegularError(OSError):
    """A pipe or a device, where only a regular file will do."""

    def __init__(self, path: Path) -> None:
        super().__init__(errno.EINVAL, "it is not a regular file", str(path))


def open_regular(path: Path, *, follow: bool = True) -> BinaryIO:
    """Open a regular file to be read; a pipe that nobody writes to holds nothing up.

    Raises:
        NotRegularError: it is a pipe or a device.
        OSError: it cannot be opened; with ``ELOOP`` if it is a link that is not to be followed.
        ValueError: the path has a NUL in it.
    """
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    descriptor = os.open(path, flags if follow else flags | os.O_NOFOLLOW)
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        os.close(descriptor)
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        raise NotRegularError(path)
    return os.fdopen(descriptor, "rb")


def read_private(path: Path) -> str:
    """The text of a private file.

    Raises:
        NotOursError: it is a link, no regular file, somebody else's, or others may write to it.
        OSError: there is none, or it cannot be read.
        ValueError: it is not UTF-8 text, or too large to be ours.
    """
    try:
        with open_regular(path, follow=False) as file:
            _check_owner(os.fstat(file.fileno()), path)
            data = file.read(MAX_SIZE + 1)
    except NotRegularError:
        raise _moved_away(path, "is not a regular file") from None
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
        raise _moved_away(path, "is a link") from None
    if len(data) > MAX_SIZE:
        raise ValueError(f"it is larger than {MAX_SIZE // 1024 // 1024} MiB")
    return data.decode("utf-8")


def write_private(path: Path, text: str) -> None:
    """Write a file that only this user can read: whole or not at all, and on the disk at return.

    What was there is replaced, not opened: a link or a pipe is gone, and where it led is untouched.

    Raises:
        OSError: it cannot be written; the file is as it was.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        with suppress(OSError):
            temporary.unlink()
        raise
    sync_folder(path.parent)


def make_folder(folder: Path) -> None:
    """Make a folder for this user alone, and what is missing above it, to last.

    Raises:
        NotOursError: it is there, and not ours alone.
        OSError: it cannot be made.
    """
    # One by one: mkdir would make the parents readable to everybody.
    if not folder.is_dir():
        make_missing(folder)
    check_folder(folder)


def make_missing(folder: Path) -> None:
    """Make a folder that is not there, as :func:`make_folder`, and do not look whose it is.

    Raises:
        OSError: it cannot be made.
    """
    if not folder.is_dir():
        make_missing(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)
        sync_folder(folder.parent)


def check_folder(folder: Path) -> None:
    """Raise unless a folder, if it is there, is ours and writable by nobody else.

    Raises:
        NotOursError: it is a link, somebody else's, or others may write to it.
        OSError: it is no folder, or cannot be looked at.
    """
    status = _status(folder)
    if status is not None and not stat.S_ISDIR(status.st_mode):
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder))


def check_file(path: Path) -> None:
    """The same for a file that code of others will open, in a folder of ours."""
    status = _status(path)
    if status is not None and not stat.S_ISREG(status.st_mode):
        raise _moved_away(path, "is not a regular file")


def _status(path: Path) -> os.stat_result | None:
    """What is there, if anything is; raises :class:`NotOursError` unless it is ours."""
    try:
        status = path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    if stat.S_ISLNK(status.st_mode):
        raise _moved_away(path, "is a link")
    _check_owner(status, path)
    return status


def _check_owner(status: os.stat_result, path: Path) -> None:
    if status.st_uid != os.geteuid():
        raise somebody_elses(status, path)
    if status.st_mode & WRITABLE:
        raise open_to_others(status, path)


def somebody_elses(status: os.stat_result, path: Path) -> NotOursError:
    """The error for what belongs to another user."""
    user = os.geteuid()
    if user == 0 and os.environ.get("SUDO_UID") == str(status.st_uid):
        advice = f"Run it without sudo, as the user whose folder it is, or {_ELSEWHERE}."
    elif status.st_uid == 0:  # as after a run under sudo; root needs no trick to fool anybody
        advice = f"If it is yours:\n  sudo chown -R {user} {shlex.quote(str(path))}"
    else:
        return _moved_away(path, f"belongs to another user (uid {status.st_uid})")
    return NotOursError(
        f"{path} belongs to another user (uid {status.st_uid}), so it is not used.", advice
    )


def open_to_others(status: os.stat_result, path: Path) -> NotOursError:
    """The error for what others may write to."""
    return NotOursError(
        f"{path} can be changed by others (mode {stat.S_IMODE(status.st_mode):04o}), so it is not "
        "used.",
        "See that nobody else has changed what is there, and then:\n"
        f"  chmod -R go-w {shlex.quote(str(path))}",
    )


def _moved_away(path: Path, problem: str) -> NotOursError:
    quoted = shlex.quote(str(path))
    return NotOursError(
        f"{path} {problem}, so it is not used.",
        f"Look at what it is, and move it away (or {_ELSEWHERE}):\n  mv {quoted} {quoted}.old",
    )


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on the disk before this returns.

    Raises:
        OSError: it cannot be done.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
