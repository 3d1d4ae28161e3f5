"""The two DNS writes of a rotation: a key's record is created, and another one's goes.

No record is ever changed: what stands at a name was put there by somebody.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from netcup_mailauth import dkim
from netcup_mailauth.actions import applying
from netcup_mailauth.actions.signals import uninterrupted
from netcup_mailauth.errors import ApiError, RecordError, RefusedError, StaleError, UnverifiedError
from netcup_mailauth.judge import guard, holding
from netcup_mailauth.judge.faults import unstorable
from netcup_mailauth.judge.guard import Case
from netcup_mailauth.judge.guard import Signer as Signing
from netcup_mailauth.kinds import near_misses, of_kind
from netcup_mailauth.plan import Action, Change, ChangeSet, Kept, Place, Status, compute
from netcup_mailauth.records import DesiredRecord, DnsRecord, Kind

if TYPE_CHECKING:
    from netcup_mailauth.actions.rotator import Rotator
    from netcup_mailauth.dkim import PublicKey
    from netcup_mailauth.netcup.api import Backend
    from netcup_mailauth.plan import Result
    from netcup_mailauth.records import Zone
    from netcup_mailauth.rotation.state import Rotation

ALLOWED = ("dkim-revokes-key",)
"""What retiring a key means, and what a rotation was agreed to for."""


def creation(rotator: Rotator, zone: Zone, rotation: Rotation) -> ChangeSet:
    """The change set that creates the new key's record; empty if it is there.

    Raises:
        RefusedError: something else stands there.
        RecordError: the API cannot hold it.
    """
    new, backend = rotation.new, rotator.backend
    api = backend.serving(zone.backend)
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
    ttl = None if api.new_ttl is None else rotator.ttl or api.new_ttl
    change_set = compute(_place(backend, zone, rotation.domain), zone, [wanted], ttl)
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
    gone = [record for record in members if key is not None and _key_in(record) == key]
    revoked = [_revoked(record) for record in gone[:1] if rotation.revoke and not rotation.aborted]
    changes = (
        *(Change(Action.CREATE, Kind.DKIM, None, record) for record in revoked),
        *(Change(Action.DELETE, Kind.DKIM, record, None) for record in gone),
    )
    kept = tuple(Kept(Kind.DKIM, record) for record in members if record not in gone)
    untouched = len(zone.records) - len(members)
    place = _place(backend, zone, rotation.domain)
    return ChangeSet(place, changes, kept if changes else (), untouched=untouched)


def write(rotator: Rotator, zone: Zone, change_set: ChangeSet, signing: PublicKey | None) -> bool:
    """Judge and write a change set; whether there was anything to write.

    Raises:
        RefusedError: the guard does not let it pass.
        MailauthError: it was not written, or may have been.
    """
    if change_set.is_empty:
        return False
    case = Case(change_set, zone, dns=rotator.session.lookup(), signer=Signing(signing))
    judged = replace(change_set, findings=guard.judge(case), allow=(*ALLOWED, *rotator.allow))
    stops = holding.stopping(judged)
    if stops:
        reasons = " ".join(f"{finding.message} ({finding.code})" for finding in stops)
        raise RefusedError(f"{change_set.place.domain}: {reasons}", stops[0].advice)
    with uninterrupted(f"the write to {change_set.place.zone}"):
        result = applying.write(rotator.session, judged, zone)
    _check(result)
    for note in result.notes:
        rotator.tell(f"{change_set.place.domain}: {note}")
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


def _place(backend: Backend, zone: Zone, domain: str) -> Place:
    api = backend.serving(zone.backend)
    return Place(domain, zone.name, api.name, api.endpoint, api.account)


def _key_in(record: DnsRecord) -> PublicKey | None:
    try:
        return dkim.parse(record.destination).key
    except RecordError:
        return None


def _revoked(record: DnsRecord) -> DnsRecord:
    """The record with an empty key, which says that it is no longer valid (RFC 6376, 3.6.1)."""
    k = dkim.parse(record.destination).k
    return replace(record, id=None, raw=None, destination=f"v=DKIM1;k={k};p=")
