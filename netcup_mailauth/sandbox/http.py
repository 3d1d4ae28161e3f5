"""HTTP/1.1 on one loopback port: requests and replies, for whom they are, and how they travel."""

from __future__ import annotations

import contextlib
import gzip
import io
import ipaddress
import itertools
import json
import re
import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from socketserver import BaseRequestHandler, TCPServer
from typing import TYPE_CHECKING, Literal, get_args
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from email.message import Message


HOST = "127.0.0.1"
_MAX_BODY = 4 * 1024 * 1024

#: Names served beside the addresses of loopback, in lower case: those of netcup's APIs are for
#: programs in which they are fixed, where a hosts file leads them here. No page of a stranger's can
#: have one of them point to this machine.
SERVED = frozenset({"localhost", "ccp.netcup.net", "api.netcup.com"})

Transfer = Literal["whole", "early", "drip-status", "drip-headers", "drip-chunks"]
"""In one piece; behind a 103, some time later; or without an end in one of its parts."""

IN_PIECES: tuple[str, ...] = get_args(Transfer)[1:]

DROPS = 2000
"""How many pieces follow when there is no end: for longer than any client should listen."""

_OK = b"HTTP/1.1 200 OK\r\n"
_EARLY = b"HTTP/1.1 103 Early Hints\r\nLink: </>; rel=preload\r\n\r\n"
_CHUNKED = _OK + b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request; `connection` numbers the TCP connection it came by."""

    method: str
    path: str
    query: str
    headers: Message
    body: bytes = field(repr=False)
    connection: int


@dataclass(frozen=True, slots=True)
class Reply:
    """One HTTP response; `pause` is how many seconds lie between its pieces, if it has any."""

    status: int
    content_type: str
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()
    transfer: Transfer = "whole"
    pause: float = 0.0


#: The connection is closed without a word.
NO_REPLY = Reply(0, "", b"")

#: What answers requests on a port.
App = Callable[[Request], Reply]


def json_reply(data: object, status: int = 200) -> Reply:
    """A reply in compact JSON, ASCII only, as PHP writes it."""
    text = json.dumps(data, separators=(",", ":"))
    return Reply(status, "application/json", text.encode("ascii"))


def html_reply(title: str, status: int = 200) -> Reply:
    """A small page in the style of a web server's own (1.1)."""
    text = (
        f"<html>\r\n<head><title>{title}</title></head>\r\n"
        f"<body>\r\n<center><h1>{title}</h1></center>\r\n</body>\r\n</html>\r\n"
    )
    return Reply(status, "text/html", text.encode())


GZIP = ("Content-Encoding", "gzip")


def takes_gzip(request: Request) -> bool:
    """Whether the client says that it can unpack an answer (RFC 9110 12.5.3)."""
    named = request.headers.get("Accept-Encoding", "").lower().replace(" ", "").split(",")
    return any(re.fullmatch(r"gzip(;q=(1|0\.[0-9]*[1-9]).*)?", one) for one in named)


def compressed(reply: Reply) -> Reply:
    """The same, packed; not what has no body, is packed already or comes in pieces."""
    if not reply.body or reply.transfer != "whole" or GZIP in reply.headers:
        return reply
    return replace(reply, body=gzip.compress(reply.body, 6), headers=(*reply.headers, GZIP))


def are_served(hosts: Sequence[str]) -> bool:
    """Whether a request is meant for the sandbox, by every host it names.

    A page of `evil.example` may have that name point to 127.0.0.1 (DNS rebinding); what its scripts
    send then names that host. A request that names none is refused too: nobody who is to be served
    sends one, as even HTTP/1.0 clients send a Host header. `hosts` are the values of that header,
    and the authority of an absolute target (RFC 9112 3.2).
    """
    return bool(hosts) and all(_is_served(host) for host in hosts)


def _is_served(host: str) -> bool:
    try:
        parts = urlsplit(f"//{host}")
        _ = parts.port  # raises for one that is no number
        if parts.netloc != host or "@" in host:
            return False
        name = parts.hostname or ""
        return name in SERVED or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def pieces(whole: bytes, body: bytes, transfer: str) -> Iterator[bytes]:
    """What is sent of an answer with this body, with a pause before each piece but the first."""
    if transfer == "early":
        yield _EARLY
        yield whole
        return
    first = {"drip-status": b"HTTP/1.1 200 ", "drip-headers": _OK + b"X-Slow: "}
    yield first.get(transfer, _CHUNKED)
    if transfer == "drip-chunks":
        for byte in body:
            yield b"1\r\n%c\r\n" % byte
    for _ in range(DROPS):
        yield b"1\r\n \r\n" if transfer == "drip-chunks" else b"x"


