"""Who is let in: credentials, sessions, rate limit and lock-out (L7 to L13, L40, L41)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.sandbox.client import DOMAIN, Ccp

if TYPE_CHECKING:
    from tests.sandbox.conftest import Clock, Start

NO_ACCOUNT = "Customer account not found. JSON decode failed while validating request."
RATE = (
    "More than 180 requests per minute. Please wait and retry later. Please contact our customer "
    "service to find out if the limitation of requests can be increased."
)
LOCKED = "Too many error messages, please check your commands. "


@pytest.mark.parametrize(
    "wrong",
    [
        {"customernumber": "54321"},
        {"customernumber": None},
        {"customernumber": [12345]},
        {"apikey": "K" * 50},
        {"apikey": "R" * 64},  # a key of the REST API
        {"apikey": {"a": 1}},
        {"apikey": "ü"},
        {"apipassword": "P"},
        {"apipassword": None},
    ],
)
def test_l7_wrong_credentials_are_4013(ccp: Ccp, wrong: dict[str, Any]) -> None:
    password = {"apipassword": ccp.sandbox.env["NETCUP_API_PASSWORD"]}
    answer = ccp.call("login", **{**password, **wrong})
    assert (answer["statuscode"], answer["longmessage"]) == (4013, NO_ACCOUNT)


def test_l7_key_is_checked_with_every_call(ccp: Ccp) -> None:
    assert ccp.call("infoDnsZone", domainname=DOMAIN, apikey="K")["longmessage"] == NO_ACCOUNT


def test_l7_switch_wrong_credentials_look_like_the_rate_limit(start: Start) -> None:
    client = start(wrong_credentials="rate-text")
    assert client.call("login", apipassword="P")["longmessage"] == RATE


def test_l8_customer_number_may_be_a_number(ccp: Ccp) -> None:
    """nc_dnsapi sends a number, lego a text."""
    number = int(str(ccp.account["customernumber"]))
    assert ccp.call("infoDnsZone", domainname=DOMAIN, customernumber=number)["statuscode"] == 2000


@pytest.mark.parametrize("session", ["", None, "x", 7, ["x"], "A" * 50])
def test_l9_a_bad_session_is_4001(ccp: Ccp, session: object) -> None:
    answer = ccp.call("infoDnsRecords", domainname=DOMAIN, apisessionid=session)
    assert (answer["action"], answer["status"]) == ("infoDnsRecords", "error")
    assert answer["statuscode"] == 4001
    assert answer["shortmessage"] == "Api session id in invalid format"
    assert answer["longmessage"] == "The session id is not in a valid format."
    assert answer["responsedata"] == ""


def test_l10_a_session_dies_when_idle_and_lives_when_used(start: Start, clock: Clock) -> None:
    client = start(clock=clock)
    for _ in range(3):
        clock.now += 899
        assert client.call("infoDnsZone", domainname=DOMAIN)["statuscode"] == 2000
    clock.now += 900
    assert client.call("infoDnsZone", domainname=DOMAIN)["statuscode"] == 4001


def test_l10_session_ttl_can_be_chosen(start: Start, clock: Clock) -> None:
    client = start(clock=clock, session_ttl=5.0)
    clock.now += 5
    assert client.call("logout")["statuscode"] == 4001


@pytest.mark.parametrize(("quirk", "second"), [("once", 2000), ("always", 4001)])
def test_l10_first_call_after_login_is_4001(start: Start, quirk: str, second: int) -> None:
    client = start(first_call_4001=quirk)
    assert client.call("infoDnsZone", domainname=DOMAIN)["statuscode"] == 4001
    client.login()
    assert client.call("infoDnsZone", domainname=DOMAIN)["statuscode"] == second


def test_l11_logout_ends_the_session(ccp: Ccp) -> None:
    assert ccp.sandbox.stats()["logins_open"] == 1
    assert ccp.call("logout")["statuscode"] == 2000
    assert ccp.call("infoDnsZone", domainname=DOMAIN)["statuscode"] == 4001
    assert ccp.sandbox.stats()["logins_open"] == 0


def test_l12_many_sessions_side_by_side(ccp: Ccp) -> None:
    sessions = [ccp.login()["responsedata"]["apisessionid"] for _ in range(4)]
    ccp.call("logout", apisessionid=sessions[1])
    codes = [
        ccp.call("infoDnsZone", domainname=DOMAIN, apisessionid=session)["statuscode"]
        for session in sessions
    ]
    assert codes == [2000, 4001, 2000, 2000]


@pytest.mark.parametrize(
    "name",
    [
        "sub.example.com",
        "_dmarc.example.com",
        "example.com.",
        "example",
        "",
        "12.de",
        "-a.de",
        "a-.de",
        "exa mple.com",
        "bücher.de",
        "a" * 64 + ".de",
        None,
        7,
    ],
)
@pytest.mark.parametrize("session", ["good", "bad"])
def test_l13_a_bad_domain_name_is_refused_first(ccp: Ccp, name: object, session: str) -> None:
    """Subdomains and trailing dots never get as far as the session."""
    number = ccp.session if session == "good" else "x"
    answer = ccp.call("infoDnsRecords", domainname=name, apisessionid=number)
    assert answer["longmessage"] == (
        "Value in field domainname does not match requirements of type: domainname. "
    )
    assert (answer["statuscode"], answer["action"]) == (4013, "")


@pytest.mark.parametrize("name", ["a.de", "a1.de", "xn--bcher-kva.de", "ex.co.uk", "EX-1.COM"])
def test_l13_other_names_pass(ccp: Ccp, name: str) -> None:
    assert ccp.call("infoDnsZone", domainname=name)["statuscode"] == 5031


def test_l40_rate_limit_counts_any_60_seconds(start: Start, clock: Clock) -> None:
    client = start(clock=clock, rate=3, lockout_after=None)  # the login was the first
    clock.now += 30
    assert client.call("infoDnsZone", domainname=DOMAIN)["statuscode"] == 2000
    assert client.call("infoDnsZone", domainname=DOMAIN)["statuscode"] == 2000
    refused = client.call("infoDnsZone", domainname=DOMAIN)
    assert (refused["statuscode"], refused["longmessage"]) == (4013, RATE)
    assert refused["action"] == ""
    clock.now += 30  # the login is 60 s ago, the two others 30 s
    assert client.call("infoDnsZone", domainname=DOMAIN)["statuscode"] == 2000
    assert client.login()["longmessage"] == RATE


@pytest.mark.parametrize("rate", [0, None])
def test_l40_rate_limit_can_be_off(start: Start, rate: int | None) -> None:
    client = start(rate=rate)
    assert {client.login()["statuscode"] for _ in range(200)} == {2000}


def test_l41_errors_in_a_row_lock_out_even_the_login(ccp: Ccp) -> None:
    for _ in range(10):
        assert ccp.call("infoDnsZone", domainname="foreign.de")["statuscode"] == 5031
    for answer in (ccp.login(), ccp.call("infoDnsZone", domainname=DOMAIN)):
        assert (answer["statuscode"], answer["longmessage"]) == (4013, LOCKED)
    assert ccp.post("").json()["longmessage"] == LOCKED
    ccp.sandbox.reset()
    assert ccp.login()["statuscode"] == 2000


def test_l41_a_success_starts_the_count_anew(start: Start) -> None:
    client = start(lockout_after=2)
    for _ in range(3):
        client.call("infoDnsZone", domainname="foreign.de")
        assert client.call("infoDnsZone", domainname=DOMAIN)["statuscode"] == 2000
