"""What zones hold at the start: what was asked for, else what netcup puts into a fresh one."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from netcup_mailauth.sandbox.zones import Draft, ZoneSeed, is_zone_name, read_drafts

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_V4, _V6 = "203.0.113.10", "2001:db8::10"
_MAIL_V4, _MAIL_V6 = "203.0.113.25", "2001:db8::25"
_HOSTING = "webhosting.systems"


def seeds_for(
    domains: Iterable[str], zones: Mapping[str, Sequence[Mapping[str, object]]], clouddns: set[str]
) -> list[ZoneSeed]:
    """What each zone begins with: its records in `zones` (in wire form), else the usual ones.

    Raises:
        ValueError: a name is no zone name, or a record is wrong.
    """
    given = {name.lower(): read_drafts(f"zone {name}", data) for name, data in zones.items()}
    names = list(dict.fromkeys([*(name.lower() for name in domains), *given, *sorted(clouddns)]))
    for name in names:
        if not is_zone_name(name):
            raise ValueError(f"{name!r} is no zone at netcup: that is one label and a TLD")
    return [
        ZoneSeed(
            name,
            given[name] if name in given else starter_zone(name),
            "clouddns" if name in clouddns else "ccp",
        )
        for name in names
    ]


def starter_zone(domain: str) -> tuple[Draft, ...]:
    """Thirteen records, as in section 0 item 4 of the mail fact sheet.

    SPF, a second MX and two DKIM CNAMEs belong to netcup's web hosting; the site verification is
    there so that SPF is not the only TXT at the apex.
    """
    mark = zlib.crc32(domain.encode())
    return (
        _draft("@", "A", _V4),
        _draft("*", "A", _V4),
        _draft("mail", "A", _MAIL_V4),
        _draft("@", "AAAA", _V6),
        _draft("*", "AAAA", _V6),
        _draft("mail", "AAAA", _MAIL_V6),
        _draft("www", "CNAME", "@"),
        _draft("@", "MX", f"mail.{domain}", "10"),
        _draft("@", "MX", f"mx{mark & 0xFFFF:04x}.netcup.net", "50"),
        _draft("@", "TXT", f"v=spf1 mx a include:_spf.{_HOSTING} ~all"),
        _draft("@", "TXT", f"google-site-verification={mark:08x}-a-record-of-somebody-else"),
        _draft("key1._domainkey", "CNAME", f"key1._domainkey.{_HOSTING}"),
        _draft("key2._domainkey", "CNAME", f"key2._domainkey.{_HOSTING}"),
    )


def hosts_of(domains: Sequence[str]) -> dict[str, str]:
    """The host each address of a starter zone belongs to, were it asked for in reverse.

    All zones have the same addresses; they belong to the first.
    """
    if not domains:
        return {}
    web, mail = domains[0], f"mail.{domains[0]}"
    return {_V4: web, _V6: web, _MAIL_V4: mail, _MAIL_V6: mail}


def _draft(hostname: str, kind: str, destination: str, priority: str = "0") -> Draft:
    return Draft(None, hostname, kind, priority, destination)
