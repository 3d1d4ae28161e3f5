"""``plan``: read each zone and compute what would have to change. Writes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from netcup_mailauth import names
from netcup_mailauth.actions.crew import Crew
from netcup_mailauth.backends.freshness import is_fresh, read_anew
from netcup_mailauth.desired import Desired, desired_records, report_authorisation
from netcup_mailauth.dnsio.resolver import zone_of
from netcup_mailauth.errors import (
    MailauthError,
    RecordError,
    RefusedError,
    UnknownZoneError,
    ZoneError,
)
from netcup_mailauth.findings import OF_ROTATIONS, Finding, Severity, by_gravity
from netcup_mailauth.judge import guard
from netcup_mailauth.judge.guard import Case, Signer
from netcup_mailauth.keys.sources import MAILCOW, Sources
from netcup_mailauth.lookup import SILENT, Lookup, Query, Status
from netcup_mailauth.plan import ChangeSet, Failure, Place, Plan, compute
from netcup_mailauth.preconditions import has_twin
from netcup_mailauth.printable import visible
from netcup_mailauth.records import Zone
from netcup_mailauth.rotation import left_alone

if TYPE_CHECKING:
    from netcup_mailauth.actions.crew import Tell
    from netcup_mailauth.backends import Backend
    from netcup_mailauth.keys.files import DkimSource
    from netcup_mailauth.keys.sources import KeySources
    from netcup_mailauth.policy import DomainPolicy
    from netcup_mailauth.records import DesiredRecord

    Source = tuple[DkimSource | None, tuple[Finding, ...]]

ZoneFinder = Callable[[str], str]
"""The zone that a mail domain lies in, asked of DNS; raises ``ZoneError`` if DNS does not say."""

NETCUP_SERVERS = ".netcup.net"
"""What the names of netcup's name servers end in (fact 1.12)."""


@dataclass(frozen=True, slots=True)
class Wish:
    """One domain, and what it should have.

    Attributes:
        domain: the mail domain.
        policy: what it should have.
        discovered: mailcow named the domain, not the user; it need not be at netcup.
        authorises: domains whose reports an address in this domain gets, each with the host of
            that address.
        authorised: names of the records by which other domains of this run take its reports.
    """

    domain: str
    policy: DomainPolicy
    discovered: bool = False
    authorises: tuple[tuple[str, str], ...] = ()
    authorised: frozenset[str] = frozenset()

    @property
    def allow(self) -> tuple[str, ...]:
        """The codes of findings that are accepted."""
        # What rotate may be allowed in the same list is no finding of a change.
        return tuple(code for code in self.policy.allow or () if code not in OF_ROTATIONS)


@dataclass(frozen=True, slots=True)
class Draft:
    """A change set, with the zone it was made from."""

    change_set: ChangeSet
    zone: Zone


MOST_READS = 3
"""How often a zone is read again because judging the last reading took too long."""


def _no_dns() -> Lookup:
    return guard.silent


def _nothing_held(_domain: str) -> frozenset[str]:
    return frozenset()


def _nothing() -> None:
    """Nobody counts the domains."""


def _no_memory(_domain: str) -> Zone | None:
    return None


