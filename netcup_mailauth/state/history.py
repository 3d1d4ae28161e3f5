"""What the journal tells: what still stands, what was taken back, and what belongs together.

Pure: entries come in as arguments.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from netcup_mailauth.state.entries import SCHEMA, Entry, Mark

if TYPE_CHECKING:
    from collections.abc import Iterable

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
