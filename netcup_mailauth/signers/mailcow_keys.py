"""Moving DKIM keys about at a mailcow, which holds one key for each name and writes it in parts.

A key that is not to sign lies under a parking name: ``add/dkim_duplicate`` copies to any name, and
nobody can send mail from a name below ``.invalid`` (RFC 2606). mailcow's page of DKIM keys shows
them among those of unknown domains.

mailcow writes the public half, the selector and the private half one after another. rspamd signs
with the private half under the selector that is there, so whatever else is written already: until
the selector is new, the old key signs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from netcup_mailauth.errors import (
    ApiError,
    KeySourceError,
    MailauthError,
    TransportError,
    UnverifiedError,
    UsageError,
)
from netcup_mailauth.keys.mailcow import MailcowWriting
from netcup_mailauth.rotation.signer import SignerKey, Users

if TYPE_CHECKING:
    from collections.abc import Callable

    from netcup_mailauth.dkim import PublicKey
    from netcup_mailauth.keys.mailcow import Mailcow

LONGEST_NAME = 253
"""Characters in a domain name; ``delete/dkim`` refuses a longer one (is_valid_domain_name)."""


def prepared_name(domain: str) -> str:
    """Where the key lies that a domain is to sign with next.

    Raises:
        UsageError: the domain's name is too long for that.
    """
    return _parking(domain, "new-key.invalid")


def parked_name(domain: str) -> str:
    """Where the key lies that a domain signed with before.

    Raises:
        UsageError: the domain's name is too long for that.
    """
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
    """The keys at one mailcow. Every move is read back.

    Args:
        mailcow: the mailcow, with its read-write key.
        writing: how to write there.
    """

    def __init__(self, mailcow: Mailcow, writing: MailcowWriting | None = None) -> None:
        self.mailcow = mailcow
        self.writing = writing or MailcowWriting(mailcow)

    def at(self, name: str) -> SignerKey | None:
        """The key under a name; ``None`` for none, or for half of one that mailcow left there.

        Raises:
            MailauthError: mailcow cannot be asked.
        """
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

        Raises:
            MailauthError: mailcow cannot be asked.
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

    def users(self, domain: str, key: PublicKey, but: str | None = None) -> Users:
        """Who, beside ``domain`` and ``but``, holds a key; asks mailcow for each of its domains.

        A list that does not have ``domain``, or what that is an alias of, is none of all domains.

        Raises:
            MailauthError: mailcow cannot be asked.
        """
        try:
            served = self.mailcow.served()
            if not {domain, served.aliases.get(domain, domain)} & served.domains:
                return Users(unsure=f"{domain} is not in the list of domains that mailcow gives")
            names = sorted(served.active - {domain, but})
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

        Raises:
            MailauthError: it is not certain that it lies there.
        """
        current, name = self.at(domain), parked_name(domain)
        if current is None or _has_part_of(current, prepared):
            return
        there = self.at(name)
        if there is not None and there.selector != current.selector:
            self.writing.delete(name)  # or its private half would stay behind
        self.put(domain, name, current)

    def unpark(self, domain: str) -> SignerKey:
        """Have the parked key sign again.

        Raises:
            MailauthError: there is none, or it is not certain that it signs.
        """
        old = self.at(parked_name(domain))
        if old is None:
            raise MailauthError(
                f"mailcow does not hold the key any more that {domain} signed with before.",
                "Rotate forward: rotate --continue",
            )
        return self.put(parked_name(domain), domain, old)

    def put(self, source: str, target: str, wanted: SignerKey) -> SignerKey:
        """Copy a key whole, and read it back.

        Returns:
            What lies at ``target`` now.

        Raises:
            MailauthError: it is not certain that all of it lies there.
        """
        self.certainly(lambda: self.writing.duplicate(source, target), target, wanted)
        return self.check(target, wanted)

    def certainly(self, write: Callable[[], bool], target: str, wanted: SignerKey) -> None:
        """Write until mailcow has confirmed it, twice at most.

        mailcow shows neither a private half nor that it lacks one. A write that can be seen but
        was not confirmed is therefore made once more; that is no other write than before.

        Raises:
            MailauthError: mailcow did not confirm it.
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
        """Make sure that a key lies under a name.

        Raises:
            UnverifiedError: another one does, or none.
            MailauthError: mailcow cannot be asked.
        """
        found = self.at(name)
        if found is not None and _is(found, wanted):
            return found
        what = f"{found.selector}, {found.key.fingerprint}" if found else "none"
        raise UnverifiedError(
            f"mailcow should hold the key {wanted.selector}, {wanted.key.fingerprint}, for {name}, "
            f"but holds {what}.",
            "Somebody else may be changing keys there. Run the same command again.",
        )

    def is_empty(self, name: str) -> bool:
        """Whether nothing at all lies under a name, not even half a key.

        Raises:
            MailauthError: mailcow cannot be asked.
        """
        try:
            return self.mailcow.dkim(name) is None
        except KeySourceError:
            return False

    def discard(self, domain: str) -> None:
        """Remove the keys under the domain's parking names.

        They are removed even where none shows: a private half may have stayed behind.

        Raises:
            MailauthError: it is not certain that they are gone.
        """
        self.writing.delete(prepared_name(domain), parked_name(domain))


def is_mixed(shown: SignerKey, prepared: SignerKey) -> bool:
    """Whether this is the half of the prepared key that mailcow had written when it failed."""
    return (shown.key == prepared.key) is not (shown.selector == prepared.selector)


def _has_part_of(shown: SignerKey, prepared: SignerKey) -> bool:
    return shown.key == prepared.key or shown.selector == prepared.selector


def _is(found: SignerKey | None, wanted: SignerKey) -> bool:
    return found is not None and (found.selector, found.key) == (wanted.selector, wanted.key)
