"""Puts the parts together for a command: credentials, back end, key sources, planner."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from threading import Lock, RLock
from typing import TYPE_CHECKING, Any

from netcup_mailauth.cli.common import say, settings
from netcup_mailauth.cli.many import Many
from netcup_mailauth.cli.memory import Memory
from netcup_mailauth.cli.wanted import policy_of
from netcup_mailauth.dnsio.servers import Dns

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from netcup_mailauth.actions.session import Reporter, Session
    from netcup_mailauth.judge.report import Basis
    from netcup_mailauth.keys.mailcow import Mailcow
    from netcup_mailauth.lookup import Server
    from netcup_mailauth.netcup.zonefile import ZoneFiles
    from netcup_mailauth.netcup.zones import Router
    from netcup_mailauth.policy import Wish
    from netcup_mailauth.settings.config import LoadedConfig
    from netcup_mailauth.state.journal import Journals

RESOLVER = "NETCUP_MAILAUTH_RESOLVER"
NAMESERVERS = "NETCUP_MAILAUTH_NAMESERVERS"


@dataclass
class Run:
    """What one run of a command works with; connections are closed when it ends."""

    stack: ExitStack
    mailcow_url: str | None = None
    resolver_named: str | None = None
    servers_named: tuple[str, ...] = ()
    many: Many = field(default_factory=Many)
    memory: Memory = field(default_factory=Memory)
    _servers_told: bool = False
    _opening: RLock = field(default_factory=RLock)

    @cached_property
    def config(self) -> LoadedConfig:
        """The config in use, named on stderr when it was merely found."""
        from netcup_mailauth.settings.config import load

        loaded = load(settings().config)
        if loaded.path is not None and settings().config is None and not settings().quiet:
            say(f"config: {loaded.path}")
        return loaded

    @cached_property
    def backend(self) -> Router:
        """netcup's APIs, not yet asked."""
        from netcup_mailauth.cli.apis import open_router

        router = self.stack.enter_context(open_router(self._serves_records, self.many.calls))
        self.memory.apis = router.apis
        return router

    def _serves_records(self, zone: str) -> bool | None:
        from netcup_mailauth.dnsio.servers import serves_records

        return serves_records(zone, self.servers_of(zone))

    @cached_property
    def resolver(self) -> str | None:
        """The resolver to ask instead of the system's; named on stderr if there is one."""
        from netcup_mailauth.dnsio.ask import host_and_port

        server = self.resolver_named or os.environ.get(RESOLVER)
        if server is not None:
            host_and_port(server)
            if not settings().quiet:
                say(f"resolver: {server}")
        return server

    @property
    def mailcow(self) -> Mailcow:
        """The mailcow to ask for keys; parallel jobs share the one."""
        with self._opening:
            return self._mailcow

    @cached_property
    def _mailcow(self) -> Mailcow:
        from netcup_mailauth.cli import connections

        access = connections.mailcow_access(self.mailcow_url, self.config)
        mailcow = connections.mailcow(access)
        self.stack.callback(mailcow.close)
        return mailcow

    def wishes(self, domains: tuple[str, ...], options: dict[str, Any]) -> list[Wish]:
        """What is wanted for each domain of this shard."""
        return self.many.mine(self._wished(domains, options))

    def _wished(self, domains: tuple[str, ...], options: dict[str, Any]) -> list[Wish]:
        from netcup_mailauth.records import Kind
        from netcup_mailauth.settings.wishes import wishes, with_allowed

        kinds = [Kind(kind) for kind in options["kind"]]
        wished = wishes(
            domains,
            policy_of(options),
            kinds,
            self.config.config,
            served=lambda: self.mailcow.domains(),
        )
        return with_allowed(wished, options["allow"])

    def mailcow_named(self) -> str | None:
        """The address of the mailcow, if one is named anywhere."""
        from netcup_mailauth.settings.config import URL

        return self.mailcow_url or os.environ.get(URL) or self.config.config.mailcow.url

    def session(
        self,
        reporter: Reporter | None = None,
        *,
        exported: ZoneFiles | None = None,
        lock_timeout: float | None = None,
    ) -> Session:
        """What the actions of this run work with.

        Args:
            reporter: hears of what they do.
            exported: exported zones to work on, instead of netcup's; what this machine last wrote
                is not asked then: a file means the same everywhere.
            lock_timeout: seconds that are waited for another run that writes.
        """
        from netcup_mailauth.actions.session import Session
        from netcup_mailauth.dnsio.servers import Dns
        from netcup_mailauth.state.lock import LOCK_TIMEOUT

        bare = self._bare(reporter)
        if exported is not None:
            dns = Dns(self.resolver, zones=exported)
            return Session(exported, dns, bare.keys, reporter=bare.reporter)
        seconds = LOCK_TIMEOUT if lock_timeout is None else lock_timeout
        return replace(bare, apis=self.backend, jobs=self.many.jobs, lock_timeout=seconds)

    def checking(self) -> Session:
        """What a check works with: netcup's copy of a zone is read only with credentials."""
        bare = self._bare(None)
        return replace(bare, apis=self.backend) if self.has_credentials else bare

    def _bare(self, reporter: Reporter | None) -> Session:
        from netcup_mailauth.actions.session import Nobody, Session
        from netcup_mailauth.keys.sources import Sources

        return Session(
            dns=RunDns(self.resolver, run=self),
            keys=Sources(stdin=_stdin(), mailcow=lambda: self.mailcow),
            state=self.memory,
            reporter=reporter or Nobody(),
        )

    def announce(self, wishes: Sequence[Wish]) -> None:
        """Say when a run over so many domains will be done, if it has to wait for its budget."""
        count = len(wishes)
        if count > 1:
            self.many.announce(count, self.backend.reads(count))

    def check_wishes(
        self, domains: tuple[str, ...], options: dict[str, Any]
    ) -> tuple[list[Wish], Basis]:
        """The domains to check, and what they are held against."""
        from netcup_mailauth import records
        from netcup_mailauth.judge.report import Basis
        from netcup_mailauth.policy import Wish
        from netcup_mailauth.settings.wishes import with_allowed

        policy = policy_of(options)
        known = self.config.config
        named = [records.normalise(domain) for domain in domains]
        strangers = [name for name in named if name not in known.domains]
        if strangers and not policy.manages and known.domains_from is None:
            wished = [
                Wish(name, policy) if name in strangers else self._wished((name,), options)[0]
                for name in dict.fromkeys(named)
            ]
            return self.many.mine(with_allowed(wished, options["allow"])), Basis.CONFIG
        basis = Basis.OPTIONS if policy.manages else Basis.CONFIG
        return self.wishes(domains, options), basis

    def journals(self) -> Journals:
        """What the accounts in use have written from here."""
        return self.memory.journals(self.backend.apis)

    @cached_property
    def has_credentials(self) -> bool:
        """Whether netcup's copy of a zone can be read too."""
        from netcup_mailauth.settings.credentials import has_netcup_credentials

        return has_netcup_credentials(os.environ)

    def servers_of(self, zone: str) -> tuple[Server, ...]:
        """The servers to ask about a zone: those named, else its own."""
        from netcup_mailauth.dnsio.ask import Resolver
        from netcup_mailauth.dnsio.servers import authoritative, parse_servers

        named = self.servers_named or _listed(os.environ.get(NAMESERVERS))
        if not named:
            return authoritative(zone, Resolver(self.resolver))
        with self._opening:
            if not self._servers_told and not settings().quiet:
                say(f"name servers: {', '.join(named)}")
            self._servers_told = True
        return parse_servers(named)

    def wait(self, wishes: list[Wish], timeout: float, basis: Basis | None = None) -> bool:
        """Wait until the servers agree; whether they did in time."""
        from netcup_mailauth.cli.live import wait_for
        from netcup_mailauth.judge.report import Basis

        return wait_for(self.checking(), wishes, basis or Basis.OPTIONS, timeout)


@contextmanager
def run(
    mailcow_url: str | None = None,
    resolver: str | None = None,
    nameservers: tuple[str, ...] = (),
    many: Many | None = None,
) -> Iterator[Run]:
    """One run of a command: whatever it opened is closed, and netcup's session ended."""
    with ExitStack() as stack:
        if settings().verbose:
            from netcup_mailauth.cli.logs import requests_shown

            stack.enter_context(requests_shown())
        yield Run(stack, mailcow_url, resolver, nameservers, many or Many())


def _listed(text: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in (text or "").split(",") if part.strip())


def _stdin() -> Any:
    read: list[bytes] = []
    reading = Lock()

    def once() -> bytes:
        with reading:
            if not read:
                read.append(sys.stdin.buffer.read(MAX_STDIN))
            return read[0]

    return once


MAX_STDIN = 64 * 1024
"""Bytes of a key on standard input."""


@dataclass(frozen=True)
class RunDns(Dns):
    """As `Dns`; which servers are asked instead of a zone's own is known to the run, and told."""

    run: Run | None = None

    def servers_of(self, zone: str) -> tuple[Server, ...]:
        """See `Dns`."""
        assert self.run is not None
        return self.run.servers_of(zone)
