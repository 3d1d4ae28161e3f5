"""How a call fails: one method for each fault mode (L44, L46)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from netcup_mailauth.sandbox.ccp import messages
from netcup_mailauth.sandbox.ccp.answers import (
    Answer,
    locked_out,
    rate_limited,
    update_failed,
    validation_error,
)
from netcup_mailauth.sandbox.ccp.calls import Call
from netcup_mailauth.sandbox.ccp.faults import Fault, Mode
from netcup_mailauth.sandbox.web.exchange import NoReplyError, Reply, html_reply

if TYPE_CHECKING:
    from netcup_mailauth.sandbox.ccp.desk import Desk
    from netcup_mailauth.sandbox.timers import Timers

_Mishap = Callable[[Call, Fault], "Answer | Reply"]


@dataclass(frozen=True)
class Mishaps:
    """Answers a call as a fault wants it.

    Args:
        desk: where the call would be answered.
        timers: for what takes time.
        written: writes an answer as the HTTP reply it would be.
    """

    desk: Desk
    timers: Timers
    written: Callable[[Call, Answer], Reply]

    def answer(self, call: Call, fault: Fault) -> Answer | Reply:
        """Let the call fail.

        Raises:
            NoReplyError: the connection is to be closed without an answer.
        """
        modes: dict[Mode, _Mishap] = {
            "drop": self._drop,
            "apply-then-drop": self._apply_then_drop,
            "apply-late": self._apply_late,
            "apply-partly": self._apply_partly,
            "apply-then-4013": self._apply_then_4013,
            "apply-then-html": self._apply_then_html,
            "500": self._500,
            "html": self._html,
            "cut": self._cut,
            "lie": self._lie,
            "rival": self._rival,
            "expire": self._expire,
            "slow": self._slow,
            "rate-limit": self._rate_limit,
            "lockout": self._lockout,
        }
        return modes[fault.mode](call, fault)

    def _apply(self, call: Call) -> Answer:
        with self.desk.world.lock:
            return self.desk.answer(call)

    def _drop(self, _call: Call, _fault: Fault) -> Reply:
        """Nothing is applied, the connection is closed."""
        raise NoReplyError

    def _apply_then_drop(self, call: Call, _fault: Fault) -> Reply:
        """Applied, but the client never hears of it."""
        self._apply(call)
        raise NoReplyError

    def _apply_late(self, call: Call, fault: Fault) -> Reply:
        """The connection is closed, and the call applied some time afterwards.

        It was let in, so it is carried out even if its session has ended by then.
        """
        with self.desk.world.lock:
            admitted = self.desk.admit(call) is None
        if admitted:
            self.timers.later(fault.delay, lambda called_off: self._carry_out(call, called_off))
        raise NoReplyError

    def _carry_out(self, call: Call, called_off: Callable[[], bool]) -> None:
        with self.desk.world.lock:
            if not called_off():
                self.desk.carry_out(call)

    def _apply_partly(self, call: Call, _fault: Fault) -> Answer:
        """Half of the entries, then the error whose words suggest that this happens (L29)."""
        answer = self._apply(call.first_half() if call.action == "updateDnsRecords" else call)
        return answer if answer.is_error else update_failed(messages.UPDATE_FAILED)

    def _apply_then_4013(self, call: Call, _fault: Fault) -> Answer:
        """Applied, but answered with an error."""
        self._apply(call)
        return validation_error(messages.DECODE_FAILED)

    def _apply_then_html(self, call: Call, _fault: Fault) -> Reply:
        """Applied, but answered with a page."""
        self._apply(call)
        return html_reply("Service Temporarily Unavailable")

    def _500(self, _call: Call, _fault: Fault) -> Reply:
        """Not applied, the HTTP status says so."""
        return html_reply("500 Internal Server Error", 500)

    def _html(self, _call: Call, _fault: Fault) -> Reply:
        """Not applied, a page with status 200."""
        return html_reply("Service Temporarily Unavailable")

    def _cut(self, call: Call, _fault: Fault) -> Reply:
        """Applied, but only half of the answer arrives; its Content-Length is that of the half."""
        reply = self.written(call, self._apply(call))
        return replace(reply, body=reply.body[: len(reply.body) // 2])

    def _lie(self, call: Call, _fault: Fault) -> Answer:
        """Answered as if applied, with the wanted records, but nothing is stored."""
        desk = self.desk
        with desk.world.lock:
            return desk.admit(call) or desk.rehearse(call).answer

    def _rival(self, call: Call, fault: Fault) -> Answer:
        """Another writer was faster: add, or change by id, the records of the fault."""
        world = self.desk.world
        with world.lock:
            zone = world.on_ccp(call.domain)
            if zone is not None:
                records = {record.id: record for record in zone.records}
                for draft in fault.records:
                    record = draft.with_id(draft.id or world.new_id())
                    records[record.id] = replace(record, written=world.clock())
                world.put(zone.with_records(tuple(records.values()), world.clock()))
            return self.desk.answer(call)

    def _expire(self, call: Call, _fault: Fault) -> Answer:
        """The session dies just before the call: 4001."""
        with self.desk.world.lock:
            self.desk.sessions.end(call.param.get("apisessionid"))
            return self.desk.answer(call)

    def _slow(self, call: Call, fault: Fault) -> Answer:
        """Applied and answered well, but late."""
        self.timers.pause(fault.delay)
        return self._apply(call)

    def _rate_limit(self, _call: Call, _fault: Fault) -> Answer:
        """Not applied: too many calls, says netcup."""
        return rate_limited()

    def _lockout(self, _call: Call, _fault: Fault) -> Answer:
        """Not applied: too many errors, says netcup; the next call is let in again."""
        return locked_out()
