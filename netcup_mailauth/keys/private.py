"""Private keys: made for signers that make none themselves (RFC 8301, 8463), and put to the proof.

The proof that a published key fits a private one is what a receiver does with a signed mail,
without the mail: sign a few bytes, and verify them with it (RFC 6376, 3.3; RFC 8463, 3).
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from netcup_mailauth.dkim import public_key_from_crypto
from netcup_mailauth.files import read_regular
from netcup_mailauth.keys import forms
from netcup_mailauth.keys.forms import MAX_SIZE, SEED_LENGTHS

if TYPE_CHECKING:
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.hashes import SHA256

    from netcup_mailauth.dkim import PublicKey

    Private = RSAPrivateKey | Ed25519PrivateKey

BITS = 2048
"""Of a new key. Signers should use at least so many (RFC 8301, 3.2), and they fit into one UDP
answer. It is an RSA key, as many receivers do not verify Ed25519 yet (fact sheet mail, 2.1)."""


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key pair; ``pem`` is the private half, PKCS #8 in PEM without a passphrase, never shown."""

    pem: str = field(repr=False)
    public: PublicKey


def generate() -> NewKey:
    """Make an RSA key pair."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    private = rsa.generate_private_key(public_exponent=65537, key_size=BITS)
    pem = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    public = public_key_from_crypto(private.public_key())
    assert public is not None
    return NewKey(pem.decode("ascii"), public)


SAMPLE = b"v=1; a=rsa-sha256; netcup-mailauth signs this and verifies it\r\n"
_BLOCK = re.compile(r"-----BEGIN ((?:RSA )?PRIVATE KEY)-----(.*?)-----END \1-----", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Signer:
    """A private key to try published keys with. It is never shown."""

    _key: Private = field(repr=False)

    def verifies_with(self, key: PublicKey) -> bool:
        """Whether a signature made with the private key verifies with ``key``."""
        from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
        from cryptography.hazmat.primitives.serialization import load_der_public_key

        try:
            signature = self._sign()
            public = load_der_public_key(key.spki)
            if isinstance(public, Ed25519PublicKey):
                public.verify(signature, SAMPLE)
            elif isinstance(public, RSAPublicKey):
                public.verify(signature, SAMPLE, *_rsa())
            else:
                return False
        except (InvalidSignature, UnsupportedAlgorithm, ValueError):
            return False
        return True

    def _sign(self) -> bytes:
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

        if isinstance(self._key, RSAPrivateKey):
            return self._key.sign(SAMPLE, *_rsa())
        return self._key.sign(SAMPLE)


def _rsa() -> tuple[PKCS1v15, SHA256]:
    """Padding and hash of rsa-sha256."""
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.hashes import SHA256

    return PKCS1v15(), SHA256()


def signer_in_file(path: Path) -> Signer | None:
    """The private key in a file; ``None`` if there is none, or it cannot be read."""
    try:
        return signer_in(read_regular(path, MAX_SIZE).decode("utf-8-sig"))
    except (OSError, ValueError):
        return None


def signer_in(text: str) -> Signer | None:
    """The private key in a text, in the forms that :mod:`netcup_mailauth.keys.forms` reads."""
    block = _BLOCK.search(text.replace("\\n", "\n"))
    encoded = block[2] if block else forms.before_zone_file(text)
    if block is None and not forms.is_base64(encoded):
        return None
    try:
        data = base64.b64decode("".join(encoded.split()), validate=True)
    except binascii.Error:
        return None
    if block is None and data.startswith(b"-----BEGIN"):  # mailcow's privkey
        return signer_in(data.decode("latin-1"))
    key = _from_bytes(data)
    return None if key is None else Signer(key)


def _from_bytes(data: bytes) -> Private | None:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_der_private_key

    if len(data) in SEED_LENGTHS:
        return Ed25519PrivateKey.from_private_bytes(data[:32])
    try:
        key = load_der_private_key(data, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None
    return key if isinstance(key, RSAPrivateKey | Ed25519PrivateKey) else None
