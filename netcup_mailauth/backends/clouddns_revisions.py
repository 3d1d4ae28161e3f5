"""The revisions of a CloudDNS zone: which one is live, and what came between two of them.

A draft that was taken for the live zone would be planned from, so a state of unknown name counts
as a draft. Confidence of every state name here: ?; one real answer from netcup decides.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from netcup_mailauth.errors import ApiError, UnverifiedError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from netcup_mailauth.backends.clouddns_wire import Revision
    from netcup_mailauth.records import Zone

COMMITTED = frozenset(
    {"committed", "active", "live", "published", "deployed", "current", "applied", "released"}
)
"""States of a revision that is the zone, or was put in its place. Confidence: ?."""

PAST = frozenset(
    {"superseded", "archived", "replaced", "inactive", "obsolete", "outdated", "previous", "old"}
)
"""States of a revision that was the zone once. Confidence: ?."""

DRAFT = frozenset({"draft", "uncommitted", "open", "editing"})
"""States of a revision that is not the zone yet. Confidence: ?. An unknown state counts as one of
these, but is not relied on to have changed nothing."""

DISCARDED = frozenset({"discarded", "deleted", "aborted"})
"""States of a revision that never was the zone, and never will be. Confidence: ?."""

LONGEST_STATE = 40
"""Characters of an unknown state that are shown: it is a word, and the very thing to report."""


def is_committed(state: str) -> bool:
    """Whether a revision in this state can be the live zone; in an unknown one it cannot."""
    return _word(state) in COMMITTED


def _word(state: str) -> str:
    return re.sub(r"[^a-z]", "", state.lower())


@dataclass(frozen=True, slots=True)
class History:
    """The revisions of a zone in any order, and the newest committed one among them."""

    revisions: tuple[Revision, ...]
    live: Revision

    @classmethod
    def of(cls, zone: str, listed: Iterable[Revision]) -> History:
        """The history of ``zone`` as the API lists it.

        Raises:
            ApiError: which revision is the live zone cannot be told.
        """
        revisions = tuple({revision.identifier: revision for revision in listed}.values())
        committed = [revision for revision in revisions if is_committed(revision.state)]
        if not committed:
            raise _none_committed(zone, revisions)
        return cls(revisions, _newest(zone, _newest_first(committed)))

    @property
    def draft(self) -> Revision | None:
        """One that is not committed yet and may be newer than the live one."""
        drafts = [
            revision
            for revision in _newest_first(self.revisions)
            if _word(revision.state) not in COMMITTED | PAST | DISCARDED
            and _order(revision, self.live) != -1
        ]
        return drafts[0] if drafts else None

    def check_follows(self, zone: Zone, identifier: str) -> None:
        """See that the revision we have just made came right after the one we had read.

        Where the list cannot tell, that counts as no.

        Raises:
            UnverifiedError: it did not.
        """
        made, read = self._find(identifier), self._find(zone.revision)
        if made is None or not is_committed(made.state):
            raise _not_committed(zone.name, made)
        if read is None or _order(made, read) != 1:
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

    def _find(self, identifier: str | None) -> Revision | None:
        return next((r for r in self.revisions if r.identifier == identifier), None)

    @staticmethod
    def _may_lie_between(one: Revision, zone: Zone, read: Revision, made: Revision) -> bool:
        if one in (read, made) or one.identifier == zone.draft:
            return False
        if _word(one.state) in DRAFT | DISCARDED:
            return False
        return _order(one, read) != -1 and _order(made, one) != -1


def _order(one: Revision, other: Revision) -> int | None:
    """1 if ``one`` is newer, -1 if older, 0 if the same age; ``None`` if nothing tells.

    The serial decides, then the date. Confidence: M.
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
    """The list turned so that, among revisions of one age, the newer comes first.

    Where nothing tells, netcup is taken to list the newest first. Confidence: ?.
    """
    revisions = list(listed)
    if revisions and _order(revisions[0], revisions[-1]) == -1:
        revisions.reverse()
    return revisions


def _newest(zone: str, committed: list[Revision]) -> Revision:
    newest = committed[0]
    for revision in committed[1:]:
        order = _order(revision, newest)
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
    states = sorted({revision.state[:LONGEST_STATE] for revision in revisions})
    shown = ", ".join(map(ascii, states[:10])) or "it lists none at all"
    return ApiError(
        f"netcup has no revision of {zone} in a state that is known to be live ({shown}).",
        "If the CCP shows no draft under CloudDNS, please report the states named here.",
    )


def _not_committed(zone: str, made: Revision | None) -> UnverifiedError:
    where = f"is in the state {made.state[:LONGEST_STATE]!a}" if made else "is not in its list"
    return UnverifiedError(
        f"netcup answered the write to {zone} with success, but the new revision {where}.",
        "Look in the CCP, under CloudDNS, whether it was left as a draft; then run the same "
        "command again.",
    )


def _look(zone: str) -> str:
    return f"Look at the zone (netcup-mailauth records {zone}), and run the same command again."
