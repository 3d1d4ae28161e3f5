"""Whether a name and its values can be added to the resolver's world."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dns.name

from netcup_mailauth.sandbox.dns.rdata import UNUSABLE, Reader

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dns.rdata import Rdata

TYPES = ("A", "AAAA", "CAA", "CNAME", "MX", "NS", "PTR", "SRV", "TLSA", "TXT")

_READER = Reader(dns.name.root)


def world_value(kind: str, value: str) -> Rdata:
    """The data of a value; an MX is its preference and its host.

    Raises:
        One of UNUSABLE: it is no value of this type.
    """
    priority, destination = value.split() if kind == "MX" else ("0", value)
    return _READER.value(kind, priority, destination)


def checked(name: str, kind: str, values: Sequence[str]) -> tuple[str, str, Sequence[str]]:
    """The name in lower case without a final dot, the type in upper case, the values as given.

    Raises:
        ValueError: one sentence that says what is wrong.
    """
    if kind.upper() not in TYPES:
        raise ValueError(f"type must be one of {', '.join(TYPES)}, which {kind!r} is not")
    if not isinstance(values, list | tuple) or not all(isinstance(v, str) for v in values):
        raise ValueError(f"values must be a list of texts, for {name} {kind}")
    try:
        full_name = _READER.name(name)
    except UNUSABLE:
        full_name = dns.name.root
    if full_name == dns.name.root:
        raise ValueError(f"name must be a host name, which {name!r} is not")
    kind = kind.upper()
    for value in values:
        try:
            world_value(kind, value)
        except UNUSABLE:
            raise ValueError(f"values must hold {kind} values, which {value!r} is not") from None
    return full_name.to_text(omit_final_dot=True).lower(), kind, values
