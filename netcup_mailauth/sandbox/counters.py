"""What was asked of the sandbox, for `GET control/stats`."""

from __future__ import annotations

import threading
from collections import Counter


class Counters:
    """Requests by action, the connections that carried them, and what was asked of mailcow."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: Counter[str] = Counter()
        self._mailcow: Counter[str] = Counter()
        self._connections: set[int] = set()

    def note_call(self, action: str, connection: int) -> None:
        """Count one request to the CCP or the REST API, whatever becomes of it."""
        with self._lock:
            self._requests[action] += 1
            self._connections.add(connection)

    def note_mailcow(self, kind: str) -> None:
        """Count one request to mailcow by its kind of path, or a refused one as `401`."""
        with self._lock:
            self._mailcow[kind] += 1

    def clear(self) -> None:
        """Start again at nothing."""
        with self._lock:
            self._requests.clear()
            self._mailcow.clear()
            self._connections.clear()

    def report(self) -> dict[str, object]:
        """The counts as JSON holds them."""
        with self._lock:
            return {
                "requests": dict(self._requests),
                "connections": len(self._connections),
                "mailcow": dict(self._mailcow),
            }
