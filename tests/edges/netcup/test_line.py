"""One answer for one request: what drips is cut off, and what is out of step is not used again."""

from __future__ import annotations

import json
import ssl
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import certifi
import pytest
from requests.adapters import HTTPAdapter
from urllib3 import HTTPSConnectionPool
from urllib3.connection import HTTPConnection
from urllib3.util.ssl_ import create_urllib3_context

from netcup_mailauth.netcup import http, line
from netcup_mailauth.netcup.http import HttpClient, Reply
from tests.bells import bell
from tests.edges.netcup.test_http import (
    BODY,
    Answer,
    Start,
    client,
    failure,
    ok,
    open_client,
    read_request,
    read_some,
    say,
    start,
    through,
    tls,
)

if TYPE_CHECKING:
    import socket

    from tests.bells import Bell
    from tests.edges.netcup.test_http import OpenClient, Peer, Through

__all__ = ["bell", "open_client", "start", "through", "tls"]  # fixtures


# --- A limit in all -------------------------------------------------------------------------------


def drip(bell: Bell, head: bytes, drop: bytes) -> Answer:
    """An answer that begins, and then goes on for as long as anybody listens; the time is over."""

    def answer(connection: socket.socket) -> None:
        connection.sendall(head + drop)
        bell.ring()
        with suppress(OSError):
            for _ in range(100_000):
                connection.sendall(drop)

    return answer


