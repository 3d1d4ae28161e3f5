"""The sandbox as a whole: builds its parts, starts and stops them, and is what tests hold on to.

Its controls over HTTP, at the end, let any program look at it, break it, and put it back.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, Literal, Self

from netcup_mailauth.sandbox import ccp, faults, rest
from netcup_mailauth.sandbox.addresses import Addresses, Credentials
from netcup_mailauth.sandbox.calls import Counters, Lockout, RateLimit, Timers
from netcup_mailauth.sandbox.dns import DnsService
from netcup_mailauth.sandbox.http import (
    HttpServer,
    Reply,
    Request,
    compressed,
    html_reply,
    json_reply,
    takes_gzip,
)
from netcup_mailauth.sandbox.mailcow import Mailcow
from netcup_mailauth.sandbox.mailcow_dkim import Keyring
from netcup_mailauth.sandbox.quirks import Quirks
from netcup_mailauth.sandbox.replay import Replay
from netcup_mailauth.sandbox.rest_records import rows_of
from netcup_mailauth.sandbox.starter import hosts_of, seeds_for
from netcup_mailauth.sandbox.state import State, load, save
from netcup_mailauth.sandbox.tls import ThrowAwayTls
from netcup_mailauth.sandbox.world import World
from netcup_mailauth.sandbox.zones import Zones, read_drafts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from netcup_mailauth.library.account import Netcup
    from netcup_mailauth.sandbox.faults import DnsFault, Fault

CONTROL = "/control/"
"""Where its controls are, at the port of both APIs."""


class Sandbox:
    """A netcup on loopback, with a mailcow beside it; a context manager.

    Args:
        domains: the zones of the account; each begins with what netcup puts into a fresh one.
        port: the port of both APIs and the controls, 0 for any that is free.
        latency: seconds each request to the CCP or the REST API takes.
        rate: CCP calls admitted in any 60 seconds, 0 or None for no limit.
        session_ttl: seconds without a call after which a session is gone.
        zones: records in wire form for domains that shall not begin with the usual ones.
        state: a file that keeps zones and DKIM keys from one run to the next; no API keys.
        tls: speak https, with a throw-away CA named in `env`.
        quirks: switches for what is not known about netcup.
        dkim_keys: public keys (Base64) mailcow holds, None for a domain without; all others get a
            key of 2048 bits. A domain named only here is known to mailcow but is no zone.
        alias_domains: mailcow's alias domains, each with the domain it stands for.
        clouddns: which of the domains netcup has moved to CloudDNS, to its REST API.
        publish_delays: how many seconds late each of the three name servers is.
        world: names outside the zones that the resolver shall know, each with its types and their
            values: `{"_spf.shop.example": {"TXT": ["v=spf1 -all"]}}`.
        fixed_keys: take the API keys that every such sandbox has, instead of new ones.
        replay: a file that the command recorded: what netcup said in it is answered instead of
            what the zones hold.
        clock: the time in seconds since 1970, for tests.

    Raises:
        ValueError: a domain is no zone name or not there, a record or an argument is wrong, or the
            state file is not ours; here and in all that can be done to it.
        RuntimeError: asked where it is, or to let a name server fail, while it is not running.
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
        mailboxes: Iterable[str] = (),
        aliases: Mapping[str, str] | None = None,
        clouddns: Iterable[str] = (),
        publish_delays: Sequence[float] = (0.0, 0.0, 0.0),
        world: Mapping[str, Mapping[str, Sequence[str]]] | None = None,
        fixed_keys: bool = False,
        replay: Path | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        quirks = quirks or Quirks()
        self._port, self._latency, self._wants_tls = port, latency, tls
        self._tls: ThrowAwayTls | None = None
        self._servers: list[HttpServer] = []
        self._addresses: Addresses | None = None
        self._credentials = Credentials.fixed() if fixed_keys else Credentials.fresh()
        self._faults, self._counters, self._timers = faults.Faults(), Counters(), Timers()
        self._replay = None if replay is None else Replay(replay)
        replayed = self._replay.domains if self._replay else []
        seeds = seeds_for([*domains, *replayed], zones or {}, {name.lower() for name in clouddns})
        names = [seed.name for seed in seeds]
        of_domains = {a.lower(): target.lower() for a, target in (alias_domains or {}).items()}
        self._zones = Zones(seeds, quirks, clock, self._zones_changed)
        self._state_file = state
        saved = None if state is None else load(state)
        saved_zones = {} if saved is None else saved.zones
        self._keyring = Keyring(
            [*names, *saved_zones, *of_domains], dkim_keys or {}, self._save_state
        )
        if saved is not None:
            self._zones.restore(saved.zones, saved.last_id)
            self._keyring.restore(saved.keys)
        self._ccp = ccp.CcpAccount(
            self._zones,
            ccp.Sessions(session_ttl, quirks, clock),
            RateLimit(rate, clock),
            Lockout(quirks),
            self._credentials,
        )
        rest_rate = RateLimit(quirks.rest_rate, clock)
        self._rest = rest.RestAccount(self._zones, rest_rate, self._credentials.rest_key)
        self._mailcow = Mailcow(
            self._keyring,
            of_domains,
            self._counters,
            quirks,
            self._credentials,
            mailboxes=tuple(address.lower() for address in mailboxes),
            aliases=aliases or {},
        )
        zones_now = self._zones.by_name
        self._began_on_clouddns = any(z.backend == "clouddns" for z in zones_now.values())
        for name in world or {}:
            self._zones.refuse_inside(name)
        self._world = World(hosts_of(names), world or {})
        self._dns = DnsService(zones_now, publish_delays, self._world, clock)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def start(self) -> None:
        """Open the ports; a sandbox that was closed is not started again.

        Raises:
            OSError: the port is taken.
        """
        try:
            if self._wants_tls:
                self._tls = ThrowAwayTls()
            context = None if self._tls is None else self._tls.context
            netcup = HttpServer(self._reply, self._port, context)
            self._servers.append(netcup)
            mailcow = HttpServer(self._mailcow_reply, 0, context)
            self._servers.append(mailcow)
            self._dns.start()
        except BaseException:
            self._stop()
            raise
        *nameservers, resolver = self._dns.addresses
        self._addresses = Addresses(
            ccp_endpoint=f"{netcup.url}{ccp.PATH}?JSON",
            rest_endpoint=f"{netcup.url}{rest.PREFIX.rstrip('/')}",
            mailcow_url=mailcow.url,
            control_url=f"{netcup.url}{CONTROL.rstrip('/')}",
            nameservers=tuple(nameservers),
            resolver=resolver,
            credentials=self._credentials,
            ca_file=None if self._tls is None else self._tls.ca_file,
            offers_rest_key=self._asks("clouddns", self._began_on_clouddns),
            offers_ccp_keys=self._asks("ccp", True),
        )

    def close(self) -> None:
        """Stop everything and keep the state; once stopped, does nothing."""
        was_running = bool(self._servers)
        self._stop()
        if was_running:
            self._save_state()

    def _asks(self, api: Literal["ccp", "clouddns"], otherwise: bool) -> bool:
        """Whether a client is given the key of an API: as in a recording, if there is one."""
        return otherwise if self._replay is None else api in self._replay.apis

    def _stop(self) -> None:
        self._timers.close()
        while self._servers:
            self._servers.pop().close()
        self._dns.close()  # last, as a control call may be waiting for it
        if self._tls is not None:
            self._tls.close()
            self._tls = None

    # What is asked of it

    def _reply(self, request: Request) -> Reply:
        """The reply to one request at the port of both APIs and the controls."""
        if request.path == ccp.PATH:
            account: ccp.CcpAccount | rest.RestAccount = self._ccp
        elif request.path.startswith(rest.PREFIX):
            account = self._rest
        elif request.path.startswith(CONTROL):
            return _control(self, request)
        else:
            return html_reply("404 Not Found", 404)
        if self._replay is not None:
            return self._replay.reply("ccp" if account is self._ccp else "clouddns", request)
        return self._netcup_reply(account, request)

    def _netcup_reply(self, account: ccp.CcpAccount | rest.RestAccount, request: Request) -> Reply:
        call = account.decode(request)
        if isinstance(call, Reply):
            return call
        self._counters.note_call(call.action, request.connection)
        self._timers.pause(self._latency)
        is_call = not (isinstance(call, ccp.CcpCall) and call.error)  # but something unreadable
        fault = self._faults.take(account.where, call.action) if is_call else None
        reply = faults.reply_of(account, call, fault, self._timers)
        may_compress = self._zones.quirks.compressed == "when-asked"
        return compressed(reply) if may_compress and takes_gzip(request) else reply

    def _mailcow_reply(self, request: Request) -> Reply:
        call = self._mailcow.decode(request)
        if isinstance(call, Reply):
            return call
        fault = self._faults.take("mailcow", call.name, call.names)
        return faults.mailcow_reply(self._mailcow, call, fault)

    # Where it is

    @property
    def addresses(self) -> Addresses:
        """Where everything is."""
        if self._addresses is None:
            raise RuntimeError("the sandbox is not running")
        return self._addresses

    @property
    def ccp_endpoint(self) -> str:
        """The URL of the CCP JSON API."""
        return self.addresses.ccp_endpoint

    @property
    def rest_endpoint(self) -> str:
        """The URL below which the REST API is, without a slash at its end."""
        return self.addresses.rest_endpoint

    @property
    def rest_key(self) -> str:
        """The key of the REST API, also where `env` does not hold it."""
        return self.addresses.credentials.rest_key

    @property
    def mailcow_url(self) -> str:
        """The URL of the mailcow; a port of its own, as a mailcow is another host."""
        return self.addresses.mailcow_url

    @property
    def mailcow_rw_key(self) -> str:
        """The mailcow's read-write key, which a rotation needs; `env` holds the read-only one."""
        return self.addresses.credentials.mailcow_rw_key

    @property
    def nameservers(self) -> list[str]:
        """The three authoritative name servers, each as HOST:PORT."""
        return list(self.addresses.nameservers)

    @property
    def resolver(self) -> str:
        """The recursive resolver, as HOST:PORT."""
        return self.addresses.resolver

    @property
    def control_url(self) -> str:
        """The URL below which the control calls are."""
        return self.addresses.control_url

    @property
    def env(self) -> dict[str, str]:
        """The environment that points a client here; empty for a REST key that nobody needs."""
        return self.addresses.env()

    def netcup(self, *, jobs: int = 1) -> Netcup:
        """The library, pointed here: at these APIs, name servers and this mailcow."""
        from netcup_mailauth.library.account import Netcup

        return Netcup.from_environment(self.env, jobs=jobs)

    def banner(self) -> dict[str, object]:
        """What a program that starts the sandbox tells about it, as one line of JSON."""
        return self.addresses.banner()

    # How it looks

    def stats(self) -> dict[str, Any]:
        """What was asked so far, and how the zones look: the answer of `GET control/stats`."""
        zones = self._zones.by_name
        with self._zones.lock:
            open_sessions = self._ccp.sessions.count()
        return {
            **self._counters.report(),
            **self._dns.report(),
            "logins_open": open_sessions,
            **({} if self._replay is None else {"replay": self._replay.report()}),
            "faults": self._faults.report(),
            "serials": {name: str(zone.serial) for name, zone in zones.items()},
            "zones": {name: self.zone(name) for name in zones},
        }

    def zone(self, domain: str) -> list[dict[str, Any]]:
        """The records of a zone, wherever it is, as `infoDnsRecords` would give them."""
        zone = self._zones.existing(domain.lower())
        return zone.wire_records(self._zones.quirks, self._zones.clock())

    def rest_records(self, domain: str) -> list[dict[str, object]]:
        """The records of a zone as a revision would hold them, without identifiers.

        A zone on the CCP is shown as it would look on CloudDNS.
        """
        quirks = self._zones.quirks
        return [row.wire(quirks) for row in rows_of(self._zones.existing(domain.lower()), quirks)]

    def dkim_private_key(self, domain: str) -> str | None:
        """The private key mailcow signs with, in PEM; None without key or where it was given."""
        key = self._keyring.key(domain.lower())
        return (key.pem or None) if key else None

    # What can be done to it

    def set_zone(self, domain: str, records: Sequence[Mapping[str, object]]) -> None:
        """Replace the records of a zone by these, in wire form; a `ttl` counts on CloudDNS."""
        self._zones.set_records(domain.lower(), read_drafts(f"zone {domain}", records))

    def set_zone_ttl(self, domain: str, seconds: int) -> None:
        """Let caches keep what a zone says, and that it has none, for so long.

        Nobody at netcup is known to have fewer than 300; tests have no time for that.
        """
        self._zones.set_ttl(domain.lower(), seconds)

    def set_backend(self, domain: str, backend: str) -> None:
        """Move a zone with its records to `clouddns`, or back to `ccp`."""
        if backend not in ("ccp", "clouddns"):
            raise ValueError("backend must be ccp or clouddns")
        self._zones.set_backend(domain.lower(), "ccp" if backend == "ccp" else "clouddns")

    def set_world(self, name: str, type: str, values: Sequence[str]) -> None:  # noqa: A002
        """Let the resolver know these values of a name outside the zones; none: no longer."""
        self._zones.refuse_inside(name)
        self._world.set(name, type, values)

    def set_dkim(self, domain: str, selector: str | None = None, bits: int = 2048) -> str:
        """Let mailcow make a new key, under the old selector if none is given.

        Returns:
            The public key in Base64.
        """
        return self._keyring.renew(domain.lower(), selector, bits).pubkey

    def remove_dkim(self, domain: str) -> None:
        """Let mailcow have no key for a domain."""
        self._keyring.remove(domain.lower())

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
        """Let the next calls of an action of either API (`*`: of any) fail; see `faults.py`."""
        order = {"action": action, "mode": mode, "times": times, "after": after}
        self.add_fault(faults.read_fault({**order, "delay": delay, "records": records}))

    def add_fault(self, fault: Fault) -> None:
        """Let calls fail as described, those to mailcow too."""
        self._faults.add(fault)

    def dns_fault(self, server: int, mode: str, *, delay: float | None = None) -> None:
        """Let a name server (0, 1 or 2) fail until it is told `ok`; see `POST control/dns`."""
        order = {"server": server, "mode": mode, "delay": delay}
        self.add_dns_fault(faults.read_dns_fault(order))

    def resolver_fault(self, mode: str, *, delay: float | None = None) -> None:
        """Let the resolver fail until it is told `ok`, in the ways of a name server."""
        order = {"server": faults.RESOLVER, "mode": mode, "delay": delay}
        self.add_dns_fault(faults.read_dns_fault(order))

    def add_dns_fault(self, fault: DnsFault) -> None:
        """Let a server fail as described."""
        self._dns.behave(fault.index, fault.behaviour)

    def reset(self) -> None:
        """Put zones, keys, counters, sessions, limits and faults back to the start."""
        self._timers.cancel()
        self._faults.clear()
        self._world.reset()
        self._dns.reset()
        self._keyring.reset()
        self._mailcow.log.clear()
        if self._replay is not None:
            self._replay.reset()
        with self._zones.lock:
            self._ccp.clear()
            self._rest.clear()
            self._counters.clear()
            self._zones.reset()

    def _zones_changed(self) -> None:
        zones = self._zones.by_name
        self._rest.revisions.note(zones)
        self._dns.changed(self._rest.served())
        self._save_state()

    def _save_state(self) -> None:
        if self._state_file is None:
            return
        with self._zones.lock:  # one writer at a time
            zones, keys = self._zones.by_name, self._keyring.snapshot()
            save(self._state_file, State(zones, keys, self._zones.last_id))


