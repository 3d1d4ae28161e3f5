"""What one run of a command works with: the config, netcup's APIs, DNS, mailcow, and the state.

Here the parts are put together: each client that holds a secret gets its hold, its trace and its
request budget, and its secrets are masked in whatever is shown. `run` makes the one `Run` of a
command, and that makes the `Session` its actions work with. What only some commands work with is
loaded when it is made.
"""

from __future__ import annotations

import logging
import os
import re
import sys
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from threading import RLock
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pydantic import SecretStr

from netcup_mailauth import state
from netcup_mailauth.cli import asking
from netcup_mailauth.cli.many import Many
from netcup_mailauth.cli.options import NAMESERVER, RESOLVER
from netcup_mailauth.cli.output import advise, attended, say, settings, warn
from netcup_mailauth.clock import Pauses
from netcup_mailauth.dnsio.ask import host_and_port
from netcup_mailauth.dnsio.servers import Dns, serves_records
from netcup_mailauth.errors import CredentialsError, UsageError
from netcup_mailauth.files import NotOursError, config_file
from netcup_mailauth.netcup import CCP_ADDRESS, REST_ADDRESS
from netcup_mailauth.netcup.api import Budget
from netcup_mailauth.netcup.http import check_url
from netcup_mailauth.netcup.zones import Router
from netcup_mailauth.settings import no_config
from netcup_mailauth.settings.credentials import (
    MAILCOW_KEY,
    MAILCOW_URL,
    CcpCredentials,
    find,
    has_netcup_credentials,
    missing_for_netcup,
    netcup_credentials,
    with_entered,
)
from netcup_mailauth.shown import MASK, masked
from netcup_mailauth.state.holds import FileHold, Hold, digest
from netcup_mailauth.state.lock import LOCK_TIMEOUT
from netcup_mailauth.state.memory import Memory, folders

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from netcup_mailauth.actions.session import Reporter, Session
    from netcup_mailauth.keys.mailcow import Mailcow
    from netcup_mailauth.lookup import Server
    from netcup_mailauth.netcup.ccp import CcpBackend
    from netcup_mailauth.netcup.clouddns import CloudDnsBackend
    from netcup_mailauth.netcup.recording import Recording
    from netcup_mailauth.netcup.zonefile import ZoneFiles
    from netcup_mailauth.policy import Wish
    from netcup_mailauth.settings import LoadedConfig
    from netcup_mailauth.settings.mailcow import MailcowAccess
    from netcup_mailauth.state.journal import Journals

CCP_ENDPOINT = "NETCUP_CCP_ENDPOINT"
REST_ENDPOINT = "NETCUP_REST_ENDPOINT"

MAX_STDIN = 64 * 1024
"""Bytes of a key on standard input."""


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
            stack.enter_context(requests_shown())
        recording = None
        if settings().record:
            from netcup_mailauth.cli.recording import recorded  # not needed but for this

            recording = stack.enter_context(recorded())
        many = many or Many()
        yield Run(stack, mailcow_url, resolver, nameservers, many, recording=recording)


