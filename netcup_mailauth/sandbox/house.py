"""The sandbox as a whole: builds its parts, starts and stops them, and is the library's handle."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Self

from netcup_mailauth.sandbox import control, statefile
from netcup_mailauth.sandbox.addresses import Addresses, Located
from netcup_mailauth.sandbox.ccp import endpoint
from netcup_mailauth.sandbox.ccp.desk import Desk
from netcup_mailauth.sandbox.ccp.limits import Lockout
from netcup_mailauth.sandbox.ccp.sessions import Sessions
from netcup_mailauth.sandbox.counters import Counters
from netcup_mailauth.sandbox.credentials import Credentials
from netcup_mailauth.sandbox.dns.handle import DnsHandle
from netcup_mailauth.sandbox.dns.service import DnsService, DnsSettings
from netcup_mailauth.sandbox.faults import Fault, FaultList, read_fault
from netcup_mailauth.sandbox.handle_zones import ZonesHandle
from netcup_mailauth.sandbox.http import App, LoopbackServer, route
from netcup_mailauth.sandbox.mailcow import Mailcow
from netcup_mailauth.sandbox.mailcow_dkim import Keyring
from netcup_mailauth.sandbox.quirks import Quirks
from netcup_mailauth.sandbox.ratelimit import RateLimit
from netcup_mailauth.sandbox.rest.calls import PREFIX as REST_PREFIX
from netcup_mailauth.sandbox.rest.desk import Desk as RestDesk
from netcup_mailauth.sandbox.rest.endpoint import Rest
from netcup_mailauth.sandbox.rest.handle import RestHandle
from netcup_mailauth.sandbox.rest.revisions import Ledger
from netcup_mailauth.sandbox.starter import hosts_of, seeds_for
from netcup_mailauth.sandbox.timers import Timers
from netcup_mailauth.sandbox.tls import ThrowAwayTls
from netcup_mailauth.sandbox.zones import Zones

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

    from netcup_mailauth.sandbox.mailcow_faults import MailcowFault


class Sandbox(Located, ZonesHandle, RestHandle, DnsHandle):
    """A netcup on loopback, with a mailcow beside it; a context manager.

    Args:
        domains: the zones of the account; each begins with what netcup puts into a fresh one.
        port: the port of both APIs and the controls, 0 for any that is free.
        latency: seconds each request to the CCP or the REST API takes.
        rate: CCP calls admitted in any 60 seconds, 0 or None for no limit (L40).
        session_ttl: seconds without a call after which a session is gone (L10).
        zones: records in wire form for domains that shall not begin with the usual ones.
        state: a file that keeps zones and DKIM keys from one run to the next; no API keys.
        tls: speak https, with a throw-away CA named in `env`.
        quirks: switches for what is not known about netcup.
        dkim_keys: public keys (Base64) mailcow holds, None for a domain without; all others get a
            key of 2048 bits. A domain named only here is known to mailcow but is no zone.
        alias_domains: mailcow's alias domains, each with the domain it stands for.
        clouddns: which of the domains netcup has moved to CloudDNS (L16), to its REST API (R1-R16).
        publish_delays: how many seconds late each of the three name servers is (L38).
        world: names outside the zones that the resolver shall know, each with its types and their
            values: `{"_spf.shop.example": {"TXT": ["v=spf1 -all"]}}`.
        fixed_keys: take the API keys that every such sandbox has, instead of new ones.
        clock: the time in seconds since 1970, for tests.

    Raises:
        ValueError: a domain is no zone name, a record or an argument is wrong, or the state file
            is not ours.
    """

    def __init__(
        self,
        domains: Iterable[str] = ("example.com",),
        *,
        port: int = 0,
        latency: float = 0.0,
        rate: int | None = 180,
        session_ttl: float = 900.0,
        zones: Mapping[str, Sequence[Mapping[str, object]]] | None = None,
        state: Path | None = None,
        tls: bool = False,
        quirks: Quirks | None = None,
        dkim_keys: Mapping[str, str | None] | None = None,
        alias_domains: Mapping[str, str] | None = None,
        clouddns: Iterable[str] = (),
        publish_delays: Sequence[float] = (0.0, 0.0, 0.0),
        world: Mapping[str, Mapping[str, Sequence[str]]] | None = None,
        fixed_keys: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        quirks = quirks or Quirks()
        saved = None if state is None else statefile.load(state)
        seeds = seeds_for(domains, zones or {}, {name.lower() for name in clouddns})
        aliases = {a.lower(): target.lower() for a, target in (alias_domains or {}).items()}
        self._credentials = Credentials.fixed() if fixed_keys else Credentials.fresh()
        self._world = Zones(seeds, quirks, clock)
        saved_zones = () if saved is None else saved.zones
        mail_domains = [*(seed.name for seed in seeds), *saved_zones, *aliases]
        self._keyring = Keyring(mail_domains, dkim_keys or {})
        self._desk = Desk(
            self._world,
            Sessions(session_ttl, quirks, clock),
            RateLimit(rate, clock),
            Lockout(quirks, clock),
            self._credentials,
        )
        self._faults, self._counters, self._timers = FaultList(), Counters(), Timers()
        self._ccp = endpoint.Ccp(self._desk, self._faults, self._counters, self._timers, latency)
        self._ledger = Ledger(quirks, clock)
        rest_rate = RateLimit(quirks.rest_rate, clock)
        self._rest_desk = RestDesk(self._world, self._ledger, rest_rate, self._credentials.rest_key)
        self._rest = Rest(self._rest_desk, self._faults, self._counters, self._timers, latency)
        self._mailcow = Mailcow(self._keyring, aliases, self._counters, quirks, self._credentials)
        self._port = port
        self._wants_tls = tls
        self._tls: ThrowAwayTls | None = None
        self._servers: list[LoopbackServer] = []
        self._addresses: Addresses | None = None
        self._state_file = state
        if saved is not None:
            self._world.restore(saved.zones, saved.last_id)
            self._keyring.restore(saved.keys)
        zones_now = self._world.zones
        self._ledger.note(zones_now)
        self._began_on_clouddns = any(z.backend == "clouddns" for z in zones_now.values())
        hosts = hosts_of([seed.name for seed in seeds])
        settings = DnsSettings(publish_delays, quirks.short_target, hosts, world or {})
        self._dns = DnsService(zones_now, settings, clock)
        self._world.on_change = self._zones_changed
        self._keyring.on_change = self._save_state

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def start(self) -> None:
        """Open the ports; a sandbox that was closed is not started again.

        Raises:
            OSError: the port is taken.
        """
        routes: dict[str, App] = {
            endpoint.PATH: self._ccp,
            REST_PREFIX: self._rest,
            control.PREFIX: control.Control(self),
        }
        try:
            if self._wants_tls:
                self._tls = ThrowAwayTls()
            context = None if self._tls is None else self._tls.context
            front = LoopbackServer(route(routes), self._port, context)
            self._servers.append(front)
            beside = LoopbackServer(self._mailcow, 0, context)
            self._servers.append(beside)
            self._dns.start()
        except BaseException:
            self._stop()
            raise
        *nameservers, resolver = self._dns.addresses
        self._addresses = Addresses(
            ccp_endpoint=f"{front.url}{endpoint.PATH}?JSON",
            rest_endpoint=f"{front.url}{REST_PREFIX.rstrip('/')}",
            mailcow_url=beside.url,
            control_url=f"{front.url}{control.PREFIX.rstrip('/')}",
            nameservers=tuple(nameservers),
            resolver=resolver,
            credentials=self._credentials,
            ca_file=None if self._tls is None else self._tls.ca_file,
            offers_rest_key=self._began_on_clouddns,
        )

    def close(self) -> None:
        """Stop everything and keep the state; once stopped, does nothing."""
        was_running = bool(self._servers)
        self._stop()
        if was_running:
            self._save_state()

    def _stop(self) -> None:
        self._timers.close()
        while self._servers:
            self._servers.pop().close()
        self._dns.close()  # last, as a control call may be waiting for it
        if self._tls is not None:
            self._tls.close()
            self._tls = None

    # Where it is

    @property
    def addresses(self) -> Addresses:
        """Where everything is.

        Raises:
            RuntimeError: the sandbox is not running.
        """
        if self._addresses is None:
            raise RuntimeError("the sandbox is not running")
        return self._addresses

    # How it looks

    def stats(self) -> dict[str, Any]:
        """What was asked so far, and how the zones look: the answer of `GET control/stats`."""
        zones = self._world.zones
        with self._world.lock:
            open_sessions = self._desk.sessions.count()
        return {
            **self._counters.report(),
            **self._dns.report(),
            "logins_open": open_sessions,
            "faults": self._faults.report(),
            "serials": {name: str(zone.serial) for name, zone in zones.items()},
            "zones": {name: self.zone(name) for name in zones},
        }

    def dkim_private_key(self, domain: str) -> str | None:
        """The private key mailcow signs with, in PEM; None without key or where it was given.

        Raises:
            ValueError: no such domain.
        """
        key = self._keyring.key(domain.lower())
        return (key.pem or None) if key else None

    # What can be done to it

    def fault(
        self,
        action: str,
        mode: str,
        times: int = 1,
        after: int = 0,
        *,
        delay: float | None = None,
        records: Sequence[Mapping[str, object]] | None = None,
    ) -> None:
        """Let the next calls of an action of either API (`*`: of any) fail; see `faults.py`.

        Raises:
            ValueError: an argument is wrong.
        """
        order = {"action": action, "mode": mode, "times": times, "after": after}
        self.add_fault(read_fault({**order, "delay": delay, "records": records}))

    def add_fault(self, fault: Fault) -> None:
        """Let calls fail as described."""
        self._faults.add(fault)

    def add_mailcow_fault(self, fault: MailcowFault) -> None:
        """Let calls to mailcow fail as described."""
        self._mailcow.faults.add(fault)

    def set_dkim(self, domain: str, selector: str | None = None, bits: int = 2048) -> str:
        """Let mailcow make a new key, under the old selector if none is given.

        Returns:
            The public key in Base64.

        Raises:
            ValueError: no such domain, selector or size.
        """
        return self._keyring.renew(domain.lower(), selector, bits).pubkey

    def remove_dkim(self, domain: str) -> None:
        """Let mailcow have no key for a domain.

        Raises:
            ValueError: no such domain.
        """
        self._keyring.remove(domain.lower())

    def reset(self) -> None:
        """Put zones, keys, counters, sessions, limits and faults back to the start."""
        self._timers.cancel()
        self._faults.clear()
        self._dns.reset()
        self._keyring.reset()
        self._mailcow.faults.clear()
        self._mailcow.log.clear()
        with self._world.lock:
            self._desk.sessions.clear()
            self._desk.rate.clear()
            self._desk.lockout.clear()
            self._rest_desk.clear()
            self._counters.clear()
            self._world.reset()

    def _zones_changed(self) -> None:
        zones = self._world.zones
        self._ledger.note(zones)
        self._dns.changed(zones)
        self._save_state()

    def _save_state(self) -> None:
        if self._state_file is None:
            return
        with self._world.lock:  # one writer at a time
            world = self._world
            state = statefile.State(world.zones, self._keyring.snapshot(), world.last_id)
            statefile.save(self._state_file, state)
