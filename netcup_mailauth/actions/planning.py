"""``plan``: read each zone and compute what would have to change. Writes nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from netcup_mailauth import dkim, remedy
from netcup_mailauth.actions.domains import each
from netcup_mailauth.desired import Desired, desired_records, report_authorisations, unmanaged
from netcup_mailauth.errors import (
    MailauthError,
    UnknownZoneError,
    ZoneError,
)
from netcup_mailauth.findings import Finding, Severity
from netcup_mailauth.judge import dkim as dkim_faults
from netcup_mailauth.judge import holding
from netcup_mailauth.judge import spf as spf_faults
from netcup_mailauth.judge.case import Case, Signer
from netcup_mailauth.judge.dkim import note_left_out
from netcup_mailauth.judge.faults import unstorable
from netcup_mailauth.keys.sources import MAILCOW
from netcup_mailauth.kinds import live, same_meaning
from netcup_mailauth.lookup import SILENT, Lookup, Query, Status
from netcup_mailauth.netcup.api import is_fresh, read_anew
from netcup_mailauth.plan import ChangeSet, Failure, Place, Plan, Ways, compute
from netcup_mailauth.plan import Status as Outcome
from netcup_mailauth.records import Kind, Zone
from netcup_mailauth.shown import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from netcup_mailauth.actions.domains import Turn
    from netcup_mailauth.actions.session import Session
    from netcup_mailauth.dkim import DkimSource
    from netcup_mailauth.netcup.api import Backend
    from netcup_mailauth.policy import DomainPolicy, Wish
    from netcup_mailauth.records import DesiredRecord

    Source = tuple[DkimSource | None, tuple[Finding, ...]]

NETCUP_SERVERS = ".netcup.net"
"""What the names of netcup's name servers end in (fact 1.12)."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A change set, with the zone it was made from."""

    change_set: ChangeSet
    zone: Zone


MOST_READS = 3
"""How often a zone is read again because judging the last reading took too long."""


def plan(session: Session, wishes: Sequence[Wish]) -> Plan:
    """The change sets of all domains; the reporter hears of each.

    A domain that fails does not stop the others, unless its error ends the run.
    """

    def work(wish: Wish, turn: Turn) -> ChangeSet:
        return counted(draft(session, wish).change_set, turn)

    def not_planned(wish: Wish, error: MailauthError, turn: Turn) -> ChangeSet:
        return counted(failed(session, wish, error), turn)

    def skipped(wish: Wish, ended: MailauthError, turn: Turn) -> ChangeSet:
        return counted(not_tried(wish, ended), turn)

    def counted(change_set: ChangeSet, turn: Turn) -> ChangeSet:
        turn.tell(session.reporter.planned)
        return change_set

    return Plan(tuple(each(wishes, work, not_planned, skipped, session.jobs)))


def draft(session: Session, wish: Wish, *, to_write: bool = False) -> Draft:
    """The change set of one domain.

    With ``to_write`` nothing slow lies between the read of the zone and the write that is to
    follow: whatever has to be waited for is waited for first, and where judging took long all
    the same, the zone is read again.

    Raises:
        MailauthError: its zone or its key cannot be read.
    """
    dns = session.lookup()
    name = wish.policy.zone or wish.domain
    try:
        name = wish.policy.zone or session.zone_of(wish.domain)
        if wish.discovered:
            check_that_netcup_may_serve(name, dns)
        source = _key(session, wish)
        zone = _zone_to_write(session, name) if to_write else session.backend.zone(name)
        draft = _draft(session, wish, zone, source, dns)
        for _ in range(MOST_READS):
            if not to_write or draft.change_set.without_held.is_empty or is_fresh(draft.zone):
                break
            draft = _anew(session, wish, draft, source, dns)
    except ZoneError as error:
        if not wish.discovered or isinstance(error, UnknownZoneError):
            raise
        return _elsewhere(session, wish, name, error)
    return draft


def drafted(session: Session, wish: Wish, zone: Zone) -> Draft:
    """The change set of one domain whose zone has been read.

    Raises:
        MailauthError: its key cannot be read.
    """
    return _draft(session, wish, zone, _key(session, wish), session.lookup())


def _zone_to_write(session: Session, name: str) -> Zone:
    """The zone as it is now; room for the write that is to follow is made before."""
    session.backend.reserve()
    return session.backend.zone(name)


def _anew(session: Session, wish: Wish, draft: Draft, source: Source, dns: Lookup) -> Draft:
    """The draft for the zone as it is now, which may be as it was."""
    zone = read_anew(partial(_zone_to_write, session, draft.zone.name))
    if zone == draft.zone:
        return replace(draft, zone=zone)
    return _draft(session, wish, zone, source, dns)


def _draft(session: Session, wish: Wish, zone: Zone, source: Source, dns: Lookup) -> Draft:
    case, decided = _case(session, wish, zone, source, dns)
    change_set = holding.settled(case, decided)
    if holding.stopping(change_set):
        ways = Ways(
            _safer(session, wish, zone, source, case, change_set),
            remedy.consents(case, decided, change_set),
        )
        change_set = replace(change_set, ways=ways)
    return Draft(change_set, zone)


def _safer(
    session: Session, wish: Wish, zone: Zone, source: Source, case: Case, change_set: ChangeSet
) -> DomainPolicy | None:
    """What to want instead, judged as any wish is: nothing of it is held back."""
    for _ in range(remedy.MOST_STEPS):
        better = remedy.safer(case, change_set)
        if better is None:
            return None
        wish = replace(wish, policy=better)
        case, decided = _case(session, wish, zone, source, case.dns)
        change_set = holding.settled(case, decided)
        if not holding.stopping(change_set):
            return better
    return None


