"""``apply``: plan, show, ask, write once per zone, verify.

First the one write to one zone: precondition, write, and the certainty of what came of it. Nothing
is ever sent twice unless it provably did nothing the first time, so that no record can be doubled.
An unclear answer is resolved by reading the zone. Then many zones in a run.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from netcup_mailauth import dkim
from netcup_mailauth.actions import planning
from netcup_mailauth.actions.domains import each
from netcup_mailauth.actions.planning import Draft, draft, not_tried, not_tried_failure
from netcup_mailauth.actions.signals import uninterrupted
from netcup_mailauth.errors import (
    ExitCode,
    MailauthError,
    RefusedError,
    StaleError,
    UnverifiedError,
    WriteNotProcessedError,
    ZoneError,
)
from netcup_mailauth.judge import holding
from netcup_mailauth.netcup.api import read_anew
from netcup_mailauth.others import other_records, shown
from netcup_mailauth.plan import (
    ChangeSet,
    Failure,
    Plan,
    Result,
    RunResult,
    Status,
    arrived_in_part,
    drift,
    new_draft,
    outcome,
    rebound,
)
from netcup_mailauth.policy import Wish
from netcup_mailauth.records import Kind, zone_form
from netcup_mailauth.state.journal import Mark

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from netcup_mailauth.actions.domains import Turn
    from netcup_mailauth.actions.session import Session
    from netcup_mailauth.findings import Finding
    from netcup_mailauth.others import OtherRecords
    from netcup_mailauth.records import DnsRecord, Zone
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


def read(session: Session, change_set: ChangeSet) -> Zone:
    """The zone as it is now, to see whether a plan still fits; room is made for the write.

    Raises:
        StaleError: it is not where it was when the plan was made.
    """
    session.backend.reserve()
    return _look(session, change_set)


def _look(session: Session, change_set: ChangeSet) -> Zone:
    try:
        return session.backend.zone(change_set.place.zone)
    except ZoneError as error:
        raise _gone(change_set, error) from None


def _gone(change_set: ChangeSet, error: ZoneError) -> StaleError:
    return StaleError(
        f"{change_set.place.domain} has changed since the plan was made: {error.what}",
        f"Nothing was written. {error.advice}",
    )


def write(session: Session, change_set: ChangeSet, zone: Zone) -> Result:
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
    if session.state is None:
        return _sent(session, ours, zone)
    journal = session.state.journal_of(ours.place, session.undoes)
    entry = journal.begin(ours, zone)
    journal.mark(entry, Mark.SENT)
    return _noted(journal, entry, _sent(session, ours, zone))


def _sent(session: Session, change_set: ChangeSet, zone: Zone) -> Result:
    """Send the write; after another read, should it not have been processed.

    The zone is read again before that, and the plan has to fit it still: the session was
    dead, no connection stood, or so much time had passed that somebody may have written.
    """
    for _ in range(TRIES):
        try:
            after = session.backend.apply(zone, change_set.changes)
        except WriteNotProcessedError as error:
            unsent = error
        except RefusedError as error:
            return Result(change_set, Status.REFUSED, Failure.of(error))
        except UnverifiedError as error:
            return Result(change_set, Status.UNKNOWN, Failure.of(error))
        except MailauthError as error:
            return _settled(session, change_set, zone, error)
        else:
            return _verified(session, change_set, zone, after)
        try:
            zone = read_anew(partial(read, session, change_set))
        except StaleError as error:
            return Result(change_set, Status.STALE, Failure.of(error))
        except MailauthError as error:
            return Result(change_set, Status.FAILED, Failure.of(error), ended_by=_ending(error))
        moved = drift(change_set, zone) or new_draft(change_set, zone)
        if moved:
            return stale(change_set, moved)
        change_set = rebound(change_set, zone)
    return Result(change_set, Status.FAILED, Failure.of(unsent))


def _settled(session: Session, change_set: ChangeSet, zone: Zone, error: MailauthError) -> Result:
    """Find out by reading what a write of unclear outcome did; wait once before giving up."""
    try:
        after = _look(session, change_set)
        if outcome(change_set, after) and after.backend == change_set.place.backend:
            session.clock.sleep(session.pauses.settle)
            after = _look(session, change_set)
    except StaleError as gone:
        if isinstance(error, ZoneError):  # the zone had left before the write came
            return Result(change_set, Status.STALE, Failure.of(gone))
        return _unknown(change_set, error, f"and it could not be read back ({_clause(gone)})")
    except MailauthError as blind:
        return _unknown(change_set, error, f"and it could not be read back ({_clause(blind)})")
    if not outcome(change_set, after):
        note = f"The write got no clear answer ({_clause(error)}), but netcup holds the records."
        result = _verified(session, change_set, zone, after)
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


def _verified(session: Session, change_set: ChangeSet, before: Zone, after: Zone) -> Result:
    """The result of a write that was answered with the zone ``after`` it.

    What an answer does not list is looked for in the zone before it is called gone.
    """
    others = other_records(change_set, before, after)
    if others.gone or outcome(change_set, after):
        try:
            after = _look(session, change_set)
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
        is_kept = session.state is not None
        return Result(change_set, Status.LOST, _lost(change_set, others, is_kept=is_kept), notes)
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


def _lost(change_set: ChangeSet, others: OtherRecords, *, is_kept: bool) -> Failure:
    """What is gone, and how it comes back: by an undo, where the zone as it was is kept."""
    domain = change_set.place.domain
    count = len(others.gone)
    gone = f"{count} other records of the zone are" if count > 1 else "another record of it is"
    listed = ", ".join(map(shown, others.gone))
    return Failure(
        ExitCode.UNVERIFIED,
        f"{domain}: the records were written, and {gone} gone since: {listed}.",
        f"To bring back what is missing: netcup-mailauth undo {domain} --lost"
        if is_kept
        else "Make in the CCP what is missing.",
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
    what = f"{change_set.place.domain} has changed since the plan was made: {'; '.join(moved)}."
    return Result(change_set, Status.STALE, Failure.of(StaleError(what, PLAN_AGAIN)))


def already(change_set: ChangeSet) -> Result:
    """The result for a zone that somebody has meanwhile put into the planned state."""
    return Result(change_set, Status.ALREADY)


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


Item = TypeVar("Item", Wish, ChangeSet)


def apply_unasked(session: Session, wishes: Sequence[Wish]) -> RunResult:
    """Plan, show and write each domain in turn, asking nothing (``--yes``)."""

    def prepare(wish: Wish, turn: Turn) -> Result | Draft:
        drafted = draft(session, wish, to_write=True)
        turn.tell(partial(session.reporter.show, drafted.change_set))
        return (
            unwritten(drafted.change_set)
            if holding.let_through(drafted.change_set).is_empty
            else drafted
        )

    def failed(wish: Wish, error: MailauthError) -> Result:
        change_set = planning.failed(session, wish, error)
        return Result(change_set, Status.FAILED, change_set.error)

    def skipped(wish: Wish, ended: MailauthError) -> Result:
        change_set = not_tried(wish, ended)
        return Result(change_set, Status.NOT_TRIED, change_set.error)

    return write_each(session, wishes, prepare, failed, skipped)


def apply(session: Session, plan: Plan, wishes: Iterable[Wish]) -> RunResult:
    """Write a plan that somebody has agreed to, however long that took.

    ``wishes`` are those that the plan was made from.
    """
    wished = {wish.domain: wish for wish in wishes}

    def again(planned: ChangeSet) -> Draft:
        return draft(session, _same_wish(wished[planned.domain], planned), to_write=True)

    return apply_agreed(session, plan, again)


def apply_agreed(session: Session, plan: Plan, again: Callable[[ChangeSet], Draft]) -> RunResult:
    """Write a plan once each zone was read and judged ``again``, as it was when the plan was made.

    What comes of that has to be what was planned, and the guard must not stop what it did not stop
    then.
    """

    def prepare(planned: ChangeSet, _turn: Turn) -> Result | Draft:
        ready = holding.let_through(planned)
        if planned.error is not None or ready.is_empty:
            return unwritten(planned)
        try:
            now = again(planned)
        except ZoneError as error:
            raise _gone(planned, error) from None
        if drift(ready, now.zone) or not (moved := _otherwise(planned, now.change_set)):
            return Draft(planned, now.zone)
        return stale(planned, moved)

    return write_each(session, plan.zones, prepare, failed_plan, skipped_plan)


def _same_wish(wish: Wish, planned: ChangeSet) -> Wish:
    """The wish of a plan, with what was accepted in it since, and in the zone that was found."""
    known = {"allow": list(planned.allow), "zone": planned.place.zone}
    return replace(wish, discovered=False, policy=wish.policy.model_copy(update=known))


def _otherwise(planned: ChangeSet, now: ChangeSet) -> tuple[str, ...]:
    """What the guard stops now of what it let through then; else what else the wish comes to."""
    stops = [stop for stop in holding.stopping(now) if stop.kind not in planned.held]
    if stops:
        return tuple(stop.message.removesuffix(".") for stop in stops)
    then, later = (
        {(c.hostname, _text(c.before)): _text(c.after) for c in one.changes}
        for one in (planned.without_held, replace(now, held=planned.held).without_held)
    )
    return tuple(
        f"{slot[0]}: {_named(was)} was planned, and {_named(is_now)} is wanted now"
        for slot in dict.fromkeys((*then, *later))
        if (was := then.get(slot, slot[1])) != (is_now := later.get(slot, slot[1]))
    )


def _text(record: DnsRecord | None) -> str | None:
    return None if record is None else record.destination


def _named(text: str | None) -> str:
    return "no record" if text is None else dkim.abridged(text)


def write_each(
    session: Session,
    items: Sequence[Item],
    prepare: Callable[[Item, Turn], Result | Draft],
    failed: Callable[[Item, MailauthError], Result],
    skipped: Callable[[Item, MailauthError], Result],
) -> RunResult:
    """Prepare and write each item, with the lock held from before its read to the verification.

    One that fails does not stop the others, unless its error ends the run. Domains of one zone
    are never worked on at the same time.

    ``prepare`` makes what is to be written from the zone as it is now, or says why nothing is to
    be. ``failed`` and ``skipped`` give the result for an item that an error was raised about, and
    for one whose turn did not come.
    """

    def work(item: Item, turn: Turn) -> Result:
        try:
            ready = prepare(item, turn)
            if turn.ended is not None and isinstance(ready, Draft):  # by another job, meanwhile
                ready = skipped(item, turn.ended)
            result = _carried_out(session, ready, turn)
        finally:
            session.backend.release()
        if result.ended_by is not None:
            turn.end(result.ended_by)
        return result

    def reported_failure(item: Item, error: MailauthError, turn: Turn) -> Result:
        return _reported(session, failed(item, error), turn)

    def reported_skip(item: Item, ended: MailauthError, turn: Turn) -> Result:
        return _reported(session, skipped(item, ended), turn)

    with session.lock():
        done = each(items, work, reported_failure, reported_skip, session.jobs, _zone_form)
        return RunResult(tuple(done))


def _carried_out(session: Session, ready: Result | Draft, turn: Turn) -> Result:
    """Write what is to be written, undisturbed by signals, and report what came of it."""
    if isinstance(ready, Result):
        return _reported(session, ready, turn)
    change_set = ready.change_set
    # The result is reported inside, so that an interrupted run still says what it wrote.
    with uninterrupted(f"the write to {change_set.place.zone}"):
        result = write(session, holding.let_through(change_set), ready.zone)
        return _reported(session, _with_held(change_set, result), turn)


def _reported(session: Session, result: Result, turn: Turn) -> Result:
    """The result; the reporter hears of it when its turn has come."""
    turn.tell(partial(session.reporter.done, result))
    return result


def _zone_form(item: Wish | ChangeSet) -> str:
    """What the domains of one zone have in common, known before DNS is asked for the zone."""
    return zone_form(item.domain if isinstance(item, Wish) else item.place.domain)


def failed_plan(change_set: ChangeSet, error: MailauthError) -> Result:
    """The result for a change set that could not be written because of ``error``."""
    status = Status.STALE if isinstance(error, StaleError) else Status.FAILED
    return Result(change_set, status, Failure.of(error))


def skipped_plan(change_set: ChangeSet, ended: MailauthError) -> Result:
    """The result for a change set whose turn did not come."""
    return Result(change_set, Status.NOT_TRIED, not_tried_failure(ended))


def unwritten(change_set: ChangeSet) -> Result:
    """The result for a change set that there is no reason, or no leave, to write."""
    if change_set.error is not None:
        return Result(change_set, Status.FAILED, change_set.error)
    stops = holding.stopping(change_set)
    if stops:
        return Result(change_set, Status.REFUSED, Failure.of(refusal(change_set, stops)))
    return Result(change_set, Status.UNCHANGED)


def _with_held(change_set: ChangeSet, result: Result) -> Result:
    """The result of writing a part, as that of the whole: what is held back is not done."""
    if not change_set.held:
        return result
    failure = result.failure or Failure.of(_held_back(change_set))
    return replace(result, change_set=change_set, failure=failure)


def _held_back(change_set: ChangeSet) -> RefusedError:
    stops = holding.stopping(change_set)
    codes = ", ".join(dict.fromkeys(finding.code for finding in stops))
    held = [kind.upper() for kind in Kind if kind in change_set.held]
    words = f"{' and '.join(held)} {'is' if len(held) == 1 else 'are'} held back"
    return RefusedError(f"{change_set.place.domain}: {words}, because of {codes}.")


def refusal(change_set: ChangeSet, stops: tuple[Finding, ...]) -> RefusedError:
    """The error for a change set that the guard does not let pass."""
    codes = ", ".join(dict.fromkeys(finding.code for finding in stops))
    return RefusedError(f"{change_set.place.domain}: nothing was written, because of {codes}.")
