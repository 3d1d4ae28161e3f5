"""Jobs side by side: told in order, stopped in an orderly way, never two in one zone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from netcup_mailauth.actions import domains
from netcup_mailauth.actions.domains import Gate, in_order
from netcup_mailauth.errors import ExitCode
from tests.threads import only

if TYPE_CHECKING:
    from collections.abc import Iterator

    from netcup_mailauth.actions.domains import Tell

PATIENCE = 60.0
"""Seconds after which a test that hangs fails."""


class HeardError(Exception):
    """What a signal raises here once it takes effect."""


@pytest.fixture(autouse=True)
def _handler() -> Iterator[None]:
    def hear(_number: int, _frame: object) -> None:
        raise HeardError

    before = signal.signal(signal.SIGINT, hear)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("jobs", [1, 2, 5, 32])
def test_outcomes_and_words_come_in_the_order_of_the_items(jobs: int) -> None:
    said: list[int] = []

    def task(item: int, tell: Tell) -> int:
        tell(lambda: said.append(item))
        return item * 10

    assert list(in_order(range(50), task, jobs)) == [item * 10 for item in range(50)]
    assert said == list(range(50))


@pytest.mark.parametrize("most", [0, 1, 3])
def test_a_machine_that_gives_few_threads_or_none_does_it_with_those(most: int) -> None:
    said: list[int] = []
    gate = Gate(2)

    def task(item: int, tell: Tell) -> int:
        with gate.passing(item) as turn, turn:
            tell(lambda: said.append(item))
        return item

    with only(most):
        assert list(in_order(range(50), task, jobs=32)) == list(range(50))
    assert said == list(range(50))


def test_as_many_as_there_are_jobs_work_at_once() -> None:
    """Each waits for the two others: with fewer at a time nobody would get on."""
    together = threading.Barrier(3)

    def task(_item: int, _tell: Tell) -> int:
        return together.wait(PATIENCE)

    assert sorted(in_order(range(3), task, 3)) == [0, 1, 2]


def test_the_first_is_told_before_a_later_one_that_was_done_long_ago() -> None:
    second_done = threading.Event()
    said: list[str] = []

    def task(item: str, tell: Tell) -> None:
        if item == "first":
            assert second_done.wait(PATIENCE)
        tell(lambda: said.append(item))
        if item == "second":
            second_done.set()

    list(in_order(["first", "second"], task, 2))
    assert said == ["first", "second"]


def test_everything_is_told_by_the_calling_thread() -> None:
    """Whoever prints needs no lock, and finds the command's options."""
    threads: set[threading.Thread] = set()

    def task(_item: int, tell: Tell) -> None:
        tell(lambda: threads.add(threading.current_thread()))

    list(in_order(range(20), task, 4))
    assert threads == {threading.current_thread()}


def test_items_that_share_something_are_never_worked_on_at_the_same_time() -> None:
    """Two domains of one zone: the second reads the zone as the first has left it."""
    at_work: list[str] = []
    collisions: list[str] = []
    pause = threading.Event()

    def task(item: str, _tell: Tell) -> None:
        zone = item[0]
        if zone in at_work:
            collisions.append(item)
        at_work.append(zone)
        pause.wait(0.001)
        at_work.remove(zone)

    items = [f"{zone}{number}" for number in range(20) for zone in "ab"]
    list(in_order(items, task, 8, shares=lambda item: item[0]))
    assert collisions == []


def test_after_a_signal_none_is_begun_and_those_that_run_are_finished_and_told() -> None:
    begun: list[int] = []
    said: list[int] = []
    both_begun = threading.Barrier(2)

    def task(item: int, tell: Tell) -> int:
        begun.append(item)
        both_begun.wait(PATIENCE)
        if item == 0:
            os.kill(os.getpid(), signal.SIGINT)
        assert main_heard.wait(PATIENCE)
        tell(lambda: said.append(item))
        return item

    main_heard = threading.Event()
    outcomes: list[int] = []

    def run() -> None:
        with _noticing(main_heard):
            outcomes.extend(in_order(range(20), task, 2))

    with pytest.raises(HeardError):
        run()
    assert sorted(begun) == [0, 1]
    assert said == [0, 1]


@contextmanager
def _noticing(heard: threading.Event) -> Iterator[None]:
    """Sets the event as soon as "Waiting for ..." is written, so once the signal was heard."""
    real = sys.stderr

    class Watched:
        def write(self, text: str) -> int:
            if "Waiting for what is being worked on" in text:
                heard.set()
            return real.write(text)

        def flush(self) -> None:
            real.flush()

        def isatty(self) -> bool:
            return False

    sys.stderr = Watched()
    try:
        yield
    finally:
        sys.stderr = real


