"""New private keys for signers that do not make their own (RFC 8301, RFC 8463)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, get_args

from netcup_mailauth.dkim import public_key_from_crypto

if TYPE_CHECKING:
    from netcup_mailauth.dkim import PublicKey

KeyType = Literal["rsa2048", "rsa3072", "rsa4096", "ed25519"]
KEY_TYPES: tuple[KeyType, ...] = get_args(KeyType)

DEFAULT: KeyType = "rsa2048"
"""What every receiver accepts; many do not verify Ed25519 yet (fact sheet mail, 2.1)."""


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key pair.

    Attributes:
        pem: the private half, PKCS #8 in PEM without a passphrase. It is never shown.
        public: the public half.
    """

    pem: str = field(repr=False)
    public: PublicKey


def generate(key_type: KeyType = DEFAULT) -> NewKey:
    """Make a key pair. RSA 4096 takes some seconds."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

    private: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey
    if key_type == "ed25519":
        private = ed25519.Ed25519PrivateKey.generate()
    else:
        bits = int(key_type.removeprefix("rsa"))
        private = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    pem = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    public = public_key_from_crypto(private.public_key())
    assert public is not None
    return NewKey(pem.decode("ascii"), public)
