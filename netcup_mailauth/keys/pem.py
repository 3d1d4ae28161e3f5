"""Bare keys: PEM blocks, and base64 without a heading (RFC 7468, RFC 8410).

Of a private key only the public half is kept. No error shows a part of what was read, since it
may be the private key itself.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from netcup_mailauth.dkim.key import (
    DkimSyntaxError,
    PublicKey,
    is_private_der,
    public_key_from_crypto,
    public_key_from_p,
)
from netcup_mailauth.errors import KeySourceError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

_BEGIN = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----")
_BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}")
_SHORTEST = 43  # characters of base64 for 32 bytes, its "=" left out
_SEED_LENGTHS = (32, 64)  # Ed25519: a seed (dkimpy, rspamd), a seed and its public key (rspamd)
_PRIVATE = ("PRIVATE KEY", "RSA PRIVATE KEY")
_PUBLIC = ("PUBLIC KEY", "RSA PUBLIC KEY")
_ONLY_RSA = "DKIM knows only RSA and Ed25519 keys: make one of these, RSA with 2048 bits if unsure."


@dataclass(frozen=True, slots=True)
class Split:
    """The PEM blocks of a text, as keys, and what stands around them."""

    keys: tuple[PublicKey, ...]
    rest: str


def split(text: str, origin: str) -> Split:
    """Read every PEM block in ``text``.

    Raises:
        KeySourceError: a block is no key that DKIM can use.
    """
    keys, rest, position = [], [], 0
    while (begin := _BEGIN.search(text, position)) is not None:
        label = begin[1]
        end = text.find(f"-----END {label}-----", begin.end())
        if end < 0:
            raise KeySourceError(
                f"{origin}: the {label} in it has no END line, so it is cut off.",
                "Copy the whole file again, from BEGIN to END.",
            )
        rest.append(text[position : begin.start()])
        keys.append(_block(label, text[begin.end() : end], origin))
        position = end + len(f"-----END {label}-----")
    return Split(tuple(keys), "".join([*rest, text[position:]]))


def is_base64(text: str) -> bool:
    """Whether ``text`` is base64 of at least 32 bytes and nothing else, in one line or several."""
    joined = "".join(text.split())
    return len(joined) >= _SHORTEST and _BASE64.fullmatch(joined) is not None


def from_base64(text: str, origin: str) -> PublicKey:
    """The key in a text that :func:`is_base64` from end to end.

    32 bytes are taken for the secret seed of an Ed25519 key, which is what ``dknewkey`` and
    ``rspamadm -t ed25519-seed`` write; a public Ed25519 key comes as a record or as PEM. 64
    bytes are rspamd's seed with its public key. Everything else is DER, private or public, or
    (mailcow's ``privkey``) a PEM block once more in base64.

    Raises:
        KeySourceError: it is base64, but of no key that DKIM can use.
    """
    data = _decoded(text, origin)
    if len(data) in _SEED_LENGTHS:
        return _from_seed(data, origin)
    if data.startswith(b"-----BEGIN") and (keys := split(data.decode("latin-1"), origin).keys):
        return keys[0]
    return _private(data, origin) if is_private_der(data) else _public(data, origin)


def _block(label: str, body: str, origin: str) -> PublicKey:
    if label == "ENCRYPTED PRIVATE KEY" or "4,ENCRYPTED" in body:
        raise _encrypted(origin)
    if label not in (*_PRIVATE, *_PUBLIC):
        raise _wrong_block(label, origin)
    data = _decoded(body, origin)
    if label in _PRIVATE:
        return _private(data, origin)
    if is_private_der(data):
        raise KeySourceError(
            f"{origin}: its first line says {label}, but it holds a PRIVATE key.",
            "Never publish it. Write PRIVATE KEY in its first and last line, or give the public"
            " half.",
        )
    return _public(data, origin)


def _private(data: bytes, origin: str) -> PublicKey:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_der_private_key

    try:
        public = load_der_private_key(data, password=None).public_key()
    except TypeError:
        raise _encrypted(origin) from None
    except (ValueError, UnsupportedAlgorithm):
        raise KeySourceError(
            f"{origin}: the private key in it is damaged or cut off.",
            "Copy the whole file again, or make a new key.",
        ) from None
    return _usable(public, origin)


def _public(data: bytes, origin: str) -> PublicKey:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    try:
        return _usable(load_der_public_key(data), origin)
    except (ValueError, UnsupportedAlgorithm):
        pass
    try:  # this fails as well, but says why: cut off, too long, not a key at all
        return public_key_from_p("rsa", base64.b64encode(data).decode("ascii"))
    except DkimSyntaxError as error:
        what = error.what.replace("The key in p=", "the key in it").replace("p=", "it")
        raise KeySourceError(f"{origin}: {what}", error.advice) from None


def _usable(public: PublicKeyTypes, origin: str) -> PublicKey:
    key = public_key_from_crypto(public)
    if key is None:
        kind = type(public).__name__.lstrip("_").removesuffix("PublicKey")
        raise KeySourceError(f"{origin}: the key in it is of the type {kind}.", _ONLY_RSA)
    return key


def _from_seed(data: bytes, origin: str) -> PublicKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    public = Ed25519PrivateKey.from_private_bytes(data[:32]).public_key()
    if len(data) == 64 and public.public_bytes_raw() != data[32:]:
        raise KeySourceError(
            f"{origin}: the two halves of the Ed25519 key in it do not belong together.",
            "Copy the whole line again, or make a new key.",
        )
    return _usable(public, origin)


def _decoded(text: str, origin: str) -> bytes:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise KeySourceError(
            f"{origin}: the key in it is not complete base64.",
            "Copy the whole key again, from the first character to the last.",
        ) from None


def _encrypted(origin: str) -> KeySourceError:
    return KeySourceError(
        f"{origin}: the private key in it is protected by a passphrase.",
        "Give its public half: openssl pkey -in FILE -pubout -out public.pem asks for the"
        " passphrase and writes it.",
    )


def _wrong_block(label: str, origin: str) -> KeySourceError:
    what = {
        "OPENSSH PRIVATE KEY": "an OpenSSH key, which is for logging in",
        "CERTIFICATE": "a certificate, which is for TLS",
        "CERTIFICATE REQUEST": "a certificate request, which is for TLS",
        "EC PRIVATE KEY": "an elliptic curve (EC) key",
        "EC PARAMETERS": "an elliptic curve (EC) key",
        "DSA PRIVATE KEY": "a DSA key",
    }.get(label, f"a PEM block of the kind {label}")
    advice = "Give the DKIM key that your mail server signs with, private or public."
    return KeySourceError(f"{origin}: it holds {what}, not a DKIM key.", advice)
