"""``apply``: plan, show, ask, write once per zone, verify."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from netcup_mailauth.actions.planning import (
    Draft,
    Planner,
    Wish,
    not_tried,
    not_tried_failure,
)
from netcup_mailauth.actions.signals import uninterrupted
from netcup_mailauth.errors import MailauthError, RefusedError, StaleError
from netcup_mailauth.judge import guard
from netcup_mailauth.names import zone_form
from netcup_mailauth.plan import ChangeSet, Failure, Plan
from netcup_mailauth.results import Result, RunResult, Status

if TYPE_CHECKING:
    from netcup_mailauth.actions.crew import Tell
    from netcup_mailauth.actions.writing import Writer
    from netcup_mailauth.findings import Finding

Lock = Callable[[], AbstractContextManager[None]]
Show = Callable[[ChangeSet], None]
Done = Callable[[Result], None]
Item = TypeVar("Item", Wish, ChangeSet)


@dataclass(frozen=True, slots=True)
class Applier:
    """Applies wishes or a reviewed plan.

    Attributes:
        planner: makes the change sets.
        writer: writes them.
        lock: holds the account's lock; never held while somebody is asked something.
    """

    planner: Planner
    writer: Writer
    lock: Lock

    def apply_all(self, wishes: Iterable[Wish], show: Show, done: Done) -> RunResult:
        """Plan, show and write each domain in turn, asking nothing (``--yes``)."""

        def prepare(wish: Wish, tell: Tell) -> Result | Draft:
            draft = self.planner.draft(wish, to_write=True)
            tell(partial(show, draft.change_set))
            return unwritten(draft.change_set) if guard.stopping(draft.change_set) else draft

        def failed(wish: Wish, error: MailauthError) -> Result:
            change_set = self.planner.failed(wish, error)
            return Result(change_set, Status.FAILED, change_set.error)

        def skipped(wish: Wish, ended: MailauthError) -> Result:
            change_set = not_tried(wish, ended)
            return Result(change_set, Status.NOT_TRIED, change_set.error)

        return self.each(list(wishes), prepare, failed, skipped, done)

    def apply_reviewed(self, plan: Plan, done: Done) -> RunResult:
        """Write a plan that somebody has just agreed to; each zone is read again first."""

        def prepare(change_set: ChangeSet, _tell: Tell) -> Result | Draft:
            if change_set.error is not None or change_set.is_empty or guard.stopping(change_set):
                return unwritten(change_set)
            return Draft(change_set, self.writer.read(change_set))

        return self.each(list(plan.zones), prepare, failed_plan, skipped_plan, done)

    def each(
        self,
        items: Sequence[Item],
        prepare: Callable[[Item, Tell], Result | Draft],
        failed: Callable[[Item, MailauthError], Result],
        skipped: Callable[[Item, MailauthError], Result],
        done: Done,
    ) -> RunResult:
        """Prepare and write each item, with the account's lock held.

        One that fails does not stop the others, unless its error ends the run. Domains of one
        zone are never worked on at the same time.

        Args:
            items: the wishes, or the change sets of a plan.
            prepare: makes what is to be written, from the zone as it is now; or says why nothing
                is to be.
            failed: the result for an item that an error was raised about.
            skipped: the result for an item whose turn did not come, because of an earlier error.
            done: hears of each result.
        """
        ended: list[MailauthError] = []

        def attempt(item: Item, tell: Tell) -> Result:
            if ended:
                return report(skipped(item, ended[0]), done, tell)
            try:
                ready = prepare(item, tell)
                if ended and isinstance(ready, Draft):  # by another job, meanwhile
                    ready = skipped(item, ended[0])
                result = self._carried_out(ready, done, tell)
            except MailauthError as error:
                if error.ends_run:
                    ended.append(error)
                return report(failed(item, error), done, tell)
            finally:
                self.planner.backend.release()
            if result.ended_by is not None:
                ended.append(result.ended_by)
            return result

        with self.lock():
            return RunResult(tuple(self.planner.crew.work(items, attempt, _zone_form)))

    def _carried_out(self, ready: Result | Draft, done: Done, tell: Tell) -> Result:
        """Write what is to be written, undisturbed by signals, and report what came of it."""
        if isinstance(ready, Result):
            return report(ready, done, tell)
        change_set = ready.change_set
        # The result is reported inside, so that an interrupted run still says what it wrote.
        with uninterrupted(f"the write to {change_set.place.zone}"):
            return report(self.writer.write(change_set, ready.zone), done, tell)


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


def report(result: Result, done: Done, tell: Tell) -> Result:
    """The result; ``done`` hears of it when its turn has come."""
    tell(partial(done, result))
    return result


def unwritten(change_set: ChangeSet) -> Result:
    """The result for a change set that there is no reason, or no leave, to write."""
    if change_set.error is not None:
        return Result(change_set, Status.FAILED, change_set.error)
    stops = guard.stopping(change_set)
    if stops:
        return Result(change_set, Status.REFUSED, Failure.of(refusal(change_set, stops)))
    return Result(change_set, Status.UNCHANGED)


def refusal(change_set: ChangeSet, stops: tuple[Finding, ...]) -> RefusedError:
    """The error for a change set that the guard does not let pass."""
    codes = ", ".join(dict.fromkeys(finding.code for finding in stops))
    return RefusedError(
        f"{change_set.place.domain}: nothing was written, because of {codes}.",
        "Each of them says above what to do.",
    )