# The controls over HTTP
#
# A web page must not be able to make these calls: a POST needs a JSON content type, which a page
# cannot send without being asked for leave; for the Host header see `http.are_served`.


def _control(sandbox: Sandbox, request: Request) -> Reply:
    """Answer one control call."""
    name = request.path.removeprefix(CONTROL)
    if name == "stats":
        if request.method != "GET":
            return _error(405, "stats are asked for with GET")
        return json_reply(sandbox.stats())
    job = _POSTS.get(name)
    if job is None:
        return html_reply("404 Not Found", 404)
    if request.method != "POST":
        return _error(405, f"{name} is called with POST")
    content_type = request.headers.get("Content-Type", "").partition(";")[0]
    if content_type.strip().lower() != "application/json":
        return _error(415, "control calls need Content-Type: application/json")
    try:
        return json_reply(job(sandbox, _object(request.body)))
    except ValueError as error:
        return _error(400, str(error))


def _fault(sandbox: Sandbox, body: dict[str, Any]) -> object:
    fault = faults.read_fault(body)
    sandbox.add_fault(fault)
    return fault.report()


def _dns(sandbox: Sandbox, body: dict[str, Any]) -> object:
    fault = faults.read_dns_fault(body)
    sandbox.add_dns_fault(fault)
    return {"server": fault.server, "mode": fault.mode}


