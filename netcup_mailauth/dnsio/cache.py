"""What resolvers answered in a run: each thing is asked once, for as long as its TTL says.

Only what comes from a resolver, which keeps it as long anyway, is kept here. What a zone's own
servers say never is: it is what a check, a rotation and the waiting for a change look at.
"""

from __future__ import annotations

import threading
from time import monotonic
from typing import TYPE_CHECKING

from netcup_mailauth.lookup import Answer, Query

if TYPE_CHECKING:
    from concurrent.futures import Future

Place = tuple[str, int]
"""An IP address and a port."""

Key = tuple[tuple[Place, ...], Query]
"""The question, and whom it goes to: any of these places."""

SILENCE = 30.0
"""Seconds that it counts that a question went without an answer (RFC 9520, 3.2: 5 s to 5 min)."""

UNSAID = 30.0
"""Seconds that a denial is kept that does not say how long it may be: without an SOA record caches
would hand it to one another for ever (RFC 2308, 5), but nobody asks this one."""

_MOST = 20_000
"""Answers that are kept; the oldest go first."""


class Cache:
    """The answers of a run's resolvers, those on their way included.

    Attributes:
        places: where the resolvers are that were named, by what they are named.
        silent: the places that gave no answer in their time, and none since, whoever asked. Until
            they do, one question at a time tries them for others; their silence is heard anew.
    """

    def __init__(self) -> None:
        self.places: dict[str, tuple[Place, ...]] = {}
        self.silent: set[Place] = set()
        self._lock = threading.Lock()
        self._kept: dict[Key, tuple[Answer, float]] = {}
        self._on_its_way: dict[Key, Future[Answer | None]] = {}

    def begin(self, key: Key) -> tuple[Future[Answer | None], bool]:
        """The answer, and whether it is the caller who has to ask for it, and then calls `end`.

        It is ``None`` where whoever asked gave up early, which says nothing about the question.
        """
        from concurrent.futures import Future

        with self._lock:
            answer, until = self._kept.get(key, (None, 0.0))
            if answer is not None and monotonic() < until:
                there: Future[Answer | None] = Future()
                there.set_result(answer)
                return there, False
            if key in self._on_its_way:
                return self._on_its_way[key], False
            self._on_its_way[key] = Future()
            return self._on_its_way[key], True

    def end(self, key: Key, answer: Answer | None, seconds: float = 0.0) -> None:
        """Give the answer to all who wait for it, and keep it for ``seconds``.

        Does nothing where nobody asks any more.
        """
        with self._lock:
            future = self._on_its_way.pop(key, None)
            if answer is not None and seconds > 0:
                self._kept.pop(key, None)
                self._kept[key] = answer, monotonic() + seconds
                if len(self._kept) > _MOST:
                    del self._kept[next(iter(self._kept))]
        if future is not None:
            future.set_result(answer)
