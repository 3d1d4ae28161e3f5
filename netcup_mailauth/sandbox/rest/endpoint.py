"""The REST API over HTTP: from a request to a reply, with the faults in between."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from netcup_mailauth.sandbox.faults import REST_MODES
from netcup_mailauth.sandbox.mishaps import apply
from netcup_mailauth.sandbox.rest.calls import decode
from netcup_mailauth.sandbox.rest.mishaps import RestTurn, go_wrong
from netcup_mailauth.sandbox.rest_answers import RestAnswer

if TYPE_CHECKING:
    from netcup_mailauth.sandbox.counters import Counters
    from netcup_mailauth.sandbox.faults import FaultList
    from netcup_mailauth.sandbox.http import Reply, Request
    from netcup_mailauth.sandbox.rest.desk import Desk
    from netcup_mailauth.sandbox.timers import Timers


@dataclass(frozen=True)
class Rest:
    """All paths below `/v1/`. API errors have a real HTTP status (R2)."""

    desk: Desk
    faults: FaultList
    counters: Counters
    timers: Timers
    latency: float

    def __call__(self, request: Request) -> Reply:
        """Answer one request."""
        call = decode(request)
        self.counters.note_call(call.action, request.connection)
        self.timers.pause(self.latency)
        turn = RestTurn(self.desk, call)
        fault = self.faults.take(call.action, REST_MODES)
        answer = apply(turn) if fault is None else go_wrong(turn, fault, self.timers)
        return answer.reply() if isinstance(answer, RestAnswer) else answer
