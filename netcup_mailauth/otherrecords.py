"""The records beside ours: what became of them while a zone was written to. Pure.

No write of this program touches them, so whatever happened was done by somebody else, or by
netcup. What changed is told; what is gone has to be brought back.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from netcup_mailauth.plan import ChangeSet
    from netcup_mailauth.records import DnsRecord, Kind, Zone

ADDRESSES = frozenset({"A", "AAAA"})

CHALLENGE = "_acme-challenge"
"""Where certificates are asked for: a TXT there comes and goes by itself."""


@dataclass(frozen=True, slots=True)
class OtherRecords:
    """How the other records of a zone differ between two reads.

    Attributes:
        changed: pairs of one hostname and type, as it was and as it is.
        new: those there were none of before.
        passed: gone, and no loss: a challenge that was met, an address at a name that still
            has one.
        gone: those there are fewer of.
    """

    changed: tuple[tuple[DnsRecord, DnsRecord], ...] = ()
    new: tuple[DnsRecord, ...] = ()
    passed: tuple[DnsRecord, ...] = ()
    gone: tuple[DnsRecord, ...] = ()

    @property
    def told(self) -> tuple[str, ...]:
        """What is no loss, each in words."""
        return (
            *(f"{shown(then)} is now {_value(now)}" for then, now in self.changed),
            *(f"{shown(record)} is new" for record in self.new),
            *(f"{shown(record)} is gone" for record in self.passed),
        )


def other_records(change_set: ChangeSet, before: Zone, after: Zone) -> OtherRecords:
    """What became of the records that ``change_set`` has nothing to do with.

    By hostname and type, never by identifier. The SOA record, where an API lists it, is no
    witness: its serial follows every write.
    """
    slots = frozenset(change_set.slots())
    then, now = _grouped(before, slots), _grouped(after, slots)
    addressed = {hostname for hostname, type_ in now if type_ in ADDRESSES}
    changed: list[tuple[DnsRecord, DnsRecord]] = []
    new: list[DnsRecord] = []
    lost: list[DnsRecord] = []
    for group in sorted(then.keys() | now.keys()):
        old, fresh = _apart(then.get(group, []), now.get(group, []))
        changed += zip(old, fresh, strict=False)
        new += fresh[len(old) :]
        lost += old[len(fresh) :]
    gone = tuple(record for record in lost if not _passes(record, addressed))
    passed = tuple(record for record in lost if record not in gone)
    return OtherRecords(tuple(changed), tuple(new), passed, gone)


def beside(zone: Zone, slots: frozenset[tuple[Kind, str]]) -> list[DnsRecord]:
    """The records of a zone that are of none of these kinds at their hostnames."""
    managed = [record for kind, hostname in slots for record in zone.of_kind(kind, hostname)]
    return [r for r in zone.records if r not in managed and r.type != "SOA"]


def shown(record: DnsRecord) -> str:
    """A record in words: ``MX @ '10 mail.example.com'``."""
    return f"{record.type} {record.hostname} {_value(record)}"


def _value(record: DnsRecord) -> str:
    text = (
        record.destination if record.priority == "0" else f"{record.priority} {record.destination}"
    )
    return repr(text) if record.ttl is None else f"{text!r} (TTL {record.ttl})"


def _grouped(
    zone: Zone, slots: frozenset[tuple[Kind, str]]
) -> dict[tuple[str, str], list[DnsRecord]]:
    groups: dict[tuple[str, str], list[DnsRecord]] = defaultdict(list)
    for record in beside(zone, slots):
        groups[record.hostname, record.type].append(record)
    return groups


def _apart(then: list[DnsRecord], now: list[DnsRecord]) -> tuple[list[DnsRecord], list[DnsRecord]]:
    """What is only in ``then``, and what is only in ``now``."""
    fresh = list(now)
    old: list[DnsRecord] = []
    for record in then:
        same = next((other for other in fresh if says_the_same(record, other)), None)
        if same is None:
            old.append(record)
        else:
            fresh.remove(same)
    return old, fresh


def says_the_same(one: DnsRecord, other: DnsRecord) -> bool:
    """Whether two records of one hostname and type differ in their identifiers only."""
    return (one.priority, one.destination, one.ttl) == (
        other.priority,
        other.destination,
        other.ttl,
    )


def _passes(record: DnsRecord, addressed: set[str]) -> bool:
    challenge = record.type == "TXT" and record.hostname.partition(".")[0] == CHALLENGE
    return challenge or (record.type in ADDRESSES and record.hostname in addressed)
