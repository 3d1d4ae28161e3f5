"""The journal: before each write the whole zone, and what was intended; after it what came of it.

One file per write, in the account's state folder, readable by its owner alone. A write that
cannot be journalled does not happen. An entry is one write, what was there before it, and how far
it came; what several tell together (what still stands, what was taken back) is told at the end.
"""

from __future__ import annotations

import json
import secrets
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, ValidationError

from netcup_mailauth import documents
from netcup_mailauth.documents import (
    SCHEMA,
    ChangeShape,
    KeptShape,
    LiveRecordShape,
    change_document,
    kept_document,
    record_document,
)
from netcup_mailauth.errors import MailauthError
from netcup_mailauth.files import check_folder, make_folder, read_private, write_private
from netcup_mailauth.plan import ChangeSet, Place, left
from netcup_mailauth.records import DesiredRecord, Zone
from netcup_mailauth.shapes import OpenShape

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from netcup_mailauth.records import Kind

KEPT_PER_DOMAIN = 50
"""Entries kept for each domain; older ones are removed."""

STAMP = "%Y-%m-%dT%H%M%S%fZ"
"""How an id begins: with the time, so that ids sort by it."""


# --- An entry -------------------------------------------------------------------------------------


class Mark(StrEnum):
    """How far a write has come."""

    INTENDED = "intended"  # about to be sent
    SENT = "sent"  # sent; what came of it is not known
    VERIFIED = "verified"  # read back as planned
    FAILED = "failed"  # provably not made


@dataclass(frozen=True, slots=True)
class Entry:
    """One write: the whole zone before it, and the changes.

    By ``id``, later entries of a domain sort behind earlier ones; ``run`` is what the entries of
    one run share; ``time`` is when it was begun, in UTC; ``undoes`` is the entry that this write
    took back, if it was an undo.
    """

    id: str
    run: str
    time: str
    mark: Mark
    change_set: ChangeSet
    before: Zone
    undoes: str | None = None

    @property
    def domain(self) -> str:
        """The domain written to."""
        return self.change_set.place.domain

    @property
    def begun(self) -> datetime:
        """The time, to reckon with; long ago if the file does not hold one."""
        with suppress(ValueError, OverflowError):
            return datetime.fromisoformat(self.time).astimezone(UTC)
        return datetime.min.replace(tzinfo=UTC)


def wanted_by(entry: Entry) -> tuple[DesiredRecord, ...]:
    """The records that a write left in place: what it made, and what was right already."""
    return tuple(
        DesiredRecord(kind, record.hostname, record.destination)
        for kind, record in left(entry.change_set)
    )


def last_of_each_kind(entries: Iterable[Entry]) -> dict[DesiredRecord, datetime]:
    """What the newest verified write of each kind left in place, and when that was.

    ``entries`` are the newest first.

    A write is about some kinds only, and says nothing of the others.
    """
    told: set[Kind] = set()
    records: dict[DesiredRecord, datetime] = {}
    for entry in entries:
        if entry.mark is Mark.VERIFIED:
            kinds = {kind for kind, _ in entry.change_set.slots()} - told
            own = (record for record in wanted_by(entry) if record.kind in kinds)
            records |= dict.fromkeys(own, entry.begun)
            told |= kinds
    return records


def dumps(entry: Entry) -> str:
    """The entry as text."""
    return json.dumps(_document(entry), indent=1)


def loads(text: str) -> Entry:
    """The entry that a text holds. Raises ValueError if it holds none."""
    try:
        return _Entry.model_validate(documents.loads(text)).entry()
    except RecursionError:
        raise ValueError("no entry of the journal: nested too deeply") from None
    except ValidationError:
        raise ValueError("no entry of the journal") from None


def _document(entry: Entry) -> dict[str, Any]:
    place = entry.change_set.place
    return {
        "schema": SCHEMA,
        "id": entry.id,
        "run": entry.run,
        "time": entry.time,
        "mark": entry.mark.value,
        "undoes": entry.undoes,
        "domain": place.domain,
        "zone": place.zone,
        "backend": place.backend,
        "endpoint": place.endpoint,
        "account": place.account,
        "changes": [change_document(change) for change in entry.change_set.changes],
        "unchanged": [kept_document(kept) for kept in entry.change_set.unchanged],
        "before": [record_document(record) for record in entry.before.records],
    }


class _Entry(OpenShape):
    version: int = Field(alias="schema", ge=SCHEMA, le=SCHEMA)
    id: str
    run: str
    time: str
    mark: Literal["intended", "sent", "verified", "failed"]
    undoes: str | None
    domain: str
    zone: str
    backend: str
    endpoint: str
    account: str
    changes: list[ChangeShape]
    unchanged: list[KeptShape]
    before: list[LiveRecordShape]

    def entry(self) -> Entry:
        for change in self.changes:
            _check(change)
        place = Place(self.domain, self.zone, self.backend, self.endpoint, self.account)
        changes = tuple(change.change() for change in self.changes)
        return Entry(
            self.id,
            self.run,
            self.time,
            Mark(self.mark),
            ChangeSet(place, changes, tuple(kept.kept() for kept in self.unchanged)),
            Zone(self.zone, self.backend, tuple(record.live() for record in self.before)),
            self.undoes,
        )


