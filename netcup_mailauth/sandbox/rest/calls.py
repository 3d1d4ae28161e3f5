"""One call to the REST API: which one a request is, and what it carries."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote

if TYPE_CHECKING:
    from collections.abc import Mapping

    from netcup_mailauth.sandbox.http import Request

PREFIX = "/v1/"

#: What can be called; the names are those of faults and statistics.
ACTIONS = ("domain", "revisions", "records", "changeset", "acme")

_DOMAIN = r"domain/(?P<domain>[0-9]{1,18})"
_REVISIONS = rf"{_DOMAIN}/dns/revision"
_CHALLENGES = rf"{_DOMAIN}/acme/challenge"
_ROUTES: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("domain", r"domain", ("GET",)),
    ("revisions", _REVISIONS, ("GET",)),
    ("records", rf"{_REVISIONS}/(?P<revision>[^/]+)/record", ("GET",)),
    ("changeset", rf"{_DOMAIN}/changeset", ("POST",)),
    ("acme", _CHALLENGES, ("GET", "POST")),
    ("acme", rf"{_CHALLENGES}/(?P<scope>[^/]+)/(?P<value>[^/]+)", ("GET", "DELETE")),
)


@dataclass(frozen=True, slots=True)
class Call:
    """A call, with what stands in its path, its query, its body and its Authorization header."""

    action: str
    method: str
    methods: tuple[str, ...] = ()
    path: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    body: bytes = field(default=b"", repr=False)
    authorization: str = field(default="", repr=False)

    @property
    def key(self) -> str:
        """The Bearer key, or nothing."""
        scheme, _, key = self.authorization.partition(" ")
        return key.strip() if scheme.lower() == "bearer" else ""

    @property
    def domain(self) -> int | None:
        """The number of the domain in the path."""
        number = self.path.get("domain")
        return None if number is None else int(number)


def decode(request: Request) -> Call:
    """Which call a request is; the action `unknown` where it is none."""
    call = Call(
        "unknown",
        request.method,
        query=dict(parse_qsl(request.query, keep_blank_values=True)),
        body=request.body,
        authorization=request.headers.get("Authorization", ""),
    )
    path = request.path.removeprefix(PREFIX)
    for action, pattern, methods in _ROUTES:
        match = re.fullmatch(pattern, path)
        if match is not None:
            parts = {name: unquote(part) for name, part in match.groupdict().items()}
            return replace(call, action=action, methods=methods, path=parts)
    return call
