"""What is known of a rotation at one moment, and the steps that may be due."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from netcup_mailauth.dkim import PublicKey
    from netcup_mailauth.rotation.signer import SignerKey, Users
    from netcup_mailauth.rotation.watch import Round


class Source(StrEnum):
    """Who is to be asked before anything can be decided; both cost time."""

    SERVERS = "servers"  # every name server of the delegation
    USERS = "users"  # the signer: who else signs with the key that is to go


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known at one moment.

    Attributes:
        now: the time, in seconds since 1970.
        at_old: what the API has at the old selector: TXT texts, and ``CNAME target``.
        at_new: the same at the new one.
        pointing: hostnames in the zone that are an alias of the record that is to go.
        strangers: hostnames of rotated keys that are neither the signer's nor ours.
        current: the key that signs.
        prepared: the key that was made for later.
        parked: the key that signed before the switch.
        round: what the name servers said just now; ``None`` if they were not asked.
        users: other domains that sign with the key that is to go; ``None`` if not asked.
        clocks: why the clock is not to be believed; ``None`` if nothing speaks against it.
    """

    now: float
    at_old: tuple[str, ...] = ()
    at_new: tuple[str, ...] = ()
    pointing: tuple[str, ...] = ()
    strangers: tuple[str, ...] = ()
    current: SignerKey | None = None
    prepared: SignerKey | None = None
    parked: SignerKey | None = None
    round: Round | None = None
    users: Users | None = None
    clocks: Stop | None = None

    @property
    def signing(self) -> PublicKey | None:
        """The key that signs, under whatever selector."""
        return self.current.key if self.current else None


@dataclass(frozen=True, slots=True)
class Make:
    """Have the signer make a key for later."""


@dataclass(frozen=True, slots=True)
class Publish:
    """Create the new key's record, if it is not there yet."""


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask, and decide again."""

    whom: Source


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing is due.

    Attributes:
        until: when to look again; ``None`` where that is not a matter of time.
        reason: a sentence on what is waited for.
        servers: the name servers that are waited for.
    """

    until: float | None
    reason: str
    servers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Switch:
    """Have the signer sign with the key that stays: the new one, or after an abort the old one."""


@dataclass(frozen=True, slots=True)
class Switched:
    """The signer already does; the grace begins."""


@dataclass(frozen=True, slots=True)
class Forward:
    """The old key cannot sign again, so the abort is taken back.

    Attributes:
        reason: why not.
    """

    reason: str


@dataclass(frozen=True, slots=True)
class Retire:
    """Remove the record of the key that is left, tidy up at the signer, and close the book."""


@dataclass(frozen=True, slots=True)
class Stop:
    """Nothing can be done until somebody has looked at it.

    Attributes:
        reason: a sentence on what is not as it should be.
        advice: a sentence on what to do.
    """

    reason: str
    advice: str


Step = Make | Publish | Ask | Wait | Switch | Switched | Forward | Retire | Stop
"""What is due. A rotation that was retired is done, and has no step any more."""
