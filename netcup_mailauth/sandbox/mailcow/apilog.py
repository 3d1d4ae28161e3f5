"""mailcow's own log of its API: `api_log()` of data/web/json_api.php.

Of what a call sends, only fields whose name holds "pass" are masked. A private key that is
imported lies here in clear.
"""

from __future__ import annotations

import json
import re
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from netcup_mailauth.sandbox.http import Request

_MASKED = re.compile("pass", re.IGNORECASE)
_LONGEST = 10_000


class ApiLog:
    """Requests, newest first."""

    def __init__(self) -> None:
        self._lines: list[dict[str, object]] = []

    def note(self, request: Request, name: str, sent: object) -> None:
        """Note a request; what it sent is known to PHP as ``name``, `attr` or `items`."""
        data = "" if sent is None else f"{name}='{_php_json(_masked(sent))}'"
        line = {
            "time": int(time.time()),
            "uri": request.path,
            "method": request.method,
            "remote": "127.0.0.1",
            "data": data,
        }
        self._lines.insert(0, line)
        del self._lines[_LONGEST:]

    def newest(self, count: int) -> list[dict[str, object]]:
        """The last so many."""
        return self._lines[:count]

    def clear(self) -> None:
        """Forget all."""
        self._lines.clear()


def _masked(sent: object) -> object:
    if not isinstance(sent, dict):
        return sent
    return {name: "*" if _MASKED.search(name) else value for name, value in sent.items()}


def _php_json(data: object) -> str:
    return json.dumps(data, separators=(",", ":")).replace("/", "\\/")
