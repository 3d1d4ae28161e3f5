"""What the pure core asks of DNS, and the shape of what it is given.

The core never asks DNS itself: it hands a batch of queries to a :data:`Lookup` and gets one
answer for each. In the program that is ``dnsio``; in tests it is a dictionary.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

RecordType = Literal["A", "AAAA", "CNAME", "MX", "NS", "PTR", "SOA", "TXT"]


class Status(StrEnum):
    """How a query ended."""

    OK = "ok"
    EMPTY = "empty"  # the name exists, without records of this type (NODATA)
    NXDOMAIN = "nxdomain"
    TIMEOUT = "timeout"
    SERVFAIL = "servfail"  # any other failure of the server: SERVFAIL, REFUSED, nonsense


SILENT = (Status.TIMEOUT, Status.SERVFAIL)
"""DNS gave no answer, which says nothing about what is there."""


@dataclass(frozen=True, slots=True)
class Query:
    """One question. ``name`` is in lower case, without the trailing dot, IDNs in punycode."""

    name: str
    type: RecordType


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer.

    ``values`` holds, by type: A, AAAA the address; TXT the joined text, one byte a character
    (latin-1); MX ``"10 mail.example.com"``; PTR, NS, CNAME the target. Names carry no trailing
    dot. It is empty unless ``status`` is ``OK``.
    """

    status: Status
    values: tuple[str, ...] = ()


Lookup = Callable[[Sequence[Query]], Sequence[Answer]]
"""Answers each query of a batch, in the order asked."""
