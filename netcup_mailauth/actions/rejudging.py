"""A saved change set judged as if it had just been made: by the zone, the key and DNS of now."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from netcup_mailauth import dkim
from netcup_mailauth.actions.planning import Wish
from netcup_mailauth.actions.writing import PLAN_AGAIN
from netcup_mailauth.errors import KeySourceError, MailauthError, RecordError, StaleError
from netcup_mailauth.files import expanded
from netcup_mailauth.judge import guard
from netcup_mailauth.judge.guard import Case, Signer
from netcup_mailauth.keys.sources import FILE, MAILCOW, RECORD
from netcup_mailauth.meaning import same_meaning
from netcup_mailauth.names import absolute
from netcup_mailauth.plan import compute
from netcup_mailauth.policy import DkimPolicy, DmarcPolicy, DomainPolicy, SpfPolicy
from netcup_mailauth.records import DesiredRecord, Kind

if TYPE_CHECKING:
    from collections.abc import Callable

    from netcup_mailauth.actions.planning import Planner
    from netcup_mailauth.keys.files import DkimSource
    from netcup_mailauth.keys.sources import KeySources
    from netcup_mailauth.plan import ChangeSet
    from netcup_mailauth.planfile import Grounds, SavedPlan
    from netcup_mailauth.records import DnsRecord, Zone


@dataclass(frozen=True, slots=True)
class Rejudge:
    """Judges the change sets of a saved plan.

    Attributes:
        planner: its DNS and its memory are used.
        saved: the plan.
        authorised: names of the report authorisations that are part of it.
    """

    planner: Planner
    saved: SavedPlan
    authorised: frozenset[str]

    def judged(self, change_set: ChangeSet, zone: Zone, key: DkimSource | None) -> ChangeSet:
        """The change set with the findings of today instead of those in the file."""
        grounds = self.saved.grounds_of(change_set)
        case = Case(
            change_set,
            zone,
            _policy(change_set, grounds),
            dns=self.planner.dns(),
            hosts=grounds.servers,
            signer=_signer(grounds, key),
            held=self.planner.held(change_set.place.domain),
            remembered=self.planner.remembered(change_set.place.domain),
            reports_planned=self.authorised,
        )
        return replace(guard.priced(case), findings=guard.judge(case))

    def anew(self, planned: ChangeSet, zone: Zone) -> ChangeSet:
        """What the records of a stale plan would change in the zone as it is now."""
        desired = [DesiredRecord(kind, r.hostname, r.destination) for kind, r in left(planned)]
        new_ttl = self.planner.backend.serving(zone.backend).new_ttl
        change_set = compute(planned.place, zone, desired, new_ttl)
        change_set = replace(change_set, allow=planned.allow)
        return self.judged(change_set, zone, None)


def left(change_set: ChangeSet) -> list[tuple[Kind, DnsRecord]]:
    """The records that a plan leaves behind: what it writes, and what was right already."""
    written = [(c.kind, c.after) for c in change_set.changes if c.after is not None]
    return [*written, *((kept.kind, kept.record) for kept in change_set.unchanged)]


def asked_again(
    change_set: ChangeSet,
    source: str | None,
    keys: KeySources,
    *,
    has_mailcow: bool,
    note: Callable[[str], None],
) -> DkimSource | None:
    """The key that the source of the plan's DKIM key has now, where it can be asked.

    Raises:
        StaleError: it is another one, or none.
        MailauthError: mailcow is there, and gives no answer.
    """
    planned = [record.destination for kind, record in left(change_set) if kind is Kind.DKIM]
    if source is None or not planned:
        return None
    domain = change_set.place.domain
    words = "mailcow" if source == MAILCOW else f"the file {source.removeprefix(FILE)!a}"
    if not (has_mailcow if source == MAILCOW else _is_file(source.removeprefix(FILE))):
        note(f"{domain}: {words} cannot be asked here whether it still has the key of the plan.")
        return None
    try:
        key = keys.key(source, domain)
    except KeySourceError:
        key = None  # of what a file holds nothing is told: whoever made the plan chose its path
    if key is not None and any(_asks_for(key, text) for text in planned):
        return key
    now = f"has another key now ({_told(key.key)})" if key else "has no DKIM key any more"
    then = " and ".join(_told(_key_in(text)) for text in planned)
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
        return key.key is not None and key.key == _key_in(text)
    return same_meaning(Kind.DKIM, text, key.record)


def _key_in(text: str) -> dkim.PublicKey | None:
    try:
        return dkim.parse(text).key
    except RecordError:
        return None


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
    return DomainPolicy.model_construct(
        spf=SpfPolicy.model_construct(record=whole(Kind.SPF), drop=list(grounds.spf_drop)),
        dmarc=DmarcPolicy.model_construct(record=whole(Kind.DMARC)),
        allow=list(change_set.allow),
        parked=grounds.parked,
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
