"""The DNS of the sandbox: three name servers that follow late, and a resolver beside them (L38).

What knows DNS itself (`dns_messages`, `authority`, `resolver`) needs dnspython and is imported at
the first query, so that a start stays quick.
"""

from __future__ import annotations

import contextlib
import errno
import math
import socket
import threading
from dataclasses import dataclass
from socketserver import StreamRequestHandler
from typing import TYPE_CHECKING, Literal

from netcup_mailauth.sandbox.http import HOST, LoopbackServer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from netcup_mailauth.sandbox.dns_messages import Transport
    from netcup_mailauth.sandbox.resolver import Resolver
    from netcup_mailauth.sandbox.world import World
    from netcup_mailauth.sandbox.zones import Zone

NAME_SERVERS = 3

_NONSENSE = b"\xff\xff\x00\x01\x00\x01\x00\x00\x00\x00\xc0\x0c" + bytes(range(0x80, 0xA0))
_TRIES = 50
_LENGTH = 2
_LARGEST = 65535


@dataclass(frozen=True, slots=True)
class _Version:
    """How a zone looks from a time on; None where it is not there."""

    since: float
    zone: Zone | None


class Publication:
    """The recent history of all zones: the API shows a change at once, a name server later (L38).

    What it starts with was published long ago; what changes later becomes visible late. Versions
    older than `longest`, the longest delay in seconds that will be asked for, are forgotten.
    """

    def __init__(
        self, zones: Mapping[str, Zone], longest: float, clock: Callable[[], float]
    ) -> None:
        self._lock = threading.Lock()
        self._longest, self._clock = longest, clock
        self._history = {name: [_Version(-math.inf, zone)] for name, zone in zones.items()}

    def note(self, zones: Mapping[str, Zone]) -> None:
        """Take down how all zones look now."""
        now = self._clock()
        with self._lock:
            for name in zones.keys() | self._history.keys():
                versions = self._history.setdefault(name, [])
                zone = zones.get(name)
                if not versions or versions[-1].zone is not zone:
                    versions.append(_Version(now, zone))
                    self._history[name] = _without_old(versions, now - self._longest)

    def seen(self, delay: float) -> dict[str, Zone]:
        """The zones as a server sees them that is so many seconds late."""
        # The latest counts even if the clock was set back since.
        horizon = self._clock() - delay if delay > 0 else math.inf
        with self._lock:
            found = {name: _as_of(versions, horizon) for name, versions in self._history.items()}
        return {name: zone for name, zone in found.items() if zone is not None}


def _as_of(versions: Sequence[_Version], horizon: float) -> Zone | None:
    return next((v.zone for v in reversed(versions) if v.since <= horizon), None)


