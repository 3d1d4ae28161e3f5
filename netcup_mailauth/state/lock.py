"""One writer per account on a machine.

The lock keeps two runs of one user on one host apart; other users, hosts and containers are not
excluded, which is why every write also checks its precondition.
"""

from __future__ import annotations

import os
import re
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from netcup_mailauth.errors import LockError
from netcup_mailauth.files import NotOursError, check_file, read_private, write_private

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_NOTE = re.compile(r"process [0-9]{1,10}, since [0-9: -]{1,30} UTC")

LOCK_TIMEOUT = 60.0
"""Seconds to wait for another run to finish, unless told otherwise."""


@contextmanager
def writer_lock(
    folder: Path, timeout: float = LOCK_TIMEOUT, tell: Callable[[str], None] = lambda _: None
) -> Iterator[None]:
    """Hold the account's lock, waiting up to ``timeout`` seconds for it.

    ``tell`` is told for whom it has to wait. Raises LockError if somebody else holds it (the
    message says who), or the folder cannot be locked.
    """
    from filelock import FileLock, Timeout

    holder = folder / "writer.txt"
    lock = FileLock(folder / "writer.lock", fallback_to_soft=False)
    try:
        check_file(folder / "writer.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            if timeout > 0:
                tell(f"Waiting for another run that is writing with this account: {_read(holder)}.")
            lock.acquire(timeout=timeout)
    except Timeout:
        raise LockError(
            f"Another run is writing with this account: {_read(holder)}.",
            f"Nothing was written. Waited {timeout:g} s; try again when it is done.",
        ) from None
    except NotOursError as error:
        raise LockError(
            f"The state folder {folder} cannot be locked: {error.what}",
            f"Nothing was written. {error.advice}",
        ) from None
    except OSError as error:
        raise LockError(
            f"The state folder {folder} cannot be locked: {error.strerror or error}.",
            "Nothing was written. Name a folder on a local disk in NETCUP_MAILAUTH_STATE_DIR.",
        ) from None
    try:
        _write(holder)
        yield
    finally:
        with suppress(OSError):
            holder.unlink()
        lock.release()


def _write(holder: Path) -> None:
    since = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    # For people to read; a lock without it is as good.
    with suppress(OSError):
        write_private(holder, f"process {os.getpid()}, since {since}")


def _read(holder: Path) -> str:
    try:
        text = read_private(holder)
    except (OSError, ValueError, NotOursError):
        text = ""
    return text if _NOTE.fullmatch(text) else "it does not say who"
