"""Which of netcup's two APIs serves a zone, decided zone by zone (facts, 2.7).

The REST API is asked first where there is a key for it, because a miss there is harmless, while
misses at the CCP API count towards a lock-out. An answer of the CCP API that a zone is empty is
believed only if the zone's name servers serve nothing either: a zone that was moved to CloudDNS
gets the very same answer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Self

from netcup_mailauth import clock
from netcup_mailauth.errors import (
    ApiError,
    CredentialsError,
    NotServedError,
    UsageError,
    ZoneError,
)
from netcup_mailauth.netcup.api import KEYS_PAGE
from netcup_mailauth.records import CCP, CLOUDDNS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from netcup_mailauth.netcup.api import Backend
    from netcup_mailauth.netcup.ccp import CcpBackend
    from netcup_mailauth.netcup.clouddns import CloudDnsBackend
    from netcup_mailauth.netcup.clouddns_wire import DomainEntry
    from netcup_mailauth.plan import Edit
    from netcup_mailauth.records import DesiredRecord, Zone

ServesRecords = Callable[[str], "bool | None"]
"""Whether a zone's name servers serve any record at its apex, beside SOA and NS; ``None`` if none
of them can be asked."""

CCP_KEY = (
    'If the CCP shows a "DNS" tab for it, and not "CloudDNS", it is served by the CCP API, which '
    'takes the customer number, a key from "Legacy-API-Keys" and the API password '
    f"({KEYS_PAGE}); enter them with netcup-mailauth auth."
)
REST_KEY = (
    f'CloudDNS takes a REST key: make one under "API-Keys" ({KEYS_PAGE}) and enter it with '
    "netcup-mailauth auth, or set NETCUP_REST_API_KEY."
)


RUN_AGAIN = "Then run the same command again."

ASKED_FIRST = (
    "With both kinds of credentials the REST API says where each zone is, so none is read without "
    "it; to do those on the CCP API alone, run without NETCUP_REST_API_KEY."
)

READS = 3
"""Calls to the REST API for one zone: the domain, its revisions, the records of the newest."""

JUST_NOW = 30.0
"""Seconds for which DNS is believed that a zone is empty: a read before a write has to be quick."""

SESSION = 2
"""Calls to the CCP API for a run, beside those for zones: login and logout."""


class Router:
    """Both APIs of one user, or the one there are credentials for, as one back end.

    ``serves_records`` asks DNS whether a zone that reads empty really is.
    """

    def __init__(
        self,
        ccp: CcpBackend | None,
        clouddns: CloudDnsBackend | None,
        serves_records: ServesRecords,
    ) -> None:
        apis: list[Backend] = [api for api in (ccp, clouddns) if api is not None]
        if not apis:
            raise ValueError("no API to route to")
        self._ccp = ccp
        self._clouddns = clouddns
        self._serves_records = serves_records
        self._empty: dict[str, float] = {}
        self.apis = tuple(apis)
        only = apis[0] if len(apis) == 1 else None
        self.name = only.name if only else ""
        self.endpoint = only.endpoint if only else ""
        self.account = only.account if only else ""
        self.new_ttl = only.new_ttl if only else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        for api in self.apis:
            api.__exit__(*error)

    def reads(self, zones: int) -> int:
        """How many calls the busiest API gets at most when so many zones are only read."""
        if self._clouddns is not None:
            return READS * zones
        return zones + SESSION

    @property
    def ahead(self) -> dict[str, float]:
        """Of each API. See :class:`~netcup_mailauth.netcup.api.Backend`."""
        return {who: seconds for api in self.apis for who, seconds in api.ahead.items()}

    def serving(self, name: str) -> Backend:
        """The API of this name."""
        for api in self.apis:
            if api.name == name:
                return api
        there = " and ".join(f"{api.name} at {api.endpoint}" for api in self.apis)
        raise UsageError(
            f"This is about a zone on {name!a}, and there are credentials for {there} only.",
            {CCP: CCP_KEY, CLOUDDNS: REST_KEY}.get(name, "Plan again."),
        )

    def reserve(self) -> None:
        """Of each API, as it is not known which one serves the zone."""
        for api in self.apis:
            api.reserve()

    def release(self) -> None:
        """Of each API."""
        for api in self.apis:
            api.release()

    def zone(self, name: str) -> Zone:
        """Read a zone from the API that serves it.

        Raises:
            ZoneError: neither of them does, or not the one there are credentials for.
        """
        if self._clouddns is None:
            return self._from_ccp(name, REST_KEY)
        domain = self._looked_up(self._clouddns, name)
        if domain is not None and domain.is_dns_managed:
            return self._clouddns.read(domain)
        if self._ccp is None:
            raise _not_on_clouddns(name, domain)
        if domain is None:
            moved = "The REST key in use does not see it there; is it of another account?"
        else:
            moved = f"The REST API says that it is not there, so look further. {_whose(name)}"
        try:
            return self._from_ccp(name, moved)
        except NotServedError as error:
            raise _on_neither(name, domain, error) from None

    def apply(self, zone: Zone, changes: Sequence[Edit]) -> Zone:
        """Write to the API that the zone was read from."""
        try:
            return self.serving(zone.backend).apply(zone, changes)
        except NotServedError as error:
            if self._clouddns is not None:  # it was read from there a moment ago
                error.advice = f"If netcup is moving it, wait a few minutes. {RUN_AGAIN}"
            raise

    def refuses(self, record: DesiredRecord) -> str | None:
        """Why one of the APIs cannot hold the record, or ``None``."""
        return next(filter(None, (api.refuses(record) for api in self.apis)), None)

    def _looked_up(self, clouddns: CloudDnsBackend, name: str) -> DomainEntry | None:
        """What the REST API says of a domain; without its word no zone is read anywhere."""
        try:
            return clouddns.lookup(name)
        except (CredentialsError, ApiError) as error:
            if self._ccp is not None and ASKED_FIRST not in error.advice:
                error.advice = f"{error.advice} {ASKED_FIRST}"
            raise

    def _from_ccp(self, name: str, if_moved: str) -> Zone:
        """Read a zone from the CCP API; ``if_moved`` says what to do if CloudDNS may have it."""
        assert self._ccp is not None
        zone = self._ccp.zone(name)
        if zone.records or clock.now() - self._empty.get(name, -JUST_NOW) < JUST_NOW:
            return zone
        served = self._serves_records(name)
        if served is False:
            self._empty[name] = clock.now()
            return zone
        seen = "its name servers serve some" if served else "none of its name servers can be asked"
        raise ZoneError(
            f"netcup's CCP API lists no record of {name}, and {seen}: a zone that was moved to "
            "CloudDNS looks like this.",
            if_moved,
        )


def _whose(name: str) -> str:
    return (
        f"If its name servers are not netcup's (dig +short NS {name}), its records are made where "
        "those are."
    )


def _not_on_clouddns(name: str, domain: DomainEntry | None) -> ZoneError:
    """With a REST key alone: the account does not have the domain, or its DNS is elsewhere."""
    if domain is None:
        return ZoneError(
            f"netcup's REST API does not know the domain {name} with this key.",
            f"Check the spelling, and that the key is of the domain's own account. {CCP_KEY}",
        )
    return ZoneError(
        f"The zone {name} is not on CloudDNS, says netcup's REST API.", f"{CCP_KEY} {_whose(name)}"
    )


def _on_neither(name: str, domain: DomainEntry | None, error: NotServedError) -> ZoneError:
    """With both kinds of credentials: the REST API was asked first, then the CCP API."""
    if domain is None:
        return ZoneError(
            f"Neither of netcup's APIs has {name}: the REST API does not know it in the account "
            f"of its key, and the CCP API does not serve it to this customer ({error.said}).",
            "Check the spelling, and in the CCP that the domain is in the account that the keys "
            f"were made in. {_whose(name)}",
        )
    return ZoneError(
        f"Neither of netcup's APIs has the zone {name}: the domain is in the account of the REST "
        "key, but not on CloudDNS, and the CCP API does not serve it to this customer "
        f"({error.said}).",
        f"{_whose(name)} If they are, is the customer number of the same account?",
    )
