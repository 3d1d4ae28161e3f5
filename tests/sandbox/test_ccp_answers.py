"""How the CCP answers: L1 to L6 and L42, which other people's clients cut by position."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.sandbox.client import DOMAIN, Ccp

if TYPE_CHECKING:
    from tests.sandbox.conftest import Start

KEYS = [
    "serverrequestid",
    "clientrequestid",
    "action",
    "status",
    "statuscode",
    "shortmessage",
    "longmessage",
    "responsedata",
]


def test_l2_keys_come_in_netcups_order(ccp: Ccp) -> None:
    """acme.sh reads status as the fourth and statuscode as the fifth field."""
    assert list(ccp.login()) == KEYS
    assert list(ccp.call("infoDnsZone", domainname="foreign.de")) == KEYS


def test_l1_errors_are_http_200_and_json(ccp: Ccp) -> None:
    response = ccp.send("infoDnsZone", {**ccp.account, "domainname": "foreign.de"})
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/json"
    assert response.headers["Server"] == "nginx"
    assert "no-store" in response.headers["Cache-Control"]


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "x-www-form", ""])
def test_l1_any_content_type_will_do(ccp: Ccp, content_type: str) -> None:
    """acme.sh posts JSON as a form."""
    body = f'{{"action":"login","param":{{"customernumber":"1","apikey":"{content_type}x"}}}}'
    answer = ccp.post(body, **({"Content-Type": content_type} if content_type else {})).json()
    assert answer["longmessage"].startswith("Customer account not found.")


@pytest.mark.parametrize(("quirk", "size"), [("empty", 0), ("page", 117)])
def test_without_json_there_is_a_page_for_people_and_nothing_for_a_post(
    start: Start, quirk: str, size: int
) -> None:
    """1.1."""
    ccp = start(without_json=quirk)
    url = ccp.sandbox.ccp_endpoint.removesuffix("?JSON")
    posted = ccp.http.post(url, json={})
    assert (posted.status_code, bool(posted.content)) == (200, size > 0)
    for page in (ccp.http.get(url), ccp.http.get(ccp.sandbox.ccp_endpoint)):
        assert page.text.startswith("<html>")
    assert ccp.sandbox.stats()["requests"] == {"login": 1}
    for query in ("?JSON=", "?a=b&JSON"):
        assert ccp.http.post(url + query, data="").json()["statuscode"] == 4013


@pytest.mark.parametrize(
    ("asked", "packed"),
    [
        ("gzip", True),
        ("br, GZIP;q=0.5", True),
        ("gzip;q=0", False),
        ("identity", False),
        ("", False),
    ],
)
def test_answers_are_packed_for_those_who_can_unpack_them(
    ccp: Ccp, asked: str, packed: bool
) -> None:
    response = ccp.post("", **{"Accept-Encoding": asked})
    assert (response.headers.get("Content-Encoding") == "gzip") == packed
    assert response.json()["longmessage"] == "Message is empty."


def test_switch_nothing_is_packed(start: Start) -> None:
    assert "Content-Encoding" not in start(compressed="never").post("").headers


def test_unknown_paths_are_404(ccp: Ccp) -> None:
    base = ccp.sandbox.control_url.removesuffix("/control")
    for path in ("/", "/control", "/control/", "/control/nothing", "/v1", "/v2/domain", "/run"):
        assert ccp.http.get(base + path).status_code == 404


@pytest.mark.parametrize(("quirk", "empty"), [("string", ""), ("null", None), ("list", [])])
def test_l3_responsedata_is_empty_on_errors_and_logout(
    start: Start, quirk: str, empty: object
) -> None:
    client = start(empty_responsedata=quirk)
    assert client.call("infoDnsZone", domainname="foreign.de")["responsedata"] == empty
    logout = client.call("logout")
    assert logout["responsedata"] == empty
    assert logout["shortmessage"] == "Logout successful"
    assert logout["longmessage"] == "Session has been terminated successful."


def test_l4_switch_request_ids_are_28_alphanumerics_and_differ(start: Start) -> None:
    ccp = start(request_ids="28")
    ids = {ccp.login()["serverrequestid"] for _ in range(3)}
    assert len(ids) == 3
    assert all(re.fullmatch(r"[A-Za-z0-9]{28}", number) for number in ids)
    assert {early_request_id(ccp) for _ in range(20)} == {""}


def test_b3_request_ids_vary_and_early_errors_may_have_one(ccp: Ccp) -> None:
    ids = [ccp.login()["serverrequestid"] for _ in range(60)]
    assert {len(number) for number in ids} == {17, 28, 29}
    assert any("=" in number for number in ids)
    assert {bool(early_request_id(ccp)) for _ in range(40)} == {True, False}


def early_request_id(ccp: Ccp) -> str:
    """That of an error from before the call was read."""
    answer = ccp.call("infoDnsZone", domainname="a.example.com")
    ccp.login()  # so that no lock-out comes of it
    return str(answer["serverrequestid"])


@pytest.mark.parametrize(
    ("sent", "echoed", "code"),
    [
        ({}, "", 2000),
        ({"clientrequestid": None}, "", 2000),
        ({"clientrequestid": "Abc123"}, "Abc123", 2000),
        ({"clientrequestid": "a" * 64}, "a" * 64, 2000),
        ({"clientrequestid": "a" * 65}, "", 4013),
        ({"clientrequestid": "not-alphanumeric"}, "", 4013),
        ({"clientrequestid": 7}, "", 4013),
    ],
)
def test_l5_client_request_id_is_echoed(
    ccp: Ccp, sent: dict[str, Any], echoed: str, code: int
) -> None:
    answer = ccp.call("infoDnsZone", domainname=DOMAIN, **sent)
    assert (answer["clientrequestid"], answer["statuscode"]) == (echoed, code)


def test_l6_login_answers_with_a_session_of_50_characters(ccp: Ccp) -> None:
    answer = ccp.login()
    assert answer["action"] == "login"
    assert (answer["status"], answer["statuscode"]) == ("success", 2000)
    assert answer["shortmessage"] == "Login successful"
    assert answer["longmessage"] == "Session has been created successful."
    assert list(answer["responsedata"]) == ["apisessionid"]
    assert re.fullmatch(r"[A-Za-z0-9+/]{50}", answer["responsedata"]["apisessionid"])


NO_KEY = "Api key missing. JSON decode failed while validating request."


@pytest.mark.parametrize(
    ("body", "action", "longmessage"),
    [
        ("", "", "Message is empty."),
        ("  ", "", "Message is empty."),
        ("{", "undefined", NO_KEY),
        (b"\xff\xfe", "undefined", NO_KEY),
        ("[]", "undefined", NO_KEY),
        ('"text"', "undefined", NO_KEY),
        ('{"param":{}}', "undefined", NO_KEY),
        ("[" * 100_000, "undefined", NO_KEY),
        ('{"action":"login"}', "login", "Message is empty."),
        ('{"action":"login","param":{}}', "login", "Message is empty."),
        ('{"action":"login","param":{"customernumber":"1"}}', "undefined", NO_KEY),
        ('{"action":"login","param":{"apikey":""}}', "undefined", NO_KEY),
    ],
)
def test_l42_what_cannot_be_read_is_4013(
    ccp: Ccp, body: bytes | str, action: str, longmessage: str
) -> None:
    answer = ccp.post(body).json()
    assert answer["statuscode"] == 4013
    assert answer["shortmessage"] == "Validation Error."
    assert (answer["action"], answer["longmessage"]) == (action, longmessage)


@pytest.mark.parametrize("action", ["listallDomains", "poll", "makeCoffee", ""])
def test_l43_reseller_and_unknown_actions_are_4013(ccp: Ccp, action: str) -> None:
    assert ccp.call(action)["statuscode"] == 4013
