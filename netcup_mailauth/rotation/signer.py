"""What signs a domain's mail, as a rotation sees it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from netcup_mailauth.dkim import PublicKey


@dataclass(frozen=True, slots=True)
class SignerKey:
    """The public half of a key that a signer holds.

    Attributes:
        selector: under which name it signs, in lower case.
        record: the TXT text to publish for it.
        key: the public key in it.
    """

    selector: str
    record: str
    key: PublicKey


@dataclass(frozen=True, slots=True)
class Users:
    """Who signs with a key, as far as the signer tells.

    Attributes:
        domains: the domains (alias domains too) that are signed with it, sorted.
        unsure: why there may be more of them, a clause; empty if there are none.
    """

    domains: tuple[str, ...] = ()
    unsure: str = ""


@dataclass(frozen=True, slots=True)
class Writes:
    """What a rotation writes at a signer, a sentence for each write; DOMAIN stands for the domain.

    Attributes:
        prepare: when it begins.
        switch: when the new key comes to sign.
        discard: in the end.
    """

    prepare: tuple[str, ...]
    switch: tuple[str, ...]
    discard: tuple[str, ...] = ()


class Signer(Protocol):
    """Signs with one key for each domain, and can be given another.

    Every method may be called again after a crash at any point; each looks at what is there before
    it does anything. All raise ``MailauthError`` if the signer cannot be asked or refuses.
    """

    name: str
    """What it is, in words: ``mailcow at mail.example.com``."""

    def current(self, domain: str) -> SignerKey | None:
        """The key that the domain's mail is signed with now; ``None`` if there is none."""
        ...

    def others(self, domain: str, key: PublicKey) -> Users:
        """Who, beside this domain of the signer's, signs with this very key."""
        ...

    def writes(self) -> Writes:
        """What a rotation will write here, to be shown beforehand."""
        ...

    def prepare(self, domain: str, selector: str) -> SignerKey:
        """Make a new key for later, unless there is one; mail is still signed with the old one."""
        ...

    def prepared(self, domain: str) -> SignerKey | None:
        """The key made for later, read from where it lies; ``None`` if there is none."""
        ...

    def switch(self, domain: str) -> SignerKey:
        """Park the current key, put the prepared one in its place, and read back what signs now.

        Never leaves the domain without a key for longer than the signer itself does. Called again
        where the prepared key shows already, it makes sure that the signer holds the whole of it;
        what is parked stays parked.
        """
        ...

    def parked(self, domain: str) -> SignerKey | None:
        """The key that signed before the switch; ``None`` if there is none."""
        ...

    def switch_back(self, domain: str) -> SignerKey:
        """Put the parked key in place again, and read back what signs now.

        Called again where it shows already, it makes sure that the signer holds the whole of it.
        """
        ...

    def discard(self, domain: str) -> None:
        """Remove what this rotation left behind here: the prepared key's copy and the parked key.

        Never the key that signs.
        """
        ...
