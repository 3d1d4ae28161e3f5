"""The revisions of a zone on CloudDNS: which one is live, and what was written in between.

A draft that was taken for the live zone would be planned from. How netcup calls the state of a
revision is not known: the API's description has it as a plain text without a list of values.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from netcup_mailauth.errors import ApiError, UnverifiedError
from netcup_mailauth.shown import visible

if TYPE_CHECKING:
    from collections.abc import Iterable

    from netcup_mailauth.netcup.clouddns_wire import Revision
    from netcup_mailauth.records import Zone

COMMITTED = frozenset({"committed", "active", "live", "published"})
"""Words for a revision that is the zone, or was put in its place by another."""

PAST = frozenset({"superseded", "archived", "replaced", "inactive"})
"""Words for a revision that was the zone once, and is not any more."""

DRAFT = frozenset({"draft"})
"""Words for a revision that is not the zone yet."""

DISCARDED = frozenset({"discarded", "deleted"})
"""Words for a revision that never was the zone, and never will be."""

KNOWN = COMMITTED | PAST | DRAFT | DISCARDED

LONGEST_STATE = 40
"""Characters of an unknown state that are shown: it is a word, and the very thing to report."""


def word_of(state: str) -> str:
    """A state without case, blanks and signs; empty if it is no word at all."""
    is_word = state.isprintable() and len(state) <= LONGEST_STATE
    return re.sub(r"[\W_]", "", state.lower()) if is_word else ""


def shown(state: str) -> str:
    """A state in quotes, fit to be shown and short."""
    return f"'{visible(state[:LONGEST_STATE])}'"


@dataclass(frozen=True, slots=True)
class History:
    """The revisions of a zone in any order, the live one among them, and what names committed ones.

    A zone has one draft at most, so a word that two of its revisions carry is no draft's, whatever
    it is. Where none is committed by that rule and all but one are known to be something else, that
    one is the zone; but its word is still told.
    """

    revisions: tuple[Revision, ...]
    live: Revision
    committed: frozenset[str]

    @classmethod
    def of(cls, zone: str, listed: Iterable[Revision]) -> History:
        """The history of ``zone`` as the API lists it.

        Raises:
            ApiError: which revision is the live zone cannot be told.
        """
        revisions = tuple({revision.identifier: revision for revision in listed}.values())
        times = Counter(word_of(revision.state) for revision in revisions)
        repeated = {word for word, count in times.items() if word and count > 1}
        words = COMMITTED | (repeated - KNOWN)
        committed = [r for r in revisions if word_of(r.state) in words]
        left = [r for r in revisions if word_of(r.state) not in KNOWN | words | {""}]
        if not committed and len(left) == 1:
            return cls(revisions, left[0], words)
        if not committed:
            raise _none_committed(zone, revisions)
        return cls(revisions, _newest(zone, _newest_first(committed)), words)

    @property
    def draft(self) -> Revision | None:
        """One that may not be committed yet, and may be newer than the live one, or that one."""
        drafts = [
            revision
            for revision in _newest_first(self.revisions)
            if word_of(revision.state) not in self.committed | PAST | DISCARDED
            and (revision is self.live or compared(revision, self.live) != -1)
        ]
        return drafts[0] if drafts else None

    @property
    def unknown_state(self) -> str | None:
        """The state of the draft, if it is by no known word that it counts as one."""
        draft = self.draft
        if draft is None or word_of(draft.state) in DRAFT:
            return None
        return draft.state[:LONGEST_STATE]

    def check_follows(self, zone: Zone, identifier: str) -> None:
        """See that the revision we have just made came right after the one we had read.

        Where the list cannot tell, that counts as no.

        Raises:
            UnverifiedError: it did not.
        """
        made, read = self._find(identifier), self._find(zone.revision)
        if made is None or not self._is_committed(made):
            raise _not_committed(zone.name, made)
        if read is None or compared(made, read) != 1:
            raise UnverifiedError(
                f"Whether another program wrote to {zone.name} at the same time cannot be told: "
                "netcup's list does not show the revision this change was made for before ours.",
                _look(zone.name),
            )
        if any(self._may_lie_between(revision, zone, read, made) for revision in self.revisions):
            raise UnverifiedError(
                f"Another program wrote to {zone.name} at the same time, between our read and "
                "our write.",
                _look(zone.name),
            )

    def _is_committed(self, one: Revision) -> bool:
        return one is self.live or word_of(one.state) in self.committed

    def _find(self, identifier: str | None) -> Revision | None:
        return next((r for r in self.revisions if r.identifier == identifier), None)

    @staticmethod
    def _may_lie_between(one: Revision, zone: Zone, read: Revision, made: Revision) -> bool:
        if one in (read, made) or one.identifier == zone.draft:
            return False
        if word_of(one.state) in DRAFT | DISCARDED:
            return False
        return compared(one, read) != -1 and compared(made, one) != -1


def compared(one: Revision, other: Revision) -> int | None:
    """1 if ``one`` is newer, -1 if older, 0 if the same age; ``None`` if nothing tells.

    The serial decides, then the date.
    """
    pairs = (
        (one.serial, other.serial),
        (_seconds(one.created_at), _seconds(other.created_at)),
    )
    known = [(a, b) for a, b in pairs if a is not None and b is not None]
    if not known:
        return None
    return next(((1 if a > b else -1) for a, b in known if a != b), 0)


def _seconds(date: str) -> float | None:
    try:
        moment = datetime.fromisoformat(date)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _newest_first(listed: Iterable[Revision]) -> list[Revision]:
    """The list turned so that, among revisions of one age, the newer comes first."""
    revisions = list(listed)
    if revisions and compared(revisions[0], revisions[-1]) == -1:
        revisions.reverse()
    return revisions


def _newest(zone: str, committed: list[Revision]) -> Revision:
    newest = committed[0]
    for revision in committed[1:]:
        order = compared(revision, newest)
        if order is None:
            raise ApiError(
                f"Which revision of {zone} is the newest cannot be told: netcup gives them no "
                "serial and no date in common.",
                "Nothing can be planned from it; please report it.",
            )
        if order == 1:
            newest = revision
    return newest


def _none_committed(zone: str, revisions: tuple[Revision, ...]) -> ApiError:
    states = sorted({shown(revision.state) for revision in revisions})
    words = ", ".join(states[:10]) or "it lists none at all"
    return ApiError(
        f"netcup has no revision of {zone} in a state that is known to be live ({words}).",
        "If the CCP shows no draft under CloudDNS, please report the states named here.",
    )


def _not_committed(zone: str, made: Revision | None) -> UnverifiedError:
    where = f"is in the state {shown(made.state)}" if made else "is not in its list"
    return UnverifiedError(
        f"netcup answered the write to {zone} with success, but the new revision {where}.",
        "Look in the CCP, under CloudDNS, whether it was left as a draft; then run the same "
        "command again.",
    )


def _look(zone: str) -> str:
    return f"Look at the zone (netcup-mailauth records {zone}), and run the same command again."