@dataclass(frozen=True, slots=True)
class Planner:
    """Makes change sets.

    Attributes:
        backend: where zones are read.
        keys: where DKIM keys come from.
        find_zone: finds the zone of a mail domain that may lie below it.
        dns: makes the look-up for one domain, with that domain's budget of queries and time.
        remembered: the zone of a domain as this machine's last write left it, if there was one.
        held: the hostnames that an open key rotation of a domain works on.
        crew: works on several domains at a time.
    """

    backend: Backend
    keys: KeySources = field(default_factory=Sources)
    find_zone: ZoneFinder = zone_of
    dns: Callable[[], Lookup] = _no_dns
    remembered: Callable[[str], Zone | None] = _no_memory
    held: Callable[[str], frozenset[str]] = _nothing_held
    crew: Crew = field(default_factory=Crew)

    def plan(self, wishes: Iterable[Wish], step: Callable[[], None] = _nothing) -> Plan:
        """The change sets of all domains; ``step`` is called after each.

        A domain that fails does not stop the others, unless its error ends the run.
        """
        ended: list[MailauthError] = []

        def drafted(wish: Wish) -> ChangeSet:
            if ended:
                return not_tried(wish, ended[0])
            try:
                return self.draft(wish).change_set
            except MailauthError as error:
                if error.ends_run:
                    ended.append(error)
                return self.failed(wish, error)

        def counted(wish: Wish, tell: Tell) -> ChangeSet:
            change_set = drafted(wish)
            tell(step)
            return change_set

        return Plan(tuple(self.crew.work(list(wishes), counted)))

    def draft(self, wish: Wish, *, to_write: bool = False) -> Draft:
        """The change set of one domain.

        With ``to_write`` nothing slow lies between the read of the zone and the write that is to
        follow: whatever has to be waited for is waited for first, and where judging took long all
        the same, the zone is read again.

        Raises:
            MailauthError: its zone or its key cannot be read, or a record cannot be held.
        """
        dns = self.dns()
        name = wish.policy.zone or wish.domain
        try:
            name = self.zone_of(wish)
            if wish.discovered:
                check_that_netcup_may_serve(name, dns)
            source = self._key(wish)
            zone = self._zone_to_write(name) if to_write else self.backend.zone(name)
            draft = self._draft(wish, zone, source, dns)
            for _ in range(MOST_READS):
                if not to_write or draft.change_set.is_empty or is_fresh(draft.zone):
                    break
                draft = self._anew(wish, draft, source, dns)
        except ZoneError as error:
            if not wish.discovered or isinstance(error, UnknownZoneError):
                raise
            return self._elsewhere(wish, name, error)
        return draft

    def _zone_to_write(self, name: str) -> Zone:
        """The zone as it is now; room for the write that is to follow is made before."""
        self.backend.reserve()
        return self.backend.zone(name)

    def _anew(self, wish: Wish, draft: Draft, source: Source, dns: Lookup) -> Draft:
        """The draft for the zone as it is now, which may be as it was."""
        zone = read_anew(partial(self._zone_to_write, draft.zone.name))
        if zone == draft.zone:
            return replace(draft, zone=zone)
        return self._draft(wish, zone, source, dns)

    def _draft(self, wish: Wish, zone: Zone, source: Source, dns: Lookup) -> Draft:
        key, findings = source[0], list(source[1])
        name = zone.name
        api = self.backend.serving(zone.backend)
        desired = self._desired(wish, zone, key)
        held = self.held(wish.domain)
        if left := left_alone(desired.records, held):
            findings.append(_rotating(wish.domain, left))
            desired.records = [record for record in desired.records if record not in left]
        place = Place(wish.domain, name, api.name, api.endpoint, api.account)
        change_set = compute(place, zone, desired.records, _new_ttl(api, wish))
        written = {(change.kind, change.hostname) for change in change_set.changes if change.after}
        check_that_it_fits(api, (r for r in desired.records if (r.kind, r.hostname) in written))
        check_that_it_can_change(change_set, zone)
        case = Case(
            change_set,
            zone,
            wish.policy,
            dns=dns,
            hosts=self._hosts(wish),
            signer=_signer(wish, key),
            held=held,
            remembered=self.remembered(wish.domain),
            reports_planned=wish.authorised,
        )
        judged = by_gravity([*findings, *desired.findings, *guard.judge(case)])
        change_set = replace(guard.priced(case), findings=judged, allow=wish.allow)
        return Draft(change_set, zone)

    def zone_of(self, wish: Wish) -> str:
        """The zone the domain lies in: as configured, else by its form, else as DNS says."""
        if wish.policy.zone:
            return wish.policy.zone
        return wish.domain if names.is_zone_form(wish.domain) else self.find_zone(wish.domain)

    def failed(self, wish: Wish, error: MailauthError) -> ChangeSet:
        """The change set of a domain that could not be planned."""
        place = self._assumed_place(wish, wish.policy.zone or wish.domain)
        return ChangeSet(place, allow=wish.allow, error=Failure.of(error))

    def _assumed_place(self, wish: Wish, zone: str) -> Place:
        """The place of a zone that was not found: at the one API there is, or nowhere."""
        backend = self.backend
        return Place(wish.domain, zone, backend.name, backend.endpoint, backend.account)

    def _elsewhere(self, wish: Wish, zone: str, error: ZoneError) -> Draft:
        note = Finding(
            "not-at-netcup",
            Severity.NOTE,
            f"mailcow serves {wish.domain}, whose zone is not at this netcup account. {error.what}",
            "Leave it out with exclude, or manage its records where its zone is.",
        )
        place = self._assumed_place(wish, zone)
        change_set = ChangeSet(place, findings=(note,), allow=wish.allow)
        return Draft(change_set, Zone(zone, self.backend.name, ()))

    def _key(self, wish: Wish) -> Source:
        """The key of the domain, asked of its source, and what there is to say about it."""
        if not wish.policy.dkim or not wish.policy.dkim.source:
            return None, ()
        source = wish.policy.dkim.source
        key = self.keys.key(source, wish.domain)
        relay = self.keys.relay(source, wish.domain)
        findings = [guard.relayhost(wish.domain, relay)] if relay else []
        if key is None:
            findings.append(guard.no_key(wish.domain))
        return key, tuple(findings)

    def _hosts(self, wish: Wish) -> tuple[str, ...]:
        """What sends the domain's mail, where that is known: as said, else the mailcow."""
        if wish.policy.server is not None:
            return tuple(wish.policy.server)
        source = wish.policy.dkim.source if wish.policy.dkim else None
        host = self.keys.host(source) if source else None
        return (host,) if host else ()

    def _desired(self, wish: Wish, zone: Zone, key: DkimSource | None) -> Desired:
        desired = desired_records(wish.domain, zone, wish.policy, key)
        desired.records += (
            report_authorisation(domain, host, zone) for domain, host in wish.authorises
        )
        return desired


