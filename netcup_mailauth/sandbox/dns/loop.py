"""One thread that waits for every socket of the DNS service, so that stopping is one wake-up."""

from __future__ import annotations

import contextlib
import heapq
import itertools
import selectors
import socket
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

    Job = Callable[[], None]

Transport = Literal["udp", "tcp"]


class Loop:
    """Calls back when a socket is ready or a time has come; all in a thread of its own.

    `watch`, `unwatch` and `later` are for that thread only, others enter it with `call`.
    """

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._ear, self._bell = socket.socketpair()
        self._ear.setblocking(False)
        self._inbox: deque[Job] = deque()
        self._late: list[tuple[float, int, Job]] = []
        self._numbers = itertools.count()  # jobs of the same time stay in order
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="sandbox-dns", daemon=True)
        self.watch(self._ear, selectors.EVENT_READ, self._heard)
        self._thread.start()

    def watch(self, sock: socket.socket, events: int, job: Job) -> None:
        """Do a job whenever the socket is ready for the events; replaces what was asked before."""
        if sock in self._selector.get_map():
            self._selector.modify(sock, events, job)
        else:
            self._selector.register(sock, events, job)

    def unwatch(self, sock: socket.socket) -> None:
        """Wait for this socket no longer."""
        with contextlib.suppress(KeyError, ValueError):  # not watched, or closed already
            self._selector.unregister(sock)

    def later(self, seconds: float, job: Job) -> None:
        """Do a job after a while; at once if that is none."""
        if seconds <= 0:
            job()
        else:
            heapq.heappush(self._late, (time.monotonic() + seconds, next(self._numbers), job))

    def call(self, job: Job) -> None:
        """Have a job done in the loop's thread, and wait for it.

        Raises:
            OSError: from the job.
            RuntimeError: the loop has ended.
        """
        done = threading.Event()
        failures: list[OSError] = []

        def visit() -> None:
            try:
                job()
            except OSError as error:
                failures.append(error)
            finally:
                done.set()

        self._inbox.append(visit)
        self._ring()
        while not done.wait(0.1):
            if not self._thread.is_alive():
                raise RuntimeError("the sandbox is not running")
        if failures:
            raise failures[0]

    def close(self) -> None:
        """End the thread; what was to be done later is dropped."""
        if self._stopping:
            return
        self._stopping = True
        self._ring()
        self._thread.join(timeout=5)
        self._selector.close()
        self._ear.close()
        self._bell.close()

    def _ring(self) -> None:
        with contextlib.suppress(OSError):  # closed meanwhile
            self._bell.send(b"!")

    def _heard(self) -> None:
        self._ear.recv(1024)
        while self._inbox:
            self._inbox.popleft()()

    def _run(self) -> None:
        while not self._stopping:
            for key, _ in self._selector.select(self._patience()):
                key.data()
            while self._late and self._late[0][0] <= time.monotonic():
                heapq.heappop(self._late)[2]()

    def _patience(self) -> float | None:
        return max(0.0, self._late[0][0] - time.monotonic()) if self._late else None
