"""One DNS server behind its port: it counts what it is asked, fails as told, else answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from netcup_mailauth.sandbox.dns.loop import Transport

if TYPE_CHECKING:
    from netcup_mailauth.sandbox.dns.faults import DnsFault
    from netcup_mailauth.sandbox.dns.messages import Responder
    from netcup_mailauth.sandbox.dns.publication import Window

_NONSENSE = b"\xff\xff\x00\x01\x00\x01\x00\x00\x00\x00\xc0\x0c" + bytes(range(0x80, 0xA0))


@dataclass(frozen=True, slots=True)
class Delivery:
    """The bytes of a response, and how many seconds later they are sent."""

    data: bytes
    delay: float = 0.0


#: What answers a query; None if there is no answer.
Handler = Callable[[bytes, Transport], "Delivery | None"]


class Server:
    """A name server or the resolver.

    Args:
        window: what it sees of the zones.
        build: makes what answers for it; called at the first query, as it imports dnspython.
    """

    def __init__(self, window: Window, build: Callable[[], Responder]) -> None:
        self.queries = 0
        self._window, self._build = window, build
        self._responder: Responder | None = None
        self._fault: DnsFault | None = None

    def handle(self, wire: bytes, transport: Transport) -> Delivery | None:
        """Answer one query, or whatever else has come."""
        self.queries += 1
        fault = self._fault
        mode = "ok" if fault is None else fault.mode
        if mode == "drop":
            return None
        if mode == "garbage":
            return Delivery(wire[:2] + _NONSENSE)
        data = self._answer(wire, transport, mode)
        delay = fault.delay if fault is not None and mode == "slow" else 0.0
        return None if data is None else Delivery(data, delay)

    def fail(self, fault: DnsFault | None) -> None:
        """Behave like this from now on; None ends it."""
        if fault is not None and fault.mode == "stale":
            self._window.freeze()
        else:
            self._window.thaw()
        self._fault = fault

    def _answer(self, wire: bytes, transport: Transport, mode: str) -> bytes | None:
        from netcup_mailauth.sandbox.dns import messages

        if self._responder is None:
            self._responder = self._build()
        refusals = {"servfail": messages.fail, "refused": messages.refuse}
        return messages.answer(wire, transport, refusals.get(mode, self._responder))
