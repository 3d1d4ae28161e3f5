"""One TCP connection: queries and responses, each behind its length in two bytes (RFC 7766)."""

from __future__ import annotations

import selectors
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from netcup_mailauth.sandbox.dns.loop import Loop
    from netcup_mailauth.sandbox.dns.server import Handler

_LENGTH = 2


class Stream:
    """Reads queries and writes responses until the client goes.

    While a response waits for the client to read, no further query is taken.

    Args:
        loop: whose thread all this happens in.
        connection: the accepted connection; owned by this object.
        handler: what answers a query.
        on_end: called with this object when it has ended by itself.
    """

    def __init__(
        self,
        loop: Loop,
        connection: socket.socket,
        handler: Handler,
        on_end: Callable[[Stream], None],
    ) -> None:
        self._loop, self._connection = loop, connection
        self._handler, self._on_end = handler, on_end
        self._in, self._out = bytearray(), bytearray()
        self._open = True
        connection.setblocking(False)
        loop.watch(connection, selectors.EVENT_READ, self._readable)

    def close(self) -> None:
        """Close the connection."""
        if self._open:
            self._open = False
            self._loop.unwatch(self._connection)
            self._connection.close()

    def _end(self) -> None:
        self.close()
        self._on_end(self)

    def _readable(self) -> None:
        try:
            data = self._connection.recv(65536)
        except BlockingIOError:
            return
        except OSError:  # reset by the client
            data = b""
        if not data:
            self._end()
            return
        self._in += data
        self._take()

    def _take(self) -> None:
        while self._open and not self._out and (wire := self._next()) is not None:
            delivery = self._handler(wire, "tcp")
            if delivery is not None:
                self._loop.later(delivery.delay, partial(self._send, delivery.data))

    def _next(self) -> bytes | None:
        end = _LENGTH + int.from_bytes(self._in[:_LENGTH], "big")
        if len(self._in) < max(end, _LENGTH):
            return None
        wire = bytes(self._in[_LENGTH:end])
        del self._in[:end]
        return wire

    def _send(self, data: bytes) -> None:
        if self._open:
            self._out += len(data).to_bytes(_LENGTH, "big") + data
            self._flush()

    def _flush(self) -> None:
        try:
            sent = self._connection.send(self._out)
        except BlockingIOError:
            sent = 0
        except OSError:  # gone without waiting for the answer
            self._end()
            return
        del self._out[:sent]
        if self._out:
            self._loop.watch(self._connection, selectors.EVENT_WRITE, self._writable)

    def _writable(self) -> None:
        self._flush()
        if self._open and not self._out:
            self._loop.watch(self._connection, selectors.EVENT_READ, self._readable)
            self._take()
