"""How one SPF check asks DNS: names made fit to ask, limits counted (RFC 7208, 4.6.4)."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from netcup_mailauth.lookup import Answer, Query, Status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from netcup_mailauth.lookup import Lookup, RecordType

MAX_LOOKUPS = 10
MAX_VOID_LOOKUPS = 2
_LONGEST_NAME, _LONGEST_LABEL = 253, 63
_NO_SUCH_NAME = Answer(Status.NXDOMAIN)


class PermanentError(Exception):
    """The check ends with ``permerror``; the message says why."""


class TemporaryError(Exception):
    """The check ends with ``temperror``; the message says why."""


@dataclass(slots=True)
class Questions:
    """Asks for one check, and counts: ``lookups`` by terms, ``voids`` by terms that got nothing."""

    lookup: Lookup
    lookups: int = field(default=0, init=False)
    voids: int = field(default=0, init=False)

    def count_lookup(self) -> None:
        """Count a term that asks DNS.

        Raises:
            PermanentError: it is the eleventh.
        """
        self.lookups += 1
        if self.lookups > MAX_LOOKUPS:
            raise PermanentError(f"more than {MAX_LOOKUPS} DNS look-ups (RFC 7208 4.6.4)")

    def count_void(self, name: str) -> None:
        """Count a term whose question had no answer.

        Raises:
            PermanentError: it is the third.
        """
        self.voids += 1
        if self.voids > MAX_VOID_LOOKUPS:
            raise PermanentError(
                f"more than {MAX_VOID_LOOKUPS} DNS look-ups without an answer, the last one for "
                f"{name} (RFC 7208 4.6.4)"
            )

    def ask(self, name: str, record_type: RecordType) -> tuple[str, ...]:
        """The values at a name; empty for a name that does not exist or cannot.

        Raises:
            TemporaryError: DNS did not answer.
        """
        answer = self.ask_all([name], record_type)[0]
        if answer.status in (Status.TIMEOUT, Status.SERVFAIL):
            raise TemporaryError(
                f"DNS gives no answer for {record_type} of {name} ({answer.status.value})"
            )
        return answer.values

    def ask_all(self, names: Sequence[str], record_type: RecordType) -> list[Answer]:
        """One answer a name, asked side by side; names that cannot exist are not asked for."""
        asked = [name for name in names if can_exist(name)]
        queries = [Query(name.lower(), record_type) for name in asked]
        answers = iter(self.lookup(queries) if queries else ())
        return [next(answers) if can_exist(name) else _NO_SUCH_NAME for name in names]


def can_exist(name: str) -> bool:
    """Whether DNS can hold this name: ASCII, with labels of 1 to 63 characters (RFC 1035)."""
    labels = name.split(".")
    return (
        name.isascii()
        and name.isprintable()
        and len(name) <= _LONGEST_NAME
        and all(0 < len(label) <= _LONGEST_LABEL for label in labels)
    )


def is_domain(name: str) -> bool:
    """Whether a check can begin at this name (RFC 7208, 4.3): several labels, no ``[1.2.3.4]``."""
    return can_exist(name) and "." in name and not name.startswith("[")


def to_ascii(name: str) -> str:
    """``name`` without the final dot, each label that is not ASCII in punycode (RFC 8616, 4)."""
    return ".".join(_label(label) for label in name.removesuffix(".").split("."))


def _label(label: str) -> str:
    if label.isascii():
        return label
    # IDNA 2008, which unlike Python's own codec keeps the German sharp s (RFC 5891, 5).
    mapped = unicodedata.normalize("NFC", label.lower())
    return "xn--" + mapped.encode("punycode", "replace").decode("ascii", "replace")
