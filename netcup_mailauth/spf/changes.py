"""What differs between two records, term by term."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Literal

from netcup_mailauth.spf.term import Qualifier

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

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
    steps = list(_steps(old.terms if old else (), new.terms if new else ()))
    moves = _moves(steps)
    counted = _counted(old), _counted(new)
    changes = []
    for index, (before, after) in enumerate(steps):
        if after is not None:
            if_alike: Action = "kept" if before is not None else "moved"
            changes.append(_change(before or moves.get(index), after, counted, if_alike))
        elif index not in moves:
            changes.append(_change(before, None, counted, "dropped"))
    return tuple(changes)


def _steps(
    before: Sequence[Term], after: Sequence[Term]
) -> Iterator[tuple[Term | None, Term | None]]:
    """The terms of both records side by side; ``None`` where one record has none there."""
    matcher = SequenceMatcher(
        None, [t.unqualified for t in before], [t.unqualified for t in after], autojunk=False
    )
    for tag, i, j, k, m in matcher.get_opcodes():
        if tag == "equal":
            yield from zip(before[i:j], after[k:m], strict=True)
        else:
            yield from ((term, None) for term in before[i:j])
            yield from ((None, term) for term in after[k:m])


def _moves(steps: Sequence[tuple[Term | None, Term | None]]) -> dict[int, Term]:
    """The steps that are two ends of one move, each with the term as it was."""
    gone = {index: before for index, (before, after) in enumerate(steps) if after is None}
    moves: dict[int, Term] = {}
    for index, (before, after) in enumerate(steps):
        if before is not None or after is None:
            continue
        for origin, term in gone.items():
            if term is not None and origin not in moves and term.unqualified == after.unqualified:
                moves[origin] = moves[index] = term
                break
    return moves


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
