"""What both of netcup's APIs offer, and what both keep to.

How long a zone that was read may be relied on by a write to it: neither API can make a write depend
on what was read (CCP) or does it for sure (CloudDNS), so what another program writes in between is
overwritten. All that can be done is to keep that time short.

The request budget lets bursts pass at once, and no minute hold more calls than allowed; so that no
pause falls between a read and a write, a job takes the calls for both together, and keeps them
until they are sent. A run ends before its errors lock the account.
"""

from __future__ import annotations

import threading
import time
from bisect import bisect_left
from collections import deque
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING, Protocol, Self

from netcup_mailauth import clock
from netcup_mailauth.errors import MailauthError, WaitError, WriteNotProcessedError
from netcup_mailauth.netcup import CALLS, WINDOW
from netcup_mailauth.records import reason_not_to_store

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from netcup_mailauth.netcup.http import HttpClient
    from netcup_mailauth.plan import Edit
    from netcup_mailauth.records import DesiredRecord, Zone


class Backend(Protocol):
    """What serves zones to one account. Used as a context manager.

    ``name`` is the API's, in one word; ``account`` stands for whose zones it serves, and is never a
    customer number; ``new_ttl`` is the TTL that a new record gets, in seconds, ``None`` where the
    zone has one for all its records.
    """

    name: str
    endpoint: str
    account: str
    new_ttl: int | None

    @property
    def ahead(self) -> Mapping[str, float]:
        """By how many seconds the ``Date`` of an API's last answer was ahead of our clock.

        An API that has not answered, or whose answer does not tell, is missing.
        """
        ...

    def serving(self, name: str) -> Backend:
        """The one API of this name behind this back end; itself, if nothing is behind it.

        Raises:
            UsageError: there is none.
        """
        ...

    def reserve(self) -> None:
        """Take a zone's read and its write from the budget, so that no wait parts the two.

        Called before the read, by the job that makes both; what it has not sent is given back by
        :meth:`release`.
        """
        ...

    def release(self) -> None:
        """Give back what this job has reserved and not sent."""
        ...

    def zone(self, name: str) -> Zone:
        """Read a zone, every record of it.

        Raises:
            CredentialsError, ZoneError, WaitError, ApiError: as the API answers.
        """
        ...

    def apply(self, zone: Zone, changes: Sequence[Edit]) -> Zone:
        """Make the changes in one write, and return the zone as it is afterwards.

        ``zone`` is the zone as it was read to check the precondition. Never sends a write twice.

        Raises:
            WriteNotProcessedError: the write provably changed nothing, or was not sent because
                ``zone`` was read too long ago; it may be sent after another read.
            RefusedError: nothing was sent, because it could not be done without harm.
            UnverifiedError: it was accepted, but not on top of the zone as it was read.
            MailauthError: anything else; whether the write was processed is unknown.
        """
        ...

    def refuses(self, record: DesiredRecord) -> str | None:
        """Why this API cannot hold the record, or ``None``. Asks nobody."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *error: object) -> None: ...


KEYS_PAGE = "CCP: Stammdaten > API (master data > API)"


FRESH = 2.0
"""Seconds from the question for a zone to the request that writes to it."""


def is_fresh(zone: Zone) -> bool:
    """Whether a write may still rely on this reading, sleep of the machine counted."""
    by = send_by(zone)
    return by is None or clock.now() <= by


def send_by(zone: Zone) -> float | None:
    """When the last byte of a write to it has to have left, by :func:`clock.now`."""
    return None if zone.asked_at is None else zone.asked_at + FRESH


def read_anew(read: Callable[[], Zone]) -> Zone:
    """Read a zone again, because an earlier reading was too old.

    An answer may have lain in a buffer while the machine slept, so the age of a zone counts from
    the question. Where this reading takes as long, and one more, it is the API that takes so long:
    the last one ages from its answer on.
    """
    zone = read()
    if is_fresh(zone):
        return zone
    zone = read()
    return replace(zone, asked_at=zone.answered_at)


def check_fresh(zone: Zone) -> None:
    """The last look before a write is begun; :func:`send_by` is looked at while it is sent.

    Raises:
        WriteNotProcessedError: the zone was read too long ago; it has to be read again.
    """
    if not is_fresh(zone):
        raise WriteNotProcessedError(
            f"The zone {zone.name} was read more than {FRESH:.0f} s before the write could be "
            "sent, so nothing was sent.",
            "Run the same command again.",
        )


ERRORS_ALLOWED = 10
"""API errors in one run after which it ends: many errors in a row lock the account. Where
netcup's own threshold lies is unknown (fact 1.10); this is a guess on the safe side."""

