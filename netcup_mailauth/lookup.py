"""What the pure core asks of DNS, and the shape of what it is given.

The core never asks DNS itself: it hands a batch of queries to a :data:`Lookup` and gets one
answer for each. In the program that is ``dnsio``; in tests it is a dictionary. Names inside a zone
that was just read are answered from its records (:class:`ZoneLookup`; wildcards and CNAMEs
included), so that a plan judges the zone as it will be and not as caches still see it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING, Literal, NamedTuple

from netcup_mailauth.records import APEX

if TYPE_CHECKING:
    from collections.abc import Mapping

    from netcup_mailauth.records import DnsRecord, Zone

RecordType = Literal["A", "AAAA", "CNAME", "MX", "NS", "PTR", "SOA", "TXT"]


class Status(StrEnum):
    """How a query ended."""

    OK = "ok"
    EMPTY = "empty"  # the name exists, without records of this type (NODATA)
    NXDOMAIN = "nxdomain"
    TIMEOUT = "timeout"
    SERVFAIL = "servfail"  # any other failure of the server: SERVFAIL, REFUSED, nonsense


SILENT = (Status.TIMEOUT, Status.SERVFAIL)
"""DNS gave no answer, which says nothing about what is there."""


class Query(NamedTuple):
    """One question. ``name`` is in lower case, without the trailing dot, IDNs in punycode."""

    name: str
    type: RecordType


class Answer(NamedTuple):
    """One answer.

    ``values`` holds, by type: A, AAAA the address; TXT the joined text, one byte a character
    (latin-1); MX ``"10 mail.example.com"``; PTR, NS, CNAME the target. Names carry no trailing
    dot. It is empty unless ``status`` is ``OK``.
    """

    status: Status
    values: tuple[str, ...] = ()


Lookup = Callable[[Sequence[Query]], Sequence[Answer]]
"""Answers each query of a batch, in the order asked."""


def silent(queries: Sequence[Query]) -> Sequence[Answer]:
    """A DNS that answers nothing: for a judgement that must not ask."""
    return [Answer(Status.TIMEOUT) for _ in queries]


class Rehearsal:
    """Answers what it knows; to all else DNS is silent, and that it was asked is noted.

    A judgement that is made with it tells so what it needs next, whatever that does not depend on
    as well: asked for in one wave, until nothing is lacking.

    Attributes:
        known: what was answered so far.
        lacking: what was asked since and is not known.
    """

    def __init__(self, known: Mapping[Query, Answer] | None = None) -> None:
        self.known = dict(known or {})
        self.lacking: dict[Query, None] = {}

    def __call__(self, queries: Sequence[Query]) -> Sequence[Answer]:
        """One answer for each query, in the order asked."""
        self.lacking |= dict.fromkeys(query for query in queries if query not in self.known)
        return [self.known.get(query, Answer(Status.TIMEOUT)) for query in queries]

    def ask(self, lookup: Lookup) -> None:
        """Find out what is lacking."""
        queries, self.lacking = list(self.lacking), {}
        self.known |= zip(queries, lookup(queries) if queries else (), strict=True)


MAX_CHAIN = 8
"""CNAMEs followed in a row; more are taken for a loop."""


@dataclass(frozen=True, slots=True)
class ZoneLookup:
    """Answers from ``zone`` where a name lies in it, else from ``outside``."""

    zone: Zone
    outside: Lookup

    def __call__(self, queries: Sequence[Query]) -> Sequence[Answer]:
        """One answer for each query, in the order asked; outside names go out in one batch."""
        steps = [self._inside(query) if self._is_ours(query.name) else query for query in queries]
        others = list(dict.fromkeys(step for step in steps if isinstance(step, Query)))
        found = dict(zip(others, self.outside(others), strict=True)) if others else {}
        return [found[step] if isinstance(step, Query) else step for step in steps]

    def _is_ours(self, name: str) -> bool:
        if name == self.zone.name:
            return True
        return name.endswith(f".{self.zone.name}") and not self._is_delegated(name)

    def _is_delegated(self, name: str) -> bool:
        return bool(self.zone.delegation(self._hostname(name)))

    def _inside(self, query: Query) -> Answer | Query:
        """The answer, or the query that a CNAME out of the zone leads to."""
        name = query.name
        for _ in range(MAX_CHAIN):
            records = self.zone.answering(self._hostname(name))
            matching = [r for r in records if r.type == query.type and _is_servable(r)]
            if matching:
                return Answer(Status.OK, tuple(self._value(record) for record in matching))
            alias = next((record for record in records if record.type == "CNAME"), None)
            if alias is None:
                return Answer(Status.EMPTY if records or self._exists(name) else Status.NXDOMAIN)
            name = self._target(alias.destination)
            if not self._is_ours(name):
                return Query(name, query.type)
        return Answer(Status.SERVFAIL)

    def _exists(self, name: str) -> bool:
        hostname = self._hostname(name)
        return hostname == APEX or self.zone.is_there(hostname)

    def _hostname(self, name: str) -> str:
        return APEX if name == self.zone.name else name.removesuffix(f".{self.zone.name}")

    def _target(self, destination: str) -> str:
        # netcup lists targets without the trailing dot, and the apex as @ (fact 1.5).
        name = destination.rstrip(".").lower()
        return self.zone.name if name == APEX else name

    def _value(self, record: DnsRecord) -> str:
        match record.type:
            case "MX":
                return f"{record.priority} {self._target(record.destination)}"
            case "CNAME" | "NS" | "PTR":
                return self._target(record.destination)
            case _:
                return record.destination


def _is_servable(record: DnsRecord) -> bool:
    """Whether a name server could serve the record: an address has to be one."""
    family = {"A": IPv4Address, "AAAA": IPv6Address}.get(record.type)
    if family is None:
        return True
    try:
        family(record.destination)
    except ValueError:
        return False
    return "%" not in record.destination


PORT = 53


@dataclass(frozen=True, slots=True)
class Server:
    """A name server at one of its addresses.

    Args:
        address: its IP address; empty if DNS gives none, so that it is missed and not forgotten.
        unknown: a clause on why there is no address.
    """

    name: str
    address: str
    port: int = PORT
    unknown: str = field(default="DNS gives no address for it", compare=False)

    @property
    def label(self) -> str:
        """Name and address for people: ``ns.example.com (192.0.2.1)``, ``127.0.0.1:5300``."""
        if not self.address:
            return self.name
        bracketed = f"[{self.address}]" if ":" in self.address else self.address
        place = self.address if self.port == PORT else f"{bracketed}:{self.port}"
        return place if self.name == self.address else f"{self.name} ({place})"


class ServerStatus(StrEnum):
    """How a question to one server ended."""

    OK = "ok"
    EMPTY = "empty"  # the name exists, without records of this type
    NXDOMAIN = "nxdomain"
    CNAME = "cname"  # the name is an alias
    REFUSED = "refused"  # it does not serve this zone: REFUSED, a referral, another's data
    SERVFAIL = "servfail"  # any other failure that the server itself reports
    NO_ANSWER = "no answer"
    BAD = "bad"  # malformed, an answer to something else, or a question that cannot be asked


class ServerAnswer(NamedTuple):
    """What one server says about one query.

    Args:
        values: the records, as in :class:`netcup_mailauth.lookup.Answer`; empty unless ``OK``.
        cname: what the name is an alias of; empty unless the status is ``CNAME``.
        ttl: seconds that a cache may keep this answer, a negative one too; ``None`` if unsaid.
        cut: where the zone that the server refers to begins; empty if it is no referral.
        servers: the name servers of that zone.
        detail: a clause on why there is no answer to the query; else empty.
    """

    status: ServerStatus
    values: tuple[str, ...] = ()
    cname: str = ""
    ttl: int | None = None
    cut: str = ""
    servers: tuple[str, ...] = ()
    detail: str = ""


USABLE = frozenset({ServerStatus.OK, ServerStatus.EMPTY, ServerStatus.NXDOMAIN, ServerStatus.CNAME})


class Survey(NamedTuple):
    """What each server said, and in which order to ask them further.

    Attributes:
        answers: for each server its answers, in the order of ``queries``.
        order: the servers that gave a usable answer, the quickest first; empty if none did.
        beside: what one of them said of further queries, asked in the same wave.
    """

    queries: tuple[Query, ...]
    answers: Mapping[Server, tuple[ServerAnswer, ...]]
    order: tuple[Server, ...]
    beside: tuple[tuple[Query, ServerAnswer], ...] = ()

    def of(self, query: Query) -> dict[Server, ServerAnswer]:
        """What each server said of one query."""
        index = self.queries.index(query)
        return {server: answers[index] for server, answers in self.answers.items()}

    def best(self) -> dict[Query, ServerAnswer]:
        """For each query the first usable answer, of the quickest server that has one."""
        found = {query: said for query, said in self.beside if said.status in USABLE}
        for server in reversed(self.order):
            for query, answer in zip(self.queries, self.answers[server], strict=True):
                if answer.status in USABLE:
                    found[query] = answer
        return found
