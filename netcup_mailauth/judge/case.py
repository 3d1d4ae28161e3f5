"""What a change is judged by: the zone before and after it, and all else that bears on it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from netcup_mailauth.dmarc import ComingLookup
from netcup_mailauth.kinds import in_effect
from netcup_mailauth.lookup import ZoneLookup, silent
from netcup_mailauth.plan import applied
from netcup_mailauth.policy import DomainPolicy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from netcup_mailauth.dkim import PublicKey
    from netcup_mailauth.lookup import Lookup
    from netcup_mailauth.plan import ChangeSet
    from netcup_mailauth.records import Kind, Zone


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
        policy: what was asked for. Its ``drop`` is the consent to what it names, and ``parked``
            to everything that stops the domain from sending.
        dns: answers for names outside the zone.
        hosts: what sends this domain's mail, as host names or addresses; where it is empty the
            MX hosts are taken for it.
        held: hostnames that an open key rotation works on.
        remembered: the zone as it was after this machine's last write.
        coming: the DMARC records and report authorisations that this run makes elsewhere, by name.
        dkim_left_out: the domain is to have a key, and that is not looked at in this run.
    """

    change_set: ChangeSet
    before: Zone
    policy: DomainPolicy = field(default_factory=DomainPolicy)
    dns: Lookup = silent
    hosts: tuple[str, ...] = ()
    signer: Signer = Signer()
    held: frozenset[str] = frozenset()
    remembered: Zone | None = None
    coming: Mapping[str, str] = field(default_factory=dict)
    dkim_left_out: bool = False

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

    @property
    def lookup_after_run(self) -> ComingLookup:
        """DNS as it will be when the changes of every domain of the run are there."""
        return ComingLookup(self.coming, self.lookup_after)

    def with_only(self, kind: Kind) -> Zone:
        """The zone as the changes of one kind alone leave it."""
        own = (change for change in self.change_set.changes if change.kind is kind)
        return applied(self.before, tuple(own))

    def hostnames(self, kind: Kind) -> tuple[str, ...]:
        """Where the change set is about records of this kind."""
        return tuple(hostname for own, hostname in self.change_set.slots() if own is kind)

    def texts(self, zone: Zone, kind: Kind, hostname: str) -> tuple[str, ...]:
        """The texts of a kind that are in effect at a hostname."""
        return in_effect(zone, kind, hostname)

    def is_touched(self, kind: Kind, hostname: str) -> bool:
        """Whether this change set changes a record of the kind there."""
        return any(c.kind is kind and c.hostname == hostname for c in self.change_set.changes)

    def written(self, kind: Kind, hostname: str) -> tuple[str, ...]:
        """The texts of the kind that this change set writes there."""
        return tuple(
            change.after.destination
            for change in self.change_set.changes
            if change.kind is kind and change.after is not None and change.hostname == hostname
        )

    def is_written(self, kind: Kind, hostname: str) -> bool:
        """Whether this change set writes a record of the kind there, not only deletes one."""
        return bool(self.written(kind, hostname))
