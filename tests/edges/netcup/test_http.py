"""The HTTP client: where a secret may go, what is read, what a failure says about the request."""

from __future__ import annotations

import datetime
import gzip
import ipaddress
import json
import socket
import ssl
import threading
import time
import tracemalloc
import zlib
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Any

import pytest
import requests
import responses
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st
from responses import matchers

from netcup_mailauth.clock import Pauses
from netcup_mailauth.errors import TransportError, UsageError
from netcup_mailauth.netcup import http
from netcup_mailauth.netcup.http import HttpClient, Reply, check_url, is_loopback
from netcup_mailauth.version import __version__

if TYPE_CHECKING:
    from pathlib import Path

URL = "https://api.example/endpoint.php?JSON"
CANARY = "C4n4ry-5ecret"
HEADERS = {"X-API-Key": CANARY}
BODY = {"param": {"apipassword": CANARY}}


def never(_seconds: float) -> None:
    pytest.fail("it waited")


def client(url: str = URL, sleep: Callable[[float], None] = never) -> HttpClient:
    return HttpClient(url, "the API", headers=HEADERS, sleep=sleep)


def failure(send: Callable[[], Reply]) -> TransportError:
    """The error of a request, after a look at whether it carries a secret."""
    with pytest.raises(TransportError) as caught:
        send()
    error = caught.value
    # Not even hidden by `from None`: a debugger and an error tracker show the context all the same.
    assert error.__cause__ is None
    assert error.__context__ is None
    assert CANARY not in repr([str(error), error.args, vars(error)])
    return error


@pytest.fixture
def api() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=True) as mock:
        yield mock


# --- Where a secret may go ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "https://ccp.netcup.net/run/webservice/servers/endpoint.php?JSON",
        "https://mail.example.com",
        "https://exämple.com/",
        "https://192.0.2.1:8443/x",
        "http://localhost:8053/",
        "http://LOCALHOST/",
        "http://127.0.0.1/",
        "http://127.9.9.9:1/",
        "http://[::1]:8080/",
    ],
)
def test_a_url_that_a_secret_may_go_to(url: str) -> None:
    assert check_url(url, "the address") == url


@pytest.mark.parametrize(
    "url",
    [
        "http://mail.example.com",
        "http://localhost.example.com",
        "http://127.0.0.1.nip.io/",
        "http://128.0.0.1/",
        "http://0.0.0.0/",
        "http://[::2]/",
        "http://localhost\N{CYRILLIC SMALL LETTER O}/",
    ],
)
def test_plain_http_is_for_this_machine_only(url: str) -> None:
    with pytest.raises(UsageError, match="plain http"):
        check_url(url, "the address")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "mail.example.com",
        "//mail.example.com",
        "ftp://mail.example.com",
        "file:///etc/passwd",
        "https://",
        "https:///path",
        "https://[::1",
        "https://mail.example.com:port/",
        "https://mail.example.com:99999/",
        "https://mail.example.com/a b",
        " https://mail.example.com",
        "https://mail.exa\nmple.com",
        "http://127.0.0.1\t.example.com/",
        "http://127.0.0.1\\.example.com/",
        "https://mail.example.com/\x1b[2J",
        CANARY,
    ],
)
def test_what_is_no_url_is_refused_and_not_shown(url: str) -> None:
    """A key that was put into the wrong variable must not appear on the screen."""
    with pytest.raises(UsageError, match="no URL") as caught:
        check_url(url, "the address")
    said = f"{caught.value.what} {caught.value.advice}"
    assert CANARY not in said
    assert said.isprintable()


@pytest.mark.parametrize("url", [f"https://u:{CANARY}@h/", f"u:{CANARY}@h", f"https://[{CANARY}@h"])
def test_a_user_name_in_a_url_is_refused_and_not_shown(url: str) -> None:
    with pytest.raises(UsageError, match="user name or password") as caught:
        check_url(url, "the address")
    assert CANARY not in f"{caught.value.what} {caught.value.advice}"


@given(st.text())
def test_any_text_is_a_url_or_a_usage_error(text: str) -> None:
    with suppress(UsageError):
        assert check_url(text, "it") == text


def test_the_client_checks_its_url() -> None:
    with pytest.raises(UsageError, match="The address of the API is plain http"):
        HttpClient("http://api.example", "the API")


