"""From a record in netcup's wire form (1.5) to DNS data."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

import dns.exception
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rdtypes.ANY.TXT

if TYPE_CHECKING:
    from dns.name import Name
    from dns.rdata import Rdata

    from netcup_mailauth.sandbox.quirks import ShortTarget

_IN = dns.rdataclass.IN
_LONGEST_STRING = 255
_LARGEST = 65535
_TARGETS = frozenset({"CNAME", "NS", "PTR"})
_SRV_NUMBERS = 3

#: What reading a value that is none can raise.
UNUSABLE = (dns.exception.DNSException, ValueError, LookupError, ArithmeticError, struct.error)


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads the values of one zone.

    Args:
        origin: the zone's name, which `@` stands for.
        short_target: what a target without a dot is (1.5: unknown).
    """

    origin: Name
    short_target: ShortTarget = "absolute"

    def name(self, hostname: str) -> Name:
        """The full name of a record.

        Raises:
            One of UNUSABLE: it is no name, or not in this zone.
        """
        name = _name(hostname, self.origin)
        if not name.is_subdomain(self.origin):
            raise ValueError(f"{hostname} is not in {self.origin}")
        return name

    def value(self, kind: str, priority: str, destination: str) -> Rdata:
        """The data of a record.

        Raises:
            One of UNUSABLE: it is no value of this type.
        """
        rdata = self._read(kind, priority, destination)
        if len(rdata.to_wire() or b"") > _LARGEST:  # some mistakes show only here
            raise ValueError("no message could hold it")
        return rdata

    def _read(self, kind: str, priority: str, destination: str) -> Rdata:
        rdtype = dns.rdatatype.from_text(kind)
        if kind == "TXT":
            return dns.rdtypes.ANY.TXT.TXT(_IN, rdtype, _strings(destination))
        if kind == "MX":
            destination = f"{priority} {self._target(destination)}"
        if kind in _TARGETS:
            destination = str(self._target(destination))
        if kind == "SRV":
            *numbers, target_text = destination.split(None, _SRV_NUMBERS)
            destination = " ".join([*numbers, str(self._target(target_text))])
        return dns.rdata.from_text(_IN, rdtype, destination, relativize=False)

    def _target(self, text: str) -> Name:
        """A target is written in full but without its trailing dot; `@` is the apex (1.5)."""
        if text == "@":
            return self.origin
        is_short = "." not in text and self.short_target == "relative"
        return _name(text, self.origin if is_short else dns.name.root)


def _name(text: str, origin: Name) -> Name:
    if text.split() != [text]:  # DNS could hold blanks, a zone file cannot
        raise ValueError(f"{text!r} is no name")
    return dns.name.from_text(text, origin)


def _strings(text: str) -> list[bytes]:
    """One unsplit text becomes strings of at most 255 bytes (L38)."""
    data = text.encode()
    starts = range(0, len(data) or 1, _LONGEST_STRING)
    return [data[start : start + _LONGEST_STRING] for start in starts]
