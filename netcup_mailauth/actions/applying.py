"""``apply``: plan, show, ask, write once per zone, verify."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from netcup_mailauth import guard
from netcup_mailauth.actions.planning import Planner, Wish, not_tried, not_tried_failure
from netcup_mailauth.actions.signals import uninterrupted
from netcup_mailauth.errors import MailauthError, RefusedError
from netcup_mailauth.plan import ChangeSet, Failure, Plan
from netcup_mailauth.results import Result, RunResult, Status

if TYPE_CHECKING:
    from netcup_mailauth.actions.writing import Writer
    from netcup_mailauth.findings import Finding
    from netcup_mailauth.records import Zone

Lock = Callable[[], AbstractContextManager[None]]
Show = Callable[[ChangeSet], None]
Done = Callable[[Result], None]


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

        def work(wish: Wish) -> Result:
            draft = self.planner.draft(wish)
            show(draft.change_set)
            if guard.stopping(draft.change_set):
                return report(unwritten(draft.change_set), done)
            return self.write(draft.change_set, draft.zone, done)

        def failed(wish: Wish, error: MailauthError) -> Result:
            change_set = self.planner.failed(wish, error)
            return Result(change_set, Status.FAILED, change_set.error)

        def skipped(wish: Wish, ended: MailauthError) -> Result:
            change_set = not_tried(wish, ended)
            return Result(change_set, Status.NOT_TRIED, change_set.error)

        with self.lock():
            return each(list(wishes), work, failed, skipped, done)

    def apply_reviewed(self, plan: Plan, done: Done) -> RunResult:
        """Write a plan that somebody has just agreed to; each zone is read again first."""

        def work(change_set: ChangeSet) -> Result:
            if change_set.error is not None or change_set.is_empty or guard.stopping(change_set):
                return report(unwritten(change_set), done)
            return self.write(change_set, self._read_again(change_set), done)

        def failed(change_set: ChangeSet, error: MailauthError) -> Result:
            return Result(change_set, Status.FAILED, Failure.of(error))

        def skipped(change_set: ChangeSet, ended: MailauthError) -> Result:
            return Result(change_set, Status.NOT_TRIED, not_tried_failure(ended))

        with self.lock():
            return each(list(plan.zones), work, failed, skipped, done)

    def _read_again(self, change_set: ChangeSet) -> Zone:
        return self.planner.backend.zone(change_set.place.zone)

    def write(self, change_set: ChangeSet, zone: Zone, done: Done) -> Result:
        """Write one change set, whose precondition was just read, undisturbed by signals."""
        # The result is reported inside, so that an interrupted run still says what it wrote.
        with uninterrupted(f"the write to {change_set.place.zone}"):
            return report(self.writer.write(change_set, zone), done)


Item = TypeVar("Item", Wish, ChangeSet)


def each(
    items: Sequence[Item],
    work: Callable[[Item], Result],
    failed: Callable[[Item, MailauthError], Result],
    skipped: Callable[[Item, MailauthError], Result],
    done: Done,
) -> RunResult:
    """Work on each item; one that fails does not stop the others, unless its error ends the run."""
    results: list[Result] = []
    ended: MailauthError | None = None
    for item in items:
        if ended is not None:
            results.append(report(skipped(item, ended), done))
            continue
        try:
            results.append(work(item))
        except MailauthError as error:
            ended = error if error.ends_run else None
            results.append(report(failed(item, error), done))
    return RunResult(tuple(results))


def report(result: Result, done: Done) -> Result:
    """The result, once ``done`` has heard of it."""
    done(result)
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
