"""How the rotation of a domain begins: a draft that is shown, and the book that it is opened in.

And since when a key signs, for who asks whether one is due.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING

from netcup_mailauth import dkim
from netcup_mailauth.errors import MailauthError, RecordError, RefusedError, StaleError, ZoneError
from netcup_mailauth.kinds import same_meaning
from netcup_mailauth.plan import left
from netcup_mailauth.records import Kind
from netcup_mailauth.rotation.state import (
    Rotation,
    Side,
    Waits,
    Watch,
    candidates,
    read_book,
    write_book,
)
from netcup_mailauth.rotation.zone import look, records_at, selectors_in, strangers

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from netcup_mailauth.actions.session import Session
    from netcup_mailauth.dkim import PublicKey
    from netcup_mailauth.plan import ChangeSet
    from netcup_mailauth.policy import Wish
    from netcup_mailauth.records import Zone
    from netcup_mailauth.rotation.signers import Signer, SignerKey
    from netcup_mailauth.rotation.state import Book
    from netcup_mailauth.state.journal import Entry

MOST_TRIED = 3
"""Selectors that DNS is asked about; if it knows that many, it answers for any name."""


@dataclass(frozen=True, slots=True)
class Rotator:
    """What the rotation of one domain is carried on with: the run, the wish, and its own state."""

    session: Session
    wish: Wish
    signer: Signer
    folder: Path
    waits: Waits = field(default_factory=Waits)

    @property
    def domain(self) -> str:
        """The mail domain."""
        return self.wish.domain


def draft(rotator: Rotator, *, revoke: bool = False) -> Rotation:
    """The rotation that could begin now. Nothing is written anywhere.

    Raises:
        RefusedError: there is no sound key to begin from, or another rotation may be going on.
        MailauthError: somebody did not answer.
    """
    session, domain, signer = rotator.session, rotator.domain, rotator.signer
    zone_name = rotator.wish.policy.zone or session.zone_of(domain)
    book = read_book(rotator.folder, domain)
    current = signer.current(domain)
    if current is None:
        raise RefusedError(
            f"{signer.name} has no DKIM key for {domain}, so there is none to replace.",
            "Make a first one there, and publish it with apply.",
        )
    zone = session.backend.zone(zone_name)
    now = session.clock.time()
    _check_that_nobody_is_at_it(zone, book, current)
    check_that_no_key_waits(signer.name, book, signer.prepared(domain))
    selector, negative_ttl = _free_selector(session, zone, book, now)
    rotation = Rotation(
        domain,
        zone.name,
        signer.name,
        Side(current.selector, current.record),
        Side(selector),
        started=now,
        clock=now,
        grace=rotator.waits.grace,
        revoke=revoke,
        watch=Watch(negative_ttl=negative_ttl),
    )
    _check_that_the_old_is_published(zone, rotation)
    return rotation


def _check_that_nobody_is_at_it(zone: Zone, book: Book, current: SignerKey) -> None:
    found = strangers(zone, book.domain, {*book.used, current.selector})
    if found:
        raise RefusedError(
            f"{', '.join(found)} is a rotated key that is neither the signer's nor known here: "
            "another machine may be rotating.",
            "Let that machine finish. If there is none, delete the record in the CCP.",
        )


def check_that_no_key_waits(signer: str, book: Book, ready: SignerKey | None) -> None:
    """Raise if a key is held ready that another machine had made; a new one would replace it."""
    # What was left by a rotation of ours that ended half way is no sign of another machine.
    if ready is not None and ready.selector not in book.used:
        raise RefusedError(
            f"{signer} holds a key for {book.domain} ready ({ready.selector}) that is "
            "not of a rotation here: another machine may be rotating.",
            "Let that machine finish. If there is none, delete that key at the signer.",
        )


def _check_that_the_old_is_published(zone: Zone, rotation: Rotation) -> None:
    found = records_at(zone, rotation.hostname_of(rotation.old))
    if len(found) != 1 or not same_meaning(Kind.DKIM, found[0], rotation.old.record):
        raise RefusedError(
            f"{rotation.name_of(rotation.old)} does not hold the very key that "
            f"{rotation.signer} signs with now.",
            f"Put that right first: netcup-mailauth apply {rotation.domain}"
            + (" --dkim mailcow" if rotation.signer.startswith("mailcow at ") else ""),
        )


def _free_selector(session: Session, zone: Zone, book: Book, now: float) -> tuple[str, int]:
    """A selector that was never used, and that neither the API nor any server knows.

    With it comes how many seconds caches may keep that there is none.
    """
    taken = selectors_in(zone, book.domain) | {*book.used}
    free = (
        name for name in candidates(datetime.fromtimestamp(now, UTC).date()) if name not in taken
    )
    for selector in islice(free, MOST_TRIED):
        name = f"{selector}._domainkey.{book.domain}"
        said = look(session, zone.name, [name]).said
        silent = [server for server, words in said.items() if name not in words.texts]
        if silent or not said:
            raise ZoneError(
                f"{', '.join(silent) or 'No name server'} does not say whether there is a "
                f"{name}; every name server has to.",
                "Try again when it answers; rotate needs all of them.",
            )
        if not any(words.texts[name] for words in said.values()):
            return selector, max(words.negative_ttl or 0 for words in said.values())
    raise RefusedError(
        f"Every new selector of {book.domain} that was tried is taken this month, or its name "
        "servers answer for any name (a wildcard record).",
        "Delete the wildcard, or wait for the next month.",
    )


def begin(rotator: Rotator, drafted: Rotation) -> None:
    """Write a new rotation into its book: from here on it is open.

    Raises:
        RefusedError: there is one already.
        StaleError: another key signs than when it was drafted.
        MailauthError: it cannot be written, or the signer does not answer.
    """
    book = read_book(rotator.folder, drafted.domain)
    if book.open is not None:
        raise RefusedError(
            f"A rotation of {drafted.domain} is open already.", "Go on with it: --continue"
        )
    if not drafted.old.is_key(rotator.signer.current(drafted.domain)):
        raise StaleError(
            f"{drafted.signer} signs for {drafted.domain} with another key than when this "
            "rotation was shown.",
            "Nothing was written. Run the same command again, and look at what it shows then.",
        )
    key = drafted.old.key
    seen = book if key is None else book.seeing(key, drafted.started)
    write_book(rotator.folder, seen.opened(drafted))


def note_age(rotator: Rotator, entries: Iterable[Entry]) -> float:
    """Since when the key that signs is known; one that was never seen is counted from now on.

    Raises:
        MailauthError: the signer has no key, or the book cannot be written.
    """
    domain, current = rotator.domain, rotator.signer.current(rotator.domain)
    if current is None:
        raise MailauthError(
            f"{rotator.signer.name} has no DKIM key for {domain}.", "Make a first one there."
        )
    book, now = read_book(rotator.folder, domain), rotator.session.clock.time()
    since = signing_since(current.key, book, entries)
    if since is None:
        write_book(rotator.folder, book.seeing(current.key, now))
        rotator.session.reporter.note(
            f"{domain}: since when {current.selector} signs is not known; it is counted from now."
        )
    return now if since is None else since


def signing_since(key: PublicKey, book: Book, entries: Iterable[Entry]) -> float | None:
    """Since when a key is known to have been in use, in seconds since 1970; ``None`` if never.

    DNS has no dates. What is known is when a rotation here saw it sign, and when a write of ours
    published it or found it published.
    """
    known = [book.seen[key.fingerprint]] if key.fingerprint in book.seen else []
    for entry in entries:
        if key in _keys_in(entry.change_set):
            known.append(datetime.fromisoformat(entry.time).timestamp())
    return min(known, default=None)


def _keys_in(change_set: ChangeSet) -> list[PublicKey]:
    """The keys that a write left published."""
    found = []
    for record in (record for kind, record in left(change_set) if kind is Kind.DKIM):
        try:
            key = dkim.parse(record.destination).key
        except RecordError:
            continue
        found += [key] if key else []
    return found