def _without_old(versions: list[_Version], horizon: float) -> list[_Version]:
    """The version of that time, and all that came later."""
    old = sum(1 for version in versions if version.since <= horizon)
    return versions[max(0, old - 1) :]


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How a server answers: as it should, or wrongly in one way.

    `closed` closes its port; `silent` never answers; `stale` serves what it sees now for ever;
    `nonsense` answers with the query's id and no message; `rcode` is all that is answered; `delay`
    is in seconds.
    """

    closed: bool = False
    silent: bool = False
    stale: bool = False
    nonsense: bool = False
    rcode: Literal["SERVFAIL", "REFUSED"] | None = None
    delay: float = 0.0


GOOD = Behaviour()


class Server:
    """A name server that is `late` seconds late; with a `world` it is the resolver."""

    def __init__(
        self,
        publication: Publication,
        late: float = 0.0,
        world: World | None = None,
    ) -> None:
        self.queries = 0
        self._publication, self._late = publication, late
        self._world = world
        self._resolver: Resolver | None = None
        self._behaviour = GOOD
        self._stale: Mapping[str, Zone] | None = None
        self._lock = threading.Lock()  # one query at a time

    def behave(self, behaviour: Behaviour) -> None:
        """Answer like this from now on."""
        with self._lock:
            self._stale = self._zones() if behaviour.stale else None
            self._behaviour = behaviour

    def reset(self) -> None:
        """Answer well, and have been asked nothing."""
        self.behave(GOOD)
        self.queries = 0

    def answer(self, wire: bytes, transport: Transport) -> tuple[bytes | None, float]:
        """The answer to whatever has come, if there is one, and how many seconds late it is."""
        with self._lock:
            self.queries += 1
            behaviour = self._behaviour
            if behaviour.silent:
                return None, 0.0
            if behaviour.nonsense:
                return wire[:2] + _NONSENSE, 0.0
            return self._answer(wire, transport, behaviour.rcode), behaviour.delay

    def _zones(self) -> Mapping[str, Zone]:
        """What it sees now, by name."""
        return self._publication.seen(self._late) if self._stale is None else self._stale

    def _answer(self, wire: bytes, transport: Transport, rcode: str | None) -> bytes | None:
        from netcup_mailauth.sandbox import authority, dns_messages, resolver

        query = dns_messages.read(wire)
        if query is None or isinstance(query, bytes):
            return query
        result = dns_messages.refusal(query, rcode)
        if result is None:
            name, kind = query.question[0].name, query.question[0].rdtype
            try:
                if self._world is None:
                    result = authority.answer(name, kind, self._zones())
                else:
                    self._resolver = self._resolver or resolver.Resolver(self._world)
                    result = self._resolver.answer(name, kind, self._zones())
            except Exception:  # noqa: BLE001 - so does a name server that stumbles
                result = dns_messages.SERVFAIL
        return dns_messages.written(query, transport, result)


class _TcpConnection(StreamRequestHandler):
    """Queries and responses, each behind its length in two bytes (RFC 7766)."""

    disable_nagle_algorithm = True
    server: _TcpPort

    def handle(self) -> None:
        while (wire := self._query()) is not None:
            data, delay = self.server.dns.answer(wire, "tcp")
            self.server.wait(delay)
            if data is not None:
                self.wfile.write(len(data).to_bytes(_LENGTH, "big") + data)

    def _query(self) -> bytes | None:
        """The next one, or None where the client has gone."""
        prefix = self.rfile.read(_LENGTH)
        length = int.from_bytes(prefix, "big")
        wire = self.rfile.read(length)
        return wire if len(prefix) == _LENGTH and len(wire) == length else None


class _TcpPort(LoopbackServer):
    def __init__(self, number: int, dns: Server) -> None:
        self.dns = dns
        super().__init__(number, _TcpConnection)


class _UdpPort:
    """Answers datagrams one after the other; those that are to be late by timers."""

    def __init__(self, number: int, dns: Server) -> None:
        self._dns = dns
        self._socket = _bound(socket.SOCK_DGRAM, number)
        self.number: int = self._socket.getsockname()[1]
        self._late: set[threading.Timer] = set()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._receive, name="sandbox-udp", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Close the port; what was to be answered later is dropped."""
        self._stopping.set()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as waker:
            waker.sendto(b"", (HOST, self.number))
        self._thread.join(timeout=5)
        for timer in tuple(self._late):
            timer.cancel()
            timer.join(timeout=5)
        self._socket.close()

    def _receive(self) -> None:
        while not self._stopping.is_set():
            try:
                wire, peer = self._socket.recvfrom(_LARGEST)
            except OSError:  # word that an earlier client has gone, on some systems
                continue
            if self._stopping.is_set():
                return
            data, delay = self._dns.answer(wire, "udp")
            if data is not None:
                self._send_later(data, peer, delay) if delay else self._send(data, peer)

    def _send(self, data: bytes, peer: tuple[str, int]) -> None:
        with contextlib.suppress(OSError):  # the client's buffer is full
            self._socket.sendto(data, peer)

    def _send_later(self, data: bytes, peer: tuple[str, int], delay: float) -> None:
        self._late = {timer for timer in self._late if timer.is_alive()}
        timer = threading.Timer(delay, self._send, (data, peer))
        timer.daemon = True
        self._late.add(timer)
        timer.start()


