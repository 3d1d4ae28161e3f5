"""The library: what the commands do, in four lines of Python.

    from netcup_mailauth import Netcup

    with Netcup.from_environment() as netcup:
        plan = netcup.plan("example.com", spf="v=spf1 mx a -all", dkim="mailcow")
        print(plan)
        netcup.apply(plan)

Nothing is remembered from one program to the next, and nothing is asked at a terminal.
"""

from __future__ import annotations

import os
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

from pydantic import SecretStr

from netcup_mailauth import records
from netcup_mailauth.actions import applying, checking, planning
from netcup_mailauth.actions.applying import refusal
from netcup_mailauth.actions.session import Session
from netcup_mailauth.dnsio.servers import Dns, serves_records
from netcup_mailauth.errors import UsageError
from netcup_mailauth.findings import CODES
from netcup_mailauth.judge import holding
from netcup_mailauth.judge.report import Basis
from netcup_mailauth.keys.mailcow import Mailcow
from netcup_mailauth.keys.sources import Sources, check_source
from netcup_mailauth.netcup import ccp as ccp_api
from netcup_mailauth.netcup import clouddns as rest_api
from netcup_mailauth.netcup.zones import Router
from netcup_mailauth.policy import (
    DkimPolicy,
    DmarcPolicy,
    DomainPolicy,
    SpfPolicy,
    Wish,
    dmarc_record,
    host_or_address,
    linked,
    report_uri,
    spf_record,
    spf_term,
)
from netcup_mailauth.render.text import Page, plan_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from netcup_mailauth.judge.report import CheckReport
    from netcup_mailauth.plan import ChangeSet, Plan, RunResult


@dataclass(frozen=True)
class ProposedPlan:
    """What would be changed, before it is; as text it is what the command shows."""

    plan: Plan

    def __str__(self) -> str:
        return plan_text(self.plan, Page(100, False))

    @property
    def zones(self) -> tuple[ChangeSet, ...]:
        """The change set of each domain, in the order in which they were named."""
        return self.plan.zones

    @property
    def has_changes(self) -> bool:
        """Whether there is anything to write."""
        return self.plan.has_changes

    def allow(self, *codes: str) -> ProposedPlan:
        """The same plan with the findings of these codes accepted, in every domain of it.

        Raises UsageError if no finding has such a code.
        """
        for code in codes:
            if code not in CODES:
                raise UsageError(f"There is no finding {code!r}.")
        zones = (_allowing(zone, codes) for zone in self.zones)
        return ProposedPlan(replace(self.plan, zones=tuple(zones)))


def _allowing(change_set: ChangeSet, codes: Sequence[str]) -> ChangeSet:
    """The change set with these codes allowed; a kind that nothing else stops is held no more."""
    allowed = replace(change_set, allow=(*change_set.allow, *codes))
    stops = {stop.kind for stop in holding.stopping(allowed)}
    return replace(allowed, held=frozenset(allowed.held if None in stops else allowed.held & stops))


