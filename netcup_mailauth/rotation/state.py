"""One open rotation, and the book in which a domain's rotations are remembered. Pure.

The state names a step before it is taken, so that whoever comes after a crash knows what may have
been done; whether it was, the zone, the servers and the signer say.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from netcup_mailauth import dkim
from netcup_mailauth.names import relative
from netcup_mailauth.rotation.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from netcup_mailauth.dkim import PublicKey
    from netcup_mailauth.rotation.signer import SignerKey

SCHEMA = 1

CLOCK_SLACK = 1.0
"""Seconds that a clock may be set back without having gone backwards, as by NTP."""


class Phase(StrEnum):
    """Which step was begun last."""

    MAKING = "making"  # the signer is to make a key for later
    PUBLISHING = "publishing"  # its record is to be created
    WAITING = "waiting"  # the name servers are to have it
    SWITCHING = "switching"  # the signer is to sign with the other key
    GRACE = "grace"  # the key that is left stays published for a while
    RETIRING = "retiring"  # its record is to be removed


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two keys of a rotation: its selector, and its record (empty before it is made)."""

    selector: str
    record: str = ""

    @property
    def key(self) -> PublicKey | None:
        """The public key in the record."""
        return dkim.parse(self.record).key if self.record else None

    def is_key(self, held: SignerKey | None) -> bool:
        """Whether what the signer holds is this very key, under this selector."""
        return (
            held is not None
            and bool(self.record)
            and held.selector == self.selector
            and held.key == self.key
        )


@dataclass(frozen=True, slots=True)
class Rotation:
    """One open rotation.

    Attributes:
        domain: the mail domain.
        zone: the zone it lies in.
        signer: what signs, in words; nothing else may go on with this rotation.
        old: the key that signed when it began.
        new: the key that is to take its place.
        started: when it began, in seconds since 1970, as all times here.
        clock: the latest time seen; an earlier one means that the clock went backwards.
        grace: seconds that the old key stays published after the switch.
        revoke: the old record's key is emptied instead of the record removed.
        phase: which step was begun last.
        aborted: it goes back: ``SWITCHING`` is then to the old key, and the new one is left.
        since: when the signer was seen to have switched; ``None`` if it never did.
        watch: what is known of the new record at the name servers.
    """

    domain: str
    zone: str
    signer: str
    old: Side
    new: Side
    started: float
    clock: float
    grace: float
    revoke: bool = False
    phase: Phase = Phase.MAKING
    aborted: bool = False
    since: float | None = None
    watch: Watch = field(default_factory=Watch)

    @property
    def staying(self) -> Side:
        """The key that signs in the end."""
        return self.old if self.aborted else self.new

    @property
    def leaving(self) -> Side:
        """The key whose record goes in the end."""
        return self.new if self.aborted else self.old

    def name_of(self, side: Side) -> str:
        """The full name of a key's record."""
        return f"{side.selector}._domainkey.{self.domain}"

    def hostname_of(self, side: Side) -> str:
        """The hostname of a key's record in the zone."""
        return relative(self.name_of(side), self.zone)

    def hostnames(self) -> frozenset[str]:
        """The hostnames this rotation works on."""
        return frozenset((self.hostname_of(self.old), self.hostname_of(self.new)))

    def at(self, now: float) -> Rotation:
        """The rotation, now seen at this time. A clock that went backwards starts waits anew."""
        if now >= self.clock - CLOCK_SLACK:
            return replace(self, clock=max(now, self.clock))
        since = None if self.since is None else now
        return replace(self, clock=now, since=since, watch=Watch())

    def begun(self, phase: Phase) -> Rotation:
        """The rotation, with this step begun."""
        return replace(self, phase=phase)

    def switched(self, now: float) -> Rotation:
        """The rotation, once the signer was seen to sign with the key that stays."""
        return replace(self, phase=Phase.GRACE, since=now)


@dataclass(frozen=True, slots=True)
class Book:
    """What is remembered of a domain.

    Attributes:
        domain: the mail domain.
        open: its open rotation.
        used: selectors that rotations have used; none is used again.
        seen: for the fingerprint of a key, when it was first seen to sign.
    """

    domain: str
    open: Rotation | None = None
    used: tuple[str, ...] = ()
    seen: Mapping[str, float] = field(default_factory=dict)

    def opened(self, rotation: Rotation) -> Book:
        """The book with this rotation open; its new selector counts as used from now on."""
        used = dict.fromkeys((*self.used, rotation.new.selector))
        return replace(self, open=rotation, used=tuple(used))

    def closed(self) -> Book:
        """The book without an open rotation."""
        return replace(self, open=None)

    def seeing(self, key: PublicKey, now: float) -> Book:
        """The book, with this key seen to sign."""
        return replace(self, seen={key.fingerprint: now, **self.seen})


def dumps(book: Book) -> str:
    """The book as text."""
    document = {
        "schema": SCHEMA,
        "domain": book.domain,
        "open": None if book.open is None else _document(book.open),
        "used": list(book.used),
        "seen": dict(book.seen),
    }
    return json.dumps(document, indent=1)


def loads(text: str) -> Book:
    """The book that a text holds.

    Raises:
        ValueError: it holds none.
    """
    try:
        data = json.loads(text)
        if data["schema"] != SCHEMA:
            raise ValueError("the schema is not known")
        rotation = None if data["open"] is None else _rotation(data["open"])
        seen = {str(key): float(time) for key, time in data["seen"].items()}
        return Book(str(data["domain"]), rotation, tuple(map(str, data["used"])), seen)
    except (AttributeError, KeyError, TypeError, RecursionError, dkim.DkimSyntaxError) as error:
        raise ValueError(f"no book of rotations: {type(error).__name__}") from None


def _document(rotation: Rotation) -> dict[str, Any]:
    watch = rotation.watch
    return {
        "domain": rotation.domain,
        "zone": rotation.zone,
        "signer": rotation.signer,
        "old": {"selector": rotation.old.selector, "record": rotation.old.record},
        "new": {"selector": rotation.new.selector, "record": rotation.new.record},
        "started": rotation.started,
        "clock": rotation.clock,
        "grace": rotation.grace,
        "revoke": rotation.revoke,
        "phase": rotation.phase.value,
        "aborted": rotation.aborted,
        "since": rotation.since,
        "watch": {
            "since": dict(watch.since),
            "rounds": list(watch.rounds),
            "negative_ttl": watch.negative_ttl,
        },
    }


def _rotation(data: dict[str, Any]) -> Rotation:
    watch = data["watch"]
    return Rotation(
        domain=str(data["domain"]),
        zone=str(data["zone"]),
        signer=str(data["signer"]),
        old=_side(data["old"]),
        new=_side(data["new"]),
        started=float(data["started"]),
        clock=float(data["clock"]),
        grace=float(data["grace"]),
        revoke=data["revoke"] is True,
        phase=Phase(data["phase"]),
        aborted=data["aborted"] is True,
        since=None if data["since"] is None else float(data["since"]),
        watch=Watch(
            {str(server): float(time) for server, time in watch["since"].items()},
            tuple(map(float, watch["rounds"])),
            int(watch["negative_ttl"]),
        ),
    )


def _side(data: dict[str, Any]) -> Side:
    side = Side(str(data["selector"]), str(data["record"]))
    _ = side.key  # raises if it is no record
    return side