def test_an_error_nobody_expected_ends_the_run_after_the_others_are_told() -> None:
    """What another job has written meanwhile is not kept from the user."""
    said: list[int] = []
    begun: list[int] = []
    both_begun = threading.Barrier(2)
    failed = threading.Event()

    def task(item: int, tell: Tell) -> int:
        begun.append(item)
        both_begun.wait(PATIENCE)
        tell(lambda: said.append(item))
        if item == 0:
            tell(failed.set)
            raise ZeroDivisionError
        assert failed.wait(PATIENCE)  # it ends after the first one's error is known
        return item

    with pytest.raises(ZeroDivisionError):
        list(in_order(range(20), task, 2))
    assert said == [0, 1]
    assert sorted(begun) == [0, 1]


def test_when_nobody_can_be_told_any_more_none_is_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    """As with ``| head``: the pipe is closed, and no further domain may be written to."""
    begun: list[int] = []
    stopped = threading.Event()

    class Stop(threading.Event):
        def set(self) -> None:
            super().set()
            stopped.set()

    def say() -> None:
        raise BrokenPipeError

    def task(item: int, tell: Tell) -> None:
        begun.append(item)
        if item > 0:  # those that run already when the first one is to be told
            assert stopped.wait(PATIENCE)
        tell(say)

    monkeypatch.setattr(domains, "threading", SimpleNamespace(Event=Stop, Lock=threading.Lock))
    with pytest.raises(BrokenPipeError):
        list(in_order(range(200), task, 2))
    assert len(begun) <= 3


def test_alone_it_uses_no_threads() -> None:
    def task(_item: int, _tell: Tell) -> bool:
        return threading.current_thread() is threading.main_thread()

    assert all(in_order(range(3), task, 1))
    assert all(in_order([1], task, 8))


TWICE = """
import contextlib, os, signal, sys, threading, time
from netcup_mailauth.actions.domains import Gate, in_order
from netcup_mailauth.actions.signals import uninterrupted

begun = threading.Barrier(3)
around = uninterrupted if sys.argv[1] == "writes" else contextlib.nullcontext

def task(zone, tell):
    with around(f"the write to {zone}"):
        begun.wait()
        time.sleep(30)

def interrupt():
    begun.wait()
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(0.2)
    os.kill(os.getpid(), signal.SIGTERM)

threading.Thread(target=interrupt, daemon=True).start()
list(in_order(["a.example", "b.example"], task, 2))
"""


@pytest.mark.parametrize(
    ("at_work", "code", "words"),
    [
        (
            "writes",
            ExitCode.UNVERIFIED,
            "Stopped during the write to {} and the write to {}; whether each arrived is not known",
        ),
        ("reads", ExitCode.INTERRUPTED, "Interrupted."),
    ],
)
def test_a_second_signal_stops_at_once_and_names_the_writes_in_flight(
    at_work: str, code: ExitCode, words: str
) -> None:
    """Exit code 8 means that something may have been written; where nothing can, it is 130."""
    ended = subprocess.run(
        [sys.executable, "-c", TWICE, at_work],
        capture_output=True,
        text=True,
        check=False,
        timeout=20,
    )
    assert ended.returncode == code, ended.stderr
    orders = [("a.example", "b.example"), ("b.example", "a.example")]
    assert any(words.format(*order) in ended.stderr for order in orders), ended.stderr


def test_signals_of_a_process_that_is_somebody_elses_are_left_alone() -> None:
    before = signal.getsignal(signal.SIGINT)

    def task(item: int, _tell: Tell) -> bool:
        return signal.getsignal(signal.SIGINT) is before

    assert all(in_order(range(4), task, 2, held=False))
    assert not any(in_order(range(4), task, 2))


# ---------------------------------------------------------------------------------- the gate


@pytest.mark.parametrize("jobs", [1, 3])
def test_what_goes_through_a_gate_goes_in_order_and_so_many_at_a_time(jobs: int) -> None:
    """Whoever is there first waits for those before it, and for those that never come."""
    gate = Gate(jobs)
    entered: list[int] = []
    most: list[int] = []
    inside: set[int] = set()

    def task(item: int, _tell: Tell) -> int:
        with gate.passing(item) as turn:
            if item % 5 == 3:
                return item  # which fails before it comes there
            time.sleep(0.002 * (7 - item % 7))
            with turn:
                entered.append(item)
                inside.add(item)
                most.append(len(inside))
                time.sleep(0.002)
                inside.remove(item)
        return item

    assert list(in_order(range(40), task, 8)) == list(range(40))
    assert entered == [item for item in range(40) if item % 5 != 3]
    assert max(most) <= jobs


def test_an_error_inside_a_gate_lets_the_next_one_through() -> None:
    gate = Gate(1)

    def task(item: int, _tell: Tell) -> None:
        with gate.passing(item) as turn, turn:
            if item == 0:
                raise HeardError

    with pytest.raises(HeardError):
        list(in_order(range(3), task, 3))
    with gate.passing(3) as turn, turn:
        pass


def test_after_a_signal_nobody_waits_for_those_that_do_not_begin_any_more() -> None:
    gate = Gate(1)
    with gate.passing(7) as turn, turn:
        pass
