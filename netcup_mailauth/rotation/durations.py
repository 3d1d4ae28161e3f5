"""Spans of time as a user writes and reads them: ``90s``, ``45m``, ``12h``, ``7d``."""

from __future__ import annotations

import re

from netcup_mailauth.errors import UsageError

UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
"""Seconds of each unit."""

LONGEST = 3650 * UNITS["d"]
"""Seconds of the longest span that is taken for one: ten years."""


def seconds(text: str) -> float:
    """The seconds in ``7d``, ``12h``, ``45m`` or ``90s``.

    Raises:
        UsageError: it is no such span. A bare number is none: of what would it be?
    """
    match = re.fullmatch(r"([0-9]{1,9}(?:\.[0-9]{1,3})?)\s*([smhdw])", text.strip().lower())
    span = float(match[1]) * UNITS[match[2]] if match else LONGEST + 1
    if span > LONGEST:
        raise UsageError(f"{text!r} is not a span of time.", "Write it as 7d, 12h, 45m or 90s.")
    return span


def words(span: float) -> str:
    """A span for people, in its two largest units: ``6 d 23 h``, ``45 min``, ``1 s``."""
    left = max(1, round(span))
    parts = []
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count} {unit}")
        elif parts:
            break
    return " ".join(parts[:2])
