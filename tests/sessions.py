"""Sessions for tests: a DNS made of a function, a clock nobody waits for, a state in memory."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from netcup_mailauth.actions.session import Reporter, Session
from netcup_mailauth.clock import Clock
from netcup_mailauth.dnsio.servers import Dns
from netcup_mailauth.lookup import silent
from netcup_mailauth.state.memory import Memory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from netcup_mailauth.lookup import Lookup, Server
    from netcup_mailauth.netcup.api import Backend
    from netcup_mailauth.plan import ChangeSet, Place, Result
    from netcup_mailauth.records import DesiredRecord, Zone
    from netcup_mailauth.state.journal import Journal


@dataclass(frozen=True)
class Answering(Dns):
    """A DNS that is what a test says; what it does not say is asked of nobody.

    Attributes:
        answers: the look-up of every domain.
        finds: the zone of a domain; ``None`` where each is its own.
        serves: the servers of every zone.
    """

    answers: Lookup = silent
    finds: Callable[[str], str] | None = None
    serves: tuple[Server, ...] = ()

    def lookup(self) -> Lookup:
        return self.answers

    def zone_of(self, domain: str) -> str:
        return domain if self.finds is None else self.finds(domain)

    def servers_of(self, zone: str) -> tuple[Server, ...]:
        return self.serves


class Hurried(Clock):
    """A clock by which nobody waits; remembers for how long they were asked to."""

    def __init__(self, waits: list[float] | None = None) -> None:
        self.waits = [] if waits is None else waits

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)


@dataclass
class Kept(Memory):
    """A state that is in memory, with a journal that is a test's."""

    journal: Journal | None = None
    remembered: Zone | None = None
    holds: frozenset[str] = frozenset()
    last: Mapping[DesiredRecord, datetime] = field(default_factory=dict)

    def zone(self, _domain: str) -> Zone | None:
        return self.remembered

    def held(self, _domain: str) -> frozenset[str]:
        return self.holds

    def last_applied(self, _domain: str) -> Mapping[DesiredRecord, datetime]:
        return self.last

    def journal_of(self, _place: Place, _undoes: Mapping[str, str]) -> Journal:
        assert self.journal is not None
        return self.journal

    @contextmanager
    def lock(self, _timeout: float) -> Iterator[None]:
        yield


@dataclass
class Heard(Reporter):
    """Remembers what it was told."""

    shown: list[ChangeSet] = field(default_factory=list)
    anew: list[ChangeSet] = field(default_factory=list)
    results: list[Result] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)

    def show(self, change_set: ChangeSet) -> None:
        self.shown.append(change_set)

    def show_anew(self, change_set: ChangeSet) -> None:
        self.anew.append(change_set)

    def done(self, result: Result) -> None:
        self.results.append(result)

    def note(self, sentence: str) -> None:
        self.notes.append(sentence)

    def step(self, sentence: str) -> None:
        self.steps.append(sentence)


def hurried(backend: Backend, **more: Any) -> Session:
    """A session with a back end and nothing else, in which nobody waits."""
    return Session(backend, **{"clock": Hurried(), **more})


def journalled(backend: Backend, journal: Journal, **more: Any) -> Session:
    """The same, with a journal."""
    return hurried(backend, state=Kept(journal), **more)
