"""Jobs side by side: an error that ends the run keeps the others from writing."""

from __future__ import annotations

import threading
from contextlib import nullcontext
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from netcup_mailauth.actions.applying import Applier, failed_plan, skipped_plan
from netcup_mailauth.actions.crew import Crew
from netcup_mailauth.actions.planning import Draft
from netcup_mailauth.errors import WaitError
from netcup_mailauth.plan import ChangeSet, Place
from netcup_mailauth.records import Zone
from netcup_mailauth.results import Result, Status
from tests.unlimited import Unlimited

if TYPE_CHECKING:
    from netcup_mailauth.actions.crew import Tell

PATIENCE = 10.0
LOCKED, READY, LATER = (
    ChangeSet(Place(f"{name}.example", f"{name}.example")) for name in ("locked", "ready", "later")
)


class NoWriter:
    """Nothing may be written."""

    def write(self, change_set: ChangeSet, _zone: Zone) -> Result:
        raise AssertionError(change_set.place.domain)


class Heard:
    """Knows when the run's end was noted: the failure is reported after it."""

    def __init__(self) -> None:
        self.noted = threading.Event()

    def failed(self, change_set: ChangeSet, error: Any) -> Result:
        self.noted.set()
        return failed_plan(change_set, error)


def test_a_job_that_is_ready_to_write_does_not_once_another_was_locked_out() -> None:
    heard = Heard()
    both_begun = threading.Barrier(2)

    def prepare(change_set: ChangeSet, _tell: Tell) -> Draft:
        both_begun.wait(PATIENCE)
        if change_set is LOCKED:
            raise WaitError("locked out")
        assert heard.noted.wait(PATIENCE)
        return Draft(change_set, Zone(change_set.place.zone, "ccp", ()))

    planner = cast("Any", SimpleNamespace(crew=Crew(2), backend=Unlimited()))
    applier = Applier(planner, cast("Any", NoWriter()), nullcontext)
    items = [LOCKED, READY, LATER]
    run = applier.each(items, prepare, heard.failed, skipped_plan, lambda _: None)
    statuses = [result.status for result in run.results]
    assert statuses == [Status.FAILED, Status.NOT_TRIED, Status.NOT_TRIED]
