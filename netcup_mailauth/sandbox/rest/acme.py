"""The challenges of certificates (R5 to R7), as far as the API shows them.

They are in no zone and no revision; what the name servers of netcup do with them is not built.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from netcup_mailauth.sandbox.rest_answers import (
    RefusedError,
    RestAnswer,
    invalid,
    not_found,
    read_object,
)
from netcup_mailauth.sandbox.zones import is_hostname

if TYPE_CHECKING:
    from collections.abc import Callable

_VALUE = re.compile(r"[A-Za-z0-9_-]{43}")
_DEPLOYED_AFTER = 1.5


class Challenges:
    """All challenges of all zones, each with when it was made. Callers hold `world.lock`."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._made: dict[tuple[str, str, str], float] = {}

    def of(self, zone: str) -> list[object]:
        """Those of one zone."""
        return [self._wire(key) for key in self._made if key[0] == zone]

    def one(self, zone: str, scope: str, value: str) -> RestAnswer:
        """A single one.

        Raises:
            RefusedError: there is none.
        """
        key = (zone, scope, value)
        if key not in self._made:
            raise RefusedError(not_found())
        return RestAnswer(200, [self._wire(key)])

    def create(self, zone: str, body: bytes) -> tuple[RestAnswer, Callable[[], object]]:
        """A new one, or the one that is there: what to answer, and what stores it.

        Raises:
            RefusedError: scope or value cannot be (R6).
        """
        key = (zone, *_read(body))
        if key in self._made:
            return RestAnswer(200, [self._wire(key)]), lambda: None
        now = self._clock()
        answer = RestAnswer(201, [_entry(key, "pending")])
        return answer, lambda: self._made.setdefault(key, now)

    def delete(self, zone: str, scope: str, value: str) -> tuple[RestAnswer, Callable[[], object]]:
        """Remove one: what to answer, and what does it.

        Raises:
            RefusedError: there is none.
        """
        self.one(zone, scope, value)
        return RestAnswer(204), lambda: self._made.pop((zone, scope, value), None)

    def clear(self) -> None:
        """Forget all."""
        self._made.clear()

    def _wire(self, key: tuple[str, str, str]) -> dict[str, object]:
        is_deployed = self._clock() - self._made[key] >= _DEPLOYED_AFTER
        return _entry(key, "deployed" if is_deployed else "pending")


def _entry(key: tuple[str, str, str], status: str) -> dict[str, object]:
    zone, scope, value = key
    host = zone if scope == "@" else f"{scope}.{zone}"
    fqdn = f"_acme-challenge.{host}"
    return {"scope": scope, "fqdn": fqdn, "value": value, "status": status}


def _read(body: bytes) -> tuple[str, str]:
    data = read_object(body)
    scope, value = data.get("scope"), data.get("value")
    if not isinstance(scope, str) or not is_hostname(scope):
        raise invalid("The field scope is not valid.")
    if not isinstance(value, str) or _VALUE.fullmatch(value) is None:
        raise invalid("The field value must be 43 characters of base64url.")
    return scope, value