@dataclass
class Run:
    """What one run of a command works with; connections are closed when it ends.

    Attributes:
        entered: what somebody typed at the terminal, by the names of the variables. It serves this
            run, and comes before all else.
    """

    stack: ExitStack
    mailcow_url: str | None = None
    resolver_named: str | None = None
    servers_named: tuple[str, ...] = ()
    many: Many = field(default_factory=Many)
    recording: Recording | None = None
    pauses: Pauses = field(default_factory=Pauses)
    entered: dict[str, str] = field(default_factory=dict, repr=False)
    _asked: set[str] = field(default_factory=set)
    _servers_told: bool = False
    _opening: RLock = field(default_factory=RLock)

    @property
    def environ(self) -> Mapping[str, str]:
        """The environment, with what was entered."""
        return with_entered(os.environ, self.entered)

    @cached_property
    def memory(self) -> Memory:
        """What this machine remembers."""
        return Memory(os.environ, _addresses(), _tell, _warn_of)

    @cached_property
    def config(self) -> LoadedConfig:
        """The config in use, named on stderr when it was merely found."""
        if config_file(settings().config, os.environ) is None:
            return no_config()
        from netcup_mailauth.settings import config as configs

        loaded = configs.load(settings().config)
        if loaded.path is not None and settings().config is None:
            _tell(f"config: {loaded.path}")
        return loaded

    def zone_in_config(self, domain: str) -> str | None:
        """The zone that the config says a domain lies in, if there is one and it does."""
        if config_file(settings().config, os.environ) is None:
            return None
        own = self.config.config.domains.get(domain)
        return own.zone if own else None

    @cached_property
    def backend(self) -> Router:
        """netcup's APIs, those there are credentials for; not yet asked.

        Whoever sits at the terminal is asked for what is missing.

        Raises:
            CredentialsError: there are none, or they cannot be right.
            UsageError: an endpoint is no address for a secret.
        """
        if asking.may_ask() and (missing := missing_for_netcup(self.environ)):
            self.entered |= asking.netcup_for_this_run(missing)
        credentials = netcup_credentials(self.environ, warn)
        own, key = credentials.ccp, credentials.rest_key
        router = Router(
            ccp_backend(self, own, told(CCP_ENDPOINT)) if own else None,
            clouddns_backend(self, key, told(REST_ENDPOINT)) if key else None,
            lambda zone: serves_records(zone, self.dns.servers_of(zone)),
        )
        self.memory.apis = router.apis
        return self.stack.enter_context(router)

    def open_anew(self) -> None:
        """Work with credentials that were entered since netcup's APIs were opened."""
        self.__dict__.pop("backend", None)

    @cached_property
    def resolver(self) -> str | None:
        """The resolver to ask instead of the system's; named on stderr if there is one."""
        server = self.resolver_named or os.environ.get(RESOLVER.variable)
        if server is not None:
            host_and_port(server)
            _tell(f"resolver: {server}")
        return server

    @cached_property
    def dns(self) -> Dns:
        """The DNS of this run, with the one cache of its resolver's answers."""
        named = self.servers_named or _listed(os.environ.get(NAMESERVER.variable))
        return RunDns(self.resolver, named, run=self)

    def _stdin(self) -> bytes:
        """The key on standard input; parallel jobs share the one."""
        with self._opening:
            return self._read

    @cached_property
    def _read(self) -> bytes:
        """It is there once: a run that writes, then waits, asks for its key twice."""
        return sys.stdin.buffer.read(MAX_STDIN)

    @property
    def mailcow(self) -> Mailcow:
        """The mailcow to ask for keys; parallel jobs share the one."""
        with self._opening:
            return self._mailcow

    @cached_property
    def _mailcow(self) -> Mailcow:
        return mailcow_client(self, self._mailcow_access())

    def _mailcow_access(self) -> MailcowAccess:
        from netcup_mailauth.settings.mailcow import mailcow_access

        try:
            return mailcow_access(self.mailcow_url, self.config, self.environ, warn)
        except CredentialsError as error:
            # A key that is there, or a file of one that is named, has to be put right instead.
            named = self.config.config.mailcow.api_key_file or find(MAILCOW_KEY, self.environ, warn)
            # A run needs it for each domain, and somebody who has none is asked once.
            if named or MAILCOW_KEY in self._asked or not asking.may_ask():
                raise
            self._asked.add(MAILCOW_KEY)
            self.entered |= asking.mailcow_key_for_this_run(error)
            if MAILCOW_KEY not in self.entered:
                raise
        return mailcow_access(self.mailcow_url, self.config, self.environ, warn)

    def mailcow_named(self) -> str | None:
        """The address of the mailcow, if one is named anywhere."""
        from netcup_mailauth.settings.mailcow import named_mailcow

        if given := self.mailcow_url or self.environ.get(MAILCOW_URL):
            return given
        named = named_mailcow(None, self.config, self.environ)
        return named.url if named else None

    def session(
        self,
        reporter: Reporter | None = None,
        *,
        exported: ZoneFiles | None = None,
        lock_timeout: float | None = None,
    ) -> Session:
        """What the actions of this run work with.

        ``exported`` are zones to work on instead of netcup's; what this machine last wrote is not
        asked then: a file means the same everywhere. ``lock_timeout`` is in seconds.
        """
        from netcup_mailauth.actions.session import Session

        bare = self._bare(reporter)
        if exported is not None:
            dns = Dns(self.resolver, zones=exported, cache=self.dns.cache)
            return Session(exported, dns, bare.keys, reporter=bare.reporter)
        seconds = LOCK_TIMEOUT if lock_timeout is None else lock_timeout
        return replace(bare, apis=self.backend, jobs=self.many.jobs, lock_timeout=seconds)

    def checking(self) -> Session:
        """What a check works with: netcup's copy of a zone is read only with credentials."""
        bare = self._bare(None)
        bare = replace(bare, jobs=self.many.jobs)
        return replace(bare, apis=self.backend) if has_netcup_credentials(self.environ) else bare

    def _bare(self, reporter: Reporter | None) -> Session:
        from netcup_mailauth.actions.session import Reporter, Session
        from netcup_mailauth.keys.sources import Sources

        return Session(
            dns=self.dns,
            keys=Sources(self._stdin, lambda: self.mailcow, self.mailcow_named),
            state=self.memory,
            reporter=reporter or Reporter(),
            pauses=self.pauses,
        )

    def announce(self, wishes: Sequence[Wish]) -> None:
        """Say when a run over so many domains will be done, if it has to wait for its budget."""
        count = len(wishes)
        if count > 1:
            self.many.announce(count, self.backend.reads(count))

    def journals(self) -> Journals:
        """What the accounts in use have written from here."""
        return self.memory.journals(self.backend.apis)

    def tell_of_servers(self) -> None:
        """Name those that are asked instead of a zone's own on stderr, once."""
        with self._opening:
            if self.dns.servers and not self._servers_told:
                _tell(f"name servers: {', '.join(self.dns.servers)}")
            self._servers_told = True


