"""New keys: of the kind that was asked for, usable as they are, and never shown."""

from __future__ import annotations

from typing import get_args

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from netcup_mailauth.dkim import public_key_from_crypto
from netcup_mailauth.keys.forms import read_key
from netcup_mailauth.keys.private import DEFAULT, KeyType, generate

LABELS = {"rsa2048": "RSA 2048", "rsa3072": "RSA 3072", "ed25519": "Ed25519"}


@pytest.mark.parametrize(("key_type", "label"), LABELS.items())
def test_a_new_key(key_type: KeyType, label: str) -> None:
    new = generate(key_type)
    assert new.public.label == label
    private = load_pem_private_key(new.pem.encode(), password=None)
    assert public_key_from_crypto(private.public_key()) == new.public
    assert read_key(new.pem, "test").key == new.public
    assert "PRIVATE" not in repr(new)


def test_no_two_are_the_same() -> None:
    assert generate("ed25519").public != generate("ed25519").public


def test_what_there_is() -> None:
    assert set(get_args(KeyType)) == {*LABELS, "rsa4096"}
    assert DEFAULT == "rsa2048"
