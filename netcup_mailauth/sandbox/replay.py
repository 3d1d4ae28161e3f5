"""A recorded exchange with netcup, answered once more: what `--record` has written.

The file has its own reader here, as the sandbox shares no code with the client. Whatever is asked
in another order than it was is answered all the same, as long as an answer to it is left.
"""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import parse_qsl, urlsplit

from netcup_mailauth.sandbox import rest
from netcup_mailauth.sandbox.http import NO_REPLY, Reply, Request, html_reply
from netcup_mailauth.sandbox.zones import is_zone_name

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SCHEMA = 1
NOT_RECORDED = html_reply("Not in the recording", 501)

Api = Literal["ccp", "clouddns"]
_REQUEST_ID = "clientrequestid"


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request, and what was answered; `what` is what two requests for the same have in common."""

    api: Api
    what: tuple[object, ...]
    request_id: object
    reply: Reply
    answer: Any


class Replay:
    """The exchanges of a recording, each of which is answered once.

    Raises:
        ValueError: the file is no recording, or cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self._exchanges = _read(path)
        self._left = list(self._exchanges)
        self._missed: list[str] = []
        self._lock = threading.Lock()

    @property
    def apis(self) -> set[Api]:
        """The APIs that were asked."""
        return {exchange.api for exchange in self._exchanges}

    @property
    def domains(self) -> list[str]:
        """The domains that were asked for."""
        names = {str(exchange.what[-1]) for exchange in self._exchanges}
        return sorted(name for name in names if is_zone_name(name))

    def reply(self, api: Api, request: Request) -> Reply:
        """The next answer to such a request."""
        body = _json(request.body)
        path = request.path.removeprefix(rest.PREFIX.rstrip("/"))
        what = _what(api, request.method, f"{path}?{request.query}", body)
        with self._lock:
            found = next((e for e in self._left if (e.api, e.what) == (api, what)), None)
            if found is None:
                self._missed.append(" ".join(map(str, what)))
                return NOT_RECORDED
            self._left.remove(found)
        return _answered(found, body)

    def report(self) -> dict[str, object]:
        """How much is left, and what was asked that is not there."""
        with self._lock:
            return {"left": len(self._left), "missed": list(self._missed)}

    def reset(self) -> None:
        """Begin again."""
        with self._lock:
            self._left, self._missed = list(self._exchanges), []


def _answered(exchange: Exchange, body: Any) -> Reply:
    """The recorded answer; one that repeats the request's id repeats the new one."""
    answer = exchange.answer
    if not isinstance(answer, dict) or _REQUEST_ID not in answer:
        return exchange.reply
    if answer[_REQUEST_ID] == exchange.request_id:
        answer = {**answer, _REQUEST_ID: _id_of(body)}
    return replace(exchange.reply, body=_compact(answer))


def _what(api: Api, method: str, path: str, body: Any) -> tuple[object, ...]:
    """What is asked: the call and its domain at the CCP, the path with its query at the other."""
    if api == "ccp":
        call = body if isinstance(body, dict) else {}
        param = call.get("param")
        param = param if isinstance(param, dict) else {}
        return (method, call.get("action"), str(param.get("domainname", "")).lower())
    parts = urlsplit(path)
    query = sorted(parse_qsl(parts.query, keep_blank_values=True))
    return (method, parts.path, *(f"{name}={value}" for name, value in query if name != "fqdn"),
            dict(query).get("fqdn", "").lower())  # fmt: skip


def _id_of(body: Any) -> object:
    param = body.get("param") if isinstance(body, dict) else None
    return param.get(_REQUEST_ID, "") if isinstance(param, dict) else ""


def _json(data: bytes) -> Any:
    try:
        return json.loads(data) if data else None
    except (ValueError, RecursionError):
        return None


def _compact(data: Any) -> bytes:
    return json.dumps(data, separators=(",", ":")).encode("ascii")


def _read(path: Path) -> list[Exchange]:
    if not path.is_file():  # a pipe would be waited for
        raise ValueError(f"{path} is not there, or no file")
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict) or not isinstance(document.get("exchanges"), list):
        raise ValueError(f"{path} is no recording, as --record writes one")
    if document.get("schema") != SCHEMA:
        raise ValueError(f"{path} is a recording of another version: schema must be {SCHEMA}")
    return [_exchange(f"{path}, exchange {n}", e) for n, e in enumerate(document["exchanges"], 1)]


def _exchange(where: str, entry: Any) -> Exchange:
    if not isinstance(entry, dict) or entry.get("api") not in ("ccp", "clouddns"):
        raise ValueError(f"{where}: api must be ccp or clouddns")
    method, path, status = entry.get("method"), entry.get("path"), entry.get("status")
    if not isinstance(method, str) or not isinstance(path, str):
        raise ValueError(f"{where}: method and path must be texts")
    headers = entry.get("headers", {})
    if not isinstance(headers, dict) or not all(isinstance(v, str) for v in headers.values()):
        raise ValueError(f"{where}: headers must be texts by their names")
    request = entry.get("request")
    reply = NO_REPLY
    if status is not None:
        if isinstance(status, bool) or not isinstance(status, int) or not 200 <= status <= 599:
            raise ValueError(f"{where}: status must be one of HTTP's, or null")
        reply = _reply(where, status, headers, entry)
    what = _what(entry["api"], method, path, request)
    return Exchange(entry["api"], what, _id_of(request), reply, entry.get("json"))


def _reply(where: str, status: int, headers: Mapping[str, str], entry: dict[str, Any]) -> Reply:
    text = entry.get("text")
    if not isinstance(text, str | None):
        raise ValueError(f"{where}: text must be a text")
    body = _compact(entry["json"]) if text is None and "json" in entry else (text or "").encode()
    others = tuple((n, v) for n, v in headers.items() if n == "Retry-After" and v.isprintable())
    content_type = headers.get("Content-Type", "application/json")
    return Reply(status, content_type if content_type.isprintable() else "", body, others)
