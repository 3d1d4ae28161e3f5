"""So many questions are in flight to one server, so many in all, and none holds up another's."""

from __future__ import annotations

import resource
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from netcup_mailauth.dnsio import lanes
from netcup_mailauth.dnsio.lanes import both, in_lanes, side_by_side
from tests.threads import only

PATIENCE = 30.0
"""Seconds after which a test that hangs fails."""


class Watched:
    """Work that notes how much of it went on at a time, in each lane and in all."""

    def __init__(self) -> None:
        self.most: Counter[str] = Counter()
        self._now: Counter[str] = Counter()
        self._lock = threading.Lock()

    def __call__(self, item: tuple[str, int]) -> int:
        for change in (1, -1):
            with self._lock:
                for place in (item[0], "all"):
                    self._now[place] += change
                    self.most[place] = max(self.most[place], self._now[place])
            if change == 1:
                time.sleep(0.005)
        return item[1]


def lane(item: tuple[str, int]) -> str:
    return item[0]


def test_results_come_in_the_order_of_the_items() -> None:
    items = [("abc"[n % 3], n) for n in range(300)]
    assert in_lanes(Watched(), items, lane) == list(range(300))
    assert in_lanes(Watched(), [], lane) == []


@pytest.mark.parametrize("askers", [1, 8])
def test_a_server_is_asked_so_much_at_a_time_and_all_of_them_so_much(
    monkeypatch: pytest.MonkeyPatch, askers: int
) -> None:
    """However many domains ask it, and also when nobody else is asked any more."""
    monkeypatch.setattr(lanes, "IN_ALL", 7)
    watched = Watched()
    items = [("abcde"[n % 5] if n < 30 else "a", n) for n in range(60)]
    with ThreadPoolExecutor(askers) as pool:
        found = list(pool.map(lambda _: in_lanes(watched, items, lane, 3), range(askers)))
    assert found == [list(range(60))] * askers
    assert watched.most["all"] <= 7
    assert all(watched.most[name] <= 3 for name in "abcde")


def test_the_bounds_are_those_that_servers_can_bear() -> None:
    assert (lanes.IN_FLIGHT, lanes.TO_A_RESOLVER, lanes.IN_ALL) == (32, 16, 200)


def test_a_full_lane_holds_up_no_other() -> None:
    go_on = threading.Event()

    def slow(item: tuple[str, int]) -> bool:
        return go_on.wait(PATIENCE) if item[0] == "dead" else True

    dead = [("dead", n) for n in range(9)]

    def beside() -> list[bool]:
        try:
            return in_lanes(slow, [("alive", n) for n in range(9)], lane, 2)
        finally:
            go_on.set()

    assert both(lambda: in_lanes(slow, dead, lane, 2), beside) == ([True] * 9, [True] * 9)


def test_what_has_not_begun_when_one_fails_is_not_begun() -> None:
    begun = []

    def fails(item: tuple[str, int]) -> None:
        begun.append(item[1])
        time.sleep(0.2)
        raise OSError(item[1])

    with pytest.raises(OSError, match="0"):
        in_lanes(fails, [("a", n) for n in range(50)], lane, 1)
    assert len(begun) < 5
    assert in_lanes(lambda item: item[1], [("a", 1)], lane) == [1]  # the lane is free again


@pytest.mark.parametrize("most", [0, 1, 3])
def test_a_machine_that_gives_few_threads_or_none_does_it_with_those(most: int) -> None:
    items = [("ab"[n % 2], n) for n in range(9)]
    with only(most):
        assert in_lanes(Watched(), items, lane) == list(range(9))
        assert side_by_side(lambda item: in_lanes(Watched(), [item], lane), items, 4) == [
            [n] for n in range(9)
        ]
        assert both(lambda: 1, lambda: in_lanes(Watched(), items, lane)) == (1, list(range(9)))
    assert in_lanes(Watched(), items, lane) == list(range(9))


LIMITS = ("RLIMIT_NOFILE", "RLIMIT_AS")


def limit(monkeypatch: pytest.MonkeyPatch, name: str, most: int) -> None:
    """Have this limit alone."""
    given = {getattr(resource, one): most if one == name else -1 for one in LIMITS}
    monkeypatch.setattr(resource, "getrlimit", lambda which: (given[which], -1))


@pytest.mark.parametrize(("files", "most"), [(12, 3), (64, 16), (1024, 200), (-1, 200), (0, 1)])
def test_no_more_is_asked_at_a_time_than_files_may_be_open(
    monkeypatch: pytest.MonkeyPatch, files: int, most: int
) -> None:
    """What it cannot open looks like a server that does not answer: a right domain were wrong."""
    limit(monkeypatch, "RLIMIT_NOFILE", files)
    watched = Watched()
    items = [(str(n), n) for n in range(400)]
    assert in_lanes(watched, items, lane) == list(range(400))
    assert watched.most["all"] <= most


@pytest.mark.parametrize(("megabytes", "most"), [(200, 1), (400, 1), (1024, 4), (4096, 16)])
def test_there_are_no_more_threads_than_there_is_room_for(
    monkeypatch: pytest.MonkeyPatch, megabytes: int, most: int
) -> None:
    """Where threads have taken all addresses, Python hangs or dies without a word."""
    limit(monkeypatch, "RLIMIT_AS", megabytes * 1024 * 1024)
    items = [(str(n), n) for n in range(60)]
    questions, domains = Watched(), Watched()
    assert in_lanes(questions, items, lane) == list(range(60))
    assert side_by_side(domains, items, 32) == list(range(60))
    assert 0 < questions.most["all"] <= most
    assert 0 < domains.most["all"] <= most


@pytest.mark.parametrize("name", LIMITS)
def test_a_system_without_a_limit_has_none(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.delattr(resource, name)
    assert in_lanes(Watched(), [("a", n) for n in range(9)], lane) == list(range(9))
