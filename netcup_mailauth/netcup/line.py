"""One connection to an API, which one request has to itself, with one limit for all of its waits.

urllib3 limits each wait for a byte, and not all of them together: a proxy's tunnel, a status line,
headers and chunks that drip would hold a request for ever. And http.client throws away, unseen,
what came behind an answer in the same packet.
"""

from __future__ import annotations

import contextlib
import io
import ssl
from functools import lru_cache
from http.client import HTTPResponse
from pathlib import Path
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, Any

from requests.adapters import HTTPAdapter
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3.connection import HTTPConnection
from urllib3.exceptions import ConnectTimeoutError
from urllib3.util.ssl_ import ALPN_PROTOCOLS, create_urllib3_context

from netcup_mailauth import clock

if TYPE_CHECKING:
    import socket
    from collections.abc import Mapping

    Heard = tuple[int, Mapping[str, str], bytes]


class Line:
    """What sends one request at a time, over one connection that is kept between them."""

    def __init__(self) -> None:
        self.adapter = _Adapter(self)
        self.settings: Any = {}  # as requests merges them with the environment, for every request
        self.was_cut = False  # the request took longer than it may
        self.is_late = False  # it could not be sent whole in its time, and was not
        self.has_more = False  # something came behind an answer: one may be another request's
        self.heard: Heard | None = None  # the last answer as it came, where it is recorded
        self._ends = 0.0
        self._by: float | None = None
        self._connection: HTTPConnection | None = None

    @property
    def is_sound(self) -> bool:
        """Whether another request may go over the same connection."""
        closed = self._connection is not None and self._connection.is_closed
        return not (closed or self.was_cut or self.is_late or self.has_more)

    def close(self) -> None:
        """Close the connection, for good; urllib3 does so only once nobody refers to its pool."""
        self.adapter.close()
        if self._connection is not None:
            self._connection.close()

    def begin(self, seconds: float, by: float | None) -> None:
        """A request begins, and has so many seconds from the look-up of the name on.

        With ``by``, nothing is sent any more once :func:`clock.now` has passed it.
        """
        self._ends, self._by = monotonic() + seconds, by
        self.heard = None

    def time_left(self) -> float:
        """How many seconds the next wait may take.

        Raises:
            TimeoutError: none; the time for the whole request is over.
        """
        left = self._ends - monotonic()
        if left <= 0:
            self.was_cut = True
            raise TimeoutError
        return left

    def check_in_time(self, connection: HTTPConnection) -> None:
        """The last thing before a connection is used, and before bytes leave: whether they may.

        Raises:
            ConnectTimeoutError: it is too late.
        """
        self._connection = connection
        self.is_late = self._by is not None and clock.now() > self._by
        self.was_cut = not self.is_late and monotonic() >= self._ends
        if self.is_late or self.was_cut:
            raise ConnectTimeoutError(connection, "too late to be sent")


class _Adapter(HTTPAdapter):
    """Has urllib3 make each connection one of ours."""

    def __init__(self, line: Line) -> None:
        super().__init__(pool_maxsize=1)
        self._line = line
        self._pool: Any = None

    def get_connection_with_tls_context(self, *args: Any, **options: Any) -> Any:
        """The pool that every request goes through, a proxy's too: all are for one address."""
        if self._pool is None:
            self._pool = super().get_connection_with_tls_context(*args, **options)
            kinds = (_Connection, self._pool.ConnectionCls)
            self._pool.ConnectionCls = type("Connection", kinds, {"line": self._line})
        return self._pool

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Say whom the pool ``conn`` trusts: as requests would, but in a context made before."""
        super().cert_verify(conn, url, verify, cert)  # type: ignore[no-untyped-call]
        if conn.scheme == "https":
            named = conn.ca_certs or conn.ca_cert_dir
            # Before 2.32.5 requests names none where they are the usual ones.
            usual = None if named else DEFAULT_CA_BUNDLE_PATH
            conn.conn_kw["ssl_context"] = trusting(conn.ca_certs or usual, conn.ca_cert_dir)
            # Else urllib3 reads them into the context again, at each connection.
            conn.ca_certs = conn.ca_cert_dir = None


_MAKING = Lock()


def trusting(ca_file: str | None, ca_folder: str | None) -> ssl.SSLContext:
    """What checks the certificates of every connection that trusts these authorities.

    To read a system's authorities takes longer than most requests, so that it is done once, and
    again only when they have changed.

    Raises:
        OSError: they cannot be read.
    """
    held = Path(ca_file or ca_folder or "").stat()
    with _MAKING:  # parallel jobs begin at the same time
        return _context(ca_file, ca_folder, (held.st_ino, held.st_mtime_ns))


@lru_cache(maxsize=4)
def _context(ca_file: str | None, ca_folder: str | None, _state: tuple[int, int]) -> ssl.SSLContext:
    context = create_urllib3_context(cert_reqs=ssl.CERT_REQUIRED)
    context.load_verify_locations(ca_file, ca_folder)
    context.set_alpn_protocols(ALPN_PROTOCOLS)
    # urllib3 would set them at each connection, while another thread may just be reading them.
    context.set_alpn_protocols = _set_already  # type: ignore[method-assign, assignment]
    return context


def _set_already(_protocols: object) -> None:
    return


class _Connection(HTTPConnection):
    """Put in front of a class of urllib3's, whichever the address and the proxy ask for."""

    line: Line

    def _new_conn(self) -> socket.socket:
        raw = super()._new_conn()
        try:
            self.line.check_in_time(self)
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

    def response_class(  # type: ignore[override]  # called as the class that it stands in for
        self, sock: socket.socket, *args: Any, **options: Any
    ) -> HTTPResponse:
        """What http.client reads each answer with, that of a proxy to CONNECT as well."""
        response = HTTPResponse(sock, *args, **options)
        response.fp = _Reader(_Stream(self.line, sock, response.fp.detach()))
        return response


class _Stream(io.RawIOBase):
    """The bytes of one answer; no wait for them is longer than its request may still take."""

    def __init__(self, line: Line, sock: socket.socket, raw: io.RawIOBase) -> None:
        self.line = line
        self._sock = sock
        self._usual = sock.gettimeout()
        self._raw = raw
        self.may_wait = True

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self.line.time_left() if self.may_wait else 0.0
        is_last = self._usual is None or left <= self._usual
        self._sock.settimeout(left if is_last else self._usual)
        try:
            return self._raw.readinto(buffer)
        except TimeoutError:
            self.line.was_cut = is_last
            raise
        finally:
            self._sock.settimeout(self._usual)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Reader(io.BufferedReader):
    """The answer that is read from a stream; sees at its end whether more has come than that."""

    raw: _Stream

    def close(self) -> None:
        """Close it, after a look at what is there already; nothing is waited for."""
        if not self.closed:
            self.raw.may_wait = False
            with contextlib.suppress(OSError):
                self.raw.line.has_more |= bool(self.peek(1))
        super().close()
