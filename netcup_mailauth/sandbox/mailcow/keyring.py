"""The DKIM keys of the mailcow: exactly one for each domain, or none."""

from __future__ import annotations

import base64
import re
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

#: mailcow's default selector.
DEFAULT_SELECTOR = "dkim"

_BITS = (1024, 2048, 3072, 4096)
_SELECTOR = re.compile(r"[A-Za-z0-9._-]+", re.ASCII)
_BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}", re.ASCII)


@dataclass(frozen=True, slots=True)
class DkimKey:
    """A key; `pem` is its private half, empty where only the public one is known."""

    selector: str
    pubkey: str
    pem: str = field(default="", repr=False)


class Keyring:
    """Keys by domain. A first key is generated when somebody asks for it, as that takes time.

    Args:
        domains: the mail domains.
        given: public keys in Base64, or None for a domain that has no key.

    Raises:
        ValueError: a given key is not Base64.
    """

    def __init__(self, domains: Iterable[str], given: Mapping[str, str | None]) -> None:
        self._start: dict[str, DkimKey | None] = {}
        for domain, pubkey in given.items():
            self._start[domain.lower()] = None if pubkey is None else _public_only(domain, pubkey)
        self.domains = tuple(dict.fromkeys([*domains, *self._start]))
        self.on_change: Callable[[], None] = lambda: None
        self._keys = dict(self._start)
        self._making = threading.Lock()

    def key(self, domain: str) -> DkimKey | None:
        """The key of a domain, made now if it is the first time; None for no key.

        Raises:
            ValueError: no such domain.
        """
        self._check(domain)
        with self._making:
            if domain in self._keys:
                return self._keys[domain]
            key = _generate(DEFAULT_SELECTOR, 2048)
            self._keys[domain] = self._start[domain] = key
        self.on_change()
        return key

    def renew(self, domain: str, selector: str | None, bits: int) -> DkimKey:
        """Make a new key, under the selector the domain has if none is given.

        Raises:
            ValueError: no such domain, not a selector, or not a size mailcow makes.
        """
        self._check(domain)
        if selector is not None and _SELECTOR.fullmatch(selector) is None:
            raise ValueError("selector must consist of letters, digits, dot, _ and -")
        if bits not in _BITS:
            raise ValueError(f"bits must be one of {', '.join(map(str, _BITS))}")
        old = self._keys.get(domain)
        if selector is None:
            selector = DEFAULT_SELECTOR if old is None else old.selector
        with self._making:
            key = self._keys[domain] = _generate(selector, bits)
        self.on_change()
        return key

    def remove(self, domain: str) -> None:
        """Take the key away.

        Raises:
            ValueError: no such domain.
        """
        self._check(domain)
        with self._making:
            self._keys[domain] = None
        self.on_change()

    def reset(self) -> None:
        """Go back to the keys of the start."""
        with self._making:
            self._keys = dict(self._start)

    def snapshot(self) -> dict[str, DkimKey | None]:
        """The keys that exist by now."""
        return dict(self._keys)

    def restore(self, keys: Mapping[str, DkimKey | None]) -> None:
        """Take over keys from an earlier run."""
        with self._making:
            self._keys.update(
                {domain: key for domain, key in keys.items() if domain in self.domains}
            )

    def _check(self, domain: str) -> None:
        if domain not in self.domains:
            raise ValueError(f"this sandbox's mailcow has no domain {domain!r}")


def _public_only(domain: str, pubkey: str) -> DkimKey:
    if _BASE64.fullmatch(pubkey) is None:
        raise ValueError(f"the DKIM key given for {domain} is not Base64")
    return DkimKey(DEFAULT_SELECTOR, pubkey)


def _generate(selector: str, bits: int) -> DkimKey:
    # Imported only when a key is made: it costs more time than all the rest of the start.
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    private = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    public = private.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    pem = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return DkimKey(selector, base64.b64encode(public).decode("ascii"), pem.decode("ascii"))