def _world(sandbox: Sandbox, body: dict[str, Any]) -> object:
    name, kind, values = (body.get(field) for field in ("name", "type", "values"))
    if not isinstance(name, str) or not isinstance(kind, str) or not isinstance(values, list):
        raise ValueError("name and type must be texts, values a list of texts")
    sandbox.set_world(name, kind, values)
    return {"name": name, "type": kind, "values": values}


def _reset(sandbox: Sandbox, _body: dict[str, Any]) -> object:
    sandbox.reset()
    return {"reset": True}


def _zone(sandbox: Sandbox, body: dict[str, Any]) -> object:
    domain = _domain(body)
    if "records" in body:
        sandbox.set_zone(domain, body["records"])
    if "backend" in body:
        sandbox.set_backend(domain, str(body["backend"]))
    if not {"records", "backend"} & body.keys():
        raise ValueError("records must hold the zone's records")
    return {"domain": domain}


def _mailcow(sandbox: Sandbox, body: dict[str, Any]) -> object:
    action = body.get("action")
    if action == "fail":
        fault = faults.read_mailcow_fault(body)
        sandbox.add_fault(fault)
        return {"call": fault.action, "mode": fault.mode, "times": fault.times}
    domain = _domain(body)
    if action == "no-key":
        sandbox.remove_dkim(domain)
        return {"domain": domain, "pubkey": None}
    if action != "new-key":
        raise ValueError("action must be new-key, no-key or fail")
    selector, bits = body.get("selector"), body.get("bits", 2048)
    if not isinstance(selector, str | None) or not isinstance(bits, int):
        raise ValueError("selector must be a text, bits a number")
    return {"domain": domain, "pubkey": sandbox.set_dkim(domain, selector, bits)}


_POSTS: Mapping[str, Callable[[Sandbox, dict[str, Any]], object]] = {
    "fault": _fault,
    "dns": _dns,
    "world": _world,
    "reset": _reset,
    "zone": _zone,
    "mailcow": _mailcow,
}


def _object(body: bytes) -> dict[str, Any]:
    try:
        data = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        raise ValueError("the body is not JSON") from None
    if not isinstance(data, dict):
        raise ValueError("the body must be a JSON object")
    return data


def _domain(body: dict[str, Any]) -> str:
    domain = body.get("domain")
    if not isinstance(domain, str):
        raise ValueError("domain must name a domain of this sandbox")
    return domain.lower()


def _error(status: int, message: str) -> Reply:
    return json_reply({"error": message}, status)