class Netcup:
    """The zones of one netcup account; a context manager, which ends its session with netcup.

    Args:
        ccp: customer number, API key and API password of the CCP API, which serves the zones that
            the customer control panel shows under "DNS".
        rest: the key of the REST API, which serves those it shows under "CloudDNS".
        mailcow: the address and the API key of the mailcow that has the DKIM keys.
        ccp_endpoint: where the CCP API is, if not at netcup.
        rest_endpoint: where the REST API is, if not at netcup.
        resolver: the recursive resolver to ask, as HOST or HOST:PORT; the system's if none.
        nameservers: servers to ask instead of a zone's own, in the same form.

    Raises:
        UsageError: an address is none to send a secret to.
        CredentialsError: there are no credentials for either API.
    """

    def __init__(
        self,
        *,
        ccp: tuple[str, str, str] | None = None,
        rest: str | None = None,
        mailcow: tuple[str, str] | None = None,
        ccp_endpoint: str = ccp_api.ENDPOINT,
        rest_endpoint: str = rest_api.ENDPOINT,
        resolver: str | None = None,
        nameservers: Sequence[str] = (),
    ) -> None:
        self._open = ExitStack()
        self._dns = Dns(resolver, tuple(nameservers))
        own = None
        if mailcow is not None:
            own = Mailcow(mailcow[0], SecretStr(mailcow[1]))
            self._open.callback(own.close)
        legacy = None
        if ccp is not None:
            number, key, password = ccp
            legacy = ccp_api.CcpBackend(
                number, SecretStr(key), SecretStr(password), endpoint=ccp_endpoint
            )
        cloud = None
        if rest is not None:
            cloud = rest_api.CloudDnsBackend(SecretStr(rest), endpoint=rest_endpoint)
        apis = Router(legacy, cloud, self._serves_records)
        keys = Sources() if own is None else Sources(mailcow=lambda: own)
        self._session = Session(self._open.enter_context(apis), self._dns, keys)

    @classmethod
    def from_environment(cls, environ: Mapping[str, str | None] | None = None) -> Self:
        """With what the command reads from the environment, or from another such mapping.

        Raises CredentialsError if there are no credentials in it, or they cannot be right.
        """
        given = os.environ if environ is None else environ
        found = {name: value for name, value in given.items() if value}
        ccp = tuple(found.get(name, "") for name in _CCP)
        url, key = found.get("MAILCOW_URL"), found.get("MAILCOW_API_KEY")
        servers = found.get("NETCUP_MAILAUTH_NAMESERVERS", "")
        return cls(
            ccp=(ccp[0], ccp[1], ccp[2]) if all(ccp) else None,
            rest=found.get("NETCUP_REST_API_KEY"),
            mailcow=(url, key) if url and key else None,
            ccp_endpoint=found.get("NETCUP_CCP_ENDPOINT", ccp_api.ENDPOINT),
            rest_endpoint=found.get("NETCUP_REST_ENDPOINT", rest_api.ENDPOINT),
            resolver=found.get("NETCUP_MAILAUTH_RESOLVER"),
            nameservers=[part.strip() for part in servers.split(",") if part.strip()],
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the session with netcup, and close every connection."""
        self._open.close()

    def plan(self, *domains: str, **wanted: Any) -> ProposedPlan:
        """What would have to change, so that each domain has what is wanted; writes nothing.

        A domain about which something went wrong has a change set with an error. ``wanted`` is as
        for :meth:`check`.
        """
        return ProposedPlan(planning.plan(self._session, _wishes(domains, wanted)))

    def apply(self, proposed: ProposedPlan) -> RunResult:
        """Write a plan: each zone is read again, compared, written in one call, and verified.

        What is refused or dangerous holds back its own kind of record, as in the command. The
        result of such a domain has a failure, and its change set says in `held` which kinds were
        not written. `ProposedPlan.allow` accepts what was found. Raises RefusedError if the guard
        holds back all there is. Nothing was written to any zone.
        """
        stopped = [(zone, stops) for zone in proposed.zones if (stops := holding.stopping(zone))]
        if stopped and all(holding.let_through(zone).is_empty for zone in proposed.zones):
            raise refusal(*stopped[0])
        return applying.apply(self._session, proposed.plan)

    def check(self, *domains: str, **wanted: Any) -> CheckReport:
        """What the name servers say, and what receivers make of it.

        ``wanted`` is as the command's options, each a text or a list of texts: `spf`,
        `spf_require`, `spf_drop`, `spf_all` ("fail", "softfail", "neutral"), `dkim` ("mailcow",
        "file:PATH" or a record), `selector`, `dmarc`, `dmarc_policy` ("none", "quarantine",
        "reject"), `rua`, `server`. Nothing wanted: what is published is judged by itself.
        """
        basis = Basis.OPTIONS if wanted else Basis.CONFIG
        return checking.check(self._session, _wishes(domains, wanted), basis, held=False)

    def _serves_records(self, zone: str) -> bool | None:
        return serves_records(zone, self._dns.servers_of(zone))


_CCP = ("NETCUP_CUSTOMER_NUMBER", "NETCUP_API_KEY", "NETCUP_API_PASSWORD")


def _wishes(domains: Sequence[str], wanted: Mapping[str, Any]) -> list[Wish]:
    policy = _policy(**wanted)
    return linked([Wish(records.normalise(domain), policy) for domain in domains])


def _policy(
    *,
    spf: str | None = None,
    spf_require: str | Sequence[str] = (),
    spf_drop: str | Sequence[str] = (),
    spf_all: Any = None,
    dkim: str | None = None,
    selector: str | None = None,
    dmarc: str | None = None,
    dmarc_policy: Any = None,
    rua: str | Sequence[str] = (),
    server: str | Sequence[str] = (),
) -> DomainPolicy:
    """What is wanted, as a policy; raises where one of it is no such record, term or name."""
    spf_parts = {
        "record": None if spf is None else spf_record(spf),
        "require": [spf_term(term) for term in _listed(spf_require)] or None,
        "drop": [spf_term(term) for term in _listed(spf_drop)] or None,
        "all": spf_all,
    }
    dkim_parts = {
        "source": None if dkim is None else check_source(dkim),
        "selector": None if selector is None else records.selector(selector),
    }
    dmarc_parts = {
        "record": None if dmarc is None else dmarc_record(dmarc),
        "policy": dmarc_policy,
        "rua": [report_uri(uri) for uri in _listed(rua)] or None,
    }
    return DomainPolicy(
        spf=SpfPolicy(**spf_parts) if any(spf_parts.values()) else None,
        dkim=DkimPolicy(**dkim_parts) if any(dkim_parts.values()) else None,
        dmarc=DmarcPolicy(**dmarc_parts) if any(dmarc_parts.values()) else None,
        server=[host_or_address(host) for host in _listed(server)] or None,
    )


def _listed(given: str | Sequence[str]) -> list[str]:
    return [given] if isinstance(given, str) else list(given)
