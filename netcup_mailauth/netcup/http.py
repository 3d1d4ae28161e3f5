"""HTTP to one API: time limits, size limits, proxies, and what a failure means.

Everything that leaves the machine with a secret in it goes through :class:`HttpClient`. It
follows no redirect (a key in a header would travel along), reads no netrc (an entry there would
replace a Bearer key), and never puts a request into an exception. Of each failure the one question
matters: can the request have reached the API? Then it must not be sent again.
"""

from __future__ import annotations

import json
import math
import os
import time
from datetime import UTC
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlencode, urlsplit

from netcup_mailauth.clock import Pauses
from netcup_mailauth.errors import TransportError, UsageError, WaitError
from netcup_mailauth.version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import requests

    from netcup_mailauth.netcup.line import Line
    from netcup_mailauth.netcup.recording import Recording

CONNECT_TIMEOUT = 5.0
READ_TIMEOUT = 30.0
"""Seconds without a byte. netcup was seen to need more than 5 s for an answer (fact 1.1)."""

LONGEST = 60.0
"""Seconds for a request and its answer, however often a byte comes."""

MAX_ANSWER = 16 * 1024 * 1024
"""Bytes. A zone of 10,000 records takes about 2 MB."""

CHUNK = 64 * 1024
"""Bytes to take from a connection at a time."""


class Reply(NamedTuple):
    """An HTTP answer. ``payload`` is its JSON; ``None`` when a refusal (4xx) came without any."""

    status: int
    payload: object
    retry_after: str | None = None


class NotJsonError(TransportError):
    """The answer is of a success, and says nothing that can be read."""