def _rotating(domain: str, left: Iterable[DesiredRecord]) -> Finding:
    hostnames = " and ".join(record.hostname for record in left)
    return Finding(
        "rotation-in-progress",
        Severity.NOTE,
        f"A key rotation of {domain} is open, so the key at {hostnames} is left to it.",
        "Where it stands: netcup-mailauth rotate --status",
    )


def _new_ttl(api: Backend, wish: Wish) -> int | None:
    """The TTL of new records; where the zone has one for all, a wish for another is passed over."""
    return None if api.new_ttl is None else wish.policy.ttl or api.new_ttl


def check_that_it_fits(api: Backend, records: Iterable[DesiredRecord]) -> None:
    """Raise :class:`RecordError` for a record that the API cannot hold."""
    for record in records:
        reason = api.refuses(record)
        if reason is not None:
            raise RecordError(
                f"The {record.kind.upper()} record {record.value[:200]!r} cannot be stored: "
                f"{reason}.",
                "Write it without that.",
            )


def check_that_it_can_change(change_set: ChangeSet, zone: Zone) -> None:
    """Raise :class:`RefusedError` for a record that cannot be changed, or not by itself."""
    for change in change_set.changes:
        before = change.before
        if before is None:
            continue
        named = f"{change_set.place.domain}: the TXT record {before.destination!r}"
        if before.immutable:
            raise RefusedError(
                f"{named} is marked as not to be changed by netcup.",
                "Look at the zone in the CCP; nothing was written.",
            )
        if before.ttl is not None and has_twin(before, zone):
            raise RefusedError(
                f"{named} is there twice, exactly alike, and this API cannot delete one alone.",
                "Delete one of them in the CCP, then run this again.",
            )


def _signer(wish: Wish, key: DkimSource | None) -> Signer:
    from_mailcow = wish.policy.dkim and wish.policy.dkim.source == MAILCOW
    if key is None:
        return Signer()
    return Signer(key.key, key.selector if from_mailcow else None)


def check_that_netcup_may_serve(zone: str, dns: Lookup) -> None:
    """Ask DNS before netcup is asked, where a miss counts towards a lock-out.

    Where DNS as a whole is silent, netcup may serve anything.

    Raises:
        ZoneError: DNS says that there is no such zone, or that others serve it.
        UnknownZoneError: DNS answers, but not for this zone: its own servers are dead or broken.
    """
    parent = zone.partition(".")[2]
    answer, above = dns([Query(zone, "NS"), Query(parent, "NS")])
    if answer.status is Status.NXDOMAIN:
        raise ZoneError(f"{visible(zone)} does not exist in DNS.")
    if answer.status is Status.EMPTY:
        raise ZoneError(f"DNS names no name servers of {visible(zone)}: it is no zone.")
    if answer.values and not any(host.endswith(NETCUP_SERVERS) for host in answer.values):
        raise ZoneError(f"Its name servers are {', '.join(sorted(map(visible, answer.values)))}.")
    if answer.status in SILENT and above.status not in SILENT:
        raise UnknownZoneError(
            f"DNS does not say which name servers {visible(zone)} has ({answer.status.value}), so "
            "netcup was not asked for it: each miss there counts towards a lock-out.",
            f'If its zone is at netcup, name it in the config: [domains."{zone}"]. If not, leave '
            "it out with exclude.",
        )


def not_tried(wish: Wish, ended: MailauthError) -> ChangeSet:
    """The change set of a domain whose turn did not come, because of an earlier domain's error."""
    place = Place(wish.domain, wish.policy.zone or wish.domain)
    return ChangeSet(place, allow=wish.allow, error=not_tried_failure(ended))


def not_tried_failure(ended: MailauthError) -> Failure:
    """The failure of a domain whose turn did not come."""
    return Failure(ended.exit_code, "not tried", "An earlier error ended the run.")
