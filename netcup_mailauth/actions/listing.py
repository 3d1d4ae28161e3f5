"""``records --mail``: which records of a zone concern mail."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from netcup_mailauth.records import DnsRecord, Zone

MAIL_PREFIXES = ("v=spf1", "v=dkim1", "v=dmarc1", "v=stsv1", "v=tlsrptv1")
MAIL_LABELS = frozenset({"_domainkey", "_dmarc", "_mta-sts", "_smtp", "_report"})
MAIL_NAMES = frozenset({"mail", "autodiscover", "autoconfig", "mta-sts"})


def mail_records(zone: Zone) -> Zone:
    """The zone with only those records that concern mail."""
    return replace(zone, records=tuple(filter(_concerns_mail, zone.records)))


def _concerns_mail(record: DnsRecord) -> bool:
    labels = record.hostname.split(".")
    return (
        record.type == "MX"
        or not MAIL_LABELS.isdisjoint(labels)
        or labels[0] in MAIL_NAMES
        or (record.type == "TXT" and record.destination.lower().startswith(MAIL_PREFIXES))
    )
