"""What `updateDnsRecords` does to a zone: a merge, entry by entry (L20-L29)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from netcup_mailauth.sandbox.ccp import messages
from netcup_mailauth.sandbox.ccp.answers import Answer, update_failed, validation_error
from netcup_mailauth.sandbox.ccp.rules import Entry, read_entry
from netcup_mailauth.sandbox.zones import Record

if TYPE_CHECKING:
    from collections.abc import Callable

    from netcup_mailauth.sandbox.quirks import Quirks
    from netcup_mailauth.sandbox.zones import Zone

TYPE_CHANGED = f"{messages.UPDATE_FAILED}The type of a record cannot be changed."  # (guess)
EXISTS_ALREADY = f"{messages.UPDATE_FAILED}The record already exists."  # (guess)
CNAME_CONFLICT = f"{messages.UPDATE_FAILED}A CNAME cannot stand beside other records."  # (guess)


class _RefusedError(Exception):
    """An entry that fits the pattern but not the zone."""


@dataclass(frozen=True, slots=True)
class Merged:
    """The zone after the call, and the error that stopped it, if one did."""

    zone: Zone
    error: Answer | None


def merge(
    zone: Zone, raw_entries: list[object], quirks: Quirks, now: float, new_id: Callable[[], int]
) -> Merged:
    """Merge entries into a zone; records that are not listed stay as they are (L20).

    All entries are validated before the first is applied, because netcup names the faults of
    several in one sentence (L32). How far a refused call gets is a quirk (L29).
    """
    entries = [read_entry(raw, zone.name, quirks) for raw in raw_entries]
    problems = [problem for entry in entries for problem in entry.problems]
    error = validation_error(" ".join(problems)) if problems else None
    desk = _Desk(list(zone.records), quirks, now, new_id)
    for entry in entries:
        if entry.problems:
            break
        try:
            desk.apply(entry)
        except _RefusedError as refusal:
            error = error or update_failed(str(refusal))
            break
    if error is not None and quirks.on_error == "atomic":
        return Merged(zone, error)
    return Merged(zone.with_records(tuple(desk.records), now), error)


@dataclass
class _Desk:
    """The records on the way from one state to the next."""

    records: list[Record]
    quirks: Quirks
    now: float
    new_id: Callable[[], int]

    def apply(self, entry: Entry) -> None:
        old = next((record for record in self.records if record.id == entry.id), None)
        if entry.id is not None or entry.delete:
            if old is not None:
                self._delete(old) if entry.delete else self._update(old, entry)
            elif self.quirks.unknown_id == "error":  # L25
                raise _RefusedError(messages.unknown_record(entry.id))
        elif entry.type != "NS":  # L34: netcup says yes and stores nothing
            self._create(entry)

    def _delete(self, old: Record) -> None:
        self.records.remove(old)

    def _update(self, old: Record, entry: Entry) -> None:
        if entry.type != old.type and self.quirks.type_change == "refuse":
            raise _RefusedError(TYPE_CHANGED)
        new = _record(old.id, entry, self.now, old.ttl)
        if new.says_the_same_as(old):
            return  # L24: no change, so neither serial nor state move
        self._refuse_cname_conflict(new)
        self.records[self.records.index(old)] = new

    def _create(self, entry: Entry) -> None:
        draft = _record(0, entry, self.now, self.quirks.rest_default_ttl)
        if any(draft.says_the_same_as(record) for record in self.records):  # L26
            if self.quirks.duplicate_create == "ignore":
                return
            if self.quirks.duplicate_create == "error":
                raise _RefusedError(EXISTS_ALREADY)
        self._refuse_cname_conflict(draft)
        self.records.append(replace(draft, id=self.new_id()))

    def _refuse_cname_conflict(self, new: Record) -> None:
        if self.quirks.cname_conflict == "accept":
            return
        name = new.hostname.lower()
        for record in self.records:
            beside = record.id != new.id and record.hostname.lower() == name
            if beside and "CNAME" in (record.type, new.type):
                raise _RefusedError(CNAME_CONFLICT)


def _record(number: int, entry: Entry, now: float, ttl: int) -> Record:
    hostname, kind, priority = entry.hostname, entry.type, entry.priority
    return Record(number, hostname, kind, priority, entry.destination, now, ttl)
