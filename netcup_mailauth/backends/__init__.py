"""Where zones live. Only this package speaks HTTP to netcup."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, Self

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from netcup_mailauth.plan import Change
    from netcup_mailauth.records import DesiredRecord, Zone


class Backend(Protocol):
    """One API that serves zones to one account. Used as a context manager."""

    name: str
    endpoint: str
    account: str

    def zone(self, name: str) -> Zone:
        """Read a zone, every record of it.

        Raises:
            CredentialsError, ZoneError, WaitError, ApiError: as the API answers.
        """
        ...

    def apply(self, zone: str, changes: Sequence[Change]) -> Zone:
        """Make the changes in one write, and return the zone as it is afterwards.

        Never sends a write twice.

        Raises:
            WriteNotProcessedError: the write provably changed nothing; it may be sent once more.
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
