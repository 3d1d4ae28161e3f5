"""``rotate``: begin a rotation, do what is due for it, or turn it back.

What is due is decided in :mod:`netcup_mailauth.rotation.decisions`, and done in
:mod:`netcup_mailauth.actions.rotationcourse`. Whoever calls holds the account's lock.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from netcup_mailauth.actions.rotationcourse import Course, Outcome
from netcup_mailauth.actions.sighting import look
from netcup_mailauth.errors import RefusedError, StaleError
from netcup_mailauth.rotation.waits import Waits

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from netcup_mailauth.actions.session import Session
    from netcup_mailauth.actions.sighting import Look
    from netcup_mailauth.backends import Backend
    from netcup_mailauth.dnsio.nameservers import Server
    from netcup_mailauth.rotation.books import Books
    from netcup_mailauth.rotation.clocks import Uptime
    from netcup_mailauth.rotation.signer import Signer
    from netcup_mailauth.rotation.state import Rotation


def _silent(_: str) -> None:
    """Tell nobody."""


def _unknown() -> None:
    """How long the machine runs is not known."""


def _nobody() -> Mapping[str, float]:
    return {}


@dataclass(frozen=True, slots=True)
class Rotator:
    """Carries rotations on.

    Attributes:
        session: the run: its APIs, its DNS and its state.
        signer: what signs.
        books: the state, on the disk.
        servers_of: the name servers that a zone is delegated to.
        waits: how long is waited for what.
        allow: codes of findings that are accepted.
        ttl: seconds that a new record lives in caches, where the API has a TTL for each record;
            ``None`` for what the API takes.
        look: asks name servers.
        clock: the time, in seconds since 1970.
        uptime: how long the machine runs; ``None`` where that is not known.
        ahead: for each other end, how many seconds the ``Date`` of its last answer was ahead of
            this machine's clock.
        tell: told of each thing done, as it is done.
    """

    session: Session
    signer: Signer
    books: Books
    servers_of: Callable[[str], Sequence[Server]]
    waits: Waits = field(default_factory=Waits)
    allow: tuple[str, ...] = ()
    ttl: int | None = None
    look: Look = look
    clock: Callable[[], float] = time.time
    uptime: Callable[[], Uptime | None] = _unknown
    ahead: Callable[[], Mapping[str, float]] = _nobody
    tell: Callable[[str], None] = _silent

    @property
    def backend(self) -> Backend:
        """Where zones are read."""
        return self.session.backend

    def open(self, rotation: Rotation) -> None:
        """Write a new rotation into its book: from here on it is open.

        Raises:
            RefusedError: there is one already.
            StaleError: another key signs than when it was drafted.
            MailauthError: it cannot be written, or the signer does not answer.
        """
        book = self.books.read(rotation.domain)
        if book.open is not None:
            raise RefusedError(
                f"A rotation of {rotation.domain} is open already.", "Go on with it: --continue"
            )
        if not rotation.old.is_key(self.signer.current(rotation.domain)):
            raise StaleError(
                f"{rotation.signer} signs for {rotation.domain} with another key than when this "
                "rotation was shown.",
                "Nothing was written. Run the same command again, and look at what it shows then.",
            )
        key = rotation.old.key
        seen = book if key is None else book.seeing(key, rotation.started)
        self.books.write(seen.opened(rotation))

    def proceed(self, domain: str) -> Outcome:
        """Do what is due for a domain.

        Raises:
            MailauthError: something that was asked did not answer, or a step failed; running it
                again is safe.
        """
        rotation = self.books.read(domain).open
        if rotation is None:
            return Outcome(domain)
        self._check_signer(rotation)
        try:
            return Course(self, rotation).run()
        finally:
            self.backend.release()

    def abort(self, domain: str) -> Outcome:
        """Turn a domain's rotation back, and do what is due for that.

        Raises:
            RefusedError: none is open, or it cannot be turned back any more.
            MailauthError: as :meth:`proceed`.
        """
        rotation = self.books.read(domain).open
        if rotation is None:
            raise RefusedError(f"No rotation of {domain} is open here.", "There is nothing to end.")
        self._check_signer(rotation)
        try:
            return Course(self, rotation).back()
        finally:
            self.backend.release()

    def _check_signer(self, rotation: Rotation) -> None:
        if rotation.signer != self.signer.name:
            raise RefusedError(
                f"The rotation of {rotation.domain} was begun with {rotation.signer}, not with "
                f"{self.signer.name}.",
                "Go on with the same options as it was begun with.",
            )
