"""What a judgement rests on: the zone before and after, what was asked for, and DNS."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from netcup_mailauth.findings import Finding, Severity
from netcup_mailauth.lookup import Answer, Status
from netcup_mailauth.plan import applied
from netcup_mailauth.policy import DomainPolicy
from netcup_mailauth.zonelookup import ZoneLookup

if TYPE_CHECKING:
    from collections.abc import Sequence

    from netcup_mailauth.dkim import PublicKey
    from netcup_mailauth.lookup import Lookup, Query
    from netcup_mailauth.plan import ChangeSet
    from netcup_mailauth.records import Kind, Zone


def silent(queries: Sequence[Query]) -> Sequence[Answer]:
    """A DNS that answers nothing: for a judgement that must not ask."""
    return [Answer(Status.TIMEOUT) for _ in queries]


def fault(
    code: str, message: str, advice: str, *, new: bool, gravity: Severity = Severity.DANGER
) -> Finding:
    """A finding of this gravity if the change set causes the fault or makes it worse.

    One that was there before is a warning, and says so.
    """
    if new:
        return Finding(code, gravity, message, advice)
    return Finding(code, Severity.WARNING, f"Already so: {message}", advice)


@dataclass(frozen=True, slots=True)
class Signer:
    """What is known of the program that signs this domain's mail.

    ``selector`` is set where it decides that by itself, as mailcow does.
    """

    key: PublicKey | None = None
    selector: str | None = None


@dataclass(frozen=True)
class Case:
    """One change set to be judged.

    Attributes:
        change_set: the changes.
        before: the zone as it is.
        policy: what was asked for. Its ``drop`` is the consent to what it names, and ``parked``
            to everything that stops the domain from sending.
        dns: answers for names outside the zone.
        hosts: what sends this domain's mail, as host names or addresses; where it is empty the
            MX hosts are taken for it.
        signer: what signs its mail.
        held: hostnames that an open key rotation works on.
        remembered: the zone as it was after this machine's last write.
        reports_planned: names of report authorisations that this very run makes.
    """

    change_set: ChangeSet
    before: Zone
    policy: DomainPolicy = field(default_factory=DomainPolicy)
    dns: Lookup = silent
    hosts: tuple[str, ...] = ()
    signer: Signer = Signer()
    held: frozenset[str] = frozenset()
    remembered: Zone | None = None
    reports_planned: frozenset[str] = frozenset()

    @property
    def domain(self) -> str:
        """The mail domain."""
        return self.change_set.place.domain

    @cached_property
    def after(self) -> Zone:
        """The zone as the changes leave it."""
        return applied(self.before, self.change_set.changes)

    @cached_property
    def lookup_before(self) -> ZoneLookup:
        """DNS as it would be if every server had the zone as it is."""
        return ZoneLookup(self.before, self.dns)

    @cached_property
    def lookup_after(self) -> ZoneLookup:
        """DNS as it will be when every server has the changes."""
        return ZoneLookup(self.after, self.dns)

    def hostnames(self, kind: Kind) -> tuple[str, ...]:
        """Where the change set is about records of this kind."""
        return tuple(hostname for own, hostname in self.change_set.slots() if own is kind)

    def texts(self, zone: Zone, kind: Kind, hostname: str) -> tuple[str, ...]:
        """The texts of a kind at a hostname."""
        return tuple(record.destination for record in zone.of_kind(kind, hostname))

    def is_touched(self, kind: Kind, hostname: str) -> bool:
        """Whether this change set changes a record of the kind there."""
        return any(c.kind is kind and c.hostname == hostname for c in self.change_set.changes)

    def is_written(self, kind: Kind, hostname: str) -> bool:
        """Whether this change set writes a record of the kind there, not only deletes one."""
        return any(
            change.kind is kind and change.after is not None and change.hostname == hostname
            for change in self.change_set.changes
        )
