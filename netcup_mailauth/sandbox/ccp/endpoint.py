"""The CCP JSON API over HTTP (L1): from a request to a reply, with the faults in between."""

from __future__ import annotations

from dataclasses import dataclass
from email.utils import formatdate
from typing import TYPE_CHECKING

from netcup_mailauth.sandbox.ccp.calls import Call, decode
from netcup_mailauth.sandbox.ccp.mishaps import CcpTurn, go_wrong
from netcup_mailauth.sandbox.ccp_answers import CcpAnswer
from netcup_mailauth.sandbox.faults import CCP_MODES
from netcup_mailauth.sandbox.http import Reply, Request, html_reply, json_reply
from netcup_mailauth.sandbox.mishaps import apply

if TYPE_CHECKING:
    from netcup_mailauth.sandbox.ccp.desk import Desk
    from netcup_mailauth.sandbox.counters import Counters
    from netcup_mailauth.sandbox.faults import FaultList
    from netcup_mailauth.sandbox.timers import Timers

PATH = "/run/webservice/servers/endpoint.php"

_UNDECODED = Call("malformed")
_HEADERS = (
    ("Expires", "Tue, 03 Jul 2001 06:00:00 GMT"),
    ("Cache-Control", "no-store, no-cache, must-revalidate, max-age=0"),
    ("Cache-Control", "post-check=0, pre-check=0"),
    ("Pragma", "no-cache"),
    ("Vary", "Accept-Encoding,User-Agent"),
    ("X-Frame-Options", "SAMEORIGIN"),
)


@dataclass(frozen=True)
class Ccp:
    """The endpoint. API errors are HTTP 200; any content type will do (L1)."""

    desk: Desk
    faults: FaultList
    counters: Counters
    timers: Timers
    latency: float

    def __call__(self, request: Request) -> Reply:
        """Answer one request; the interface page to those who do not ask for JSON (1.1)."""
        if request.query != "JSON" or request.method != "POST":
            return html_reply("netcup API")
        decoded = decode(request.body)
        call = decoded if isinstance(decoded, Call) else _UNDECODED
        self.counters.note_call(call.action, request.connection)
        self.timers.pause(self.latency)
        answer = decoded if isinstance(decoded, CcpAnswer) else self._answer(decoded)
        if isinstance(answer, Reply):
            return answer
        with self.desk.world.lock:
            if call is _UNDECODED:
                answer = self.desk.turn_away() or answer
            self.desk.lockout.note(error=answer.is_error)
        return self._written(call, answer)

    def _answer(self, call: Call) -> CcpAnswer | Reply:
        turn = CcpTurn(self.desk, call, self._written)
        fault = self.faults.take(call.action, CCP_MODES)
        return apply(turn) if fault is None else go_wrong(turn, fault, self.timers)

    def _written(self, call: Call, answer: CcpAnswer) -> Reply:
        action = "" if call is _UNDECODED else call.action
        quirks = self.desk.world.quirks
        reply = json_reply(answer.envelope(action, call.client_request_id, quirks))
        headers = (*_HEADERS, ("Last-Modified", formatdate(usegmt=True)))
        return Reply(reply.status, reply.content_type, reply.body, headers)
