"""What a rotation finds in a zone, as read and as its servers tell it, and its two writes.

One key's record comes, one goes. No record is ever changed: what stands at a name was put there by
somebody.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from netcup_mailauth import dkim
from netcup_mailauth.actions import applying
from netcup_mailauth.actions.planning import place_at, ttl_of_new
from netcup_mailauth.actions.signals import uninterrupted
from netcup_mailauth.dnsio.servers import denial_ttl, not_asked, with_route
from netcup_mailauth.errors import ApiError, RecordError, RefusedError, StaleError, UnverifiedError
from netcup_mailauth.judge import guard, holding
from netcup_mailauth.judge.case import Case
from netcup_mailauth.judge.case import Signer as Signing
from netcup_mailauth.judge.faults import unstorable
from netcup_mailauth.kinds import near_misses, of_kind
from netcup_mailauth.lookup import Query, ServerStatus
from netcup_mailauth.plan import Action, Change, ChangeSet, Kept, Status, compute
from netcup_mailauth.records import DesiredRecord, DnsRecord, Kind, absolute, relative
from netcup_mailauth.rotation.state import Round, Said, is_rotation_style

if TYPE_CHECKING:
    from collections.abc import Sequence

    from netcup_mailauth.actions.session import Session
    from netcup_mailauth.dkim import PublicKey
    from netcup_mailauth.lookup import ServerAnswer
    from netcup_mailauth.netcup.api import Backend
    from netcup_mailauth.plan import Result
    from netcup_mailauth.records import Zone
    from netcup_mailauth.rotation.state import Rotation


def records_at(zone: Zone, hostname: str) -> tuple[str, ...]:
    """What a zone has at a key's hostname: the texts, and an alias as ``CNAME target``."""
    texts = [record.destination for record in zone.at(hostname, "TXT")]
    aliases = [f"CNAME {record.destination}" for record in zone.at(hostname, "CNAME")]
    return (*texts, *aliases)


def aliases_of(zone: Zone, name: str) -> tuple[str, ...]:
    """The hostnames of a zone's aliases of a full name."""
    return tuple(
        record.hostname
        for record in zone.records
        if record.type == "CNAME" and _target(record, zone) == name
    )


def strangers(zone: Zone, domain: str, known: set[str]) -> tuple[str, ...]:
    """The hostnames of rotated keys whose selector is none of ``known``."""
    found = sorted(selectors_in(zone, domain) - known)
    return tuple(f"{s}._domainkey.{domain}" for s in found if is_rotation_style(s))


def _target(record: DnsRecord, zone: Zone) -> str:
    """What an alias stands for, as a full name: netcup shows it with a dot, or relative."""
    text = record.destination.lower()
    if text.endswith("."):
        return text.rstrip(".")
    return text if text.endswith(f".{zone.name}") else absolute(text, zone.name)


def selectors_in(zone: Zone, domain: str) -> frozenset[str]:
    """The selectors of a domain at which the zone has anything: a key, an alias, any record."""
    end = f".{relative(f'_domainkey.{domain}', zone.name)}"
    hostnames = {record.hostname for record in zone.records}
    return frozenset(name.removesuffix(end) for name in hostnames if name.endswith(end))


def look(session: Session, zone: str, names: Sequence[str]) -> Round:
    """What every server of a zone says about the TXT records at these names, and about denials.

    Over TCP, because a key that is only ever cut off does not help anybody. Addresses of a family
    that this machine has no route to are left out, and named: they would be waited for for ever.
    """
    servers = session.dns.servers_of(zone)
    left_out = not_asked(servers)
    if left_out:
        session.reporter.note(left_out)
    asked = with_route(servers)
    answers = session.dns.ask_over_tcp(asked, [Query(name, "TXT") for name in names])
    denials = session.dns.ask(asked, [Query(zone, "SOA")])
    said = {
        server.label: Said(_texts(names, answers[server]), denial_ttl(denials[server][0]))
        for server in answers
    }
    return Round(session.clock.time(), said)


def _texts(names: Sequence[str], answers: Sequence[ServerAnswer]) -> dict[str, tuple[str, ...]]:
    told = {}
    for name, answer in zip(names, answers, strict=True):
        match answer.status:
            case ServerStatus.OK:
                told[name] = answer.values
            case ServerStatus.EMPTY | ServerStatus.NXDOMAIN:
                told[name] = ()
            case ServerStatus.CNAME:
                told[name] = (f"CNAME {answer.cname}",)
            case _:
                pass  # it does not say
    return told


