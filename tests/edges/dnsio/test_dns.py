"""The DNS of a run: which zone a domain lies in, and whom to ask about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netcup_mailauth.dnsio import servers
from netcup_mailauth.dnsio.servers import Dns
from netcup_mailauth.lookup import Server
from netcup_mailauth.netcup.zonefile import ZoneFiles
from tests.core.judge.cases import mail_zone

if TYPE_CHECKING:
    import pytest


def test_an_exported_zone_says_itself_what_lies_in_it() -> None:
    exported = Dns(zones=ZoneFiles([mail_zone()]))
    assert exported.zone_of("intern.example.com") == "example.com"


def test_the_servers_of_a_run_are_those_named_else_the_zones_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    own = (Server("ns1.example.net", "192.0.2.1"),)
    monkeypatch.setattr(servers, "authoritative", lambda _zone, _lookup: own)
    assert Dns().servers_of("example.com") == own
    (named,) = Dns(servers=("192.0.2.9",)).servers_of("example.com")
    assert named.address == "192.0.2.9"
