"""The changeset that makes a plan's changes: what is created, and which rows it deletes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netcup_mailauth.backends.clouddns_wire import as_read, written
from netcup_mailauth.errors import RefusedError, WriteNotProcessedError
from netcup_mailauth.names import absolute

if TYPE_CHECKING:
    from collections.abc import Sequence

    from netcup_mailauth.backends.clouddns_names import NameForm
    from netcup_mailauth.plan import Edit
    from netcup_mailauth.records import DnsRecord, Zone


def changeset(
    zone: Zone, changes: Sequence[Edit], form: NameForm, new_ttl: int
) -> dict[str, object]:
    """The body of the one call that makes the changes, all of them or none (confidence: M).

    An update is a delete and a create with the TTL of the record it replaces. ``strict`` makes
    netcup refuse a delete that matches nothing. ``new_ttl`` is for a new record without one.

    Raises:
        RefusedError: a row to be deleted is there twice.
        WriteNotProcessedError: a row to be deleted is not there, or is netcup's own.
    """
    create: list[dict[str, object]] = []
    delete: list[dict[str, object]] = []
    for change in changes:
        ttl = change.after.ttl if change.after else None
        if change.before:
            row = _row(zone, change.before)
            ttl = row.ttl
            delete.append(_entry(row, as_read(row), row.ttl, form))
        if change.after:
            ttl = new_ttl if ttl is None else ttl
            create.append(_entry(change.after, written(change.after), ttl, form))
    return {"autoCommit": True, "strict": True, "create": create, "delete": delete}


def _entry(record: DnsRecord, rdata: str, ttl: int | None, form: NameForm) -> dict[str, object]:
    """All four fields are required (confidence: M)."""
    return {"name": form.name(record.hostname), "type": record.type, "rdata": rdata, "ttl": ttl}


def _row(zone: Zone, before: DnsRecord) -> DnsRecord:
    """The row of the zone that ``before`` is, with its rdata as read.

    A plan file has no rdata as read; the value tells then, if it is there once.
    """
    rows = [row for row in zone.records if _key(row) == _key(before)]
    rows = rows or [row for row in zone.records if _value(row) == _value(before)]
    where = f"{before.type} {absolute(before.hostname, zone.name)}"
    if not rows:
        raise WriteNotProcessedError(
            f"The record {where} is no longer there as it was read.", "Nothing was sent."
        )
    if len(rows) > 1:
        raise RefusedError(
            f"netcup holds two identical rows of {where}, and one cannot be deleted alone.",
            "Delete one of them by hand in the CCP, under CloudDNS, and plan again. Nothing was "
            "sent.",
        )
    if rows[0].immutable:
        raise WriteNotProcessedError(
            f"netcup keeps the record {where} from being changed.",
            "Nothing was sent. If the CCP can change it, please report this.",
        )
    return rows[0]


def _key(record: DnsRecord) -> tuple[object, ...]:
    """What netcup knows a row by; its identifier counts for nothing."""
    return (record.hostname, record.type, as_read(record), record.ttl)


def _value(record: DnsRecord) -> tuple[object, ...]:
    return (record.hostname, record.type, record.priority, record.destination, record.ttl)
