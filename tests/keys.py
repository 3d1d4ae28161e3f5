"""RSA keys for tests: making one takes as long as all the rest of a test, and so does reading it.

The first key that a test makes is the first that the last test made, the second the second: within
a test no two are the same. What lives longer than a test has keys that are nobody else's: a fixture
of a module makes them when it is set up, and what makes some later makes them in `that_last`.
"""

from __future__ import annotations

import functools
import itertools
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from netcup_mailauth.dkim import public_key_from_crypto
from netcup_mailauth.keys.private import NewKey

if TYPE_CHECKING:
    from collections.abc import Iterator

_numbers: dict[tuple[object, ...], Iterator[int]] | None = None
"""How many of each size the test has made; ``None`` between tests."""


def ed25519() -> NewKey:
    """A key of the other kind, which takes no time to make."""
    private = Ed25519PrivateKey.generate()
    pem = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    public = public_key_from_crypto(private.public_key())
    assert public is not None
    return NewKey(pem.decode("ascii"), public)


@contextmanager
def made_once() -> Iterator[None]:
    """Where `in_a_test` holds, keys are those of the tests before; a key that was read is known."""
    make = rsa.generate_private_key
    known: dict[tuple[object, ...], rsa.RSAPrivateKey] = {}

    def generate_private_key(public_exponent: int, key_size: int, **more: Any) -> rsa.RSAPrivateKey:
        if _numbers is None:
            return make(public_exponent, key_size, **more)
        size = (public_exponent, key_size)
        number = next(_numbers.setdefault(size, itertools.count()))
        if (*size, number) not in known:
            known[*size, number] = make(public_exponent, key_size, **more)
        return known[*size, number]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rsa, "generate_private_key", generate_private_key)
        for name in ("load_pem_private_key", "load_der_private_key"):
            patch.setattr(serialization, name, functools.cache(getattr(serialization, name)))
        yield


@contextmanager
def in_a_test() -> Iterator[None]:
    """A test, which begins with the first key again."""
    global _numbers
    _numbers = {}
    yield
    _numbers = None


@contextmanager
def that_last() -> Iterator[None]:
    """Between tests, as it were: what is made here outlives the test."""
    global _numbers
    _numbers, of_the_test = None, _numbers
    yield
    _numbers = of_the_test
