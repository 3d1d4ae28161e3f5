"""What mailcow's API writes of DKIM: `dkim()` of data/web/inc/functions.dkim.inc.php.

Each function follows the `case` of its name there, check by check and write by write, because
mailcow does not write a key in one piece: Redis may fail, or PHP be killed, between two of them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from netcup_mailauth.sandbox.mailcow.keyring import DEFAULT_SELECTOR, generate, read_pem

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from netcup_mailauth.sandbox.mailcow.keyring import Keyring

Entry = dict[str, object]

_SEPARATORS = re.compile(r"[ ,;\n]")
_LABEL = r"[a-z\d](?:-*[a-z\d])*"
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*", re.ASCII | re.IGNORECASE)
_SELECTOR = re.compile(r"[A-Za-z0-9]+", re.ASCII)
_MOST_BITS = 8192


class _RedisError(Exception):
    """Redis did not take a write."""


@dataclass
class DkimWriter:
    """Carries out one write call.

    Attributes:
        keyring: what is written to.
        writes_left: how many of its writes Redis takes before it fails; None for all.
        said: the answer, one entry for each thing that was done or refused.
    """

    keyring: Keyring
    writes_left: int | None = None
    said: list[Entry] = field(default_factory=list)

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
        except ValueError:
            self._danger(log, ["dkim_domain_or_sel_invalid", domain])
            return
        try:
            self._set(self.keyring.pub_keys, domain, key.pubkey)
            self._set(self.keyring.selectors, domain, selector)
            self._set(self.keyring.priv_keys, f"{selector}.{domain}", key.pem.strip())
        except _RedisError:
            self._danger(log, ["redis_error", {}])
        else:
            self._success(log, ["dkim_added", domain])

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
            try:
                self._set(self.keyring.pub_keys, target, key.pubkey)
                self._set(self.keyring.selectors, target, key.selector)
                self._set(self.keyring.priv_keys, f"{key.selector}.{target}", key.pem)
            except _RedisError:
                self._danger(log, ["redis_error", {}])
            else:
                self._success(log, ["dkim_duplicated", source, target])

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
            try:
                self._set(self.keyring.pub_keys, domain, key.pubkey)
                self._set(self.keyring.selectors, domain, selector)
                self._set(self.keyring.priv_keys, f"{selector}.{domain}", pem)
            except _RedisError:
                self._danger(log, ["redis_error", {}])
            else:
                self._success(log, ["dkim_added", domain])

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
    return _SELECTOR.fullmatch(re.sub(r"[-_.]", "", text)) is not None
