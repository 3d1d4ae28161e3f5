"""Writing DKIM keys at mailcow (data/web/inc/functions.dkim.inc.php), each write read back.

Nothing is sent twice while its outcome is unknown; a lost answer is resolved by reading (DESIGN,
5.3). But ``get/dkim`` shows a public half and a selector only, and mailcow writes the private half
last. So each write tells whether mailcow itself confirmed it, or it was merely seen.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from netcup_mailauth.errors import KeySourceError, MailauthError, TransportError, UnverifiedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from netcup_mailauth.dkim import PublicKey
    from netcup_mailauth.keys.mailcow import Mailcow

SETTLE = 10.0
"""Seconds before mailcow is read a second time after a write of unclear outcome."""

AGAIN = "It may still arrive; nothing was sent twice. Run the same command again in a minute."


@dataclass(frozen=True, slots=True)
class MailcowWriting:
    """The writes of a rotation.

    Each returns whether mailcow confirmed it. If not, the answer was lost, and reading shows that
    it was done as far as reading can.

    Each raises:
        CredentialsError: mailcow refused the key, or it may only read.
        ApiError: mailcow says that it was not done, or only a part of it.
        UnverifiedError: it is not known what became of it, or mailcow holds something else.

    Attributes:
        mailcow: where to; its key is the read-write one.
        sleep: how to wait.
    """

    mailcow: Mailcow
    sleep: Callable[[float], None] = time.sleep

    def add(self, domain: str, selector: str, bits: int) -> bool:
        """Have mailcow make an RSA key, for a domain of its own that has none."""
        body = {"domains": domain, "dkim_selector": selector, "key_size": str(bits)}
        return self._write("add/dkim", body, domain, lambda: self._selector(domain) == selector)

    def duplicate(self, source: str, target: str) -> bool:
        """Copy a key, with its selector, over whatever lies under another name.

        The target need not be a domain of mailcow's. If a key lay there under another selector,
        its private half stays behind in Redis.
        """
        body = {"from_domain": source, "to_domain": target}
        return self._write("add/dkim_duplicate", body, target, lambda: self._same(source, target))

    def import_key(self, domain: str, selector: str, pem: str, public: PublicKey) -> bool:
        """Put a private key (PEM) in place of what a domain has.

        mailcow deletes the old key first, so that for a moment there is none, and writes all that
        is sent into its API log, the private key too.
        """
        body = {
            "domain": domain,
            "dkim_selector": selector,
            "private_key_file": pem,
            "overwrite_existing": 1,
        }
        wanted = (selector, public)
        return self._write("add/dkim_import", body, domain, lambda: self._held(domain) == wanted)

    def delete(self, *names: str) -> bool:
        """Remove the keys under these names; a name that has none is no error."""
        return self._write(
            "delete/dkim", list(names), ", ".join(names), lambda: all(map(self._is_empty, names))
        )

    def _write(self, call: str, body: object, name: str, arrived: Callable[[], bool]) -> bool:
        try:
            self._send(call, body)
        except TransportError as error:
            if not error.sent:
                raise
            lost = error
        else:
            if arrived():
                return True
            raise UnverifiedError(
                f"mailcow confirmed {call} for {name}, but holds something else.",
                "Look at it in mailcow, under System > Configuration > Options > ARC/DKIM keys.",
            )
        self._settle(f"{call} for {name}", arrived, lost)
        return False

    def _send(self, call: str, body: object) -> None:
        try:
            self.mailcow.send(call, body)
        except TransportError as error:
            if error.sent:
                raise
        else:
            return
        self.mailcow.send(call, body)  # the first one provably never left

    def _settle(self, what: str, arrived: Callable[[], bool], lost: TransportError) -> None:
        """Find out by reading whether a write was done; wait once before giving up."""
        try:
            if arrived():
                return
            self.sleep(SETTLE)
            if arrived():
                return
        except MailauthError as blind:
            state = f"and mailcow could not be read back ({blind.what})"
        else:
            state = "and mailcow does not show it"
        raise UnverifiedError(f"{what} got no clear answer ({lost.what}), {state}.", AGAIN)

    def _held(self, name: str) -> tuple[str, PublicKey] | None:
        """Selector and public half under a name; ``None`` if one of them is missing."""
        try:
            found = self.mailcow.dkim(name)
        except KeySourceError:
            return None
        if found is None or found.selector is None or found.key is None:
            return None
        return found.selector, found.key

    def _selector(self, name: str) -> str | None:
        held = self._held(name)
        return held[0] if held else None

    def _same(self, source: str, target: str) -> bool:
        held = self._held(target)
        return held is not None and held == self._held(source)

    def _is_empty(self, name: str) -> bool:
        try:
            return self.mailcow.dkim(name) is None
        except KeySourceError:
            return False
