"""How a call to the CCP API fails in the ways only it has (L44)."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from netcup_mailauth.sandbox import ccp_answers, mishaps
from netcup_mailauth.sandbox.ccp_answers import (
    CcpAnswer,
    locked_out,
    rate_limited,
    update_failed,
    validation_error,
)
from netcup_mailauth.sandbox.http import Reply, json_reply

if TYPE_CHECKING:
    from collections.abc import Callable

    from netcup_mailauth.sandbox.ccp.calls import Call
    from netcup_mailauth.sandbox.ccp.desk import Desk
    from netcup_mailauth.sandbox.faults import Fault
    from netcup_mailauth.sandbox.timers import Timers
    from netcup_mailauth.sandbox.zones import Zones


@dataclass(frozen=True)
class CcpTurn:
    """One call to the CCP API, as a fault takes it apart.

    Args:
        desk: where it is answered.
        call: what was asked.
        write: writes an answer as the HTTP reply it would be.
    """

    desk: Desk
    call: Call
    write: Callable[[Call, CcpAnswer], Reply]

    @property
    def world(self) -> Zones:
        """The zones."""
        return self.desk.world

    @property
    def zone_name(self) -> str | None:
        """The zone the call is about, if the CCP serves it."""
        zone = self.world.on_ccp(self.call.domain)
        return None if zone is None else zone.name

    def admit(self) -> CcpAnswer | None:
        """Why the call is not let in, or None."""
        return self.desk.admit(self.call)

    def carry_out(self) -> CcpAnswer:
        """Carry the call out, and store what it changes."""
        return self.desk.carry_out(self.call).answer

    def rehearse(self) -> CcpAnswer:
        """Answer as if it were carried out."""
        return self.desk.rehearse(self.call).answer

    def written(self, answer: CcpAnswer) -> Reply:
        """An answer as the HTTP reply it would be."""
        return self.write(self.call, answer)


def go_wrong(turn: CcpTurn, fault: Fault, timers: Timers) -> CcpAnswer | Reply:
    """Let a call fail as a fault wants it.

    Raises:
        NoReplyError: the connection is to be closed without an answer.
    """
    modes: dict[str, Callable[[CcpTurn], CcpAnswer | Reply]] = {
        "apply-partly": _apply_partly,
        "apply-then-4013": _apply_then_4013,
        "apply-and-hide": _apply_and_hide,
        "apply-then-403": _apply_then_403,
        "other-id": lambda turn: _to_another(turn, "clientrequestid"),
        "other-action": lambda turn: _to_another(turn, "action"),
        "expire": _expire,
        "rate-limit": lambda _turn: rate_limited(),  # not applied, and so the next
        "lockout": lambda _turn: locked_out(),  # the next call is let in again
    }
    if fault.mode in modes:
        return modes[fault.mode](turn)
    return mishaps.go_wrong(turn, fault, timers)


def _apply_partly(turn: CcpTurn) -> CcpAnswer:
    """Half of the entries, then the error whose words suggest that this happens (L29)."""
    call = turn.call
    half = call.first_half() if call.action == "updateDnsRecords" else call
    answer = mishaps.apply(replace(turn, call=half))
    return answer if answer.is_error else update_failed(ccp_answers.UPDATE_FAILED)


def _apply_then_4013(turn: CcpTurn) -> CcpAnswer:
    """Applied, but answered with an error."""
    mishaps.apply(turn)
    return validation_error(ccp_answers.DECODE_FAILED)


def _apply_and_hide(turn: CcpTurn) -> CcpAnswer:
    """Applied, and answered with the TXT records of the zone alone."""
    answer = mishaps.apply(turn)
    data = answer.data or {}
    records = data.get("dnsrecords")
    if not isinstance(records, list):
        return answer
    return replace(answer, data={"dnsrecords": [r for r in records if r["type"] == "TXT"]})


def _apply_then_403(turn: CcpTurn) -> Reply:
    """Applied and confirmed, but the HTTP status says otherwise."""
    return replace(turn.written(mishaps.apply(turn)), status=403)


def _to_another(turn: CcpTurn, field: str) -> Reply:
    """Applied, but the answer is that to another call, as where one was left unread."""
    reply = turn.written(mishaps.apply(turn))
    other = {**json.loads(reply.body), field: "logout" if field == "action" else "0" * 32}
    return replace(reply, body=json_reply(other).body)


def _expire(turn: CcpTurn) -> CcpAnswer:
    """The session dies just before the call: 4001."""
    with turn.world.lock:
        turn.desk.sessions.end(turn.call.param.get("apisessionid"))
        return mishaps.apply(turn)
