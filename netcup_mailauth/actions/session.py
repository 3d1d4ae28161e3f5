"""What every action works with: netcup's APIs, DNS, keys, what is remembered, and who hears of it.

An action is a function of a session and of what is wanted: ``plan(session, wishes)``,
``apply(session, plan)``. Whoever starts a run makes the one session of it.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from netcup_mailauth import records
from netcup_mailauth.clock import Clock, Pauses
from netcup_mailauth.dnsio.servers import Unasked
from netcup_mailauth.errors import CredentialsError
from netcup_mailauth.keys.sources import Sources
from netcup_mailauth.state.lock import LOCK_TIMEOUT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager

    from netcup_mailauth.dnsio.servers import Dns
    from netcup_mailauth.errors import MailauthError
    from netcup_mailauth.lookup import Lookup
    from netcup_mailauth.netcup.api import Backend
    from netcup_mailauth.plan import ChangeSet, Result
    from netcup_mailauth.records import Zone
    from netcup_mailauth.state.memory import Memory


class Reporter:
    """Hears of each thing as it happens, in the order of the domains.

    A run that is interrupted has told of all that it wrote until then. This one keeps it all to
    itself: what an action returns is all there is.
    """

    def planned(self) -> None:
        """One more domain is planned."""

    def show(self, change_set: ChangeSet) -> None:
        """What is about to be written to one domain, or would be if the guard let it."""

    def show_anew(self, change_set: ChangeSet) -> None:
        """What the records of a stale plan would change in the zone as it is now."""

    def done(self, result: Result) -> None:
        """What became of one domain."""

    def note(self, sentence: str) -> None:
        """Something that could not be found out, and stops nothing."""

    def step(self, sentence: str) -> None:
        """One step of a rotation is done."""


@dataclass(frozen=True, slots=True)
class Session:
    """One run.

    Attributes:
        apis: where zones are read and written; ``None`` without credentials, which only a check
            does without.
        dns: by default nobody is asked about names outside the zone.
        state: ``None`` remembers, notes and locks nothing.
        pauses: how long is waited before something is looked at again.
        jobs: domains that are worked on at a time.
        turn: is entered where a check of one domain among many asks netcup and mailcow.
        lock_timeout: seconds that are waited for another run that writes.
        undoes: for each domain that an undo is about, the journal's entry that it takes back.
        ended: the error after which a check asks netcup no more; empty until there is one.
    """

    apis: Backend | None = None
    dns: Dns = field(default_factory=Unasked)
    keys: Sources = field(default_factory=Sources)
    state: Memory | None = None
    reporter: Reporter = field(default_factory=Reporter)
    clock: Clock = field(default_factory=Clock)
    pauses: Pauses = field(default_factory=Pauses)
    jobs: int = 1
    lock_timeout: float = LOCK_TIMEOUT
    undoes: Mapping[str, str] = field(default_factory=dict)
    ended: list[MailauthError] = field(default_factory=list)
    turn: AbstractContextManager[None] = field(default_factory=nullcontext)

    @property
    def backend(self) -> Backend:
        """Where zones are read and written.

        Raises:
            CredentialsError: there are no credentials.
        """
        if self.apis is None:
            raise CredentialsError("There are no credentials for netcup.")
        return self.apis

    def lookup(self) -> Lookup:
        """The look-up for one domain, with that domain's budget of queries and time."""
        return self.dns.lookup()

    def zone_of(self, domain: str) -> str:
        """The zone a domain lies in, unless one is configured: by its form, else as DNS says.

        Raises:
            ZoneError: DNS does not say.
        """
        return domain if records.is_zone_form(domain) else self.dns.zone_of(domain)

    def remembered(self, domain: str) -> Zone | None:
        """The zone of a domain as the last write from here left it, if there was one."""
        return None if self.state is None else self.state.zone(domain)

    def held(self, domain: str) -> frozenset[str]:
        """The hostnames that an open key rotation of a domain works on."""
        return frozenset() if self.state is None else self.state.held(domain)

    def lock(self) -> AbstractContextManager[None]:
        """The lock on the accounts in use; never held while somebody is asked something."""
        return nullcontext() if self.state is None else self.state.lock(self.lock_timeout)
