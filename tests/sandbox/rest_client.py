"""The plainest possible client of the REST API: requests, and nothing of the package tested."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import requests

if TYPE_CHECKING:
    from netcup_mailauth.sandbox import Sandbox

DOMAIN = "example.com"
SPF = '"v=spf1 mx a include:_spf.webhosting.systems ~all"'


class Rest:
    """Sends calls about one domain to the REST API."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.http = requests.Session()
        self.http.headers["Authorization"] = f"Bearer {sandbox.rest_key}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def send(self, method: str, path: str, **options: Any) -> requests.Response:
        url = self.sandbox.rest_endpoint + path
        return self.http.request(method, url, timeout=20, **options)

    def get(self, path: str, **query: object) -> requests.Response:
        return self.send("GET", path, params=query)

    def number(self, domain: str = DOMAIN) -> int:
        """The number of a domain in all paths."""
        return int(self.get("/domain", fqdn=domain).json()["result"][0]["id"])

    def path(self, rest: str, domain: str = DOMAIN) -> str:
        return f"/domain/{self.number(domain)}/{rest}"

    def revisions(self, domain: str = DOMAIN, **query: object) -> list[dict[str, Any]]:
        response = self.get(self.path("dns/revision", domain), **query)
        assert response.status_code == 200, response.text
        found: list[dict[str, Any]] = response.json()["result"]
        return found

    def records(self, domain: str = DOMAIN) -> list[dict[str, Any]]:
        """The records of the revision made last; all fit on a page."""
        newest = self.revisions(domain, perPage=100)[-1]["identifier"]
        path = self.path(f"dns/revision/{newest}/record", domain)
        found: list[dict[str, Any]] = self.get(path, perPage=100).json()["result"]
        return found

    def change(
        self,
        create: Any = (),
        delete: Any = (),
        domain: str = DOMAIN,
        **fields: Any,
    ) -> requests.Response:
        body = {"autoCommit": True, "strict": True, "create": create, "delete": delete}
        return self.send("POST", self.path("changeset", domain), json={**body, **fields})


def row(name: str, rdata: str, kind: str = "TXT", ttl: object = 300) -> dict[str, Any]:
    return {"name": name, "type": kind, "rdata": rdata, "ttl": ttl}


def rdatas(records: list[dict[str, Any]], name: str, kind: str = "TXT") -> list[str]:
    """The values of all records of a name and type, sorted."""
    return sorted(r["rdata"] for r in records if (r["name"], r["type"]) == (name, kind))


def error(response: requests.Response) -> tuple[int, str]:
    """Status and code of an error; its envelope is complete."""
    answer = response.json()
    assert list(answer) == ["success", "errors", "messages", "meta", "result"]
    assert answer["success"] is False
    return response.status_code, answer["errors"][0]["code"]
