"""Other clients' way to set SPF, DKIM and DMARC at ten domains, each as its authors mean it.

``python tests/bench/clients.py NAME`` runs one of them against the sandbox of the environment.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from tests.bench.peers import DOMAINS, RECORDS

CUSTOMER = os.environ.get("NETCUP_CUSTOMER_NUMBER", "")
KEY = os.environ.get("NETCUP_API_KEY", "")
PASSWORD = os.environ.get("NETCUP_API_PASSWORD", "")
ENDPOINT = os.environ.get("NETCUP_CCP_ENDPOINT", "")


def bare() -> None:
    """As few calls as there can be, over one connection, with nothing looked at or verified."""
    import requests

    session = requests.Session()

    def call(action: str, **param: Any) -> Any:
        account = {"customernumber": CUSTOMER, "apikey": KEY}
        body = {"action": action, "param": {**account, **param}}
        return session.post(ENDPOINT, json=body, timeout=30).json()["responsedata"]

    token = {"apisessionid": call("login", apipassword=PASSWORD)["apisessionid"]}
    for domain in DOMAINS:
        held = call("infoDnsRecords", domainname=domain, **token)["dnsrecords"]
        (spf,) = (r for r in held if r["destination"].startswith("v=spf1"))
        wanted = [
            {"hostname": name, "type": "TXT", "destination": text}
            for name, text in RECORDS.items()
            if name != "@"
        ]
        wanted.append({**spf, "destination": RECORDS["@"]})
        call("updateDnsRecords", domainname=domain, dnsrecordset={"dnsrecords": wanted}, **token)
    call("logout", **token)


def nc_dnsapi() -> None:
    """One session, one call for each record."""
    import nc_dnsapi as library  # type: ignore[import-untyped]

    library.Client._Client__endpoint = ENDPOINT
    with library.Client(int(CUSTOMER), KEY, PASSWORD) as client:
        for domain in DOMAINS:
            held = client.dns_records(domain)
            for name, text in RECORDS.items():
                record = next((r for r in held if r.destination.startswith(text[:6])), None)
                if record is None:
                    client.add_dns_record(domain, library.DNSRecord(name, "TXT", text))
                else:
                    record.destination = text
                    client.update_dns_record(domain, record)


def lexicon() -> None:
    """One client for each domain, one operation for each record."""
    from lexicon.client import Client
    from lexicon.config import ConfigResolver

    for domain in DOMAINS:
        told = {"provider_name": "netcup", "domain": domain}
        config = ConfigResolver().with_env().with_dict(told)  # type: ignore[no-untyped-call]
        with Client(config) as zone:
            for name, text in RECORDS.items():
                zone.create_record("TXT", name, text)


if __name__ == "__main__":
    {"bare": bare, "nc_dnsapi": nc_dnsapi, "lexicon": lexicon}[sys.argv[1]]()
