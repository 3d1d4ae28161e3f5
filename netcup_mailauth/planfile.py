"""A plan as a JSON document, schema version 1: written, read back, checked.

No clock and no secret in it: the same zone, policy and DNS answers give the same bytes.

The digest tells a damaged file from a whole one. Anybody can compute it, so that it proves nothing
about who wrote the file. So a file is checked as if an enemy had written it: a record of another
type, a foreign name, a value that is no such record, a record of somebody else to be deleted.
Whatever ``plan`` would never have written is refused, before anything is asked or sent. What it
would have written and a guard has to judge is the guard's business.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationError

from netcup_mailauth import dkim, dmarc, records, spf
from netcup_mailauth.documents import (
    SCHEMA,
    ChangeShape,
    Document,
    KeptShape,
    LiveRecordShape,
    RecordShape,
    Ttl,
    change_document,
    failure_document,
    finding_document,
    kept_document,
)
from netcup_mailauth.errors import ExitCode, MailauthError, RefusedError, StaleError, UsageError
from netcup_mailauth.findings import CODES, Finding, Severity
from netcup_mailauth.judge import holding
from netcup_mailauth.kinds import hostname_of, is_meant
from netcup_mailauth.plan import (
    Action,
    ChangeSet,
    Failure,
    Place,
    Plan,
    Result,
    RunResult,
    Status,
    left,
    ttl_at,
)
from netcup_mailauth.policy import MAX_TTL, MIN_TTL, PARKED_SPF, Grounds, spf_term
from netcup_mailauth.records import CLOUDDNS, Kind, reason_not_to_store
from netcup_mailauth.shapes import Shape
from netcup_mailauth.shown import visible
from netcup_mailauth.version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from netcup_mailauth.plan import Change
    from netcup_mailauth.records import DnsRecord, Zone

TOOL = f"netcup-mailauth {__version__}"

DIGESTED = (
    "domain",
    "zone",
    "backend",
    "endpoint",
    "account",
    "changes",
    "unchanged",
    "allow",
)
"""What of each zone the digest covers: what is written, and where."""

GROUNDS = ("consent", "servers", "source_ref")
"""What it covers besides, in a zone that has it: what the guard judged the changes by."""


def plan_document(plan: Plan, grounds: Mapping[str, Grounds] | None = None) -> Document:
    """The document of a plan; ``grounds`` by domain."""
    return _document([_judged(change_set, grounds) for change_set in plan.zones])


def run_document(run: RunResult, grounds: Mapping[str, Grounds] | None = None) -> Document:
    """The document of what was applied: the plan's, with each zone's outcome in it."""
    return _document([_result_document(result, grounds) for result in run.results])


def _judged(change_set: ChangeSet, grounds: Mapping[str, Grounds] | None) -> Document:
    own = (grounds or {}).get(change_set.place.domain)
    return {**zone_document(change_set), **(own.document if own else {})}


def digest(zones: list[Document]) -> str:
    """The digest of a plan: SHA-256 over the canonical JSON of what would be written.

    It detects damage, not forgery.
    """
    covered = [
        {key: zone[key] for key in (*DIGESTED, *(key for key in GROUNDS if key in zone))}
        for zone in zones
    ]
    text = json.dumps(
        {"schema": SCHEMA, "zones": covered},
        ensure_ascii=True,
        separators=(",", ":"),
        sort_keys=True,
    )
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def zone_document(change_set: ChangeSet) -> Document:
    """One zone of a plan document."""
    place = change_set.place
    return {
        "domain": place.domain,
        "zone": place.zone,
        "backend": place.backend,
        "endpoint": place.endpoint,
        "account": place.account,
        "changes": [change_document(change) for change in change_set.changes],
        "unchanged": [kept_document(kept) for kept in change_set.unchanged],
        "untouched": change_set.untouched,
        "findings": [finding_document(finding) for finding in change_set.findings],
        "allow": list(change_set.allow),
        **_held(change_set),
        "error": failure_document(change_set.error),
    }


def _held(change_set: ChangeSet) -> Document:
    """What holds back each kind that is held back; no key where there is none."""
    held = {kind.value: list(codes) for kind, codes in holding.held_by(change_set).items()}
    return {"held": held} if held else {}


def _document(zones: list[Document]) -> Document:
    return {"schema": SCHEMA, "tool": TOOL, "digest": digest(zones), "zones": zones}


def _result_document(result: Result, grounds: Mapping[str, Grounds] | None) -> Document:
    document = _judged(result.change_set, grounds)
    written = result.status in (Status.APPLIED, Status.ALREADY)
    return {
        **document,
        "error": failure_document(result.failure),
        "applied": result.status in (Status.APPLIED, Status.LOST),
        "verified": written or result.status is Status.UNCHANGED,
        "result": result.status.value,
        "notes": list(result.notes),
    }


# --- Read back: schema, digest, shape -------------------------------------------------------------

WHAT = "a plan file, as written by plan --out"
ADVICE = "Nothing was written. Make a plan again with plan --out, and look at it."


@dataclass(frozen=True, slots=True)
class SavedPlan:
    """A plan as it was saved, and what each domain of it was judged by."""

    plan: Plan
    grounds: Mapping[str, Grounds]

    def grounds_of(self, change_set: ChangeSet) -> Grounds:
        """What this change set was judged by."""
        return self.grounds.get(change_set.place.domain, Grounds())


def from_document(document: object, name: str) -> SavedPlan:
    """The plan in a JSON value, which is called ``name``.

    Raises:
        UsageError: it is no plan, or one of an unknown schema.
        StaleError: it was damaged since it was written.
        RefusedError: no plan of this program looks like this.
    """
    if not isinstance(document, dict) or not isinstance(document.get("zones"), list):
        raise UsageError(f"{name} is not a plan file.", f"Give {WHAT}.")
    _check_schema(document.get("schema"), name)
    _check_digest(document, name)
    return _saved(document, name)


def _check_schema(schema: object, name: str) -> None:
    if type(schema) is int and schema == SCHEMA:  # True equals 1
        return
    shown = str(schema)[:20] if type(schema) is int else "none this program knows"
    raise UsageError(
        f"{name} is a plan of schema {shown}; {TOOL} reads schema {SCHEMA}.",
        "Plan again with this version, or apply it with the one that made it.",
    )


def _check_digest(document: dict[str, Any], name: str) -> None:
    try:
        whole = document.get("digest") == digest(document["zones"])
    except (KeyError, TypeError, ValueError, RecursionError):
        whole = False  # a part that the digest covers is not there
    if not whole:
        raise StaleError(
            f"{name} was changed or damaged since it was written: its digest does not fit.", ADVICE
        )


def _failed(code: int) -> int:
    """An exit code that says something failed; a literal would take ``true`` for 1."""
    if ExitCode(code) in (ExitCode.OK, ExitCode.CHANGES_PENDING, ExitCode.INTERRUPTED):
        raise ValueError(code)
    return code


def _true(value: bool) -> bool:
    if not value:
        raise ValueError(value)
    return value


# What plans, exports and the journal have in common, closed here: Shape comes last, and decides.


class _After(RecordShape, Shape):
    type: Literal["TXT"]
    ttl: Ttl | None


class _Before(LiveRecordShape, Shape):
    type: Literal["TXT"]
    ttl: Ttl | None


class _KeptRecord(KeptShape, Shape):
    type: Literal["TXT"]
    ttl: Ttl | None


class _Change(ChangeShape, Shape):
    hostname: str
    type: Literal["TXT"]
    before: _Before | None
    after: _After | None


class _Finding(Shape):
    code: str
    severity: Literal["refused", "danger", "warning", "note"]
    message: str
    advice: str


class _Error(Shape):
    exit_code: Annotated[int, AfterValidator(_failed)]
    message: str
    advice: str


class _Consent(Shape):
    spf_drop: list[str] = Field(default_factory=list)
    whole: list[Literal["spf", "dmarc"]] = Field(default_factory=list)
    parked: Annotated[bool, AfterValidator(_true)] | None = None
    dkim_left_out: Annotated[bool, AfterValidator(_true)] | None = None


class _Zone(Shape):
    domain: str
    zone: str
    backend: str
    endpoint: str
    account: str
    changes: list[_Change]
    unchanged: list[_KeptRecord]
    untouched: int = Field(ge=0)
    findings: list[_Finding]
    allow: list[str]
    error: _Error | None
    consent: _Consent = _Consent()
    servers: list[str] = Field(default_factory=list)
    source_ref: str | None = None
    held: dict[str, list[str]] = Field(default_factory=dict)
    """For whoever reads it; ``apply --plan`` asks the guard itself."""
    # What apply --format json adds.
    applied: bool = False
    verified: bool = False
    result: str = ""
    notes: list[str] = Field(default_factory=list)


class _Plan(Shape):
    zones: list[_Zone]


def _saved(document: dict[str, Any], name: str) -> SavedPlan:
    try:
        zones = _Plan.model_validate({"zones": document["zones"]}).zones
    except ValidationError as error:
        raise _unlike(name, ".".join(map(str, error.errors()[0]["loc"]))) from None
    if set(document) != {"schema", "tool", "digest", "zones"}:
        raise _unlike(name, "its top")
    if not isinstance(document["tool"], str):
        raise _unlike(name, "tool")
    _check_hostnames(zones, name)
    grounds = {zone.domain: _grounds(zone) for zone in zones}
    return SavedPlan(Plan(tuple(map(_change_set, zones))), grounds)


def _unlike(name: str, where: str) -> RefusedError:
    return RefusedError(f"{name} is not as this program writes a plan, at {where[:200]!a}.", ADVICE)


def _check_hostnames(zones: Sequence[_Zone], name: str) -> None:
    """Raise unless each change says the hostname of its records: readers look at either."""
    for i, zone in enumerate(zones):
        for j, change in enumerate(zone.changes):
            sides = [side for side in (change.before, change.after) if side is not None]
            if not sides or any(side.hostname != change.hostname for side in sides):
                raise _unlike(name, f"zones.{i}.changes.{j}.hostname")


def _grounds(zone: _Zone) -> Grounds:
    return Grounds(
        spf_drop=tuple(zone.consent.spf_drop),
        whole=tuple(map(Kind, zone.consent.whole)),
        parked=bool(zone.consent.parked),
        servers=tuple(zone.servers),
        source_ref=zone.source_ref,
        dkim_left_out=bool(zone.consent.dkim_left_out),
    )


def _change_set(zone: _Zone) -> ChangeSet:
    return ChangeSet(
        Place(zone.domain, zone.zone, zone.backend, zone.endpoint, zone.account),
        tuple(change.change() for change in zone.changes),
        tuple(kept.kept() for kept in zone.unchanged),
        zone.untouched,
        findings=tuple(
            Finding(f.code, Severity(f.severity), f.message, f.advice) for f in zone.findings
        ),
        allow=tuple(zone.allow),
        error=_failure_of(zone.error),
    )


def _failure_of(error: _Error | None) -> Failure | None:
    if error is None:
        return None
    return Failure(ExitCode(error.exit_code), error.message, error.advice)


# --- Checked as if an enemy had written it --------------------------------------------------------

LONGEST_NAME = 253
LONGEST_PROBLEM = 500
SHOWN = 200
"""Characters of what is refused, and of a value in it, that an error shows."""
_HOST = re.compile(r"[a-z0-9._:-]{1,253}")


def check_content(saved: SavedPlan) -> None:
    """Raise :class:`RefusedError` for the first thing in it that ``plan`` would never write."""
    taken: set[tuple[str, ...]] = set()
    for change_set in saved.plan.zones:
        problem = next(_problems(change_set, saved.grounds_of(change_set), taken), None)
        if problem is not None:
            raise forged(change_set, problem)


def check_new_ttls(change_set: ChangeSet, zone: Zone) -> None:
    """Raise :class:`RefusedError` for a TTL that no wish may have and no record beside it has.

    What is new takes the TTL of the records it stands beside, whatever that is (RFC 2181, 5.2).
    """
    for change in change_set.changes:
        new = change.after if change.before is None else None
        if new is None or new.ttl is None or MIN_TTL <= new.ttl <= MAX_TTL:
            continue
        if ttl_at(zone, new.hostname, None) != new.ttl:
            what = f"the {change.kind.upper()} record at {new.hostname} gets a TTL of {new.ttl} s"
            raise forged(change_set, f"{what}, which no record beside it has")


def forged(change_set: ChangeSet, problem: str) -> RefusedError:
    """The error for what no plan of this program holds; ``problem`` is a clause."""
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
    if not records.is_name(place.domain) or not records.is_name(place.zone):
        yield f"{place.domain!r} in {place.zone!r} is no domain in a zone"
    elif f".{place.domain}".removesuffix(f".{place.zone}") == f".{place.domain}":
        yield f"it does not lie in the zone {place.zone}"


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
    if not is_meant(kind, record.destination):
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
    has_ttl = (after.ttl is not None) == (place.backend == CLOUDDNS)
    if (after.priority, after.ttl) != kept or not (has_ttl or before is not None):
        yield f"the {kind.upper()} record at {after.hostname} gets a priority or TTL of its own"


def _identifies(backend: str, record: DnsRecord) -> bool:
    """Whether a record is told from others as this API tells them: by its id, or by its TTL."""
    if backend == CLOUDDNS:
        return record.ttl is not None
    identifier = record.id or ""
    return identifier.isdecimal() and identifier.isascii() and record.ttl is None


def _of_name(place: Place, kind: Kind, hostname: str) -> Iterator[str]:
    name = records.absolute(hostname, place.zone)
    selector, dot, of = name.partition("._domainkey.")
    match kind:
        case Kind.SPF | Kind.DMARC:
            fits = hostname == hostname_of(kind, place.domain, place.zone)
        case Kind.DKIM:
            fits = bool(dot) and of == place.domain and _is_unchanged(records.selector, selector)
        case Kind.DMARC_REPORT:
            subject, _, host = name.partition("._report._dmarc.")
            fits = f".{host}".endswith(f".{place.domain}") and records.is_name(host)
            fits = fits and (subject == "*" or records.is_name(subject))
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
                dmarc.parse_live(text)
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
        if grounds.dkim_left_out and change.kind is Kind.DKIM:
            yield "it is said to leave DKIM alone, and changes a key"
        if (change.source or "").startswith("mailcow at ") and ref != "mailcow":
            yield "its key is said to be mailcow's, and mailcow is not to be asked"
        new = change.after if change.kind is Kind.SPF else None
        if grounds.parked and new is not None and new.destination != PARKED_SPF:
            yield "the domain is said to send no mail, and gets servers that do"


def _of_deletes(change_set: ChangeSet) -> Iterator[str]:
    stays = {(kind, record.hostname) for kind, record in left(change_set)}
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
    marks: list[tuple[str, ...]] = [("domain", place.domain)]
    if place.backend != CLOUDDNS:  # there an identifier tells nothing, and drift counts the rows
        marks += [("id", place.zone, record.id or "") for record in live]
    marks += [("slot", place.zone, kind, record.hostname) for kind, record in left(change_set)]
    for mark in marks:
        if mark in taken:
            yield f"{' '.join(mark)} is in it twice"
        taken.add(mark)
