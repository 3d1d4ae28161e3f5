"""What a rotation works with."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from netcup_mailauth.actions.sighting import look
from netcup_mailauth.rotation.waits import Waits

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from netcup_mailauth.actions.session import Session
    from netcup_mailauth.actions.sighting import Look
    from netcup_mailauth.lookup import Server
    from netcup_mailauth.netcup.api import Backend
    from netcup_mailauth.rotation.books import Books
    from netcup_mailauth.rotation.clocks import Uptime
    from netcup_mailauth.rotation.signer import Signer


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
