"""The control calls: what they tell and do, and that no web page can make them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import requests

from netcup_mailauth.sandbox import faults
from tests.sandbox.client import DOMAIN, Ccp, txt, values

if TYPE_CHECKING:
    from tests.sandbox.conftest import Start


def post(ccp: Ccp, name: str, body: object) -> requests.Response:
    return requests.post(f"{ccp.sandbox.control_url}/{name}", json=body, timeout=5)


def stats(ccp: Ccp) -> dict[str, Any]:
    answer: dict[str, Any] = requests.get(f"{ccp.sandbox.control_url}/stats", timeout=5).json()
    return answer


def test_stats(ccp: Ccp) -> None:
    ccp.records()
    ccp.records()
    told = stats(ccp)
    assert told["requests"] == {"login": 1, "infoDnsRecords": 2}
    assert told["connections"] == 1
    assert told["zones"] == {DOMAIN: ccp.records()}
    assert told["logins_open"] == 1
    assert told["serials"] == {DOMAIN: str(ccp.serial())}
    assert told["mailcow"] == {}
    assert told["dns"] == [0, 0, 0]
    assert told["resolver"] == 0


def test_connections_are_those_with_a_ccp_request(ccp: Ccp) -> None:
    """Control calls and the interface page are no CCP requests; a new session is one more."""
    stats(ccp)
    ccp.http.get(ccp.sandbox.ccp_endpoint)
    assert stats(ccp)["connections"] == 1
    with Ccp(ccp.sandbox) as another:
        another.login()
        another.login()
    assert stats(ccp)["connections"] == 2


def test_stats_of_the_library_are_the_same(ccp: Ccp) -> None:
    assert ccp.sandbox.stats() == stats(ccp)


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", ""])
@pytest.mark.parametrize("name", ["fault", "reset", "zone", "mailcow", "dns", "world"])
def test_posts_need_json(ccp: Ccp, content_type: str, name: str) -> None:
    """Other types are what a form on a foreign page can send without asking."""
    url = f"{ccp.sandbox.control_url}/{name}"
    response = requests.post(url, data="{}", headers={"Content-Type": content_type}, timeout=5)
    assert response.status_code == 415


def test_json_with_a_charset_is_json(ccp: Ccp) -> None:
    headers = {"Content-Type": "application/json; charset=utf-8"}
    url = f"{ccp.sandbox.control_url}/reset"
    assert requests.post(url, data="", headers=headers, timeout=5).status_code == 200


@pytest.mark.parametrize("name", ["fault", "reset", "zone", "mailcow", "dns", "world"])
def test_wrong_methods_are_405(ccp: Ccp, name: str) -> None:
    assert requests.get(f"{ccp.sandbox.control_url}/{name}", timeout=5).status_code == 405
    assert post(ccp, "stats", {}).status_code == 405


@pytest.mark.parametrize(
    "body",
    [
        [],
        "x",
        {},
        {"action": "login"},
        {"action": "login", "mode": "explode"},
        {"action": "makeCoffee", "mode": "drop"},
        {"action": ["*"], "mode": "drop"},
        {"action": "*", "mode": ["drop"]},
        {"action": "*", "mode": "drop", "times": 0},
        {"action": "*", "mode": "drop", "times": "2"},
        {"action": "*", "mode": "drop", "times": True},
        {"action": "*", "mode": "drop", "after": -1},
        {"action": "*", "mode": "slow", "delay": "long"},
        {"action": "*", "mode": "slow", "delay": -1},
        {"action": "*", "mode": "rival", "records": [{"hostname": "a"}]},
        {"action": "*", "mode": "drop", "once": 1},
    ],
)
def test_a_bad_fault_is_400_with_a_sentence(ccp: Ccp, body: object) -> None:
    response = post(ccp, "fault", body)
    assert response.status_code == 400
    assert response.json()["error"]
    assert ccp.login()["statuscode"] == 2000


def test_a_body_that_is_no_json_is_400(ccp: Ccp) -> None:
    headers = {"Content-Type": "application/json"}
    url = f"{ccp.sandbox.control_url}/fault"
    assert requests.post(url, data="{", headers=headers, timeout=5).status_code == 400


def test_a_fault_by_http(ccp: Ccp) -> None:
    order = {"action": "login", "mode": "rate-limit", "times": 1, "after": 0}
    assert post(ccp, "fault", order).status_code == 200
    assert stats(ccp)["faults"] == [order]
    assert ccp.login()["statuscode"] == 4013


def test_reset_puts_everything_back(ccp: Ccp) -> None:
    before = ccp.records()
    ccp.update(txt("new", "x"))
    post(ccp, "fault", {"action": "*", "mode": "drop"})
    assert post(ccp, "reset", {}).status_code == 200
    told = stats(ccp)
    assert told["requests"] == {}
    assert told["connections"] == told["logins_open"] == 0
    assert told["faults"] == []
    assert told["zones"] == {DOMAIN: before}
    assert ccp.call("infoDnsZone", domainname=DOMAIN)["statuscode"] == 4001
    ccp.login()
    known = {record["id"] for record in before}
    answer = ccp.update(txt("new", "x"))
    new = {record["id"] for record in answer["responsedata"]["dnsrecords"]} - known
    assert new == {"405413"}


def test_zone_is_set(ccp: Ccp) -> None:
    records = [txt("@", "v=spf1 -all", id="7"), {**txt("x", '"old"'), "state": "yes"}]
    assert post(ccp, "zone", {"domain": DOMAIN, "records": records}).status_code == 200
    seen = ccp.records()
    assert {record["id"] for record in seen} >= {"7"}
    assert values(seen, "x") == ['"old"']  # entered by hand long ago; not refused here


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ({}, "domain"),
        ({"domain": "foreign.de", "records": []}, "foreign.de"),
        ({"domain": DOMAIN}, "records"),
        ({"domain": DOMAIN, "records": {}}, "list"),
        ({"domain": DOMAIN, "records": [txt("a", "b"), "x"]}, "record 2"),
        ({"domain": DOMAIN, "records": [{"hostname": "a", "type": "TXT"}]}, "destination"),
        ({"domain": DOMAIN, "records": [txt("a", "b", prio=1)]}, "prio"),
        ({"domain": DOMAIN, "backend": "other"}, "backend"),
    ],
)
def test_a_bad_zone_is_400_and_says_where(ccp: Ccp, body: dict[str, Any], names: str) -> None:
    response = post(ccp, "zone", body)
    assert response.status_code == 400
    assert names in response.json()["error"]
    assert len(ccp.records()) == 13


def test_an_id_of_another_zone_is_refused(start: Start) -> None:
    ccp = start(("example.com", "example.org"))
    taken = ccp.records("example.org")[0]["id"]
    body = {"domain": DOMAIN, "records": [txt("a", "b", id=taken)]}
    assert "example.org" in post(ccp, "zone", body).json()["error"]


BOTH = """drop apply-then-drop apply-late apply-then-html 500 html cut lie rival loses slow denied
    429 bomb early drip-status drip-headers drip-chunks"""
MODES = {
    "ccp": f"""{BOTH} apply-partly apply-then-4013 apply-and-hide apply-then-403 other-id
        other-action expire rate-limit lockout""",
    "rest": f"""{BOTH} apply-then-error apply-then-500 no-content apply-then-no-content bad-key
        draft missing null-result""",
    "mailcow": "error partly killed drop-before drop-after 500 denied success-but-nothing",
    "dns": "ok off drop servfail refused slow stale garbage",
}


def test_the_names_of_the_faults_stay_as_scripts_know_them() -> None:
    known = {str(api): list(modes) for api, modes in faults.MODES.items()}
    known["dns"] = list(faults.DNS_MODES)
    assert known == {where: names.split() for where, names in MODES.items()}