@dataclass(frozen=True)
class RunDns(Dns):
    """As `Dns`; the run tells which servers are asked instead of a zone's own."""

    run: Run | None = None

    def servers_of(self, zone: str) -> tuple[Server, ...]:
        """See `Dns`."""
        assert self.run is not None
        self.run.tell_of_servers()
        return super().servers_of(zone)


def _listed(text: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in (text or "").split(",") if part.strip())


def _tell(message: str) -> None:
    if not settings().quiet:
        say(message)


# The clients that hold a secret


def ccp_backend(current: Run, credentials: CcpCredentials, endpoint: str) -> CcpBackend:
    """The CCP API, not yet logged in to."""
    from netcup_mailauth.netcup.ccp import CcpBackend

    number = SecretStr(credentials.customer_number)
    secrets = (number, credentials.api_key, credentials.api_password)
    _hide(current, *secrets)
    return CcpBackend(
        credentials.customer_number,
        credentials.api_key,
        credentials.api_password,
        endpoint=endpoint,
        trace=_trace if settings().verbose else None,
        hold=hold("netcup", endpoint, *secrets),
        budget=Budget(current.many.calls),
        recording=current.recording,
        pauses=current.pauses,
    )


def clouddns_backend(current: Run, key: SecretStr, endpoint: str) -> CloudDnsBackend:
    """The REST API, not yet asked."""
    from netcup_mailauth.netcup.clouddns import CloudDnsBackend

    _hide(current, key)
    return CloudDnsBackend(
        key,
        endpoint=endpoint,
        trace=_trace if settings().verbose else None,
        hold=hold("netcup's REST API", endpoint, key),
        budget=Budget(current.many.calls),
        recording=current.recording,
        pauses=current.pauses,
    )


def _hide(current: Run, *secrets: SecretStr) -> None:
    """Mask what opens netcup's APIs, in what is shown and in what is recorded."""
    masking.hide(*secrets)
    if current.recording is not None:
        current.recording.hide(secrets)


def mailcow_client(current: Run, access: MailcowAccess) -> Mailcow:
    """The mailcow, not yet asked; it is closed when the run ends."""
    from netcup_mailauth.keys.mailcow import Mailcow

    masking.hide(access.api_key)
    kept = hold("mailcow", access.url, access.api_key)
    opened = Mailcow(access.url, access.api_key, hold=kept, warn=warn, pauses=current.pauses)
    current.stack.callback(opened.close)
    return opened


