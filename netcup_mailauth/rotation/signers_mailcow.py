"""A mailcow that signs, and is given its next key by copying or by import.

mailcow holds one key for each name, and writes it in parts. A key that is not to sign lies under a
parking name: ``add/dkim_duplicate`` copies to any name, and nobody can send mail from a name below
``.invalid`` (RFC 2606). mailcow's page of DKIM keys shows them among those of unknown domains.

mailcow writes the public half, the selector and the private half one after another. rspamd signs
with the private half under the selector that is there, so whatever else is written already: until
the selector is new, the old key signs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from netcup_mailauth.dkim import MAILCOW_PAGE
from netcup_mailauth.errors import (
    ApiError,
    KeySourceError,
    MailauthError,
    TransportError,
    UnverifiedError,
    UsageError,
)
from netcup_mailauth.keys.mailcow import MailcowWriting
from netcup_mailauth.keys.private import BITS, generate
from netcup_mailauth.rotation.signers import KeyFile, SignerKey, Users, Writes, key_file
from netcup_mailauth.rotation.state import is_rotation_style

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from netcup_mailauth.dkim import PublicKey
    from netcup_mailauth.keys.mailcow import Mailcow

LONGEST_NAME = 253
"""Characters in a domain name; ``delete/dkim`` refuses a longer one (is_valid_domain_name)."""


def prepared_name(domain: str) -> str:
    """Where the key lies that a domain is to sign with next; `UsageError` if that is too long."""
    return _parking(domain, "new-key.invalid")


def parked_name(domain: str) -> str:
    """Where the key lies that a domain signed with before."""
    return _parking(domain, "old-key.invalid")


def _parking(domain: str, below: str) -> str:
    name = f"{domain}.{below}"
    if len(name) > LONGEST_NAME:
        raise UsageError(
            f"The name {domain} is so long that mailcow cannot keep a second key for it.",
            "Make a new key in mailcow by hand, and apply.",
        )
    return name


class MailcowKeys:
    """The keys at one mailcow, by its read-write key: what both ways to rotate there share.

    Every move is read back. All of it raises ``MailauthError`` where mailcow cannot be asked, or
    where it is not certain that what was to be written is there: ``UnverifiedError`` if something
    else is.
    """

    helper = ""
    """A domain in which new keys are made, and which never signs; empty where there is none."""

    def __init__(self, mailcow: Mailcow) -> None:
        self.mailcow = mailcow
        self.writing = MailcowWriting(mailcow)

    @property
    def ahead(self) -> dict[str, float]:
        """See ``Signer``."""
        return {} if self.mailcow.ahead is None else {"mailcow": self.mailcow.ahead}

    def at(self, name: str) -> SignerKey | None:
        """The key under a name; ``None`` for none, or for half of one that mailcow left there."""
        try:
            found = self.mailcow.dkim(name)
        except KeySourceError:
            return None
        if found is None or found.selector is None or found.key is None:
            return None
        return SignerKey(found.selector, found.record, found.key)

    def signing(self, domain: str, prepared: SignerKey | None) -> SignerKey | None:
        """The key that a domain's mail is signed with.

        Where mailcow failed in the middle of a copy, the public half of one key lies beside the
        selector of the other; it is the selector that rspamd follows.
        """
        shown = self.at(domain)
        if shown is None or prepared is None or not is_mixed(shown, prepared):
            return shown
        parked = self.at(parked_name(domain))
        if parked is None:
            return shown
        if shown.key == prepared.key:
            return parked if shown.selector == parked.selector else shown
        return prepared if shown.key == parked.key else shown

    def others(self, domain: str, key: PublicKey) -> Users:
        """See ``Signer``. mailcow is asked for each of its domains; the helper is left out.

        A list that does not have ``domain``, or what that is an alias of, is none of all domains.
        """
        try:
            served = self.mailcow.served()
            if not {domain, served.aliases.get(domain, domain)} & served.domains:
                return Users(unsure=f"{domain} is not in the list of domains that mailcow gives")
            names = sorted(served.active - {domain, self.helper})
            found = {name: self.mailcow.dkim(name) for name in names}
        except TransportError:
            raise
        except (ApiError, KeySourceError) as error:
            return Users(unsure=f"who signs with its key is not known: {error.what.rstrip('.')}")
        return Users(tuple(name for name, held in found.items() if held and held.key == key))

    def park(self, domain: str, prepared: SignerKey) -> None:
        """Have the key that signs lie under the parking name too, before it is replaced.

        A copy that may lack its private half is made anew. Where mailcow has begun to put the
        prepared key in place, nothing is parked: the old key was, before that.
        """
        current, name = self.at(domain), parked_name(domain)
        if current is None or _has_part_of(current, prepared):
            return
        there = self.at(name)
        if there is not None and there.selector != current.selector:
            self.writing.delete(name)  # or its private half would stay behind
        self.put(domain, name, current)

    def parked(self, domain: str) -> SignerKey | None:
        """See ``Signer``."""
        return self.at(parked_name(domain))

    def switch_back(self, domain: str) -> SignerKey:
        """See ``Signer``."""
        old = self.at(parked_name(domain))
        if old is None:
            raise MailauthError(
                f"mailcow does not hold the key any more that {domain} signed with before.",
                "Rotate forward: rotate --continue",
            )
        return self.put(parked_name(domain), domain, old)

    def put(self, source: str, target: str, wanted: SignerKey) -> SignerKey:
        """Copy a key whole, and read back what lies at ``target`` then."""
        self.certainly(lambda: self.writing.duplicate(source, target), target, wanted)
        return self.check(target, wanted)

    def certainly(self, write: Callable[[], bool], target: str, wanted: SignerKey) -> None:
        """Write until mailcow has confirmed it, twice at most.

        mailcow shows neither a private half nor that it lacks one. A write that can be seen but
        was not confirmed is therefore made once more; that is no other write than before.
        """
        try:
            if write():
                return
        except ApiError:
            if not _is(self.at(target), wanted):
                raise
        if not self._confirmed(write):
            raise UnverifiedError(
                f"mailcow shows the key {wanted.selector} for {target}, but did not confirm that "
                "it has written its private half.",
                "Send yourself a mail from there. If it is not signed, go back: rotate --abort",
            )

    def _confirmed(self, write: Callable[[], bool]) -> bool:
        try:
            return write()
        except ApiError:
            return False

    def check(self, name: str, wanted: SignerKey) -> SignerKey:
        """Make sure that a key lies under a name."""
        found = self.at(name)
        if found is not None and _is(found, wanted):
            return found
        what = f"{found.selector}, {found.key.fingerprint}" if found else "none"
        raise UnverifiedError(
            f"mailcow should hold the key {wanted.selector}, {wanted.key.fingerprint}, for {name}, "
            f"but holds {what}.",
            "Somebody else may be changing keys there. Run the same command again.",
        )

    def discard(self, domain: str) -> None:
        """See ``Signer``: the keys under the domain's parking names go.

        They are removed even where none shows: a private half may have stayed behind.
        """
        self.writing.delete(prepared_name(domain), parked_name(domain))


def is_mixed(shown: SignerKey, prepared: SignerKey) -> bool:
    """Whether this is the half of the prepared key that mailcow had written when it failed."""
    return (shown.key == prepared.key) is not (shown.selector == prepared.selector)


def _has_part_of(shown: SignerKey, prepared: SignerKey) -> bool:
    return shown.key == prepared.key or shown.selector == prepared.selector


def _is(found: SignerKey | None, wanted: SignerKey) -> bool:
    return found is not None and (found.selector, found.key) == (wanted.selector, wanted.key)


class MailcowSigner(MailcowKeys):
    """Rotates by ``dkim_duplicate``: mailcow makes the key, and no private key leaves the server.

    mailcow makes a key only where it begins to sign with it at once. So it is made for ``helper``,
    a domain of this mailcow from which nobody sends, and copied from there (the way described in
    mailcow issue 5637).

    A copy is known to be whole only when mailcow has confirmed it. Until then its source is kept:
    the helper's key until the copy of it is whole, the prepared key until it signs.
    """

    def __init__(self, mailcow: Mailcow, helper: str, *, bits: int = BITS) -> None:
        super().__init__(mailcow)
        self.name = f"mailcow at {mailcow.host}"
        self.helper = helper.lower()
        self.bits = bits

    def current(self, domain: str) -> SignerKey | None:
        """See ``Signer``. Half a key, which mailcow may leave when it fails, is none."""
        return self.signing(domain, self.prepared(domain))

    def writes(self) -> Writes:
        """See ``Signer``."""
        ready, parked = prepared_name("DOMAIN"), parked_name("DOMAIN")
        return Writes(
            (
                f"{self.name} makes a new key for {self.helper} (add/dkim).",
                f"It is copied to {ready}, where it waits (add/dkim_duplicate).",
                f"It is removed from {self.helper} (delete/dkim).",
            ),
            (
                f"The key that signs now is copied to {parked} (add/dkim_duplicate).",
                "The new key is copied to DOMAIN, and signs from then on (add/dkim_duplicate).",
            ),
            (f"The keys at {ready} and {parked} are removed (delete/dkim).",),
        )

    def prepare(self, domain: str, selector: str) -> SignerKey:
        """See ``Signer``. A key waiting under another selector is of an abandoned rotation."""
        self._check(domain)
        ready = self.prepared(domain)
        if ready is not None and ready.selector != selector:
            ready = None
        if ready is None:
            self.discard(domain)
            return self._take(domain, self._make(selector))
        made = self.at(self.helper)
        # Only after a whole copy is the helper emptied; what else it holds is not ours to judge.
        if made is not None and made.key == ready.key:
            return self._take(domain, made)
        return ready

    def prepared(self, domain: str) -> SignerKey | None:
        """See ``Signer``."""
        return self.at(prepared_name(domain))

    def switch(self, domain: str) -> SignerKey:
        """See ``Signer``. The domain is never without a key: a copy overwrites.

        It is made even where the new key shows: mailcow does not show that it lacks a private half.
        """
        new = self.prepared(domain)
        if new is None:
            raise _nothing(f"{self.name} holds no key for {domain} to switch to.")
        self.park(domain, new)
        return self.put(prepared_name(domain), domain, new)

    def _check(self, domain: str) -> None:
        if domain == self.helper:
            raise UsageError(
                f"{domain} is the helper domain, whose key is made and removed at every rotation.",
                "Name another domain in [mailcow] helper_domain: one from which nobody sends mail.",
            )

    def _make(self, selector: str) -> SignerKey:
        """A new key at the helper, after what a rotation that crashed has left there is removed."""
        left = self.at(self.helper)
        if left is not None and not is_rotation_style(left.selector):
            raise MailauthError(
                f"The helper domain {self.helper} has a DKIM key of its own ({left.selector}, "
                f"{left.key.fingerprint}), which no rotation made.",
                f"If nobody sends mail from there, delete the key in mailcow ({MAILCOW_PAGE}); "
                "else name another domain in [mailcow] helper_domain.",
            )
        if not self.writing.is_empty(self.helper):
            self.writing.delete(self.helper)
        if not self.writing.add(self.helper, selector, self.bits):
            raise UnverifiedError(
                f"mailcow shows a new key for {self.helper}, but did not confirm that it has "
                "written its private half.",
                "Run the same command again: it removes that key and makes another.",
            )
        made = self.at(self.helper)
        if made is None:
            raise _nothing(f"The new key is gone from {self.helper}.")
        return made

    def _take(self, domain: str, made: SignerKey) -> SignerKey:
        """Copy the helper's key to where it waits, and empty the helper once the copy is whole."""
        ready = self.put(self.helper, prepared_name(domain), made)
        self.writing.delete(self.helper)
        return ready


