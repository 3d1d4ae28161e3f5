"""A mailcow that makes the new key itself, so that no private key leaves the server.

mailcow makes a key only where it begins to sign with it at once. So it is made for a helper
domain, from which nobody sends, and copied from there (the way described in mailcow issue 5637).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from netcup_mailauth.errors import MailauthError, UnverifiedError, UsageError
from netcup_mailauth.rotation.selectors import is_rotation_style
from netcup_mailauth.rotation.signer import Writes
from netcup_mailauth.signers.mailcow_keys import MailcowKeys, parked_name, prepared_name

if TYPE_CHECKING:
    from netcup_mailauth.dkim import PublicKey
    from netcup_mailauth.keys.mailcow import Mailcow, MailcowWriting
    from netcup_mailauth.rotation.signer import SignerKey, Users

BITS = 2048
"""What signers should use at least (RFC 8301, 3.2), and what fits into one UDP answer."""

ARC_DKIM = "System > Configuration > Options > ARC/DKIM keys"


class MailcowSigner:
    """Rotates by ``dkim_duplicate``; see :class:`netcup_mailauth.rotation.signer.Signer`.

    A copy is known to be whole only when mailcow has confirmed it. Until then its source is kept:
    the helper's key until the copy of it is whole, the prepared key until it signs.

    Args:
        mailcow: the mailcow, with its read-write key.
        helper: a domain of this mailcow that sends no mail.
        bits: the size of new keys.
        writing: how to write there.
    """

    def __init__(
        self,
        mailcow: Mailcow,
        helper: str,
        *,
        bits: int = BITS,
        writing: MailcowWriting | None = None,
    ) -> None:
        self.name = f"mailcow at {mailcow.host}"
        self.helper = helper.lower()
        self.bits = bits
        self._keys = MailcowKeys(mailcow, writing)

    def current(self, domain: str) -> SignerKey | None:
        """See ``Signer``. Half a key, which mailcow may leave when it fails, is none."""
        return self._keys.signing(domain, self.prepared(domain))

    def others(self, domain: str, key: PublicKey) -> Users:
        """See ``Signer``. The helper, which never signs, is left out."""
        return self._keys.users(domain, key, but=self.helper)

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
            self._keys.discard(domain)
            return self._take(domain, self._make(selector))
        made = self._keys.at(self.helper)
        # Only after a whole copy is the helper emptied; what else it holds is not ours to judge.
        if made is not None and made.key == ready.key:
            return self._take(domain, made)
        return ready

    def prepared(self, domain: str) -> SignerKey | None:
        """See ``Signer``."""
        return self._keys.at(prepared_name(domain))

    def switch(self, domain: str) -> SignerKey:
        """See ``Signer``. The domain is never without a key: a copy overwrites.

        It is made even where the new key shows: mailcow does not show that it lacks a private half.
        """
        new = self.prepared(domain)
        if new is None:
            raise _nothing(f"{self.name} holds no key for {domain} to switch to.")
        self._keys.park(domain, new)
        return self._keys.put(prepared_name(domain), domain, new)

    def parked(self, domain: str) -> SignerKey | None:
        """See ``Signer``."""
        return self._keys.at(parked_name(domain))

    def switch_back(self, domain: str) -> SignerKey:
        """See ``Signer``."""
        return self._keys.unpark(domain)

    def discard(self, domain: str) -> None:
        """See ``Signer``."""
        self._keys.discard(domain)

    def _check(self, domain: str) -> None:
        if domain == self.helper:
            raise UsageError(
                f"{domain} is the helper domain, whose key is made and removed at every rotation.",
                "Name another domain in [mailcow] helper_domain: one from which nobody sends mail.",
            )

    def _make(self, selector: str) -> SignerKey:
        """A new key at the helper, after what a rotation that crashed has left there is removed."""
        left = self._keys.at(self.helper)
        if left is not None and not is_rotation_style(left.selector):
            raise MailauthError(
                f"The helper domain {self.helper} has a DKIM key of its own ({left.selector}, "
                f"{left.key.fingerprint}), which no rotation made.",
                f"If nobody sends mail from there, delete the key in mailcow ({ARC_DKIM}); else "
                "name another domain in [mailcow] helper_domain.",
            )
        if not self._keys.is_empty(self.helper):
            self._keys.writing.delete(self.helper)
        if not self._keys.writing.add(self.helper, selector, self.bits):
            raise UnverifiedError(
                f"mailcow shows a new key for {self.helper}, but did not confirm that it has "
                "written its private half.",
                "Run the same command again: it removes that key and makes another.",
            )
        made = self._keys.at(self.helper)
        if made is None:
            raise _nothing(f"The new key is gone from {self.helper}.")
        return made

    def _take(self, domain: str, made: SignerKey) -> SignerKey:
        """Copy the helper's key to where it waits, and empty the helper once the copy is whole."""
        ready = self._keys.put(self.helper, prepared_name(domain), made)
        self._keys.writing.delete(self.helper)
        return ready


def _nothing(what: str) -> MailauthError:
    return MailauthError(
        what, "Somebody else may be changing keys there. Look at it: rotate --status"
    )
