"""Questions side by side, so many in flight at a time that neither servers nor this machine choke.

A lane is whom a question goes to. Questions of one lane wait for one another beyond its bound, and
hold up no other lane; the bounds hold for the whole process, whoever asks.
"""

from __future__ import annotations

import sys
import threading
from collections import deque
from contextlib import contextmanager, suppress
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Hashable, Iterator, Sequence

Item = TypeVar("Item")
Result = TypeVar("Result")
Other = TypeVar("Other")

IN_FLIGHT = 32
"""Questions that one server is asked at a time; name servers drop what comes in floods."""

TO_A_RESOLVER = 16
"""The same of a resolver: one that answers 20 a second hears each by its second datagram."""

IN_ALL = 200
"""Questions in flight at a time, whomever they go to."""

_SHARE = 4
"""Of so many files that the process may have open, one may be a question in flight."""

_ROOM = 256 * 1024 * 1024
"""Bytes of addresses that a thread has to have for itself, where they are limited (``ulimit -v``):
stack and heap take 72 MiB; domains, what is asked beside them and questions have threads each."""


def in_lanes(
    function: Callable[[Item], Result],
    items: Sequence[Item],
    lane: Callable[[Item], Hashable],
    at_most: int = IN_FLIGHT,
) -> list[Result]:
    """The results of ``function``, in the order of ``items``, worked out in threads.

    Of one lane ``at_most`` so many at a time, those of other callers counted.
    ``function`` must end by itself, and ask for no lanes in its turn. What has not begun when one
    of them raises, or the user interrupts, is not begun; what is in flight then ends unheard.
    """
    jobs = [_Job(function, item, lane(item), at_most) for item in items]
    try:
        for job in jobs:
            _lanes.begin(job)
        return [job.result() for job in jobs]
    finally:
        for job in jobs:
            job.dropped = True


class _Job:
    """A question on its way: not begun any more once it is ``dropped``."""

    def __init__(
        self, function: Callable[[Any], Any], item: object, lane: Hashable = None, at_most: int = 0
    ) -> None:
        self.lane, self.at_most, self.dropped = lane, at_most, False
        self._function, self._item = function, item
        self._result: Any = None
        self._error: BaseException | None = None
        self._done = threading.Lock()
        self._done.acquire()

    def run(self) -> None:
        try:
            if not self.dropped:
                self._result = self._function(self._item)
        except BaseException as error:  # noqa: BLE001 - raised again where the result is asked for
            self._error = error
        finally:
            self._done.release()

    def result(self) -> Any:
        with self._done:
            if self._error is not None:
                raise self._error
            return self._result


class _Lanes:
    """Threads that end when nothing waits; one works on a job at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._in_flight: dict[Hashable, int] = {}
        self._waiting: dict[Hashable, deque[_Job]] = {}
        self._in_all = 0

    def begin(self, job: _Job) -> None:
        """Work on a job now, or when there is room."""
        with self._lock:
            if self._in_all >= _most_in_all() or not self._has_room(job):
                self._waiting.setdefault(job.lane, deque()).append(job)
                return
            self._in_all += 1
            self._enter(job)
        try:
            threading.Thread(target=self._work, args=(job,), name="dnsio", daemon=True).start()
        except RuntimeError:  # this machine gives no more threads, so it is done here
            self._work(job)

    def _work(self, job: _Job | None) -> None:
        while job is not None:
            job.run()
            with self._lock:
                self._leave(job)
                job = self._next()
                self._in_all -= job is None

    def _next(self) -> _Job | None:
        """The first of the lane with room that has waited longest for a turn, if one waits."""
        free = (lane for lane, jobs in self._waiting.items() if self._has_room(jobs[0]))
        lane = next(free, None)
        if lane is None:
            return None
        waiting = self._waiting.pop(lane)
        job = waiting.popleft()
        if waiting:
            self._waiting[lane] = waiting  # behind the others
        self._enter(job)
        return job

    def _has_room(self, job: _Job) -> bool:
        return self._in_flight.get(job.lane, 0) < job.at_most

    def _enter(self, job: _Job) -> None:
        self._in_flight[job.lane] = self._in_flight.get(job.lane, 0) + 1

    def _leave(self, job: _Job) -> None:
        self._in_flight[job.lane] -= 1
        if not self._in_flight[job.lane]:
            del self._in_flight[job.lane]


def _most_in_all() -> int:
    """What it cannot open, a process would take for a server that does not answer."""
    return max(1, min(IN_ALL, _limit("RLIMIT_NOFILE") // _SHARE, _most_threads()))


def _most_threads() -> int:
    """Those that are begun where there is no room fail anywhere, or never say that they began."""
    return max(1, _limit("RLIMIT_AS") // _ROOM)


def _limit(name: str) -> int:
    """How much of something the process may have."""
    try:
        import resource

        soft, _ = resource.getrlimit(getattr(resource, name))
    except (ImportError, AttributeError):  # a system without that limit
        return sys.maxsize
    return sys.maxsize if soft == resource.RLIM_INFINITY else soft


_lanes = _Lanes()


def side_by_side(
    function: Callable[[Item], Result], items: Sequence[Item], at_most: int
) -> list[Result]:
    """The same for what asks for lanes itself, ``at_most`` so many at a time.

    All threads have ended when this returns.
    """
    jobs = [_Job(function, item) for item in items]
    with in_threads(_Job.run, jobs, at_most):
        try:
            return [job.result() for job in jobs]
        finally:
            for job in jobs:
                job.dropped = True


def both(first: Callable[[], Result], second: Callable[[], Other]) -> tuple[Result, Other]:
    """What two that wait for different lanes say, one beside the other."""
    job = _Job(lambda _: second(), None)
    with in_threads(_Job.run, [job], 1):
        return first(), job.result()


@contextmanager
def in_threads(
    work: Callable[[Item], object], items: Collection[Item], at_most: int
) -> Iterator[None]:
    """Work on the items, begun in their order, in so many threads or as many as there is room for.

    Where this machine gives none it is done here, before anything else. ``work`` must not raise;
    all of it has ended at the exit.
    """
    left = iter(items)
    lock = threading.Lock()

    def go_on() -> None:
        while True:
            with lock:
                mine = list(islice(left, 1))
            if not mine:
                return
            work(*mine)

    threads: list[threading.Thread] = []
    with suppress(RuntimeError):  # it gives no more
        for _ in range(min(at_most, len(items), _most_threads())):
            thread = threading.Thread(target=go_on, name="dnsio")
            thread.start()
            threads.append(thread)
    if not threads:
        go_on()
    try:
        yield
    finally:
        for thread in threads:
            thread.join()
