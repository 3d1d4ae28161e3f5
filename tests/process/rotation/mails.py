"""Mails as mailcow's rspamd sends them: signed with the key that lies in Redis at that moment.

Signed here and not by a library, because 10,000 signatures take dkimpy two minutes; whether they
are right, dkimpy says.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

if TYPE_CHECKING:
    from netcup_mailauth.sandbox import Sandbox

BODY = b"Good morning.\r\n"
BODY_HASH = base64.b64encode(hashlib.sha256(BODY).digest()).decode("ascii")


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail on its way.

    Attributes:
        number: the how many-eth it is.
        selector: the key it was signed with.
        text: all of it.
        signed: when the key was read, by the monotonic clock.
    """

    number: int
    selector: str
    text: bytes
    signed: float


def sent(sandbox: Sandbox, domain: str, number: int, now: float) -> Mail | None:
    """The next mail; ``None`` where mailcow could not have signed it."""
    keyring = sandbox._keyring
    # In this order: the selector first, then the private half under it, as rspamd does it.
    selector = keyring.selectors.get(domain, "")
    private = keyring.priv_keys.get(f"{selector}.{domain}")
    if not private:
        return None
    return Mail(number, selector, signed(domain, selector, private, number), now)


def signed(domain: str, selector: str, private: str, number: int) -> bytes:
    """A mail with a signature, its headers written in the form that ``relaxed`` makes of them."""
    headers = [f"from:postmaster@{domain}", f"subject:mail {number}"]
    signature = (
        f"dkim-signature:v=1; a=rsa-sha256; c=relaxed/relaxed; d={domain}; s={selector}; "
        f"h=from:subject; bh={BODY_HASH}; b="
    )
    data = "\r\n".join([*headers, signature]).encode("ascii")
    value = _key(private).sign(data, PKCS1v15(), hashes.SHA256())
    b = base64.b64encode(value).decode("ascii")
    return "\r\n".join([signature + b, *headers, "", ""]).encode("ascii") + BODY


@cache
def _key(private: str) -> RSAPrivateKey:
    key = serialization.load_pem_private_key(private.encode("ascii"), None)
    assert isinstance(key, RSAPrivateKey)
    return key
