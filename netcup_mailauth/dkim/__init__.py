"""DKIM key records and the public keys in them (RFC 6376, 8301, 8463).

``key`` reads and measures the key, ``record`` the text around it. Both are pure, and import
``cryptography`` only when a key is looked at.
"""

from __future__ import annotations

from netcup_mailauth.dkim.key import (
    MAX_BITS,
    MIN_BITS,
    RECOMMENDED_BITS,
    DkimSyntaxError,
    PublicKey,
    is_too_short,
    public_key_from_crypto,
    public_key_from_p,
    size_note,
    size_problem,
)
from netcup_mailauth.dkim.record import (
    DkimRecord,
    build,
    describe,
    equal,
    is_dkim,
    parse,
)

__all__ = [
    "MAX_BITS",
    "MIN_BITS",
    "RECOMMENDED_BITS",
    "DkimRecord",
    "DkimSyntaxError",
    "PublicKey",
    "build",
    "describe",
    "equal",
    "is_dkim",
    "is_too_short",
    "parse",
    "public_key_from_crypto",
    "public_key_from_p",
    "size_note",
    "size_problem",
]
