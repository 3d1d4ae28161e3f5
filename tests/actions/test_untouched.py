"""Records that are not concerned stay byte for byte as they were, ids included."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import HealthCheck, given, settings

from netcup_mailauth.actions.planning import Draft
from netcup_mailauth.actions.writing import Writer
from netcup_mailauth.plan import Place, compute
from netcup_mailauth.records import DesiredRecord, Kind
from netcup_mailauth.results import Status
from netcup_mailauth.sandbox import Quirks
from tests.strategies import zones
from tests.worlds import account

if TYPE_CHECKING:
    from netcup_mailauth.backends.ccp import CcpBackend
    from netcup_mailauth.records import Zone

PLACE = Place("example.com", "example.com")
KEY = "v=DKIM1;k=ed25519;p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
WISHES = (
    DesiredRecord(Kind.SPF, "@", "v=spf1 mx a -all"),
    DesiredRecord(Kind.DKIM, "dkim._domainkey", KEY),
    DesiredRecord(Kind.DMARC, "_dmarc", "v=DMARC1;p=none"),
)


def draft(backend: CcpBackend) -> Draft:
    zone = backend.zone("example.com")
    return Draft(compute(PLACE, zone, WISHES), zone)


def test_over_200_random_zones_through_the_api() -> None:
    with account(quirks=Quirks(lockout_after=None), rate=None) as (sandbox, backend):

        @settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
        @given(zones())
        def check(live: Zone) -> None:
            wire = [
                {"hostname": r.hostname, "type": r.type, "destination": r.destination}
                for r in live.records
                if r.type != "MX"
            ]
            sandbox.set_zone("example.com", wire)
            before = sandbox.zone("example.com")
            first = draft(backend)
            result = Writer(backend).write(first.change_set, first.zone)
            assert result.status in (Status.APPLIED, Status.UNCHANGED)
            touched = {change.before.id for change in first.change_set.changes if change.before}
            others = [record for record in before if record["id"] not in touched]
            after = sandbox.zone("example.com")
            assert [record for record in after if record in others] == others
            assert draft(backend).change_set.is_empty

        check()
