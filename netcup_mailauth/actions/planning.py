"""``plan``: read each zone and compute what would have to change. Writes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from netcup_mailauth import guard, names
from netcup_mailauth.desired import Desired, desired_records, report_authorisation
from netcup_mailauth.dnsio.resolver import zone_of
from netcup_mailauth.errors import MailauthError, RecordError, ZoneError
from netcup_mailauth.findings import Finding, Severity
from netcup_mailauth.guard import Case, Signer
from netcup_mailauth.keys.sources import MAILCOW, Sources
from netcup_mailauth.lookup import Lookup, Query
from netcup_mailauth.plan import ChangeSet, Failure, Place, Plan, compute
from netcup_mailauth.records import Zone

if TYPE_CHECKING:
    from netcup_mailauth.backends import Backend
    from netcup_mailauth.keys.files import DkimSource
    from netcup_mailauth.keys.sources import KeySources
    from netcup_mailauth.policy import DomainPolicy
    from netcup_mailauth.records import DesiredRecord

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
        return tuple(self.policy.allow or ())


@dataclass(frozen=True, slots=True)
class Draft:
    """A change set, with the zone it was made from."""

    change_set: ChangeSet
    zone: Zone


def _no_dns() -> Lookup:
    return guard.silent


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
    """

    backend: Backend
    keys: KeySources = field(default_factory=Sources)
    find_zone: ZoneFinder = zone_of
    dns: Callable[[], Lookup] = _no_dns
    remembered: Callable[[str], Zone | None] = _no_memory

    def plan(self, wishes: Iterable[Wish]) -> Plan:
        """The change sets of all domains.

        A domain that fails does not stop the others, unless its error ends the run.
        """
        zones: list[ChangeSet] = []
        ended: MailauthError | None = None
        for wish in wishes:
            if ended is not None:
                zones.append(not_tried(wish, ended))
                continue
            try:
                zones.append(self.draft(wish).change_set)
            except MailauthError as error:
                ended = error if error.ends_run else None
                zones.append(self.failed(wish, error))
        return Plan(tuple(zones))

    def draft(self, wish: Wish) -> Draft:
        """The change set of one domain.

        Raises:
            MailauthError: its zone or its key cannot be read, or a record cannot be held.
        """
        dns = self.dns()
        name = self.zone_of(wish)
        try:
            if wish.discovered:
                _check_that_netcup_serves(wish.domain, dns)
            zone = self.backend.zone(name)
        except ZoneError as error:
            if not wish.discovered:
                raise
            return self._elsewhere(wish, name, error)
        key, findings = self._key(wish)
        desired = self._desired(wish, zone, key)
        change_set = compute(self.place(wish, name), zone, desired.records)
        case = Case(
            change_set,
            zone,
            wish.policy,
            dns=dns,
            hosts=self._hosts(wish),
            signer=_signer(wish, key),
            remembered=self.remembered(wish.domain),
            reports_planned=wish.authorised,
        )
        judged = guard.by_gravity([*findings, *desired.findings, *guard.judge(case)])
        change_set = replace(guard.priced(case), findings=judged, allow=wish.allow)
        return Draft(change_set, zone)

    def zone_of(self, wish: Wish) -> str:
        """The zone the domain lies in: as configured, else by its form, else as DNS says."""
        if wish.policy.zone:
            return wish.policy.zone
        return wish.domain if names.is_zone_form(wish.domain) else self.find_zone(wish.domain)

    def place(self, wish: Wish, zone: str) -> Place:
        """Where the domain's records live."""
        backend = self.backend
        return Place(wish.domain, zone, backend.name, backend.endpoint, backend.account)

    def failed(self, wish: Wish, error: MailauthError) -> ChangeSet:
        """The change set of a domain that could not be planned."""
        zone = wish.policy.zone or wish.domain
        return ChangeSet(self.place(wish, zone), allow=wish.allow, error=Failure.of(error))

    def _elsewhere(self, wish: Wish, zone: str, error: ZoneError) -> Draft:
        note = Finding(
            "not-at-netcup",
            Severity.NOTE,
            f"mailcow serves {wish.domain}, whose zone is not at this netcup account. {error.what}",
            "Leave it out with exclude, or manage its records where its zone is.",
        )
        change_set = ChangeSet(self.place(wish, zone), findings=(note,), allow=wish.allow)
        return Draft(change_set, Zone(zone, self.backend.name, ()))

    def _key(self, wish: Wish) -> tuple[DkimSource | None, list[Finding]]:
        if not wish.policy.dkim or not wish.policy.dkim.source:
            return None, []
        source = wish.policy.dkim.source
        key = self.keys.key(source, wish.domain)
        relay = self.keys.relay(source, wish.domain)
        findings = [guard.relayhost(wish.domain, relay)] if relay else []
        if key is None:
            findings.append(guard.no_key(wish.domain))
        return key, findings

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
        for record in desired.records:
            self._check_that_it_fits(record)
        return desired

    def _check_that_it_fits(self, record: DesiredRecord) -> None:
        reason = self.backend.refuses(record)
        if reason is not None:
            raise RecordError(
                f"The {record.kind.upper()} record {record.value!r} cannot be stored: {reason}.",
                "Write it without that character.",
            )


def _signer(wish: Wish, key: DkimSource | None) -> Signer:
    from_mailcow = wish.policy.dkim and wish.policy.dkim.source == MAILCOW
    if key is None:
        return Signer()
    return Signer(key.key, key.selector if from_mailcow else None)


def _check_that_netcup_serves(domain: str, dns: Lookup) -> None:
    """Raise ``ZoneError`` if DNS says that others serve the domain.

    Asked before netcup is, where a miss counts towards a lock-out.
    """
    (answer,) = dns([Query(domain, "NS")])
    if answer.values and not any(host.endswith(NETCUP_SERVERS) for host in answer.values):
        raise ZoneError(f"Its name servers are {', '.join(sorted(answer.values))}.")


def not_tried(wish: Wish, ended: MailauthError) -> ChangeSet:
    """The change set of a domain whose turn did not come, because of an earlier domain's error."""
    place = Place(wish.domain, wish.policy.zone or wish.domain)
    return ChangeSet(place, allow=wish.allow, error=not_tried_failure(ended))


def not_tried_failure(ended: MailauthError) -> Failure:
    """The failure of a domain whose turn did not come."""
    return Failure(ended.exit_code, "not tried", "An earlier error ended the run.")
