"""DNS records and zones as the whole program sees them, whichever API they come from.

A managed record is found by its *kind* and its *hostname*, never by its text: which TXT record
at the apex is the SPF record, which one at ``_dmarc`` is the DMARC policy. Every other record of
a zone is only ever counted.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum

from netcup_mailauth.names import relative

CCP = "ccp"
CLOUDDNS = "clouddns"
"""The names of netcup's two APIs, as they stand in plans and exports."""


class Kind(StrEnum):
    """The kinds of records this program manages."""

    SPF = "spf"
    DKIM = "dkim"
    DMARC = "dmarc"
    DMARC_REPORT = "dmarc-report"


@dataclass(frozen=True, slots=True)
class DnsRecord:
    """One record of a zone.

    Attributes:
        id: the API's identifier; ``None`` where it has none, or for a record not yet there. An
            address, no identity: other programs delete and create where this one updates.
        hostname: relative to the zone, in lower case; ``@`` for the apex.
        type: the record type in upper case.
        priority: as the API has it, ``"0"`` when unused.
        destination: the neutral value; a TXT record's is its joined text, without quotes.
        ttl: seconds; ``None`` where the API knows only one TTL for the whole zone.
        raw: the value as read, where it is not what our own encoder would write.
        immutable: whether the API keeps it from being changed.
    """

    id: str | None
    hostname: str
    type: str
    destination: str
    priority: str = "0"
    ttl: int | None = None
    raw: str | None = None
    immutable: bool = False


@dataclass(frozen=True, slots=True)
class Zone:
    """A zone as read.

    ``revision`` identifies the state where the API has such a thing, and ``draft`` a newer one
    that is not committed yet. ``asked_at`` is when the API was asked for this state, and
    ``answered_at`` when all of it was there, by :func:`netcup_mailauth.clock.now`; ``None`` for a
    zone that no API was just asked for.
    """

    name: str
    backend: str
    records: tuple[DnsRecord, ...]
    revision: str | None = None
    draft: str | None = None
    asked_at: float | None = field(default=None, compare=False)
    answered_at: float | None = field(default=None, compare=False)

    def at(self, hostname: str, record_type: str) -> tuple[DnsRecord, ...]:
        """The records of one type at one hostname, in the zone's order."""
        return tuple(
            record
            for record in self.records
            if record.type == record_type and record.hostname == hostname
        )

    def of_kind(self, kind: Kind, hostname: str) -> tuple[DnsRecord, ...]:
        """The TXT records at ``hostname`` that are of this kind, in the zone's order."""
        return tuple(
            record for record in self.at(hostname, "TXT") if is_of_kind(kind, record.destination)
        )


@dataclass(frozen=True, slots=True)
class DesiredRecord:
    """A record a domain should have.

    ``source`` says where a DKIM key comes from, in words; ``fingerprint`` is that key's.
    """

    kind: Kind
    hostname: str
    value: str
    source: str | None = None
    fingerprint: str | None = None


def is_of_kind(kind: Kind, text: str) -> bool:
    """Whether a TXT text, standing at the hostname of ``kind``, is a record of that kind.

    At a DKIM selector every TXT is: two texts there make the key undefined (RFC 6376, 3.6.2.2).
    Elsewhere the version decides (RFC 7208, 4.5; RFC 9989, 4.7), so that a verification token
    beside it is left alone.
    """
    from netcup_mailauth import dmarc, spf

    match kind:
        case Kind.SPF:
            return spf.is_spf(text)
        case Kind.DKIM:
            return True
        case _:
            return dmarc.is_dmarc(text)


def hostname_of(kind: Kind, domain: str, zone: str, selector: str = "") -> str:
    """The hostname, relative to ``zone``, at which ``domain`` has its record of ``kind``."""
    match kind:
        case Kind.DKIM:
            return relative(f"{selector}._domainkey.{domain}", zone)
        case Kind.DMARC:
            return relative(f"_dmarc.{domain}", zone)
        case _:
            return relative(domain, zone)


_CHUNK = re.compile(r'\s*"((?:[^"\\]|\\.)*)"', re.DOTALL)
_ESCAPE = re.compile(r"\\(\d{3}|.)", re.DOTALL)


def join_txt(text: str) -> str:
    """The text of a TXT record: quoted chunks are joined, bare text is returned as it is.

    ``"v=spf1 mx" " -all"`` becomes ``v=spf1 mx -all``. The strings of one record are joined with
    nothing between them (RFC 7208, 3.3; RFC 6376, 3.6.2.2), escapes are those of zone files
    (RFC 1035, 5.1). Text that only looks quoted (a quote left open) is returned as it is.
    """
    quoted, at = text.strip(), 0
    chunks = []
    while at < len(quoted):
        match = _CHUNK.match(quoted, at)
        if match is None:
            return text
        chunks.append(_ESCAPE.sub(_unescape, match[1]))
        at = match.end()
    return "".join(chunks) if chunks else text


def _unescape(match: re.Match[str]) -> str:
    code = match[1]
    return chr(int(code)) if len(code) == 3 and int(code) < 256 else code
