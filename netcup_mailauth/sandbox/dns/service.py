"""The whole DNS of the sandbox: three name servers that follow late, and a resolver (L38)."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from netcup_mailauth.sandbox.dns.elsewhere import Elsewhere
from netcup_mailauth.sandbox.dns.faults import RESOLVER, SERVERS, DnsFault
from netcup_mailauth.sandbox.dns.loop import Loop
from netcup_mailauth.sandbox.dns.port import Port
from netcup_mailauth.sandbox.dns.publication import Publication, Window
from netcup_mailauth.sandbox.dns.server import Server

if TYPE_CHECKING:
    from netcup_mailauth.sandbox.dns.messages import Responder
    from netcup_mailauth.sandbox.quirks import ShortTarget
    from netcup_mailauth.sandbox.zones import Zone

World = Mapping[str, Mapping[str, Sequence[str]]]


@dataclass(frozen=True, slots=True)
class DnsSettings:
    """How it shall be.

    Args:
        delays: how many seconds late each name server is.
        short_target: what a CNAME or MX target without a dot is.
        hosts: the host each address belongs to, for PTR records.
        world: more names for the resolver.

    Raises:
        ValueError: there are not as many delays as servers, or one is none.
    """

    delays: Sequence[float] = (0.0,) * SERVERS
    short_target: ShortTarget = "absolute"
    hosts: Mapping[str, str] = field(default_factory=dict)
    world: World = field(default_factory=dict)

    def __post_init__(self) -> None:
        good = all(isinstance(d, int | float) and 0 <= d < math.inf for d in self.delays)
        if not good or len(self.delays) != SERVERS:
            raise ValueError(f"publish_delays must hold {SERVERS} numbers of seconds, 0 or more")


class DnsService:
    """Four servers in one thread, each on a port of its own.

    Args:
        zones: the zones as they are at the start.
        settings: how it shall be.
        clock: the time in seconds.

    Raises:
        ValueError: a value of the world is none of its type.
    """

    def __init__(
        self,
        zones: Mapping[str, Zone],
        settings: DnsSettings,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._publication = Publication(zones, max(settings.delays), clock)
        for name in settings.world:
            self._refuse_ours(name)
        self._elsewhere = Elsewhere(settings.hosts, settings.world)
        self._short_target = settings.short_target
        windows = [Window(self._publication, delay) for delay in settings.delays]
        self._servers = [Server(w, partial(self._authority, w)) for w in windows]
        view = Window(self._publication, 0.0)
        self._servers.append(Server(view, partial(self._recursor, view)))
        self._loop: Loop | None = None
        self._ports: list[Port] = []

    def start(self) -> None:
        """Open the ports.

        Raises:
            OSError: no port is free.
        """
        loop = self._loop = Loop()
        for server in self._servers:
            self._ports.append(Port(loop, server.handle))
        loop.call(self._open)

    def close(self) -> None:
        """Close the ports and end the thread; once closed, does nothing."""
        if self._loop is not None:
            self._loop.close()
            self._loop = None
        while self._ports:
            self._ports.pop().close()

    @property
    def addresses(self) -> tuple[str, ...]:
        """Host and port of the name servers, and of the resolver last."""
        return tuple(port.address for port in self._ports)

    def changed(self, zones: Mapping[str, Zone]) -> None:
        """Take down how all zones look now, for each server to see after its delay."""
        self._publication.note(zones)

    def fail(self, fault: DnsFault) -> None:
        """Let a server fail, or be well again.

        Raises:
            RuntimeError: the service is not running.
            OSError: a closed port was taken by another program.
        """
        index = SERVERS if fault.server == RESOLVER else fault.server
        assert isinstance(index, int)
        self._in_loop(lambda: self._set(index, fault))

    def set_world(self, name: str, kind: str, values: Sequence[str]) -> None:
        """Let the resolver know these values, and no others of the name and type.

        Raises:
            ValueError: a value is none of its type, or the name is in a zone of the sandbox.
        """
        self._refuse_ours(name)
        self._elsewhere.set(name, kind, values)

    def reset(self) -> None:
        """End all faults, forget what was counted and what was added to the world."""
        self._elsewhere.reset()
        for server in self._servers:
            server.queries = 0
            server.fail(None)
        if self._loop is not None:
            self._in_loop(self._open)

    def report(self) -> dict[str, object]:
        """How many queries came in, for the statistics."""
        counts = [server.queries for server in self._servers]
        return {"dns": counts[:SERVERS], "resolver": counts[SERVERS]}

    def _refuse_ours(self, name: str) -> None:
        for zone in self._publication.seen(0.0):
            if f".{name.lower().removesuffix('.')}".endswith(f".{zone}"):
                raise ValueError(f"{name} is in the zone {zone} of this sandbox: set it there")

    def _in_loop(self, job: Callable[[], None]) -> None:
        if self._loop is None:
            raise RuntimeError("the sandbox is not running")
        self._loop.call(job)

    def _open(self) -> None:
        for port in self._ports:
            port.open()

    def _set(self, index: int, fault: DnsFault) -> None:
        self._servers[index].fail(fault)
        if fault.mode == "off":
            self._ports[index].shut()
        else:
            self._ports[index].open()

    def _authority(self, window: Window) -> Responder:
        from netcup_mailauth.sandbox.dns.authority import Authority

        return Authority(window, self._short_target)

    def _recursor(self, window: Window) -> Responder:
        from netcup_mailauth.sandbox.dns.recursion import Recursor

        return Recursor(window, self._elsewhere, self._short_target)
