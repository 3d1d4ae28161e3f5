"""One HTTP session to one API: time limits, size limits, proxies, and what a failure means.

Everything that leaves the machine with a secret in it goes through :class:`HttpClient`. It
follows no redirect (a key in a header would travel along), reads no netrc (an entry there would
replace a Bearer key), and never puts a request into an exception.
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

from netcup_mailauth import __version__
from netcup_mailauth.backends import failures, patience
from netcup_mailauth.backends.urls import check_url, is_loopback
from netcup_mailauth.errors import TransportError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import requests

    from netcup_mailauth.backends.line import Line

CONNECT_TIMEOUT = 5.0
READ_TIMEOUT = 30.0
"""Seconds without a byte. netcup was seen to need more than 5 s for an answer (fact 1.1)."""

LONGEST = 60.0
"""Seconds for a request and its answer, however often a byte comes."""

MAX_ANSWER = 16 * 1024 * 1024
"""Bytes. A zone of 10,000 records takes about 2 MB."""

CHUNK = 64 * 1024
"""Bytes to take from a connection at a time."""

MOST_CONNECTIONS = 32
"""Parallel jobs there may be; each request has a connection to itself."""

BACKOFF = (0.5, 2.0)
"""Seconds before the second and the third attempt at a read. A write is never repeated here."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer. ``payload`` is its JSON; ``None`` when a refusal (4xx) came without any."""

    status: int
    payload: object
    retry_after: str | None = None


