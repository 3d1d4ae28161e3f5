"""The rotations of an account on the disk: one book for each domain, to last.

``<account folder>/rotations/<domain>.json``, beside it ``<domain>.key`` while a private key waits
to be handed over. Both are readable by their owner alone, written whole or not at all, and on the
disk before anything is done that rests on them.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from netcup_mailauth.errors import MailauthError
from netcup_mailauth.files import make_folder, read_private, sync_folder, write_private
from netcup_mailauth.records import DesiredRecord, Kind
from netcup_mailauth.rotation.state import Book, NewerBookError, dumps, loads

if TYPE_CHECKING:
    from collections.abc import Iterable

FOLDER = "rotations"

FLEETING = frozenset({"tmpfs", "ramfs", "rootfs"})
"""File systems that are gone with the machine's power."""

MOUNTS = Path("/proc/self/mountinfo")


@dataclass(frozen=True, slots=True)
class Books:
    """The books of one account.

    Attributes:
        account: the account's state folder.
    """

    account: Path

    @property
    def folder(self) -> Path:
        """Where they lie."""
        return self.account / FOLDER

    def read(self, domain: str) -> Book:
        """A domain's book; an empty one if there is none.

        Raises:
            MailauthError: it cannot be read, so nobody knows whether a rotation is open.
        """
        path = self._path(domain)
        try:
            book = loads(read_private(path))
        except FileNotFoundError:
            return Book(domain)
        except (OSError, ValueError) as error:
            raise _unreadable(path, error) from None
        if book.domain != domain:
            raise _unreadable(path, ValueError("it is about another domain"))
        return book

    def write(self, book: Book) -> None:
        """Have a book on the disk before this returns.

        Raises:
            MailauthError: it cannot be written; nothing may be done that rests on it.
        """
        path = self._path(book.domain)
        try:
            make_folder(self.folder)
            write_private(path, dumps(book))
        except OSError as error:
            raise MailauthError(
                f"The state of the rotation cannot be kept in {self.folder}: "
                f"{error.strerror or error}.",
                "Nothing was done. Make room, or name another folder in NETCUP_MAILAUTH_STATE_DIR.",
            ) from None

    def domains(self) -> list[str]:
        """The domains there are books of; reading one may fail, and says nothing of the others."""
        return sorted(path.stem for path in self.folder.glob("*.json"))

    def key_file(self, domain: str) -> Path:
        """Where a private key lies until the signer has it."""
        return self.folder / f"{domain}.key"

    def _path(self, domain: str) -> Path:
        return self.folder / f"{domain}.json"


def _unreadable(path: Path, error: Exception) -> MailauthError:
    why = getattr(error, "strerror", None) or error
    if isinstance(error, NewerBookError):
        return MailauthError(
            f"The state of rotations in {path} cannot be read: {why}.",
            "Run the version that wrote it, or update this one: pip install -U netcup-mailauth",
        )
    return MailauthError(
        f"The state of rotations in {path} cannot be read: {why}.",
        "Put the file back from a backup. Without it, nobody knows whether a rotation is open.",
    )


def held(accounts: Iterable[Path], domain: str) -> frozenset[str]:
    """The hostnames that an open rotation of a domain works on, under any of these accounts.

    Args:
        accounts: account state folders.
        domain: the mail domain.

    Raises:
        MailauthError: a book cannot be read.
    """
    rotations = (Books(account).read(domain).open for account in accounts)
    return frozenset().union(*(rotation.hostnames() for rotation in rotations if rotation))


def left_alone(
    records: Iterable[DesiredRecord], hostnames: frozenset[str]
) -> tuple[DesiredRecord, ...]:
    """The keys among the records that an open rotation at these hostnames sees to."""
    return tuple(r for r in records if r.kind is Kind.DKIM and r.hostname in hostnames)


def check_lasting(account: Path) -> None:
    """Make sure that what is written to a state folder is there after a restart.

    A rotation whose state is lost cannot be finished by anybody. What a container keeps to itself
    is lost, too, but cannot be told from here.

    Raises:
        MailauthError: it lies on a file system in memory, or cannot be synced to the disk.
    """
    kind = filesystem(account)
    if kind in FLEETING:
        raise MailauthError(
            f"The state folder {account} lies in memory ({kind}), so an open rotation would be "
            "forgotten at the next restart.",
            "Nothing was done. Name a folder on a disk in NETCUP_MAILAUTH_STATE_DIR.",
        )
    try:
        sync_folder(account)
    except OSError as error:
        raise MailauthError(
            f"The state folder {account} cannot be synced to the disk: {error.strerror or error}.",
            "Nothing was done. Name a folder on a local disk in NETCUP_MAILAUTH_STATE_DIR.",
        ) from None


def filesystem(path: Path, mounts: Path = MOUNTS) -> str | None:
    """The sort of file system that a path lies on; ``None`` where the system does not say."""
    target = os.path.realpath(path)
    best, kind = "", None
    with suppress(OSError, ValueError, IndexError):
        for line in mounts.read_text(encoding="utf-8", errors="replace").splitlines():
            before, _, after = line.partition(" - ")
            # Blanks in a mount point are written in octal.
            point = before.split(" ")[4].replace("\\040", " ")
            inside = target == point or target.startswith(f"{point.rstrip('/')}/")
            # Of two mounts on one point the later one hides the earlier.
            if inside and len(point) >= len(best):
                best, kind = point, after.split(" ")[0]
    return kind
