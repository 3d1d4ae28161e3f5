"""The figure: 10,000 mails while keys are rotated, one after the other.

Run as ``python -m tests.process.rotation.figure [MAILS]``.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from pathlib import Path

from tests.process.rotation.place import DELAYS, DOMAIN, GRACE, TTL, Place
from tests.process.rotation.traffic import Traffic


def main(mails: int) -> int:
    """Print what became of the mails; 1 if one failed."""
    begun, rotations = time.monotonic(), 0
    with tempfile.TemporaryDirectory() as folder, Place(Path(folder)) as place:
        with Traffic(place.sandbox, DOMAIN, GRACE, mails, 0.0) as traffic:
            while traffic.tally.mails < mails:
                place.rotate()
                rotations += 1
        used = resource.getrusage(resource.RUSAGE_SELF)
        print(f"name servers late by {DELAYS} s, TTL {TTL} s, grace {GRACE} s")  # noqa: T201
        print(f"{rotations} rotations: {traffic.tally}")  # noqa: T201
        wall, cpu = time.monotonic() - begun, used.ru_utime + used.ru_stime
        print(f"{wall:.0f} s, {cpu:.0f} s of CPU in this process")  # noqa: T201
    return 1 if traffic.tally.failures or traffic.tally.mails < mails else 0


if __name__ == "__main__":
    raise SystemExit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000))
