"""Which calls are to fail, and how: the list behind `POST control/fault` (L44, L46)."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from netcup_mailauth.sandbox.ccp.calls import ACTIONS as CCP_ACTIONS
from netcup_mailauth.sandbox.http import IN_PIECES
from netcup_mailauth.sandbox.rest.calls import ACTIONS as REST_ACTIONS
from netcup_mailauth.sandbox.zones import Draft, read_drafts

if TYPE_CHECKING:
    from collections.abc import Collection

_COMMON = (
    "drop",
    "apply-then-drop",
    "apply-late",
    "apply-then-html",
    "500",
    "html",
    "cut",
    "lie",
    "rival",
    "loses",
    "slow",
    "denied",
    *IN_PIECES,
)

#: How a call to the CCP API can fail.
CCP_MODES = (
    *_COMMON,
    "apply-partly",
    "apply-then-4013",
    "apply-and-hide",
    "apply-then-403",
    "other-id",
    "other-action",
    "expire",
    "rate-limit",
    "lockout",
)

#: How a call to the REST API can fail.
REST_MODES = (
    *_COMMON,
    "apply-then-error",
    "apply-then-500",
    "no-content",
    "apply-then-no-content",
    "bad-key",
    "429",
    "draft",
    "missing",
    "null-result",
)

_FIELDS = {"action", "mode", "times", "after", "delay", "records"}
_DEFAULT_DELAY = {"apply-late": 2.0, "slow": 10.0, "429": 1.0, **dict.fromkeys(IN_PIECES, 0.2)}
_LONGEST_DELAY = 3600.0
_RIVAL = (Draft(None, "@", "TXT", "0", "v=spf1 include:_spf.rival.example -all"),)


@dataclass(frozen=True, slots=True)
class Fault:
    """One order to fail: the next `times` calls of `action`, once `after` more have passed.

    An action of `*` is any call to the APIs that have the mode. `delay` is used by `apply-late`
    and `slow`, is what `429` asks the client to wait, and lies between the pieces of an answer
    that drips; `records` is used by `rival`.
    """

    action: str
    mode: str
    times: int = 1
    after: int = 0
    delay: float = 0.0
    records: tuple[Draft, ...] = _RIVAL

    def report(self) -> dict[str, object]:
        """What is left of it, for the statistics."""
        return {
            "action": self.action,
            "mode": self.mode,
            "times": self.times,
            "after": self.after,
        }


def read_fault(data: dict[str, Any]) -> Fault:
    """Read the body of `POST control/fault`.

    Raises:
        ValueError: one sentence that names the field.
    """
    for field in data:
        if field not in _FIELDS:
            raise ValueError(f"unknown field {field!r}")
    action, mode = data.get("action"), data.get("mode")
    modes = _modes_of(action)
    if mode not in modes:
        raise ValueError(f"mode must be one of {', '.join(modes)}, for the action {action}")
    records = data.get("records")
    return Fault(
        action=str(action),
        mode=mode,
        times=_count(data, "times", least=1),
        after=_count(data, "after", least=0),
        delay=_delay(data, _DEFAULT_DELAY.get(mode, 0.0)),
        records=_RIVAL if records is None else read_drafts("rival", records),
    )


def _modes_of(action: object) -> tuple[str, ...]:
    if action == "*":
        return tuple(dict.fromkeys((*CCP_MODES, *REST_MODES)))
    if action in CCP_ACTIONS:
        return CCP_MODES
    if action in REST_ACTIONS:
        return REST_MODES
    raise ValueError(f"action must be * or one of {', '.join((*CCP_ACTIONS, *REST_ACTIONS))}")


def _count(data: dict[str, Any], field: str, least: int) -> int:
    value = data.get(field, least)
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ValueError(f"{field} must be a whole number, {least} or more")
    return value


def _delay(data: dict[str, Any], default: float) -> float:
    value = data.get("delay")
    if value is None:
        return default
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not 0 <= value <= _LONGEST_DELAY:
        raise ValueError(f"delay must be a number of seconds from 0 to {_LONGEST_DELAY:.0f}")
    return float(value)


class FaultList:
    """The faults still to come, oldest first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pending: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Put one at the end."""
        with self._lock:
            self._pending.append(fault)

    def take(self, action: str, modes: Collection[str]) -> Fault | None:
        """The fault that hits this call, if one does; counts down those it passes.

        Args:
            action: what is called.
            modes: how a call to this API can fail.
        """
        with self._lock:
            for index, fault in enumerate(self._pending):
                if fault.action not in ("*", action) or fault.mode not in modes:
                    continue
                if fault.after == 0:
                    self._use(index, fault)
                    return fault
                self._pending[index] = replace(fault, after=fault.after - 1)
        return None

    def clear(self) -> None:
        """Call all off."""
        with self._lock:
            self._pending.clear()

    def report(self) -> list[dict[str, object]]:
        """What is still to come."""
        with self._lock:
            return [fault.report() for fault in self._pending]

    def _use(self, index: int, fault: Fault) -> None:
        if fault.times > 1:
            self._pending[index] = replace(fault, times=fault.times - 1)
        else:
            del self._pending[index]
