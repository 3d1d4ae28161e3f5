"""What is not to be written is not, under the lock and undisturbed; nor after the run has ended."""

from __future__ import annotations

import os
import signal
import threading
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import pytest

from netcup_mailauth.actions import planning
from netcup_mailauth.actions.applying import (
    apply,
    apply_unasked,
    failed_plan,
    skipped_plan,
    write_each,
)
from netcup_mailauth.actions.planning import Draft
from netcup_mailauth.actions.session import Session
from netcup_mailauth.errors import ExitCode, WaitError
from netcup_mailauth.plan import ChangeSet, Place, Result, Status
from netcup_mailauth.records import Zone
from tests.core.judge.cases import DMARC, mail_zone
from tests.story.actions.test_planfile import SPF, Unwritten, World, wish, world
from tests.unlimited import Unlimited

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from netcup_mailauth.actions.domains import Turn
    from netcup_mailauth.plan import RunResult
    from netcup_mailauth.policy import Wish

PATIENCE = 10.0
LOCKED, READY, LATER = (
    ChangeSet(Place(f"{name}.example", f"{name}.example")) for name in ("locked", "ready", "later")
)


class Ended:
    """Knows when the run's end was noted: the failure is reported after it."""

    def __init__(self) -> None:
        self.noted = threading.Event()

    def failed(self, change_set: ChangeSet, error: Any) -> Result:
        self.noted.set()
        return failed_plan(change_set, error)


def test_a_job_that_is_ready_to_write_does_not_once_another_was_locked_out() -> None:
    heard = Ended()
    both_begun = threading.Barrier(2)

    def prepare(change_set: ChangeSet, _turn: Turn) -> Draft:
        both_begun.wait(PATIENCE)
        if change_set is LOCKED:
            raise WaitError("locked out")
        assert heard.noted.wait(PATIENCE)
        return Draft(change_set, Zone(change_set.place.zone, "ccp", ()))

    # Unlimited has no method to write with.
    session = Session(cast("Any", Unlimited()), jobs=2)
    run = write_each(session, [LOCKED, READY, LATER], prepare, heard.failed, skipped_plan)
    statuses = [result.status for result in run.results]
    assert statuses == [Status.FAILED, Status.NOT_TRIED, Status.NOT_TRIED]


FINE = wish(spf="v=spf1 mx ip4:192.0.2.7 -all")
DROPS_A_SENDER = wish(spf="v=spf1 mx ~all")
OTHER = wish("example.net", spf="v=spf1 mx ip4:192.0.2.7 ip4:192.0.2.8 ~all")


def outright(here: World, *wishes: Wish) -> RunResult:
    return apply_unasked(here.session, wishes)


def after_a_review(here: World, *wishes: Wish) -> RunResult:
    return apply(here.session, planning.plan(here.session, wishes), wishes)


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


IN_PART = wish(spf="v=spf1 mx ~all", dmarc=DMARC.replace("quarantine", "reject"))


@ways
def test_a_danger_holds_back_its_own_kind_and_the_run_ends_as_refused(
    way: Callable[..., RunResult],
) -> None:
    here = world(mail_zone(spf=SPF))
    run = way(here, IN_PART)
    (result,) = run.results
    assert (result.status, run.exit_code) == (Status.APPLIED, ExitCode.REFUSED)
    assert result.failure is not None
    assert "SPF is held back, because of spf-drops-sender" in result.failure.message
    ((written,),) = here.backend.writes
    assert written.after is not None
    assert written.after.hostname == "_dmarc"
    assert [r.destination for r in here.backend.zones["example.com"].at("@", "TXT")].count(SPF) == 1


def test_the_lock_is_held_from_the_read_to_the_last_write(monkeypatch: pytest.MonkeyPatch) -> None:
    here = world()
    order: list[str] = []
    for name in ("zone", "apply"):
        monkeypatch.setattr(here.backend, name, heard(name, order, getattr(here.backend, name)))

    class Locking(Unwritten):
        @contextmanager
        def lock(self, _timeout: float) -> Iterator[None]:
            order.append("locked")
            yield
            order.append("free")

    apply_unasked(replace(here.session, state=Locking()), [FINE])
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
    monkeypatch.setattr(
        here.backend,
        "apply",
        heard("", [], here.backend.apply, lambda: os.kill(os.getpid(), signal.SIGINT)),
    )
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            apply_unasked(here.session, [FINE])
    finally:
        signal.signal(signal.SIGINT, before)
    assert [result.status for result in here.heard.results] == [Status.APPLIED]


def heard(
    name: str, order: list[str], call: Callable[..., Any], first: Callable[[], None] = lambda: None
) -> Callable[..., Any]:
    """The call, which is noted; ``first`` happens just before it."""

    def hear(*arguments: Any) -> Any:
        order.append(name)
        first()
        return call(*arguments)

    return hear
