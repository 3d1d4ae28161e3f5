"""One write to one zone: precondition, write, and the certainty of what came of it.

Nothing is ever sent twice unless it provably did nothing the first time, so that no record can
be doubled. An unclear answer is resolved by reading the zone (DESIGN, section 5).
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from netcup_mailauth.backends.freshness import read_anew
from netcup_mailauth.errors import (
    ExitCode,
    MailauthError,
    RefusedError,
    StaleError,
    UnverifiedError,
    WriteNotProcessedError,
    ZoneError,
)
from netcup_mailauth.otherrecords import other_records, shown
from netcup_mailauth.plan import ChangeSet, Failure
from netcup_mailauth.preconditions import arrived_in_part, drift, new_draft, outcome, rebound
from netcup_mailauth.results import Result, Status
from netcup_mailauth.state.journal import Mark

if TYPE_CHECKING:
    from collections.abc import Callable

    from netcup_mailauth.backends import Backend
    from netcup_mailauth.otherrecords import OtherRecords
    from netcup_mailauth.plan import Place
    from netcup_mailauth.records import Zone
    from netcup_mailauth.state.journal import Entry, Journal

MARKS = {
    Status.APPLIED: Mark.VERIFIED,
    Status.LOST: Mark.VERIFIED,  # what this write made was read back
    Status.STALE: Mark.FAILED,
    Status.FAILED: Mark.FAILED,
    Status.REFUSED: Mark.FAILED,
}
"""What the journal says of a result; of any other, that the write was sent."""

TRIES = 2
"""How often a write is tried that was provably not processed; each time the zone is read anew."""

MOST_TOLD = 10
"""Changes of other records that are listed; of more, there is a number."""

SETTLE = 10.0
"""Seconds before the zone is read a second time after a write of unclear outcome."""


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes change sets.

    Attributes:
        backend: where to.
        sleep: how to wait.
        journal_of: finds the journal in which a write to a place is noted before it is sent;
            ``None`` notes nothing.
    """

    backend: Backend
    sleep: Callable[[float], None] = time.sleep
    journal_of: Callable[[Place], Journal] | None = None

    def read(self, change_set: ChangeSet) -> Zone:
        """The zone as it is now, to see whether a plan still fits; room is made for the write.

        Raises:
            StaleError: it is not where it was when the plan was made.
            MailauthError: it cannot be read.
        """
        self.backend.reserve()
        return self._look(change_set)

    def _look(self, change_set: ChangeSet) -> Zone:
        try:
            return self.backend.zone(change_set.place.zone)
        except ZoneError as error:
            raise StaleError(
                f"{change_set.place.domain} has changed since the plan was made: {error.what}",
                f"Nothing was written. {error.advice}",
            ) from None

    def write(self, change_set: ChangeSet, zone: Zone) -> Result:
        """Write ``change_set``, whose precondition was just read as ``zone``.

        Never raises for what the API does: the result says what happened.

        Raises:
            MailauthError: the journal cannot be written, so nothing was sent.
        """
        if change_set.is_empty:
            return Result(change_set, Status.UNCHANGED)
        moved = drift(change_set, zone) or new_draft(change_set, zone)
        if moved:
            return stale(change_set, moved) if outcome(change_set, zone) else already(change_set)
        ours = rebound(change_set, zone)
        if self.journal_of is None:
            return self._sent(ours, zone)
        journal = self.journal_of(ours.place)
        entry = journal.begin(ours, zone)
        journal.mark(entry, Mark.SENT)
        return _noted(journal, entry, self._sent(ours, zone))

    def _sent(self, change_set: ChangeSet, zone: Zone) -> Result:
        """Send the write; after another read, should it not have been processed.

        The zone is read again before that, and the plan has to fit it still: the session was
        dead, no connection stood, or so much time had passed that somebody may have written.
        """
        for _ in range(TRIES):
            try:
                after = self.backend.apply(zone, change_set.changes)
            except WriteNotProcessedError as error:
                unsent = error
            except RefusedError as error:
                return Result(change_set, Status.REFUSED, Failure.of(error))
            except UnverifiedError as error:
                return Result(change_set, Status.UNKNOWN, Failure.of(error))
            except MailauthError as error:
                return self._settled(change_set, zone, error)
            else:
                return self._verified(change_set, zone, after)
            try:
                zone = read_anew(partial(self.read, change_set))
            except StaleError as error:
                return Result(change_set, Status.STALE, Failure.of(error))
            except MailauthError as error:
                return Result(change_set, Status.FAILED, Failure.of(error), ended_by=_ending(error))
            moved = drift(change_set, zone) or new_draft(change_set, zone)
            if moved:
                return stale(change_set, moved)
            change_set = rebound(change_set, zone)
        return Result(change_set, Status.FAILED, Failure.of(unsent))

    def _settled(self, change_set: ChangeSet, zone: Zone, error: MailauthError) -> Result:
        """Find out by reading what a write of unclear outcome did; wait once before giving up."""
        try:
            after = self._look(change_set)
            if outcome(change_set, after) and after.backend == change_set.place.backend:
                self.sleep(SETTLE)
                after = self._look(change_set)
        except StaleError as gone:
            if isinstance(error, ZoneError):  # the zone had left before the write came
                return Result(change_set, Status.STALE, Failure.of(gone))
            return _unknown(change_set, error, f"and it could not be read back ({_clause(gone)})")
        except MailauthError as blind:
            return _unknown(change_set, error, f"and it could not be read back ({_clause(blind)})")
        if not outcome(change_set, after):
            note = (
                f"The write got no clear answer ({_clause(error)}), but netcup holds the records."
            )
            result = self._verified(change_set, zone, after)
            notes = (note, *result.notes)
            return replace(result, notes=notes, ended_by=result.ended_by or _ending(error))
        moved = drift(change_set, after)
        if after.backend != change_set.place.backend:
            if isinstance(error, ZoneError):
                return stale(change_set, moved)
            return _unknown(change_set, error, f"and {'; '.join(moved)}")
        if not moved:
            return _unknown(change_set, error, "and the zone is as it was before")
        if arrived_in_part(change_set, after):
            return _unknown(change_set, error, "and only a part of it is there")
        return _unknown(
            change_set,
            error,
            f"and the zone is neither as it was nor as planned: {'; '.join(moved)}",
        )

    def _verified(self, change_set: ChangeSet, before: Zone, after: Zone) -> Result:
        """The result of a write that was answered with the zone ``after`` it.

        What an answer does not list is looked for in the zone before it is called gone.
        """
        others = other_records(change_set, before, after)
        if others.gone or outcome(change_set, after):
            try:
                after = self._look(change_set)
            except MailauthError as blind:
                return _not_as_answered(
                    change_set,
                    outcome(change_set, after) or tuple(map(shown, others.gone)),
                    f" It could not be read again ({_clause(blind)}).",
                )
            others = other_records(change_set, before, after)
        notes = _told(others)
        problems = outcome(change_set, after)
        if problems:
            return replace(_not_as_answered(change_set, problems), notes=notes)
        if others.gone:
            return Result(change_set, Status.LOST, _lost(change_set, others), notes)
        return Result(change_set, Status.APPLIED, notes=notes)


