"""A server on loopback in netcup's or mailcow's place, which says what a test wants it to."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def answering(*bodies: bytes, status: int = 200) -> Iterator[str]:
    """A server on loopback that gives these answers in turn, the last one again and again."""
    left = list(bodies)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            body = echoing(left.pop(0) if len(left) > 1 else left[0], request)
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            try:
                self.wfile.write(body)
            except OSError:
                return  # the command had enough

        do_GET = do_POST  # noqa: N815 - a name of http.server

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def echoing(body: bytes, request: bytes) -> bytes:
    """An answer of the CCP API that says which call it is to, as netcup's do, unless it says."""
    try:
        said, asked = json.loads(body), json.loads(request)
    except (ValueError, RecursionError):
        return body
    if not isinstance(said, dict) or "statuscode" not in said:
        return body
    ids = {"clientrequestid": asked["param"].get("clientrequestid"), "action": asked["action"]}
    return json.dumps({**ids, **said}).encode()


def envelope(data: object = "", **more: Any) -> bytes:
    fields = {"status": "success", "statuscode": 2000, "shortmessage": "", "longmessage": ""}
    return json.dumps({**fields, "responsedata": data, **more}).encode()


def record(**changes: object) -> dict[str, object]:
    return {
        "id": "1",
        "hostname": "@",
        "type": "TXT",
        "priority": "0",
        "destination": "x",
        **changes,
    }


def rest(result: object, errors: tuple[object, ...] = ()) -> bytes:
    """An answer of the REST API."""
    fields = {"success": not errors, "errors": errors, "messages": [], "meta": None}
    return json.dumps({**fields, "result": result}).encode()


def row(**changes: object) -> dict[str, object]:
    """A row of a zone on CloudDNS."""
    fields = {"identifier": "r1", "name": "@", "type": "TXT", "rdata": '"x"', "ttl": 3600}
    return {**fields, "immutable": False, **changes}


FOUND = rest([{"id": 7, "fqdn": "example.com", "isDnsManaged": True}])
REVISIONS = rest([{"identifier": "rev", "state": "committed", "serial": 1, "createdAt": ""}])
LOGIN = envelope({"apisessionid": "C4n4rySession"})
