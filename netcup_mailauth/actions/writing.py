"""One write to one zone: precondition, write, and the certainty of what came of it.

Nothing is ever sent twice unless it provably did nothing the first time, so that no record can
be doubled. An unclear answer is resolved by reading the zone (DESIGN, section 5).
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from netcup_mailauth.errors import (
    MailauthError,
    StaleError,
    UnverifiedError,
    WriteNotProcessedError,
)
from netcup_mailauth.plan import ChangeSet, Failure, drift, outcome, strangers
from netcup_mailauth.results import Result, Status
from netcup_mailauth.state.entries import Mark

if TYPE_CHECKING:
    from collections.abc import Callable

    from netcup_mailauth.backends import Backend
    from netcup_mailauth.records import Zone
    from netcup_mailauth.state.entries import Entry
    from netcup_mailauth.state.journal import Journal

MARKS = {
    Status.APPLIED: Mark.VERIFIED,
    Status.STALE: Mark.FAILED,
    Status.FAILED: Mark.FAILED,
}
"""What the journal says of a result; of any other, that the write was sent."""

SETTLE = 10.0
"""Seconds before the zone is read a second time after a write of unclear outcome."""


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes change sets.

    Attributes:
        backend: where to.
        sleep: how to wait.
        journal: where each write is noted before it is sent; ``None`` notes nothing.
    """

    backend: Backend
    sleep: Callable[[float], None] = time.sleep
    journal: Journal | None = None

    def write(self, change_set: ChangeSet, zone: Zone) -> Result:
        """Write ``change_set``, whose precondition was just read as ``zone``.

        Never raises for what the API does: the result says what happened.

        Raises:
            MailauthError: the journal cannot be written, so nothing was sent.
        """
        if change_set.is_empty:
            return Result(change_set, Status.UNCHANGED)
        moved = drift(change_set, zone)
        if moved:
            return stale(change_set, moved) if outcome(change_set, zone) else already(change_set)
        if self.journal is None:
            return self._outcome(change_set, zone)
        entry = self.journal.begin(change_set, zone)
        self.journal.mark(entry, Mark.SENT)
        return _noted(self.journal, entry, self._outcome(change_set, zone))

    def _outcome(self, change_set: ChangeSet, zone: Zone) -> Result:
        try:
            after = self._send(change_set)
        except StaleError as error:
            return Result(change_set, Status.STALE, Failure.of(error))
        except WriteNotProcessedError as error:
            return Result(change_set, Status.FAILED, Failure.of(error))
        except MailauthError as error:
            return self._settle(change_set, zone, error)
        return verified(change_set, zone, after)

    def _send(self, change_set: ChangeSet) -> Zone:
        zone, changes = change_set.place.zone, change_set.changes
        try:
            return self.backend.apply(zone, changes)
        except WriteNotProcessedError:
            moved = drift(change_set, self.backend.zone(zone))
        if moved:
            raise StaleError(_stale_sentence(change_set, moved), PLAN_AGAIN)
        return self.backend.apply(zone, changes)

    def _settle(self, change_set: ChangeSet, zone: Zone, error: MailauthError) -> Result:
        """Find out by reading what a write of unclear outcome did; wait once before giving up."""
        try:
            after = self.backend.zone(change_set.place.zone)
            if outcome(change_set, after):
                self.sleep(SETTLE)
                after = self.backend.zone(change_set.place.zone)
        except MailauthError as blind:
            return _unknown(change_set, error, f"and it could not be read back ({blind.what})")
        if not outcome(change_set, after):
            note = f"The answer to the write was lost ({error.what}), but netcup holds the records."
            return Result(
                change_set, Status.APPLIED, notes=(note, *_strangers(change_set, zone, after))
            )
        if drift(change_set, after):
            return _unknown(change_set, error, "and only a part of it is there")
        return _unknown(change_set, error, "and the zone is as it was before")


def _noted(journal: Journal, entry: Entry, result: Result) -> Result:
    """The result, noted in the journal; what became of a write is told even if that fails."""
    try:
        journal.mark(entry, MARKS.get(result.status, Mark.SENT))
    except MailauthError as error:
        note = f"The journal could not note what became of this write ({error.what})"
        return replace(result, notes=(*result.notes, note))
    return result


PLAN_AGAIN = "Nothing was written. Plan again and look at the new plan."


def verified(change_set: ChangeSet, before: Zone, after: Zone) -> Result:
    """The result of a write that was answered with the zone ``after`` it."""
    problems = outcome(change_set, after)
    if problems:
        error = UnverifiedError(
            f"{change_set.place.domain}: netcup answered the write with success, but the zone is "
            f"not as planned: {'; '.join(problems)}.",
            "Look at the zone, and run the same command again.",
        )
        return Result(
            change_set, Status.UNKNOWN, Failure.of(error), _strangers(change_set, before, after)
        )
    return Result(change_set, Status.APPLIED, notes=_strangers(change_set, before, after))


def stale(change_set: ChangeSet, moved: tuple[str, ...]) -> Result:
    """The result for a zone that is no longer what the plan was made from."""
    error = StaleError(_stale_sentence(change_set, moved), PLAN_AGAIN)
    return Result(change_set, Status.STALE, Failure.of(error))


def already(change_set: ChangeSet) -> Result:
    """The result for a zone that somebody has meanwhile put into the planned state."""
    return Result(change_set, Status.ALREADY)


def _stale_sentence(change_set: ChangeSet, moved: tuple[str, ...]) -> str:
    return f"{change_set.place.domain} has changed since the plan was made: {'; '.join(moved)}."


def _unknown(change_set: ChangeSet, error: MailauthError, state: str) -> Result:
    failure = UnverifiedError(
        f"{change_set.place.domain}: the write got no clear answer ({error.what}), {state}.",
        "It may still arrive; nothing was sent twice. Run the same command again in a minute.",
    )
    return Result(change_set, Status.UNKNOWN, Failure.of(failure))


def _strangers(change_set: ChangeSet, before: Zone, after: Zone) -> tuple[str, ...]:
    changed = strangers(change_set, before, after)
    if not changed:
        return ()
    listed = ", ".join(changed)
    return (f"Another program changed other records of this zone at the same time: {listed}.",)
