"""The request budget, with a clock of its own."""

from __future__ import annotations

import threading
import time

from hypothesis import given
from hypothesis import strategies as st

from netcup_mailauth.netcup import CALLS, WINDOW
from netcup_mailauth.netcup.api import Budget


class Clock:
    """Time that passes only by sleeping, or when a test says so."""

    def __init__(self, now: float = 0.0, short: float = 0.0) -> None:
        self.now = now
        self.slept: list[float] = []
        self._short = short

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.slept.append(seconds)
        # A sleep that ends early, once; then a whole one.
        self.now += seconds * (1 - self._short if len(self.slept) % 2 else 1)


def limited(clock: Clock, calls: int, window: float) -> Budget:
    return Budget(calls, window, clock=clock, sleep=clock.sleep)


def test_a_burst_passes_at_once() -> None:
    clock = Clock(1e6)
    some = Budget(clock=clock, sleep=clock.sleep)
    for _ in range(170):
        some.spend()
    assert clock.slept == []
    some.spend()
    assert sum(clock.slept) == 60.0


def test_netcups_limit_is_kept_with_room_for_others() -> None:
    assert (CALLS, WINDOW) == (170, 60.0)


def test_it_waits_only_for_the_oldest_call_to_leave_the_window() -> None:
    clock = Clock()
    some = limited(clock, 2, 10)
    some.spend()
    clock.now = 4
    some.spend()
    clock.now = 7
    some.spend()
    assert (sum(clock.slept), clock.now) == (3.0, 10.0)
    clock.now = 14.5
    some.spend()
    assert sum(clock.slept) == 3.0


def test_a_sleep_that_ends_early_is_slept_again() -> None:
    clock = Clock(short=0.5)
    some = limited(clock, 1, 10)
    some.spend()
    some.spend()
    assert clock.now == 10.0


@given(
    st.integers(1, 6),
    st.floats(0.1, 100),
    st.floats(0, 1e9),
    st.lists(st.floats(0, 60), max_size=40),
    st.sampled_from([0.0, 0.5, 1e-9]),
)
def test_no_window_holds_more_calls_than_allowed(
    calls: int, window: float, start: float, pauses: list[float], short: float
) -> None:
    """Whatever the pace: never one too many, and no wait that was not needed."""
    clock = Clock(start, short)
    some = limited(clock, calls, window)
    spent: list[float] = []
    for pause in pauses:
        clock.now += pause
        before = clock.now
        some.spend()
        due = spent[-calls] + window if len(spent) >= calls else before
        assert clock.now == max(before, due)
        spent.append(clock.now)
    for first, later in zip(spent, spent[calls:], strict=False):
        assert later >= first + window


def test_real_time_is_the_default() -> None:
    some = Budget(1, 0.02)
    started = time.monotonic()
    some.spend()
    some.spend()
    assert time.monotonic() - started >= 0.02


def test_calls_that_were_taken_together_are_sent_without_a_wait_between_them() -> None:
    """A zone is read and written in one go, however small the budget is."""
    clock = Clock()
    some = limited(clock, 2, 60)
    some.spend()
    some.take(2)
    assert clock.now == 60.0
    some.spend()
    some.spend()
    assert clock.now == 60.0
    some.spend()
    assert clock.now == 120.0


def test_more_than_the_budget_holds_is_sent_at_once_and_paid_for_afterwards() -> None:
    clock = Clock()
    some = limited(clock, 1, 60)
    some.take(4)
    for _ in range(4):
        some.spend()
    assert clock.now == 0.0
    some.spend()
    assert clock.now == 60.0


def by_another_job(some: Budget) -> None:
    """One call of another thread, which keeps nothing."""
    other = threading.Thread(target=some.spend)
    other.start()
    other.join()


def test_what_one_job_keeps_another_waits_for() -> None:
    clock = Clock()
    some = limited(clock, 3, 60)
    some.take(3)
    by_another_job(some)
    assert clock.now == 60.0


def test_what_is_given_back_is_free_at_once() -> None:
    clock = Clock()
    some = limited(clock, 3, 60)
    some.take(3)
    some.spend()
    some.release()
    by_another_job(some)
    by_another_job(some)
    assert clock.now == 0.0
    by_another_job(some)
    assert clock.now == 60.0


def test_a_job_that_waits_gives_back_what_it_keeps() -> None:
    """Else two jobs would wait for what the other one has."""
    clock = Clock()
    some = limited(clock, 2, 60)
    some.take(1)
    some.take(2)
    assert clock.now == 0.0


def test_what_is_kept_longer_than_a_window_is_taken_anew() -> None:
    clock = Clock()
    some = limited(clock, 2, 60)
    some.take(2)
    clock.now = 61.0
    by_another_job(some)
    by_another_job(some)
    assert clock.now == 61.0
    some.spend()
    assert clock.now == 121.0
