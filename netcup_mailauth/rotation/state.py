"""One open rotation, and the book in which a domain's rotations are remembered, on the disk.

The state names a step before it is taken, so that whoever comes after a crash knows what may have
been done; whether it was, the zone, the servers and the signer say.

``<account folder>/rotations/<domain>.json``, beside it ``<domain>.key`` while a private key waits
to be handed over. Both are readable by their owner alone, written whole or not at all, and on the
disk before anything is done that rests on them.
"""

from __future__ import annotations

import json
import os
import re
from contextlib import suppress
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from string import ascii_lowercase
from typing import TYPE_CHECKING, Any

from netcup_mailauth import dkim, documents, records
from netcup_mailauth.clock import Uptime, jump
from netcup_mailauth.errors import MailauthError, UsageError
from netcup_mailauth.files import make_folder, read_private, sync_folder, write_private
from netcup_mailauth.kinds import same_meaning
from netcup_mailauth.policy import seconds
from netcup_mailauth.records import Kind, relative
from netcup_mailauth.rotation import FOLDER

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from datetime import date

    from netcup_mailauth.dkim import PublicKey
    from netcup_mailauth.policy import RotationSettings
    from netcup_mailauth.rotation.signers import SignerKey

DAY = 86400.0

SHORTEST_GRACE = 5 * DAY
"""Under this, mail that was on its way when the key changed may find its key gone: mail servers
try for up to five days (RFC 5321, 4.5.4.1)."""


@dataclass(frozen=True, slots=True)
class Waits:
    """How long a rotation waits for what. Every wait is a setting.

    Attributes:
        rounds: how often every name server has to answer with the new key before it is used.
        round_seconds: seconds from one such round to the next, at least.
        negative_ttl: seconds that caches may go on saying that there is no such key, after the
            last server has it; ``None`` for what the zone's SOA says (RFC 2308).
        grace: seconds that the old key stays published after the switch.
        retry: seconds until the name servers are worth asking again.
    """

    rounds: int = 2
    round_seconds: float = 60.0
    negative_ttl: float | None = None
    grace: float = 7 * DAY
    retry: float = 300.0


def waits_of(settings: RotationSettings, grace: str | None = None) -> Waits:
    """The waits that the config gives, or the usual ones; ``grace`` before that of the config."""
    spans = {
        "round_seconds": settings.between_rounds,
        "negative_ttl": settings.negative_ttl,
        "grace": grace or settings.grace,
        "retry": settings.retry,
    }
    given: dict[str, Any] = {name: seconds(text) for name, text in spans.items() if text}
    if settings.rounds is not None:
        given["rounds"] = settings.rounds
    return Waits(**given)


_STYLE = re.compile(r"s[0-9]{4}-[0-9]{2}[a-z]")


def is_rotation_style(selector: str) -> bool:
    """Whether a selector is one that a rotation, here or elsewhere, chose by itself.

    ``s2026-11a`` says when the key was made, and is never used twice.
    """
    return _STYLE.fullmatch(selector) is not None


def candidates(today: date) -> Iterator[str]:
    """The selectors for a key made today, in the order they are tried."""
    return (f"s{today:%Y-%m}{letter}" for letter in ascii_lowercase)


@dataclass(frozen=True, slots=True)
class Said:
    """What one server said in one round.

    Attributes:
        texts: the TXT texts at each name asked; a name that it gave no usable answer for is
            missing, and one that holds nothing has none.
        negative_ttl: how long caches keep a denial, in seconds, as its SOA says.
    """

    texts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    negative_ttl: int | None = None

    def has(self, name: str, record: str) -> bool | None:
        """Whether it has exactly ``record``, alone, at ``name``; ``None`` if it does not say."""
        found = self.texts.get(name)
        if found is None or self.negative_ttl is None:
            return None
        return len(found) == 1 and same_meaning(Kind.DKIM, found[0], record)


@dataclass(frozen=True, slots=True)
class Round:
    """What every server of the delegation said, asked at one moment.

    Attributes:
        time: when the last answer was there, in seconds since 1970. Until then a cache may have
            been told that there is no such key.
        said: each server's words, by its label.
    """

    time: float
    said: Mapping[str, Said]

    def is_everywhere(self, name: str, record: str) -> bool:
        """Whether every server, and at least one, has exactly this record."""
        return bool(self.said) and not self.lagging(name, record)

    def lagging(self, name: str, record: str) -> tuple[str, ...]:
        """The servers that do not have it, or do not say."""
        return tuple(s for s, said in self.said.items() if not said.has(name, record))


