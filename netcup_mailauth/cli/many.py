"""Options for many domains: several at a time, a part of them, the request budget, less output."""

from __future__ import annotations

import os
import re
import shutil
import sys
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from netcup_mailauth.cli.common import Command, on_the_line, say, settings
from netcup_mailauth.errors import UsageError
from netcup_mailauth.netcup.api import CALLS
from netcup_mailauth.netcup.http import MOST_CONNECTIONS
from netcup_mailauth.records import zone_form

if TYPE_CHECKING:
    from collections.abc import Sequence

    from netcup_mailauth.plan import Plan
    from netcup_mailauth.policy import Wish

NO_LIMIT = 1_000_000
MANY = 20
"""Domains from which on a terminal shows how far a run has come."""


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


SHARD = click.option(
    "--shard",
    default="0/1",
    metavar="I/N",
    callback=lambda _ctx, _parameter, text: shard(text),
    help="Only every N-th domain in the order of names, from the I-th (0 to N-1).",
)

JOBS = click.option(
    "--jobs",
    type=click.IntRange(1, MOST_CONNECTIONS),
    default=1,
    metavar="N",
    help="Work on so many domains at a time, within one request budget.",
)

RATE = click.option(
    "--rate",
    type=click.IntRange(min=0),
    metavar="N",
    help=f"Calls in any minute; 0: no limit. Default: {CALLS}, or this shard's part.",
)

CHANGED = click.option("--changed", is_flag=True, help="Show no domain that is unchanged.")


def many_options(command: Command) -> Command:
    """``--jobs``, ``--shard``, ``--rate`` and ``--changed``."""
    for option in (CHANGED, RATE, SHARD, JOBS):
        command = option(command)
    return command


def shard(text: str) -> tuple[int, int]:
    """The shard that ``I/N`` means.

    Raises:
        UsageError: it is none.
    """
    match = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text, re.ASCII)
    index, shards = (int(match[1]), int(match[2])) if match else (0, 0)
    if not index < shards:
        raise UsageError(f"--shard {text!r} is not I/N with I from 0 to N-1.", "As in --shard 0/10")
    return index, shards


class Progress:
    """How far a run has come, on a line of its own on the terminal; nothing elsewhere.

    What is said meanwhile wipes the line away first; the next step draws it again.

    Args:
        total: how many domains there are.
    """

    def __init__(self, total: int) -> None:
        live = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        self._live = live and total >= MANY and not settings().quiet
        self._total = total
        self._done = 0
        self._shown = 0

    def __enter__(self) -> Progress:
        on_the_line.append(self.clear)
        self.draw()
        return self

    def __exit__(self, *_: object) -> None:
        on_the_line.remove(self.clear)
        self.clear()

    def step(self) -> None:
        """One more domain is done."""
        self._done += 1
        self.draw()

    def draw(self) -> None:
        """Show the line."""
        if not self._live:
            return
        counted = f" {self._done} of {self._total}"
        room = max(10, min(40, shutil.get_terminal_size((80, 24)).columns - len(counted) - 3))
        filled = room * self._done // self._total
        text = f"[{'#' * filled}{'.' * (room - filled)}]{counted}"
        sys.stderr.write(f"\r{text}")
        sys.stderr.flush()
        self._shown = len(text)

    def clear(self) -> None:
        """Wipe the line away, so that something else can be printed."""
        if self._shown:
            sys.stderr.write(f"\r{'':<{self._shown}}\r")
            sys.stderr.flush()
            self._shown = 0
