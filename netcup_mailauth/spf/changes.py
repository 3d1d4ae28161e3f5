"""What differs between two records, term by term."""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from netcup_mailauth.spf.term import Qualifier

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from netcup_mailauth.spf.record import SpfRecord
    from netcup_mailauth.spf.term import Term

Action = Literal["kept", "added", "dropped", "changed", "moved"]


@dataclass(frozen=True, slots=True)
class TermChange:
    """What becomes of one term.

    ``changed`` is another qualifier in front of the same question (``~all`` to ``-all``),
    ``moved`` another place in the order. ``words`` says what it means for mail, and is empty
    where there is nothing to say. ``lookups`` is how many look-ups of its own the record needs
    more (1), or less (-1).
    """

    action: Action
    before: Term | None
    after: Term | None
    words: str = ""
    lookups: int = 0

    @property
    def text(self) -> str:
        """The term as it will be written; for a dropped one, as it was."""
        term = self.after or self.before
        return term.text if term else ""


def describe_changes(old: SpfRecord | None, new: SpfRecord | None) -> tuple[TermChange, ...]:
    """The changes from ``old`` to ``new``, in an order fit to print.

    The order is that of the new record; a dropped term stands where it was. ``None`` stands for
    no record.
    """
    before, after = old.terms if old else (), new.terms if new else ()
    origins = _origins(before, after)
    found = set(origins.values())
    counted = _counted(old), _counted(new)
    changes: list[TermChange] = []
    i, j = 0, 0
    for kept in [*_in_order(origins), len(after)]:
        origin = origins.get(kept, len(before))
        gone = (before[k] for k in range(i, origin) if k not in found)
        changes += (_change(term, None, counted, "dropped") for term in gone)
        for k in range(j, kept):
            past = before[origins[k]] if k in origins else None
            changes.append(_change(past, after[k], counted, "moved"))
        if kept < len(after):
            changes.append(_change(before[origin], after[kept], counted, "kept"))
        i, j = origin + 1, kept + 1
    return tuple(changes)


def _origins(before: Sequence[Term], after: Sequence[Term]) -> dict[int, int]:
    """Where each term of the new record, if it was there, stood in the old one.

    Of several that ask the same, the first comes from the first, and so on.
    """
    places: dict[str, deque[int]] = {}
    for index, term in enumerate(before):
        places.setdefault(term.unqualified, deque()).append(index)
    origins = {}
    for index, term in enumerate(after):
        if queue := places.get(term.unqualified):
            origins[index] = queue.popleft()
    return origins


def _in_order(origins: Mapping[int, int]) -> list[int]:
    """The most places in the new record that come from rising ones in the old; others moved.

    By the length of the chains that end at each; a record may have ten thousand terms, so not by
    comparing each with each.
    """
    ends: list[int] = []  # for each length of a chain the lowest origin at which one ends
    places: list[int] = []  # and its place in the new record
    previous: dict[int, int] = {}
    for place, origin in origins.items():
        length = bisect_left(ends, origin)
        if length:
            previous[place] = places[length - 1]
        ends[length : length + 1] = [origin]
        places[length : length + 1] = [place]
    chain = places[-1:]
    while chain and chain[-1] in previous:
        chain.append(previous[chain[-1]])
    return chain[::-1]


def _counted(record: SpfRecord | None) -> frozenset[int]:
    """The identities of the terms that cost a look-up (RFC 7208, 4.6.4)."""
    if record is None:
        return frozenset()
    return frozenset(id(term) for term in record.counted)


def _change(
    before: Term | None,
    after: Term | None,
    counted: tuple[frozenset[int], frozenset[int]],
    if_alike: Action,
) -> TermChange:
    lookups = int(id(after) in counted[1]) - int(id(before) in counted[0])
    if before is None or after is None:
        action: Action = "added" if before is None else "dropped"
        return TermChange(action, before, after, _words(before, after), lookups)
    if before.qualifier is not after.qualifier:
        return TermChange("changed", before, after, _words(before, after), lookups)
    words = "another place in the order" if if_alike == "moved" else ""
    return TermChange(if_alike, before, after, words, lookups)


def _words(before: Term | None, after: Term | None) -> str:
    """What a term that comes, goes or changes its qualifier means for mail."""
    old, new = _result(before), _result(after)
    if old and new:
        return f"{old} -> {new}"
    term = before or after
    if term is None or term.qualifier is None:
        return ""
    if term.is_all:
        return f"all other senders: {new or Qualifier.NEUTRAL.word}"
    if term.qualifier is Qualifier.PASS:
        return "may send for you" if new else "may no longer send for you"
    return new or f"no longer {old}"


def _result(term: Term | None) -> str:
    return "" if term is None or term.qualifier is None else term.qualifier.word
