"""What this machine remembers of earlier runs: zones as they were, records it wrote, rotations.

What reads and writes it is loaded when there is something to read or write.
"""

from __future__ import annotations

import os
from contextlib import ExitStack, contextmanager
from functools import cached_property
from typing import TYPE_CHECKING

from netcup_mailauth import state
from netcup_mailauth.files import NotOursError
from netcup_mailauth.netcup.http import check_url
from netcup_mailauth.rotation import FOLDER
from netcup_mailauth.state.lock import writer_lock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

    from netcup_mailauth.netcup.api import Backend
    from netcup_mailauth.plan import Place
    from netcup_mailauth.records import DesiredRecord, Zone
    from netcup_mailauth.state.journal import Entry, Journal, Journals


def folders(environ: Mapping[str, str], addresses: Mapping[str, str]) -> list[Path]:
    """The state of the endpoints at these addresses, each by what says so, whatever the account.

    Raises:
        NotOursError: some of it is another user's, so that it is not to be believed.
        UsageError: an address is none.
    """
    root = state.root(environ)
    checked = dict.fromkeys(check_url(address, name) for name, address in addresses.items())
    return list(dict.fromkeys(state.known_folder(root, address) for address in checked))


class Memory:
    """The state of every account at the endpoints in use, for which no credentials are needed.

    Who only plans or checks does without what is not ours, and is told; who writes is refused by
    the lock and the journal.

    ``addresses`` are those of the endpoints in use, each by what says so. ``tell`` is told for whom
    it has to wait, and ``warn_of``, once, of what is not ours.

    Attributes:
        apis: the APIs that this run writes through; the lock is on their accounts.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        addresses: Mapping[str, str],
        tell: Callable[[str], None],
        warn_of: Callable[[NotOursError], None],
    ) -> None:
        self.apis: tuple[Backend, ...] = ()
        self._environ, self._addresses = environ, addresses
        self._tell, self._warn_of = tell, warn_of
        self._warned: set[str] = set()

    @cached_property
    def written(self) -> Journals:
        """What was written from here, under whatever account."""
        from netcup_mailauth.state.journal import Journals

        return Journals.below(folders(self._environ, self._addresses))

    def last_applied(self, domain: str) -> Mapping[DesiredRecord, datetime]:
        """The records of a domain that this machine last wrote, of each kind, and when."""
        from netcup_mailauth.state.journal import last_of_each_kind

        try:
            return last_of_each_kind(self.written.entries(domain))
        except NotOursError as error:
            self._told(error)
            return {}

    def zone(self, domain: str) -> Zone | None:
        """The zone of a domain as this machine's last write left it, if there was one."""
        from netcup_mailauth.plan import applied

        entry = self._last(domain) if self._accounts else None
        return applied(entry.before, entry.change_set.changes) if entry else None

    def held(self, domain: str) -> frozenset[str]:
        """The hostnames that an open key rotation of a domain works on."""
        if not any(map(os.path.lexists, self._books)):
            return frozenset()
        from netcup_mailauth.rotation.state import held

        return held(self._accounts, domain)

    def journal_of(self, place: Place, undoes: Mapping[str, str]) -> Journal:
        """The journal of this run for a place."""
        from netcup_mailauth.state.journal import Journal

        folder = self._folder(place.endpoint, place.account)
        return Journal(folder, self._run, undoes=undoes)

    def journals(self, apis: Iterable[Backend]) -> Journals:
        """What the accounts at these APIs have written from here."""
        from netcup_mailauth.state.journal import Journal, Journals

        folders = (self._folder(api.endpoint, api.account) for api in apis)
        return Journals(tuple(map(Journal, folders)))

    @contextmanager
    def lock(self, timeout: float) -> Iterator[None]:
        """Keep other runs of this user from writing to the accounts in use."""
        with ExitStack() as locks:
            for api in self.apis:
                folder = self._folder(api.endpoint, api.account)
                locks.enter_context(writer_lock(folder, timeout, self._tell))
            for known in ("written", "_accounts", "_books"):
                vars(self).pop(known, None)  # another run may have written here for the first time
            yield

    def _folder(self, endpoint: str, account: str) -> Path:
        return state.account_folder(state.root(self._environ), endpoint, account)

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
        try:
            return [
                path
                for folder in folders(self._environ, self._addresses)
                for path in folder.glob("*")
            ]
        except NotOursError as error:
            self._told(error)
            return []

    @cached_property
    def _books(self) -> list[str]:
        """Where each account's rotations are, if it has any."""
        return [str(account / FOLDER) for account in self._accounts]

    def _told(self, error: NotOursError) -> None:
        """Warn of what is not used, once: it is looked at for each domain."""
        if error.what not in self._warned:
            self._warned.add(error.what)
            self._warn_of(error)
