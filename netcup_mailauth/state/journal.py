"""The journal: before each write the whole zone, and what was intended; after it what came of it.

One file per write, in the account's state folder, readable by its owner alone. A write that
cannot be journalled does not happen.
"""

from __future__ import annotations

import secrets
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from netcup_mailauth.errors import MailauthError
from netcup_mailauth.files import check_folder, make_folder, read_private, write_private
from netcup_mailauth.state.entries import Entry, Mark, dumps, loads

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from netcup_mailauth.plan import ChangeSet
    from netcup_mailauth.records import Zone

KEPT_PER_DOMAIN = 50
"""Entries kept for each domain; older ones are removed."""

STAMP = "%Y-%m-%dT%H%M%S%fZ"
"""How an id begins: with the time, so that ids sort by it."""


@dataclass(frozen=True, slots=True)
class Journal:
    """The journal of one account.

    Attributes:
        folder: the account's state folder.
        run: names the run that writes.
        now: the time.
        undoes: for each domain that an undo is about, the entry it takes back.
    """

    folder: Path
    run: str = ""
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    undoes: Mapping[str, str] = field(default_factory=dict)

    def begin(self, change_set: ChangeSet, before: Zone) -> Entry:
        """Write down the zone and what is intended, before anything is sent.

        Raises:
            MailauthError: it cannot be written down, so nothing may be sent.
        """
        now, domain = self.now(), change_set.place.domain
        entry = Entry(
            self._identifier(domain, now),
            self.run,
            now.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            Mark.INTENDED,
            change_set,
            before,
            self.undoes.get(domain),
        )
        self._write(entry)
        self._prune(domain)
        return entry

    def mark(self, entry: Entry, mark: Mark) -> Entry:
        """Note how far a write has come.

        Raises:
            MailauthError: it cannot be noted.
        """
        marked = replace(entry, mark=mark)
        self._write(marked)
        return marked

    def domains(self) -> list[str]:
        """The domains that have entries."""
        with suppress(OSError):
            check_folder(self.place())
            return sorted(path.name for path in self.place().iterdir())
        return []

    def entries(self, domain: str) -> Iterator[Entry]:
        """The entries of a domain, the newest first. One that is damaged is passed over.

        Raises:
            NotOursError: the journal, or an entry, is somebody else's, and is not to be believed.
        """
        for path in reversed(self._files(domain)):
            entry = _read(path)
            if entry is not None:
                yield entry

    def damaged(self, domain: str) -> list[Path]:
        """The files of a domain that hold no entry. Raises as :meth:`entries`."""
        return [path for path in self._files(domain) if _read(path) is None]

    def last_verified(self, domain: str) -> Entry | None:
        """The newest write of a domain that was read back as planned."""
        return next((e for e in self.entries(domain) if e.mark is Mark.VERIFIED), None)

    def place(self, domain: str = "") -> Path:
        """Where the entries of a domain, or of all of them, lie."""
        return self.folder / "journal" / domain

    def _files(self, domain: str) -> list[Path]:
        with suppress(OSError):
            check_folder(self.place())
            check_folder(self.place(domain))
            return sorted(self.place(domain).glob("*.json"))
        return []

    def _identifier(self, domain: str, now: datetime) -> str:
        """A name that sorts behind all others, also after the clock was set back."""
        stamp = now.strftime(STAMP)
        newest = max((path.stem for path in self._files(domain)), default="")
        with suppress(ValueError, OverflowError):  # behind the last moment of 9999 there is none
            last = datetime.strptime(newest.rpartition("-")[0], STAMP)
            stamp = max(stamp, (last + timedelta(microseconds=1)).strftime(STAMP))
        return f"{stamp}-{secrets.token_hex(3)}"

    def _write(self, entry: Entry) -> None:
        folder = self.place(entry.domain)
        try:
            make_folder(folder.parent)
            make_folder(folder)
            write_private(folder / f"{entry.id}.json", dumps(entry))
        except OSError as error:
            raise MailauthError(
                f"The zone could not be saved in {folder} before the write: "
                f"{error.strerror or error}.",
                "Nothing was written. Make room, or name another folder in "
                "NETCUP_MAILAUTH_STATE_DIR.",
            ) from None

    def _prune(self, domain: str) -> None:
        # A run that was killed may have left a half-written file; no other run is writing now.
        half_written = self.place(domain).glob(".*.json.*")
        for path in (*self._files(domain)[:-KEPT_PER_DOMAIN], *half_written):
            with suppress(OSError):
                path.unlink()


def _read(path: Path) -> Entry | None:
    """The entry in a file, or ``None`` if it is damaged, or is not where it belongs."""
    try:
        entry = loads(read_private(path))
    except (OSError, ValueError):
        return None
    return entry if (entry.domain, entry.id) == (path.parent.name, path.stem) else None


def new_run() -> str:
    """A name for a run: later runs sort behind earlier ones."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
