"""The keys of the DKIM corpus, made anew in each run, and the forms their ``p`` comes in.

RSA below 1024 bits is made from fixed primes: ``cryptography`` no longer makes such keys.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

_E: Final = 65537
_SHORT: Final = {
    "rsa512": (
        0xE0C4493351DBCA88205DED61E85FECCB28A85C98B97FA3C67435ABE54A18FBC9,
        0xC2FC2AE8C320D272082795BC62B361C22F880D4ABCD428F20014559A6682A8A3,
    ),
    "rsa768": (
        0xDD41E2FDDC0C64C9FD677B334666352B5D410AD931FA918716968457EBA98BC01378744961519294_7DD2932953A8B92F,
        0xC6D4ABBFD911839485869EE2254E2B9C551CA0C20EE3EC8368E6AC7F3F5D0C3FD18B11B8ED718093_27E02E78B4A2A61D,
    ),
}
_RSA_IDENTIFIER: Final = bytes.fromhex("300d06092a864886f70d0101010500")


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key as dkimpy takes it, and the signature algorithm that goes with it."""

    private: bytes
    algorithm: bytes


@dataclass(frozen=True, slots=True)
class Keys:
    """``signing`` by name; ``p`` by the name and form that stand in a record's text."""

    signing: dict[str, SigningKey]
    p: dict[str, str]

    def fill(self, text: str) -> str:
        """The text of a record with its keys in place."""
        return re.sub(r"\{([a-z0-9-]+)\}", lambda match: self.p[match[1]], text)


def make() -> Keys:
    """One key of each kind."""
    signing, p = {}, {}
    for name, (first, second) in _SHORT.items():
        signing[name] = SigningKey(_pem(_private(first, second)), b"rsa-sha256")
        p[name] = _base64(_public(first * second))
    for name, bits in (("rsa1024", 1024), ("rsa2048", 2048), ("rsa3072", 3072), ("rsa4096", 4096)):
        key = rsa.generate_private_key(_E, bits)
        traditional = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
        signing[name] = SigningKey(traditional, b"rsa-sha256")
        p[name] = _base64(_spki(key.public_key()))
        p[f"{name}-pkcs1"] = _base64(
            key.public_key().public_bytes(
                serialization.Encoding.DER, serialization.PublicFormat.PKCS1
            )
        )
    p["rsa2048-private"] = b"".join(signing["rsa2048"].private.splitlines()[1:-1]).decode()
    pair = ed25519.Ed25519PrivateKey.generate()
    signing["ed25519"] = SigningKey(base64.b64encode(pair.private_bytes_raw()), b"ed25519-sha256")
    raw = pair.public_key().public_bytes_raw()
    p["ed25519"] = _base64(raw)
    p["ed25519-cut"] = _base64(raw[:-2])
    p["ed25519-spki"] = _base64(_spki(pair.public_key()))
    p["ec"] = _base64(_spki(ec.generate_private_key(ec.SECP256R1()).public_key()))
    p |= _mishaps(p["rsa2048"], p["rsa1024"])
    return Keys(signing, p)


def _mishaps(p: str, other: str) -> dict[str, str]:
    """What becomes of a 2048-bit key on its way into a zone."""
    return {
        "rsa2048-blanks": " ".join(re.findall(".{1,64}", p)),
        "rsa2048-folded": "\r\n\t".join(re.findall(".{1,70}", p)),
        "rsa2048-255": p[:255],
        "rsa2048-cut": p[:-40],
        "rsa2048-one-lost": p[:100] + p[101:],
        "rsa2048-one-lost-at-end": p[:-1],
        "rsa2048-end-twice": p + p[-40:],
        "rsa2048-quotes": f'{p[:200]}" "{p[200:]}',
        "rsa2048-backslash": f"{p[:200]}\\{p[200:]}",
        "rsa2048-url-safe": re.sub(r"[A-Za-z0-9]", "-", p, count=1),
        "rsa2048-dots": f"{p[:20]}...{p[-20:]}",
        "rsa2048-pem": f"-----BEGIN PUBLIC KEY-----{p}-----END PUBLIC KEY-----",
        "two-keys": p + other,
    }


def _spki(key: rsa.RSAPublicKey | ed25519.Ed25519PublicKey | ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def _public(modulus: int) -> bytes:
    key = _der(0x30, _integer(modulus) + _integer(_E))
    return _der(0x30, _RSA_IDENTIFIER + _der(0x03, b"\0" + key))


def _private(p: int, q: int) -> bytes:
    d = pow(_E, -1, (p - 1) * (q - 1))
    numbers = (0, p * q, _E, d, p, q, d % (p - 1), d % (q - 1), pow(q, -1, p))
    return _der(0x30, b"".join(map(_integer, numbers)))


def _integer(value: int) -> bytes:
    return _der(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def _der(tag: int, body: bytes) -> bytes:
    size = len(body)
    if size < 0x80:
        return bytes([tag, size]) + body
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(octets)]) + octets + body


def _pem(der: bytes) -> bytes:
    body = base64.b64encode(der)
    return b"-----BEGIN RSA PRIVATE KEY-----\n" + body + b"\n-----END RSA PRIVATE KEY-----\n"


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
