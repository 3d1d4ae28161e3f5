"""What mailcow's Redis knows of DKIM: one key for each name, in three hashes.

A name is a mail domain, an alias domain, or any other that a key was copied to. Which of the
hashes hold something is the caller's business (``dkim``): mailcow writes them one after another.
"""

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
    """A key; `pem` is its private half, empty where only the public one is known.

    `selector` is empty where mailcow failed before it had written one.
    """

    selector: str
    pubkey: str
    pem: str = field(default="", repr=False)


class Keyring:
    """Keys by name. A first key is generated when somebody asks for it, as that takes time.

    Args:
        domains: the mail domains.
        given: public keys in Base64, or None for a domain that has no key.

    Attributes:
        domains: what mailcow serves; a key may lie under other names too.
        pub_keys: `DKIM_PUB_KEYS`, Base64 by name.
        selectors: `DKIM_SELECTORS`, by name.
        priv_keys: `DKIM_PRIV_KEYS`, PEM by `selector.name`; rspamd signs with these.
        on_change: called after a change.

    Raises:
        ValueError: a given key is not Base64.
    """

    def __init__(self, domains: Iterable[str], given: Mapping[str, str | None]) -> None:
        self._start: dict[str, DkimKey | None] = {}
        for domain, pubkey in given.items():
            self._start[domain.lower()] = None if pubkey is None else _public_only(domain, pubkey)
        self.domains = tuple(dict.fromkeys([*domains, *self._start]))
        self.on_change: Callable[[], None] = lambda: None
        self.pub_keys: dict[str, str] = {}
        self.selectors: dict[str, str] = {}
        self.priv_keys: dict[str, str] = {}
        self._unmade: set[str] = set()
        self._making = threading.Lock()
        self.reset()

    def key(self, domain: str) -> DkimKey | None:
        """The key of a domain, made now if it is the first time; None for no key.

        Raises:
            ValueError: no such domain.
        """
        self._check(domain)
        return self.find(domain)

    def find(self, name: str) -> DkimKey | None:
        """The key under any name; None for no key."""
        self.ready(name)
        pubkey = self.pub_keys.get(name)
        if not pubkey:
            return None
        selector = self.selectors.get(name, "")
        return DkimKey(selector, pubkey, self.priv_keys.get(f"{selector}.{name}", ""))

    def ready(self, name: str) -> None:
        """Make the first key of a domain, unless it has been made or will not have one."""
        with self._making:
            if name not in self._unmade:
                return
            key = self._start[name] = generate(DEFAULT_SELECTOR, 2048)
            self._put(name, key)
        self.on_change()

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
        if selector is None:
            selector = self.selectors.get(domain) or DEFAULT_SELECTOR
        with self._making:
            key = generate(selector, bits)
            self._put(domain, key)
        self.on_change()
        return key

    def remove(self, domain: str) -> None:
        """Take the key away.

        Raises:
            ValueError: no such domain.
        """
        self._check(domain)
        with self._making:
            self._put(domain, None)
        self.on_change()

    def reset(self) -> None:
        """Go back to the keys of the start."""
        with self._making:
            for table in (self.pub_keys, self.selectors, self.priv_keys):
                table.clear()
            self._unmade = set(self.domains) - self._start.keys()
            for name, key in self._start.items():
                self._put(name, key)

    def snapshot(self) -> dict[str, DkimKey | None]:
        """The keys that exist by now, and None for a domain that has none."""
        names = dict.fromkeys([*self.domains, *self.pub_keys])
        return {name: self.find(name) for name in names if name not in self._unmade}

    def restore(self, keys: Mapping[str, DkimKey | None]) -> None:
        """Take over keys from an earlier run."""
        with self._making:
            for name, key in keys.items():
                self._put(name, key)

    def _put(self, name: str, key: DkimKey | None) -> None:
        self._unmade.discard(name)
        self.priv_keys.pop(f"{self.selectors.pop(name, '')}.{name}", None)
        self.pub_keys.pop(name, None)
        if key is not None:
            # The private half first: whoever reads meanwhile finds a whole key, or none.
            self.priv_keys[f"{key.selector}.{name}"] = key.pem
            self.selectors[name] = key.selector
            self.pub_keys[name] = key.pubkey

    def _check(self, domain: str) -> None:
        if domain not in self.domains:
            raise ValueError(f"this sandbox's mailcow has no domain {domain!r}")


def _public_only(domain: str, pubkey: str) -> DkimKey:
    if _BASE64.fullmatch(pubkey) is None:
        raise ValueError(f"the DKIM key given for {domain} is not Base64")
    return DkimKey(DEFAULT_SELECTOR, pubkey)


def generate(selector: str, bits: int) -> DkimKey:
    """Make an RSA key.

    Raises:
        ValueError: not with so few bits.
    """
    # Imported only when a key is made: it costs more time than all the rest of the start.
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    private = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    pem = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return read_pem(selector, pem.decode("ascii"))


def read_pem(selector: str, pem: str) -> DkimKey:
    """The key whose private half is given in PEM.

    Raises:
        ValueError: it is no private key, or a locked one.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization

    try:
        private = serialization.load_pem_private_key(pem.encode(), password=None)
    except (TypeError, UnsupportedAlgorithm):
        raise ValueError("a key of another sort, or locked by a passphrase") from None
    public = private.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return DkimKey(selector, base64.b64encode(public).decode("ascii"), pem)
