"""``apply --plan``: exactly the plan in a file, judged anew on the zone as it is now.

Nothing that the file says of itself is believed where it could be asked: the guard judges again,
the source of a DKIM key is asked again, and the zone has to be as it was when the plan was made.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from netcup_mailauth import planfile
from netcup_mailauth.actions.applying import (
    Done,
    Show,
    failed_plan,
    skipped_plan,
    unwritten,
)
from netcup_mailauth.actions.planning import Draft
from netcup_mailauth.actions.rejudging import Rejudge, asked_again, left
from netcup_mailauth.actions.writing import already, stale
from netcup_mailauth.errors import StaleError
from netcup_mailauth.findings import Severity
from netcup_mailauth.judge import guard
from netcup_mailauth.names import absolute
from netcup_mailauth.preconditions import drift, outcome, rebound
from netcup_mailauth.records import Kind
from netcup_mailauth.results import Result, RunResult, Status

if TYPE_CHECKING:
    from netcup_mailauth.actions.applying import Applier
    from netcup_mailauth.actions.crew import Tell
    from netcup_mailauth.keys.files import DkimSource
    from netcup_mailauth.plan import ChangeSet, Failure
    from netcup_mailauth.planfile import SavedPlan

Note = Callable[[str], None]


def _silent(_: object) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class Replayer:
    """Applies plan files.

    Attributes:
        applier: writes them; its planner's back end, DNS, keys and memory are used.
        has_mailcow: whether there is a mailcow that can be asked for keys.
        note: told of what could not be asked again, in a sentence.
        show_anew: shown what the records of a stale plan would change now.
    """

    applier: Applier
    has_mailcow: bool = False
    note: Note = _silent
    show_anew: Show = _silent

    def replay(self, saved: SavedPlan, show: Show, done: Done) -> RunResult:
        """Write a saved plan; each zone is read, compared and judged first.

        Raises:
            UsageError: it is for another API, endpoint or account.
            RefusedError: it holds what no plan would. Nothing was asked or written.
        """
        backend = self.applier.planner.backend
        planfile.check_content(saved)
        planfile.check_ours(saved, backend)
        planfile.check_storable(saved, backend)
        rejudge = Rejudge(self.applier.planner, saved, _authorised(saved))

        def prepare(change_set: ChangeSet, tell: Tell) -> Result | Draft:
            if change_set.error is not None:
                return _unplanned(change_set, change_set.error)
            refusals = _refusals(change_set)
            if change_set.is_empty or refusals.findings:
                return unwritten(refusals)
            return self._judged(change_set, rejudge, show, tell)

        return self.applier.each(list(saved.plan.zones), prepare, failed_plan, skipped_plan, done)

    def _judged(
        self, planned: ChangeSet, rejudge: Rejudge, show: Show, tell: Tell
    ) -> Result | Draft:
        source = rejudge.saved.grounds_of(planned).source_ref
        keys = self.applier.planner.keys
        key: DkimSource | StaleError | None
        try:
            # Before the zone, between whose read and write nothing slow should stand.
            key = asked_again(planned, source, keys, has_mailcow=self.has_mailcow, note=self.note)
        except StaleError as error:
            key = error
        zone = self.applier.writer.read(planned)
        moved = drift(planned, zone)
        if moved and not outcome(planned, zone):
            return already(planned)
        if moved:
            if zone.backend == planned.place.backend:
                tell(partial(self.show_anew, rejudge.anew(planned, zone)))
            return stale(planned, moved)
        if isinstance(key, StaleError):
            raise key
        judged = rejudge.judged(rebound(planned, zone), zone, key)
        tell(partial(show, judged))
        return unwritten(judged) if guard.stopping(judged) else Draft(judged, zone)


def _authorised(saved: SavedPlan) -> frozenset[str]:
    """The names of the report authorisations that are part of the plan itself."""
    return frozenset(
        absolute(record.hostname, change_set.place.zone)
        for change_set in saved.plan.zones
        for kind, record in left(change_set)
        if kind is Kind.DMARC_REPORT
    )


def _refusals(change_set: ChangeSet) -> ChangeSet:
    """The change set with those findings only that say a wish could not be carried out.

    The guard may not see that any more, as the wish is not in the file. It is the one thing that
    is taken from the findings there, because it can only stop.
    """
    kept = (f for f in change_set.findings if f.severity is Severity.REFUSED)
    return replace(change_set, findings=tuple(kept))


def _unplanned(change_set: ChangeSet, failure: Failure) -> Result:
    what = f"It could not be planned: {failure.message}"
    return Result(change_set, Status.FAILED, replace(failure, message=what))