def test_loopback_names_and_addresses() -> None:
    assert all(map(is_loopback, ["localhost", "127.0.0.1", "127.255.0.1", "::1"]))
    assert not any(map(is_loopback, ["", "localhost.example", "10.0.0.1", "::", "loopback"]))


# --- What is sent ---------------------------------------------------------------------------------


def test_a_post_is_json_with_the_headers_and_the_time_limits(api: responses.RequestsMock) -> None:
    api.post(
        URL,
        json={"status": "success"},
        headers={"Retry-After": "7"},
        match=[
            matchers.json_params_matcher(BODY),
            matchers.header_matcher(
                {
                    **HEADERS,
                    "Content-Type": "application/json",
                    "Accept": "application/json",
                    "User-Agent": f"netcup-mailauth/{__version__}",
                }
            ),
        ],
    )
    assert client().post(BODY) == Reply(200, {"status": "success"}, "7")
    assert api.calls[0].request.req_kwargs["timeout"] == (5.0, 30.0)  # type: ignore[attr-defined]


@pytest.mark.parametrize("base", ["https://mail.example", "https://mail.example/"])
def test_a_get_goes_below_the_url_and_has_no_body(api: responses.RequestsMock, base: str) -> None:
    api.get("https://mail.example/api/v1/x", json=[1])
    assert client(base).get("/api/v1/x") == Reply(200, [1])
    assert api.calls[0].request.body is None
    assert "Content-Type" not in api.calls[0].request.headers


def test_a_get_may_have_a_query(api: responses.RequestsMock) -> None:
    api.get("https://api.example/v1/domain?fqdn=a%26b.example&page=1", json=[1])
    query = {"fqdn": "a&b.example", "page": 1}
    assert client("https://api.example/v1").get("/domain", query) == Reply(200, [1])


@pytest.mark.parametrize("base", ["https://mail.example", "https://mail.example/"])
def test_a_post_to_a_path_goes_below_the_url(api: responses.RequestsMock, base: str) -> None:
    match = [matchers.json_params_matcher(BODY), matchers.header_matcher(HEADERS)]
    api.post("https://mail.example/api/v1/x", json=[1], status=201, match=match)
    assert client(base).post(BODY, "/api/v1/x") == Reply(201, [1])


