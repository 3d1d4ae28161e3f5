"""How every JSON document is read and written: strictly, with what is wrong told.

Here is what all of them have in common: the text, and the records, changes and kept records that
stand in plans, exports and the journal alike. The codec of each document stands beside its type.
"""

from __future__ import annotations

import json
from datetime import UTC
from typing import TYPE_CHECKING, Annotated, Any, Literal, NoReturn

from pydantic import Field

from netcup_mailauth.errors import UsageError
from netcup_mailauth.plan import Action, Change, Kept
from netcup_mailauth.records import DnsRecord, Kind
from netcup_mailauth.shapes import OpenShape

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from netcup_mailauth.findings import Finding
    from netcup_mailauth.plan import Failure
    from netcup_mailauth.records import Zone

Document = dict[str, Any]

SCHEMA = 1
"""The schema of every document that this version writes."""


# --- Texts ----------------------------------------------------------------------------------------


class _TwiceError(ValueError):
    """A name stands twice in one object."""

    def __init__(self) -> None:
        super().__init__("it says the same thing twice in one place")


def loads(text: str) -> Any:
    """The JSON value in a text.

    A name that is twice in one object is refused: another program would read the other value.

    Raises:
        ValueError: it is no JSON.
        RecursionError: it is nested too deeply.
    """
    return json.loads(text, object_pairs_hook=_once, parse_constant=_no_number)


def dumps(document: Document) -> str:
    """The document as text, readable and stable, ending in a newline."""
    return json.dumps(document, indent=2, ensure_ascii=True) + "\n"


def parse(data: bytes, name: str, what: str) -> Any:
    """The JSON value in ``data``, which is called ``name``; ``what`` it should be: "a plan file".

    A name that is twice in one object is refused: another program would read the other value.
    Raises UsageError if it is no JSON.
    """
    try:
        return loads(data.decode("utf-8-sig"))
    except RecursionError:
        problem = "is nested too deeply"
    except _TwiceError:
        problem = "says the same thing twice in one place"
    except UnicodeDecodeError:
        problem = "is not UTF-8 text"
    except ValueError:
        problem = "is not JSON"
    raise UsageError(f"{name} {problem}, so it is not {what}.", f"Give {what}.")


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _TwiceError
    return found


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"a number in it is {name}, which is no JSON")


# --- Shapes ---------------------------------------------------------------------------------------


KindWord = Literal["spf", "dkim", "dmarc", "dmarc-report"]
Ttl = Annotated[int, Field(ge=0, le=2**31 - 1)]
"""Seconds (RFC 2181, 8)."""


class RecordShape(OpenShape):
    """A record that shall be."""

    hostname: str
    type: str
    priority: str
    destination: str
    ttl: int | None

    def record(self, identifier: str | None = None) -> DnsRecord:
        """The record."""
        return DnsRecord(
            identifier, self.hostname, self.type, self.destination, self.priority, self.ttl
        )


class LiveRecordShape(RecordShape):
    """A record that is there."""

    id: str | None

    def live(self) -> DnsRecord:
        """The record."""
        return self.record(self.id)


class KeptShape(LiveRecordShape):
    """A managed record that stays."""

    kind: KindWord

    def kept(self) -> Kept:
        """The kept record."""
        return Kept(Kind(self.kind), self.live())


class ChangeShape(OpenShape):
    """A change; its hostname and type are those of its records."""

    action: Literal["create", "update", "delete"]
    kind: KindWord
    before: LiveRecordShape | None
    after: RecordShape | None
    source: str | None = None
    fingerprint: str | None = None

    def change(self) -> Change:
        """The change."""
        return Change(
            Action(self.action),
            Kind(self.kind),
            self.before.live() if self.before else None,
            self.after.record() if self.after else None,
            self.source,
            self.fingerprint,
        )


# --- Records and changes, written -----------------------------------------------------------------


MOMENT = "%Y-%m-%dT%H:%M:%SZ"
"""A moment, in UTC, as an export has it."""


def zone_listing(zone: Zone, exported: datetime | None = None) -> Document:
    """The document of ``records DOMAIN --format json``, and when it was read."""
    return {
        "schema": SCHEMA,
        "domain": zone.name,
        "backend": zone.backend,
        **({"exported": exported.astimezone(UTC).strftime(MOMENT)} if exported else {}),
        "records": [record_document(record) for record in zone.records],
    }


def zones_listing(zones: Sequence[Zone], exported: datetime) -> Document:
    """The document of ``records --format json`` for several zones."""
    return {
        "schema": SCHEMA,
        "exported": exported.astimezone(UTC).strftime(MOMENT),
        "zones": [
            {key: part for key, part in zone_listing(zone).items() if key != "schema"}
            for zone in zones
        ],
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


def finding_document(finding: Finding) -> Document:
    """One finding of a plan or of a check."""
    return {
        "code": finding.code,
        "severity": finding.severity.value,
        "message": finding.message,
        "advice": finding.advice,
    }


def failure_document(failure: Failure | None) -> Document | None:
    """What went wrong with a domain, if anything did."""
    if failure is None:
        return None
    return {
        "exit_code": int(failure.exit_code),
        "message": failure.message,
        "advice": failure.advice,
    }


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
