"""Entries of a journal for tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from netcup_mailauth.plan import ChangeSet, Place, compute
from netcup_mailauth.records import DesiredRecord, DnsRecord, Kind, Zone
from netcup_mailauth.state.journal import Entry, Journal, Mark

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

START = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
SPF = DnsRecord("1", "@", "TXT", "v=spf1 mx ~all")
ZONE = Zone("example.com", "ccp", (SPF, DnsRecord("2", "www", "A", "192.0.2.1")))
WISHES = (
    DesiredRecord(Kind.SPF, "@", "v=spf1 mx -all"),
    DesiredRecord(Kind.DMARC, "_dmarc", "v=DMARC1;p=none"),
)


def change_set(domain: str = "example.com") -> ChangeSet:
    return compute(Place(domain, domain, "ccp", "http://127.0.0.1/", "abc"), ZONE, WISHES)


def ticking(step: float = 1.0) -> Callable[[], datetime]:
    """A clock that moves by ``step`` seconds each time it is looked at."""
    times = iter(START + timedelta(seconds=step * number) for number in range(1000))
    return lambda: next(times)


def journal(folder: Path, step: float = 1.0) -> Journal:
    return Journal(folder, "run-1", ticking(step))


def entry(
    number: int,
    mark: Mark = Mark.VERIFIED,
    undoes: int | None = None,
    run: str = "",
    domain: str = "example.com",
) -> Entry:
    return Entry(
        f"{number:03}",
        run or f"run-{number:03}",
        "2026-01-02T03:04:05.678901Z",
        mark,
        change_set(domain),
        ZONE,
        None if undoes is None else f"{undoes:03}",
    )
