"""Every way a call can fail (L44, L46): what the client sees, and what the zone holds then.

The ways that both APIs have are one table: what they do is tested here, at the CCP.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
import requests

from tests.sandbox.client import DOMAIN, SPF, Ccp, txt, values

if TYPE_CHECKING:
    from tests.sandbox.conftest import Start

RIVAL = "v=spf1 include:_spf.rival.example -all"
WRITE = "updateDnsRecords"


def stored(client: Ccp) -> list[str]:
    """What the zone holds at `new`, asked past the API."""
    return values(client.sandbox.zone(DOMAIN), "new")


def write(client: Ccp, *texts: str) -> dict[str, Any]:
    return client.update(*(txt("new", text) for text in texts or ("x",)))


def raw_write(client: Ccp) -> requests.Response:
    param = {**client.account, "apisessionid": client.session, "domainname": DOMAIN}
    return client.send(WRITE, {**param, "dnsrecordset": {"dnsrecords": [txt("new", "x")]}})


@pytest.mark.parametrize(("mode", "after"), [("drop", []), ("apply-then-drop", ["x"])])
def test_dropped_connections(ccp: Ccp, mode: str, after: list[str]) -> None:
    ccp.sandbox.fault(WRITE, mode)
    with pytest.raises(requests.ConnectionError):
        write(ccp)
    assert stored(ccp) == after
    assert write(ccp, "y")["statuscode"] == 2000  # once only, on a new connection


def test_apply_late_arrives_after_the_client_gave_up(ccp: Ccp) -> None:
    """Even though the session was ended in between: the call was already let in."""
    ccp.sandbox.fault(WRITE, "apply-late", delay=1.0)
    with pytest.raises(requests.ConnectionError):
        write(ccp)
    assert stored(ccp) == []
    ccp.call("logout")
    deadline = time.monotonic() + 30
    while not stored(ccp) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert stored(ccp) == ["x"]


def test_apply_late_does_not_let_a_bad_session_in(ccp: Ccp) -> None:
    ccp.session = "x"
    ccp.sandbox.fault(WRITE, "apply-late", delay=0.0)
    with pytest.raises(requests.ConnectionError):
        write(ccp)
    time.sleep(0.1)
    assert stored(ccp) == []


def test_apply_late_is_called_off_by_a_reset(ccp: Ccp) -> None:
    ccp.sandbox.fault(WRITE, "apply-late", delay=0.1)
    with pytest.raises(requests.ConnectionError):
        write(ccp)
    ccp.sandbox.reset()
    time.sleep(0.2)
    assert stored(ccp) == []


@pytest.mark.parametrize(
    ("sent", "after"), [(["a", "b", "c", "d"], ["a", "b"]), (["a", "b", "c"], ["a"]), (["a"], [])]
)
def test_apply_partly(ccp: Ccp, sent: list[str], after: list[str]) -> None:
    ccp.sandbox.fault(WRITE, "apply-partly")
    answer = write(ccp, *sent)
    assert answer["statuscode"] == 5028
    assert answer["longmessage"].startswith("Can not update (all) DNS records for zone.")
    assert stored(ccp) == after


def test_apply_then_4013(ccp: Ccp) -> None:
    ccp.sandbox.fault(WRITE, "apply-then-4013")
    assert write(ccp)["statuscode"] == 4013
    assert stored(ccp) == ["x"]


@pytest.mark.parametrize(
    ("mode", "status", "after"),
    [("apply-then-html", 200, ["x"]), ("html", 200, []), ("500", 500, []), ("denied", 403, [])],
)
def test_answers_that_are_html(ccp: Ccp, mode: str, status: int, after: list[str]) -> None:
    ccp.sandbox.fault(WRITE, mode)
    response = raw_write(ccp)
    assert response.status_code == status
    assert response.headers["Content-Type"] == "text/html"
    assert response.text.startswith("<html>")
    assert stored(ccp) == after


def test_cut_is_half_an_answer_with_a_right_length(start: Start) -> None:
    ccp = start(compressed="never")
    ccp.sandbox.fault(WRITE, "cut")
    response = raw_write(ccp)
    assert int(response.headers["Content-Length"]) == len(response.content)
    assert response.text.startswith('{"serverrequestid"')
    with pytest.raises(requests.JSONDecodeError):
        response.json()
    assert stored(ccp) == ["x"]


def test_lie_answers_with_what_was_wanted_and_stores_nothing(ccp: Ccp) -> None:
    before = ccp.serial()
    ccp.sandbox.fault(WRITE, "lie")
    answer = write(ccp)
    assert answer["statuscode"] == 2000
    assert values(answer["responsedata"]["dnsrecords"], "new") == ["x"]
    assert stored(ccp) == []
    assert ccp.serial() == before


def test_rival_writes_first(ccp: Ccp) -> None:
    ccp.sandbox.fault(WRITE, "rival")
    assert RIVAL in values(write(ccp)["responsedata"]["dnsrecords"], "@")
    assert stored(ccp) == ["x"]


def test_rival_with_records_of_the_test(ccp: Ccp) -> None:
    """A record with the id of a live one replaces it."""
    spf = next(record for record in ccp.records() if record["destination"] == SPF)
    records = [{**spf, "destination": "v=spf1 -all"}, txt("_dmarc", "v=DMARC1; p=none")]
    ccp.sandbox.fault("infoDnsRecords", "rival", records=records)
    seen = ccp.records()
    assert SPF not in values(seen, "@")
    assert "v=spf1 -all" in values(seen, "@")
    assert values(seen, "_dmarc") == ["v=DMARC1; p=none"]


def test_rival_at_a_login_has_no_zone_to_change(ccp: Ccp) -> None:
    ccp.sandbox.fault("login", "rival")
    assert ccp.login()["statuscode"] == 2000


def test_expire_ends_the_session(ccp: Ccp) -> None:
    ccp.sandbox.fault(WRITE, "expire")
    assert [write(ccp)["statuscode"] for _ in range(2)] == [4001, 4001]
    ccp.login()
    assert write(ccp)["statuscode"] == 2000
    assert stored(ccp) == ["x"]


def test_slow_answers_late_but_well(ccp: Ccp) -> None:
    ccp.sandbox.fault(WRITE, "slow", delay=0.2)
    began = time.monotonic()
    assert write(ccp)["statuscode"] == 2000
    assert time.monotonic() - began >= 0.2


def test_slow_does_not_hold_up_others(ccp: Ccp) -> None:
    ccp.sandbox.fault(WRITE, "slow", delay=60)
    with pytest.raises(requests.Timeout):
        ccp.http.post(
            ccp.sandbox.ccp_endpoint,
            json={"action": WRITE, "param": {"domainname": DOMAIN}},
            timeout=0.1,
        )
    began = time.monotonic()
    assert ccp.login()["statuscode"] == 2000
    assert time.monotonic() - began < 30


@pytest.mark.parametrize(
    ("mode", "text"),
    [("rate-limit", "More than 180 requests per minute."), ("lockout", "Too many error messages")],
)
def test_limits_by_order(ccp: Ccp, mode: str, text: str) -> None:
    ccp.sandbox.fault(WRITE, mode)
    answer = write(ccp)
    assert answer["statuscode"] == 4013
    assert answer["longmessage"].startswith(text)
    assert stored(ccp) == []
    assert write(ccp)["statuscode"] == 2000


def test_times_and_after(ccp: Ccp) -> None:
    ccp.sandbox.fault("infoDnsZone", "rate-limit", times=2, after=1)
    codes = [ccp.call("infoDnsZone", domainname=DOMAIN)["statuscode"] for _ in range(4)]
    assert codes == [2000, 4013, 4013, 2000]


def test_star_hits_any_action_and_others_pass(ccp: Ccp) -> None:
    ccp.sandbox.fault("login", "lockout")
    ccp.sandbox.fault("*", "rate-limit", after=1)
    assert ccp.call("infoDnsZone", domainname=DOMAIN)["statuscode"] == 2000
    assert "Too many" in ccp.login()["longmessage"]
    assert ccp.call("infoDnsZone", domainname=DOMAIN)["statuscode"] == 4013
    assert ccp.sandbox.stats()["faults"] == []


def test_reset_calls_faults_off(ccp: Ccp) -> None:
    ccp.sandbox.fault("*", "drop", times=99)
    ccp.sandbox.reset()
    assert ccp.login()["statuscode"] == 2000


def test_faulty_requests_are_counted(ccp: Ccp) -> None:
    ccp.sandbox.fault(WRITE, "drop")
    with pytest.raises(requests.ConnectionError):
        write(ccp)
    assert ccp.sandbox.stats()["requests"] == {"login": 1, WRITE: 1}


def test_errors_by_order_count_towards_the_lock_out(start: Start) -> None:
    client = start(lockout_after=2)
    client.sandbox.fault(WRITE, "rate-limit", times=2)
    write(client)
    write(client)
    assert "Too many error messages" in write(client)["longmessage"]


def test_apply_then_403_confirms_with_the_status_of_a_refusal(ccp: Ccp) -> None:
    ccp.sandbox.fault(WRITE, "apply-then-403")
    response = raw_write(ccp)
    assert (response.status_code, response.json()["statuscode"]) == (403, 2000)
    assert stored(ccp) == ["x"]


@pytest.mark.parametrize(
    ("mode", "field"), [("other-id", "clientrequestid"), ("other-action", "action")]
)
def test_an_answer_to_another_call(ccp: Ccp, mode: str, field: str) -> None:
    ccp.sandbox.fault("infoDnsZone", mode)
    sent = {"clientrequestid": "Abc123", "domainname": DOMAIN}
    odd, whole = ccp.call("infoDnsZone", **sent), ccp.call("infoDnsZone", **sent)
    assert odd[field] != whole[field]
    assert odd["responsedata"] == whole["responsedata"]


def test_the_second_text_of_a_dead_session(start: Start) -> None:
    """B2 of the update: "Api session not found", with a code that is not known."""
    ccp = start(dead_session="not-found")
    answer = ccp.call("infoDnsZone", domainname=DOMAIN, apisessionid="x")
    assert answer["longmessage"] == "Api session not found"
    assert answer["statuscode"] == 4013


def test_429_asks_to_wait(ccp: Ccp) -> None:
    ccp.sandbox.fault(WRITE, "429", delay=7)
    response = raw_write(ccp)
    assert (response.status_code, response.headers["Retry-After"]) == (429, "7")
    assert stored(ccp) == []


def test_a_bomb_is_small_on_the_way_and_large_unpacked(ccp: Ccp) -> None:
    ccp.sandbox.fault(WRITE, "bomb")
    response = raw_write(ccp)
    assert int(response.headers["Content-Length"]) < 1_000_000
    assert len(response.content) > 40_000_000
    assert response.json()["status"] == "success"
    assert stored(ccp) == ["x"]


def test_an_error_from_before_a_call_was_read_repeats_nothing_of_it(ccp: Ccp) -> None:
    answer = ccp.call("infoDnsZone", domainname="a.b.example.com", clientrequestid="Abc123")
    assert (answer["action"], answer["clientrequestid"]) == ("", "")
    answer = ccp.call("infoDnsZone", domainname="foreign.de", clientrequestid="Abc123")
    assert (answer["action"], answer["clientrequestid"]) == ("infoDnsZone", "Abc123")


def test_what_cannot_be_read_is_no_call_that_a_fault_strikes(ccp: Ccp) -> None:
    ccp.sandbox.fault("*", "500")
    answer = ccp.http.post(ccp.sandbox.ccp_endpoint, data="{", timeout=5)
    assert (answer.status_code, answer.json()["statuscode"]) == (200, 4013)
    assert len(ccp.sandbox.stats()["faults"]) == 1
    assert ccp.send(WRITE, {}).status_code == 500