def test_a_netrc_replaces_no_key(
    api: responses.RequestsMock, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """requests would put the entry's password into the Authorization header by itself."""
    netrc = tmp_path / "netrc"
    netrc.write_text("default login somebody password something")
    monkeypatch.setenv("NETRC", str(netrc))
    assert requests.utils.get_netrc_auth(URL) == ("somebody", "something")
    api.post(URL, json=[1])
    client().post({})
    assert "Authorization" not in api.calls[0].request.headers


def test_its_repr_shows_no_key() -> None:
    assert CANARY not in repr(client())


# --- Proxies and certificates ---------------------------------------------------------------------


SendsWith = Callable[..., Any]


@pytest.fixture
def sent_with(api: responses.RequestsMock, monkeypatch: pytest.MonkeyPatch) -> SendsWith:
    """How requests is told to send: the keyword arguments of its adapter."""

    def sent(url: str, environ: dict[str, str]) -> Any:
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        api.post(url, json=[1])
        client(url).post({})
        return api.calls[0].request.req_kwargs  # type: ignore[attr-defined]

    return sent


@pytest.mark.parametrize(
    ("environ", "proxy"),
    [
        ({}, None),
        ({"https_proxy": "http://p:1"}, "http://p:1"),
        ({"HTTPS_PROXY": "http://p:1"}, "http://p:1"),
        ({"https_proxy": "http://p:1", "HTTPS_PROXY": "http://q:1"}, "http://p:1"),
        ({"ALL_PROXY": "http://p:1", "http_proxy": ""}, "http://p:1"),
        ({"HTTP_PROXY": "http://p:1"}, None),
        ({"https_proxy": "http://p:1", "no_proxy": "api.example"}, None),
        ({"https_proxy": "http://p:1", "NO_PROXY": ".example,x.test"}, None),
        ({"https_proxy": "http://p:1", "NO_PROXY": "*"}, None),
        ({"https_proxy": "http://p:1", "NO_PROXY": "other.example"}, "http://p:1"),
    ],
)
def test_the_proxy_is_that_of_the_environment(
    sent_with: SendsWith, environ: dict[str, str], proxy: str | None
) -> None:
    assert requests.utils.select_proxy(URL, sent_with(URL, environ)["proxies"]) == proxy


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
def test_loopback_is_never_sent_through_a_proxy(sent_with: SendsWith, host: str) -> None:
    proxies = dict.fromkeys(("http_proxy", "https_proxy", "all_proxy"), "http://p:1")
    assert not sent_with(f"http://{host}:8053/", proxies)["proxies"]


@pytest.mark.parametrize("url", [URL, "https://127.0.0.1:8053/"])
@pytest.mark.parametrize(
    ("environ", "verify"),
    [
        ({}, True),
        ({"SSL_CERT_FILE": "/s"}, "/s"),
        ({"SSL_CERT_FILE": "/s", "CURL_CA_BUNDLE": "/c"}, "/c"),
        ({"SSL_CERT_FILE": "/s", "CURL_CA_BUNDLE": "/c", "REQUESTS_CA_BUNDLE": "/r"}, "/r"),
        ({"REQUESTS_CA_BUNDLE": "", "SSL_CERT_FILE": "/s"}, "/s"),
    ],
)
def test_the_ca_bundle_is_the_one_that_the_environment_names(
    sent_with: SendsWith, url: str, environ: dict[str, str], verify: object
) -> None:
    assert sent_with(url, environ)["verify"] == verify


def test_a_ca_bundle_that_is_not_there_is_named_and_nothing_is_sent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere")
    error = failure(lambda: client("https://127.0.0.1:9/").post({}))
    assert "CA file" in error.what
    assert "SSL_CERT_FILE" in error.advice
    assert (error.sent, error.passing) == (False, False)


# --- What an answer may be ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "nothing"),
        (b" \r\n", "nothing"),
        (b"<html>\r\n<head>" + CANARY.encode(), "an HTML page"),
        (b'\n<?xml version="1.0"?>', "an HTML page"),
        (b'{"apisessionid": "' + CANARY.encode(), "not JSON"),
        (b'{"a": "\xe4' + CANARY.encode() + b'"}', "not JSON"),
        (b"[" * 10_000 + b"]" * 10_000, "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"1" * 5_000, "not JSON"),
        (b"null", "not JSON"),
        (CANARY.encode(), "not JSON"),
    ],
)
@pytest.mark.parametrize("method", ["POST", "GET"])
def test_an_answer_that_is_no_json(
    api: responses.RequestsMock, method: str, body: bytes, words: str
) -> None:
    """netcup was seen to send an HTML page right after a good login, so asking again may help."""
    api.add(method, "https://api.example/x", body=body)
    asked = client("https://api.example/x")
    error = failure((lambda: asked.post(BODY)) if method == "POST" else (lambda: asked.get("")))
    assert words in error.what
    assert f"{len(body)} bytes" in error.what
    assert (error.sent, error.passing) == (True, True)


@pytest.mark.parametrize("body", [b"", b"<html>denied</html>", b'{"cut'])
@pytest.mark.parametrize("status", [401, 403, 404, 429])
def test_a_refusal_without_json(api: responses.RequestsMock, status: int, body: bytes) -> None:
    """A reverse proxy's own 401 is a refusal like any other: not to be asked for three times."""
    api.get("https://mail.example/x", body=body, status=status)
    assert client("https://mail.example").get("/x") == Reply(status, None)
    api.post(URL, body=body, status=status)
    assert client().read(lambda: client().post(BODY)) == Reply(status, None)


def test_a_refusal_with_json_is_an_answer(api: responses.RequestsMock) -> None:
    api.post(URL, json={"msg": "no"}, status=401)
    assert client().post(BODY) == Reply(401, {"msg": "no"})


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(api: responses.RequestsMock, status: int) -> None:
    """requests would send our own key header to the place in the answer."""
    api.post(URL, status=status, headers={"Location": "https://evil.example/" + CANARY})
    error = failure(lambda: client().post(BODY))
    assert f"redirect (HTTP {status})" in error.what
    assert (error.sent, error.passing) == (True, False)
    assert len(api.calls) == 1


