"""What the tests of signers share: names, and looks into the sandbox that the API does not give."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

from netcup_mailauth.keys.forms import split
from netcup_mailauth.keys.mailcow import Mailcow

if TYPE_CHECKING:
    from netcup_mailauth.dkim import PublicKey
    from netcup_mailauth.sandbox import Sandbox

DOMAIN = "example.com"
OTHER = "example.org"
ALIAS = "alias.example"
HELPER = "helper.example"
SELECTOR = "s2026-11a"

OnWrite = Callable[[str], object]


class KilledError(BaseException):
    """The process ends here."""


class StoppedMailcow(Mailcow):
    """Calls ``on_write`` with ``before`` and ``after`` at each write; it may end the process."""

    on_write: OnWrite

    def send(self, call: str, body: object) -> None:
        self.on_write("before")
        super().send(call, body)
        self.on_write("after")


class KillAt:
    """Ends the process before or after the n-th write."""

    def __init__(self, moment: str, number: int) -> None:
        self.moment, self.left = moment, number
        self.happened = False

    def __call__(self, moment: str) -> None:
        if moment == self.moment:
            self.left -= 1
            if self.left == 0:
                self.happened = True
                raise KilledError


def signs_with(sandbox: Sandbox, domain: str = DOMAIN) -> tuple[str, PublicKey] | None:
    """What rspamd signs with: the private half under the selector; ``None`` if it cannot."""
    keyring = sandbox._keyring
    selector = keyring.selectors.get(domain, "")
    private = keyring.priv_keys.get(f"{selector}.{domain}")
    return (selector, _public(private)) if private else None


@cache
def _public(private: str) -> PublicKey:
    return split(private, "Redis").keys[0]


def private_names(sandbox: Sandbox) -> set[str]:
    """Under which names a private half lies."""
    return set(sandbox._keyring.priv_keys)
