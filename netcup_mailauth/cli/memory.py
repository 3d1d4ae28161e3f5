"""What this machine remembers of earlier runs: what it wrote, and which rotations are open."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from netcup_mailauth.records import DesiredRecord, Zone
    from netcup_mailauth.state.journals import Journals


class Memory:
    """The state of every account at the endpoints in use, for which no credentials are needed."""

    @cached_property
    def written(self) -> Journals:
        """What was written from here, under whatever account."""
        from netcup_mailauth.cli.apis import state_folders
        from netcup_mailauth.state.journals import Journals

        return Journals.below(state_folders())

    def last_applied(self, domain: str) -> tuple[DesiredRecord, ...]:
        """The records of a domain that this machine last wrote."""
        from netcup_mailauth.state.entries import wanted_by

        entry = self.written.last_verified(domain)
        return wanted_by(entry) if entry else ()

    def zone(self, domain: str) -> Zone | None:
        """The zone of a domain as this machine's last write left it, if there was one."""
        from netcup_mailauth.plan import applied

        entry = self.written.last_verified(domain)
        return applied(entry.before, entry.change_set.changes) if entry else None

    def held(self, domain: str) -> frozenset[str]:
        """The hostnames that an open key rotation of a domain works on."""
        from netcup_mailauth.rotation import held

        return held(self._accounts, domain)

    @cached_property
    def _accounts(self) -> list[Path]:
        from netcup_mailauth.cli.apis import state_folders

        return [path for folder in state_folders() for path in folder.glob("*")]
