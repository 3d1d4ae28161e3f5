"""How long a zone that was read may be relied on by a write to it.

Neither API can make a write depend on what was read (CCP) or does it for sure (CloudDNS), so what
another program writes in between is overwritten. All that can be done is to keep that time short.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from netcup_mailauth import clock
from netcup_mailauth.errors import WriteNotProcessedError

if TYPE_CHECKING:
    from netcup_mailauth.records import Zone

FRESH = 2.0
"""Seconds from the answer that has the zone to the request that writes to it."""


def is_fresh(zone: Zone) -> bool:
    """Whether a write may still rely on this reading, sleep of the machine counted."""
    return zone.read_at is None or clock.now() - zone.read_at <= FRESH


def check_fresh(zone: Zone) -> None:
    """The last thing before a write is sent.

    Raises:
        WriteNotProcessedError: the zone was read too long ago; it has to be read again.
    """
    if not is_fresh(zone):
        raise WriteNotProcessedError(
            f"The zone {zone.name} was read more than {FRESH:.0f} s before the write could be "
            "sent, so nothing was sent.",
            "Run the same command again.",
        )
