"""Which calls to mailcow are to fail, and how: the list behind `POST control/mailcow`."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

Mode = Literal[
    "error",  # Redis takes nothing: `danger`, as mailcow says it
    "partly",  # Redis takes so many `writes`, then no more: `danger`
    "killed",  # so many `writes`, then PHP is gone: no answer
    "drop-before",  # nothing is done, the connection is closed
    "drop-after",  # it is done, but the client never hears of it
    "500",  # nothing is done
    "denied",  # nothing is done: something in front of mailcow says 401, with a page of its own
    "success-but-nothing",  # nothing is done, and the answer says it is
]
MODES: tuple[str, ...] = get_args(Mode)
CALLS = ("get/dkim", "add/dkim", "add/dkim_duplicate", "add/dkim_import", "delete/dkim")

_FIELDS = {"action", "domain", "call", "mode", "times", "after", "writes"}


@dataclass(frozen=True, slots=True)
class MailcowFault:
    """One order to fail: the next `times` calls of a kind, once `after` more have passed.

    `call` is one of CALLS, or `*` for every write. With a `domain` only calls that name it are
    meant. `writes` is for `partly` and `killed`.
    """

    call: str
    mode: Mode
    domain: str | None = None
    times: int = 1
    after: int = 0
    writes: int = 1

    def hits(self, call: str, names: tuple[str, ...]) -> bool:
        """Whether a call about these names is one of those that are meant."""
        named = self.domain is None or self.domain in names
        return named and (self.call == call or (self.call == "*" and call != "get/dkim"))


def read_mailcow_fault(data: dict[str, Any]) -> MailcowFault:
    """Read the body of `POST control/mailcow` with the action `fail`.

    Raises:
        ValueError: one sentence that names the field.
    """
    for name in data:
        if name not in _FIELDS:
            raise ValueError(f"unknown field {name!r}")
    call, mode, domain = data.get("call"), data.get("mode"), data.get("domain")
    if call != "*" and call not in CALLS:
        raise ValueError(f"call must be * or one of {', '.join(CALLS)}")
    if mode not in MODES:
        raise ValueError(f"mode must be one of {', '.join(MODES)}")
    if not isinstance(domain, str | None):
        raise ValueError("domain must be a text")
    return MailcowFault(
        call=call,
        mode=mode,
        domain=domain and domain.lower(),
        times=_count(data, "times", default=1, least=1),
        after=_count(data, "after", default=0, least=0),
        writes=_count(data, "writes", default=1, least=0),
    )


def _count(data: dict[str, Any], name: str, default: int, least: int) -> int:
    value = data.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ValueError(f"{name} must be a whole number, {least} or more")
    return value


class MailcowFaults:
    """The faults still to come, oldest first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pending: list[MailcowFault] = []

    def add(self, fault: MailcowFault) -> None:
        """Put one at the end."""
        with self._lock:
            self._pending.append(fault)

    def clear(self) -> None:
        """Call all off."""
        with self._lock:
            self._pending.clear()

    def take(self, call: str, names: tuple[str, ...]) -> MailcowFault | None:
        """The fault that hits this call, if one does; counts down those it passes."""
        with self._lock:
            for index, fault in enumerate(self._pending):
                if not fault.hits(call, names):
                    continue
                if fault.after == 0:
                    left = replace(fault, times=fault.times - 1)
                    self._pending[index : index + 1] = [left] if left.times else []
                    return fault
                self._pending[index] = replace(fault, after=fault.after - 1)
        return None
