"""Other people's clients, unmodified, as witnesses that this is how netcup talks."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import nc_dnsapi  # type: ignore[import-untyped]
import pytest
import tldextract

from tests.sandbox.client import SPF, Ccp, values

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.sandbox.conftest import Start

DOMAIN = "example-1.de"  # a TLD tldextract knows from its snapshot
LONG = "v=DKIM1; k=rsa; p=" + "A" * 392


@pytest.fixture
def ccp(start: Start) -> Ccp:
    return start((DOMAIN,))


@pytest.fixture
def nc(ccp: Ccp, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setattr(nc_dnsapi.Client, "_Client__endpoint", ccp.sandbox.ccp_endpoint)
    env = ccp.sandbox.env
    account = (int(str(env["NETCUP_CUSTOMER_NUMBER"])), env["NETCUP_API_KEY"])
    with nc_dnsapi.Client(*account, env["NETCUP_API_PASSWORD"]) as client:
        yield client


def test_nc_dnsapi_lists_creates_updates_and_deletes(ccp: Ccp, nc: Any) -> None:
    before = ccp.sandbox.zone(DOMAIN)
    assert len(nc.dns_records(DOMAIN)) == len(before) == 13
    nc.add_dns_record(DOMAIN, nc_dnsapi.DNSRecord("dkim._domainkey", "TXT", LONG))
    assert values(ccp.sandbox.zone(DOMAIN), "dkim._domainkey") == [LONG]

    spf = next(record for record in nc.dns_records(DOMAIN) if record.destination == SPF)
    spf.destination = "v=spf1 mx -all"
    nc.update_dns_record(DOMAIN, spf)
    stored = next(r for r in ccp.sandbox.zone(DOMAIN) if r["id"] == spf.id)
    assert stored["destination"] == "v=spf1 mx -all"

    wanted = nc_dnsapi.DNSRecord("dkim._domainkey", "TXT", LONG)
    nc.delete_dns_record(DOMAIN, nc.dns_record(DOMAIN, wanted), ignore_unknown=False)
    after = ccp.sandbox.zone(DOMAIN)
    changed = [record for record in after if record not in before]
    assert changed == [stored]
    assert len(after) == 13


def test_nc_dnsapi_reads_and_writes_the_zone(ccp: Ccp, nc: Any) -> None:
    zone = nc.dns_zone(DOMAIN)
    assert (zone.name, zone.ttl) == (DOMAIN, "86400")
    zone.ttl = "300"
    nc.update_dns_zone(DOMAIN, zone)
    assert nc.dns_zone(DOMAIN).ttl == "300"


def test_nc_dnsapi_hears_of_errors(ccp: Ccp, nc: Any) -> None:
    with pytest.raises(Exception, match=r"could not be found\. \(5028\)"):
        nc.add_dns_record("foreign.de", nc_dnsapi.DNSRecord("a", "TXT", "x"))
    with pytest.raises(Exception, match=r"quotation marks .*\(4013\)"):
        nc.add_dns_record(DOMAIN, nc_dnsapi.DNSRecord("a", "TXT", '"x"'))


def import_lexicon() -> tuple[Any, Any]:
    """Its client and config classes, without the deprecated aliases it leaves behind.

    Hypothesis looks at every loaded module, and these warn when looked at.
    """
    from lexicon.client import Client
    from lexicon.config import ConfigResolver

    for name in ("cli", "parser", "discovery"):
        sys.modules.pop(f"lexicon.{name}", None)
    return Client, ConfigResolver


@pytest.fixture
def lexicon(ccp: Ccp, monkeypatch: pytest.MonkeyPatch) -> Any:
    """lexicon asks the web for the list of TLDs unless it is told to use its own."""
    snapshot = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)
    monkeypatch.setattr("tldextract.TLDExtract", lambda **_: snapshot)
    env = ccp.sandbox.env
    config = {
        "provider_name": "netcup",
        "domain": DOMAIN,
        "netcup": {
            "api_endpoint": env["NETCUP_CCP_ENDPOINT"],
            "auth_customer_id": env["NETCUP_CUSTOMER_NUMBER"],
            "auth_api_key": env["NETCUP_API_KEY"],
            "auth_api_password": env["NETCUP_API_PASSWORD"],
        },
    }
    client, resolver = import_lexicon()
    return client(resolver().with_dict(config))


def test_lexicon_lists_creates_updates_and_deletes(ccp: Ccp, lexicon: Any) -> None:
    before = ccp.sandbox.zone(DOMAIN)
    with lexicon as zone:
        listed = zone.list_records("TXT")
        assert SPF in {record["content"] for record in listed}
        zone.create_record("TXT", "_dmarc", "v=DMARC1; p=none")
        zone.create_record("TXT", "_dmarc", "v=DMARC1; p=none")  # lexicon looks first
        assert values(ccp.sandbox.zone(DOMAIN), "_dmarc") == ["v=DMARC1; p=none"]

        (record,) = zone.list_records("TXT", "_dmarc")
        zone.update_record(record["id"], "TXT", "_dmarc", "v=DMARC1; p=reject")
        (stored,) = (r for r in ccp.sandbox.zone(DOMAIN) if r["id"] == record["id"])
        assert (stored["hostname"], stored["destination"]) == ("_dmarc", "v=DMARC1; p=reject")

        zone.delete_record(record["id"])
    assert ccp.sandbox.zone(DOMAIN) == before