GLANCE = 1.0
"""Seconds after which a job that waits looks whether another has given calls back."""


class Budget:
    """What a run may ask of an API: so many calls in any ``window`` seconds, and so many errors.

    It sleeps only when it must. Calls that belong together are sent together even where the budget
    is smaller than that; the next ones wait for as long as it takes. ``clock`` must never go back.
    """

    def __init__(
        self,
        calls: int = CALLS,
        window: float = WINDOW,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._calls = calls
        self._window = window
        self._clock = clock
        self._sleep = sleep
        self._sent: deque[float] = deque()  # calls that are kept, too, from when they were taken
        self._job = threading.local()
        self._counting = threading.Lock()
        self._queue = threading.Lock()
        self._errors = count(1)  # whose next is never given to two jobs

    def spend(self) -> None:
        """Count one call: one that this job keeps, else the next free one."""
        self.take(1)
        with self._counting:
            self._give_back(self._job.kept.pop())
            self._sent.append(self._clock())

    def take(self, calls: int) -> None:
        """Wait until this job may send so many calls at once, and keep them for it.

        Those that it keeps already count. They are given back while it waits, so that no two jobs
        wait for what the other keeps; they do not keep longer than a window.
        """
        if len(self._kept) >= calls:
            return
        self.release()
        with self._queue:  # so that no job is overtaken for ever
            while wait := self._wait_or_take(calls):
                self._sleep(min(wait, GLANCE))

    def release(self) -> None:
        """Give back what this job has kept and not sent."""
        kept, self._job.kept = self._kept, []
        with self._counting:
            for taken in kept:
                self._give_back(taken)

    @property
    def _kept(self) -> list[float]:
        """When the calls were taken that this job keeps."""
        fresh = self._clock() - self._window
        kept = [taken for taken in getattr(self._job, "kept", ()) if taken > fresh]
        self._job.kept = kept
        return kept

    def _give_back(self, taken: float) -> None:
        # They lie in order, and what is given back has mostly been taken just now.
        at = bisect_left(self._sent, taken)
        if at < len(self._sent) and self._sent[at] == taken:
            del self._sent[at]

    def _wait_or_take(self, calls: int) -> float:
        """Take the calls if there is room, else say for how many seconds there is none."""
        with self._counting:
            now = self._clock()
            while self._sent and self._sent[0] + self._window <= now:
                self._sent.popleft()
            too_many = len(self._sent) - max(self._calls - calls, 0)
            if too_many > 0:
                return self._sent[too_many - 1] + self._window - now
            self._sent.extend([now] * calls)
            self._job.kept = [now] * calls
            return 0.0

    def counted(self, error: MailauthError) -> MailauthError:
        """The error to raise for one of the API's: this one, or the one that ends the run."""
        number = next(self._errors)
        if number < ERRORS_ALLOWED or isinstance(error, WaitError):
            return error
        return WaitError(
            f"netcup has answered {number} calls of this run with an error; the last one: "
            f"{error.what}",
            "The run ends here, because more errors lock the account. Correct the list of domains.",
        )


class OneApi:
    """What both APIs do alike of what a :class:`Backend` does."""

    name: str
    endpoint: str
    account: str
    new_ttl: int | None
    read_and_write: int
    """Calls to read a zone and to write to it."""

    def __init__(
        self, http: HttpClient, budget: Budget | None, trace: Callable[[str], None] | None
    ) -> None:
        self.endpoint = http.url
        self._http = http
        self._budget = budget or Budget()
        self._trace = trace

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._http.close()

    @property
    def ahead(self) -> dict[str, float]:
        """Of this API."""
        return {} if self._http.ahead is None else {self._http.what: self._http.ahead}

    def serving(self, name: str) -> Self:  # noqa: ARG002
        """Itself."""
        return self

    def reserve(self) -> None:
        """All of its calls at once."""
        self._budget.take(self.read_and_write)

    def release(self) -> None:
        """Give them back."""
        self._budget.release()

    def refuses(self, record: DesiredRecord) -> str | None:
        """Why it is not sure that a TXT text survives (fact 1.7), or ``None``."""
        return reason_not_to_store(record.value, self.name)

    def _note(self, line: str) -> None:
        if self._trace is not None:
            self._trace(f"netcup: {line}")
