"""Which records to look for, and what they are held against: wish, journal, netcup's copy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from netcup_mailauth.desired import DEFAULT_SELECTOR, desired_records, report_authorisation
from netcup_mailauth.dmarc import authorisation_name
from netcup_mailauth.dnsio.nameservers import ServerStatus
from netcup_mailauth.judge.faults import problem_of
from netcup_mailauth.judge.states import Target
from netcup_mailauth.lookup import Query
from netcup_mailauth.meaning import same_meaning
from netcup_mailauth.names import absolute, relative
from netcup_mailauth.policy import MANAGED
from netcup_mailauth.records import DesiredRecord, DnsRecord, Kind, Zone, hostname_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from netcup_mailauth.actions.planning import Wish
    from netcup_mailauth.dnsio.authority import Survey
    from netcup_mailauth.findings import Finding
    from netcup_mailauth.keys.files import DkimSource


@dataclass(frozen=True, slots=True)
class Known:
    """What is known about a domain before its servers are asked.

    Attributes:
        wish: the domain, and what it should have.
        zone: the zone's name.
        live: netcup's copy of the zone; ``None`` where it was not read.
        key: the key its mail is signed with, if known.
        remembered: what this machine last wrote for it.
        kinds: the kinds that are meant; all if empty.
    """

    wish: Wish
    zone: str
    live: Zone | None = None
    key: DkimSource | None = None
    remembered: tuple[DesiredRecord, ...] = ()
    kinds: tuple[Kind, ...] = ()

    @property
    def domain(self) -> str:
        """The mail domain."""
        return self.wish.domain

    @property
    def managed(self) -> tuple[Kind, ...]:
        """The kinds that something is wanted of; a selector alone is no wish."""
        policy = self.wish.policy
        sourced = bool(policy.dkim and policy.dkim.source)
        return tuple(k for k in policy.manages if k is not Kind.DKIM or sourced)

    @property
    def recalled(self) -> tuple[DesiredRecord, ...]:
        """What the journal wants, where neither options nor config want anything."""
        if self.managed:
            return ()
        return tuple(r for r in self.remembered if self._is_meant(r.kind))

    @property
    def by_itself(self) -> tuple[Kind, ...]:
        """The kinds to judge by themselves, where nothing is wanted at all."""
        if self.managed or self.recalled:
            return ()
        return tuple(kind for kind in MANAGED if self._is_meant(kind))

    @property
    def selectors(self) -> tuple[str, ...]:
        """The DKIM selectors to look at."""
        asked = self.wish.policy.dkim.selector if self.wish.policy.dkim else None
        named = asked or (self.key.selector if self.key else None)
        if named:
            return (named.lower(),)
        own = self._live_selectors() if not self.managed else ()
        return own or (DEFAULT_SELECTOR,)

    def names(self) -> tuple[str, ...]:
        """Every name that a record may have to be looked for at."""
        found = [_name(self, kind, s) for kind in MANAGED for s in self.selectors]
        found += [absolute(record.hostname, self.zone) for record in self.recalled]
        for domain, host in self.wish.authorises:
            found += [authorisation_name(domain, host), authorisation_name("*", host)]
        return tuple(dict.fromkeys(found))

    def _is_meant(self, kind: Kind) -> bool:
        return not self.kinds or kind in self.kinds

    def _live_selectors(self) -> tuple[str, ...]:
        if self.live is None:
            return ()
        below = f".{relative(f'_domainkey.{self.domain}', self.zone)}"
        names = (record.hostname for record in self.live.records if record.type == "TXT")
        return tuple(
            dict.fromkeys(
                h.removesuffix(below) for h in names if h.endswith(below) and "*" not in h
            )
        )


def _name(known: Known, kind: Kind, selector: str) -> str:
    return absolute(hostname_of(kind, known.domain, known.zone, selector), known.zone)


def served_zone(zone: str, texts: Mapping[str, Iterable[str]]) -> Zone:
    """What DNS has of a zone, by name: the base for a wish in parts where netcup's copy is not."""
    records = (
        DnsRecord(None, relative(name, zone), "TXT", value)
        for name, values in texts.items()
        for value in values
    )
    return Zone(zone, "dns", tuple(records))


def targets_of(known: Known, desired: Sequence[DesiredRecord]) -> tuple[Target, ...]:
    """The records to look for.

    Those desired; a kind that is wanted but could not be made into a record (mailcow has no key,
    two DMARC records are live) is judged by itself, and so is everything where nothing is wanted.
    """
    wanted = [*desired, *known.recalled]
    targets = [_wanted(known, record) for record in wanted]
    made = {record.kind for record in wanted}
    lacking = [k for k in MANAGED if k in known.by_itself or (k in known.managed and k not in made)]
    for kind in lacking:
        names = dict.fromkeys(_name(known, kind, selector) for selector in known.selectors)
        targets += (_published(known, kind, name) for name in names)
    order = list(Kind)
    return tuple(sorted(targets, key=lambda target: order.index(target.kind)))


def _wanted(known: Known, record: DesiredRecord) -> Target:
    held = _held(known, record.kind, record.hostname)
    promised = held is not None and same_meaning(record.kind, held, record.value)
    return Target(
        record.kind,
        absolute(record.hostname, known.zone),
        record.value,
        record.value if promised else None,
    )


def _published(known: Known, kind: Kind, name: str) -> Target:
    """What is judged by itself: netcup's copy tells what is coming, if it is a valid record."""
    held = None if known.live is None else _held(known, kind, relative(name, known.zone))
    usable = held is not None and problem_of(kind, held) is None
    return Target(kind, name, None, held if usable else None)


def _held(known: Known, kind: Kind, hostname: str) -> str | None:
    """The one text that netcup's copy has there, else the journal; ``None`` if not just one."""
    if known.live is None:
        texts = [r.value for r in known.remembered if (r.kind, r.hostname) == (kind, hostname)]
    elif known.live.at(hostname, "CNAME"):
        return None
    else:
        texts = [record.destination for record in known.live.of_kind(kind, hostname)]
    return texts[0] if len(texts) == 1 else None


def is_nowhere(asked: Survey, domain: str) -> bool:
    """Whether every server that answers says that the domain's name does not exist."""
    said = [a.status for s, a in asked.of(Query(domain, "TXT")).items() if s in asked.order]
    return bool(said) and all(status is ServerStatus.NXDOMAIN for status in said)


def desired_of(known: Known, asked: Survey) -> tuple[list[DesiredRecord], list[Finding]]:
    """The records wanted; parts are completed from netcup's copy, else from what DNS has."""
    wish = known.wish
    if not known.managed and not wish.authorises:
        return [], []
    texts_of = {query.name: answer.values for query, answer in asked.best().items()}
    base = known.live or served_zone(known.zone, texts_of)
    desired = desired_records(wish.domain, base, wish.policy, known.key)
    reports = (report_authorisation(domain, host, base) for domain, host in wish.authorises)
    return [*desired.records, *reports], desired.findings
