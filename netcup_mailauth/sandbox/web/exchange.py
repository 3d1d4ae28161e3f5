"""Requests and replies, apart from how they travel."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from email.message import Message

    from netcup_mailauth.sandbox.web.manners import Manner


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
    manner: Manner = "whole"
    pause: float = 0.0


class NoReplyError(Exception):
    """Raised by an application that closes the connection without a word."""


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


def route(routes: Mapping[str, App]) -> App:
    """An application that hands each request to the one its path belongs to.

    A key ending in `/` takes all paths below it, any other exactly its own.
    """

    def routed(request: Request) -> Reply:
        for path, app in routes.items():
            if request.path == path or (path.endswith("/") and request.path.startswith(path)):
                return app(request)
        return html_reply("404 Not Found", 404)

    return routed
