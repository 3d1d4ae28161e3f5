"""What of a change set may be written: what is refused or dangerous holds back its own kind.

What is left is judged again without it. A finding about the zone as a whole holds back everything,
and so does any where the whole was asked for: a plan file and an undo are written whole or not at
all.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from netcup_mailauth.findings import Finding, Severity, by_gravity
from netcup_mailauth.judge.guard import judge, priced
from netcup_mailauth.records import Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from netcup_mailauth.judge.case import Case
    from netcup_mailauth.plan import ChangeSet

_STOPS = (Severity.REFUSED, Severity.DANGER)


def settled(case: Case, decided: Sequence[Finding] = ()) -> ChangeSet:
    """The change set as it may be written: judged, priced, and with the kinds that are held back.

    What is refused or dangerous holds back its own kind. What is left is judged again without it,
    until nothing more is held back: a policy may be sound only beside the key that is not written
    now. A finding about the zone as a whole holds back everything. ``decided`` is what was found
    when the change set was made, beside what the guard finds.
    """
    first = told = found = [*decided, *judge(case)]
    held = case.change_set.held  # none yet, and one such set for all domains
    while kinds := _holding(replace(case.change_set, findings=tuple(found), held=held)):
        held |= kinds
        rest = replace(case.change_set, held=held).without_held
        found = [*decided, *judge(replace(case, change_set=rest))]
        # What would have become of the rest of the zone was told when all was judged together.
        found = [f for f in found if f.kind is not None or f in first or f.severity in _STOPS]
        told = [*(f for f in told if f.kind is None or f.kind in held), *found]
    told = [*(finding for finding in first if finding in told), *told]
    return replace(priced(case), findings=by_gravity(told), held=held)


def stopping(change_set: ChangeSet) -> tuple[Finding, ...]:
    """The findings that keep a change set from being applied.

    A refused wish stops even where nothing else would change: it was not carried out.
    """
    return tuple(
        finding
        for finding in change_set.findings
        if finding.severity is Severity.REFUSED
        or (
            finding.severity is Severity.DANGER
            and change_set.changes
            and finding.code not in change_set.allow
        )
    )


def _holding(change_set: ChangeSet) -> frozenset[Kind]:
    """The kinds that its findings hold back beside those that are held back already."""
    rest = change_set.without_held
    stops = stopping(rest)
    concerned = frozenset(kind for kind, _ in rest.slots())
    if any(stop.kind is None for stop in stops):
        return concerned
    return frozenset(stop.kind for stop in stops if stop.kind is not None) - change_set.held


def let_through(change_set: ChangeSet) -> ChangeSet:
    """What of a change set may be written: its part that is not held back.

    Nothing, where a finding stops it that holds back no part by itself: what was judged as a whole
    (a plan file, an undo) is written whole or not at all.
    """
    loose = any(stop.kind not in change_set.held for stop in stopping(change_set))
    return replace(change_set, changes=()) if loose else change_set.without_held


def is_in_part(change_set: ChangeSet) -> bool:
    """Whether one part of it may be written, and another is held back."""
    return bool(change_set.held) and not let_through(change_set).is_empty


def held_by(change_set: ChangeSet) -> dict[Kind, tuple[str, ...]]:
    """What holds back each kind that is held back: the codes of its findings and of the zone's."""
    stops = stopping(change_set)
    return {
        kind: tuple(dict.fromkeys(stop.code for stop in stops if stop.kind in (kind, None)))
        for kind in Kind
        if kind in change_set.held
    }


def needless(change_set: ChangeSet) -> tuple[str, ...]:
    """The codes that are allowed though no finding has them."""
    found = {finding.code for finding in change_set.findings}
    return tuple(code for code in dict.fromkeys(change_set.allow) if code not in found)