ALLOWED = ("dkim-revokes-key",)
"""What retiring a key means, and what a rotation was agreed to for."""


def creation(backend: Backend, zone: Zone, rotation: Rotation, ttl: int | None) -> ChangeSet:
    """The change set that creates the new key's record; empty if it is there.

    ``ttl`` is in seconds, for where each record has one; ``None`` for the API's usual one.

    Raises:
        RefusedError: something else stands there.
        RecordError: the API cannot hold it.
    """
    new, api = rotation.new, backend.serving(zone.backend)
    wanted = DesiredRecord(
        Kind.DKIM,
        rotation.hostname_of(new),
        new.record,
        rotation.signer,
        new.key.fingerprint if new.key else None,
    )
    if (reason := api.refuses(wanted)) is not None:
        refused = unstorable(wanted.kind, wanted.value, reason)
        raise RecordError(refused.message, refused.advice)
    place = place_at(api, rotation.domain, zone.name)
    change_set = compute(place, zone, [wanted], ttl_of_new(api, ttl))
    beside = near_misses(zone, Kind.DKIM, rotation.hostname_of(new))
    if beside or any(change.action is not Action.CREATE for change in change_set.changes):
        raise RefusedError(
            f"{rotation.name_of(new)} holds something else; a rotation never changes a record.",
            "Delete it in the CCP if it is nobody's.",
        )
    return change_set


def removal(backend: Backend, zone: Zone, rotation: Rotation) -> ChangeSet:
    """The change set that removes the leaving key's record, or puts an empty key in its place.

    Empty if the record is not there any more. What else stands at its name is left alone.
    """
    hostname = rotation.hostname_of(rotation.leaving)
    key = rotation.leaving.key
    members = of_kind(zone, Kind.DKIM, hostname)
    gone = [r for r in members if key is not None and dkim.key_in(r.destination) == key]
    revoked = [_revoked(record) for record in gone[:1] if rotation.revoke and not rotation.aborted]
    changes = (
        *(Change(Action.CREATE, Kind.DKIM, None, record) for record in revoked),
        *(Change(Action.DELETE, Kind.DKIM, record, None) for record in gone),
    )
    kept = tuple(Kept(Kind.DKIM, record) for record in members if record not in gone)
    untouched = len(zone.records) - len(members)
    place = place_at(backend.serving(zone.backend), rotation.domain, zone.name)
    return ChangeSet(place, changes, kept if changes else (), untouched=untouched)


def write(
    session: Session,
    zone: Zone,
    change_set: ChangeSet,
    signing: PublicKey | None,
    allow: Sequence[str],
) -> bool:
    """Judge and write a change set; whether there was anything to write.

    Raises:
        RefusedError: the guard does not let it pass.
        MailauthError: it was not written, or may have been.
    """
    if change_set.is_empty:
        return False
    case = Case(change_set, zone, dns=session.lookup(), signer=Signing(signing))
    judged = replace(change_set, findings=guard.judge(case), allow=(*ALLOWED, *allow))
    stops = holding.stopping(judged)
    if stops:
        reasons = " ".join(f"{finding.message} ({finding.code})" for finding in stops)
        raise RefusedError(f"{change_set.place.domain}: {reasons}", stops[0].advice)
    with uninterrupted(f"the write to {change_set.place.zone}"):
        result = applying.write(session, judged, zone)
    _check(result)
    for note in result.notes:
        session.reporter.note(f"{change_set.place.domain}: {note}")
    return True


def _check(result: Result) -> None:
    """Raise what a write's result says went wrong."""
    failure = result.failure
    if failure is None:
        return
    sort = {
        Status.STALE: StaleError,
        Status.UNKNOWN: UnverifiedError,
        Status.LOST: UnverifiedError,
    }.get(result.status, ApiError)
    raise sort(failure.message, failure.advice)


def _revoked(record: DnsRecord) -> DnsRecord:
    """The record with an empty key, which says that it is no longer valid (RFC 6376, 3.6.1)."""
    k = dkim.parse(record.destination).k
    return replace(record, id=None, raw=None, destination=f"v=DKIM1;k={k};p=")