class Port:
    """One port number on loopback for UDP and TCP alike, with a server behind it.

    Raises:
        OSError: there is no free port.
    """

    def __init__(self, dns: Server) -> None:
        self._dns = dns
        self._udp, self._tcp = _pair(dns)
        self._number = self._udp.number
        self._held: list[socket.socket] = []

    @property
    def address(self) -> str:
        """Host and port, with a colon between them."""
        return f"{HOST}:{self._number}"

    def open(self) -> None:
        """Let queries in again after `shut`.

        Raises:
            OSError: another program has taken the number in the meantime.
        """
        if self._held:
            self._release()
            self._udp = _UdpPort(self._number, self._dns)
            self._tcp = _TcpPort(self._number, self._dns)

    def shut(self) -> None:
        """Be as a closed port: TCP is refused, UDP gets no answer but ICMP's.

        The number stays ours, so that it can be opened again: a TCP socket that does not listen
        and a UDP socket that hears nobody but itself refuse just as none does.
        """
        if not self._held:
            self.close()
            self._held = [
                _bound(kind, self._number) for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM)
            ]
            self._held[0].connect((HOST, self._number))

    def close(self) -> None:
        """Close it for good."""
        if self._held:
            self._release()
        else:
            self._udp.close()
            self._tcp.close()

    def _release(self) -> None:
        while self._held:
            self._held.pop().close()


def _pair(dns: Server) -> tuple[_UdpPort, _TcpPort]:
    """Both on the same free number, which takes some luck."""
    for _ in range(_TRIES):
        udp = _UdpPort(0, dns)
        try:
            return udp, _TcpPort(udp.number, dns)
        except OSError:
            udp.close()
    raise OSError(errno.EADDRINUSE, "no port is free for both UDP and TCP")


def _bound(kind: socket.SocketKind, number: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET, kind)
    try:
        if kind is socket.SOCK_STREAM:
            # Else connections that have just ended keep the number taken for minutes.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((HOST, number))
    except BaseException:
        sock.close()
        raise
    return sock


class DnsService:
    """Three name servers, each so many seconds late as `delays` says, and the resolver.

    Raises:
        ValueError: there are not as many delays as servers, or one is none.
    """

    def __init__(
        self,
        zones: Mapping[str, Zone],
        delays: Sequence[float],
        world: World,
        clock: Callable[[], float],
    ) -> None:
        good = all(isinstance(d, int | float) and 0 <= d < math.inf for d in delays)
        if not good or len(delays) != NAME_SERVERS:
            raise ValueError(
                f"publish_delays must hold {NAME_SERVERS} numbers of seconds, 0 or more"
            )
        self._publication = Publication(zones, max(delays), clock)
        self._servers = [Server(self._publication, late) for late in delays]
        self._servers.append(Server(self._publication, world=world))
        self._ports: list[Port] = []
        self._lock = threading.Lock()  # around opening and closing ports

    def start(self) -> None:
        """Open the ports.

        Raises:
            OSError: no port is free.
        """
        for server in self._servers:
            self._ports.append(Port(server))

    def close(self) -> None:
        """Close the ports; once closed, does nothing."""
        with self._lock:
            while self._ports:
                self._ports.pop().close()

    @property
    def addresses(self) -> tuple[str, ...]:
        """Host and port of the name servers, and of the resolver last."""
        return tuple(port.address for port in self._ports)

    def changed(self, zones: Mapping[str, Zone]) -> None:
        """Take down how all zones look now, for each server to see after its delay."""
        self._publication.note(zones)

    def behave(self, index: int, behaviour: Behaviour) -> None:
        """Let a server (the resolver is the last) answer like this from now on.

        Raises:
            RuntimeError: the service is not running.
            OSError: a closed port was taken by another program.
        """
        with self._lock:
            if not self._ports:
                raise RuntimeError("the sandbox is not running")
            self._servers[index].behave(behaviour)
            port = self._ports[index]
            port.shut() if behaviour.closed else port.open()

    def reset(self) -> None:
        """Let all servers be well, and forget what was counted."""
        for server in self._servers:
            server.reset()
        with self._lock:
            for port in self._ports:
                port.open()

    def report(self) -> dict[str, object]:
        """How many queries came in, for the statistics."""
        counts = [server.queries for server in self._servers]
        return {"dns": counts[:NAME_SERVERS], "resolver": counts[NAME_SERVERS]}
