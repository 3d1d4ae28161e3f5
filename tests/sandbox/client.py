"""The plainest possible client: requests, and nothing of the package that is tested."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Self

import requests

if TYPE_CHECKING:
    from netcup_mailauth.sandbox import Sandbox

DOMAIN = "example.com"
SPF = "v=spf1 mx a include:_spf.webhosting.systems ~all"


class Ccp:
    """Sends calls to the CCP API and gives the whole envelope back."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.http = requests.Session()
        self.session = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    @property
    def account(self) -> dict[str, Any]:
        env = self.sandbox.env
        return {
            "customernumber": env["NETCUP_CUSTOMER_NUMBER"],
            "apikey": env["NETCUP_API_KEY"],
        }

    def post(self, body: bytes | str, **headers: str) -> requests.Response:
        return self.http.post(self.sandbox.ccp_endpoint, data=body, headers=headers, timeout=20)

    def send(self, action: str, param: dict[str, Any]) -> requests.Response:
        # Not json=..., with which requests refuses what a fuzzing test wants to send.
        return self.post(json.dumps({"action": action, "param": param}))

    def call(self, action: str, **param: Any) -> dict[str, Any]:
        """One call with good credentials and the open session; keywords win."""
        defaults = {**self.account, "apisessionid": self.session}
        answer: dict[str, Any] = self.send(action, {**defaults, **param}).json()
        return answer

    def login(self) -> dict[str, Any]:
        answer = self.call("login", apipassword=self.sandbox.env["NETCUP_API_PASSWORD"])
        if answer["status"] == "success":
            self.session = answer["responsedata"]["apisessionid"]
        return answer

    def records(self, domain: str = DOMAIN) -> list[dict[str, Any]]:
        answer = self.call("infoDnsRecords", domainname=domain)
        assert answer["statuscode"] == 2000, answer
        records: list[dict[str, Any]] = answer["responsedata"]["dnsrecords"]
        return records

    def update(self, *entries: Any, domain: str = DOMAIN) -> dict[str, Any]:
        record_set = {"dnsrecords": list(entries)}
        return self.call("updateDnsRecords", domainname=domain, dnsrecordset=record_set)

    def serial(self, domain: str = DOMAIN) -> int:
        return int(self.call("infoDnsZone", domainname=domain)["responsedata"]["serial"])


def txt(hostname: str, destination: str, **fields: Any) -> dict[str, Any]:
    return {"hostname": hostname, "type": "TXT", "destination": destination, **fields}


def values(records: list[dict[str, Any]], hostname: str, kind: str = "TXT") -> list[str]:
    """The destinations of all records of a name and type, sorted."""
    return sorted(
        record["destination"]
        for record in records
        if record["hostname"] == hostname and record["type"] == kind
    )
