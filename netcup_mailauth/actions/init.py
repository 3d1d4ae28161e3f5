"""``init``: write a config from what is live; overwrite nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from netcup_mailauth import files, names, starter
from netcup_mailauth.actions.planning import check_that_netcup_may_serve
from netcup_mailauth.errors import UsageError, ZoneError
from netcup_mailauth.keys.sources import MAILCOW
from netcup_mailauth.starter import Found

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

    from netcup_mailauth.actions.session import Session


def tables(
    session: Session, domains: Sequence[str], known: Collection[str], *, has_mailcow: bool
) -> list[str]:
    """The tables of those domains that a config does not know yet.

    Args:
        session: the run.
        domains: the domains.
        known: those that the config has already.
        has_mailcow: whether there is a mailcow that has their keys.

    Raises:
        MailauthError: a zone or a key cannot be read.
    """
    missing = [domain for domain in dict.fromkeys(domains) if domain not in known]
    today = datetime.fromtimestamp(session.clock.time(), UTC).date()
    return [starter.table(_found(session, domain, has_mailcow), today) for domain in missing]


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
                check_that_netcup_may_serve(_zone_of(session, domain), session.lookup())
            found += tables(session, [domain], known, has_mailcow=has_mailcow)
        except ZoneError as error:
            found.append(f"{starter.comment(f'{domain}: {error.what}')}\n")
    return found


def _zone_of(session: Session, domain: str) -> str:
    return domain if names.is_zone_form(domain) else session.find_zone(domain)


def _found(session: Session, domain: str, has_mailcow: bool) -> Found:
    zone = session.backend.zone(_zone_of(session, domain))
    if not has_mailcow:
        return Found(domain, zone)
    return Found(domain, zone, has_mailcow=True, key=session.keys.key(MAILCOW, domain))


def write_new(path: Path, text: str) -> None:
    """Write a file that is not there yet.

    Raises:
        UsageError: it is there, or cannot be written.
    """
    try:
        files.write_new(path, text)
    except OSError as error:
        raise UsageError(
            f"{path} cannot be written: {error.strerror}.", "Name another with -c."
        ) from None
