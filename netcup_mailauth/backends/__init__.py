"""Where zones live. Only this package speaks HTTP to netcup."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, Self

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from netcup_mailauth.plan import Edit
    from netcup_mailauth.records import DesiredRecord, Zone


class Backend(Protocol):
    """What serves zones to one account. Used as a context manager.

    Attributes:
        name: the API's, in one word.
        endpoint: where it is.
        account: stands for whose zones it serves; never a customer number.
        new_ttl: the TTL that a new record gets, in seconds; ``None`` where the zone has one for
            all its records.
    """

    name: str
    endpoint: str
    account: str
    new_ttl: int | None

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

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...
