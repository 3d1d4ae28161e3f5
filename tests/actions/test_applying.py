"""What is not to be written is not, under the lock and undisturbed; nor after the run has ended."""

from __future__ import annotations

import os
import signal
import threading
from contextlib import contextmanager, nullcontext
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from netcup_mailauth.actions.applying import Applier, failed_plan, skipped_plan
from netcup_mailauth.actions.crew import Crew
from netcup_mailauth.actions.planning import Draft
from netcup_mailauth.actions.writing import Writer
from netcup_mailauth.errors import WaitError
from netcup_mailauth.plan import ChangeSet, Place
from netcup_mailauth.records import Zone
from netcup_mailauth.results import Result, Status
from tests.actions.test_replaying import SPF, World, wish, world
from tests.judge.cases import mail_zone
from tests.unlimited import Unlimited

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from netcup_mailauth.actions.crew import Tell
    from netcup_mailauth.actions.planning import Wish
    from netcup_mailauth.results import RunResult

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


FINE = wish(spf="v=spf1 mx ip4:192.0.2.7 -all")
DROPS_A_SENDER = wish(spf="v=spf1 mx ~all")
OTHER = wish("example.net", spf="v=spf1 mx ip4:192.0.2.7 ip4:192.0.2.8 ~all")


def applier(here: World, lock: Any = nullcontext) -> Applier:
    return Applier(here.planner, Writer(here.backend, lambda _: None), lock)


def outright(here: World, *wishes: Wish) -> RunResult:
    return applier(here).apply_all(wishes, lambda _: None, lambda _: None)


def after_a_review(here: World, *wishes: Wish) -> RunResult:
    return applier(here).apply_reviewed(here.planner.plan(wishes), lambda _: None)


ways = pytest.mark.parametrize("way", [outright, after_a_review])


@ways
def test_what_the_guard_stops_is_not_written(way: Callable[..., RunResult]) -> None:
    here = world(mail_zone(spf=SPF), mail_zone(spf=SPF, name="example.net"))
    run = way(here, DROPS_A_SENDER, OTHER)
    assert [result.status for result in run.results] == [Status.REFUSED, Status.APPLIED]
    assert len(here.backend.writes) == 1


@ways
def test_a_lock_out_in_answer_to_a_write_keeps_the_others_from_being_tried(
    way: Callable[..., RunResult], monkeypatch: pytest.MonkeyPatch
) -> None:
    here = world(mail_zone(spf=SPF), mail_zone(spf=SPF, name="example.net"))
    sent: list[str] = []

    def apply(zone: Zone, _changes: Any) -> Zone:
        sent.append(zone.name)
        raise WaitError("netcup has locked the account.")

    monkeypatch.setattr(here.backend, "apply", apply)
    run = way(here, FINE, OTHER)
    assert [result.status for result in run.results] == [Status.UNKNOWN, Status.NOT_TRIED]
    assert sent == ["example.com"]


def test_the_lock_is_held_from_the_read_to_the_last_write(monkeypatch: pytest.MonkeyPatch) -> None:
    here = world()
    order: list[str] = []
    for name in ("zone", "apply"):
        monkeypatch.setattr(here.backend, name, heard(name, order, getattr(here.backend, name)))

    @contextmanager
    def lock() -> Iterator[None]:
        order.append("locked")
        yield
        order.append("free")

    applier(here, lock).apply_all([FINE], lambda _: None, lambda _: None)
    assert order == ["locked", "zone", "apply", "free"]


def test_the_calls_that_were_reserved_are_given_back_also_where_nothing_is_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    here = world(mail_zone(spf=SPF), mail_zone(spf=SPF, name="example.net"))
    order: list[str] = []
    monkeypatch.setattr(here.backend, "release", heard("release", order, lambda: None))
    outright(here, DROPS_A_SENDER, OTHER)
    assert order == ["release"] * 2


def test_a_signal_during_a_write_takes_effect_when_it_is_done_and_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    here = world()
    told: list[Status] = []
    monkeypatch.setattr(
        here.backend,
        "apply",
        heard("", [], here.backend.apply, lambda: os.kill(os.getpid(), signal.SIGINT)),
    )
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            applier(here).apply_all([FINE], lambda _: None, lambda r: told.append(r.status))
    finally:
        signal.signal(signal.SIGINT, before)
    assert told == [Status.APPLIED]


def heard(
    name: str, order: list[str], call: Callable[..., Any], first: Callable[[], None] = lambda: None
) -> Callable[..., Any]:
    """The call, which is noted; ``first`` happens just before it."""

    def hear(*arguments: Any) -> Any:
        order.append(name)
        first()
        return call(*arguments)

    return hear