def _case(
    session: Session, wish: Wish, zone: Zone, source: Source, dns: Lookup
) -> tuple[Case, list[Finding]]:
    """What a wish makes of the zone, to be judged, and what was found on the way."""
    key, findings = source[0], list(source[1])
    name = zone.name
    api = session.backend.serving(zone.backend)
    desired = _desired(wish, zone, key)
    held = session.held(wish.domain)
    if left := left_alone(desired.records, held):
        findings.append(_rotating(wish.domain, left))
        desired.records = [record for record in desired.records if record not in left]
    records = [one for record in desired.records for one in _storable(api, zone, record, findings)]
    place, ttl = place_at(api, wish.domain, name), ttl_of_new(api, wish.policy.ttl)
    change_set = compute(place, zone, records, ttl)
    stays = unmanaged(wish.domain, zone, wish.policy)
    change_set = replace(change_set, allow=wish.allow, unmanaged=stays)
    case = Case(
        change_set,
        zone,
        wish.policy,
        dns=dns,
        hosts=sending_hosts(session, wish),
        signer=_signer(wish, key),
        held=held,
        remembered=session.remembered(wish.domain),
        coming=wish.coming,
        dkim_left_out=wish.dkim_left_out is not None,
    )
    return case, [*findings, *desired.findings]


def failed(session: Session, wish: Wish, error: MailauthError) -> ChangeSet:
    """The change set of a domain that could not be planned."""
    # At the one API there is, or nowhere.
    place = place_at(session.backend, wish.domain, wish.policy.zone or wish.domain)
    return ChangeSet(place, allow=wish.allow, error=Failure.of(error))


def place_at(api: Backend, domain: str, zone: str) -> Place:
    """The place of a domain whose zone an API serves, or may serve."""
    return Place(domain, zone, api.name, api.endpoint, api.account)


def _elsewhere(session: Session, wish: Wish, zone: str, error: ZoneError) -> Draft:
    note = Finding(
        "not-at-netcup",
        Severity.NOTE,
        f"mailcow serves {wish.domain}, whose zone is not at this netcup account. {error.what}",
        "Leave it out with exclude, or manage its records where its zone is.",
    )
    place = place_at(session.backend, wish.domain, zone)
    change_set = ChangeSet(place, findings=(note,), allow=wish.allow)
    return Draft(change_set, Zone(zone, session.backend.name, ()))


def _key(session: Session, wish: Wish) -> Source:
    """The key of the domain, asked of its source, and what there is to say about it."""
    if not wish.policy.dkim or not wish.policy.dkim.source:
        return None, ()
    source = wish.policy.dkim.source
    key = session.keys.key(source, wish.domain)
    relay = session.keys.relay(source, wish.domain)
    findings = [spf_faults.relayhost(wish.domain, relay)] if relay else []
    if key is None:
        findings.append(dkim_faults.no_key(wish.domain))
    return key, tuple(findings)


def sending_hosts(session: Session, wish: Wish) -> tuple[str, ...]:
    """What sends the domain's mail, where that is known: as said, else the mailcow."""
    if wish.policy.server is not None:
        return tuple(wish.policy.server)
    host = session.keys.host(wish.source) if wish.source else None
    return (host,) if host else ()


def _desired(wish: Wish, zone: Zone, key: DkimSource | None) -> Desired:
    desired = desired_records(wish.domain, zone, wish.policy, key)
    desired.records += report_authorisations(wish, zone)
    return desired


def left_alone(
    records: Iterable[DesiredRecord], hostnames: frozenset[str]
) -> tuple[DesiredRecord, ...]:
    """The keys among the records that an open rotation at these hostnames sees to."""
    return tuple(r for r in records if r.kind is Kind.DKIM and r.hostname in hostnames)


def _rotating(domain: str, left: Iterable[DesiredRecord]) -> Finding:
    hostnames = " and ".join(record.hostname for record in left)
    return Finding(
        "rotation-in-progress",
        Severity.NOTE,
        f"A key rotation of {domain} is open, so the key at {hostnames} is left to it.",
        "Where it stands: netcup-mailauth rotate --status",
    )


def ttl_of_new(api: Backend, wanted: int | None) -> int | None:
    """The TTL of new records; where the zone has one for all, a wish for another is passed over."""
    return None if api.new_ttl is None else wanted or api.new_ttl


def _storable(
    api: Backend, zone: Zone, record: DesiredRecord, findings: list[Finding]
) -> Iterator[DesiredRecord]:
    """The record, if it is there already or the API can hold it.

    A key goes without its ``n=`` where that is all that cannot be held: it is a note for people.
    Any other wish is refused.
    """
    kind, reason = record.kind, api.refuses(record)
    members = live(zone, kind, record.hostname) if reason else ()
    if reason is None or any(same_meaning(kind, r.destination, record.value) for r in members):
        yield record
        return
    bare = _without_note(record)
    if bare is None or api.refuses(bare) is not None:
        findings.append(unstorable(kind, record.value, reason))
        return
    findings.append(note_left_out(dkim.parse(record.value).n or "", reason))
    yield bare


def _without_note(record: DesiredRecord) -> DesiredRecord | None:
    """A key's record without its ``n=``, if it has one."""
    if record.kind is not Kind.DKIM:
        return None
    tags = dkim.parse(record.value).tags
    return None if tags.get("n") is None else replace(record, value=str(tags.without("n")))


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
    return Failure(ended.exit_code, Outcome.NOT_TRIED.value, "An earlier error ended the run.")
