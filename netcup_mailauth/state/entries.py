"""An entry of the journal: one write, what was there before it, and how far it came."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from netcup_mailauth.documents import change_document, kept_document, record_document
from netcup_mailauth.plan import Action, Change, ChangeSet, Kept, Place
from netcup_mailauth.records import DesiredRecord, DnsRecord, Kind, Zone

SCHEMA = 1


class Mark(StrEnum):
    """How far a write has come."""

    INTENDED = "intended"  # about to be sent
    SENT = "sent"  # sent; what came of it is not known
    VERIFIED = "verified"  # read back as planned
    FAILED = "failed"  # provably not made


@dataclass(frozen=True, slots=True)
class Entry:
    """One write: the zone before it, and the changes.

    Attributes:
        id: the entry's name; later entries of a domain sort behind earlier ones.
        run: what the entries of one run share.
        time: when it was begun, in UTC.
        mark: how far it came.
        change_set: place, changes, and what was right already.
        before: the whole zone before the write.
        undoes: the entry that this write took back, if it was an undo.
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


def wanted_by(entry: Entry) -> tuple[DesiredRecord, ...]:
    """The records that a write left in place: what it made, and what was right already."""
    made = (
        DesiredRecord(c.kind, c.hostname, c.after.destination)
        for c in entry.change_set.changes
        if c.after is not None
    )
    kept = (
        DesiredRecord(k.kind, k.record.hostname, k.record.destination)
        for k in entry.change_set.unchanged
    )
    return (*made, *kept)


def dumps(entry: Entry) -> str:
    """The entry as text."""
    return json.dumps(_document(entry), indent=1)


def loads(text: str) -> Entry:
    """The entry that a text holds.

    Raises:
        ValueError: it holds none.
    """
    try:
        return _entry(json.loads(text))
    except (KeyError, TypeError, RecursionError) as error:
        raise ValueError(f"no entry of the journal: {type(error).__name__}") from None


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


def _entry(data: dict[str, Any]) -> Entry:
    if data["schema"] != SCHEMA:
        raise ValueError("the schema is not known")
    place = Place(
        *(_text(data[key]) for key in ("domain", "zone", "backend", "endpoint", "account"))
    )
    unchanged = tuple(Kept(Kind(kept["kind"]), _record(kept)) for kept in data["unchanged"])
    records = tuple(map(_record, data["before"]))
    return Entry(
        _text(data["id"]),
        _text(data["run"]),
        _text(data["time"]),
        Mark(data["mark"]),
        ChangeSet(place, tuple(map(_change, data["changes"])), unchanged),
        Zone(place.zone, place.backend, records),
        None if data["undoes"] is None else _text(data["undoes"]),
    )


def _change(data: dict[str, Any]) -> Change:
    action = Action(data["action"])
    before = None if data["before"] is None else _record(data["before"])
    after = None if data["after"] is None else _record({"id": None, **data["after"]})
    if (before is None, after is None) != (action is Action.CREATE, action is Action.DELETE):
        raise ValueError("the records do not fit the action")
    # Nothing but TXT was ever written, so nothing else can be there to be taken back.
    if any(record is not None and record.type != "TXT" for record in (before, after)):
        raise ValueError("a change of another type")
    kind = Kind(data["kind"])
    return Change(action, kind, before, after, *_of_key(data))


def _of_key(data: dict[str, Any]) -> tuple[str | None, str | None]:
    """What a change of a DKIM record says of its key."""
    source, fingerprint = data.get("source"), data.get("fingerprint")
    return (
        None if source is None else _text(source),
        None if fingerprint is None else _text(fingerprint),
    )


def _record(data: dict[str, Any]) -> DnsRecord:
    identifier, ttl = data["id"], data["ttl"]
    if ttl is not None and type(ttl) is not int:  # True is an int, too
        raise TypeError("ttl")
    return DnsRecord(
        None if identifier is None else _text(identifier),
        _text(data["hostname"]),
        _text(data["type"]),
        _text(data["destination"]),
        _text(data["priority"]),
        ttl,
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("text")
    return value
