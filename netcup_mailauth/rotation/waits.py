"""How long a rotation waits for what. Every wait is a setting, so that tests can compress time."""

from __future__ import annotations

from dataclasses import dataclass

DAY = 86400.0

SHORTEST_GRACE = 5 * DAY
"""Under this, mail that was on its way when the key changed may find its key gone: mail servers
try for up to five days (RFC 5321, 4.5.4.1)."""


@dataclass(frozen=True, slots=True)
class Waits:
    """The waits of a rotation.

    Attributes:
        rounds: how often every name server has to answer with the new key before it is used.
        round_seconds: seconds from one such round to the next, at least.
        negative_ttl: seconds that caches may go on saying that there is no such key, after the
            last server has it; ``None`` for what the zone's SOA says (RFC 2308).
        grace: seconds that the old key stays published after the switch.
        retry: seconds until the name servers are worth asking again.
    """

    rounds: int = 2
    round_seconds: float = 60.0
    negative_ttl: float | None = None
    grace: float = 7 * DAY
    retry: float = 300.0
