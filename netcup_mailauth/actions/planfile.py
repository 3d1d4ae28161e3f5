"""``apply --plan``: exactly the plan in a file, judged anew on the zone as it is now.

Nothing that the file says of itself is believed where it could be asked: the guard judges again,
the source of a DKIM key is asked again, and the zone has to be as it was when the plan was made.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from netcup_mailauth import dkim, documents, planfile, remedy
from netcup_mailauth.actions.applying import (
    PLAN_AGAIN,
    already,
    failed_plan,
    read,
    skipped_plan,
    stale,
    unwritten,
    write_each,
)
from netcup_mailauth.actions.planning import Draft
from netcup_mailauth.errors import (
    KeySourceError,
    MailauthError,
    StaleError,
    UsageError,
)
from netcup_mailauth.files import expanded, read_named
from netcup_mailauth.findings import Severity
from netcup_mailauth.judge import guard, holding
from netcup_mailauth.judge.case import Case, Signer
from netcup_mailauth.keys.sources import FILE, MAILCOW, RECORD
from netcup_mailauth.kinds import same_meaning
from netcup_mailauth.plan import Result, RunResult, Status, compute, drift, left, outcome, rebound
from netcup_mailauth.planfile import SHOWN, SavedPlan, forged
from netcup_mailauth.policy import DkimPolicy, DmarcPolicy, DomainPolicy, SpfPolicy, Wish
from netcup_mailauth.records import EXPORTED, DesiredRecord, Kind, absolute
from netcup_mailauth.shown import visible

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from netcup_mailauth.actions.domains import Turn
    from netcup_mailauth.actions.session import Session
    from netcup_mailauth.dkim import DkimSource
    from netcup_mailauth.netcup.api import Backend
    from netcup_mailauth.plan import ChangeSet, Failure
    from netcup_mailauth.policy import Grounds
    from netcup_mailauth.records import Zone


@dataclass(frozen=True, slots=True)
class Reviewed:
    """A saved plan, and what every domain of it is judged by.

    ``coming`` are the DMARC records and report authorisations that are part of it, by name,
    ``has_mailcow`` whether there is a mailcow that can be asked for keys.
    """

    saved: SavedPlan
    coming: Mapping[str, str]
    has_mailcow: bool


def load(path: Path) -> SavedPlan:
    """The plan in a file.

    Raises:
        UsageError: there is no such file, it is no plan, or one of an unknown schema.
        StaleError: it was damaged since it was written.
        RefusedError: no plan of this program looks like this.
    """
    document = documents.parse(read_named(path, planfile.WHAT), str(path), planfile.WHAT)
    return planfile.from_document(document, str(path))


def apply_saved(session: Session, saved: SavedPlan, *, has_mailcow: bool = False) -> RunResult:
    """Write a saved plan; each zone is read, compared and judged first.

    The session's reporter is shown what the records of a stale plan would change now.
    ``has_mailcow`` is whether there is a mailcow that can be asked for keys.

    Raises:
        UsageError: it is for another API, endpoint or account.
        RefusedError: it holds what no plan would. Nothing was asked or written.
    """
    planfile.check_content(saved)
    check_ours(saved, session.backend)
    check_storable(saved, session.backend)
    reviewed = Reviewed(saved, _coming(saved), has_mailcow)

    def prepare(change_set: ChangeSet, turn: Turn) -> Result | Draft:
        if change_set.error is not None:
            return _unplanned(change_set, change_set.error)
        refusals = _refusals(change_set)
        if change_set.is_empty or refusals.findings:
            return unwritten(refusals)
        return _prepared(session, reviewed, change_set, turn)

    return write_each(session, saved.plan.zones, prepare, failed_plan, skipped_plan)


def _prepared(
    session: Session, reviewed: Reviewed, planned: ChangeSet, turn: Turn
) -> Result | Draft:
    source = reviewed.saved.grounds_of(planned).source_ref
    key: DkimSource | StaleError | None
    try:
        # Before the zone, between whose read and write nothing slow should stand.
        key = _asked_again(session, planned, source, has_mailcow=reviewed.has_mailcow)
    except StaleError as error:
        key = error
    zone = read(session, planned)
    moved = drift(planned, zone)
    if moved and not outcome(planned, zone):
        return already(planned)
    if moved:
        if zone.backend == planned.place.backend:
            now = anew(session, reviewed, planned, zone)
            turn.tell(partial(session.reporter.show_anew, now))
        return stale(planned, moved)
    if isinstance(key, StaleError):
        raise key
    ours = rebound(planned, zone)
    planfile.check_new_ttls(ours, zone)
    ready = judged(session, reviewed, ours, zone, key)
    turn.tell(partial(session.reporter.show, ready))
    return unwritten(ready) if holding.stopping(ready) else Draft(ready, zone)


def _coming(saved: SavedPlan) -> dict[str, str]:
    """The DMARC records and report authorisations that the plan itself leaves, by name."""
    return {
        absolute(record.hostname, change_set.place.zone): record.destination
        for change_set in saved.plan.zones
        for kind, record in left(change_set)
        if kind in (Kind.DMARC, Kind.DMARC_REPORT)
    }


def _refusals(change_set: ChangeSet) -> ChangeSet:
    """The change set with those findings only that say a wish could not be carried out.

    The guard may not see that any more, as the wish is not in the file. It is the one thing that
    is taken from the findings there, because it can only stop.
    """
    kept = (f for f in change_set.findings if f.severity is Severity.REFUSED)
    return replace(change_set, findings=tuple(kept))


def _unplanned(change_set: ChangeSet, failure: Failure) -> Result:
    what = f"It could not be planned: {failure.message}"
    return Result(change_set, Status.FAILED, replace(failure, message=what))


def judged(
    session: Session, reviewed: Reviewed, change_set: ChangeSet, zone: Zone, key: DkimSource | None
) -> ChangeSet:
    """The change set with the findings of today instead of those in the file."""
    grounds = reviewed.saved.grounds_of(change_set)
    case = Case(
        change_set,
        zone,
        _policy(change_set, grounds),
        dns=session.lookup(),
        hosts=grounds.servers,
        signer=_signer(grounds, key),
        held=session.held(change_set.place.domain),
        remembered=session.remembered(change_set.place.domain),
        coming=reviewed.coming,
        dkim_left_out=grounds.dkim_left_out,
    )
    return remedy.consenting(replace(guard.priced(case), findings=guard.judge(case)))


def anew(session: Session, reviewed: Reviewed, planned: ChangeSet, zone: Zone) -> ChangeSet:
    """What the records of a stale plan would change in the zone as it is now."""
    desired = [DesiredRecord(kind, r.hostname, r.destination) for kind, r in left(planned)]
    new_ttl = session.backend.serving(zone.backend).new_ttl
    change_set = compute(planned.place, zone, desired, new_ttl)
    change_set = replace(change_set, allow=planned.allow)
    return judged(session, reviewed, change_set, zone, None)


def _asked_again(
    session: Session, change_set: ChangeSet, source: str | None, *, has_mailcow: bool
) -> DkimSource | None:
    """The key that the source of the plan's DKIM key has now, where it can be asked.

    Raises:
        StaleError: it is another one, or none.
    """
    planned = [record.destination for kind, record in left(change_set) if kind is Kind.DKIM]
    if source is None or not planned:
        return None
    domain = change_set.place.domain
    words = "mailcow" if source == MAILCOW else f"the file {source.removeprefix(FILE)!a}"
    if not (has_mailcow if source == MAILCOW else _is_file(source.removeprefix(FILE))):
        session.reporter.note(
            f"{domain}: {words} cannot be asked here whether it still has the key of the plan."
        )
        return None
    try:
        key = session.keys.key(source, domain)
    except KeySourceError:
        key = None  # of what a file holds nothing is told: whoever made the plan chose its path
    if key is not None and any(_asks_for(key, text) for text in planned):
        return key
    now = f"has another key now ({_told(key.key)})" if key else "has no DKIM key any more"
    then = " and ".join(_told(dkim.key_in(text)) for text in planned)
    raise StaleError(f"{domain}: {words} {now}; the plan is about {then}.", PLAN_AGAIN)


def _is_file(path: str) -> bool:
    """Whether it can be read at once: a pipe or a device could keep the run waiting for ever."""
    try:
        full = expanded(path)
        return stat.S_ISREG(full.stat().st_mode) and os.access(full, os.R_OK)
    except (OSError, ValueError, MailauthError):
        return False


def _asks_for(key: DkimSource, text: str) -> bool:
    """Whether a source still asks for this record; a bare key says nothing of other tags."""
    if key.key_only:
        return key.key is not None and key.key == dkim.key_in(text)
    return same_meaning(Kind.DKIM, text, key.record)


def _told(key: dkim.PublicKey | None) -> str:
    return key.fingerprint if key else "a revoked one"


def _signer(grounds: Grounds, key: DkimSource | None) -> Signer:
    if key is None:
        return Signer()
    return Signer(key.key, key.selector if grounds.source_ref == MAILCOW else None)


def _policy(change_set: ChangeSet, grounds: Grounds) -> DomainPolicy:
    """What was asked for, as far as the guard has to know."""

    def whole(kind: Kind) -> str | None:
        found = (record.destination for own, record in left(change_set) if own is kind)
        return next(found, None) if kind in grounds.whole else None

    # Without pydantic's checks: what a live record holds may be more than may be asked for.
    tables = {
        Kind.SPF: SpfPolicy.model_construct(record=whole(Kind.SPF), drop=list(grounds.spf_drop)),
        Kind.DKIM: DkimPolicy.model_construct(),
        Kind.DMARC: DmarcPolicy.model_construct(record=whole(Kind.DMARC)),
    }
    concerned = {kind for kind, _ in change_set.slots()}
    wanted: dict[str, Any] = {
        kind.value: table for kind, table in tables.items() if kind in concerned
    }
    return DomainPolicy.model_construct(
        **wanted, allow=list(change_set.allow), parked=grounds.parked
    )


def wish_of(change_set: ChangeSet) -> Wish:
    """A wish for the very records that a plan leaves, to wait for them."""
    zone = change_set.place.zone
    policy: dict[str, Any] = {}
    for kind, record in left(change_set):
        text = record.destination
        match kind:
            case Kind.SPF:
                policy["spf"] = SpfPolicy.model_construct(record=text)
            case Kind.DMARC:
                policy["dmarc"] = DmarcPolicy.model_construct(record=text)
            case Kind.DKIM:
                selector = absolute(record.hostname, zone).partition("._domainkey.")[0]
                policy["dkim"] = DkimPolicy.model_construct(
                    source=f"{RECORD}{text}", selector=selector
                )
    return Wish(change_set.place.domain, DomainPolicy.model_construct(zone=zone, **policy))


def check_ours(saved: SavedPlan, backend: Backend) -> None:
    """Raise :class:`UsageError` if the plan was made for another API, endpoint or account."""
    for change_set in saved.plan.zones:
        place = change_set.place
        if change_set.error is not None and change_set.is_empty:
            continue  # whose turn did not come has no place
        if place.endpoint == EXPORTED:
            raise UsageError(
                f"The plan for {visible(place.domain)} was made from an exported zone, to be "
                "looked at.",
                "Plan again with credentials, and apply that plan.",
            )
        api = backend.serving(place.backend)
        if place.backend != api.name or place.endpoint != api.endpoint:
            raise UsageError(
                f"The plan is for {_api(place.backend, place.endpoint)}, and this run is set up "
                f"for {_api(api.name, api.endpoint)}.",
                "Set the endpoint it was made for, or plan again.",
            )
        if place.account != api.account:
            raise UsageError(
                f"The plan is for the account {visible(place.account)!r}, and these credentials "
                f"are of {api.account!r} (digests of the customer numbers).",
                "Give that account's credentials, or plan again.",
            )


def _api(backend: str, endpoint: str) -> str:
    return f"{visible(backend)} at {visible(endpoint)}"


def check_storable(saved: SavedPlan, backend: Backend) -> None:
    """Raise :class:`RefusedError` for a value that the API cannot hold."""
    for change_set in saved.plan.zones:
        for change in change_set.changes:
            if change.after is None:
                continue
            value = change.after.destination
            record = DesiredRecord(change.kind, change.hostname, value)
            reason = backend.serving(change_set.place.backend).refuses(record)
            if reason is not None:
                raise forged(change_set, f"{value[:SHOWN]!r} cannot be stored: {reason}")
