"""How a call to the REST API fails in the ways only it has."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from netcup_mailauth.sandbox import mishaps
from netcup_mailauth.sandbox.http import html_reply
from netcup_mailauth.sandbox.rest_answers import (
    NO_RESULTS,
    RefusedError,
    RestAnswer,
    bad_key,
    failure,
    not_found,
    read_object,
    too_many,
    whole_seconds,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from netcup_mailauth.sandbox.faults import Fault
    from netcup_mailauth.sandbox.http import Reply
    from netcup_mailauth.sandbox.rest.calls import Call
    from netcup_mailauth.sandbox.rest.desk import Desk
    from netcup_mailauth.sandbox.timers import Timers
    from netcup_mailauth.sandbox.zones import Zones


@dataclass(frozen=True)
class RestTurn:
    """One call to the REST API, as a fault takes it apart."""

    desk: Desk
    call: Call

    @property
    def world(self) -> Zones:
        """The zones."""
        return self.desk.world

    @property
    def zone_name(self) -> str | None:
        """The zone the call is about, if it is on CloudDNS."""
        zone = self.desk.zone_of(self.call)
        return None if zone is None else zone.name

    def admit(self) -> RestAnswer | None:
        """Why the call is not let in, or None."""
        return self.desk.admit(self.call)

    def carry_out(self) -> RestAnswer:
        """Carry the call out, and store what it changes."""
        return self.desk.carry_out(self.call)

    def rehearse(self) -> RestAnswer:
        """Answer as if it were carried out."""
        return self.desk.rehearse(self.call)

    def written(self, answer: RestAnswer) -> Reply:
        """An answer as the HTTP reply it would be."""
        return answer.reply()


def go_wrong(turn: RestTurn, fault: Fault, timers: Timers) -> RestAnswer | Reply:
    """Let a call fail as a fault wants it.

    Raises:
        NoReplyError: the connection is to be closed without an answer.
    """
    modes: dict[str, Callable[[], RestAnswer | Reply]] = {
        "apply-then-error": lambda: _apply_then_error(turn),
        "apply-then-500": lambda: _apply_then_500(turn),
        "no-content": lambda: RestAnswer(204),  # not applied
        "apply-then-no-content": lambda: _apply_then_no_content(turn),
        "bad-key": bad_key,  # not applied
        "429": lambda: too_many(whole_seconds(fault.delay)),  # not applied
        "draft": lambda: _draft(turn),
        "missing": lambda: not_found(NO_RESULTS),  # not applied
        "null-result": lambda: _null_result(turn),
    }
    if fault.mode in modes:
        return modes[fault.mode]()
    return mishaps.go_wrong(turn, fault, timers)


def _apply_then_error(turn: RestTurn) -> RestAnswer:
    """Applied, but answered with an error."""
    mishaps.apply(turn)
    return failure(422, "unprocessableContent", "The request could not be processed.")


def _apply_then_500(turn: RestTurn) -> Reply:
    """Applied, but the HTTP status says otherwise."""
    mishaps.apply(turn)
    return html_reply("500 Internal Server Error", 500)


def _apply_then_no_content(turn: RestTurn) -> RestAnswer:
    """Applied, but the answer is empty."""
    mishaps.apply(turn)
    return RestAnswer(204)


def _null_result(turn: RestTurn) -> RestAnswer:
    """Applied, and answered with a success that holds nothing."""
    answer = mishaps.apply(turn)
    return answer if answer.errors else replace(answer, result=None)


def _draft(turn: RestTurn) -> RestAnswer:
    """A changeset is left uncommitted; before any other call somebody begins a draft (R11)."""
    desk = turn.desk
    with desk.world.lock:
        zone = desk.zone_of(turn.call)
        if turn.call.action == "changeset":
            return mishaps.apply(replace(turn, call=_uncommitted(turn.call)))
        if zone is not None:
            desk.ledger.begin_draft(zone)
        return mishaps.apply(turn)


def _uncommitted(call: Call) -> Call:
    try:
        data = read_object(call.body)
    except RefusedError:
        return call
    return replace(call, body=json.dumps({**data, "autoCommit": False}).encode())
