"""Files and folders: the one place where they are opened, written, and told to be ours or not.

Whatever is read is a regular file, up to a limit, and nothing is waited for. A *private* file is
one of this user that nobody else may write to, in a folder of which the same is true; what is
anything else (a link, somebody else's) is refused, never followed. Whatever is written is there
whole or not at all.
"""

from __future__ import annotations

import errno
import os
import secrets
import shlex
import stat
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from netcup_mailauth.errors import MailauthError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_SIZE = 16 * 1024 * 1024
"""Bytes of a file that are read: a plan or a config for ten thousand domains has less, and so has
the journal entry of the largest zone."""

OF_YOURS = "Name a file in a folder of yours."

MOST_LINKS = 40
"""As many links in a row as Linux follows."""

SHARED = stat.S_ISVTX | stat.S_IWOTH
"""A folder where everybody makes files, and nobody removes those of others."""

WRITABLE = stat.S_IWGRP | stat.S_IWOTH
"""Writable by others than the owner."""

_ELSEWHERE = "name a folder of yours in NETCUP_MAILAUTH_STATE_DIR"


class NotOursError(MailauthError):
    """A private file or folder is a link, no file, somebody else's, or open to others."""


class NotRegularError(OSError):
    """A pipe or a device, where only a regular file will do."""

    def __init__(self, path: Path) -> None:
        super().__init__(errno.EINVAL, "it is not a regular file", str(path))


class TooLargeError(ValueError):
    """A file has more bytes than are read of one like it."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"it is larger than {limit // 1024 // 1024} MiB")


# --- Reading --------------------------------------------------------------------------------------


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


def read_regular(path: Path, limit: int = MAX_SIZE) -> bytes:
    """What is in a regular file, which may be anybody's.

    Raises:
        NotRegularError: it is a pipe or a device.
        OSError: it cannot be read.
        TooLargeError: it has more than ``limit`` bytes.
        ValueError: the path has a NUL in it.
    """
    with open_regular(path) as file:
        return read_up_to(file, limit)


def read_named(path: Path, what: str) -> bytes:
    """The bytes of a file that a user names; ``what`` it should be, as in ``"a plan file"``.

    Raises:
        UsageError: it is not there, is no file, is larger than any such file, or cannot be read.
    """
    try:
        return read_regular(path)
    except TooLargeError:
        larger = f"is larger than {MAX_SIZE // 1024 // 1024} MiB, so it is not {what}"
        raise UsageError(f"{path} {larger}.", f"Give {what}.") from None
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


def read_up_to(file: BinaryIO, limit: int = MAX_SIZE) -> bytes:
    """What is in an opened file. See :func:`read_regular`."""
    data = file.read(limit + 1)
    if len(data) > limit:
        raise TooLargeError(limit)
    return data


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
            return read_up_to(file, MAX_SIZE).decode("utf-8")
    except NotRegularError:
        raise _moved_away(path, "is not a regular file") from None
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
        raise _moved_away(path, "is a link") from None


# --- Writing --------------------------------------------------------------------------------------


def write_private(path: Path, text: str) -> None:
    """Write a file that only this user can read: whole or not at all, and on the disk at return.

    What was there is replaced, not opened: a link or a pipe is gone, and where it led is untouched.

    Raises:
        OSError: it cannot be written; the file is as it was.
    """
    _put(path, text.encode(), 0o600)
    sync_folder(path.parent)


def write_readable(path: Path, text: str) -> None:
    """Write a file that everybody can read whatever the umask: whole or not at all.

    A link in that place is replaced, not followed: in a folder that others may write to it could
    lead anywhere.

    Raises:
        OSError: it cannot be written; the file is as it was.
    """
    _put(path, text.encode("utf-8", "replace"), 0o644, whatever_the_umask=True)


def write_named(path: Path, text: str) -> None:
    """Write a file that the user named: whole or not at all, readable as the umask says.

    The file that a link leads to is replaced, not the link.

    Raises:
        UsageError: it cannot be written; see :func:`check_target`.
    """
    check_target(path)
    try:
        _put(_target(path), text.encode(), 0o666)
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        advice = "Make room, or name a file elsewhere." if full else OF_YOURS
        raise UsageError(f"{path} cannot be written: {error.strerror}.", advice) from None


def write_new(path: Path, text: str) -> None:
    """Write a file that is not there yet, readable as the umask says."""
    with path.open("x", encoding="utf-8") as file:
        file.write(text)


def append(path: Path, data: bytes) -> None:
    """Add to the end of a file that is there, in one write that is on the disk at return.

    Its owner, its mode and what links to it stay.

    Raises:
        OSError: it cannot be written.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
    with os.fdopen(descriptor, "ab", buffering=0) as file:
        file.write(data)
        os.fsync(file.fileno())


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
                    OF_YOURS,
                )
            link = link.parent / leads
    try:
        return Path(os.path.realpath(path))
    except FileNotFoundError:
        raise UsageError(
            f"{path} cannot be written: the folder you are in was removed.",
            "Change to another with cd.",
        ) from None


