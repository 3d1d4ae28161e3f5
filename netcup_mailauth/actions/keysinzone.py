"""What a zone as read has where a rotation looks: keys, aliases of keys, and keys of strangers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netcup_mailauth.records import absolute
from netcup_mailauth.rotation import selectors

if TYPE_CHECKING:
    from netcup_mailauth.records import DnsRecord, Zone


def records_at(zone: Zone, hostname: str) -> tuple[str, ...]:
    """What a zone has at a key's hostname: the texts, and an alias as ``CNAME target``."""
    texts = [record.destination for record in zone.at(hostname, "TXT")]
    aliases = [f"CNAME {record.destination}" for record in zone.at(hostname, "CNAME")]
    return (*texts, *aliases)


def aliases_of(zone: Zone, name: str) -> tuple[str, ...]:
    """The hostnames of a zone's aliases of a full name."""
    return tuple(
        record.hostname
        for record in zone.records
        if record.type == "CNAME" and _target(record, zone) == name
    )


def strangers(zone: Zone, domain: str, known: set[str]) -> tuple[str, ...]:
    """The hostnames of rotated keys whose selector is none of ``known``."""
    found = sorted(selectors.selectors_in(zone, domain) - known)
    return tuple(f"{s}._domainkey.{domain}" for s in found if selectors.is_rotation_style(s))


def _target(record: DnsRecord, zone: Zone) -> str:
    """What an alias stands for, as a full name: netcup shows it with a dot, or relative."""
    text = record.destination.lower()
    if text.endswith("."):
        return text.rstrip(".")
    return text if text.endswith(f".{zone.name}") else absolute(text, zone.name)
