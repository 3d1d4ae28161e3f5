"""Puts the parts together for a command: credentials, back end, key sources, planner."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from netcup_mailauth.cli.common import asker, say, settings, warn
from netcup_mailauth.cli.wanted import policy_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from netcup_mailauth.actions.applying import Applier
    from netcup_mailauth.actions.checking import Checker
    from netcup_mailauth.actions.planning import Planner, Wish
    from netcup_mailauth.actions.starting import Starter
    from netcup_mailauth.actions.undoing import Undoer
    from netcup_mailauth.backends.ccp import CcpBackend
    from netcup_mailauth.backends.zonefile import ZoneFiles
    from netcup_mailauth.checks.report import Basis
    from netcup_mailauth.dnsio.nameservers import Server
    from netcup_mailauth.keys.mailcow import Mailcow
    from netcup_mailauth.records import DesiredRecord, Zone
    from netcup_mailauth.settings.config import LoadedConfig
    from netcup_mailauth.state.entries import Entry
    from netcup_mailauth.state.journal import Journal

ENDPOINT = "NETCUP_CCP_ENDPOINT"
RESOLVER = "NETCUP_MAILAUTH_RESOLVER"
NAMESERVERS = "NETCUP_MAILAUTH_NAMESERVERS"


@dataclass
class Run:
    """What one run of a command works with; connections are closed when it ends."""

    stack: ExitStack
    mailcow_url: str | None = None
    resolver_named: str | None = None
    servers_named: tuple[str, ...] = ()
    _servers_told: bool = False

    @cached_property
    def config(self) -> LoadedConfig:
        """The config in use, named on stderr when it was merely found."""
        from netcup_mailauth.settings.config import load

        loaded = load(settings().config)
        if loaded.path is not None and settings().config is None and not settings().quiet:
            say(f"config: {loaded.path}")
        return loaded

    @cached_property
    def backend(self) -> CcpBackend:
        """The CCP API, not yet logged in to."""
        from netcup_mailauth.cli import connections
        from netcup_mailauth.settings.credentials import ccp_credentials

        credentials = ccp_credentials(os.environ, warn, asker())
        return self.stack.enter_context(connections.ccp_backend(credentials, self.endpoint))

    @cached_property
    def endpoint(self) -> str:
        """Where the CCP API is; named on stderr if that is not netcup's address."""
        from netcup_mailauth.backends import ccp
        from netcup_mailauth.backends.urls import check_url

        # Checked before it is named: there may be a password in it.
        address = os.environ.get(ENDPOINT) or ccp.ENDPOINT
        endpoint = check_url(address, f"the address in {ENDPOINT}")
        if endpoint != ccp.ENDPOINT and not settings().quiet:
            say(f"endpoint: {urlsplit(endpoint).netloc} ({ENDPOINT})")
        return endpoint

    @cached_property
    def resolver(self) -> str | None:
        """The resolver to ask instead of the system's; named on stderr if there is one."""
        from netcup_mailauth.dnsio.resolver import host_and_port

        server = self.resolver_named or os.environ.get(RESOLVER)
        if server is not None:
            host_and_port(server)
            if not settings().quiet:
                say(f"resolver: {server}")
        return server

    @cached_property
    def mailcow(self) -> Mailcow:
        """The mailcow to ask for keys."""
        from netcup_mailauth.cli import connections

        access = connections.mailcow_access(self.mailcow_url, self.config)
        mailcow = connections.mailcow(access)
        self.stack.callback(mailcow.close)
        return mailcow

    def wishes(self, domains: tuple[str, ...], options: dict[str, Any]) -> list[Wish]:
        """What is wanted for each domain."""
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
        from netcup_mailauth.settings.mailcow import URL

        return self.mailcow_url or os.environ.get(URL) or self.config.config.mailcow.url

    def starter(self, mailcow: str | None) -> Starter:
        """Writes starter configs."""
        from datetime import UTC, datetime

        from netcup_mailauth.actions.starting import Starter
        from netcup_mailauth.dnsio.resolver import zone_of
        from netcup_mailauth.keys.sources import Sources

        server = self.resolver
        return Starter(
            self.backend,
            Sources(mailcow=lambda: self.mailcow) if mailcow else None,
            find_zone=lambda domain: zone_of(domain, server),
            today=datetime.now(UTC).date(),
        )

    def planner(self, exported: ZoneFiles | None = None) -> Planner:
        """Makes the change sets, for netcup's zones or for exported ones."""
        from netcup_mailauth.actions.planning import Planner
        from netcup_mailauth.dnsio.resolver import Resolver, zone_of
        from netcup_mailauth.keys.sources import Sources

        keys = Sources(stdin=_stdin(), mailcow=lambda: self.mailcow)
        server = self.resolver
        if exported is not None:
            # What this machine last wrote is not asked: a file means the same everywhere.
            return Planner(exported, keys, exported.zone_of, dns=lambda: Resolver(server))
        return Planner(
            self.backend,
            keys,
            find_zone=lambda domain: zone_of(domain, server),
            dns=lambda: Resolver(server),
            remembered=self._remembered,
        )

    def check_wishes(
        self, domains: tuple[str, ...], options: dict[str, Any]
    ) -> tuple[list[Wish], Basis]:
        """The domains to check, and what they are held against."""
        from netcup_mailauth import names
        from netcup_mailauth.actions.planning import Wish
        from netcup_mailauth.checks.report import Basis
        from netcup_mailauth.settings.wishes import with_allowed

        policy = policy_of(options)
        known = self.config.config
        named = [names.normalise(domain) for domain in domains]
        strangers = [name for name in named if name not in known.domains]
        if strangers and not policy.manages and known.domains_from is None:
            wished = [
                Wish(name, policy) if name in strangers else self.wishes((name,), options)[0]
                for name in dict.fromkeys(named)
            ]
            return with_allowed(wished, options["allow"]), Basis.CONFIG
        basis = Basis.OPTIONS if policy.manages else Basis.CONFIG
        return self.wishes(domains, options), basis

    def checker(self) -> Checker:
        """Asks the name servers."""
        from netcup_mailauth.actions.checking import Checker
        from netcup_mailauth.dnsio.resolver import Resolver, zone_of
        from netcup_mailauth.keys.sources import Sources

        server = self.resolver
        return Checker(
            find_zone=lambda domain: zone_of(domain, server),
            servers_of=self.servers_of,
            dns=lambda: Resolver(server),
            keys=Sources(stdin=_stdin(), mailcow=lambda: self.mailcow),
            read_zone=self.backend.zone if self.has_credentials else None,
            recall=self.last_applied,
        )

    def last_applied(self, domain: str) -> tuple[DesiredRecord, ...]:
        """The records of a domain that this machine last wrote, under whatever account."""
        from netcup_mailauth.state.entries import wanted_by

        entry = self._last_entry(domain)
        return wanted_by(entry) if entry else ()

    def _remembered(self, domain: str) -> Zone | None:
        from netcup_mailauth.plan import applied

        entry = self._last_entry(domain)
        return applied(entry.before, entry.change_set.changes) if entry else None

    def _last_entry(self, domain: str) -> Entry | None:
        from netcup_mailauth.state.journal import newest_verified

        return newest_verified(self.endpoint_folder, domain)

    @cached_property
    def has_credentials(self) -> bool:
        """Whether netcup's copy of a zone can be read too."""
        from netcup_mailauth.settings.credentials import has_ccp_credentials

        return has_ccp_credentials(os.environ)

    def servers_of(self, zone: str) -> tuple[Server, ...]:
        """The servers to ask about a zone: those named, else its own."""
        from netcup_mailauth.dnsio.nameservers import authoritative, parse_servers
        from netcup_mailauth.dnsio.resolver import Resolver

        named = self.servers_named or _listed(os.environ.get(NAMESERVERS))
        if not named:
            return authoritative(zone, Resolver(self.resolver))
        if not self._servers_told and not settings().quiet:
            say(f"name servers: {', '.join(named)}")
        self._servers_told = True
        return parse_servers(named)

    def wait(self, wishes: list[Wish], timeout: float, basis: Basis | None = None) -> bool:
        """Wait until the servers agree; whether they did in time."""
        from netcup_mailauth.checks.report import Basis
        from netcup_mailauth.cli.live import wait_for

        return wait_for(self.checker(), wishes, basis or Basis.OPTIONS, timeout)

    def applier(
        self,
        planner: Planner,
        lock_timeout: float | None = None,
        undoes: Mapping[str, str] | None = None,
    ) -> Applier:
        """Writes them; ``undoes`` has the journal entry that is taken back, for each domain."""
        from netcup_mailauth import state
        from netcup_mailauth.actions.applying import Applier
        from netcup_mailauth.actions.writing import Writer
        from netcup_mailauth.state.journal import Journal, new_run
        from netcup_mailauth.state.lock import LOCK_TIMEOUT, writer_lock

        backend = planner.backend
        root = state.root(os.environ)
        timeout = LOCK_TIMEOUT if lock_timeout is None else lock_timeout
        folder = state.account_folder(root, backend.endpoint, backend.account)
        journal = Journal(folder, new_run(), undoes=undoes or {})
        return Applier(
            planner,
            Writer(backend, journal=journal),
            lambda: writer_lock(folder, timeout, _tell),
        )

    def undoer(self) -> Undoer:
        """Makes plans that take back what was applied."""
        from netcup_mailauth.actions.undoing import Undoer
        from netcup_mailauth.dnsio.resolver import Resolver

        server = self.resolver
        return Undoer(self.backend, lambda: Resolver(server))

    def journal(self) -> Journal:
        """What this account has written from here, to be read."""
        from netcup_mailauth.state.journal import Journal

        return Journal(self.endpoint_folder / self.backend.account)

    def journals(self) -> list[Journal]:
        """The same of every account at the endpoint, for which no credentials are needed."""
        from netcup_mailauth.state.journal import journals

        return journals(self.endpoint_folder)

    @property
    def endpoint_folder(self) -> Path:
        """The state of the endpoint in use, whatever the account."""
        from netcup_mailauth import state
        from netcup_mailauth.backends import ccp

        endpoint = os.environ.get(ENDPOINT) or ccp.ENDPOINT
        return state.endpoint_folder(state.root(os.environ), endpoint)


@contextmanager
def run(
    mailcow_url: str | None = None,
    resolver: str | None = None,
    nameservers: tuple[str, ...] = (),
) -> Iterator[Run]:
    """One run of a command: whatever it opened is closed, and netcup's session ended."""
    if settings().verbose:
        from netcup_mailauth.cli.logs import show_requests

        show_requests()
    with ExitStack() as stack:
        yield Run(stack, mailcow_url, resolver, nameservers)


def _tell(message: str) -> None:
    if not settings().quiet:
        say(message)


def _listed(text: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in (text or "").split(",") if part.strip())


def _stdin() -> Any:
    read: list[bytes] = []

    def once() -> bytes:
        if not read:
            read.append(sys.stdin.buffer.read(MAX_STDIN))
        return read[0]

    return once


MAX_STDIN = 64 * 1024
"""Bytes of a key on standard input."""
