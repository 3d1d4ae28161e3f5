"""One connection to an API, which one request has to itself and can be cut off from outside.

urllib3 limits each wait for a byte, and not all of them together: a proxy's tunnel, a TLS
handshake, a status line, headers and chunks that drip would hold a request for ever. And
http.client throws away, unseen, what came behind an answer in the same packet.
"""

from __future__ import annotations

import contextlib
import io
import socket
from http.client import HTTPResponse
from threading import Lock, Timer
from typing import TYPE_CHECKING, Any

from requests import Session
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection
from urllib3.exceptions import ConnectTimeoutError

from netcup_mailauth import clock

if TYPE_CHECKING:
    from collections.abc import Iterator


class Line:
    """A session for one request at a time, over one connection that is kept between them.

    Attributes:
        session: to be set up by who makes the line.
        was_cut: whether a request took longer than it may.
        is_late: whether a request could not be sent whole in its time, and was not.
        has_more: whether something came behind an answer: one of them may be another request's.
    """

    def __init__(self) -> None:
        self.session = Session()
        self.was_cut = False
        self.is_late = False
        self.has_more = False
        self._by: float | None = None
        self._connection: HTTPConnection | None = None
        self._handle: socket.socket | None = None
        self._guard = Lock()
        for scheme in ("http://", "https://"):
            self.session.mount(scheme, _Adapter(self))

    @property
    def is_sound(self) -> bool:
        """Whether another request may go over the same connection."""
        closed = self._connection is not None and self._connection.is_closed
        return not (closed or self.was_cut or self.is_late or self.has_more)

    def close(self) -> None:
        """Close the connection, for good; urllib3 does so only once nobody refers to its pool."""
        self.session.close()
        if self._connection is not None:
            self._connection.close()
        with self._guard:
            self._let_go()

    @contextlib.contextmanager
    def limited(self, seconds: float, by: float | None = None) -> Iterator[None]:
        """Cut the line if what is done over it takes longer, from the look-up of the name on.

        With ``by``, nothing is sent any more once :func:`clock.now` has passed it.
        """
        self._by = by
        timer = Timer(seconds, lambda: self._cut(timer))
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            with self._guard:
                timer.cancel()
            timer.join()  # no thread is left for whoever forks, or looks at what still runs

    def connecting(self, connection: HTTPConnection, raw: socket.socket) -> None:
        """A connection stands; TLS, and the tunnel through a proxy, are still to come.

        Raises:
            ConnectTimeoutError: it stands too late.
        """
        with self._guard:
            self.check(connection)
            self._let_go()
            self._connection = connection
            # TLS takes the socket out of its object; a handle of our own ends it at any moment.
            self._handle = raw.dup()

    def check(self, connection: HTTPConnection) -> None:
        """See that there is time left for the next step of connecting.

        Raises:
            ConnectTimeoutError: there is none.
        """
        if self.was_cut:
            raise ConnectTimeoutError(connection, "cut off while connecting")

    def check_in_time(self, connection: HTTPConnection) -> None:
        """The last thing before bytes leave: look whether they still may.

        Raises:
            ConnectTimeoutError: it is too late.
        """
        if self._by is not None and clock.now() > self._by:
            self.is_late = True
            raise ConnectTimeoutError(connection, "too late to be sent")

    def _cut(self, timer: Timer) -> None:
        with self._guard:
            if timer.finished.is_set():  # what it was to limit has just ended
                return
            self.was_cut = True
            self._let_go()

    def _let_go(self) -> None:
        if self._handle is not None:
            with contextlib.suppress(OSError), self._handle:  # the other end was faster
                self._handle.shutdown(socket.SHUT_RDWR)
            self._handle = None


class _Adapter(HTTPAdapter):
    """Has urllib3 tell a line of each connection that is made for it."""

    def __init__(self, line: Line) -> None:
        super().__init__(pool_maxsize=1)
        self._line = line

    def get_connection_with_tls_context(self, *args: Any, **options: Any) -> Any:
        """The pool that a request goes through, a proxy's too."""
        pool: Any = super().get_connection_with_tls_context(*args, **options)
        if not issubclass(pool.ConnectionCls, _Connection):
            kinds = (_Connection, pool.ConnectionCls)
            pool.ConnectionCls = type("Connection", kinds, {"line": self._line})
        return pool


class _Connection(HTTPConnection):
    """Put in front of a class of urllib3's, whichever the address and the proxy ask for."""

    line: Line

    def _new_conn(self) -> socket.socket:
        raw = super()._new_conn()
        try:
            self.line.connecting(self, raw)
        except BaseException:
            raw.close()
            raise
        return raw

    def send(self, data: Any) -> None:
        """Send a part of a request. One that stops before its body's end is none (RFC 9112, 8)."""
        if self.sock is None:
            self.connect()  # as http.client would; it can take its time, so it comes first
        self.line.check_in_time(self)
        super().send(data)

    def _tunnel(self) -> None:
        super()._tunnel()  # to http.client the cut end of the headers is their end
        self.line.check(self)

    def response_class(  # type: ignore[override]  # called as the class that it stands in for
        self, sock: socket.socket, *args: Any, **options: Any
    ) -> HTTPResponse:
        """What http.client reads each answer with, that of a proxy to CONNECT as well."""
        response = HTTPResponse(sock, *args, **options)
        response.fp = _Reader(self.line, sock, response.fp.detach())
        return response


class _Reader(io.BufferedReader):
    """The stream of one answer; sees at its end whether more has come than that."""

    def __init__(self, line: Line, sock: socket.socket, raw: Any) -> None:
        super().__init__(raw)
        self._line = line
        self._sock = sock

    def close(self) -> None:
        """Close it, after a look at what is there already; nothing is waited for."""
        if not self.closed:
            with contextlib.suppress(OSError):
                usual = self._sock.gettimeout()
                self._sock.settimeout(0)
                with contextlib.suppress(OSError):
                    self._line.has_more |= bool(self.peek(1))
                self._sock.settimeout(usual)
        super().close()
