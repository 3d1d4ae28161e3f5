"""How a call fails, whichever API it was made to: one function for each fault mode (L44, L46)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Protocol, TypeVar, cast

from netcup_mailauth.sandbox.http import IN_PIECES, NoReplyError, Reply, html_reply

if TYPE_CHECKING:
    from collections.abc import Callable

    from netcup_mailauth.sandbox.faults import Fault
    from netcup_mailauth.sandbox.http import Transfer
    from netcup_mailauth.sandbox.timers import Timers
    from netcup_mailauth.sandbox.zones import Zones

A = TypeVar("A")


class Turn(Protocol[A]):
    """One call that is about to be answered, taken apart into what a fault may do with it.

    All but `written` are called with `world.lock` held.
    """

    @property
    def world(self) -> Zones:
        """The zones."""

    @property
    def zone_name(self) -> str | None:
        """The zone the call is about, if its API serves it."""

    def admit(self) -> A | None:
        """Why the call is not let in, or None."""

    def carry_out(self) -> A:
        """Carry the call out, once let in, and store what it changes."""

    def rehearse(self) -> A:
        """Answer as if it were carried out, but store nothing."""

    def written(self, answer: A) -> Reply:
        """An answer as the HTTP reply it would be."""


def apply(turn: Turn[A]) -> A:
    """Let a call in and carry it out, as if there were no fault."""
    with turn.world.lock:
        refusal = turn.admit()
        return turn.carry_out() if refusal is None else refusal


def go_wrong(turn: Turn[A], fault: Fault, timers: Timers) -> A | Reply:
    """Let a call fail in one of the ways that both APIs have.

    Raises:
        NoReplyError: the connection is to be closed without an answer.
    """
    modes: dict[str, Callable[[], A | Reply]] = {
        "drop": _drop,
        "apply-then-drop": lambda: _apply_then_drop(turn),
        "apply-late": lambda: _apply_late(turn, fault.delay, timers),
        "apply-then-html": lambda: _apply_then_html(turn),
        "500": lambda: html_reply("500 Internal Server Error", 500),
        "html": lambda: html_reply("Service Temporarily Unavailable"),
        "cut": lambda: _cut(turn),
        "lie": lambda: _lie(turn),
        "rival": lambda: _rival(turn, fault),
        "loses": lambda: _lose(turn),
        "slow": lambda: _slow(turn, fault.delay, timers),
        "denied": lambda: html_reply("403 Forbidden", 403),
        **dict.fromkeys(IN_PIECES, lambda: _in_pieces(turn, fault)),
    }
    return modes[fault.mode]()


def _drop() -> Reply:
    """Nothing is applied, the connection is closed."""
    raise NoReplyError


def _apply_then_drop(turn: Turn[A]) -> Reply:
    """Applied, but the client never hears of it."""
    apply(turn)
    raise NoReplyError


def _apply_late(turn: Turn[A], delay: float, timers: Timers) -> Reply:
    """The connection is closed, and the call applied some time afterwards.

    It was let in, so it is carried out even if its session has ended by then.
    """

    def carry_out(called_off: Callable[[], bool]) -> None:
        with turn.world.lock:
            if not called_off():
                turn.carry_out()

    with turn.world.lock:
        admitted = turn.admit() is None
    if admitted:
        timers.later(delay, carry_out)
    raise NoReplyError


def _apply_then_html(turn: Turn[A]) -> Reply:
    """Applied, but answered with a page."""
    apply(turn)
    return html_reply("Service Temporarily Unavailable")


def _cut(turn: Turn[A]) -> Reply:
    """Applied, but only half of the answer arrives; its Content-Length is that of the half."""
    reply = turn.written(apply(turn))
    return replace(reply, body=reply.body[: len(reply.body) // 2])


def _in_pieces(turn: Turn[A], fault: Fault) -> Reply:
    """Applied, but the answer comes late, or drips for as long as the client listens."""
    transfer = cast("Transfer", fault.mode)
    return replace(turn.written(apply(turn)), transfer=transfer, pause=fault.delay)


def _lie(turn: Turn[A]) -> A:
    """Answered as if applied, with what was wanted, but nothing is stored."""
    with turn.world.lock:
        refusal = turn.admit()
        return turn.rehearse() if refusal is None else refusal


def _rival(turn: Turn[A], fault: Fault) -> A:
    """Another writer was faster: it adds, or changes by id, the records of the fault."""
    with turn.world.lock:
        if turn.zone_name is not None:
            turn.world.intrude(turn.zone_name, fault.records)
        return apply(turn)


def _lose(turn: Turn[A]) -> A:
    """Applied, but every record that is no TXT is gone: as if it took the place of the zone."""
    with turn.world.lock:
        if turn.zone_name is not None:
            zone = turn.world.existing(turn.zone_name)
            left = tuple(record for record in zone.records if record.type == "TXT")
            turn.world.put(zone.with_records(left, turn.world.clock()))
        return apply(turn)


def _slow(turn: Turn[A], delay: float, timers: Timers) -> A:
    """Applied and answered well, but late."""
    timers.pause(delay)
    return apply(turn)
