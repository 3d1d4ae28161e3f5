"""A private key proves a published one, whatever file it is in, and no other."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from netcup_mailauth.dkim import public_key_from_crypto
from netcup_mailauth.keys.private import signer_in, signer_in_file

if TYPE_CHECKING:
    from pathlib import Path

    from netcup_mailauth.dkim import PublicKey

RSA = rsa.generate_private_key(65537, 2048)
OTHER = rsa.generate_private_key(65537, 2048)
ED = Ed25519PrivateKey.generate()
SEED = ED.private_bytes_raw()
EC = ec.generate_private_key(ec.SECP256R1())

PKCS8, PKCS1 = PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL


def pem(key: rsa.RSAPrivateKey | Ed25519PrivateKey, form: PrivateFormat = PKCS8) -> str:
    return key.private_bytes(Encoding.PEM, form, NoEncryption()).decode()


def public(key: rsa.RSAPrivateKey | Ed25519PrivateKey) -> PublicKey:
    found = public_key_from_crypto(key.public_key())
    assert found is not None
    return found


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


FORMS: dict[str, tuple[str, rsa.RSAPrivateKey | Ed25519PrivateKey]] = {
    "pkcs8": (pem(RSA), RSA),
    "pkcs1": (pem(RSA, PKCS1), RSA),
    "in-an-env-file": (pem(RSA).replace("\n", "\\n"), RSA),
    "with-remarks": (f"the key of example.com\n{pem(RSA)}\nend", RSA),
    "mailcow-privkey": (b64(pem(RSA).encode()), RSA),
    "der": (b64(RSA.private_bytes(Encoding.DER, PKCS8, NoEncryption())), RSA),
    "ed25519": (pem(ED), ED),
    "seed": (b64(SEED), ED),
    "seed-and-public": (b64(SEED + ED.public_key().public_bytes_raw()), ED),
    "rspamadm": (f'{b64(SEED)}\nx._domainkey IN TXT ( "v=DKIM1; k=ed25519; " "p=AAAA" ) ;', ED),
}


@pytest.mark.parametrize("form", FORMS)
def test_it_verifies_with_its_own_public_key_and_no_other(form: str) -> None:
    text, key = FORMS[form]
    signer = signer_in(text)
    assert signer is not None
    assert signer.verifies_with(public(key))
    assert not signer.verifies_with(public(OTHER))
    assert not signer.verifies_with(public(ED if key is RSA else RSA))
    assert not signer.verifies_with(public(Ed25519PrivateKey.generate()))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "v=DKIM1;k=rsa;p=AAAA",
        pem(RSA).replace("PRIVATE", "PUBLIC"),
        "-----BEGIN PRIVATE KEY-----\n!!!\n-----END PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----",
        RSA.private_bytes(Encoding.PEM, PKCS8, BestAvailableEncryption(b"x")).decode(),
        EC.private_bytes(Encoding.PEM, PKCS8, NoEncryption()).decode(),
        "A" * 43 + "==",
        b64(b"-----BEGIN nothing, but long enough to pass for a key"),
    ],
)
def test_a_text_without_a_usable_private_key_has_no_signer(text: str) -> None:
    assert signer_in(text) is None


def test_a_file_that_cannot_be_read_has_no_signer(tmp_path: Path) -> None:
    path = tmp_path / "key"
    assert signer_in_file(path) is None
    path.write_bytes(b"\xff\xfe\x00")
    assert signer_in_file(path) is None
    path.write_text(pem(ED))
    signer = signer_in_file(path)
    assert signer is not None
    assert signer.verifies_with(public(ED))


def test_the_key_is_never_shown() -> None:
    assert repr(signer_in(pem(ED))) == "Signer()"


def test_a_published_key_that_is_damaged_proves_nothing() -> None:
    signer = signer_in(pem(ED))
    assert signer is not None
    assert not signer.verifies_with(replace(public(ED), spki=b"0\x00"))
    spki = EC.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert not signer.verifies_with(replace(public(ED), spki=spki))
