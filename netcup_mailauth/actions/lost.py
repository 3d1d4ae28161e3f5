"""``undo --lost``: records of other people that were gone after a write are brought back.

From what the journal says was there before that write. The only thing this program ever sends
that is no record of its own; so it is shown, asked about, and never done by itself.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from netcup_mailauth.backends.storable import reason_not_to_store
from netcup_mailauth.errors import (
    MailauthError,
    RefusedError,
    UnverifiedError,
    WriteNotProcessedError,
)
from netcup_mailauth.names import APEX
from netcup_mailauth.otherrecords import other_records, says_the_same, shown
from netcup_mailauth.plan import Action, ChangeSet, Kept
from netcup_mailauth.records import CCP, DnsRecord
from netcup_mailauth.state.journal import Mark

if TYPE_CHECKING:
    from collections.abc import Iterator

    from netcup_mailauth.backends import Backend
    from netcup_mailauth.records import Zone
    from netcup_mailauth.state.journal import Entry, Journal


@dataclass(frozen=True, slots=True)
class Sent:
    """A record that is sent: ``before`` where it is there already, and stays as it is."""

    before: DnsRecord | None
    after: DnsRecord

    @property
    def action(self) -> Action:
        """What happens to it."""
        return Action.CREATE if self.before is None else Action.UPDATE


@dataclass(frozen=True, slots=True)
class Lost:
    """What is missing in a zone since a write.

    Attributes:
        missing: the records to bring back.
        ours: the records that write left, sent along: should netcup ever take what is sent for
            the whole zone, they are not lost for it.
        left_out: what is not brought back, and why, each in words.
    """

    missing: tuple[DnsRecord, ...]
    ours: tuple[Sent, ...]
    left_out: tuple[str, ...]


def lost(entry: Entry, zone: Zone) -> Lost:
    """What was there before ``entry`` wrote, and is in ``zone`` no more. Asks nobody."""
    others = other_records(entry.change_set, entry.before, zone)
    renewed = {(now.hostname, now.type) for _, now in others.changed}
    missing: list[DnsRecord] = []
    left_out: list[str] = []
    for record in others.gone:
        reason = _reason_to_leave_out(record, zone, renewed)
        if reason is None:
            missing.append(replace(record, id=None, raw=None))
        else:
            left_out.append(f"{shown(record)}: {reason}")
    left_out += (
        f"{shown(record)}: such a one comes and goes by itself" for record in others.passed
    )
    return Lost(tuple(missing), tuple(_ours(entry, zone)), tuple(left_out))


def _reason_to_leave_out(
    record: DnsRecord, zone: Zone, renewed: set[tuple[str, str]]
) -> str | None:
    if (record.hostname, record.type) in renewed:
        return f"{record.hostname} has another {record.type} record by now"
    if record.type == "NS" and record.hostname == APEX:
        return "the zone's name servers are netcup's own business"
    at_the_name = {other.type for other in zone.records if other.hostname == record.hostname}
    if "CNAME" in at_the_name or (record.type == "CNAME" and at_the_name):
        return f"{record.hostname} has {' and '.join(sorted(at_the_name))} by now"
    return reason_not_to_store(record.destination, zone.backend) if record.type == "TXT" else None


def _ours(entry: Entry, zone: Zone) -> Iterator[Sent]:
    """The records that a write left; of those still there, CloudDNS needs not to be told."""
    applied = entry.change_set
    left = [(c.kind, c.after) for c in applied.changes if c.after is not None]
    left += [(kept.kind, kept.record) for kept in applied.unchanged]
    for kind, record in left:
        members = zone.of_kind(kind, record.hostname)
        live = next((own for own in members if own.destination == record.destination), None)
        if live is not None and zone.backend == CCP:
            yield Sent(live, live)
        elif not members:
            yield Sent(None, replace(record, id=None, raw=None))


def bring_back(backend: Backend, journal: Journal, entry: Entry, zone: Zone, found: Lost) -> None:
    """Send what is missing in one call, noted in the journal first, and see that it is there.

    ``zone`` was read a moment ago, and ``found`` made from it; whoever calls holds the lock.

    Raises:
        RefusedError, WriteNotProcessedError: nothing was sent.
        UnverifiedError: something is missing still.
        MailauthError: the journal cannot be written, so nothing was sent.
    """
    kept = [
        Kept(kind, record)
        for kind, hostname in entry.change_set.slots()
        for record in zone.of_kind(kind, hostname)
    ]
    noted = journal.begin(ChangeSet(entry.change_set.place, unchanged=tuple(kept)), zone)
    journal.mark(noted, Mark.SENT)
    sent = [*found.ours, *(Sent(None, record) for record in found.missing)]
    answer = "netcup answered with success"
    try:
        after = backend.apply(zone, sent)
    except (RefusedError, WriteNotProcessedError):
        journal.mark(noted, Mark.FAILED)
        raise
    except MailauthError as error:
        answer = f"the write got no clear answer ({error.what.removesuffix('.')})"
        after = zone
    wanted = [one.after for one in sent]
    if _missing(wanted, after):
        after = backend.zone(zone.name)
    still = _missing(wanted, after)
    if still:
        raise UnverifiedError(
            f"{zone.name}: {answer}, and missing still is {', '.join(map(shown, still))}.",
            f"Run it again in a minute: netcup-mailauth undo {entry.domain} --lost --to {entry.id}",
        )
    journal.mark(noted, Mark.VERIFIED)


def _missing(wanted: list[DnsRecord], zone: Zone) -> list[DnsRecord]:
    """Those of the records that a zone does not have; an API may give them a TTL of its own."""

    def is_there(record: DnsRecord) -> bool:
        members = zone.at(record.hostname, record.type)
        return any(says_the_same(replace(own, ttl=record.ttl), record) for own in members)

    return [record for record in wanted if not is_there(record)]