class LoopbackServer(TCPServer):
    """One port, 0 for any that is free; a thread for each connection.

    It keeps its own list of connections: to stop means to close them all, also those a client
    keeps open, and to wait for their threads.

    Raises:
        OSError: the port is taken.
    """

    allow_reuse_address = True
    request_queue_size = 128

    def __init__(
        self, port: int, handler: type[BaseRequestHandler], tls: ssl.SSLContext | None = None
    ) -> None:
        self.connection_numbers = itertools.count(1)
        self._tls = tls
        self._stopping = threading.Event()
        self._guard = threading.Lock()
        self._open: dict[threading.Thread, socket.socket] = {}
        super().__init__((HOST, port), handler)
        self._acceptor = threading.Thread(target=self._accept, name="sandbox-accept", daemon=True)
        self._acceptor.start()

    def close(self) -> None:
        """Close the port and all connections, and wait for their threads."""
        if self._stopping.is_set():
            return
        self._stopping.set()
        # A blocked accept() does not notice that its socket is closed; a connection wakes it.
        with contextlib.suppress(OSError):
            socket.create_connection((HOST, self.server_address[1]), timeout=1).close()
        self._acceptor.join(timeout=5)
        self.server_close()
        with self._guard:
            still_open = dict(self._open)
        for connection in still_open.values():
            with contextlib.suppress(OSError):
                # Not SSLSocket.shutdown, which would take TLS away under the reading thread.
                socket.socket.shutdown(connection, socket.SHUT_RDWR)
        for thread in still_open:
            thread.join(timeout=5)

    def wait(self, seconds: float) -> None:
        """Wait between two pieces of an answer.

        Raises:
            ConnectionError: the server is being closed.
        """
        if self._stopping.wait(seconds):
            raise ConnectionError

    def _accept(self) -> None:
        while not self._stopping.is_set():
            try:
                connection, address = self.socket.accept()
            except OSError:
                self._stopping.wait(0.05)  # out of file descriptors: do not spin
                continue
            if self._stopping.is_set():
                connection.close()
            else:
                self._welcome(connection, address)

    def _welcome(self, connection: socket.socket, address: object) -> None:
        try:
            connection = self._wrapped(connection)
        except OSError:  # gone before the first byte
            connection.close()
            return
        thread = threading.Thread(
            target=self._serve, args=(connection, address), name="sandbox-connection", daemon=True
        )
        with self._guard:
            self._open[thread] = connection
        thread.start()

    def _wrapped(self, connection: socket.socket) -> socket.socket:
        """Put TLS around it; the handshake waits for the connection's own thread."""
        if self._tls is None:
            return connection
        return self._tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)

    def _serve(self, connection: socket.socket, address: object) -> None:
        try:
            with contextlib.suppress(OSError):  # the client went away, or we stop
                if isinstance(connection, ssl.SSLSocket):
                    connection.do_handshake()
                self.finish_request(connection, address)
        finally:
            self.shutdown_request(connection)
            with self._guard:
                self._open.pop(threading.current_thread(), None)


class HttpServer(LoopbackServer):
    """An application on a port of its own."""

    def __init__(self, app: App, port: int, tls: ssl.SSLContext | None) -> None:
        self.app = app
        super().__init__(port, _HttpConnection, tls)
        scheme = "http" if tls is None else "https"
        self.url = f"{scheme}://{HOST}:{self.server_address[1]}"  # without a path


class _HttpConnection(BaseHTTPRequestHandler):
    """Reads one request after the other from a connection and lets the application answer."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # without it a kept connection costs 40 ms per call
    wbufsize = -1  # head and body in one packet
    server: HttpServer

    def setup(self) -> None:
        super().setup()
        self._number = next(self.server.connection_numbers)

    def version_string(self) -> str:
        return "nginx"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - named by the base
        """Stay quiet: stdout and stderr belong to the program."""

    def handle_expect_100(self) -> bool:
        if not self._is_for_us():
            return True  # `answer` refuses it, without asking for the body
        carry_on = super().handle_expect_100()
        self.wfile.flush()  # buffered, while the client waits for it
        return carry_on

    def answer(self) -> None:
        """Answer the request whose head was just read."""
        if not self._is_for_us():
            self.send_error(HTTPStatus.MISDIRECTED_REQUEST)
            self.close_connection = True  # its body, if any, was not read
            return
        body = self._body()
        if body is None:
            return
        parts = urlsplit(self.path)
        request = Request(self.command, parts.path, parts.query, self.headers, body, self._number)
        reply = self.server.app(request)
        if reply is NO_REPLY:
            self.close_connection = True
        elif reply.transfer == "whole":
            self._send(reply)
        else:
            self._send_in_pieces(reply)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815 - by the base

    def _is_for_us(self) -> bool:
        try:
            target = urlsplit(self.path).netloc
        except ValueError:
            return False
        named = self.headers.get_all("Host", [])
        return len(named) == 1 and are_served([*named, target] if target else named)

    def _body(self) -> bytes | None:
        """The body, or None where the request was refused because of it."""
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers:
            self.send_error(411)
        elif not (length.isascii() and length.isdigit() and len(length) < 18):
            self.send_error(400)
        elif int(length) > _MAX_BODY:
            self.send_error(413)
        else:
            body = self.rfile.read(int(length))
            if len(body) == int(length):
                return body
        self.close_connection = True
        return None

    def _send_in_pieces(self, reply: Reply) -> None:
        """In pieces, until the last of them, or until nobody listens any more."""
        through, self.wfile = self.wfile, io.BytesIO()
        try:
            self._send(reply)
        finally:
            composed, self.wfile = self.wfile, through
        for piece in pieces(composed.getvalue(), reply.body, reply.transfer):
            self.wfile.write(piece)
            self.wfile.flush()
            self.server.wait(reply.pause)
        self.close_connection |= reply.transfer != "early"

    def _send(self, reply: Reply) -> None:
        self.send_response(reply.status)
        if reply.status != HTTPStatus.NO_CONTENT:  # which has none (RFC 9110 8.6)
            self.send_header("Content-Type", reply.content_type)
            self.send_header("Content-Length", str(len(reply.body)))
        for name, value in reply.headers:
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(reply.body)