def test_a_fault_at_the_other_end_is_one_even_with_json(api: responses.RequestsMock) -> None:
    api.post(URL, status=503, json={"status": "success", "x": CANARY})
    error = failure(lambda: client().post(BODY))
    assert "HTTP 503" in error.what
    assert (error.sent, error.passing) == (True, True)


# --- What is tried again --------------------------------------------------------------------------


def test_a_read_is_tried_three_times_with_pauses(api: responses.RequestsMock) -> None:
    api.post(URL, status=500)
    api.post(URL, body="<html>")
    api.post(URL, json=[1])
    pauses: list[float] = []
    asked = client(sleep=pauses.append)
    assert asked.read(lambda: asked.post(BODY)) == Reply(200, [1])
    assert pauses == list(Pauses().again)


def test_the_last_failure_of_a_read_is_told(api: responses.RequestsMock) -> None:
    for status in (500, 500, 502):
        api.post(URL, status=status)
    pauses: list[float] = []
    asked = client(sleep=pauses.append)
    assert "HTTP 502" in failure(lambda: asked.read(lambda: asked.post(BODY))).what
    assert pauses == list(Pauses().again)


def test_what_will_not_pass_is_not_tried_again(api: responses.RequestsMock) -> None:
    api.post(URL, status=301)
    asked = client()
    failure(lambda: asked.read(lambda: asked.post(BODY)))
    assert len(api.calls) == 1


def test_a_bug_is_not_tried_again() -> None:
    def bug() -> Reply:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        client().read(bug)


def test_a_fault_of_the_line_between_two_answers_of_too_many_is_tried_again(
    api: responses.RequestsMock,
) -> None:
    api.get("https://api.example/x", status=429, headers={"Retry-After": "3"})
    api.get("https://api.example/x", status=503)
    api.get("https://api.example/x", json=[1])
    pauses: list[float] = []
    asked = client("https://api.example", sleep=pauses.append)
    assert asked.read_patiently(lambda: asked.get("/x")) == Reply(200, [1])
    assert pauses == [3.0, Pauses().again[0]]


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("0", 0.0),
        ("7", 7.0),
        (" 7 ", 7.0),
        ("61", 60.0),
        ("9" * 400, 60.0),
        ("Thu, 01 Jan 1970 00:16:50 GMT", 10.0),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 60.0),
        (None, 5.0),
        ("", 5.0),
        ("-7", 5.0),
        ("soon", 5.0),
        ("²", 5.0),
    ],
)
def test_how_long_to_wait(
    monkeypatch: pytest.MonkeyPatch, header: str | None, seconds: float
) -> None:
    monkeypatch.setattr(time, "time", lambda: 1000.0)
    assert http.pause(header, Pauses()) == seconds


@given(st.text())
def test_any_header_is_a_pause_within_bounds(header: str) -> None:
    assert 0 <= http.pause(header, Pauses()) <= Pauses().longest


# --- A real other end -----------------------------------------------------------------------------

Answer = Callable[[socket.socket], None]


class Peer:
    """A server on loopback that reads each request whole, and then does what a test says."""

    def __init__(
        self,
        answer: Answer,
        tls: ssl.SSLContext | None = None,
        read: Callable[[socket.socket], bytes] | None = None,
    ) -> None:
        self._read = read or read_request
        self.requests: list[bytes] = []
        self.connections = 0
        self._answer = answer
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> Peer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port)).close()
        self._thread.join(5)
        self._listener.close()
        assert not self._thread.is_alive()

    def _serve(self) -> None:
        while not self._ended.is_set():
            raw, _ = self._listener.accept()
            raw.settimeout(2)
            with raw, suppress(OSError):
                connection = self._tls.wrap_socket(raw, server_side=True) if self._tls else raw
                with connection:
                    first = True
                    while request := self._read(connection):
                        self.connections += first
                        first = False
                        self.requests.append(request)
                        self._answer(connection)


def read_some(connection: socket.socket) -> bytes:
    """Whatever comes first, such as the beginning of TLS."""
    return connection.recv(65536)


