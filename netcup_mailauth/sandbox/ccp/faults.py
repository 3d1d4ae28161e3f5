"""Which calls are to fail, and how: the list behind `POST control/fault` (L44, L46)."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from netcup_mailauth.sandbox.ccp.calls import ACTIONS
from netcup_mailauth.sandbox.zones.records import Draft, read_drafts

Mode = Literal[
    "drop",
    "apply-then-drop",
    "apply-late",
    "apply-partly",
    "apply-then-4013",
    "apply-then-html",
    "500",
    "html",
    "cut",
    "lie",
    "rival",
    "expire",
    "slow",
    "rate-limit",
    "lockout",
]
MODES: tuple[str, ...] = get_args(Mode)

_FIELDS = {"action", "mode", "times", "after", "delay", "records"}
_DEFAULT_DELAY = {"apply-late": 2.0, "slow": 10.0}
_LONGEST_DELAY = 3600.0
_RIVAL = (Draft(None, "@", "TXT", "0", "v=spf1 include:_spf.rival.example -all"),)


@dataclass(frozen=True, slots=True)
class Fault:
    """One order to fail: the next `times` calls of `action`, once `after` more have passed.

    `delay` is used by `apply-late` and `slow`, `records` by `rival`.
    """

    action: str
    mode: Mode
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
    if action != "*" and action not in ACTIONS:
        raise ValueError(f"action must be * or one of {', '.join(ACTIONS)}")
    if mode not in MODES:
        raise ValueError(f"mode must be one of {', '.join(MODES)}")
    records = data.get("records")
    return Fault(
        action=action,
        mode=mode,
        times=_count(data, "times", least=1),
        after=_count(data, "after", least=0),
        delay=_delay(data, _DEFAULT_DELAY.get(mode, 0.0)),
        records=_RIVAL if records is None else read_drafts("rival", records),
    )


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

    def take(self, action: str) -> Fault | None:
        """The fault that hits this call, if one does; counts down those it passes."""
        with self._lock:
            for index, fault in enumerate(self._pending):
                if fault.action not in ("*", action):
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