OK = b"HTTP/1.1 200 OK\r\n"
HEADER = b"X-Slow: " + b"x" * 200 + b"\r\n"
"""So long that one read brings fewer than the 100 at which http.client gives up by itself."""
DRIPS = {
    "status line": (b"HTTP/1.1 200 ", b"O"),
    "one 100 after the other": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "header line": (OK + b"X-Slow: ", b"x"),
    "headers": (OK, HEADER),
    "length of a chunk": (OK + b"Transfer-Encoding: chunked\r\n\r\n", b"0"),
    "chunks": (OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    "body": (OK + b"Content-Length: 999999\r\n\r\n", b" "),
    "body without a length": (OK + b"\r\n", b" "),
    "what follows a whole value": (OK + b"\r\n[1]", b" "),
}


@pytest.mark.parametrize(("head", "drop"), DRIPS.values(), ids=DRIPS)
def test_what_drips_is_cut_off_and_may_have_been_processed(
    start: Start, open_client: OpenClient, bell: Bell, head: bytes, drop: bytes
) -> None:
    """Each byte comes in time; only all of them together take for ever."""
    peer = start(drip(bell, head, drop))
    asked = open_client(peer)
    error = failure(lambda: asked.read(lambda: asked.post(BODY)))
    assert error.what == "the API did not answer in full within 60 s."
    assert (error.sent, error.passing) == (True, False)
    assert len(peer.requests) == 1


@pytest.mark.parametrize("begun", [b"", b"HTTP/1.1 200 OK\r\nX: ", OK + b"\r\n[1", ok(b"[1]")[:-1]])
@pytest.mark.parametrize("secure", [False, True])
def test_the_last_wait_ends_with_the_whole_time_and_is_not_begun_again(
    start: Start,
    open_client: OpenClient,
    tls: tuple[ssl.SSLContext, str],
    monkeypatch: pytest.MonkeyPatch,
    secure: bool,
    begun: bytes,
) -> None:
    monkeypatch.setattr(http, "LONGEST", 0.3)
    silent = threading.Event()

    def answer(connection: socket.socket) -> None:
        connection.sendall(begun)
        silent.wait(10)

    peer = start(answer, tls[0] if secure else None)
    asked = open_client(peer, "https" if secure else "http", tls[1])
    error = failure(lambda: asked.read(lambda: asked.post(BODY)))
    silent.set()
    assert "in full within" in error.what
    assert error.sent or not peer.requests
    assert not error.passing


def test_a_tls_handshake_that_drips_is_cut_off(
    start: Start, open_client: OpenClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python's ssl gives the whole of it the time for one wait."""

    def answer(connection: socket.socket) -> None:
        connection.sendall(b"\x16\x03\x03\x40\x00")  # a record of 16 KiB, of which little comes
        with suppress(OSError):
            for _ in range(1000):
                connection.sendall(b"\x00")
                threading.Event().wait(0.01)

    monkeypatch.setattr(http, "CONNECT_TIMEOUT", 0.2)
    error = failure(lambda: open_client(start(answer, read=read_some), "https").post(BODY))
    assert error.what == "the API did not answer within 30 s."


@pytest.mark.parametrize(("head", "drop"), [(b"HTTP/1.1 200 ", b"O"), (OK, HEADER)])
def test_a_proxy_whose_tunnel_drips_is_cut_off(
    start: Start, through: Through, bell: Bell, head: bytes, drop: bytes
) -> None:
    peer = start(drip(bell, head, drop))
    error = failure(lambda: through(peer).post(BODY))
    assert "in full within" in error.what
    assert BODY["param"]["apipassword"].encode() not in b"".join(peer.requests)


def test_what_drips_inside_a_tunnel_is_cut_off(
    start: Start, through: Through, bell: Bell, tls: tuple[ssl.SSLContext, str]
) -> None:
    def tunnel(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        with tls[0].wrap_socket(connection, server_side=True) as inner:
            read_request(inner)
            drip(bell, *DRIPS["header line"])(inner)

    error = failure(lambda: through(start(tunnel), tls[1]).post(BODY))
    assert "in full within" in error.what
    assert error.sent


def test_a_connection_that_stands_too_late_is_not_used(
    start: Start, open_client: OpenClient, bell: Bell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Looking up a name, and one address after the other that does not answer, take time too."""
    connect = HTTPConnection._new_conn

    def late(self: HTTPConnection) -> socket.socket:
        bell.ring()
        return connect(self)

    monkeypatch.setattr(HTTPConnection, "_new_conn", late)
    peer = start(say(ok(b"[1]")))
    error = failure(lambda: open_client(peer).post(BODY))
    assert "in full within" in error.what
    assert (error.sent, error.passing) == (False, False)
    assert peer.requests == []


def test_each_request_of_a_connection_has_all_of_the_time(
    start: Start, open_client: OpenClient, bell: Bell
) -> None:
    peer = start(say(ok(b"[1]")))
    asked = open_client(peer)
    for _ in range(3):
        assert asked.post(BODY).payload == [1]
        bell.ring()
    assert (peer.connections, len(peer.requests)) == (1, 3)


# --- One answer for one request -------------------------------------------------------------------


def numbered(connection: socket.socket, number: int) -> None:
    connection.sendall(ok(json.dumps([number]).encode()))


@pytest.mark.parametrize("early", [101, 102, 103, 110, 199])
def test_an_answer_that_is_none_yet_never_becomes_that_of_the_next_request(
    start: Start, open_client: OpenClient, early: int
) -> None:
    """http.client skips 100 alone; what comes after any other would be read one request late."""
    peers: list[Peer] = []

    def answer(connection: socket.socket) -> None:
        number = len(peers[0].requests)
        if number == 1:
            connection.sendall(b"HTTP/1.1 %d Early\r\nLink: x\r\n\r\n" % early)
            # Its answer comes once the next request is there, on whichever connection.
            return
        with suppress(OSError):
            numbered(connection, number - 1 if peers[0].connections == 1 else number)

    peers.append(start(answer))
    asked = open_client(peers[0])
    error = failure(lambda: asked.post(BODY))
    assert f"HTTP {early}, which is no answer yet" in error.what
    assert (error.sent, error.passing) == (True, True)
    assert asked.post(BODY).payload == [2]
    assert peers[0].connections == 2


def test_a_100_is_skipped_as_it_should_be(start: Start, open_client: OpenClient) -> None:
    peer = start(say(b"HTTP/1.1 100 Continue\r\n\r\n" * 3, ok(b"[1]")))
    asked = open_client(peer)
    for _ in range(2):
        assert asked.post(BODY).payload == [1]
    assert peer.connections == 1


MORE = (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n[2]", b"\r\n", b"x")


@pytest.mark.parametrize("more", MORE)
@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("secure", [False, True])
def test_two_answers_at_once_are_none(
    start: Start,
    open_client: OpenClient,
    tls: tuple[ssl.SSLContext, str],
    secure: bool,
    chunked: bool,
    more: bytes,
) -> None:
    """Whose the first one is cannot be told: it may be that of an earlier request."""
    pieces = OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\n[1]\r\n0\r\n\r\n"
    whole = pieces if chunked else ok(b"[1]")
    peer = start(say(whole + more), tls[0] if secure else None)
    asked = open_client(peer, "https" if secure else "http", tls[1])
    for connections in (1, 2):
        error = failure(lambda: asked.post(BODY))
        assert "sent more than one answer" in error.what
        assert (error.sent, error.passing) == (True, True)
        assert peer.connections == connections


FAULTS = {
    "500": b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n",
    "redirect": b"HTTP/1.1 302 No\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n",
    "no JSON": ok(b"<html>"),
    "nothing": b"HTTP/1.1 204 No\r\n\r\n",
}


@pytest.mark.parametrize("said", FAULTS.values(), ids=FAULTS)
def test_after_a_transport_error_the_connection_is_closed(
    start: Start, open_client: OpenClient, said: bytes
) -> None:
    peer = start(say(said))
    asked = open_client(peer)
    for connections in (1, 2, 3):
        failure(lambda: asked.post(BODY))
        assert peer.connections == connections


def test_a_connection_that_the_other_end_closes_is_not_kept(
    start: Start, open_client: OpenClient
) -> None:
    peer = start(say(ok(b"[1]", b"Connection: close")))
    asked = open_client(peer)
    for connections in (1, 2):
        assert asked.post(BODY).payload == [1]
        assert peer.connections == connections
    assert asked._idle == []


def test_an_interrupted_request_leaves_no_connection_behind(
    start: Start, open_client: OpenClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its answer may still come, and would be the next request's."""
    asked = open_client(start(say(ok(b"[1]"))))

    def interrupted(*_: object) -> Reply:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(HttpClient, "_reply", interrupted)
        with pytest.raises(KeyboardInterrupt):
            asked.post(BODY)
    assert asked._idle == []
    assert asked.post(BODY).payload == [1]


def test_parallel_requests_have_a_connection_each_and_keep_them(
    start: Start, open_client: OpenClient
) -> None:
    asked = client()
    lines = [asked._line() for _ in range(3)]
    assert len({id(one) for one in lines}) == 3
    for one in lines:
        one.close()


# --- Whom the connections trust -------------------------------------------------------------------


def test_connections_share_what_checks_certificates(
    start: Start, open_client: OpenClient, tls: tuple[ssl.SSLContext, str]
) -> None:
    """It takes longer to make than a request."""
    line._context.cache_clear()
    peer = start(say(ok(b"[1]")), tls[0])
    for _ in range(3):
        asked = open_client(peer, "https", tls[1])
        assert asked.post(BODY).payload == [1]
        asked.close()
    assert peer.connections == 3
    assert line._context.cache_info().misses == 1


def test_parallel_connections_make_it_once(tls: tuple[ssl.SSLContext, str]) -> None:
    line._context.cache_clear()
    with ThreadPoolExecutor(8) as jobs:
        made = list(jobs.map(lambda _: line.trusting(tls[1], None), range(8)))
    assert len({id(one) for one in made}) == 1
    assert line._context.cache_info().misses == 1


def test_the_usual_authorities_are_trusted_where_requests_names_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As before 2.32.5, which left them to a context of its own."""
    monkeypatch.setattr(HTTPAdapter, "cert_verify", lambda *_: None)
    pool = HTTPSConnectionPool("api.example")
    line._Adapter(line.Line()).cert_verify(pool, "https://api.example/", True, None)
    assert pool.conn_kw["ssl_context"] is line.trusting(certifi.where(), None)


def test_it_is_as_strict_as_one_that_urllib3_makes(tls: tuple[ssl.SSLContext, str]) -> None:
    ours, theirs = line.trusting(tls[1], None), create_urllib3_context()
    for trait in ("verify_mode", "check_hostname", "options", "verify_flags", "minimum_version"):
        assert getattr(ours, trait) == getattr(theirs, trait), trait
    assert ours.verify_mode is ssl.CERT_REQUIRED
    assert ours.check_hostname
    assert len(ours.get_ca_certs()) == 1, "nobody is trusted but those in the file"


def test_who_was_trusted_with_one_file_is_not_with_another(
    start: Start, open_client: OpenClient, tls: tuple[ssl.SSLContext, str]
) -> None:
    peer = start(say(ok(b"[1]")), tls[0])
    assert open_client(peer, "https", tls[1]).post(BODY).payload == [1]
    error = failure(lambda: open_client(peer, "https").post(BODY))
    assert "TLS connection to the API failed" in error.what
    assert len(peer.requests) == 1
    assert open_client(peer, "https", tls[1]).post(BODY).payload == [1]


def test_a_certificate_of_another_name_is_refused(
    start: Start,
    open_client: OpenClient,
    tls: tuple[ssl.SSLContext, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    peer = start(say(ok(b"[1]")), tls[0])
    assert open_client(peer, "https", tls[1]).post(BODY).payload == [1]
    asked = client(f"https://localhost:{peer.port}/")  # the same server; no such name in it
    error = failure(lambda: asked.post(BODY))
    assert "TLS connection to the API failed" in error.what
    assert len(peer.requests) == 1


def test_authorities_that_have_changed_are_read_again(
    start: Start, open_client: OpenClient, tls: tuple[ssl.SSLContext, str], tmp_path: Path
) -> None:
    ca = tmp_path / "ca.pem"
    ca.write_text(Path(certifi.where()).read_text())
    peer = start(say(ok(b"[1]")), tls[0])
    failure(lambda: open_client(peer, "https", str(ca)).post(BODY))
    ca.write_text(Path(tls[1]).read_text())
    assert open_client(peer, "https", str(ca)).post(BODY).payload == [1]


@pytest.mark.parametrize("content", ["", "no certificate\n"])
def test_a_file_without_authorities_is_named_and_nothing_is_sent(
    start: Start,
    open_client: OpenClient,
    tls: tuple[ssl.SSLContext, str],
    tmp_path: Path,
    content: str,
) -> None:
    ca = tmp_path / "ca.pem"
    ca.write_text(content)
    peer = start(say(ok(b"[1]")), tls[0])
    error = failure(lambda: open_client(peer, "https", str(ca)).post(BODY))
    assert "CA file" in error.what
    assert (error.sent, error.passing) == (False, False)
    assert peer.requests == []


def test_an_empty_folder_of_authorities_trusts_nobody(
    start: Start, open_client: OpenClient, tls: tuple[ssl.SSLContext, str], tmp_path: Path
) -> None:
    peer = start(say(ok(b"[1]")), tls[0])
    error = failure(lambda: open_client(peer, "https", str(tmp_path)).post(BODY))
    assert "TLS connection to the API failed" in error.what
    assert peer.requests == []
