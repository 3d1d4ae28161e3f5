"""One port number on loopback, for UDP and TCP alike."""

from __future__ import annotations

import contextlib
import errno
import selectors
import socket
from functools import partial
from typing import TYPE_CHECKING

from netcup_mailauth.sandbox.dns.stream import Stream

if TYPE_CHECKING:
    from netcup_mailauth.sandbox.dns.loop import Loop
    from netcup_mailauth.sandbox.dns.server import Handler

_HOST = "127.0.0.1"
_TRIES = 50


class Port:
    """Hands what arrives to a handler, and sends what it answers.

    Apart from making and finally closing it, it is used in the loop's thread only.

    Args:
        loop: whose thread the queries are answered in.
        handler: what answers them.

    Raises:
        OSError: there is no free port.
    """

    def __init__(self, loop: Loop, handler: Handler) -> None:
        self._loop, self._handler = loop, handler
        self._streams: set[Stream] = set()
        self._udp, self._tcp = _pair()
        self._is_open = self._is_deaf = False

    @property
    def address(self) -> str:
        """Host and port, with a colon between them."""
        return f"{_HOST}:{self._number}"

    def open(self) -> None:
        """Let queries in, for the first time or after `shut`; nothing to do if they are.

        Raises:
            OSError: another program has taken the number in the meantime.
        """
        if self._is_open:
            return
        if self._is_deaf:
            number = self._number
            self._udp.close()  # Python has no way to take connect() back
            self._udp = _bound(socket.SOCK_DGRAM, number)
            self._is_deaf = False
        self._tcp.listen(128)
        self._tcp.setblocking(False)
        self._udp.setblocking(False)
        self._loop.watch(self._tcp, selectors.EVENT_READ, self._connection)
        self._loop.watch(self._udp, selectors.EVENT_READ, self._datagram)
        self._is_open = True

    def shut(self) -> None:
        """Be as a closed port: TCP is refused, UDP gets no answer but ICMP's.

        The number stays ours, so that it can be opened again: a TCP socket that does not listen
        and a UDP socket that hears nobody but itself refuse just as none does.
        """
        if not self._is_open:
            return
        number = self._number
        self.close()
        self._udp, self._tcp = _bound(socket.SOCK_DGRAM, number), _bound(socket.SOCK_STREAM, number)
        self._udp.connect(self._udp.getsockname())
        self._is_deaf = True

    def close(self) -> None:
        """Close everything; also when the loop has ended."""
        for stream in tuple(self._streams):
            stream.close()
        self._streams.clear()
        for sock in (self._udp, self._tcp):
            self._loop.unwatch(sock)
            sock.close()
        self._is_open = False

    @property
    def _number(self) -> int:
        number: int = self._tcp.getsockname()[1]
        return number

    def _datagram(self) -> None:
        try:
            wire, peer = self._udp.recvfrom(65535)
        except OSError:  # word that an earlier client has gone, on some systems
            return
        delivery = self._handler(wire, "udp")
        if delivery is not None:
            self._loop.later(delivery.delay, partial(self._send, self._udp, delivery.data, peer))

    @staticmethod
    def _send(udp: socket.socket, data: bytes, peer: tuple[str, int]) -> None:
        with contextlib.suppress(OSError):  # closed meanwhile, or the client's buffer is full
            udp.sendto(data, peer)

    def _connection(self) -> None:
        try:
            connection, _ = self._tcp.accept()
        except OSError:  # gone before it was accepted
            return
        self._streams.add(Stream(self._loop, connection, self._handler, self._streams.discard))


def _pair() -> tuple[socket.socket, socket.socket]:
    """A UDP and a TCP socket on the same free number, which takes some luck."""
    for _ in range(_TRIES):
        udp = _bound(socket.SOCK_DGRAM, 0)
        try:
            return udp, _bound(socket.SOCK_STREAM, udp.getsockname()[1])
        except OSError:
            udp.close()
    raise OSError(errno.EADDRINUSE, "no port is free for both UDP and TCP")


def _bound(kind: socket.SocketKind, number: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET, kind)
    try:
        if kind is socket.SOCK_STREAM:
            # Else connections that have just ended keep the number taken for minutes.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((_HOST, number))
    except BaseException:
        sock.close()
        raise
    return sock
