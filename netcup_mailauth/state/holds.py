"""Refused credentials are remembered, so that no timer goes on trying them.

netcup locks the account, and mailcow bans the address, of whoever keeps sending a wrong key; each
further try makes it longer, for every program of the same customer. So after a refusal or a
lock-out, runs without a terminal send nothing with the same credentials for a while.
"""

from __future__ import annotations

import hashlib
import json
import threading
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

from netcup_mailauth.errors import CredentialsError, MailauthError, WaitError
from netcup_mailauth.files import read_private, write_private
from netcup_mailauth.state import account_folder, endpoint_folder, known_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

FIRST = timedelta(minutes=15)
LONGEST = timedelta(days=1)
DOUBLINGS = 7
"""After so many, a hold is longer than the longest."""

MOST_TIMES = 1_000_000
"""A timer that is refused each minute gets there in two years."""

FOLDER = "holds"

SCHEMA = 1
"""The schema of the file, as of every document (:mod:`netcup_mailauth.documents`)."""

_TIME = "%Y-%m-%d %H:%M:%S UTC"


class Reason(StrEnum):
    """Why nothing is sent with some credentials."""

    REFUSED = "refused"
    LOCKED_OUT = "locked-out"


class Hold:
    """What is remembered of some credentials; whoever sends them asks and tells it.

    This one remembers nothing: for a library user, who decides that, and where there is no state.
    """

    def check(self) -> None:
        """Called before they are sent.

        Raises:
            CredentialsError, WaitError: they were refused lately, and nothing may be sent.
        """

    def note(self, reason: Reason) -> None:
        """They were refused, or their account is locked."""

    def lift(self) -> None:
        """They work."""


class Trial:
    """Credentials that one run sends: tried by one job alone, and not again once refused.

    However many jobs are told of a refusal, it is remembered once: each time, the next runs wait
    longer.
    """

    def __init__(self, hold: Hold | None) -> None:
        self._hold = hold or Hold()
        self._trying = threading.Lock()
        self._refusing = threading.Lock()
        self._noted = False
        self.refusal: MailauthError | None = None
        self.works = False

    @contextmanager
    def turn(self) -> Iterator[None]:
        """For one request: parallel jobs do not all try credentials that may be refused.

        Raises MailauthError if they were refused in this run, or lately in another; nothing is
        sent.
        """
        with nullcontext() if self.works else self._trying:
            self.check()
            yield

    def check(self) -> None:
        """As :meth:`turn`, without waiting for others."""
        if self.refusal is not None:
            raise self.refusal
        if not self.works:
            self._hold.check()

    def succeed(self) -> None:
        """They work."""
        if not self.works:
            self.works = True
            self._hold.lift()

    def refuse(self, error: MailauthError, reason: Reason | None) -> MailauthError:
        """The error to raise, now and by every later job: the first one that there was.

        ``reason`` is why later runs must rest, too; ``None`` if they need not.
        """
        with self._refusing:
            self.refusal = self.refusal or error
            if reason is not None and not self._noted:
                self._noted = True
                self._hold.note(reason)
            return self.refusal


class Memory(NamedTuple):
    """What is in the file of a hold."""

    reason: Reason
    times: int
    until: datetime


