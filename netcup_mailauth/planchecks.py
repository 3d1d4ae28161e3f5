"""What a plan file may say, checked as if an enemy had written it.

A record of another type, a foreign name, a value that is no such record, a record of somebody
else to be deleted: whatever ``plan`` would never have written is refused here, before anything is
asked or sent. What it would have written and a guard has to judge is the guard's business.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from netcup_mailauth import dkim, dmarc, names, spf
from netcup_mailauth.backends.storable import reason_not_to_store
from netcup_mailauth.errors import MailauthError, RefusedError, UsageError
from netcup_mailauth.findings import CODES
from netcup_mailauth.plan import Action
from netcup_mailauth.planfile import EXPORTED
from netcup_mailauth.planreading import ADVICE
from netcup_mailauth.policy import MAX_TTL, MIN_TTL, PARKED_SPF, spf_term
from netcup_mailauth.printable import visible
from netcup_mailauth.records import CLOUDDNS, DesiredRecord, Kind, hostname_of, is_of_kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from netcup_mailauth.backends import Backend
    from netcup_mailauth.plan import Change, ChangeSet, Place
    from netcup_mailauth.planfile import Grounds
    from netcup_mailauth.planreading import SavedPlan
    from netcup_mailauth.records import DnsRecord

LONGEST_NAME = 253
LONGEST_PROBLEM = 500
SHOWN = 200
"""Characters of what is refused, and of a value in it, that an error shows."""
_HOST = re.compile(r"[a-z0-9._:-]{1,253}")


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


def check_content(saved: SavedPlan) -> None:
    """Raise :class:`RefusedError` for the first thing in it that ``plan`` would never write."""
    taken: set[tuple[str, ...]] = set()
    for change_set in saved.plan.zones:
        problem = next(_problems(change_set, saved.grounds_of(change_set), taken), None)
        if problem is not None:
            raise _forged(change_set, problem)


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
                raise _forged(change_set, f"{value[:SHOWN]!r} cannot be stored: {reason}")


def _forged(change_set: ChangeSet, problem: str) -> RefusedError:
    domain = visible(change_set.place.domain[:LONGEST_NAME])
    return RefusedError(
        f"The plan for {domain} is refused: {visible(problem)[:LONGEST_PROBLEM]}.", ADVICE
    )


def _problems(
    change_set: ChangeSet, grounds: Grounds, taken: set[tuple[str, ...]]
) -> Iterator[str]:
    yield from _of_place(change_set.place)
    if change_set.error is not None and change_set.changes:
        yield "it has changes, and an error beside them"
    for change in change_set.changes:
        yield from _of_change(change_set.place, change)
    for kept in change_set.unchanged:
        yield from _of_live(change_set.place, kept.kind, kept.record)
    yield from _of_grounds(change_set, grounds)
    yield from _of_deletes(change_set)
    yield from _twice(change_set, taken)


def _of_place(place: Place) -> Iterator[str]:
    if not _is_name(place.domain) or not _is_name(place.zone):
        yield f"{place.domain!r} in {place.zone!r} is no domain in a zone"
    elif f".{place.domain}".removesuffix(f".{place.zone}") == f".{place.domain}":
        yield f"it does not lie in the zone {place.zone}"


def _is_name(text: str) -> bool:
    return _is_unchanged(names.normalise, text)


def _is_unchanged(check: Callable[[str], str], text: str) -> bool:
    """Whether ``text`` passes a check, written as that check would write it."""
    try:
        return text.isascii() and check(text) == text
    except MailauthError:
        return False


_SIDES = {
    Action.CREATE: (False, True),
    Action.UPDATE: (True, True),
    Action.DELETE: (True, False),
}


def _of_change(place: Place, change: Change) -> Iterator[str]:
    before, after = change.before, change.after
    if (before is not None, after is not None) != _SIDES[change.action]:
        yield f"the {change.action} at {change.hostname} has the wrong records in it"
    if before is not None:
        yield from _of_live(place, change.kind, before)
    if after is not None:
        yield from _of_new(place, change.kind, after, before)
    yield from _of_source(change)


def _of_live(place: Place, kind: Kind, record: DnsRecord) -> Iterator[str]:
    """A record that is there already, as far as the plan knows."""
    yield from _of_name(place, kind, record.hostname)
    if not is_of_kind(kind, record.destination):
        yield f"{record.destination!r} at {record.hostname} is no {kind.upper()} record"
    if not _identifies(place.backend, record):
        yield f"the {kind.upper()} record at {record.hostname} has no id of netcup's"


def _of_new(place: Place, kind: Kind, after: DnsRecord, before: DnsRecord | None) -> Iterator[str]:
    yield from _of_name(place, kind, after.hostname)
    if kind is Kind.DMARC_REPORT and after.hostname.startswith("*."):
        yield f"{after.hostname} takes the reports of every domain there is"
    reason = reason_not_to_store(after.destination, place.backend)
    if reason is not None:  # first, so that no text is looked into that is longer than any record
        yield f"{after.destination[:SHOWN]!r} cannot be stored: {reason}"
    problem = _of_value(kind, after.destination)
    if problem is not None:
        yield f"{after.destination!r} is no {kind.upper()} record ({problem})"
    kept = ("0", after.ttl) if before is None else (before.priority, before.ttl)
    fits = _is_new_ttl(place.backend, after.ttl) if before is None else True
    if (after.priority, after.ttl) != kept or not fits:
        yield f"the {kind.upper()} record at {after.hostname} gets a priority or TTL of its own"


def _identifies(backend: str, record: DnsRecord) -> bool:
    """Whether a record is told from others as this API tells them: by its id, or by its TTL."""
    if backend == CLOUDDNS:
        return record.ttl is not None
    identifier = record.id or ""
    return identifier.isdecimal() and identifier.isascii() and record.ttl is None


def _is_new_ttl(backend: str, ttl: int | None) -> bool:
    if backend == CLOUDDNS:
        return ttl is not None and MIN_TTL <= ttl <= MAX_TTL
    return ttl is None


def _of_name(place: Place, kind: Kind, hostname: str) -> Iterator[str]:
    name = names.absolute(hostname, place.zone)
    selector, dot, of = name.partition("._domainkey.")
    match kind:
        case Kind.SPF | Kind.DMARC:
            fits = hostname == hostname_of(kind, place.domain, place.zone)
        case Kind.DKIM:
            fits = bool(dot) and of == place.domain and _is_unchanged(names.selector, selector)
        case Kind.DMARC_REPORT:
            subject, _, host = name.partition("._report._dmarc.")
            fits = f".{host}".endswith(f".{place.domain}") and _is_name(host)
            fits = fits and (subject == "*" or _is_name(subject))
    if not fits or len(name) > LONGEST_NAME:
        yield f"{name!r} is not where its {kind.upper()} record stands"


def _of_value(kind: Kind, text: str) -> str | None:
    """Why a text is no record that may be written, or ``None``."""
    try:
        match kind:
            case Kind.SPF:
                spf.parse(text)
            case Kind.DKIM:
                dkim.parse(text)
            case Kind.DMARC:
                dmarc.parse(text)
            case Kind.DMARC_REPORT:
                return None if text == "v=DMARC1" else "only v=DMARC1 is ever written there"
    except MailauthError as error:
        return error.what.removesuffix(".")
    return None


def _of_source(change: Change) -> Iterator[str]:
    """A key that is told to be another than it is."""
    if change.kind is not Kind.DKIM:
        if change.source is not None or change.fingerprint is not None:
            yield f"the {change.kind.upper()} record has the source of a key"
    elif change.after is None:
        if change.fingerprint is not None:
            yield "a key that is deleted has a fingerprint"
    elif change.fingerprint != _fingerprint(change.after.destination):
        yield f"the fingerprint {change.fingerprint} is not that of the key"


def _fingerprint(text: str) -> str | None:
    try:
        key = dkim.parse(text).key
    except MailauthError:
        return None  # that it is no record has been said
    return key.fingerprint if key else None


def _of_grounds(change_set: ChangeSet, grounds: Grounds) -> Iterator[str]:
    yield from (f"there is no finding {code!r}" for code in change_set.allow if code not in CODES)
    for term in grounds.spf_drop:
        if not _is_unchanged(spf_term, term):
            yield f"{term!r} is no term of an SPF record"
    yield from (f"{host!r} is no server" for host in grounds.servers if not _HOST.fullmatch(host))
    ref = grounds.source_ref
    if ref is not None and ref != "mailcow" and not ref.startswith("file:"):
        yield f"{ref!r} is no source of a key that can be asked"
    for change in change_set.changes:
        if (change.source or "").startswith("mailcow at ") and ref != "mailcow":
            yield "its key is said to be mailcow's, and mailcow is not to be asked"
        new = change.after if change.kind is Kind.SPF else None
        if grounds.parked and new is not None and new.destination != PARKED_SPF:
            yield "the domain is said to send no mail, and gets servers that do"


def _of_deletes(change_set: ChangeSet) -> Iterator[str]:
    stays = {(c.kind, c.hostname) for c in change_set.changes if c.after is not None}
    stays |= {(kept.kind, kept.record.hostname) for kept in change_set.unchanged}
    deleting = False
    for change in change_set.changes:
        if deleting and change.action is not Action.DELETE:
            yield "it deletes before it writes"
        deleting = change.action is Action.DELETE
        slot = (change.kind, change.hostname)
        if deleting and change.kind is Kind.DMARC_REPORT and slot not in stays:
            yield f"it takes the consent to reports at {change.hostname} away"


def _twice(change_set: ChangeSet, taken: set[tuple[str, ...]]) -> Iterator[str]:
    """What may be there once in a whole plan: a domain, a record, a name that is written."""
    place = change_set.place
    live = [change.before for change in change_set.changes if change.before is not None]
    live += [kept.record for kept in change_set.unchanged]
    slots = [(c.kind, c.hostname) for c in change_set.changes if c.after is not None]
    slots += [(kept.kind, kept.record.hostname) for kept in change_set.unchanged]
    marks: list[tuple[str, ...]] = [("domain", place.domain)]
    if place.backend != CLOUDDNS:  # there an identifier tells nothing, and drift counts the rows
        marks += [("id", place.zone, record.id or "") for record in live]
    marks += [("slot", place.zone, kind, hostname) for kind, hostname in slots]
    for mark in marks:
        if mark in taken:
            yield f"{' '.join(mark)} is in it twice"
        taken.add(mark)