def read_request(connection: socket.socket) -> bytes:
    """One request with its body; empty at the end of the connection."""
    data = b""
    while b"\r\n\r\n" not in data:
        chunk = connection.recv(65536)
        if not chunk:
            return b""
        data += chunk
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(
        (
            int(line.split(b":")[1])
            for line in head.lower().split(b"\r\n")
            if line.startswith(b"content-length")
        ),
        0,
    )
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


Start = Callable[..., Peer]


@pytest.fixture
def deaf() -> Iterator[str]:
    """An address where nobody listens, and nobody else can meanwhile."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}"


@pytest.fixture
def start() -> Iterator[Start]:
    with ExitStack() as stack:
        yield lambda *args, **kwargs: stack.enter_context(Peer(*args, **kwargs))


@pytest.fixture
def open_client(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., HttpClient]]:
    with ExitStack() as stack:

        def make(peer: Peer, scheme: str = "http", ca: str = "") -> HttpClient:
            monkeypatch.setenv("SSL_CERT_FILE", ca)
            made = client(f"{scheme}://127.0.0.1:{peer.port}/")
            stack.callback(made.close)
            return made

        yield make


OpenClient = Callable[..., HttpClient]


def say(*parts: bytes) -> Answer:
    def answer(connection: socket.socket) -> None:
        connection.sendall(b"".join(parts))

    return answer


def say_and_close(*parts: bytes) -> Answer:
    def answer(connection: socket.socket) -> None:
        connection.sendall(b"".join(parts))
        connection.shutdown(socket.SHUT_RDWR)

    return answer


def ok(body: bytes, *headers: bytes) -> bytes:
    length = b"Content-Length: %d" % len(body)
    return b"\r\n".join([b"HTTP/1.1 200 OK", *headers, length, b"", body])


def test_several_requests_share_one_connection(start: Start, open_client: OpenClient) -> None:
    peer = start(say(ok(b'{"a":1}')))
    asked = open_client(peer)
    for _ in range(3):
        assert asked.post(BODY).payload == {"a": 1}
    assert asked.get("/x").payload == {"a": 1}
    assert (peer.connections, len(peer.requests)) == (1, 4)
    assert json.loads(peer.requests[0].partition(b"\r\n\r\n")[2]) == BODY
    assert peer.requests[3].startswith(b"GET /x ")


def test_a_closed_client_opens_a_new_connection(start: Start, open_client: OpenClient) -> None:
    peer = start(say(ok(b"[1]")))
    asked = open_client(peer)
    asked.post(BODY)
    asked.close()
    asked.close()
    asked.post(BODY)
    assert peer.connections == 2


def test_no_cookie_comes_back_and_a_read_after_a_write_has_nothing_of_it(
    start: Start, open_client: OpenClient
) -> None:
    peer = start(say(ok(b"[1]", b"Set-Cookie: a=b; Path=/")))
    asked = open_client(peer)
    assert [asked.post(BODY).payload, asked.get("/x").payload] == [[1], [1]]
    assert b"Cookie" not in b"".join(peer.requests)
    assert peer.requests[0].count(b"Content-Length: ") == 1
    assert b"Content-" not in peer.requests[1]


@pytest.mark.parametrize("head", [b"Content-Length: 9999999999", b"Transfer-Encoding: chunked"])
def test_nothing_of_a_redirect_is_waited_for(
    start: Start, open_client: OpenClient, head: bytes
) -> None:
    """Its body may have no end, or never come."""
    peer = start(say(b"HTTP/1.1 302 Found\r\nLocation: https://x/\r\n" + head + b"\r\n\r\n"))
    started = time.monotonic()
    assert "redirect" in failure(lambda: open_client(peer).post(BODY)).what
    assert time.monotonic() - started < http.READ_TIMEOUT


def test_compressed_and_chunked_answers_are_read(start: Start, open_client: OpenClient) -> None:
    packed = gzip.compress(b'{"a": "' + b"x" * 100_000 + b'"}')
    chunks = b"".join(
        b"%x\r\n%b\r\n" % (len(part), part) for part in (packed[:1], packed[1:50], packed[50:])
    )
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n"
    peer = start(say(head, chunks, b"0\r\n\r\n"))
    asked = open_client(peer)
    for _ in range(2):
        assert asked.post(BODY).payload == {"a": "x" * 100_000}
    assert peer.connections == 1


TWICE = gzip.compress(gzip.compress(b"[" + b" " * 30_000_000 + b"1]"))


@pytest.mark.parametrize(
    ("head", "body"),
    [
        (b"Content-Encoding: gzip, gzip", TWICE),
        (b"Content-Encoding: deflate", zlib.compress(b"[" + b" " * 30_000_000 + b"1]")),
    ],
)
def test_what_is_packed_twice_or_otherwise_is_cut_off_too(
    start: Start, open_client: OpenClient, head: bytes, body: bytes
) -> None:
    tracemalloc.start()
    try:
        error = failure(lambda: open_client(start(say(ok(body, head)))).post(BODY))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert "without end" in error.what
    assert (error.sent, error.passing) == (True, False)
    assert peak < 4 * http.MAX_ANSWER


@pytest.mark.parametrize("head", [b"Content-Encoding: br", b"Content-Encoding: zstd"])
def test_what_was_not_asked_for_is_not_unpacked(
    start: Start, open_client: OpenClient, head: bytes
) -> None:
    peer = start(say(ok(b"\x8b\x02\x80[1]\x03", head)))
    error = failure(lambda: open_client(peer).post(BODY))
    assert "something that is not JSON" in error.what
    assert b"Accept-Encoding: gzip, deflate\r\n" in peer.requests[0]


def test_a_packed_answer_that_is_cut_off_is_none(start: Start, open_client: OpenClient) -> None:
    packed = gzip.compress(b'{"a": 1}')
    peer = start(say_and_close(ok(packed[:-12], b"Content-Encoding: gzip")))
    assert failure(lambda: open_client(peer).post(BODY)).sent


def test_a_refused_connection_is_never_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    error = failure(lambda: client(f"http://127.0.0.1:{port}/").post(BODY))
    assert f"127.0.0.1:{port}: Connection refused" in error.what
    assert (error.sent, error.passing) == (False, True)


def test_an_unknown_name_is_never_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_args: object, **_kwargs: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    error = failure(lambda: client().post(BODY))
    assert "api.example: Name or service not known" in error.what
    assert (error.sent, error.passing) == (False, True)


def test_a_connection_that_takes_too_long_is_never_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """A listener with a full queue answers no further connection, as a firewall that drops it."""
    monkeypatch.setattr(http, "CONNECT_TIMEOUT", 0.1)
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(3):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        error = failure(lambda: client(f"http://127.0.0.1:{listener.getsockname()[1]}/").post(BODY))
    assert "no answer within" in error.what
    assert (error.sent, error.passing) == (False, True)


@pytest.mark.parametrize(
    "url",
    ["https://" + "a" * 64 + ".example/", "https://a..example/", "https://.example/"],
)
def test_an_address_that_nothing_can_be_sent_to(url: str) -> None:
    """Some of these come through requests as bare errors of urllib3."""
    error = failure(lambda: client(url).post(BODY))
    assert "can be made" in error.what
    assert (error.sent, error.passing) == (False, False)


@pytest.mark.parametrize("proxy", ["http://", "gopher://127.0.0.1:9"])
def test_a_proxy_that_is_none(monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    monkeypatch.setenv("https_proxy", proxy)
    error = failure(lambda: client().post(BODY))
    assert "the proxy" in error.advice
    assert (error.sent, error.passing) == (False, False)


BROKEN = {
    "closed before any answer": say_and_close(),
    "closed in the status line": say_and_close(b"HTTP/1.1 20"),
    "no HTTP": say_and_close(b"220 mail.example.com ESMTP\r\n"),
    "a body cut off": say_and_close(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n[1]"),
    "a chunk cut off": say_and_close(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n[1]"
    ),
    "no chunk": say_and_close(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n[1]"),
    "two lengths": say_and_close(
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n[1]"
    ),
    "not compressed": say_and_close(ok(b"[1]", b"Content-Encoding: gzip")),
}


@pytest.mark.parametrize("answer", BROKEN.values(), ids=BROKEN.keys())
def test_what_breaks_after_the_request_may_have_been_processed(
    start: Start, open_client: OpenClient, answer: Answer
) -> None:
    """Were one of these told as not sent, the write behind it would be sent a second time."""
    peer = start(answer)
    error = failure(lambda: open_client(peer).post(BODY))
    assert error.what == "The connection to the API broke before its answer had arrived."
    assert (error.sent, error.passing) == (True, True)
    assert len(peer.requests) == 1


def test_headers_cut_off_are_no_answer(start: Start, open_client: OpenClient) -> None:
    """To urllib3 the end of the connection is the end of the headers, and all is well."""
    error = failure(lambda: open_client(start(say_and_close(b"HTTP/1.1 200 OK\r\nX"))).post(BODY))
    assert "nothing (HTTP 200, 0 bytes)" in error.what
    assert (error.sent, error.passing) == (True, True)


def test_a_reset_connection_may_have_been_processed(start: Start, open_client: OpenClient) -> None:
    def reset(connection: socket.socket) -> None:
        linger = b"\1\0\0\0\0\0\0\0"  # on, 0 seconds: close sends RST
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        connection.close()

    error = failure(lambda: open_client(start(reset)).post(BODY))
    assert (error.sent, error.passing) == (True, True)


def test_an_error_that_the_caller_is_handling_changes_nothing(
    start: Start, open_client: OpenClient, deaf: str
) -> None:
    """A refused connection somewhere else must not make this request look like never sent."""
    asked = open_client(start(say_and_close()))
    with pytest.raises(TransportError) as caught:  # noqa: PT012
        try:
            requests.get(deaf, timeout=1)
        except requests.RequestException:
            asked.post(BODY)
    assert caught.value.sent


def test_no_answer_in_time(
    start: Start, open_client: OpenClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "READ_TIMEOUT", 0.1)
    released = threading.Event()
    peer = start(lambda _: released.wait(2) and None)
    error = failure(lambda: open_client(peer).post(BODY))
    released.set()
    assert "did not answer within" in error.what
    assert (error.sent, error.passing) == (True, True)


@pytest.mark.parametrize("packed", [False, True])
def test_an_endless_body_is_cut_off(
    start: Start, open_client: OpenClient, monkeypatch: pytest.MonkeyPatch, packed: bool
) -> None:
    """Packed, a few bytes from the network become any number in memory."""
    monkeypatch.setattr(http, "MAX_ANSWER", 200_000)
    sent: list[int] = []

    def flood(connection: socket.socket) -> None:
        encoding = b"Content-Encoding: gzip\r\n" if packed else b""
        connection.sendall(b"HTTP/1.1 200 OK\r\n" + encoding + b"Connection: close\r\n\r\n")
        block = gzip.compress(b" " * 1_000_000) if packed else b" " * 100_000
        for _ in range(1 if packed else 1000):
            connection.sendall(block)
            sent.append(len(block))

    error = failure(lambda: open_client(start(flood)).post(BODY))
    assert "without end" in error.what
    assert (error.sent, error.passing) == (True, False)
    assert sum(sent) < 50_000_000


# --- TLS, and proxies in between ------------------------------------------------------------------


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, str]:
    """A server's side of TLS for 127.0.0.1 and api.example, and the file of its CA: itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.OID_COMMON_NAME, "test")])
    now = datetime.datetime.now(datetime.UTC)
    usage = dict.fromkeys(
        (
            "content_commitment",
            "key_encipherment",
            "data_encipherment",
            "key_agreement",
            "crl_sign",
            "encipher_only",
            "decipher_only",
        ),
        False,
    )
    names = [x509.IPAddress(ipaddress.ip_address("127.0.0.1")), x509.DNSName("api.example")]
    public = key.public_key()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(
            x509.KeyUsage(digital_signature=True, key_cert_sign=True, **usage), critical=True
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(public), critical=False)
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
    )
    folder = tmp_path_factory.mktemp("tls")
    ca = folder / "ca.pem"
    ca.write_bytes(certificate)
    chain = folder / "chain.pem"
    chain.write_bytes(
        certificate
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    return context, str(ca)


def test_tls_with_a_ca_of_ones_own(
    start: Start, open_client: OpenClient, tls: tuple[ssl.SSLContext, str]
) -> None:
    peer = start(say(ok(b"[1]")), tls[0])
    assert open_client(peer, "https", tls[1]).post(BODY).payload == [1]


def test_a_certificate_that_we_refuse_is_never_sent_to(
    start: Start, open_client: OpenClient, tls: tuple[ssl.SSLContext, str]
) -> None:
    peer = start(say(ok(b"[1]")), tls[0])
    error = failure(lambda: open_client(peer, "https").post(BODY))
    assert "TLS connection to the API failed" in error.what
    assert "REQUESTS_CA_BUNDLE" in error.advice
    assert (error.sent, error.passing) == (False, False)
    assert peer.requests == []


def test_a_tls_failure_of_another_sort_may_have_been_after_the_request(
    start: Start, open_client: OpenClient
) -> None:
    peer = start(say_and_close(b"HTTP/1.1 400 This is plain http\r\n\r\n"), read=read_some)
    error = failure(lambda: open_client(peer, "https").post(BODY))
    assert error.sent


def tunnel(tls: ssl.SSLContext, answer: Answer, requests_seen: list[bytes]) -> Answer:
    """What a proxy does with CONNECT, with the other end of the tunnel in it."""

    def connect(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        with tls.wrap_socket(connection, server_side=True) as inner:
            requests_seen.append(read_request(inner))
            answer(inner)

    return connect


Through = Callable[..., HttpClient]


@pytest.fixture
def through(monkeypatch: pytest.MonkeyPatch) -> Through:
    """A client that reaches the API through a proxy."""

    def make(peer: Peer, ca: str = "") -> HttpClient:
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{peer.port}")
        monkeypatch.setenv("SSL_CERT_FILE", ca)
        return client()

    return make


def test_a_request_goes_through_the_tunnel_of_a_proxy(
    start: Start, through: Through, tls: tuple[ssl.SSLContext, str]
) -> None:
    inside: list[bytes] = []
    peer = start(tunnel(tls[0], say(ok(b"[1]")), inside))
    asked = through(peer, tls[1])
    assert asked.post(BODY).payload == [1]
    asked.close()
    assert CANARY.encode() in inside[0]
    assert CANARY.encode() not in b"".join(peer.requests), "the proxy sees no key"


def test_a_proxy_is_told_who_asks_and_the_api_is_not(
    start: Start, through: Through, tls: tuple[ssl.SSLContext, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    inside: list[bytes] = []
    peer = start(tunnel(tls[0], say(ok(b"[1]")), inside))
    asked = through(peer, tls[1])
    monkeypatch.setenv("https_proxy", f"http://us%40er:p%3Aw@127.0.0.1:{peer.port}")
    assert asked.post(BODY).payload == [1]
    asked.close()
    told = b64encode(b"us@er:p:w")
    assert b"Proxy-Authorization: Basic " + told in b"".join(peer.requests)
    assert told not in b"".join(inside)


def test_a_tunnel_that_breaks_after_the_request_may_have_delivered_it(
    start: Start, through: Through, tls: tuple[ssl.SSLContext, str]
) -> None:
    """urllib3 calls this a failure to connect to the proxy, though the request is long gone."""
    inside: list[bytes] = []
    peer = start(tunnel(tls[0], say_and_close(), inside))
    error = failure(lambda: through(peer, tls[1]).post(BODY))
    assert CANARY.encode() in inside[0]
    assert (error.sent, error.passing) == (True, True)


def test_a_certificate_behind_a_proxy_that_we_refuse_is_never_sent_to(
    start: Start, through: Through, tls: tuple[ssl.SSLContext, str]
) -> None:
    inside: list[bytes] = []
    error = failure(lambda: through(start(tunnel(tls[0], say(), inside))).post(BODY))
    assert "TLS connection" in error.what
    assert (error.sent, error.passing) == (False, False)
    assert inside == []


def test_a_proxy_that_refuses_the_tunnel_has_delivered_nothing(
    start: Start, through: Through
) -> None:
    peer = start(say_and_close(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"))
    error = failure(lambda: through(peer).post(BODY))
    assert "Tunnel connection failed: 407 Proxy Authentication Required" in error.what
    assert (error.sent, error.passing) == (False, True)


def test_a_proxy_that_is_not_there_has_delivered_nothing(
    monkeypatch: pytest.MonkeyPatch, deaf: str
) -> None:
    monkeypatch.setenv("https_proxy", deaf)
    error = failure(lambda: client().post(BODY))
    assert "Connection refused" in error.what
    assert (error.sent, error.passing) == (False, True)
