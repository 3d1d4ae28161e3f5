"""Which TXT record is SPF, DKIM or DMARC, where each stands, and whether two mean the same.

A managed record is found by its name and its kind, never by its text; and equal meaning is never a
change. What was plainly meant as a record, and what no receiver reads as one, is a near miss: where
there is nothing better, it is what an edit starts from.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from netcup_mailauth import dkim, dmarc, spf
from netcup_mailauth.errors import RecordError
from netcup_mailauth.records import Kind, relative

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from netcup_mailauth.records import DnsRecord, Zone


def is_of_kind(kind: Kind, text: str) -> bool:
    """Whether a TXT text, standing at the hostname of ``kind``, is a record of that kind.

    The version decides for SPF and DMARC (RFC 7208, 4.5; RFC 9989, 4.7), so that a verification
    token beside it is left alone; a key may do without (RFC 6376, 3.6.1).
    """
    match kind:
        case Kind.SPF:
            return spf.is_spf(text)
        case Kind.DKIM:
            return dkim.is_read(text)
        case _:
            return dmarc.is_dmarc(text)


def counts(kind: Kind, text: str) -> bool:
    """Whether a TXT text that is served at the hostname of ``kind`` matters to its receivers.

    At a DKIM selector every TXT does: of two it is undefined which is read (RFC 6376, 3.6.2.2).
    """
    return kind is Kind.DKIM or is_of_kind(kind, text)


def counting(kind: Kind, texts: Iterable[str]) -> tuple[str, ...]:
    """Those of the texts that count."""
    return tuple(text for text in texts if counts(kind, text))


def of_kind(zone: Zone, kind: Kind, hostname: str) -> tuple[DnsRecord, ...]:
    """The TXT records at ``hostname`` that are of this kind, in the zone's order."""
    return tuple(
        record for record in zone.at(hostname, "TXT") if is_of_kind(kind, record.destination)
    )


def in_effect(zone: Zone, kind: Kind, hostname: str) -> tuple[str, ...]:
    """The texts of this kind that name servers answer with at ``hostname``.

    A wildcard's where nothing stands there (RFC 4592), and each once: records that are alike are
    one (RFC 2181, 5).
    """
    texts = (r.destination for r in zone.answering(hostname) if r.type == "TXT")
    return tuple(dict.fromkeys(text for text in texts if is_of_kind(kind, text)))


def is_meant(kind: Kind, text: str) -> bool:
    """Whether a TXT text at the hostname of ``kind`` is of it, or was plainly meant to be.

    A selector is there for nothing but a key, so that whatever stands there was.
    """
    match kind:
        case Kind.SPF:
            return spf.is_meant(text)
        case Kind.DMARC | Kind.DMARC_REPORT:
            return dmarc.is_meant(text)
        case _:
            return True


def near_misses(zone: Zone, kind: Kind, hostname: str) -> tuple[DnsRecord, ...]:
    """The TXT records at ``hostname`` that were meant to be of this kind, and are not."""
    return tuple(
        record
        for record in zone.at(hostname, "TXT")
        if is_meant(kind, record.destination) and not is_of_kind(kind, record.destination)
    )


def live(zone: Zone, kind: Kind, hostname: str) -> tuple[DnsRecord, ...]:
    """The records that a change of this kind is about: those of the kind, else the near misses.

    A second record beside a near miss would be worse than none: some receivers count both.
    """
    return of_kind(zone, kind, hostname) or near_misses(zone, kind, hostname)


def hostname_of(kind: Kind, domain: str, zone: str, selector: str = "") -> str:
    """The hostname, relative to ``zone``, at which ``domain`` has its record of ``kind``."""
    match kind:
        case Kind.DKIM:
            return relative(f"{selector}._domainkey.{domain}", zone)
        case Kind.DMARC:
            return relative(f"_dmarc.{domain}", zone)
        case _:
            return relative(domain, zone)


def same_meaning(kind: Kind, live: str, wanted: str) -> bool:
    """Whether a receiver reads ``live`` exactly as it would read ``wanted``.

    A live text that is no valid record of its kind equals only itself.
    """
    if live == wanted:
        return True
    try:
        match kind:
            case Kind.SPF:
                return spf.equal(spf.parse(live), spf.parse(wanted))
            case Kind.DKIM:
                return dkim.equal(dkim.parse(live), dkim.parse(wanted))
            case _:
                return _same_dmarc(live, wanted)
    except RecordError:
        return False


def _same_dmarc(live: str, wanted: str) -> bool:
    old, new = dmarc.read(live), dmarc.read(wanted)
    return old is not None and new is not None and dmarc.equal(old, new)


_READERS: dict[Kind, Callable[[str], object]] = {
    Kind.SPF: spf.parse,
    Kind.DKIM: dkim.parse,
    Kind.DMARC: dmarc.parse,
    Kind.DMARC_REPORT: dmarc.read,
}


def problem_of(kind: Kind, text: str) -> RecordError | None:
    """What is wrong with a record by itself; ``None`` if a receiver can use it."""
    try:
        _READERS[kind](text)
    except RecordError as error:
        return error
    return None


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
