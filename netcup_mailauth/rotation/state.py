"""One open rotation, and the book in which a domain's rotations are remembered. Pure.

The state names a step before it is taken, so that whoever comes after a crash knows what may have
been done; whether it was, the zone, the servers and the signer say.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from netcup_mailauth import dkim, documents, records
from netcup_mailauth.errors import UsageError
from netcup_mailauth.records import relative
from netcup_mailauth.rotation import clocks
from netcup_mailauth.rotation.clocks import Uptime
from netcup_mailauth.rotation.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from netcup_mailauth.dkim import PublicKey
    from netcup_mailauth.rotation.signer import SignerKey

SCHEMA = 1

CLOCK_SLACK = 1.0
"""Seconds that a clock may be set back without having gone backwards, as by NTP."""


LATEST = 95617584000.0
"""The year 5000: no time in a book is that late, and a date can show the sum of two before it."""


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
        up: how long the machine ran at ``clock``; ``None`` where that is not known.
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
    up: Uptime | None = None

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

    def at(self, now: float, up: Uptime | None = None) -> Rotation:
        """The rotation, now seen at this time and uptime; a wait never gets shorter by a clock.

        A clock that went backwards starts waits anew. One that went further than the time that
        passed takes them along. Where that cannot be told, because the machine was restarted, the
        short waits for caches start anew, and the long one goes by the clock alone.
        """
        if now < self.clock - CLOCK_SLACK:
            since = None if self.since is None else now
            return replace(self, clock=now, since=since, watch=Watch(), up=up)
        seen = replace(self, clock=max(now, self.clock), up=up)
        jumped = clocks.jump(self.clock, self.up, now, up)
        if jumped is None:
            restarted = self.up is not None and up is not None
            return replace(seen, watch=Watch()) if restarted else seen
        if jumped <= 0:
            return seen
        since = None if self.since is None else self.since + jumped
        return replace(seen, since=since, watch=self.watch.shifted(jumped))

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
        NewerBookError: a newer version of this program wrote it.
        ValueError: it holds none.
    """
    try:
        data = documents.loads(text)
        if isinstance(data["schema"], int) and data["schema"] > SCHEMA:
            raise NewerBookError(f"a newer version wrote it (schema {data['schema']})")
        if data["schema"] != SCHEMA:
            raise ValueError("the schema is not known")
        rotation = None if data["open"] is None else _rotation(data["open"])
        seen = {str(key): _time(time) for key, time in data["seen"].items()}
        return Book(str(data["domain"]), rotation, tuple(map(str, data["used"])), seen)
    except (AttributeError, KeyError, TypeError, RecursionError) as error:
        raise ValueError(f"no book of rotations: {type(error).__name__}") from None
    except (UsageError, dkim.DkimSyntaxError):
        raise ValueError("no book of rotations: a name or a record in it is none") from None


class NewerBookError(ValueError):
    """A newer version of this program wrote the book."""


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
        "boot": None if rotation.up is None else rotation.up.boot,
        "uptime": None if rotation.up is None else rotation.up.seconds,
        "watch": {
            "since": dict(watch.since),
            "rounds": list(watch.rounds),
            "negative_ttl": watch.negative_ttl,
        },
    }


def _rotation(data: dict[str, Any]) -> Rotation:
    watch = data["watch"]
    relative(_name(data["domain"]), _name(data["zone"]))  # raises if it lies elsewhere
    return Rotation(
        domain=_name(data["domain"]),
        zone=_name(data["zone"]),
        signer=str(data["signer"]),
        old=_side(data["old"]),
        new=_side(data["new"]),
        started=_time(data["started"]),
        clock=_time(data["clock"]),
        grace=_time(data["grace"]),
        revoke=data["revoke"] is True,
        phase=Phase(data["phase"]),
        aborted=data["aborted"] is True,
        since=None if data["since"] is None else _time(data["since"]),
        watch=Watch(
            {str(server): _time(time) for server, time in watch["since"].items()},
            tuple(map(_time, watch["rounds"])),
            int(_time(watch["negative_ttl"])),
        ),
        up=_uptime(data.get("boot"), data.get("uptime")),
    )


def _time(value: object) -> float:
    """Seconds, of a moment or of a span.

    Raises:
        ValueError: they are none, or so many that no date could show them.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("a time in it is no number")
    if not 0 <= value < LATEST:
        raise ValueError("a time in it is none that can be")
    return float(value)


def _uptime(boot: object, seconds: object) -> Uptime | None:
    """The uptime, which a book from an earlier version does not have."""
    return None if boot is None or seconds is None else Uptime(str(boot), _time(seconds))


def _name(value: object) -> str:
    name = str(value)
    if records.normalise(name) != name:
        raise ValueError("a name in it is not as this program writes it")
    return name


def _side(data: dict[str, Any]) -> Side:
    side = Side(records.selector(str(data["selector"])), str(data["record"]))
    _ = side.key  # raises if it is no record
    return side
