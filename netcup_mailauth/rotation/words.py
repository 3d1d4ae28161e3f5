"""Where a rotation stands, in words: one line for each domain, from its state alone."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from netcup_mailauth.policy import words
from netcup_mailauth.rotation.state import Phase

if TYPE_CHECKING:
    from netcup_mailauth.rotation.state import Rotation
    from netcup_mailauth.rotation.waits import Waits


def status(rotation: Rotation, now: float, waits: Waits) -> str:
    """Where it stands and what is next: ``published, waiting ...; next: switch, ...``."""
    going_back = ", going back" if rotation.aborted else ""
    return f"{_stands(rotation)}{going_back}; next: {_next(rotation, now, waits)}"


def next_due(rotation: Rotation, waits: Waits) -> float | None:
    """When the next step may be due; ``None`` for at once, or where only the servers can say."""
    match rotation.phase:
        case Phase.WAITING:
            return rotation.watch.ready_at(waits)
        case Phase.GRACE | Phase.RETIRING:
            return None if rotation.since is None else rotation.since + rotation.grace
        case _:
            return None


def moment(time: float, now: float) -> str:
    """``2026-11-24 15:20 (in 45 min)``, in the time of this place."""
    then = datetime.fromtimestamp(time).astimezone()
    if time <= now:
        return f"{then:%Y-%m-%d %H:%M} (now)"
    return f"{then:%Y-%m-%d %H:%M} (in {words(time - now)})"


def _stands(rotation: Rotation) -> str:
    new, old = rotation.staying.selector, rotation.leaving.selector
    match rotation.phase:
        case Phase.MAKING:
            return f"a key for {new} is being made"
        case Phase.PUBLISHING:
            return f"{new} is being published"
        case Phase.WAITING:
            return f"{new} is published, {old} signs"
        case Phase.SWITCHING:
            return f"{rotation.signer} is being switched from {old} to {new}"
        case Phase.GRACE:
            return f"{new} signs, {old} is still published"
        case Phase.RETIRING:
            return f"{new} signs, {old} is being retired"


def _next(rotation: Rotation, now: float, waits: Waits) -> str:
    due = next_due(rotation, waits)
    when = "as soon as it can" if due is None else moment(due, now)
    match rotation.phase:
        case Phase.MAKING:
            return "make and publish the new key, at once"
        case Phase.PUBLISHING:
            return "publish the new key, at once"
        case Phase.WAITING if due is None:
            return "switch, once every name server has it"
        case Phase.WAITING:
            return f"switch, {when}"
        case Phase.SWITCHING:
            return "see that it signs with the right key, at once"
        case _:
            return f"retire {rotation.leaving.selector}, {when}"


def document(rotation: Rotation, waits: Waits) -> dict[str, Any]:
    """The same for machines; times are seconds since 1970."""
    return {
        "domain": rotation.domain,
        "phase": rotation.phase.value,
        "aborted": rotation.aborted,
        "signer": rotation.signer,
        "old": rotation.old.selector,
        "new": rotation.new.selector,
        "started": rotation.started,
        "next": next_due(rotation, waits),
    }
