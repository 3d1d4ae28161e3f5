"""What mailcow holds of DKIM: one key for each name, in the three hashes of its Redis.

A name is a mail domain, an alias domain, or any other that a key was copied to. The writes are
those of `dkim()` of data/web/inc/functions.dkim.inc.php: each function follows the `case` of its
name there, check by check and write by write, because mailcow does not write a key in one piece:
Redis may fail, or PHP be killed, between two of them.
"""

from __future__ import annotations

import base64
import re
import threading
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

#: mailcow's default selector.
DEFAULT_SELECTOR = "dkim"

_BITS = (1024, 2048, 3072, 4096)
_SELECTOR = re.compile(r"[A-Za-z0-9._-]+", re.ASCII)
_BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}", re.ASCII)
_SEPARATORS = re.compile(r"[ ,;\n]")
_LABEL = r"[a-z\d](?:-*[a-z\d])*"
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*", re.ASCII | re.IGNORECASE)
_ALPHANUMERIC = re.compile(r"[A-Za-z0-9]+", re.ASCII)
_MOST_BITS = 8192


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

    `given` holds public keys in Base64, or None for a domain that has no key (ValueError for one
    that is not Base64); a key may lie under names that are none of `domains`. The hashes are
    `DKIM_PUB_KEYS` (Base64 by name), `DKIM_SELECTORS` (by name) and `DKIM_PRIV_KEYS` (PEM by
    `selector.name`: rspamd signs with these). A ValueError says that there is no such domain, or
    that a selector, a size or a key cannot be.
    """

    def __init__(
        self,
        domains: Iterable[str],
        given: Mapping[str, str | None],
        on_change: Callable[[], None],
    ) -> None:
        self._start: dict[str, DkimKey | None] = {}
        for domain, pubkey in given.items():
            self._start[domain.lower()] = None if pubkey is None else _public_only(domain, pubkey)
        self.domains = tuple(dict.fromkeys([*domains, *self._start]))
        self.on_change = on_change  # called after each change
        self.pub_keys: dict[str, str] = {}
        self.selectors: dict[str, str] = {}
        self.priv_keys: dict[str, str] = {}
        self._unmade: set[str] = set()
        self._making = threading.Lock()
        self.reset()

    def key(self, domain: str) -> DkimKey | None:
        """The key of a domain, made now if it is the first time; None for no key."""
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
        """Make a new key, under the selector the domain has if none is given."""
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
        """Take the key away."""
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
    """Make an RSA key."""
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
    """The key whose private half is given in PEM."""
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


class _RedisError(Exception):
    """Redis did not take a write."""


@dataclass
class DkimWriter:
    """Carries out one write call; `said` is the answer, an entry for each thing done or refused.

    Of its writes Redis takes `writes_left` before it fails; None for all.
    """

    keyring: Keyring
    writes_left: int | None = None
    said: list[dict[str, object]] = field(default_factory=list)

    def add(self, data: Mapping[str, Any]) -> None:
        """`add`: a new key for each of the domains, which must be mailcow's and have none."""
        log = ["dkim", "add", data]
        selector = str(data.get("dkim_selector", DEFAULT_SELECTOR))
        for domain in _SEPARATORS.split(str(data.get("domains", ""))):
            if not domain:
                continue
            self.keyring.ready(domain)
            if (
                not _is_valid(domain)
                or self.keyring.pub_keys.get(domain)
                or not _is_selector(selector)
            ):
                self._danger(log, ["dkim_domain_or_sel_invalid", domain])
            elif domain not in self.keyring.domains:
                self._danger(log, ["access_denied", domain])
            else:
                self._make(log, domain, selector, _intval(data.get("key_size")))

    def _make(self, log: Sequence[object], domain: str, selector: str, bits: int) -> None:
        try:
            key = generate(selector, min(bits, _MOST_BITS))
        except ValueError:  # not with so few bits
            self._danger(log, ["dkim_domain_or_sel_invalid", domain])
            return
        self._write(log, domain, replace(key, pem=key.pem.strip()), ["dkim_added", domain])

    def duplicate(self, data: Mapping[str, Any]) -> None:
        """`duplicate`: the key of one name under others, which need not be mailcow's domains.

        What lay there is overwritten, except that the private half stays behind if it lay there
        under another selector.
        """
        log = ["dkim", "duplicate", data]
        source = str(data.get("from_domain", ""))
        key = self.keyring.find(source)
        if key is None:
            self._danger(log, ["dkim_domain_or_sel_invalid", source])
            return
        for target in filter(None, _array(data.get("to_domain"))):
            self.keyring.ready(target)
            self._write(log, target, key, ["dkim_duplicated", source, target])

    def import_(self, data: Mapping[str, Any]) -> None:
        """`import`: a private key from outside; deletes the old key before it sets the new one."""
        log = ["dkim", "import", data]
        selector = str(data.get("dkim_selector", DEFAULT_SELECTOR))
        domain = str(data.get("domain", ""))
        pem = str(data.get("private_key_file", "")).strip().replace("\r\n", "\n")
        try:
            key = read_pem(selector, pem)
        except ValueError:
            message = ["private_key_error", "error:1E08010C:DECODER routines::unsupported"]
            self._danger(log, message)
            return
        self.keyring.ready(domain)
        if not _is_valid(domain) or not _is_selector(selector):
            self._danger(log, ["dkim_domain_or_sel_invalid", domain])
        elif self.keyring.pub_keys.get(domain) and not _intval(data.get("overwrite_existing")):
            self._danger(log, ["dkim_domain_or_sel_exists", domain])
        else:
            self.delete([domain])
            self._write(log, domain, replace(key, pem=pem), ["dkim_added", domain])

    def delete(self, domains: object) -> None:
        """`delete`: everything under these names; a name without a key is a success too."""
        log = ["dkim", "delete", {"domains": domains}]
        for domain in _array(domains):
            if not _is_valid(domain):
                self._danger(log, ["dkim_domain_or_sel_invalid", domain])
                continue
            self.keyring.ready(domain)
            selector = self.keyring.selectors.get(domain, "")
            try:
                self._drop(self.keyring.pub_keys, domain)
                self._drop(self.keyring.priv_keys, f"{selector}.{domain}")
                self._drop(self.keyring.selectors, domain)
            except _RedisError:
                self._danger(log, ["redis_error", {}])
            else:
                self._success(log, ["dkim_removed", domain])

    def _write(
        self, log: Sequence[object], name: str, key: DkimKey, success: Sequence[object]
    ) -> None:
        """Three writes, in mailcow's order."""
        try:
            self._set(self.keyring.pub_keys, name, key.pubkey)
            self._set(self.keyring.selectors, name, key.selector)
            self._set(self.keyring.priv_keys, f"{key.selector}.{name}", key.pem)
        except _RedisError:
            self._danger(log, ["redis_error", {}])
        else:
            self._success(log, success)

    def _set(self, table: dict[str, str], name: str, value: str) -> None:
        self._count()
        table[name] = value

    def _drop(self, table: dict[str, str], name: str) -> None:
        self._count()
        table.pop(name, None)

    def _count(self) -> None:
        if self.writes_left is None:
            return
        if self.writes_left == 0:
            raise _RedisError
        self.writes_left -= 1

    def _success(self, log: Sequence[object], message: Sequence[object]) -> None:
        self.said.append({"type": "success", "log": log, "msg": message})

    def _danger(self, log: Sequence[object], message: Sequence[object]) -> None:
        self.said.append({"type": "danger", "log": log, "msg": message})


def _array(value: object) -> list[str]:
    """PHP's `(array)`."""
    if isinstance(value, list):
        return [str(item) for item in value]
    return [] if value is None else [str(value)]


def _intval(value: object) -> int:
    """PHP's `intval` for what JSON may hold here."""
    match = re.match(r"\s*-?\d+", str(value))
    return int(match[0]) if match else int(value is True)


def _is_valid(domain: str) -> bool:
    """`is_valid_domain_name` for names in ASCII: labels of letters, digits and inner hyphens."""
    labels_fit = all(len(label) <= 63 for label in domain.split("."))
    return len(domain) <= 253 and labels_fit and _DOMAIN.fullmatch(domain) is not None


def _is_selector(text: str) -> bool:
    return _ALPHANUMERIC.fullmatch(re.sub(r"[-_.]", "", text)) is not None
