"""Records that are not concerned stay byte for byte as they were, ids or TTLs included."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, given, settings

from netcup_mailauth.actions.applying import write
from netcup_mailauth.actions.planning import Draft
from netcup_mailauth.actions.session import Session
from netcup_mailauth.plan import Place, Status, compute
from netcup_mailauth.records import DesiredRecord, Kind
from netcup_mailauth.sandbox import Quirks
from tests.apis import each_api
from tests.effort import tries
from tests.strategies import zones

if TYPE_CHECKING:
    from netcup_mailauth.netcup.api import Backend
    from netcup_mailauth.records import Zone
    from tests.apis import Api, Row

api = each_api

KEY = "v=DKIM1;k=ed25519;p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
WISHES = (
    DesiredRecord(Kind.SPF, "@", "v=spf1 mx a -all"),
    DesiredRecord(Kind.DKIM, "dkim._domainkey", KEY),
    DesiredRecord(Kind.DMARC, "_dmarc", "v=DMARC1;p=none"),
)


def draft(backend: Backend) -> Draft:
    zone = backend.zone("example.com")
    place = Place("example.com", "example.com", backend.name)
    return Draft(compute(place, zone, WISHES), zone)


def texts(rows: Counter[Row]) -> list[str]:
    return sorted(row[-1].strip('"') for row in rows.elements())


def test_over_200_random_zones_through_the_api(api: Api) -> None:
    quirks = Quirks(lockout_after=None)
    with api.netcup(quirks=quirks, rate=None) as sandbox, api.backend(sandbox) as backend:

        @settings(max_examples=tries(200), deadline=None, suppress_health_check=list(HealthCheck))
        @given(zones())
        def check(live: Zone) -> None:
            # A TTL of its own tells each record from its like, where there are no ids.
            wire = [
                {"hostname": r.hostname, "type": r.type, "destination": r.destination, "ttl": ttl}
                for ttl, r in enumerate(live.records, start=300)
                if r.type != "MX"
            ]
            sandbox.reset()  # or each example would read the revisions of all those before it
            sandbox.set_zone("example.com", wire)
            before = Counter(api.records(sandbox))
            first = draft(backend)
            result = write(Session(backend), first.change_set, first.zone)
            assert result.status in (Status.APPLIED, Status.UNCHANGED)
            after = Counter(api.records(sandbox))
            changes = first.change_set.changes
            assert texts(before - after) == sorted(
                c.before.destination for c in changes if c.before
            )
            assert texts(after - before) == sorted(c.after.destination for c in changes if c.after)
            assert draft(backend).change_set.is_empty

        check()