class HttpClient:
    """A session with one API.

    ``what`` is its name in messages, as in "netcup's CCP API"; ``headers`` go with every request;
    ``recorded`` has each exchange told to a recording, and the name of the API there.
    """

    def __init__(
        self,
        url: str,
        what: str,
        *,
        headers: Mapping[str, str] | None = None,
        recorded: tuple[Recording, str] | None = None,
        pauses: Pauses | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._recorded = recorded
        self.url = check_url(url, f"the address of {what}")
        self.what = what
        self._pauses = pauses or Pauses()
        self._sleep = sleep
        self._headers = {
            "User-Agent": f"netcup-mailauth/{__version__}",
            "Accept": "application/json",
            "Accept-Encoding": "gzip, deflate",  # no other, whatever else could be unpacked here
            **(headers or {}),
        }
        self._dated: tuple[str, float] | None = None
        self._idle: list[Line] = []

    @property
    def ahead(self) -> float | None:
        """By how many seconds the ``Date`` of the last answer was ahead of this machine's clock.

        ``None`` if it had none that tells.
        """
        return None if self._dated is None else _ahead(*self._dated)

    def close(self) -> None:
        """Close every connection that is not in use; a later request opens a new one."""
        while self._idle:
            self._idle.pop().close()

    def read(self, send: Callable[[], Reply]) -> Reply:
        """Do a request that changes nothing, again after a connection error or a 5xx.

        Raises:
            TransportError: the last attempt's, or one that would only come again.
        """
        for pause in self._pauses.again:
            try:
                return send()
            except TransportError as error:
                if not error.passing:
                    raise
            self._sleep(pause)
        return send()

    def read_patiently(self, send: Callable[[], Reply]) -> Reply:
        """As :meth:`read`; told that there are too many requests, wait and ask again.

        The answer may still be 429 after the last time.
        """
        for _ in range(TIMES_TOLD_TO_WAIT):
            reply = self.read(send)
            if reply.status != TOO_MANY:
                return reply
            self._sleep(pause(reply.retry_after, self._pauses))
        return self.read(send)

    def post(self, body: object, path: str = "", by: float | None = None) -> Reply:
        """POST ``body`` as JSON, once; not at all if it cannot leave ``by`` then (clock.now).

        ``path`` goes below the URL. A refusal (4xx) may come without JSON.

        Raises:
            TransportError: no answer, or one of 500 or more, or a success without JSON in it.
        """
        data = json.dumps(body, separators=(",", ":")).encode()
        return self._request("POST", self._below(path), data, by)

    def get(self, path: str, query: Mapping[str, object] | None = None) -> Reply:
        """GET a path below the URL, once.

        Raises:
            TransportError: as :meth:`post`.
        """
        asked = f"?{urlencode(query)}" if query else ""
        return self._request("GET", self._below(path) + asked, None)

    def _below(self, path: str) -> str:
        return self.url.rstrip("/") + path if path else self.url

    def _request(self, method: str, url: str, data: bytes | None, by: float | None = None) -> Reply:
        """One request. Its connection is used again only after one whole answer to it."""
        line = self._line()
        line.begin(LONGEST, by)
        reply: Reply | None = None
        failure: TransportError | None = None
        try:
            reply = self._answered(line, method, url, data)
        except TransportError as error:
            failure = error
        except BaseException:  # Ctrl-C: what was waited for then is the very thing to report
            self._record(method, url, data, line, None)
            raise
        finally:
            if reply is not None and line.is_sound:
                self._idle.append(line)
            else:
                line.close()
        if line.is_late:
            failure = _too_late(self.what)
        elif line.was_cut:
            failure = _too_slow(self.what, sent=failure is None or failure.sent)
        elif line.has_more and failure is None:
            failure = _too_many(self.what)
        self._record(method, url, data, line, failure)
        if failure is not None or reply is None:
            # Outside the except block, so that no exception keeps the request and its secrets.
            raise failure or _broke(self.what)
        return reply

    def _record(
        self,
        method: str,
        url: str,
        data: bytes | None,
        line: Line,
        failure: TransportError | None,
    ) -> None:
        """Tell the recording, if there is one."""
        if self._recorded is None:
            return
        from netcup_mailauth.netcup.recording import Sent

        recording, api = self._recorded
        sent = Sent(api, method, url.removeprefix(self.url.rstrip("/")), data)
        if line.heard is None:
            recording.unanswered(sent, failure.what if failure else "interrupted")
        else:
            recording.answered(sent, *line.heard)
            line.heard = None  # there may be a session id in it

    def _answered(self, line: Line, method: str, url: str, data: bytes | None) -> Reply:
        import requests
        from urllib3.exceptions import HTTPError

        try:
            request = self._prepared(method, url, data)
            times = (CONNECT_TIMEOUT, READ_TIMEOUT)
            with line.adapter.send(request, timeout=times, **line.settings) as response:
                return self._reply(response, line)
        # requests lets some of urllib3's errors through, and tells of a missing CA file by OSError.
        except (requests.RequestException, HTTPError, OSError) as error:
            failure = _told(error, self.what, urlsplit(self.url).netloc)
        raise failure  # outside the except block, as above

    def _prepared(self, method: str, url: str, data: bytes | None) -> requests.PreparedRequest:
        """A request: the blank one, with what is its own."""
        request = self._blank.copy()
        request.method = method
        if url != self.url:
            request.prepare_url(url, None)
        if data is not None:
            request.headers["Content-Type"] = "application/json"
            request.prepare_body(data, None)
        return request

    @cached_property
    def _blank(self) -> requests.PreparedRequest:
        """What all requests have in common, made once: for many domains it is felt.

        No session makes it, or sends it: no entry of a netrc takes the place of a key in a header,
        no cookie comes with it, and no redirect is looked at.
        """
        import requests

        return requests.Request("GET", self.url, self._headers).prepare()

    def _reply(self, response: requests.Response, line: Line) -> Reply:
        status = response.status_code
        if status < 200:
            # Its answer is still to come; read with the next request, it would be taken for its.
            raise TransportError(
                f"{self.what} answered with HTTP {status}, which is no answer yet.", "Try again."
            )
        if 300 <= status < 400:
            self._hear(line, response, b"")
            raise TransportError(
                f"{self.what} answered with a redirect (HTTP {status}). A key would travel along, "
                "so it is not followed.",
                "Check the address, or give the one it redirects to.",
                passing=False,
            )
        body = self._body(response)
        self._hear(line, response, body)
        if status >= 500:
            raise TransportError(
                f"{self.what} answered HTTP {status}.",
                "This is a fault at its end; try again later.",
            )
        payload = _json(body)
        if payload is None and status < 400:
            raise NotJsonError(
                f"{self.what} answered with {_sort(body)} (HTTP {status}, {len(body)} bytes).",
                "This happens when it is being maintained; try again later.",
            )
        self._dated = response.headers.get("Date", ""), time.time()
        return Reply(status, payload, response.headers.get("Retry-After"))

    def _hear(self, line: Line, response: requests.Response, body: bytes) -> None:
        if self._recorded is not None:
            line.heard = (response.status_code, response.headers, body)

    def _body(self, response: requests.Response) -> bytes:
        body = bytearray()
        for chunk in response.iter_content(CHUNK):
            body += chunk
            if len(body) > MAX_ANSWER:
                raise TransportError(
                    f"{self.what} sends an answer without end ({len(body)} bytes so far).",
                    "Nothing was taken from it. Try again later.",
                    passing=False,
                )
        return bytes(body)

    def _line(self) -> Line:
        """A connection that no other request uses; parallel jobs have one each."""
        import requests

        from netcup_mailauth.netcup.line import Line

        try:
            return self._idle.pop()
        except IndexError:
            line = Line()
        # What the environment says of proxies and certificates is left to requests, but for this:
        session = requests.Session()
        session.trust_env = not is_loopback(urlsplit(self.url).hostname or "")
        named = (os.environ.get(name) for name in CA_VARIABLES)
        line.settings = session.merge_environment_settings(
            self.url, {}, stream=True, verify=next(filter(None, named), True), cert=None
        )
        return line


def once(send: Callable[[], Reply]) -> Reply:
    """Do a request that may change something, whatever comes of it."""
    return send()


def _ahead(date: str, now: float) -> float | None:
    """How many seconds a ``Date`` is ahead of ``now``; ``None`` if it is none."""
    from email.utils import parsedate_to_datetime

    try:
        told = parsedate_to_datetime(date)
        told = told if told.tzinfo else told.replace(tzinfo=UTC)  # -0000 is UTC, too
        return told.timestamp() - now
    except (TypeError, ValueError, OverflowError):
        return None


def _json(body: bytes) -> object:
    """What the JSON says; ``None`` if it says nothing, or is none."""
    try:
        payload: object = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return payload


def _sort(body: bytes) -> str:
    """What an answer that should be JSON is instead, in words."""
    text = body.strip()
    if text[:1] == b"<":
        return "an HTML page"
    return "something that is not JSON" if text else "nothing"


CA_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
"""Where a CA file is named, the first one that is set. requests knows all but the last."""


def _told(error: Exception, what: str, place: str) -> TransportError:
    """An exception of requests, without the request in it; ``place`` is the host it was for."""
    import requests
    from requests.exceptions import InvalidSchema, InvalidURL, MissingSchema
    from urllib3.exceptions import LocationValueError

    if isinstance(error, requests.exceptions.ReadTimeout):
        return TransportError(
            f"{what} did not answer within {READ_TIMEOUT:.0f} s.", "Try again later."
        )
    if isinstance(error, OSError) and not isinstance(error, requests.RequestException):
        return TransportError(
            f"No request to {what} can be made: the CA file cannot be read.",
            f"It is named in one of {', '.join(CA_VARIABLES)}.",
            sent=False,
            passing=False,
        )
    if isinstance(error, requests.exceptions.SSLError) or _certificate_refused(error):
        speaks_no_tls = "WRONG_VERSION_NUMBER" in _reason(error)
        advice = (
            "It speaks no TLS there: https belongs to another port, or the address to another host."
            if speaks_no_tls
            else "If a proxy or a private CA is in between, name its CA file in REQUESTS_CA_BUNDLE."
        )
        return TransportError(
            f"The TLS connection to {what} failed: {_reason(error)}.",
            advice,
            sent=not _certificate_refused(error),
            passing=False,
        )
    if _never_connected(error):
        return TransportError(
            f"No connection to {what} at {place}: {_reason(error)}.",
            "Check the network, the proxy and the address.",
            sent=False,
        )
    # About the address itself, before anything is opened.
    if isinstance(error, (InvalidSchema, InvalidURL, MissingSchema, LocationValueError)):
        return TransportError(
            f"No request to {what} at {place} can be made: {type(error).__name__}.",
            "Check the address, and the proxy if there is one.",
            sent=False,
            passing=False,
        )
    return _broke(what)


def _broke(what: str) -> TransportError:
    return TransportError(
        f"The connection to {what} broke before its answer had arrived.", "Try again."
    )


def _too_slow(what: str, *, sent: bool) -> TransportError:
    return TransportError(
        f"{what} did not answer in full within {LONGEST:.0f} s.",
        "Try again later.",
        sent=sent,
        passing=False,
    )


def _too_late(what: str) -> TransportError:
    """What a request rests on had been read too long before it could leave."""
    return TransportError(
        f"The request to {what} could not be sent in time: what it rests on was read too long "
        "before, so nothing was sent.",
        "Run the same command again.",
        sent=False,
        passing=False,
    )


def _too_many(what: str) -> TransportError:
    """More came than the answer; it may be that of another request."""
    return TransportError(
        f"{what} sent more than one answer, and which one is meant cannot be told.",
        "Nothing was taken from it. Try again.",
    )


def _chain(error: BaseException) -> list[BaseException]:
    """The error and everything it wraps: as argument, ``reason`` or cause.

    Not its context: that can be an older error of somebody else, which the caller is handling.
    """
    seen: list[BaseException] = []
    queue: list[object] = [error]
    while queue:
        item = queue.pop(0)
        if isinstance(item, BaseException) and item not in seen:
            seen.append(item)
            queue += [*item.args, getattr(item, "reason", None), item.__cause__]
    return seen


def _never_connected(error: BaseException) -> bool:
    """Whether urllib3 says that no connection ever stood, so that nothing was sent.

    Its ProxyError does not say so: a tunnel that breaks after the request is one, too.
    """
    from urllib3.exceptions import ConnectTimeoutError

    # Also the base class of NewConnectionError: refused, unreachable, no such name.
    return any(
        isinstance(item, ConnectTimeoutError) or _tunnel_refused(item) for item in _chain(error)
    )


def _tunnel_refused(error: BaseException) -> bool:
    """Whether a proxy answered that it makes no connection to the other end (http.client)."""
    return isinstance(error, OSError) and str(error).startswith("Tunnel connection failed")


def _certificate_refused(error: BaseException) -> bool:
    """Whether TLS ended with our look at the certificate, before any request."""
    import ssl

    return any(isinstance(item, ssl.SSLCertVerificationError) for item in _chain(error))


def _reason(error: BaseException) -> str:
    """What the operating system said, without the addresses and objects wrapped around it."""
    from urllib3.exceptions import ConnectTimeoutError

    for item in reversed(_chain(error)):
        if _tunnel_refused(item):
            return str(item)
        if isinstance(item, OSError) and item.strerror:
            return item.strerror
        if isinstance(item, ConnectTimeoutError):
            return f"no answer within {CONNECT_TIMEOUT:.0f} s"
    return type(error).__name__


def check_url(url: str, what: str) -> str:
    """``url``, if a secret may be sent to it. No message shows it: it may hold a secret itself.

    Raises:
        UsageError: no http(s) URL, http to another machine, or a user name in it.
    """
    what = what[:1].upper() + what[1:]
    if "@" in url:
        raise UsageError(
            f"{what} has a user name or password in it.", "Take out everything up to the @."
        )
    scheme, host = _scheme_and_host(url)
    if scheme not in ("http", "https") or not host:
        raise UsageError(f"{what} is no URL.", "Give it whole, with https:// in front.")
    if scheme == "http" and not is_loopback(host):
        raise UsageError(
            f"{what} is plain http, which would send a key unencrypted to {host}.",
            "Use https; http is accepted for this machine itself only.",
        )
    return url


def _scheme_and_host(url: str) -> tuple[str, str]:
    """Both in lower case, or empty where the text is no URL that every reader reads alike."""
    if any(character in "\\ " or not character.isprintable() for character in url):
        return "", ""
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises if it is none
    except ValueError:
        return "", ""
    return parts.scheme, parts.hostname or ""


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine: localhost, 127/8, ::1."""
    import ipaddress

    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


TOO_MANY = 429

TIMES_TOLD_TO_WAIT = 2
"""How often a read waits and is sent again; a write never is."""


def pause(retry_after: str | None, pauses: Pauses) -> float:
    """Seconds to wait by a Retry-After header; some, where it does not say."""
    seconds = _seconds(retry_after)
    return pauses.unsaid if seconds is None else min(seconds, pauses.longest)


def too_many(what: str, said: str, retry_after: str | None) -> WaitError:
    """The error of a 429; ``said`` is the answer in words, ``what`` the API as in a message."""
    seconds = _seconds(retry_after)
    known = seconds is not None and seconds < LONGEST_TOLD
    wait = f"{math.ceil(seconds or 0)} s, as netcup asks" if known else "a few minutes"
    return WaitError(
        f"netcup's limit of requests to {what} is used up ({said}).",
        f"Wait {wait}, then run the same command again.",
    )


LONGEST_TOLD = 1_000_000
"""Seconds, eleven days: whoever asks for more cannot mean it."""


def _seconds(retry_after: str | None) -> float | None:
    """What a Retry-After asks for, which has seconds or a date (RFC 9110, 10.2.3)."""
    text = (retry_after or "").strip()
    if text.isascii() and text.isdecimal():
        return float(text)
    ahead = _ahead(text, time.time())
    return None if ahead is None else max(ahead, 0.0)
