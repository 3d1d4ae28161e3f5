"""The sandbox's own controls over HTTP: look at it, break it, put it back.

A web page must not be able to make these calls: a POST needs a JSON content type, which a page
cannot send without being asked for leave; for the Host header see `http.are_served`.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Protocol

from netcup_mailauth.sandbox.faults import read_dns_fault, read_fault, read_mailcow_fault
from netcup_mailauth.sandbox.http import Reply, Request, html_reply, json_reply

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from netcup_mailauth.sandbox.faults import DnsFault, Fault

PREFIX = "/control/"


class Controlled(Protocol):
    """What can be controlled: a `Sandbox`, which see."""

    def stats(self) -> dict[str, Any]:
        """What was asked so far, and how the zones look."""

    def reset(self) -> None:
        """Put everything back to the start."""

    def add_fault(self, fault: Fault) -> None:
        """Let calls fail."""

    def add_dns_fault(self, fault: DnsFault) -> None:
        """Let a name server or the resolver fail."""

    def set_world(self, name: str, type: str, values: Sequence[str]) -> None:  # noqa: A002
        """Let the resolver know a name outside the zones."""

    def set_zone(self, domain: str, records: Sequence[Mapping[str, object]]) -> None:
        """Replace a zone's records."""

    def set_backend(self, domain: str, backend: str) -> None:
        """Move a zone to CloudDNS, or back."""

    def set_dkim(self, domain: str, selector: str | None = None, bits: int = 2048) -> str:
        """Make a new DKIM key."""

    def remove_dkim(self, domain: str) -> None:
        """Take a DKIM key away."""


def reply(sandbox: Controlled, request: Request) -> Reply:
    """Answer one control call."""
    name = request.path.removeprefix(PREFIX)
    if name == "stats":
        if request.method != "GET":
            return _error(405, "stats are asked for with GET")
        return json_reply(sandbox.stats())
    job = _POSTS.get(name)
    if job is None:
        return html_reply("404 Not Found", 404)
    if request.method != "POST":
        return _error(405, f"{name} is called with POST")
    content_type = request.headers.get("Content-Type", "").partition(";")[0]
    if content_type.strip().lower() != "application/json":
        return _error(415, "control calls need Content-Type: application/json")
    try:
        return json_reply(job(sandbox, _object(request.body)))
    except ValueError as error:
        return _error(400, str(error))


def _fault(sandbox: Controlled, body: dict[str, Any]) -> object:
    fault = read_fault(body)
    sandbox.add_fault(fault)
    return fault.report()


def _dns(sandbox: Controlled, body: dict[str, Any]) -> object:
    fault = read_dns_fault(body)
    sandbox.add_dns_fault(fault)
    return {"server": fault.server, "mode": fault.mode}


def _world(sandbox: Controlled, body: dict[str, Any]) -> object:
    name, kind, values = (body.get(field) for field in ("name", "type", "values"))
    if not isinstance(name, str) or not isinstance(kind, str) or not isinstance(values, list):
        raise ValueError("name and type must be texts, values a list of texts")
    sandbox.set_world(name, kind, values)
    return {"name": name, "type": kind, "values": values}


def _reset(sandbox: Controlled, _body: dict[str, Any]) -> object:
    sandbox.reset()
    return {"reset": True}


def _zone(sandbox: Controlled, body: dict[str, Any]) -> object:
    domain = _domain(body)
    if "records" in body:
        sandbox.set_zone(domain, body["records"])
    if "backend" in body:
        sandbox.set_backend(domain, str(body["backend"]))
    if not {"records", "backend"} & body.keys():
        raise ValueError("records must hold the zone's records")
    return {"domain": domain}


def _mailcow(sandbox: Controlled, body: dict[str, Any]) -> object:
    action = body.get("action")
    if action == "fail":
        fault = read_mailcow_fault(body)
        sandbox.add_fault(fault)
        return {"call": fault.action, "mode": fault.mode, "times": fault.times}
    domain = _domain(body)
    if action == "no-key":
        sandbox.remove_dkim(domain)
        return {"domain": domain, "pubkey": None}
    if action != "new-key":
        raise ValueError("action must be new-key, no-key or fail")
    selector, bits = body.get("selector"), body.get("bits", 2048)
    if not isinstance(selector, str | None) or not isinstance(bits, int):
        raise ValueError("selector must be a text, bits a number")
    return {"domain": domain, "pubkey": sandbox.set_dkim(domain, selector, bits)}


_POSTS: Mapping[str, Callable[[Controlled, dict[str, Any]], object]] = {
    "fault": _fault,
    "dns": _dns,
    "world": _world,
    "reset": _reset,
    "zone": _zone,
    "mailcow": _mailcow,
}


def _object(body: bytes) -> dict[str, Any]:
    try:
        data = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        raise ValueError("the body is not JSON") from None
    if not isinstance(data, dict):
        raise ValueError("the body must be a JSON object")
    return data


def _domain(body: dict[str, Any]) -> str:
    domain = body.get("domain")
    if not isinstance(domain, str):
        raise ValueError("domain must name a domain of this sandbox")
    return domain.lower()


def _error(status: int, message: str) -> Reply:
    return json_reply({"error": message}, status)