@dataclass(frozen=True, slots=True)
class Watch:
    """What is known of the new record at the servers, from one run to the next.

    The record may be used when every server of the delegation had it in several rounds in a row,
    and the caches that were told before that there is none have had the time to forget it: the
    zone's negative TTL (RFC 2308, 5) since the slowest server first had it.

    Attributes:
        since: for each server, since when it has answered with the record every time.
        rounds: when all of them did, in a row, far enough apart; the newest last.
        negative_ttl: the longest that any of them has named, in seconds.
    """

    since: Mapping[str, float] = field(default_factory=dict)
    rounds: tuple[float, ...] = ()
    negative_ttl: int = 0

    def after(self, asked: Round, name: str, record: str, waits: Waits) -> Watch:
        """What is known when this round has been heard, too."""
        has = {server: said.has(name, record) for server, said in asked.said.items()}
        # Silence proves nothing; who answers otherwise has it no longer, and who is new has to
        # show it as often as the others did.
        since = {
            server: self.since.get(server, asked.time)
            for server, it_has in has.items()
            if it_has or (it_has is None and server in self.since)
        }
        named = [said.negative_ttl or 0 for said in asked.said.values()]
        longest = max([self.negative_ttl, *named])
        if not asked.is_everywhere(name, record):
            return Watch(since, (), longest)
        before = self.rounds if set(self.since) >= set(since) else ()
        far_enough = not before or asked.time - before[-1] >= waits.round_seconds
        rounds = (*before, asked.time) if far_enough else before
        return Watch(since, rounds[-waits.rounds :], longest)

    def shifted(self, seconds: float) -> Watch:
        """The same, by a clock that was set forward by so much."""
        since = {server: time + seconds for server, time in self.since.items()}
        return Watch(since, tuple(time + seconds for time in self.rounds), self.negative_ttl)

    def ready_at(self, waits: Waits) -> float | None:
        """When the record may be used, if every round until then goes well.

        ``None`` while a server lacks it.
        """
        if not self.rounds:
            return None
        missing = max(0, waits.rounds - len(self.rounds))
        denial = self.negative_ttl if waits.negative_ttl is None else waits.negative_ttl
        return max(
            self.rounds[-1] + missing * waits.round_seconds, max(self.since.values()) + denial
        )


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
        signer: what signs, in words; nothing else may go on with this rotation.
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
        jumped = jump(self.clock, self.up, now, up)
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
        used: selectors that rotations have used; none is used again.
        seen: for the fingerprint of a key, when it was first seen to sign, since 1970.
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


FLEETING = frozenset({"tmpfs", "ramfs", "rootfs"})
"""File systems that are gone with the machine's power."""

MOUNTS = Path("/proc/self/mountinfo")


def read_book(folder: Path, domain: str) -> Book:
    """A domain's book in an account's folder of them; an empty one if there is none.

    Raises:
        MailauthError: it cannot be read, so nobody knows whether a rotation is open.
    """
    path = folder / f"{domain}.json"
    try:
        book = loads(read_private(path))
    except FileNotFoundError:
        return Book(domain)
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from None
    if book.domain != domain:
        raise _unreadable(path, ValueError("it is about another domain"))
    return book


def write_book(folder: Path, book: Book) -> None:
    """Have a book on the disk before this returns.

    Raises:
        MailauthError: it cannot be written; nothing may be done that rests on it.
    """
    try:
        make_folder(folder)
        write_private(folder / f"{book.domain}.json", dumps(book))
    except OSError as error:
        raise MailauthError(
            f"The state of the rotation cannot be kept in {folder}: {error.strerror or error}.",
            "Nothing was done. Make room, or name another folder in NETCUP_MAILAUTH_STATE_DIR.",
        ) from None


def opened_in(
    folder: Path, only: Collection[str] = ()
) -> list[tuple[str, Rotation | MailauthError]]:
    """The open rotations of an account by their domains, of all or of ``only`` these.

    A book that nobody can read stands as its error: that says nothing of the other domains.
    """
    found: list[tuple[str, Rotation | MailauthError]] = []
    for domain in sorted(path.stem for path in folder.glob("*.json")):
        if only and domain not in only:
            continue
        try:
            rotation = read_book(folder, domain).open
        except MailauthError as error:
            found.append((domain, error))
            continue
        if rotation is not None:
            found.append((domain, rotation))
    return found


def _unreadable(path: Path, error: Exception) -> MailauthError:
    why = getattr(error, "strerror", None) or error
    if isinstance(error, NewerBookError):
        return MailauthError(
            f"The state of rotations in {path} cannot be read: {why}.",
            "Run the version that wrote it, or update this one: pip install -U netcup-mailauth",
        )
    return MailauthError(
        f"The state of rotations in {path} cannot be read: {why}.",
        "Put the file back from a backup. Without it, nobody knows whether a rotation is open.",
    )


def held(accounts: Iterable[Path], domain: str) -> frozenset[str]:
    """The hostnames that an open rotation of a domain works on, under any of these accounts.

    Raises:
        MailauthError: a book cannot be read.
    """
    rotations = (read_book(account / FOLDER, domain).open for account in accounts)
    return frozenset().union(*(rotation.hostnames() for rotation in rotations if rotation))


def check_lasting(account: Path) -> None:
    """Make sure that what is written to a state folder is there after a restart.

    A rotation whose state is lost cannot be finished by anybody. What a container keeps to itself
    is lost, too, but cannot be told from here.

    Raises:
        MailauthError: it lies on a file system in memory, or cannot be synced to the disk.
    """
    kind = filesystem(account)
    if kind in FLEETING:
        raise MailauthError(
            f"The state folder {account} lies in memory ({kind}), so an open rotation would be "
            "forgotten at the next restart.",
            "Nothing was done. Name a folder on a disk in NETCUP_MAILAUTH_STATE_DIR.",
        )
    try:
        sync_folder(account)
    except OSError as error:
        raise MailauthError(
            f"The state folder {account} cannot be synced to the disk: {error.strerror or error}.",
            "Nothing was done. Name a folder on a local disk in NETCUP_MAILAUTH_STATE_DIR.",
        ) from None


def filesystem(path: Path, mounts: Path = MOUNTS) -> str | None:
    """The sort of file system that a path lies on; ``None`` where the system does not say."""
    target = os.path.realpath(path)
    best, kind = "", None
    with suppress(OSError, ValueError, IndexError):
        for line in mounts.read_text(encoding="utf-8", errors="replace").splitlines():
            before, _, after = line.partition(" - ")
            # Blanks in a mount point are written in octal.
            point = before.split(" ")[4].replace("\\040", " ")
            inside = target == point or target.startswith(f"{point.rstrip('/')}/")
            # Of two mounts on one point the later one hides the earlier.
            if inside and len(point) >= len(best):
                best, kind = point, after.split(" ")[0]
    return kind
