"""How CloudDNS writes the names of records, which is known for no form of them (fact 2.5).

What one listing holds shows it. Names are written back in the form that was read, so that a
delete matches.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from netcup_mailauth.backends.answers import foreign_record
from netcup_mailauth.names import APEX

if TYPE_CHECKING:
    from collections.abc import Iterable

APEX_RELATIVE = ("@", "")
"""The apex among relative names. Confidence: ?; the first is written where none was read."""


@dataclass(frozen=True, slots=True)
class NameForm:
    """The form of the names of one zone.

    Attributes:
        zone: its name.
        suffix: what stands behind a hostname: nothing, or the zone with or without a last dot.
        apex: the name of the apex.
    """

    zone: str
    suffix: str = ""
    apex: str = APEX_RELATIVE[0]

    @classmethod
    def of(cls, names: Iterable[str], zone: str) -> NameForm:
        """The form in which a listing of a zone has its names.

        One name that cannot be a full one (``www``) shows that all without a last dot are
        relative: ``_dmarc.example.com`` beside it is a record at the wrong place, as web forms
        make them, and not the DMARC record. Confidence: L.
        """
        listed = [name.lower() for name in names]
        suffix = _suffix(listed, zone)
        fitting = (*APEX_RELATIVE, *((zone, f"{zone}.") if suffix else (f"{zone}.", zone)))
        default = suffix.removeprefix(".") or APEX_RELATIVE[0]
        return cls(zone, suffix, next((apex for apex in fitting if apex in listed), default))

    def hostname(self, name: str) -> str:
        """The hostname, as :class:`~netcup_mailauth.records.DnsRecord` has it.

        Raises:
            ApiError: it is the full name of something outside the zone.
        """
        name = name.lower()
        if name in (*APEX_RELATIVE, self.apex, f"{self.zone}."):
            return APEX
        if name.endswith("."):
            if not name.endswith(f".{self.zone}."):
                raise foreign_record(self.zone, name)
            return name.removesuffix(f".{self.zone}.")
        return name.removesuffix(f".{self.zone}") if self.suffix else name

    def name(self, hostname: str) -> str:
        """A hostname in this form."""
        return self.apex if hostname == APEX else f"{hostname}{self.suffix}"


def _suffix(names: list[str], zone: str) -> str:
    named = [name for name in names if name not in APEX_RELATIVE]
    if not all(f".{name}".endswith((f".{zone}", f".{zone}.")) for name in named):
        return ""
    if any(name.endswith(".") for name in named):
        return f".{zone}."
    return f".{zone}" if named else ""
