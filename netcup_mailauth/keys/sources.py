"""Which DKIM key a policy means: a file, a text, standard input, or mailcow."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from netcup_mailauth.errors import MailauthError, UsageError
from netcup_mailauth.files import expanded
from netcup_mailauth.netcup.http import is_loopback
from netcup_mailauth.policy import host_or_address

if TYPE_CHECKING:
    from collections.abc import Callable

    from netcup_mailauth.dkim import DkimSource
    from netcup_mailauth.keys.mailcow import Mailcow

MAILCOW = "mailcow"
STDIN = "-"
FILE = "file:"
RECORD = "record:"


@dataclass(frozen=True)
class Sources:
    """Finds the key that a ``source`` of a policy means, in the sources this run can reach.

    ``stdin`` reads all of standard input, and gives the same each time it is called. ``mailcow``
    opens the connection to it; ``None`` if there is none to ask. ``address`` says where it is, also
    to a run that has no key for it; without it that is known once it is opened.
    """

    stdin: Callable[[], bytes] = lambda: b""
    mailcow: Callable[[], Mailcow] | None = None
    address: Callable[[], str | None] | None = None

    def key(self, source: str, domain: str) -> DkimSource | None:
        """The key; ``None`` where the source has none for this domain.

        Raises:
            KeySourceError: it is no key.
            MailauthError: the source could not be asked.
        """
        if source == MAILCOW:
            return self._mailcow().dkim(domain)
        from netcup_mailauth.keys.forms import read_key, read_key_file

        if source == STDIN:
            return read_key(self.stdin(), "standard input")
        if source.startswith(FILE):
            return read_key_file(expanded(source.removeprefix(FILE)))
        return read_key(source.removeprefix(RECORD), "the record given")

    def host(self, source: str) -> str | None:
        """The host that signs with the keys of this source, where the source is that host.

        Known by its address; it is not asked. One on this very machine has no public name.
        """
        if source != MAILCOW:
            return None
        host = self._mailcow().host if self.address is None else _host_in(self.address() or "")
        return None if host is None or is_loopback(host) else host

    def relay(self, source: str, domain: str) -> str | None:
        """The relay through which the source sends the domain's mail; ``None`` if it does not.

        Raises MailauthError if the source could not be asked.
        """
        return self._mailcow().relay(domain) if source == MAILCOW else None

    def _mailcow(self) -> Mailcow:
        if self.mailcow is None:
            raise UsageError("The DKIM key should come from mailcow, but no mailcow is named.")
        return self.mailcow()


def _host_in(address: str) -> str | None:
    """The host of a mailcow's address; what is none is told where the mailcow is asked."""
    try:
        return host_or_address(urlsplit(address).hostname or "")
    except (ValueError, MailauthError):
        return None


def check_source(source: str, *, in_config: bool = False) -> str:
    """``source``, if it has one of the known forms. A text that may be a key is never shown.

    A key that is published anyway may stand on a command line, in any form that is read from a
    file; a private one may not. Raises UsageError for that, and for a text of no such form; a path
    without ``file:`` is the usual mistake. What it says to write instead goes on a command line, or
    ``in_config``.
    """
    text = source.strip()
    if _WITHOUT_KEY.fullmatch(text.removeprefix(RECORD)):
        raise UsageError(
            f"The DKIM record {text!r} ends before its key.",
            "Give the whole record: v=DKIM1;k=rsa;p=..."
            if in_config
            else "Put the whole record in single quotes, 'v=DKIM1;k=rsa;p=...': without them a "
            "shell ends the text at the first semicolon.",
        )
    if text in (MAILCOW, STDIN) or _is_record(text):
        return text
    if text == FILE or (text.startswith(FILE) and _is_no_path(text.removeprefix(FILE))):
        raise UsageError(
            "The DKIM source file: is not followed by a path.",
            "Write file:/etc/dkim/example.private",
        )
    if text.startswith(FILE):
        return text
    from netcup_mailauth.keys.forms import holds_private_key, is_published_form

    if holds_private_key(text.removeprefix(RECORD)):
        raise UsageError(
            "The DKIM source is a private key.",
            "It does not belong on a command line or into a config: save it, and give its file as "
            "file:PATH, or - for standard input. Only its public half is used.",
        )
    if text.startswith(RECORD) or is_published_form(text):
        return text
    if _is_no_path(text) or may_be_a_key(text):
        raise UsageError(
            "The DKIM source is none of the known ones; it looks like a key itself.",
            "Give the whole record, v=DKIM1;k=rsa;p=..., or a file as file:PATH, or - for standard "
            "input. A private key belongs into a file.",
        )
    if _ADDRESS.match(text):
        address = _CREDENTIALS.sub("", text)
        raise UsageError(
            f"The DKIM source {address!r} is an address.",
            f'For the key of a mailcow write "mailcow", and in [mailcow]: url = "{address}"'
            if in_config
            else f"For the key of a mailcow: --mailcow {shlex.quote(address)}",
        )
    if "/" in text or text.endswith((".pem", ".txt", ".private", ".key")):
        meant = f"{FILE}{text}"
        raise UsageError(
            f"The DKIM source {text!r} looks like a file.",
            f"Write {meant if in_config else shlex.quote(meant)}",
        )
    raise UsageError(
        f"The DKIM source {text!r} is none of the known ones.",
        "Give mailcow, file:PATH, record:TEXT, a text that begins with v=DKIM1, or - for "
        "standard input.",
    )


_MAY_BE_A_KEY = re.compile(r"-----|[{]|[A-Za-z0-9+/=]{40}")
"""Part of a PEM or JSON text, or as much base64 as the shortest key has."""

_WITHOUT_KEY = re.compile(
    r"""["']?(?:v\s*=\s*DKIM1|k\s*=\s*(?:rsa|ed25519)|[hst]\s*=\s*[\w:*]{1,20}|\s|;)+""",
    re.IGNORECASE,
)
"""The first tags of a record, and nothing of a key."""


def may_be_a_key(text: str) -> bool:
    """Whether a text may be a key, or hold one, so that it is better not shown."""
    return _MAY_BE_A_KEY.search(text) is not None


_ADDRESS = re.compile(r"https?://", re.IGNORECASE)
_CREDENTIALS = re.compile(r"(?<=//)[^/]*@|[?#][\s\S]*")
"""What of an address may be secret."""

LONGEST_PATH = 4096


def _is_no_path(text: str) -> bool:
    return len(text) > LONGEST_PATH or "-----" in text or not text.isprintable()


def _is_record(text: str) -> bool:
    return text.lstrip('"').replace(" ", "").lower().startswith("v=dkim1")