def hold(who: str, endpoint: str, *secrets: SecretStr) -> Hold:
    """What is remembered of these secrets at this endpoint."""
    try:
        root = state.root(os.environ)
    except (UsageError, NotOursError):  # no home of ours; whoever writes needs one, others do not
        return Hold()
    name = digest(endpoint, (secret.get_secret_value() for secret in secrets))
    return FileHold(root, endpoint, name, who, attended(), warn)


def _trace(line: str) -> None:
    say(masking.masked(line))


# Where netcup is


def told(variable: str) -> str:
    """The endpoint in a variable, named on stderr if it is not netcup's own address."""
    address = endpoint(variable)
    if address != _default(variable):
        _tell(f"endpoint: {urlsplit(address).netloc} ({variable})")
    return address


def endpoint(variable: str) -> str:
    """The endpoint in a variable, or netcup's own.

    Raises:
        UsageError: it is no address for a secret.
    """
    # Checked before it is named: there may be a password in it.
    return check_url(os.environ.get(variable) or _default(variable), f"the address in {variable}")


def _default(variable: str) -> str:
    return {CCP_ENDPOINT: CCP_ADDRESS, REST_ENDPOINT: REST_ADDRESS}[variable]


# What this machine remembers of earlier runs


def state_folders() -> list[Path]:
    """The state of both endpoints in use, whatever the account.

    Raises:
        NotOursError: some of it is another user's, so that it is not to be believed.
    """
    return folders(os.environ, _addresses())


def _addresses() -> dict[str, str]:
    """Where netcup's APIs are, each by what says so; not yet checked."""
    named = (CCP_ENDPOINT, REST_ENDPOINT)
    return {f"the address in {name}": os.environ.get(name) or _default(name) for name in named}


def _warn_of(error: NotOursError) -> None:
    warn(f"{error.what} Nothing is known of what was written from here before.")
    advise(error.advice)


# What -v shows of HTTP


LOGGERS = ("urllib3", "requests")

_NAMED = re.compile(
    r"""(?ix) (["']? (?: apikey | apipassword | apisessionid | customernumber | x-api-key
    | authorization | cookie ) ["']? \s* [:=] \s* (?: bearer \s | basic \s | ["'] )? )
    [^\s"',;}&\\]+"""
)
"""A secret by the name in front of it, should it not be one of those we know."""

_USER = re.compile(r"//[^/@\s]+@")


class Masking(logging.Filter):
    """Masks secrets in whatever is logged, and drops tracebacks, which cannot be masked well.

    It belongs to a handler: a logger's own filters do not see what comes from the loggers below.
    """

    def __init__(self) -> None:
        super().__init__()
        self._secrets: list[SecretStr] = []

    def hide(self, *secrets: SecretStr) -> None:
        """Mask these from now on."""
        self._secrets += secrets

    def filter(self, record: logging.LogRecord) -> bool:
        """See logging: every record passes, masked."""
        record.msg, record.args = self.masked(record.getMessage()), ()
        record.exc_info = record.exc_text = record.stack_info = None
        return True

    def masked(self, text: str) -> str:
        """``text`` without secrets."""
        named = _NAMED.sub(rf"\1{MASK}", masked(text, self._secrets))
        return _USER.sub(f"//{MASK}@", named)


masking = Masking()
"""Told of each secret as it is loaded."""


class ToUser(logging.Handler):
    """Shows what is logged as any other message."""

    def emit(self, record: logging.LogRecord) -> None:
        """See logging."""
        say(f"http: {record.getMessage()}")


@contextmanager
def requests_shown() -> Iterator[None]:
    """Show each connection and request on stderr, as long as a run lasts."""
    handler = ToUser()
    handler.addFilter(masking)
    loggers = [logging.getLogger(name) for name in LOGGERS]
    before = [(log, list(log.handlers), log.level, log.propagate) for log in loggers]
    for logger in loggers:
        logger.handlers[:] = [handler]
        logger.setLevel(logging.DEBUG)
        logger.propagate = False
    # It tells of retries that are never made.
    logging.getLogger("urllib3.util.retry").setLevel(logging.INFO)
    try:
        yield
    finally:
        for logger, handlers, level, propagate in before:
            logger.handlers[:] = handlers
            logger.setLevel(level)
            logger.propagate = propagate
