"""How long a zone that was read may be relied on by a write to it.

Neither API can make a write depend on what was read (CCP) or does it for sure (CloudDNS), so what
another program writes in between is overwritten. All that can be done is to keep that time short.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from netcup_mailauth import clock
from netcup_mailauth.errors import WriteNotProcessedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from netcup_mailauth.records import Zone

FRESH = 2.0
"""Seconds from the question for a zone to the request that writes to it."""


def is_fresh(zone: Zone) -> bool:
    """Whether a write may still rely on this reading, sleep of the machine counted."""
    by = send_by(zone)
    return by is None or clock.now() <= by


def send_by(zone: Zone) -> float | None:
    """When the last byte of a write to it has to have left, by :func:`clock.now`."""
    return None if zone.asked_at is None else zone.asked_at + FRESH


def read_anew(read: Callable[[], Zone]) -> Zone:
    """Read a zone again, because an earlier reading was too old.

    An answer may have lain in a buffer while the machine slept, so the age of a zone counts from
    the question. Where this reading takes as long, and one more, it is the API that takes so long:
    the last one ages from its answer on.
    """
    zone = read()
    if is_fresh(zone):
        return zone
    zone = read()
    return replace(zone, asked_at=zone.answered_at)


def check_fresh(zone: Zone) -> None:
    """The last look before a write is begun; :func:`send_by` is looked at while it is sent.

    Raises:
        WriteNotProcessedError: the zone was read too long ago; it has to be read again.
    """
    if not is_fresh(zone):
        raise WriteNotProcessedError(
            f"The zone {zone.name} was read more than {FRESH:.0f} s before the write could be "
            "sent, so nothing was sent.",
            "Run the same command again.",
        )
