"""What this machine remembers of earlier runs: what it wrote, and which rotations are open."""

from __future__ import annotations

import os
from contextlib import ExitStack, contextmanager
from functools import cached_property
from typing import TYPE_CHECKING

from netcup_mailauth.cli.common import say, settings, warn
from netcup_mailauth.files import NotOursError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from netcup_mailauth.netcup.api import Backend
    from netcup_mailauth.plan import Place
    from netcup_mailauth.records import DesiredRecord, Zone
    from netcup_mailauth.state.journal import Entry, Journal, Journals


class Memory:
    """The state of every account at the endpoints in use, for which no credentials are needed.

    Who only plans or checks does without what is not ours, and is told; who writes is refused by
    the lock and the journal.

    Attributes:
        apis: the APIs that this run writes through; the lock is on their accounts.
    """

    def __init__(self) -> None:
        self.apis: tuple[Backend, ...] = ()

    @cached_property
    def written(self) -> Journals:
        """What was written from here, under whatever account."""
        from netcup_mailauth.cli.apis import state_folders
        from netcup_mailauth.state.journal import Journals

        return Journals.below(state_folders())

    def last_applied(self, domain: str) -> tuple[DesiredRecord, ...]:
        """The records of a domain that this machine last wrote, of each kind."""
        from netcup_mailauth.state.journal import last_of_each_kind

        try:
            return last_of_each_kind(self.written.entries(domain))
        except NotOursError as error:
            self._told(error)
            return ()

    def zone(self, domain: str) -> Zone | None:
        """The zone of a domain as this machine's last write left it, if there was one."""
        from netcup_mailauth.plan import applied

        entry = self._last(domain)
        return applied(entry.before, entry.change_set.changes) if entry else None

    def held(self, domain: str) -> frozenset[str]:
        """The hostnames that an open key rotation of a domain works on."""
        from netcup_mailauth.rotation.state import held

        return held(self._accounts, domain)

    def journal_of(self, place: Place, undoes: Mapping[str, str]) -> Journal:
        """The journal of this run for a place."""
        from netcup_mailauth.state.journal import Journal

        folder = account_folder(place.endpoint, place.account)
        return Journal(folder, self._run, undoes=undoes)

    def journals(self, apis: Iterable[Backend]) -> Journals:
        """What the accounts at these APIs have written from here."""
        from netcup_mailauth.state.journal import Journal, Journals

        folders = (account_folder(api.endpoint, api.account) for api in apis)
        return Journals(tuple(map(Journal, folders)))

    @contextmanager
    def lock(self, timeout: float) -> Iterator[None]:
        """Keep other runs of this user from writing to the accounts in use."""
        from netcup_mailauth.state.lock import writer_lock

        with ExitStack() as locks:
            for api in self.apis:
                folder = account_folder(api.endpoint, api.account)
                locks.enter_context(writer_lock(folder, timeout, _tell))
            yield

    @cached_property
    def _run(self) -> str:
        from netcup_mailauth.state.journal import new_run

        return new_run()

    def _last(self, domain: str) -> Entry | None:
        try:
            return self.written.last_verified(domain)
        except NotOursError as error:
            self._told(error)
            return None

    @cached_property
    def _accounts(self) -> list[Path]:
        from netcup_mailauth.cli.apis import state_folders

        try:
            return [path for folder in state_folders() for path in folder.glob("*")]
        except NotOursError as error:
            self._told(error)
            return []

    def _told(self, error: NotOursError) -> None:
        """Warn of what is not used, once: it is looked at for each domain."""
        if error.what not in self._warned:
            self._warned.add(error.what)
            warn(f"{error.what} Nothing is known of what was written from here before.")
            for line in error.advice.splitlines():
                say(f"  {line.strip()}")

    @cached_property
    def _warned(self) -> set[str]:
        return set()


def account_folder(endpoint: str, account: str) -> Path:
    """Where the state of an account at an endpoint lies."""
    from netcup_mailauth import state

    return state.account_folder(state.root(os.environ), endpoint, account)


def _tell(message: str) -> None:
    if not settings().quiet:
        say(message)