@dataclass(frozen=True, slots=True)
class FileHold(Hold):
    """A hold in the state folder. See :class:`Hold`.

    ``digest`` stands for the credentials in the file's name, ``who`` is whoever refuses them, in
    words; where a run is ``attended``, somebody sits at a terminal, who may try again.
    """

    root: Path
    endpoint: str
    digest: str
    who: str
    attended: bool
    warn: Callable[[str], None]
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    @property
    def path(self) -> Path:
        """The file; it is there only while something is remembered."""
        return endpoint_folder(self.root, self.endpoint) / FOLDER / f"{self.digest}.json"

    def check(self) -> None:
        """See :class:`Hold`."""
        memory = self._read()
        if self.attended or memory is None or self.now() >= memory.until:
            return
        if memory.reason is Reason.LOCKED_OUT:
            raise WaitError(
                f"{self.who} has locked out these credentials{_times(memory)}; without a terminal "
                f"nothing is sent with them until {memory.until:{_TIME}}.",
                _HOW_TO_LIFT,
            )
        raise CredentialsError(
            f"{self.who} has refused these credentials{_times(memory)}; without a terminal "
            f"nothing is sent with them until {memory.until:{_TIME}}.",
            _HOW_TO_LIFT,
        )

    def note(self, reason: Reason) -> None:
        """See :class:`Hold`. That it cannot be written down hides no other error."""
        earlier = self._read()
        times = min(earlier.times + 1, MOST_TIMES) if earlier else 1
        until = self.now() + min(FIRST * 2 ** min(times - 1, DOUBLINGS), LONGEST)
        try:
            self._write(Memory(reason, times, until))
        except (MailauthError, OSError):
            self.warn(
                f"That {self.who} refused the credentials could not be noted in the state folder, "
                "so the next run will send them again."
            )
            return
        self.warn(
            f"Runs without a terminal send nothing to {self.who} with these credentials until "
            f"{until:{_TIME}}."
        )

    def lift(self) -> None:
        """See :class:`Hold`."""
        try:
            known_folder(self.root, self.endpoint)
            self.path.unlink(missing_ok=True)
        except OSError as error:
            self.warn(f"The hold {self.path} cannot be removed: {error.strerror}.")
        except MailauthError as error:
            self.warn(error.what)

    def _write(self, memory: Memory) -> None:
        account_folder(self.root, self.endpoint, FOLDER)
        document = {
            "schema": SCHEMA,
            "reason": memory.reason.value,
            "times": memory.times,
            "until": memory.until.isoformat(timespec="seconds"),
        }
        write_private(self.path, json.dumps(document))

    def _read(self) -> Memory | None:
        """What is remembered; a file that is damaged counts as none, or it would hold for ever."""
        try:
            known_folder(self.root, self.endpoint)
            data = read_private(self.path)  # mostly there is none, and nothing to load for it
            from netcup_mailauth import documents

            document = documents.loads(data)
            if _is_foreign(document["schema"]):
                self.warn(
                    f"The hold {self.path} is of schema {document['schema']}, which this version "
                    "does not know, and is passed over."
                )
                return None
            memory = _memory(document)
        except OSError:
            return None
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
            self.warn(f"The hold {self.path} is damaged, and is passed over.")
            return None
        except MailauthError as error:  # somebody else may have made it up
            self.warn(error.what)
            return None
        # A clock that was wrong when it was written must not hold for years.
        return memory if memory.until - self.now() <= LONGEST else None


def _is_foreign(schema: object) -> bool:
    """Whether another version of this program wrote it; else it is ours, or damaged."""
    if type(schema) is not int:
        raise TypeError(schema)
    return schema != SCHEMA


def _memory(data: Any) -> Memory:
    """What a document holds; raises whatever comes of one that is damaged."""
    until = datetime.fromisoformat(data["until"]).astimezone(UTC)
    times = data["times"]
    if type(times) is not int or not 1 <= times <= MOST_TIMES:
        raise ValueError(times)
    return Memory(Reason(data["reason"]), times, until)


def digest(endpoint: str, secrets: Iterable[str]) -> str:
    """A name for credentials at an endpoint, from which they cannot be told: keys are random."""
    text = json.dumps([endpoint.rstrip("/"), *secrets])
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _times(memory: Memory) -> str:
    return "" if memory.times == 1 else f" {memory.times} times in a row"


_HOW_TO_LIFT = (
    "More tries would make it worse. Change the credentials (netcup-mailauth auth), or look at "
    "a terminal whether they work again: netcup-mailauth auth --check lifts this if they do."
)
