"""Every way that only a call to the REST API fails in, and what the common ones do there."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
import requests

from netcup_mailauth.sandbox import http
from netcup_mailauth.sandbox.faults import MODES
from tests.sandbox.client import Ccp
from tests.sandbox.rest_client import DOMAIN, SPF, Rest, error, rdatas, row

if TYPE_CHECKING:
    from tests.sandbox.conftest import StartRest

RIVAL = '"v=spf1 include:_spf.rival.example -all"'
NEW = row("new", '"x"')
WRITE = "changeset"


def stored(client: Rest) -> list[str]:
    """What the zone holds at `new`, asked past the API."""
    return rdatas(client.sandbox.rest_records(DOMAIN), "new")


@pytest.mark.parametrize(("mode", "after"), [("drop", []), ("apply-then-drop", ['"x"'])])
def test_dropped_connections(rest: Rest, mode: str, after: list[str]) -> None:
    rest.sandbox.fault(WRITE, mode)
    with pytest.raises(requests.ConnectionError):
        rest.change([NEW])
    assert stored(rest) == after
    assert len(rest.revisions()) == 1 + len(after)
    assert rest.change([row("www2", '"y"')]).status_code == 201  # once only


def test_apply_late_arrives_after_the_client_gave_up(rest: Rest) -> None:
    rest.sandbox.fault(WRITE, "apply-late", delay=1.0)
    with pytest.raises(requests.ConnectionError):
        rest.change([NEW])
    assert stored(rest) == []
    deadline = time.monotonic() + 30
    while not stored(rest) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert stored(rest) == ['"x"']


@pytest.mark.parametrize(
    ("mode", "status", "after"),
    [("html", 200, []), ("apply-then-500", 500, ['"x"'])],
)
def test_answers_that_are_html(rest: Rest, mode: str, status: int, after: list[str]) -> None:
    rest.sandbox.fault(WRITE, mode)
    response = rest.change([NEW])
    assert response.status_code == status
    assert response.headers["Content-Type"] == "text/html"
    assert stored(rest) == after


@pytest.mark.parametrize(
    ("mode", "after"), [("no-content", []), ("apply-then-no-content", ['"x"'])]
)
def test_answers_that_are_empty(rest: Rest, mode: str, after: list[str]) -> None:
    rest.sandbox.fault(WRITE, mode)
    response = rest.change([NEW])
    assert (response.status_code, response.content) == (204, b"")
    assert stored(rest) == after
    assert rest.get("/domain").status_code == 200  # the connection is still of use


def test_apply_then_error(rest: Rest) -> None:
    rest.sandbox.fault(WRITE, "apply-then-error")
    assert error(rest.change([NEW])) == (422, "unprocessableContent")
    assert stored(rest) == ['"x"']


def test_lie_answers_with_a_revision_that_is_not_there(rest: Rest) -> None:
    before = rest.revisions()
    rest.sandbox.fault(WRITE, "lie")
    response = rest.change([NEW])
    assert response.status_code == 201
    assert response.json()["result"]["serial"] == before[0]["serial"] + 1
    assert stored(rest) == []
    assert rest.revisions() == before


def test_lie_about_an_acme_challenge(rest: Rest) -> None:
    rest.sandbox.fault("acme", "lie")
    path, body = rest.path("acme/challenge"), {"scope": "@", "value": "x" * 43}
    assert rest.send("POST", path, json=body).status_code == 201
    assert rest.send("POST", path, json=body).status_code == 201


@pytest.mark.parametrize("action", ["revisions", "records", WRITE])
def test_rival_writes_first(rest: Rest, action: str) -> None:
    """Between our read and our write, or between two reads."""
    before = rest.revisions()[0]["serial"]
    rest.sandbox.fault(action, "rival")
    rest.records()
    assert rest.change([NEW]).json()["result"]["serial"] == before + 2
    assert RIVAL in rdatas(rest.records(), "@")
    assert stored(rest) == ['"x"']


def test_rival_with_records_of_the_test(rest: Rest) -> None:
    """A record with the id of a live one replaces it, so that our delete of it misses."""
    spf = next(r for r in rest.sandbox.zone(DOMAIN) if "v=spf1" in r["destination"])
    rival = {**spf, "destination": "v=spf1 -all", "ttl": 60}
    rest.sandbox.fault(WRITE, "rival", records=[rival])
    assert error(rest.change([NEW], [row("@", SPF, ttl=3600)])) == (422, "recordDoesNotExist")
    assert stored(rest) == []
    found = [r for r in rest.sandbox.rest_records(DOMAIN) if r["rdata"] == '"v=spf1 -all"']
    assert [record["ttl"] for record in found] == [60]


def test_rival_at_a_domain_look_up(rest: Rest) -> None:
    rest.sandbox.fault("domain", "rival")
    assert rest.get("/domain", fqdn=DOMAIN).status_code == 200
    assert RIVAL in rdatas(rest.sandbox.rest_records(DOMAIN), "@")


def test_bad_key_by_order(rest: Rest) -> None:
    rest.sandbox.fault(WRITE, "bad-key")
    assert error(rest.change([NEW])) == (400, "authenticationError")
    assert stored(rest) == []


@pytest.mark.parametrize(("delay", "header"), [(None, "1"), (7.2, "8"), (0.0, "0")])
def test_429_asks_to_wait(rest: Rest, delay: float | None, header: str) -> None:
    rest.sandbox.fault(WRITE, "429", delay=delay)
    response = rest.change([NEW])
    assert error(response) == (429, "rateLimitExceeded")
    assert response.headers["Retry-After"] == header
    assert stored(rest) == []


def test_draft_leaves_a_changeset_uncommitted(rest: Rest) -> None:
    rest.sandbox.fault(WRITE, "draft")
    response = rest.change([NEW])
    assert (response.status_code, response.json()["result"]["state"]) == (201, "draft")
    assert stored(rest) == []
    assert [revision["state"] for revision in rest.revisions()] == ["committed", "draft"]


def test_draft_before_a_read_is_one_of_somebody_else(rest: Rest) -> None:
    rest.sandbox.fault("revisions", "draft")
    assert [revision["state"] for revision in rest.revisions()] == ["committed", "draft"]
    assert rdatas(rest.records(), "@") == []
    assert SPF in rdatas(rest.sandbox.rest_records(DOMAIN), "@")


COMPLETE = [mode for mode in MODES["rest"] if not mode.startswith("drip-")]


@pytest.mark.parametrize("mode", COMPLETE)
def test_a_fault_lets_nobody_in(rest: Rest, mode: str) -> None:
    """With a wrong key nothing of ours is stored, whatever the fault applies."""
    path = rest.path("changeset")
    rest.sandbox.fault(WRITE, mode, delay=0.0)
    body = {"autoCommit": True, "strict": True, "create": [NEW], "delete": []}
    url = rest.sandbox.rest_endpoint + path
    try:
        requests.post(url, json=body, headers={"Authorization": "Bearer x"}, timeout=5)
    except requests.ConnectionError:
        assert mode in ("drop", "apply-then-drop", "apply-late")
    if mode == "apply-late":
        time.sleep(0.1)
    assert stored(rest) == []
    assert len(rest.revisions()) == (2 if mode in ("rival", "loses") else 1)


@pytest.mark.parametrize("mode", COMPLETE)
def test_a_fault_breaks_no_body_that_is_none(untouched: Rest, mode: str) -> None:
    path = untouched.path("changeset")
    untouched.sandbox.fault(WRITE, mode, delay=0.0)
    try:
        response = untouched.send("POST", path, data=b"{")
    except requests.ConnectionError:
        assert mode in ("drop", "apply-then-drop", "apply-late")
    else:
        assert response.status_code in (103, 200, 204, 400, 403, 404, 422, 429, 500)
    untouched.http.close()  # what comes behind a 103 is no answer to the next test's call
    assert untouched.sandbox.stats()["faults"] == []


@pytest.mark.parametrize(
    ("action", "mode"),
    [
        *((WRITE, mode) for mode in MODES["ccp"] if mode not in MODES["rest"]),
        *(("updateDnsRecords", mode) for mode in MODES["rest"] if mode not in MODES["ccp"]),
        ("unknown", "drop"),
    ],
)
def test_a_fault_of_the_other_api_is_refused(untouched: Rest, action: str, mode: str) -> None:
    with pytest.raises(ValueError, match="must be"):
        untouched.sandbox.fault(action, mode)


def test_star_hits_both_apis_and_each_only_with_what_it_has(start_rest: StartRest) -> None:
    rest = start_rest(domains=["example.org"])
    with Ccp(rest.sandbox) as ccp:
        rest.sandbox.fault("*", "expire")
        rest.sandbox.fault("*", "429")
        assert error(rest.get("/domain")) == (429, "rateLimitExceeded")
        assert rest.sandbox.stats()["faults"][0]["mode"] == "expire"
        assert ccp.login()["statuscode"] == 2000  # a login needs no session
        assert rest.sandbox.stats()["faults"] == []
        rest.sandbox.fault("*", "500", times=2)
        assert rest.get("/domain").status_code == 500
        assert ccp.send("login", {}).status_code == 500


def test_missing_says_that_there_is_no_such_page(rest: Rest) -> None:
    rest.sandbox.fault("records", "missing")
    answer = rest.get(rest.path("dns/revision/1/record"))
    assert error(answer) == (404, "resourceDoesNotExist")


def test_null_result_is_a_success_that_holds_nothing(rest: Rest) -> None:
    rest.sandbox.fault(WRITE, "null-result")
    answer = rest.change([NEW]).json()
    assert (answer["success"], answer["result"]) == (True, None)
    assert stored(rest) == [NEW["rdata"]]


@pytest.mark.parametrize("mode", ["drip-status", "drip-headers", "drip-chunks"])
def test_a_drip_has_no_end_that_a_client_would_wait_for(rest: Rest, mode: str) -> None:
    """A byte comes each time before the client's patience with a silent server ends."""
    rest.sandbox.fault("domain", mode, delay=0.0)
    path = urlsplit(rest.sandbox.rest_endpoint)
    with socket.create_connection((path.hostname or "", path.port or 0), timeout=5) as connection:
        connection.sendall(b"GET /v1/domain HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        received = b""
        while part := connection.recv(65536):
            received += part
    assert received.startswith(b"HTTP/1.1 200 ")
    assert len(received) >= http.DROPS


def test_early_sends_a_103_first(rest: Rest) -> None:
    rest.sandbox.fault("domain", "early", delay=0.0)
    path = urlsplit(rest.sandbox.rest_endpoint)
    with socket.create_connection((path.hostname or "", path.port or 0), timeout=5) as connection:
        connection.sendall(
            b"GET /v1/domain HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
        )
        received = b""
        while part := connection.recv(65536):
            received += part
    assert received.startswith(b"HTTP/1.1 103 Early Hints\r\n")
    assert received.count(b"HTTP/1.1 ") == 2
