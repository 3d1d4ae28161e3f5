"""A plan as a JSON document, schema version 1 (DESIGN, section 4).

No clock and no secret in it: the same zone, policy and DNS answers give the same bytes.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from netcup_mailauth import __version__
from netcup_mailauth.records import Kind
from netcup_mailauth.results import Result, RunResult, Status

if TYPE_CHECKING:
    from collections.abc import Mapping

    from netcup_mailauth.plan import Change, ChangeSet, Failure, Kept, Plan
    from netcup_mailauth.policy import DomainPolicy
    from netcup_mailauth.records import DnsRecord, Zone

SCHEMA = 1
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

EXPORTED = "file://zone-file"
"""The endpoint of a plan that was made from an exported zone; no API has it."""

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Grounds:
    """What a change set was judged by, beside the records.

    ``apply --plan`` asks the guard anew, and without these it would judge something else: what
    was agreed to by naming it would be a danger, and a server that was named would be forgotten.

    Attributes:
        spf_drop: SPF terms that were named as those that may go.
        whole: kinds whose record was given whole, so that nothing of a lost one is missing in it.
        parked: whether the domain is meant to send no mail.
        servers: what sends the domain's mail, as far as it was named.
        source_ref: the DKIM source, if it is one that can be asked again.
    """

    spf_drop: tuple[str, ...] = ()
    whole: tuple[Kind, ...] = ()
    parked: bool = False
    servers: tuple[str, ...] = ()
    source_ref: str | None = None

    @classmethod
    def of(cls, policy: DomainPolicy, mail_host: str | None = None) -> Grounds:
        """The grounds of a policy; ``mail_host`` is its DKIM source, if that is a mail server."""
        spf, dmarc = policy.spf or None, policy.dmarc or None
        given = ((Kind.SPF, spf and spf.record), (Kind.DMARC, dmarc and dmarc.record))
        source = (policy.dkim and policy.dkim.source) or ""
        hosts = policy.server
        if hosts is None:
            hosts = [mail_host] if mail_host else []
        return cls(
            spf_drop=tuple((spf and spf.drop) or ()),
            whole=tuple(kind for kind, record in given if record is not None),
            parked=bool(policy.parked),
            servers=tuple(hosts),
            # A text is in the plan itself, and standard input is gone.
            source_ref=source if source == "mailcow" or source.startswith("file:") else None,
        )

    @property
    def document(self) -> Document:
        """The keys of a zone that say this; none for what is not so."""
        consent: Document = {"spf_drop": list(self.spf_drop)} if self.spf_drop else {}
        if self.whole:
            consent["whole"] = [kind.value for kind in self.whole]
        if self.parked:
            consent["parked"] = True
        keys = {
            "consent": consent,
            "servers": list(self.servers),
            "source_ref": self.source_ref,
        }
        return {key: value for key, value in keys.items() if value}


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
        "findings": [
            {
                "code": finding.code,
                "severity": finding.severity.value,
                "message": finding.message,
                "advice": finding.advice,
            }
            for finding in change_set.findings
        ],
        "allow": list(change_set.allow),
        "error": _failure(change_set.error),
    }


def zone_listing(zone: Zone) -> Document:
    """The document of ``records --format json``."""
    return {
        "schema": SCHEMA,
        "domain": zone.name,
        "backend": zone.backend,
        "records": [record_document(record) for record in zone.records],
    }


def record_document(record: DnsRecord) -> Document:
    """One record of ``records --format json``."""
    return {
        "id": record.id,
        "hostname": record.hostname,
        "type": record.type,
        "priority": record.priority,
        "destination": record.destination,
        "ttl": record.ttl,
    }


def dumps(document: Document) -> str:
    """The document as text, readable and stable, ending in a newline."""
    return json.dumps(document, indent=2, ensure_ascii=True) + "\n"


def _document(zones: list[Document]) -> Document:
    return {"schema": SCHEMA, "tool": TOOL, "digest": digest(zones), "zones": zones}


def _result_document(result: Result, grounds: Mapping[str, Grounds] | None) -> Document:
    document = _judged(result.change_set, grounds)
    written = result.status in (Status.APPLIED, Status.ALREADY)
    return {
        **document,
        "error": _failure(result.failure),
        "applied": result.status in (Status.APPLIED, Status.LOST),
        "verified": written or result.status is Status.UNCHANGED,
        "result": result.status.value,
        "notes": list(result.notes),
    }


def _failure(failure: Failure | None) -> Document | None:
    if failure is None:
        return None
    return {
        "exit_code": int(failure.exit_code),
        "message": failure.message,
        "advice": failure.advice,
    }


def change_document(change: Change) -> Document:
    """One change of a plan document."""
    after = record_document(change.after) if change.after else None
    if after is not None:
        del after["id"]
    document: Document = {
        "action": change.action.value,
        "kind": change.kind.value,
        "hostname": change.hostname,
        "type": "TXT",
        "before": record_document(change.before) if change.before else None,
        "after": after,
    }
    if change.kind is Kind.DKIM:
        document |= {"source": change.source, "fingerprint": change.fingerprint}
    return document


def kept_document(kept: Kept) -> Document:
    """One unchanged record of a plan document."""
    record = record_document(kept.record)
    return {
        "kind": kept.kind.value,
        "hostname": record["hostname"],
        "type": record["type"],
        "id": record["id"],
        "priority": record["priority"],
        "destination": record["destination"],
        "ttl": record["ttl"],
    }
