"""`updateDnsZone` (L45): what a careless read-modify-write does to a zone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.sandbox.client import DOMAIN, Ccp

if TYPE_CHECKING:
    from tests.sandbox.conftest import Clock, Start


def settings(client: Ccp) -> dict[str, Any]:
    zone: dict[str, Any] = client.call("infoDnsZone", domainname=DOMAIN)["responsedata"]
    return zone


def change(client: Ccp, zone: object) -> dict[str, Any]:
    return client.call("updateDnsZone", domainname=DOMAIN, dnszone=zone)


def test_l45_ttl_is_changed_and_the_zone_answered(ccp: Ccp) -> None:
    before = settings(ccp)
    answer = change(ccp, {**before, "ttl": 300, "name": "other.de", "serial": "1"})
    assert answer["statuscode"] == 2000
    assert answer["shortmessage"] == "DNS zone successful updated"
    assert answer["longmessage"] == "The given DNS zone was successful updated."
    serial = str(int(before["serial"]) + 1)
    assert answer["responsedata"] == {**before, "ttl": "300", "serial": serial}
    assert settings(ccp) == answer["responsedata"]


def test_l45_the_same_settings_change_nothing(ccp: Ccp) -> None:
    before = settings(ccp)
    assert change(ccp, before)["responsedata"] == before


@pytest.mark.parametrize("field", ["ttl", "refresh", "retry", "expire", "dnssecstatus"])
@pytest.mark.parametrize("value", [None, "", "many", True])
def test_l45_all_five_fields_are_needed(ccp: Ccp, field: str, value: object) -> None:
    wanted = {**settings(ccp), field: value}
    expected = 2000 if (field, value) == ("dnssecstatus", True) else 4013
    assert change(ccp, wanted)["statuscode"] == expected


def test_l45_no_zone_object_or_a_foreign_zone(ccp: Ccp) -> None:
    assert change(ccp, None)["statuscode"] == 4013
    answer = ccp.call("updateDnsZone", domainname="foreign.de", dnszone=settings(ccp))
    assert answer["status"] == "error"


def test_l45_dnssec_can_be_switched_on_once_a_day(start: Start, clock: Clock) -> None:
    client = start(clock=clock, session_ttl=1e6)
    zone = settings(client)
    assert change(client, {**zone, "dnssecstatus": True})["responsedata"]["dnssecstatus"] is True
    assert change(client, {**zone, "dnssecstatus": False})["statuscode"] == 2000
    assert change(client, {**zone, "dnssecstatus": True})["statuscode"] == 4013
    clock.now += 86400
    assert change(client, {**zone, "dnssecstatus": True})["statuscode"] == 2000
