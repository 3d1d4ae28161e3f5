"""netcup's two APIs as the tests see them: all that differs between the two, and nothing else.

A module whose tests hold on both says so in one line, ``api = each_api``; a test in it that is
really about one of them is marked ``@on_ccp`` or ``@on_clouddns``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import SecretStr

from netcup_mailauth.netcup.api import Budget
from netcup_mailauth.netcup.clouddns import CloudDnsBackend
from netcup_mailauth.sandbox import Sandbox
from tests.worlds import backend_of, requests_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from netcup_mailauth.netcup.api import Backend

Row = tuple[str, ...]
"""What makes a record the one it is; its text comes last."""

OURS = ("v=spf1", "v=DKIM1", "v=DMARC1")


@dataclass(frozen=True)
class Api:
    """One of netcup's APIs.

    Attributes:
        name: as plans, exports and the sandbox's ``set_backend`` have it.
        heading: how a plan for a sandbox's zone names it.
        first: the call that a run begins with.
        read: the call that reads the records of a zone, as the sandbox counts it.
        write: the call that writes.
        promised: calls of a run in all, verification included, by job and number of zones.
        secrets: the variables of its credentials.
        new_ttl: the TTL of a new record; ``None`` where records have none.
        rows: what makes each record of a zone the one it is.
        backend: the client's back end, pointed at a sandbox; reads are retried without waiting.
    """

    name: str
    heading: str
    first: str
    read: str
    write: str
    promised: Mapping[tuple[str, int], int]
    secrets: tuple[str, ...]
    new_ttl: int | None
    rows: Callable[[Sandbox, str], list[Row]]
    backend: Callable[[Sandbox], Backend]

    def __str__(self) -> str:
        return self.name

    def netcup(self, domains: Iterable[str] = ("example.com",), **options: Any) -> Sandbox:
        """A netcup all of whose zones are on this API."""
        names = tuple(domains)
        return Sandbox(names, clouddns=names if self is CLOUDDNS else (), **options)

    def records(self, sandbox: Sandbox, domain: str = "example.com") -> list[Row]:
        """All records of a zone; the same list as long as none was touched."""
        return sorted(self.rows(sandbox, domain))

    def others(self, sandbox: Sandbox, domain: str = "example.com") -> list[Row]:
        """Those that are no business of ours."""
        return [r for r in self.records(sandbox, domain) if not r[-1].strip('"').startswith(OURS)]

    def writes(self, sandbox: Sandbox) -> int:
        """How often it was told to write."""
        return requests_of(sandbox).get(self.write, 0)


def _with_ids(sandbox: Sandbox, domain: str) -> list[Row]:
    """By id, name, type and value; the state tells only what the name servers have."""
    fields = ("id", "hostname", "type", "priority", "destination")
    return [tuple(str(record[field]) for field in fields) for record in sandbox.zone(domain)]


def _without_ids(sandbox: Sandbox, domain: str) -> list[Row]:
    """By name, type, value and TTL: an identifier lasts as long as a revision, a SOA as well."""
    fields = ("name", "type", "ttl", "rdata")
    rows = sandbox.rest_records(domain)
    return [tuple(str(row[field]) for field in fields) for row in rows if row["type"] != "SOA"]


def clouddns_backend_of(sandbox: Sandbox) -> CloudDnsBackend:
    """The CloudDNS back end with the sandbox's key; reads are retried without waiting."""
    key, endpoint = SecretStr(sandbox.rest_key), sandbox.rest_endpoint
    budget = Budget(calls=100_000)
    return CloudDnsBackend(key, endpoint=endpoint, budget=budget, sleep=lambda _: None)


CCP = Api(
    name="ccp",
    heading="  SANDBOX 127.0.0.1:",
    first="login",
    read="infoDnsRecords",
    write="updateDnsRecords",
    promised={("list", 1): 3, ("upsert", 1): 4, ("upsert", 10): 22, ("nothing to do", 10): 12},
    secrets=("NETCUP_CUSTOMER_NUMBER", "NETCUP_API_KEY", "NETCUP_API_PASSWORD"),
    new_ttl=None,
    rows=_with_ids,
    backend=backend_of,
)

CLOUDDNS = Api(
    name="clouddns",
    heading="  CloudDNS, SANDBOX 127.0.0.1:",
    first="domain",
    read="records",
    write="changeset",
    promised={("list", 1): 3, ("upsert", 1): 6, ("upsert", 10): 60, ("nothing to do", 10): 30},
    secrets=("NETCUP_REST_API_KEY",),
    new_ttl=3600,
    rows=_without_ids,
    backend=clouddns_backend_of,
)


@pytest.fixture(params=(CCP, CLOUDDNS), ids=str)
def each_api(request: pytest.FixtureRequest) -> Api:
    """One API after the other."""
    api: Api = request.param
    return api


on_ccp = pytest.mark.parametrize("api", [CCP], ids=str)
"""For a test that is about sessions, lock-outs or ids."""

on_clouddns = pytest.mark.parametrize("api", [CLOUDDNS], ids=str)
"""For a test that is about revisions, TTLs or the Bearer key."""
