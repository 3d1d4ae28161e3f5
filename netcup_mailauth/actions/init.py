"""``init``: a starter config from what is live, of one domain or of all that mailcow serves.

Its first plan is empty, or exactly the repairs it explains: every table says in comments what was
found, what the first plan will do, and what comes next.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from netcup_mailauth import dkim, dmarc, spf
from netcup_mailauth.actions.planning import check_that_netcup_may_serve
from netcup_mailauth.errors import RecordError, ZoneError
from netcup_mailauth.keys.sources import MAILCOW
from netcup_mailauth.kinds import hostname_of, is_of_kind, near_misses, of_kind, same_meaning
from netcup_mailauth.records import Kind
from netcup_mailauth.settings.writing import comment, quoted

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from netcup_mailauth.actions.session import Session
    from netcup_mailauth.dkim import DkimSource
    from netcup_mailauth.records import Zone

WATCHING = timedelta(weeks=4)
"""How long to read reports before a stricter policy (RFC 9989, 7.4: at least a month)."""


@dataclass(frozen=True, slots=True)
class Found:
    """What is known of one domain.

    ``has_mailcow`` is whether a mailcow signs its mail, ``key`` what it signs with, if it has one.
    """

    domain: str
    zone: Zone
    has_mailcow: bool = False
    key: DkimSource | None = None


def table(found: Found, today: date) -> str:
    """The table of one domain."""
    lines = [f"[domains.{quoted(found.domain)}]"]
    if found.zone.name != found.domain:
        lines.append(f"zone = {quoted(found.zone.name)}")
    lines += [*_spf(found), *_dkim(found), *_dmarc(found, today)]
    return "\n".join(lines) + "\n"


def _live(found: Found, kind: Kind) -> list[str]:
    hostname = hostname_of(kind, found.domain, found.zone.name)
    records = of_kind(found.zone, kind, hostname)
    return list(dict.fromkeys(record.destination for record in records))


def _not_read(found: Found, kind: Kind) -> Iterator[str]:
    """Each text at the name of a kind that receivers do not read as one."""
    hostname = hostname_of(kind, found.domain, found.zone.name)
    meant = near_misses(found.zone, kind, hostname)
    for record in found.zone.at(hostname, "TXT"):
        named = kind is Kind.DMARC or record in meant
        if named and not is_of_kind(kind, record.destination):
            yield comment(f"Receivers do not read this as {kind.upper()}: {record.destination}")


def _repaired(found: Found, kind: Kind, template: str) -> list[str]:
    """The wish for what was meant as a record, where receivers read none; nothing where none was.

    ``template`` is the record to begin with where it is not plain what was meant.
    """
    hostname = hostname_of(kind, found.domain, found.zone.name)
    misses = near_misses(found.zone, kind, hostname)
    if not misses or of_kind(found.zone, kind, hostname):
        return []
    meant = _meant(kind, misses[0].destination) if len(misses) == 1 else None
    if meant is None:
        return [_UNCLEAR, f"# {kind} = {quoted(template)}"]
    return [
        "# The first plan writes it so that they do; a policy that they did not read is none.",
        f"{kind} = {quoted(meant)}",
    ]


_UNCLEAR = "# Write the one that is meant, then take out the # in front of the next line:"


def _meant(kind: Kind, text: str) -> str | None:
    """The record that a text was plainly meant as."""
    try:
        if kind is Kind.SPF:
            return str(spf.parse_wanted(spf.mended(text)))
        mended = dmarc.without_quotes(dmarc.mended(text))
        quiet, _ = dmarc.not_yet_in_force(None, mended, sub_domains=True)
        return str(dmarc.parse(str(quiet)))
    except RecordError:
        return None


def _spf(found: Found) -> Iterator[str]:
    live = _live(found, Kind.SPF)
    yield from _not_read(found, Kind.SPF)
    if repaired := _repaired(found, Kind.SPF, "v=spf1 mx ~all"):
        yield from repaired
        return
    if not live:
        yield "# No SPF record yet. The first plan makes: v=spf1 mx ~all"
        yield 'spf = { require = ["mx"] }'
        return
    try:
        records = [spf.parse(text) for text in live]
        for text in live:
            spf.parse_wanted(text)
    except RecordError as error:
        yield comment(f"The live SPF record is not valid: {error.what}")
        yield comment(live[0])
        yield "# Write it anew, then take out the # in front of the next line:"
        yield '# spf = "v=spf1 mx ~all"'
        return
    if len(records) > 1:
        merged = spf.merge(records).record
        yield f"# {len(live)} SPF records, which receivers answer with permerror. The first plan"
        yield "# makes one of them that keeps every term."
        yield from (comment(f"In it {note}.") for note in spf.idle(merged))
        yield f"spf = {quoted(str(merged))}"
        return
    yield "# As it is live."
    yield f"spf = {quoted(live[0])}"


def _not_keys(found: Found) -> Iterator[str]:
    """Each text at a selector that is no key."""
    below = hostname_of(Kind.DKIM, found.domain, found.zone.name, "x").removeprefix("x")
    for record in found.zone.records:
        if record.type == "TXT" and record.hostname.endswith(below):
            try:
                dkim.parse(record.destination)
            except RecordError:
                yield comment(
                    f"Receivers do not read this as a key, at {record.hostname}: "
                    f"{record.destination}"
                )


def _dkim(found: Found) -> Iterator[str]:
    yield from _not_keys(found)
    if not found.has_mailcow:
        selectors = _selectors(found)
        known = f"Live keys: {', '.join(selectors)}" if selectors else "No DKIM key is live"
        yield comment(f"{known}. Name the source of yours, such as:")
        yield '# dkim = { source = "file:/etc/dkim/example.private", selector = "dkim" }'
        return
    if found.key is None:
        yield "# mailcow has no DKIM key for this domain yet: make one there (System >"
        yield "# Configuration > Options > ARC/DKIM keys); the next run publishes it."
    else:
        yield comment(_state_of(found, found.key))
    yield 'dkim = "mailcow"'


def _selectors(found: Found) -> list[str]:
    suffix = hostname_of(Kind.DKIM, found.domain, found.zone.name, "x").removeprefix("x")
    return sorted(
        record.hostname.removesuffix(suffix)
        for record in found.zone.records
        if record.hostname.endswith(suffix) and record.type in ("TXT", "CNAME")
    )


def _state_of(found: Found, key: DkimSource) -> str:
    selector = key.selector or "dkim"
    hostname = hostname_of(Kind.DKIM, found.domain, found.zone.name, selector)
    live = [record.destination for record in of_kind(found.zone, Kind.DKIM, hostname)]
    name = dkim.describe(dkim.parse(key.record))
    if not live:
        return f"mailcow's key ({name}) is not published yet. The first plan does that."
    if len(live) == 1 and same_meaning(Kind.DKIM, live[0], key.record):
        return f"mailcow's key ({name}), as it is live."
    return f"Another record is live than mailcow's ({name}). The first plan replaces it."


def _dmarc(found: Found, today: date) -> Iterator[str]:
    live = _live(found, Kind.DMARC)
    yield from _not_read(found, Kind.DMARC)
    if repaired := _repaired(found, Kind.DMARC, "v=DMARC1;p=none"):
        yield from repaired
        return
    if not live:
        rua = f"mailto:postmaster@{found.domain}"
        later = (today + WATCHING).isoformat()
        yield "# No DMARC record yet. The first plan makes one that only watches. Read the reports;"
        yield f'# if no mail of yours fails, set policy = "quarantine" from {later} on.'
        yield f'dmarc = {{ policy = "none", rua = [{quoted(rua)}] }}'
        return
    problem = _why_not_kept(live)
    if problem is None:
        yield "# As it is live."
        yield f"dmarc = {quoted(live[0])}"
        return
    yield comment(problem)
    yield from map(comment, live)
    yield _UNCLEAR
    yield f"# dmarc = {quoted('v=DMARC1;p=none')}"


def _why_not_kept(live: Sequence[str]) -> str | None:
    if len(live) > 1:
        return f"{len(live)} DMARC records, so receivers ignore them all:"
    try:
        dmarc.parse(live[0])
    except RecordError as error:
        return f"The live DMARC record is not valid: {error.what}"
    return None


def tables(
    session: Session, domains: Sequence[str], known: Collection[str], *, has_mailcow: bool
) -> list[str]:
    """The tables of those domains that a config does not know yet.

    ``known`` are those that the config has already, ``has_mailcow`` whether there is a mailcow that
    has their keys.
    """
    missing = [domain for domain in dict.fromkeys(domains) if domain not in known]
    today = datetime.fromtimestamp(session.clock.time(), UTC).date()
    return [table(_found(session, domain, has_mailcow), today) for domain in missing]


def tables_of_served(
    session: Session, domains: Sequence[str], known: Collection[str], *, has_mailcow: bool
) -> list[str]:
    """The same for domains that mailcow named; one that is elsewhere is a comment.

    Raises:
        MailauthError: as :func:`tables`, but for a zone that is not at this account.
    """
    found: list[str] = []
    for domain in domains:
        try:
            if domain not in known:
                check_that_netcup_may_serve(session.zone_of(domain), session.lookup())
            found += tables(session, [domain], known, has_mailcow=has_mailcow)
        except ZoneError as error:
            found.append(f"{comment(f'{domain}: {error.what}')}\n")
    return found


def _found(session: Session, domain: str, has_mailcow: bool) -> Found:
    zone = session.backend.zone(session.zone_of(domain))
    if not has_mailcow:
        return Found(domain, zone)
    return Found(domain, zone, has_mailcow=True, key=session.keys.key(MAILCOW, domain))
