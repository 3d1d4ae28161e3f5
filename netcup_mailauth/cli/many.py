"""Options for many domains: several at a time, a part of them, the request budget, less output."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from netcup_mailauth.cli.output import say, settings
from netcup_mailauth.netcup import CALLS
from netcup_mailauth.records import zone_form

if TYPE_CHECKING:
    from collections.abc import Sequence

    from netcup_mailauth.plan import Plan
    from netcup_mailauth.policy import Wish

NO_LIMIT = 1_000_000


@dataclass(frozen=True, slots=True)
class Many:
    """How a run goes about its domains.

    Attributes:
        jobs: how many at a time.
        index: which shard this is, from 0.
        shards: of how many.
        rate: calls in any minute; 0 for no limit, ``None`` for this shard's part of the usual.
        changed: whether unchanged domains are not to be shown.
    """

    jobs: int = 1
    index: int = 0
    shards: int = 1
    rate: int | None = None
    changed: bool = False

    @classmethod
    def of(cls, options: dict[str, Any]) -> Many:
        """The options of a command, taken out of ``options``."""
        index, shards = options.pop("shard")
        jobs, rate, changed = (options.pop(name) for name in ("jobs", "rate", "changed"))
        return cls(jobs, index, shards, rate, changed)

    @property
    def calls(self) -> int:
        """How many calls any minute may hold."""
        if self.rate is None:
            return max(CALLS // self.shards, 1)
        return self.rate or NO_LIMIT

    def mine(self, wishes: Sequence[Wish]) -> list[Wish]:
        """The domains of this shard: every N-th in the order of names, from the I-th.

        The order in which they are listed does not matter, so each domain is in exactly one shard.
        Those of one zone count as one, so that no two machines write to a zone.
        """
        if self.shards == 1:
            return list(wishes)
        zones = sorted({zone_form(wish.domain) for wish in wishes})
        ours = set(zones[self.index :: self.shards])
        chosen = [wish for wish in wishes if zone_form(wish.domain) in ours]
        if not settings().quiet:
            say(f"shard {self.index}/{self.shards}: {len(chosen)} of {len(wishes)} domains")
        return chosen

    def shown(self, plan: Plan) -> Plan:
        """The plan as far as it is to be shown."""
        if not self.changed:
            return plan
        kept = (zone for zone in plan.zones if zone.changes or zone.error is not None)
        return replace(plan, zones=tuple(kept))

    def words(self) -> list[str]:
        """These options as they are typed."""
        words = ["--shard", f"{self.index}/{self.shards}"] if self.shards > 1 else []
        words += ["--jobs", str(self.jobs)] if self.jobs > 1 else []
        words += ["--rate", str(self.rate)] if self.rate is not None else []
        return words

    def announce(self, domains: int, calls: int) -> None:
        """Say beforehand when a run will be done that has to wait for its request budget.

        ``calls`` is how many it makes if nothing changes.
        """
        seconds = finish(calls, self.calls)
        if seconds and not settings().quiet:
            then = datetime.now().astimezone() + timedelta(seconds=seconds)
            say(
                f"{domains} domains take {calls} calls, at {self.calls} a minute: done by about "
                f"{then:%H:%M:%S} ({-(-seconds // 60)} min); each that changes is a call more."
            )


MARGIN = 0.1
"""Seconds a call is reckoned to take, beside the waiting for the budget."""


def finish(calls: int, rate: int) -> int:
    """After how many seconds ``calls`` are done at ``rate`` a minute; 0 if they need not wait."""
    waits = (calls - 1) // rate
    return int(waits * 60 + (calls - waits * rate) * MARGIN + 1) if waits > 0 else 0