def _nothing(what: str) -> MailauthError:
    return MailauthError(
        what, "Somebody else may be changing keys there. Look at it: rotate --status"
    )


class MailcowImportSigner(MailcowKeys):
    """Rotates by ``dkim_import`` of a key that is made here, and waits in ``folder``.

    For who has no helper domain. mailcow writes the private key into its API log, and deletes the
    old key before it sets the new one. It knows RSA keys only.
    """

    def __init__(self, mailcow: Mailcow, folder: Path) -> None:
        super().__init__(mailcow)
        self.name = f"mailcow at {mailcow.host}, by import"
        self._folder = folder

    def current(self, domain: str) -> SignerKey | None:
        """See ``Signer``. In the middle of an import there is none."""
        return self.signing(domain, self.prepared(domain))

    def writes(self) -> Writes:
        """See ``Signer``."""
        parked = parked_name("DOMAIN")
        return Writes(
            (f"A new key is made here, and waits in {key_file(self._folder, 'DOMAIN').path}.",),
            (
                f"The key that signs now is copied to {parked} (add/dkim_duplicate).",
                "The new key is imported and signs from then on (add/dkim_import). mailcow writes "
                "it, private half and all, into its API log, where administrators can read it; and "
                "for an instant DOMAIN has no key.",
                "The private key is removed from this machine.",
            ),
            (f"The key at {parked} is removed (delete/dkim).",),
        )

    def prepare(self, domain: str, selector: str) -> SignerKey:
        """See ``Signer``. A key waiting under another selector is of an abandoned rotation."""
        ready = self.prepared(domain)
        if ready is not None and ready.selector == selector:
            return ready
        self.writing.delete(parked_name(domain))
        new = generate()
        self._file(domain).keep(selector, new)
        return _as_mailcow_shows(selector, new.public)

    def prepared(self, domain: str) -> SignerKey | None:
        """See ``Signer``."""
        kept = self._file(domain).read()
        return None if kept is None else _as_mailcow_shows(*kept)

    def switch(self, domain: str) -> SignerKey:
        """See ``Signer``. The private key is gone from here when this returns.

        As long as it is here, mailcow has not confirmed that it has the whole of it.
        """
        new = self.prepared(domain)
        if new is None:
            raise self._file(domain).gone(domain)
        held = self.at(domain)
        handed_over = self._file(domain).private_pem() is None
        if held is None or not _is(held, new) or not handed_over:
            self.park(domain, new)
            held = self._import(domain, new)
        self._file(domain).forget_private()
        return held

    def _import(self, domain: str, new: SignerKey) -> SignerKey:
        private = self._file(domain).private_pem()
        if private is None:
            raise MailauthError(
                f"The new key of {domain} was handed to mailcow before, which does not sign with "
                "it any more; its private half is not here any longer.",
                "End the rotation, and begin another: rotate --abort",
            )
        self.certainly(
            lambda: self.writing.import_key(domain, new.selector, private, new.key),
            domain,
            new,
        )
        return self.check(domain, new)

    def discard(self, domain: str) -> None:
        """See ``Signer``."""
        self._file(domain).remove()
        self.writing.delete(parked_name(domain))

    def _file(self, domain: str) -> KeyFile:
        return key_file(self._folder, domain)


def _as_mailcow_shows(selector: str, key: PublicKey) -> SignerKey:
    """The record as ``get/dkim`` will show it, so that ``apply`` finds nothing to change."""
    return SignerKey(selector, f"v=DKIM1;k=rsa;t=s;s=email;p={key.p}", key)
