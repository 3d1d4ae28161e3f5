"""New keys: usable as they are, and never shown."""

from __future__ import annotations

from cryptography.hazmat.primitives.serialization import load_pem_private_key

from netcup_mailauth.dkim import public_key_from_crypto
from netcup_mailauth.keys.forms import read_key
from netcup_mailauth.keys.private import generate


def test_a_new_key() -> None:
    new = generate()
    assert new.public.label == "RSA 2048"
    private = load_pem_private_key(new.pem.encode(), password=None)
    assert public_key_from_crypto(private.public_key()) == new.public
    assert read_key(new.pem, "test").key == new.public
    assert "PRIVATE" not in repr(new)


def test_no_two_are_the_same() -> None:
    assert generate().public != generate().public