class HttpClient:
    """A session with one API.

    Args:
        url: where the API is; checked by :func:`check_url`.
        what: its name in messages, as in "netcup's CCP API".
        headers: sent with every request.
        environ: where proxies and the CA bundle are read from.
        sleep: how to wait before a read is tried again.

    Attributes:
        ahead: how many seconds the ``Date`` of the last answer was ahead of this machine's clock;
            ``None`` if it had none that tells.
    """

    def __init__(
        self,
        url: str,
        what: str,
        *,
        headers: Mapping[str, str] | None = None,
        environ: Mapping[str, str] | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.url = check_url(url, f"the address of {what}")
        self.what = what
        self._sleep = sleep
        self._environ = os.environ if environ is None else environ
        self._headers = {
            "User-Agent": f"netcup-mailauth/{__version__}",
            "Accept": "application/json",
            **(headers or {}),
        }
        self.ahead: float | None = None
        self._idle: list[Line] = []

    def close(self) -> None:
        """Close every connection that is not in use; a later request opens a new one."""
        while self._idle:
            self._idle.pop().close()

    def read(self, send: Callable[[], Reply]) -> Reply:
        """Do a request that changes nothing, again after a connection error or a 5xx.

        Raises:
            TransportError: the last attempt's, or one that would only come again.
        """
        for pause in BACKOFF:
            try:
                return send()
            except TransportError as error:
                if not error.passing:
                    raise
            self._sleep(pause)
        return send()

    def read_patiently(self, send: Callable[[], Reply]) -> Reply:
        """As :meth:`read`; told that there are too many requests, wait and ask again.

        Returns:
            The answer; the last one, if it is 429 time after time.
        """
        for _ in range(patience.TIMES_TOLD_TO_WAIT):
            reply = self.read(send)
            if reply.status != patience.TOO_MANY:
                return reply
            self._sleep(patience.pause(reply.retry_after, time.time()))
        return self.read(send)

    def post(self, body: object, by: float | None = None) -> Reply:
        """POST ``body`` as JSON, once; not at all if it cannot leave ``by`` then (clock.now).

        Raises:
            TransportError: anything but an HTTP answer below 500 with JSON in it.
        """
        reply = self._request("POST", self.url, _as_json(body), by)
        if reply.payload is None:
            raise TransportError(
                f"{self.what} answered HTTP {reply.status} without JSON.",
                "Something between this machine and it may have answered instead: a proxy or a "
                "firewall.",
                passing=False,
            )
        return reply

    def post_to(self, path: str, body: object, by: float | None = None) -> Reply:
        """As :meth:`post`, to a path below the URL. A refusal may come without JSON.

        Raises:
            TransportError: as :meth:`post`.
        """
        return self._request("POST", self._below(path), _as_json(body), by)

    def get(self, path: str, query: Mapping[str, object] | None = None) -> Reply:
        """GET a path below the URL, once. A refusal (4xx) may come without JSON.

        Raises:
            TransportError: as :meth:`post`.
        """
        asked = f"?{urlencode(query)}" if query else ""
        return self._request("GET", self._below(path) + asked, None)

    def _below(self, path: str) -> str:
        return self.url.rstrip("/") + path

    def _request(self, method: str, url: str, data: bytes | None, by: float | None = None) -> Reply:
        """One request. Its connection is used again only after one whole answer to it."""
        line = self._line()
        reply: Reply | None = None
        failure: TransportError | None = None
        try:
            with line.limited(LONGEST, by):
                reply = self._answered(line, method, url, data)
        except TransportError as error:
            failure = error
        finally:
            if reply is not None and line.is_sound:
                self._idle.append(line)
            else:
                line.close()
        # To the reader of an answer without a length, its cut end is an end as well.
        if line.is_late:
            failure = failures.too_late(self.what)
        elif line.was_cut:
            sent = failure is None or failure.sent
            failure = failures.too_slow(self.what, LONGEST, sent=sent)
        elif line.has_more and failure is None:
            failure = failures.too_many(self.what)
        if failure is not None or reply is None:
            # Outside the except block, so that no exception keeps the request and its secrets.
            raise failure or failures.broke(self.what)
        return reply

    def _answered(self, line: Line, method: str, url: str, data: bytes | None) -> Reply:
        import requests
        from urllib3.exceptions import HTTPError

        headers = {"Content-Type": "application/json"} if data is not None else None
        try:
            response = line.session.request(
                method,
                url,
                data=data,
                headers=headers,
                timeout=(CONNECT_TIMEOUT, READ_TIMEOUT),
                allow_redirects=False,
                stream=True,
            )
        # requests lets some of urllib3's errors through, and tells of a missing CA file by OSError.
        except (requests.RequestException, HTTPError, OSError) as error:
            place = urlsplit(self.url).netloc
            failure = failures.told(error, self.what, place, CONNECT_TIMEOUT, READ_TIMEOUT)
        else:
            with response:
                return self._reply(response)
        raise failure  # outside the except block, as above

    def _reply(self, response: requests.Response) -> Reply:
        status = response.status_code
        if status < 200:
            # Its answer is still to come; read with the next request, it would be taken for its.
            raise TransportError(
                f"{self.what} answered with HTTP {status}, which is no answer yet.", "Try again."
            )
        if 300 <= status < 400:
            raise TransportError(
                f"{self.what} answered with a redirect (HTTP {status}), which is "
                "not followed, because a key would travel along.",
                "Check the address, or give the one it redirects to.",
                passing=False,
            )
        body = self._body(response)
        if status >= 500:
            raise TransportError(
                f"{self.what} answered HTTP {status}.",
                "This is a fault at its end; try again later.",
            )
        payload = _json(body)
        if payload is None and status < 400:
            raise TransportError(
                f"{self.what} answered with {_sort(body)} (HTTP {status}, {len(body)} bytes).",
                "This happens when it is being maintained; try again later.",
            )
        self.ahead = _ahead(response.headers.get("Date"))
        return Reply(status, payload, response.headers.get("Retry-After"))

    def _body(self, response: requests.Response) -> bytes:
        from urllib3.exceptions import HTTPError

        body = bytearray()
        try:
            # read1 gives what has arrived; read would wait for a full buffer, however long the
            # other end takes to fill it.
            while chunk := response.raw.read1(CHUNK, decode_content=True):
                body += chunk
                if len(body) > MAX_ANSWER:
                    break
            else:
                return bytes(body)
        except HTTPError:
            failure = failures.broke(self.what)
        else:
            failure = TransportError(
                f"{self.what} sends an answer without end ({len(body)} bytes so far).",
                "Nothing was taken from it. Try again later.",
                passing=False,
            )
        raise failure

    def _line(self) -> Line:
        """A connection that no other request uses; parallel jobs have one each."""
        try:
            return self._idle.pop()
        except IndexError:
            return self._new_line()

    def _new_line(self) -> Line:
        from netcup_mailauth.backends.line import Line

        line = Line()
        line.session.trust_env = False
        line.session.headers.update(self._headers)
        line.session.verify = self._ca_bundle() or True
        line.session.proxies = self._proxies()
        return line

    def _ca_bundle(self) -> str | None:
        return next(
            (self._environ[name] for name in failures.CA_VARIABLES if self._environ.get(name)), None
        )

    def _proxies(self) -> dict[str, str]:
        from requests.utils import should_bypass_proxies

        host = urlsplit(self.url).hostname or ""
        # Never None, which would mean: whatever os.environ says.
        no_proxy = self._environ.get("no_proxy") or self._environ.get("NO_PROXY") or ""
        if is_loopback(host) or should_bypass_proxies(self.url, no_proxy):
            return {}
        found = {}
        for scheme in ("http", "https", "all"):
            variable = f"{scheme}_proxy"
            value = self._environ.get(variable) or self._environ.get(variable.upper())
            if value:
                found[scheme] = value
        return found


def _ahead(date: str | None) -> float | None:
    """How many seconds a ``Date`` is ahead of this machine's clock; ``None`` if it is none."""
    from email.utils import parsedate_to_datetime

    try:
        told = parsedate_to_datetime(date or "")
        told = told if told.tzinfo else told.replace(tzinfo=UTC)  # -0000 is UTC, too
        return told.timestamp() - time.time()
    except (TypeError, ValueError, OverflowError):
        return None


def _as_json(body: object) -> bytes:
    return json.dumps(body, separators=(",", ":")).encode()


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
