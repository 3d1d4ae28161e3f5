"""Which name servers have answered with the exact key, since when, and whether that is enough.

Pure. A record may be used when every server of the delegation had it in several rounds in a row,
and the caches that were told before that there is none have had the time to forget it: the zone's
negative TTL (RFC 2308, 5) since the slowest server first had it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from netcup_mailauth.kinds import same_meaning
from netcup_mailauth.records import Kind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from netcup_mailauth.rotation.waits import Waits


class Sight(StrEnum):
    """What a server made of a question for one key."""

    HAS = "has"  # exactly the key, and nothing beside it
    LACKS = "lacks"  # something else, or nothing
    SILENT = "silent"  # no answer that tells


@dataclass(frozen=True, slots=True)
class Said:
    """What one server said in one round.

    Attributes:
        texts: the TXT texts at each name asked; a name that it gave no usable answer for is
            missing, and one that holds nothing has none.
        negative_ttl: how long caches keep a denial, in seconds, as its SOA says.
    """

    texts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    negative_ttl: int | None = None

    def sight(self, name: str, record: str) -> Sight:
        """Whether it has ``record``, alone, at ``name``."""
        found = self.texts.get(name)
        if found is None or self.negative_ttl is None:
            return Sight.SILENT
        is_it = len(found) == 1 and same_meaning(Kind.DKIM, found[0], record)
        return Sight.HAS if is_it else Sight.LACKS


@dataclass(frozen=True, slots=True)
class Round:
    """What every server of the delegation said, asked at one moment.

    Attributes:
        time: when the last answer was there, in seconds since 1970. Until then a cache may have
            been told that there is no such key.
        said: each server's words, by its label.
    """

    time: float
    said: Mapping[str, Said]

    def is_everywhere(self, name: str, record: str) -> bool:
        """Whether every server, and at least one, has exactly this record."""
        return bool(self.said) and not self.lagging(name, record)

    def lagging(self, name: str, record: str) -> tuple[str, ...]:
        """The servers that do not have it, or do not say."""
        return tuple(
            server
            for server, said in self.said.items()
            if said.sight(name, record) is not Sight.HAS
        )


@dataclass(frozen=True, slots=True)
class Watch:
    """What is known of the new record at the servers, from one run to the next.

    Attributes:
        since: for each server, since when it has answered with the record every time.
        rounds: when all of them did, in a row, far enough apart; the newest last.
        negative_ttl: the longest that any of them has named, in seconds.
    """

    since: Mapping[str, float] = field(default_factory=dict)
    rounds: tuple[float, ...] = ()
    negative_ttl: int = 0

    def after(self, asked: Round, name: str, record: str, waits: Waits) -> Watch:
        """What is known when this round has been heard, too."""
        sights = {server: said.sight(name, record) for server, said in asked.said.items()}
        # Silence proves nothing; who answers otherwise has it no longer, and who is new has to
        # show it as often as the others did.
        since = {
            server: self.since.get(server, asked.time)
            for server, sight in sights.items()
            if sight is Sight.HAS or (sight is Sight.SILENT and server in self.since)
        }
        named = [said.negative_ttl or 0 for said in asked.said.values()]
        longest = max([self.negative_ttl, *named])
        if not asked.is_everywhere(name, record):
            return Watch(since, (), longest)
        before = self.rounds if set(self.since) >= set(since) else ()
        far_enough = not before or asked.time - before[-1] >= waits.round_seconds
        rounds = (*before, asked.time) if far_enough else before
        return Watch(since, rounds[-waits.rounds :], longest)

    def shifted(self, seconds: float) -> Watch:
        """The same, by a clock that was set forward by so much."""
        since = {server: time + seconds for server, time in self.since.items()}
        return Watch(since, tuple(time + seconds for time in self.rounds), self.negative_ttl)

    def ready_at(self, waits: Waits) -> float | None:
        """When the record may be used, if every round until then goes well.

        ``None`` while a server lacks it.
        """
        if not self.rounds:
            return None
        missing = max(0, waits.rounds - len(self.rounds))
        denial = self.negative_ttl if waits.negative_ttl is None else waits.negative_ttl
        return max(
            self.rounds[-1] + missing * waits.round_seconds, max(self.since.values()) + denial
        )
