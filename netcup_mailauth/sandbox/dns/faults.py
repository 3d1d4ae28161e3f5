"""How a DNS server can be made to fail: the body of `POST control/dns`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

Mode = Literal["ok", "off", "drop", "servfail", "refused", "slow", "stale", "garbage"]
MODES: tuple[str, ...] = get_args(Mode)

#: What the resolver is called where the name servers have their numbers.
RESOLVER: Literal["resolver"] = "resolver"

SERVERS = 3

_FIELDS = {"server", "mode", "delay"}
_DEFAULT_DELAY = 2.0
_LONGEST_DELAY = 3600.0


@dataclass(frozen=True, slots=True)
class DnsFault:
    """How a server behaves from now on.

    `off` closes its port, `drop` never answers, `stale` serves what it sees now for ever, `garbage`
    answers with the query's id and nonsense, `slow` answers after `delay` seconds.
    """

    server: int | Literal["resolver"]
    mode: Mode = "ok"
    delay: float = _DEFAULT_DELAY


def read_dns_fault(data: dict[str, Any]) -> DnsFault:
    """Read the body of `POST control/dns`.

    Raises:
        ValueError: one sentence that names the field.
    """
    for field in data:
        if field not in _FIELDS:
            raise ValueError(f"unknown field {field!r}")
    mode = data.get("mode")
    if mode not in MODES:
        raise ValueError(f"mode must be one of {', '.join(MODES)}")
    return DnsFault(_server(data.get("server")), mode, _delay(data.get("delay")))


def _server(value: object) -> int | Literal["resolver"]:
    if value == RESOLVER:
        return RESOLVER
    if isinstance(value, int) and not isinstance(value, bool) and value in range(SERVERS):
        return value
    raise ValueError(f"server must be a number from 0 to {SERVERS - 1}, or {RESOLVER!r}")


def _delay(value: Any) -> float:
    if value is None:
        return _DEFAULT_DELAY
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if is_number and 0 <= value <= _LONGEST_DELAY:
        return float(value)
    raise ValueError(f"delay must be a number of seconds from 0 to {_LONGEST_DELAY:.0f}")
