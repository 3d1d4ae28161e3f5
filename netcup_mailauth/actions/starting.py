"""``init``: write a config from what is live; overwrite nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from netcup_mailauth import files, names, starter
from netcup_mailauth.actions.planning import check_that_netcup_may_serve
from netcup_mailauth.errors import UsageError, ZoneError
from netcup_mailauth.judge import guard
from netcup_mailauth.keys.sources import MAILCOW
from netcup_mailauth.starter import Found

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from datetime import date
    from pathlib import Path

    from netcup_mailauth.actions.planning import ZoneFinder
    from netcup_mailauth.backends import Backend
    from netcup_mailauth.keys.sources import KeySources
    from netcup_mailauth.lookup import Lookup


@dataclass(frozen=True, slots=True)
class Starter:
    """Writes starter configs.

    Attributes:
        backend: where the zones are read.
        keys: where mailcow's keys come from; ``None`` if there is no mailcow.
        find_zone: finds the zone of a mail domain below it.
        today: the day from which the next steps are counted.
        dns: makes the look-up that says whether a domain of mailcow's may be at netcup at all.
    """

    backend: Backend
    keys: KeySources | None
    find_zone: ZoneFinder
    today: date
    dns: Callable[[], Lookup] = lambda: guard.silent

    def tables(self, domains: Sequence[str], known: Collection[str]) -> list[str]:
        """The tables of those domains that a config does not know yet.

        Raises:
            MailauthError: a zone or a key cannot be read.
        """
        missing = [domain for domain in dict.fromkeys(domains) if domain not in known]
        return [starter.table(self._found(domain), self.today) for domain in missing]

    def tables_of_served(self, domains: Sequence[str], known: Collection[str]) -> list[str]:
        """The same for domains that mailcow named; one that is elsewhere is a comment.

        Raises:
            MailauthError: as :meth:`tables`, but for a zone that is not at this account.
        """
        found: list[str] = []
        for domain in domains:
            try:
                if domain not in known:
                    check_that_netcup_may_serve(self._zone_of(domain), self.dns())
                found += self.tables([domain], known)
            except ZoneError as error:
                found.append(f"{starter.comment(f'{domain}: {error.what}')}\n")
        return found

    def _zone_of(self, domain: str) -> str:
        return domain if names.is_zone_form(domain) else self.find_zone(domain)

    def _found(self, domain: str) -> Found:
        zone = self.backend.zone(self._zone_of(domain))
        if self.keys is None:
            return Found(domain, zone)
        return Found(domain, zone, has_mailcow=True, key=self.keys.key(MAILCOW, domain))


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
