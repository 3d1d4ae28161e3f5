"""How long to wait when an API says that there are too many requests (RFC 6585, 4)."""

from __future__ import annotations

TOO_MANY = 429

TIMES_TOLD_TO_WAIT = 2
"""How often a read waits and is sent again; a write never is."""

LONGEST_PAUSE = 60.0
USUAL_PAUSE = 5.0
"""Seconds to wait at most, and when the API does not say for how long."""


def pause(retry_after: str | None, now: float) -> float:
    """Seconds to wait by a Retry-After header, which has seconds or a date (RFC 9110, 10.2.3).

    ``now`` is the time in seconds since 1970.
    """
    from email.utils import parsedate_to_datetime

    text = (retry_after or "").strip()
    try:
        seconds = float(text) if text.isdigit() else parsedate_to_datetime(text).timestamp() - now
    except (ValueError, OverflowError):
        return USUAL_PAUSE
    return min(max(seconds, 0.0), LONGEST_PAUSE)
