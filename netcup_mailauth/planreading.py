"""A plan file read back: schema, digest, shape. What it says is then for ``planchecks`` to judge.

The digest tells a damaged file from a whole one. Anybody can compute it, so that it proves
nothing about who wrote the file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from netcup_mailauth import jsonfiles, planfile
from netcup_mailauth.errors import ExitCode, RefusedError, StaleError, UsageError
from netcup_mailauth.findings import Finding, Severity
from netcup_mailauth.plan import Action, Change, ChangeSet, Failure, Kept, Place, Plan
from netcup_mailauth.planfile import SCHEMA, Grounds
from netcup_mailauth.records import DnsRecord, Kind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

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


def load(path: Path) -> SavedPlan:
    """The plan in a file.

    Raises:
        UsageError: there is no such file, it is no plan, or one of an unknown schema.
        StaleError: it was damaged since it was written.
        RefusedError: no plan of this program looks like this.
    """
    return from_document(jsonfiles.read(path, WHAT), str(path))


def from_document(document: object, name: str) -> SavedPlan:
    """The plan in a JSON value, which is called ``name``. See :func:`load`."""
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
        f"{name} is a plan of schema {shown}; {planfile.TOOL} reads schema {SCHEMA}.",
        "Plan again with this version, or apply it with the one that made it.",
    )


def _check_digest(document: dict[str, Any], name: str) -> None:
    try:
        whole = document.get("digest") == planfile.digest(document["zones"])
    except (KeyError, TypeError, ValueError, RecursionError):
        whole = False  # a part that the digest covers is not there
    if not whole:
        raise StaleError(
            f"{name} was changed or damaged since it was written: its digest does not fit.", ADVICE
        )


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, strict=True)


def _failed(code: int) -> int:
    """An exit code that says something failed; a literal would take ``true`` for 1."""
    if ExitCode(code) in (ExitCode.OK, ExitCode.CHANGES_PENDING, ExitCode.INTERRUPTED):
        raise ValueError(code)
    return code


def _true(value: bool) -> bool:
    if not value:
        raise ValueError(value)
    return value


_Ttl = Field(ge=0, le=2**31 - 1)


class _After(_Shape):
    hostname: str
    type: Literal["TXT"]
    priority: str
    destination: str
    ttl: int | None = _Ttl


class _Before(_After):
    id: str | None


class _KeptRecord(_Before):
    kind: Literal["spf", "dkim", "dmarc", "dmarc-report"]


class _Change(_Shape):
    action: Literal["create", "update", "delete"]
    kind: Literal["spf", "dkim", "dmarc", "dmarc-report"]
    hostname: str
    type: Literal["TXT"]
    before: _Before | None
    after: _After | None
    source: str | None = None
    fingerprint: str | None = None


class _Finding(_Shape):
    code: str
    severity: Literal["refused", "danger", "warning", "note"]
    message: str
    advice: str


class _Error(_Shape):
    exit_code: Annotated[int, AfterValidator(_failed)]
    message: str
    advice: str


class _Consent(_Shape):
    spf_drop: list[str] = []
    whole: list[Literal["spf", "dmarc"]] = []
    parked: Annotated[bool, AfterValidator(_true)] | None = None


class _Zone(_Shape):
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
    servers: list[str] = []
    source_ref: str | None = None
    # What apply --format json adds.
    applied: bool = False
    verified: bool = False
    result: str = ""
    notes: list[str] = []


_ZONES = TypeAdapter(list[_Zone])


def _saved(document: dict[str, Any], name: str) -> SavedPlan:
    try:
        zones = _ZONES.validate_python(document["zones"])
    except ValidationError as error:
        raise _unlike(name, ".".join(map(str, ("zones", *error.errors()[0]["loc"])))) from None
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
    )


def _change_set(zone: _Zone) -> ChangeSet:
    return ChangeSet(
        Place(zone.domain, zone.zone, zone.backend, zone.endpoint, zone.account),
        tuple(map(_change, zone.changes)),
        tuple(Kept(Kind(kept.kind), _record(kept, kept.id)) for kept in zone.unchanged),
        zone.untouched,
        findings=tuple(
            Finding(f.code, Severity(f.severity), f.message, f.advice) for f in zone.findings
        ),
        allow=tuple(zone.allow),
        error=_failure(zone.error),
    )


def _change(change: _Change) -> Change:
    before, after = change.before, change.after
    return Change(
        Action(change.action),
        Kind(change.kind),
        None if before is None else _record(before, before.id),
        None if after is None else _record(after, None),
        change.source,
        change.fingerprint,
    )


def _record(record: _After, identifier: str | None) -> DnsRecord:
    return DnsRecord(
        identifier,
        record.hostname,
        record.type,
        record.destination,
        record.priority,
        record.ttl,
    )


def _failure(error: _Error | None) -> Failure | None:
    if error is None:
        return None
    return Failure(ExitCode(error.exit_code), error.message, error.advice)
