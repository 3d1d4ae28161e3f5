"""A mailcow that is given a key made here, by ``dkim_import`` (``rotate --import-key``).

For who has no helper domain. mailcow writes the private key into its API log, and deletes the old
key before it sets the new one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from netcup_mailauth.errors import MailauthError
from netcup_mailauth.keys.private import DEFAULT, generate
from netcup_mailauth.rotation.signer import SignerKey, Users, Writes
from netcup_mailauth.signers.keyfile import KeyFile
from netcup_mailauth.signers.mailcow_keys import MailcowKeys, parked_name

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from netcup_mailauth.dkim import PublicKey
    from netcup_mailauth.keys.mailcow import Mailcow, MailcowWriting
    from netcup_mailauth.keys.private import KeyType


class MailcowImportSigner:
    """Rotates by ``dkim_import``; see :class:`netcup_mailauth.rotation.signer.Signer`.

    Args:
        mailcow: the mailcow, with its read-write key.
        key_file: where the private key of a domain waits.
        key_type: what new keys are; mailcow knows RSA only.
        writing: how to write there.
    """

    def __init__(
        self,
        mailcow: Mailcow,
        key_file: Callable[[str], Path],
        *,
        key_type: KeyType = DEFAULT,
        writing: MailcowWriting | None = None,
    ) -> None:
        self.name = f"mailcow at {mailcow.host}, by import"
        self._key_file = key_file
        self._key_type = key_type
        self._keys = MailcowKeys(mailcow, writing)

    def current(self, domain: str) -> SignerKey | None:
        """See ``Signer``. In the middle of an import there is none."""
        return self._keys.signing(domain, self.prepared(domain))

    def others(self, domain: str, key: PublicKey) -> Users:
        """See ``Signer``."""
        return self._keys.users(domain, key)

    def writes(self) -> Writes:
        """See ``Signer``."""
        parked = parked_name("DOMAIN")
        return Writes(
            (f"A new key is made here, and waits in {self._key_file('DOMAIN')}.",),
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
        self._keys.writing.delete(parked_name(domain))
        new = generate(self._key_type)
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
            raise MailauthError(
                f"There is no key for {domain} to switch to: {self._file(domain).path} is gone.",
                "End the rotation, and begin another: rotate --abort",
            )
        held = self._keys.at(domain)
        shows = held is not None and (held.selector, held.key) == (new.selector, new.key)
        if held is None or not shows or self._file(domain).private_pem() is not None:
            self._keys.park(domain, new)
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
        self._keys.certainly(
            lambda: self._keys.writing.import_key(domain, new.selector, private, new.key),
            domain,
            new,
        )
        return self._keys.check(domain, new)

    def parked(self, domain: str) -> SignerKey | None:
        """See ``Signer``."""
        return self._keys.at(parked_name(domain))

    def switch_back(self, domain: str) -> SignerKey:
        """See ``Signer``."""
        return self._keys.unpark(domain)

    def discard(self, domain: str) -> None:
        """See ``Signer``."""
        self._file(domain).remove()
        self._keys.writing.delete(parked_name(domain))

    def _file(self, domain: str) -> KeyFile:
        return KeyFile(self._key_file(domain))


def _as_mailcow_shows(selector: str, key: PublicKey) -> SignerKey:
    """The record as ``get/dkim`` will show it, so that ``apply`` finds nothing to change."""
    return SignerKey(selector, f"v=DKIM1;k=rsa;t=s;s=email;p={key.p}", key)
