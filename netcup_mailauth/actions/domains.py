"""Many domains: in order, one after the other or several side by side, until an error ends the run.

The one loop over domains there is; what is said comes in their order too, whoever is done first.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, wait
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TypeVar

from netcup_mailauth.actions.signals import held_back, last_words
from netcup_mailauth.dnsio.lanes import in_threads
from netcup_mailauth.errors import MailauthError

Item = TypeVar("Item")
Outcome = TypeVar("Outcome")

Tell = Callable[[Callable[[], None]], None]
"""Is given what has to be said of an item: says it at once, or when the item's turn has come."""

Task = Callable[[Item, Tell], Outcome]

GLANCE = 0.5
"""Seconds after which somebody who waits for a job looks whether there was a signal."""


class Turn:
    """An item's turn in a run.

    Attributes:
        tell: is given what there is to say of the item; said at once, or when its turn has come.
    """

    def __init__(self, ended: list[MailauthError], tell: Tell) -> None:
        self._ended, self.tell = ended, tell

    @property
    def ended(self) -> MailauthError | None:
        """The error that has ended the run meanwhile, in another job or in this very turn."""
        return self._ended[0] if self._ended else None

    def end(self, error: MailauthError) -> None:
        """Let no further item be tried."""
        self._ended.append(error)


def each(
    items: Sequence[Item],
    work: Callable[[Item, Turn], Outcome],
    failed: Callable[[Item, MailauthError, Turn], Outcome],
    skipped: Callable[[Item, MailauthError, Turn], Outcome],
    jobs: int = 1,
    shares: Callable[[Item], object] = id,
) -> list[Outcome]:
    """Work on every domain of a run; the outcomes in the order of the items.

    One that fails does not stop the others, unless its error ends the run.

    An item is what there is of a domain: a wish, a change set. ``failed`` and ``skipped`` give the
    outcome for one about which an error was raised, and for one whose turn did not come.
    ``shares`` is as for `in_order`.
    """
    ended: list[MailauthError] = []

    def attempt(item: Item, tell: Tell) -> Outcome:
        turn = Turn(ended, tell)
        if ended:
            return skipped(item, ended[0], turn)
        try:
            return work(item, turn)
        except MailauthError as error:
            if error.ends_run:
                turn.end(error)
            return failed(item, error, turn)

    return list(in_order(items, attempt, jobs, shares))


def in_order(
    items: Sequence[Item],
    task: Task[Item, Outcome],
    jobs: int = 1,
    shares: Callable[[Item], object] = id,
    *,
    held: bool = True,
) -> Iterator[Outcome]:
    """The outcome of each item, in the items' order; with one job there are no threads.

    What a task tells comes in that order too, whichever is done first. After a signal no further
    task is begun; those that run are finished, and told, before it takes effect. It is the same
    after an error that a task lets through: the first of them is raised at the end.

    ``shares`` says what an item has to itself while it is worked on; of those that share it, one is
    worked on at a time. Signals are not ``held`` back where the process is somebody else's.
    """
    if jobs <= 1 or len(items) <= 1:
        return (task(item, _at_once) for item in items)
    return _side_by_side(items, task, shares, jobs, held)


_Begun = tuple[Item, Future[list[Outcome]], list[Callable[[], None]]]
"""An item, what becomes of it, and what there is to say of it meanwhile."""


def _at_once(words: Callable[[], None]) -> None:
    words()


def _side_by_side(
    items: Sequence[Item],
    task: Task[Item, Outcome],
    shares: Callable[[Item], object],
    jobs: int,
    held: bool,
) -> Iterator[Outcome]:
    stopped = threading.Event()
    locks = {shares(item): threading.Lock() for item in items}
    begun: list[_Begun[Item, Outcome]] = [(item, Future(), []) for item in items]
    turns = deque(begun)

    def attempt(one: _Begun[Item, Outcome]) -> None:
        """The outcome of an item; none if it is not begun any more."""
        item, turn, words = one
        with locks[shares(item)]:
            try:
                turn.set_result([] if stopped.is_set() else [task(item, words.append)])
            except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
                stopped.set()
                turn.set_exception(error)

    def tell_what_is_done() -> None:
        for _, turn, words in list(turns):
            for say in words if turn.done() else ():
                say()

    failure: BaseException | None = None
    last_words.append(tell_what_is_done)
    with (
        held_back("what is being worked on", stopped.set) if held else nullcontext(),
        in_threads(attempt, begun, jobs),
    ):
        try:
            while turns:
                _, turn, words = turns.popleft()
                while not turn.done():
                    # Python misses a signal that comes in the instant before it begins to wait.
                    wait([turn], GLANCE)
                error = turn.exception()
                failure = failure or error
                for say in words:
                    say()
                if error is None:
                    yield from turn.result()
        finally:
            last_words.remove(tell_what_is_done)
            stopped.set()  # also when whoever is told has gone
    if failure is not None:
        raise failure


class Gate:
    """A part of the work on each item that they come to in their order, ``jobs`` at a time."""

    def __init__(self, jobs: int) -> None:
        self._jobs, self._inside = jobs, 0
        self._begun: set[int] = set()
        self._coming: set[int] = set()  # those of them that may still come to it
        self._moved = threading.Condition()

    @contextmanager
    def passing(self, number: int) -> Iterator[AbstractContextManager[None]]:
        """While the ``number``-th item, from 0, is worked on: what to enter for that part, once.

        One that does not come to it holds up the others only as long as it is worked on.
        """
        with self._moved:
            self._begun.add(number)
            self._coming.add(number)
            self._moved.notify_all()
        try:
            yield self._through(number)
        finally:
            with self._moved:
                self._coming.discard(number)
                self._moved.notify_all()

    @contextmanager
    def _through(self, number: int) -> Iterator[None]:
        with self._moved:
            # Those before it have begun, or do in the same instant; after a signal they never may.
            self._moved.wait_for(lambda: number == 0 or number - 1 in self._begun, GLANCE)
            self._moved.wait_for(lambda: self._inside < self._jobs and number == min(self._coming))
            self._inside += 1
            self._coming.discard(number)
            self._moved.notify_all()
        try:
            yield
        finally:
            with self._moved:
                self._inside -= 1
                self._moved.notify_all()
