"""Other clients' way to set SPF, DKIM and DMARC at ten domains, each as its authors mean it.

``python tests/bench/clients.py NAME`` runs one of them against the sandbox of the environment, and
``reading N`` only reads N zones, as little as a program can do that finds nothing to change.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from tests.bench.peers import DOMAINS, RECORDS

if TYPE_CHECKING:
    from collections.abc import Callable

CUSTOMER = os.environ.get("NETCUP_CUSTOMER_NUMBER", "")
KEY = os.environ.get("NETCUP_API_KEY", "")
PASSWORD = os.environ.get("NETCUP_API_PASSWORD", "")
ENDPOINT = os.environ.get("NETCUP_CCP_ENDPOINT", "")


def caller() -> Callable[..., Any]:
    """What makes a call over one connection, and gives what it is answered."""
    import requests

    session = requests.Session()

    def call(action: str, **param: Any) -> Any:
        account = {"customernumber": CUSTOMER, "apikey": KEY}
        body = {"action": action, "param": {**account, **param}}
        return session.post(ENDPOINT, json=body, timeout=30).json()["responsedata"]

    return call


def reading() -> None:
    """Read so many zones."""
    call = caller()
    token = {"apisessionid": call("login", apipassword=PASSWORD)["apisessionid"]}
    for number in range(int(sys.argv[2])):
        call("infoDnsRecords", domainname=f"example-{number}.de", **token)
    call("logout", **token)


def bare() -> None:
    """As few calls as there can be, over one connection, with nothing looked at or verified."""
    call = caller()
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
    """One session, and one read and one write for each zone, as its functions allow."""
    import nc_dnsapi as library  # type: ignore[import-untyped]

    library.Client._Client__endpoint = ENDPOINT
    with library.Client(int(CUSTOMER), KEY, PASSWORD) as client:
        for domain in DOMAINS:
            held = client.dns_records(domain)
            wanted = []
            for name, text in RECORDS.items():
                known = (r for r in held if r.destination.startswith(text[:6]))
                record = next(known, library.DNSRecord(name, "TXT", text))
                record.destination = text
                wanted.append(record)
            client.update_dns_records(domain, wanted)


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
    known = {"bare": bare, "nc_dnsapi": nc_dnsapi, "lexicon": lexicon, "reading": reading}
    known[sys.argv[1]]()
