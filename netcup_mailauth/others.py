"""The other records of a zone: what became of those that a change set has nothing to do with.

Nothing here changes any of them; they are witnesses that a write touched nothing else.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from netcup_mailauth.kind import Kind
from netcup_mailauth.kinds import live, of_kind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from netcup_mailauth.plan import ChangeSet
    from netcup_mailauth.records import DnsRecord, Zone

ADDRESSES = frozenset({"A", "AAAA"})

CHALLENGE = "_acme-challenge"
"""Where certificates are asked for: a TXT there comes and goes by itself."""


class OtherRecords(NamedTuple):
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
    slots = change_set.slots()
    # What no receiver reads is the change set's business only where there was nothing better.
    read = frozenset(slot for slot in slots if of_kind(before, *slot))
    then, now = (_grouped(zone, slots, read) for zone in (before, after))
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


def shown(record: DnsRecord) -> str:
    """A record in words: ``MX @ '10 mail.example.com'``."""
    return f"{record.type} {record.hostname} {_value(record)}"


def _value(record: DnsRecord) -> str:
    text = (
        record.destination if record.priority == "0" else f"{record.priority} {record.destination}"
    )
    return repr(text) if record.ttl is None else f"{text!r} (TTL {record.ttl})"


_Slot = tuple[Kind, str]


def _grouped(
    zone: Zone, slots: Iterable[_Slot], read: frozenset[_Slot]
) -> dict[tuple[str, str], list[DnsRecord]]:
    """The records of a zone that no slot is about, of those ``read`` all but the kind's own."""
    managed: list[DnsRecord] = []
    for slot in slots:
        managed += of_kind(zone, *slot) if slot in read else live(zone, *slot)
    groups: dict[tuple[str, str], list[DnsRecord]] = defaultdict(list)
    for record in zone.records:
        if record not in managed and record.type != "SOA":
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
