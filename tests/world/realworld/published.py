"""What `apply` has published for a key, and a mail that the owner of the key has signed."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from tests.story.wanted import DMARC, DROP, SPF
from tests.world.judges.judges import load

if TYPE_CHECKING:
    from pathlib import Path

    from tests.process.command import Command

DOMAIN = "example.com"
HELO = f"mail.{DOMAIN}"
SENDER = f"postmaster@{DOMAIN}"

SERVER, SERVER_V6 = "203.0.113.25", "2001:db8::25"
"""What the default zone's mail host has for addresses."""

STRANGER = "192.0.2.77"
"""An address that is in no SPF record here."""

KeyKind = Literal["rsa2048", "rsa4096", "ed25519"]
KEY_KINDS: tuple[KeyKind, ...] = get_args(KeyKind)

_MAIL = (
    b"From: Postmaster <postmaster@example.com>\r\n"
    b"To: somebody@example.net\r\n"
    b"Subject: a mail to be judged\r\n"
    b"Date: Mon, 02 Mar 2026 10:00:00 +0000\r\n"
    b"Message-ID: <a-mail@example.com>\r\n"
    b"\r\n"
    b"Hello.\r\n"
)


@dataclass(frozen=True)
class Published:
    """The zone after `apply`, and what only the owner of the key has."""

    records: list[dict[str, Any]]
    selector: str
    private: str
    """The private key in PEM."""

    mail: bytes
    """Signed with it."""

    @property
    def key_hostname(self) -> str:
        """Where its record is, below the zone."""
        return f"{self.selector}._domainkey"


def publish(kind: KeyKind, command: Command) -> Published:
    """Publish all three records with one run of the installed command.

    A key by RSA is mailcow's; mailcow makes no other, so one by Ed25519 is in a file.
    """
    sandbox = command.sandbox
    if kind == "ed25519":
        selector, private = "s2026", _ed25519_file(command.folder / "key.pem")
        source = ["file:key.pem", "--selector", selector]
    else:
        selector, source = "dkim", ["mailcow"]
        if kind == "rsa4096":
            sandbox.set_dkim(DOMAIN, bits=4096)
        private = sandbox.dkim_private_key(DOMAIN) or ""
    wish = ("--spf", SPF, *DROP, "--dmarc", DMARC, "--dkim", *source)
    ended = command("apply", DOMAIN, *wish, "--yes", "--wait")
    assert ended.code == 0, ended.stderr + ended.stdout
    return Published(sandbox.zone(DOMAIN), selector, private, signed(private, selector))


def _ed25519_file(path: Path) -> str:
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    path.write_text(pem, encoding="ascii")
    return pem


def signed(private: str, selector: str) -> bytes:
    """The mail, signed by dkimpy with a private key in PEM."""
    load("PyNaCl", "nacl.signing", "pip install pynacl")
    dkim = load("dkimpy", "dkim", "pip install dkimpy")
    key, algorithm = private.encode(), b"rsa-sha256"
    loaded = load_pem_private_key(key, None)
    if isinstance(loaded, Ed25519PrivateKey):
        key, algorithm = base64.b64encode(loaded.private_bytes_raw()), b"ed25519-sha256"
    signature: bytes = dkim.sign(
        _MAIL, selector.encode(), DOMAIN.encode(), key, signature_algorithm=algorithm
    )
    return signature + _MAIL