def _put(path: Path, data: bytes, mode: int, *, whatever_the_umask: bool = False) -> None:
    """Put a file in place of what is there, once all of it is on the disk."""
    # By this name no collector takes it for a file of metrics, and the journal for a half-written
    # entry. Of a long name there is no room for all.
    temporary = path.with_name(f".{path.name[:50]}.{secrets.token_hex(8)}.part")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    descriptor = os.open(temporary, flags, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            if whatever_the_umask:
                os.fchmod(file.fileno(), mode)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise


# --- Whose files and folders are ---------------------------------------------------------------


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
    """Make a folder that is not there, as :func:`make_folder`, and do not look whose it is."""
    if not folder.is_dir():
        make_missing(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)
        sync_folder(folder.parent)


def own_folder(folder: Path) -> None:
    """Make a folder, or close it to others, who could put another file in place.

    Raises:
        OSError: it cannot be made, or is somebody else's.
    """
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700)
    elif stat.S_IMODE(folder.stat().st_mode) & 0o077:
        folder.chmod(0o700)


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
        raise _somebody_elses(status, path)
    if status.st_mode & WRITABLE:
        raise _open_to_others(status, path)


def check_root(folder: Path) -> None:
    """Raise unless the folder that holds all state is one to make folders of ours in.

    It may be a link, as systemd makes one to ``/var/lib/private``, and it may be root's, sticky
    like ``/tmp``, or the mount point of a volume, where others may write: what is ours below it
    is told from what is not.

    Raises:
        NotOursError: somebody else could have made what is in it look like ours.
        OSError: it cannot be looked at.
    """
    user = os.geteuid()
    try:
        link, status = folder.lstat(), folder.stat()
    except (FileNotFoundError, NotADirectoryError):
        return
    for one in (link, status):
        if one.st_uid not in (0, user):
            raise _somebody_elses(one, folder)
    shared = status.st_uid != user or status.st_mode & stat.S_ISVTX or os.path.ismount(folder)
    if status.st_mode & WRITABLE and not shared:
        raise _open_to_others(status, folder)


def _somebody_elses(status: os.stat_result, path: Path) -> NotOursError:
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


def _open_to_others(status: os.stat_result, path: Path) -> NotOursError:
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
    """Have the names in a folder on the disk before this returns."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


# --- The user's own folders (XDG base directory specification) ----------------------------------


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


def config_folder(environ: Mapping[str, str]) -> Path:
    """The user's config folder for this program. Raises as :func:`xdg_folder`."""
    return xdg_folder("XDG_CONFIG_HOME", "~/.config", environ)


CONFIG_NAME = "netcup-mailauth.toml"


def config_file(named: Path | None, environ: Mapping[str, str]) -> Path | None:
    """The config that was named, else the current folder's, else the user's, if there is one."""
    here = Path(CONFIG_NAME)
    if named is not None or _is_file(here):
        return named or here
    return own_config_file(environ)


def own_config_file(environ: Mapping[str, str]) -> Path | None:
    """The config in the user's config folder, if there is one."""
    try:
        own = config_folder(environ) / CONFIG_NAME
    except UsageError:  # no home, so no config in it
        return None
    return own if _is_file(own) else None


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a home folder that is somebody else's, say
        return False


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