def _check(change: ChangeShape) -> None:
    """Raise :class:`ValueError` for a change that is none that was ever written."""
    before, after = change.before, change.after
    if (before is None, after is None) != (change.action == "create", change.action == "delete"):
        raise ValueError("the records do not fit the action")
    # Nothing but TXT was ever written, so nothing else can be there to be taken back.
    if any(record is not None and record.type != "TXT" for record in (before, after)):
        raise ValueError("a change of another type")


# --- The journal of an account --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Journal:
    """The journal of one account, in its state folder.

    ``undoes`` has, for each domain that an undo is about, the entry it takes back.
    """

    folder: Path
    run: str = ""
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    undoes: Mapping[str, str] = field(default_factory=dict)

    def begin(self, change_set: ChangeSet, before: Zone) -> Entry:
        """Write down the zone and what is intended, before anything is sent.

        Raises MailauthError if it cannot be written down, so nothing may be sent.
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
        """Note how far a write has come; a MailauthError says that it cannot be noted."""
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

        Raises NotOursError if the journal, or an entry, is somebody else's, and is not to be
        believed.
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


# --- Several journals -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Journals:
    """What was written from here, whichever of these journals it is in."""

    journals: tuple[Journal, ...]

    @classmethod
    def below(cls, endpoint_folders: Iterable[Path]) -> Journals:
        """The journals of every account that has written to these endpoints from here."""
        paths = [p for folder in endpoint_folders for p in sorted(folder.glob("*/journal"))]
        return cls(tuple(Journal(path.parent) for path in paths))

    def domains(self) -> list[str]:
        """The domains that have entries."""
        return sorted({domain for journal in self.journals for domain in journal.domains()})

    def entries(self, domain: str) -> list[Entry]:
        """The entries of a domain, the newest first."""
        found = (entry for journal in self.journals for entry in journal.entries(domain))
        return sorted(found, key=lambda entry: entry.id, reverse=True)

    def damaged(self, domain: str) -> list[Path]:
        """The files of a domain that hold no entry."""
        return [path for journal in self.journals for path in journal.damaged(domain)]

    def last_verified(self, domain: str) -> Entry | None:
        """The newest write of a domain that was read back as planned."""
        verified = (journal.last_verified(domain) for journal in self.journals)
        return max(filter(None, verified), key=lambda entry: entry.id, default=None)

    def place(self, domain: str = "") -> str:
        """Where the entries of a domain, or of all of them, lie."""
        return " and ".join(str(journal.place(domain)) for journal in self.journals)


# --- What entries tell together -------------------------------------------------------------------


SENT = (Mark.SENT, Mark.VERIFIED)
"""Marks of a write that changed something, or may have. The others changed nothing."""


def undone(entries: Iterable[Entry]) -> frozenset[str]:
    """The ids of the entries that a later one has taken back.

    An undo that was itself taken back no longer counts, so the entry it was about stands again.
    """
    gone: set[str] = set()
    for entry in _newest_first(entries):
        if entry.undoes and entry.mark is Mark.VERIFIED and entry.id not in gone:
            gone.add(entry.undoes)
    return frozenset(gone)


def standing(entries: Iterable[Entry]) -> list[Entry]:
    """The entries that ``undo`` would take back one after the other, the newest first."""
    known = _newest_first(entries)
    gone = undone(known)
    return [
        entry
        for entry in known
        if entry.mark in SENT
        and entry.undoes is None
        and entry.id not in gone
        and entry.change_set.changes  # not so of what `undo --lost` brought back
    ]


def runs(entries: Iterable[Entry]) -> list[tuple[str, list[Entry]]]:
    """The entries of each run, the newest run and in it the newest entry first."""
    grouped: dict[str, list[Entry]] = {}
    for entry in _newest_first(entries):
        grouped.setdefault(entry.run, []).append(entry)
    return list(grouped.items())


def listing(entries: Iterable[Entry]) -> dict[str, Any]:
    """The document of ``undo --list --format json``."""
    known = list(entries)
    gone = undone(known)
    return {
        "schema": SCHEMA,
        "runs": [
            {"run": run, "entries": [_line(entry, entry.id in gone) for entry in members]}
            for run, members in runs(known)
        ],
    }


def _line(entry: Entry, gone: bool) -> dict[str, Any]:
    counts = Counter((change.kind, change.action) for change in entry.change_set.changes)
    return {
        "id": entry.id,
        "time": entry.time,
        "domain": entry.domain,
        "account": entry.change_set.place.account,
        "changes": [
            {"action": action.value, "kind": kind.value, "count": count}
            for (kind, action), count in counts.items()
        ],
        "mark": entry.mark.value,
        "undoes": entry.undoes,
        "undone": gone,
    }


def _newest_first(entries: Iterable[Entry]) -> list[Entry]:
    return sorted(entries, key=lambda entry: entry.id, reverse=True)
