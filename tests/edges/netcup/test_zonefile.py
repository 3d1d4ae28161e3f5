"""An exported zone is a back end that reads, refuses what the API would, and never writes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from netcup_mailauth import documents, planfile
from netcup_mailauth.actions.planning import plan
from netcup_mailauth.actions.session import Session
from netcup_mailauth.dnsio.servers import Dns
from netcup_mailauth.errors import ExitCode, MailauthError, UsageError, ZoneError
from netcup_mailauth.netcup.clouddns import CloudDnsBackend
from netcup_mailauth.netcup.zonefile import ZoneFiles, read_export
from netcup_mailauth.policy import DmarcPolicy, DomainPolicy, Wish
from netcup_mailauth.records import DesiredRecord, DnsRecord, Kind, Zone
from tests.core.judge.cases import mail_zone, wants
from tests.worlds import account

if TYPE_CHECKING:
    from pathlib import Path

    from netcup_mailauth.plan import Change

EXPORT = documents.zone_listing(mail_zone())


def exported(folder: Path, document: object, name: str = "zone.json") -> Path:
    path = folder / name
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def test_an_export_is_read_back_as_the_zone_it_was(tmp_path: Path) -> None:
    with account() as (_, backend):
        zone = backend.zone("example.com")
    path = exported(tmp_path, documents.zone_listing(zone))
    bare = tuple(
        DnsRecord(r.id, r.hostname, r.type, r.destination, r.priority, r.ttl) for r in zone.records
    )
    assert read_export(path).zones[0] == Zone("example.com", "ccp", bare)


def test_its_changes_are_those_that_the_api_would_get(tmp_path: Path) -> None:
    wish = Wish("example.com", wants("v=spf1 mx -all", "v=DMARC1;p=reject"))
    with account() as (_, backend):
        there = plan(Session(backend), [wish]).zones[0]
        path = exported(tmp_path, documents.zone_listing(backend.zone("example.com")))
    here = plan(Session(ZoneFiles.read([path])), [wish]).zones[0]
    assert (here.changes, here.unchanged, here.untouched) == (
        there.changes,
        there.unchanged,
        there.untouched,
    )
    assert here.place.backend == "ccp"
    assert (here.place.endpoint, here.place.account) == ("file://zone-file", "")


def test_another_zone_is_not_in_it(tmp_path: Path) -> None:
    backend = ZoneFiles.read([exported(tmp_path, EXPORT)])
    with pytest.raises(ZoneError, match=r"example\.org is not in the zone file") as caught:
        backend.zone("example.org")
    assert caught.value.exit_code == ExitCode.ZONE


def test_several_zones_and_the_domains_below_them(tmp_path: Path) -> None:
    paths = [
        exported(tmp_path, {**EXPORT, "domain": name}, name)
        for name in ("example.com", "shop.example.com", "example.org")
    ]
    backend = ZoneFiles.read(paths)
    assert backend.zone_of("a.b.shop.example.com") == "shop.example.com"
    assert backend.zone_of("intern.example.com") == "example.com"
    assert backend.zone_of("myexample.com") == "myexample.com"
    with pytest.raises(UsageError, match="given in two"):
        ZoneFiles.read([*paths, paths[0]])


def test_zones_of_both_apis_go_into_one_plan(tmp_path: Path) -> None:
    other = {"schema": 1, "domain": "example.org", "backend": "clouddns", "records": []}
    paths = [exported(tmp_path, EXPORT), exported(tmp_path, other, "other.json")]
    policy = DomainPolicy(dmarc=DmarcPolicy(record="v=DMARC1;p=none"))
    wishes = [Wish(name, policy) for name in ("example.com", "example.org")]
    backend = ZoneFiles.read(paths)
    one, two = plan(Session(backend, Dns(zones=backend)), wishes).zones
    assert [c.place.backend for c in (one, two)] == ["ccp", "clouddns"]
    created = [c.after.ttl for c in two.changes if c.after]
    assert created == [3600]  # the one API has a TTL for each record, the other for the zone
    assert all(c.after is None or c.after.ttl is None for c in one.changes)


def test_it_is_never_written_to(tmp_path: Path) -> None:
    changes: list[Change] = []
    with ZoneFiles.read([exported(tmp_path, EXPORT)]) as backend, pytest.raises(UsageError):
        backend.apply(mail_zone(), changes)


@pytest.mark.parametrize("value", ["", 'a"b', "a\\b", "a'b", "ü", "a\tb", "plain"])
@pytest.mark.parametrize("name", ["ccp", "clouddns"])
def test_it_refuses_what_the_api_refuses(value: str, name: str, tmp_path: Path) -> None:
    record = DesiredRecord(Kind.SPF, "@", value)
    with account() as (_, ccp):
        api = ccp if name == "ccp" else CloudDnsBackend(SecretStr("k"))
        refused = api.refuses(record)
    document = {"schema": 1, "domain": "example.com", "backend": name, "records": []}
    assert ZoneFiles.read([exported(tmp_path, document)]).refuses(record) == refused


RECORD = {"id": "1", "hostname": "@", "type": "TXT", "priority": "0", "destination": "x"}


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        {},
        {**EXPORT, "schema": 2},
        {**EXPORT, "schema": True},
        {**EXPORT, "domain": "../etc"},
        {**EXPORT, "domain": "Example.com"},
        {**EXPORT, "backend": "\x1b[2J"},
        {**EXPORT, "records": {}},
        {**EXPORT, "records": [RECORD]},
        {**EXPORT, "records": [{**RECORD, "ttl": "1"}]},
        {**EXPORT, "records": [{**RECORD, "ttl": None}] * 2},
        {**EXPORT, "zones": []},
        planfile.plan_document(plan(Session(ZoneFiles([mail_zone()])), [])),
    ],
)
def test_what_is_no_export_is_said_to_be_none(document: object, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        read_export(exported(tmp_path, document))
    assert caught.value.what.isprintable()


TEXT = st.text(max_size=12)
ANY = st.none() | st.booleans() | st.integers() | TEXT | st.lists(TEXT, max_size=2)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.dictionaries(st.sampled_from([*EXPORT, *RECORD, "x"]), ANY), data=st.data())
def test_a_mutated_export_is_a_zone_or_an_error(
    changes: dict[str, Any], data: st.DataObject, tmp_path: Path
) -> None:
    index = data.draw(st.integers(0, len(EXPORT["records"]) - 1))
    records = [dict(record) for record in EXPORT["records"]]
    records[index] |= {key: value for key, value in changes.items() if key in RECORD}
    document = {**EXPORT, "records": records}
    document |= {key: value for key, value in changes.items() if key not in RECORD}
    try:
        (zone,) = read_export(exported(tmp_path, document)).zones
    except MailauthError:
        return
    assert all(isinstance(record.destination, str) for record in zone.records)