def _noted(journal: Journal, entry: Entry, result: Result) -> Result:
    """The result, noted in the journal; what became of a write is told even if that fails."""
    try:
        journal.mark(entry, MARKS.get(result.status, Mark.SENT))
    except MailauthError as error:
        note = f"The journal could not note what became of this write ({_clause(error)})."
        return replace(result, notes=(*result.notes, note))
    return result


PLAN_AGAIN = "Nothing was written. Plan again and look at the new plan."


def _not_as_answered(change_set: ChangeSet, problems: tuple[str, ...], more: str = "") -> Result:
    """The result of a write that netcup says was a success, where the zone says otherwise."""
    error = UnverifiedError(
        f"{change_set.place.domain}: netcup answered the write with success, but the zone is "
        f"not as planned: {'; '.join(problems)}.{more}",
        "Look at the zone, and run the same command again.",
    )
    return Result(change_set, Status.UNKNOWN, Failure.of(error))


def _lost(change_set: ChangeSet, others: OtherRecords) -> Failure:
    domain = change_set.place.domain
    count = len(others.gone)
    gone = f"{count} other records of the zone are" if count > 1 else "another record of it is"
    listed = ", ".join(map(shown, others.gone))
    return Failure(
        ExitCode.UNVERIFIED,
        f"{domain}: the records were written, and {gone} gone since: {listed}.",
        f"To bring back what is missing: netcup-mailauth undo {domain} --lost",
    )


def _told(others: OtherRecords) -> tuple[str, ...]:
    told = others.told
    if not told:
        return ()
    more = f", and {len(told) - MOST_TOLD} more" if len(told) > MOST_TOLD else ""
    listed = "; ".join(told[:MOST_TOLD])
    return (f"Other records of this zone changed at the same time, not by this: {listed}{more}.",)


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
    then = error.advice if error.ends_run else "Run the same command again in a minute."
    failure = UnverifiedError(
        f"{change_set.place.domain}: the write got no clear answer ({_clause(error)}), {state}.",
        f"It may still arrive; nothing was sent twice. {then}",
    )
    return Result(change_set, Status.UNKNOWN, Failure.of(failure), ended_by=_ending(error))


def _ending(error: MailauthError) -> MailauthError | None:
    return error if error.ends_run else None


def _clause(error: MailauthError) -> str:
    """What happened, as a part of a longer sentence."""
    return error.what.removesuffix(".")
