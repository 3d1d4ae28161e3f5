"""The CCP back end against the sandbox, and against answers that only a test can make."""

from __future__ import annotations

import json
import math
import re
import time
from email.utils import formatdate
from typing import Any, Literal

import pytest
import requests
import responses
from pydantic import SecretStr

from netcup_mailauth.errors import (
    ApiError,
    ExitCode,
    MailauthError,
    TransportError,
    WaitError,
    WriteNotProcessedError,
    ZoneError,
)
from netcup_mailauth.kinds import of_kind
from netcup_mailauth.netcup import CCP_ADDRESS, api, ccp
from netcup_mailauth.netcup.http import HttpClient
from netcup_mailauth.plan import Action, Change, Place, compute
from netcup_mailauth.records import DesiredRecord, DnsRecord, Kind, Zone
from netcup_mailauth.sandbox import Quirks, Sandbox
from netcup_mailauth.state.holds import Reason
from tests.canaries import leaks
from tests.notes import Notes
from tests.story.answering import echoing
from tests.worlds import account, backend_of, requests_of

DMARC = DesiredRecord(Kind.DMARC, "_dmarc", "v=DMARC1;p=none")
PLACE = Place("example.com", "example.com", "ccp")
ZONE = Zone("example.com", "ccp", ())
CREATE = Change(
    Action.CREATE, Kind.DMARC, None, DnsRecord(None, "_dmarc", "TXT", "v=DMARC1;p=none")
)


def test_a_zone_is_read_as_the_program_knows_it() -> None:
    wire = [
        {**RECORD, "id": "7", "type": "txt", "destination": '"v=spf1 mx" " -all"'},
        {**RECORD, "id": "8", "hostname": "WWW", "type": "A", "destination": "192.0.2.1"},
        {**RECORD, "id": "9", "hostname": "Mail.Example.com.", "type": "MX", "priority": 10},
        {**RECORD, "id": "10", "hostname": "example.com."},
    ]
    records = answer(responsedata={"dnsrecords": wire})
    with scripted(LOGIN, records, LOGOUT), reader() as backend:
        spf, www, mail, apex = backend.zone("example.com").records
    assert (spf.type, spf.destination, spf.raw) == ("TXT", "v=spf1 mx -all", '"v=spf1 mx" " -all"')
    assert www.hostname == "www"
    assert (mail.hostname, mail.priority) == ("mail", "10")
    assert (apex.hostname, apex.raw) == ("@", None)


@pytest.mark.parametrize("empty", ["string", "null", "list"])
def test_an_error_is_understood_whatever_stands_for_empty_data(
    empty: Literal["string", "null", "list"],
) -> None:
    quirks = Quirks(empty_responsedata=empty)
    with account(quirks=quirks) as (_, backend), pytest.raises(ZoneError):
        backend.zone("foreign.com")


def test_one_login_and_one_connection_serve_a_run_and_the_session_is_ended() -> None:
    domains = [f"example-{number}.de" for number in range(3)]
    with account(*domains) as (sandbox, backend):
        for domain in domains:
            backend.zone(domain)
        backend.__exit__(None, None, None)
        assert requests_of(sandbox) == {"login": 1, "infoDnsRecords": 3, "logout": 1}
        assert sandbox.stats()["connections"] == 1


def test_a_run_that_asks_nothing_does_not_log_in() -> None:
    with account() as (sandbox, backend):
        backend.__exit__(None, None, None)
        assert requests_of(sandbox) == {}


def test_a_session_that_died_is_renewed_once_for_a_read() -> None:
    with account() as (sandbox, backend):
        backend.zone("example.com")
        sandbox.fault("infoDnsRecords", "expire")
        assert backend.zone("example.com").records
        assert requests_of(sandbox)["login"] == 2


def test_a_session_that_dies_at_once_again_is_an_error_and_no_loop() -> None:
    with account() as (sandbox, backend):
        sandbox.fault("infoDnsRecords", "expire", times=5)
        with pytest.raises(ApiError, match="right after a new login"):
            backend.zone("example.com")
        assert requests_of(sandbox)["login"] == 2


def test_a_dead_session_at_a_write_is_reported_and_the_write_not_repeated() -> None:
    with account() as (sandbox, backend):
        backend.zone("example.com")
        sandbox.fault("updateDnsRecords", "expire")
        with pytest.raises(WriteNotProcessedError):
            backend.apply(ZONE, [CREATE])
        assert requests_of(sandbox)["updateDnsRecords"] == 1


def test_a_write_answers_with_the_zone_after_it_and_keeps_the_ids_of_updates() -> None:
    with account() as (sandbox, backend):
        zone = backend.zone("example.com")
        change_set = compute(PLACE, zone, [DMARC, DesiredRecord(Kind.SPF, "@", "v=spf1 mx -all")])
        after = backend.apply(ZONE, change_set.changes)
        assert [r.destination for r in of_kind(after, Kind.SPF, "@")] == ["v=spf1 mx -all"]
        assert of_kind(after, Kind.SPF, "@")[0].id == of_kind(zone, Kind.SPF, "@")[0].id
        assert requests_of(sandbox)["updateDnsRecords"] == 1


def test_a_delete_is_sent_with_every_field_because_netcup_may_want_them() -> None:
    with account() as (_, backend):
        (spf,) = of_kind(backend.zone("example.com"), Kind.SPF, "@")
        after = backend.apply(ZONE, [Change(Action.DELETE, Kind.SPF, spf, None)])
        assert of_kind(after, Kind.SPF, "@") == ()


@pytest.mark.parametrize("mode", ["drop", "apply-then-drop", "500", "html", "cut"])
def test_a_write_is_sent_once_whatever_comes_of_it(mode: str) -> None:
    with account() as (sandbox, backend):
        backend.zone("example.com")
        sandbox.fault("updateDnsRecords", mode)
        with pytest.raises(TransportError) as caught:
            backend.apply(ZONE, [CREATE])
        assert caught.value.sent
        assert requests_of(sandbox)["updateDnsRecords"] == 1


@pytest.mark.parametrize("mode", ["rate-limit", "lockout"])
def test_4013_is_never_repeated_and_ends_the_run(mode: str) -> None:
    with account() as (sandbox, backend):
        sandbox.fault("infoDnsRecords", mode)
        with pytest.raises(WaitError) as caught:
            backend.zone("example.com")
        assert caught.value.ends_run
        assert requests_of(sandbox)["infoDnsRecords"] == 1


def test_a_foreign_zone_and_a_name_below_a_zone_are_told_apart() -> None:
    with account() as (_, backend):
        with pytest.raises(ZoneError, match="does not serve the zone foreign"):
            backend.zone("foreign.com")
        with pytest.raises(ZoneError, match="does not accept"):
            backend.zone("a.b.example.com")


def test_an_empty_zone_is_empty_only_after_a_second_question() -> None:
    with account(zones={"example.com": []}) as (sandbox, backend):
        assert backend.zone("example.com").records == ()
        assert requests_of(sandbox)["infoDnsZone"] == 1


def test_many_errors_end_the_run_before_netcup_locks_the_account() -> None:
    with account(quirks=Quirks(lockout_after=None)) as (_, backend):
        for _ in range(api.ERRORS_ALLOWED - 1):
            with pytest.raises(ZoneError):
                backend.zone("foreign.com")
        with pytest.raises(WaitError, match="10 calls of this run"):
            backend.zone("foreign.com")


def test_a_logout_that_fails_hides_nothing() -> None:
    with Sandbox() as sandbox, backend_of(sandbox) as backend:
        backend.zone("example.com")
        sandbox.fault("logout", "500")
    with Sandbox() as sandbox:
        sandbox.fault("logout", "drop")
        with pytest.raises(ZoneError), backend_of(sandbox) as backend:
            backend.zone("foreign.com")


def test_the_account_is_named_by_a_digest_and_no_secret_shows() -> None:
    with Sandbox() as sandbox:
        backend = backend_of(sandbox)
        secrets = [sandbox.env["NETCUP_API_KEY"], sandbox.env["NETCUP_API_PASSWORD"]]
        assert len(backend.account) == 12
        shown = repr(vars(backend))
        assert not any(secret in shown for secret in secrets if secret)


def answer(**changes: Any) -> dict[str, Any]:
    return {
        "serverrequestid": "",
        "status": "success",
        "statuscode": 2000,
        "shortmessage": "",
        "longmessage": None,
        "responsedata": "",
        **changes,
    }


LOGIN = answer(responsedata={"apisessionid": "SESSION"})
LOGOUT = answer()
RECORD = {
    "id": 7,
    "hostname": "@",
    "type": "TXT",
    "priority": None,
    "destination": "v=spf1 -all",
    "deleterecord": False,
    "state": "yes",
}


def scripted(*bodies: Any, fired: bool = True, status: int = 200) -> responses.RequestsMock:
    """netcup's answers in turn, all but the first with this HTTP status."""
    mock = responses.RequestsMock(assert_all_requests_are_fired=fired)
    for number, body in enumerate(bodies):
        mock.add_callback(responses.POST, CCP_ADDRESS, saying(body, status if number else 200))
    return mock


def saying(body: Any, status: int = 200) -> Any:
    """What answers with this JSON, repeating the call's action and id unless it says others."""

    def answered(request: Any) -> tuple[int, dict[str, str], bytes]:
        return status, {}, echoing(json.dumps(body).encode(), request.body)

    return answered


def reader() -> ccp.CcpBackend:
    return ccp.CcpBackend("12345", SecretStr("KEY"), SecretStr("PASSWORD"))


def test_the_envelope_is_what_netcup_documents() -> None:
    records = answer(responsedata={"dnsrecords": [RECORD]})
    with scripted(LOGIN, records, LOGOUT) as mock, reader() as backend:
        (record,) = backend.zone("example.com").records
        sent = [json.loads(call.request.body or "") for call in mock.calls]
    assert (record.id, record.priority) == ("7", "0")
    ids = [call["param"].pop("clientrequestid") for call in sent]
    assert len(set(ids)) == len(sent) == 2
    assert all(re.fullmatch(r"[A-Za-z0-9]{16,64}", text) for text in ids)  # fact 1.3
    assert sent[0] == {
        "action": "login",
        "param": {"apipassword": "PASSWORD", "customernumber": "12345", "apikey": "KEY"},
    }
    assert sent[1]["param"] == {
        "domainname": "example.com",
        "apisessionid": "SESSION",
        "customernumber": "12345",
        "apikey": "KEY",
    }


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("", "dnsrecords"),
        ({"dnsrecords": [{**RECORD, "id": "seven"}]}, "dnsrecords.0.id"),
        ({"dnsrecords": [RECORD, {**RECORD, "destination": "x"}]}, "two records"),
        ({"dnsrecords": "none"}, "dnsrecords"),
        ({"dnsrecords": [{**RECORD, "hostname": 1.10}]}, "dnsrecords.0.hostname"),
        ({"dnsrecords": [{**RECORD, "priority": 10.0}]}, "dnsrecords.0.priority"),
        ({"dnsrecords": [{**RECORD, "destination": math.nan}]}, "dnsrecords.0.destination"),
        ({"dnsrecords": [{**RECORD, "destination": True}]}, "dnsrecords.0.destination"),
    ],
    ids=[
        *("no-data", "id-no-number", "one-id-twice", "no-list"),
        *("cut-to-1.1", "no-whole-number", "not-a-number", "a-truth"),
    ],
)
def test_data_that_is_not_as_documented_is_an_error_naming_the_place(data: Any, words: str) -> None:
    script = scripted(LOGIN, answer(responsedata=data), LOGOUT)
    with script, reader() as backend, pytest.raises(ApiError, match=words):
        backend.zone("example.com")


@pytest.mark.parametrize("body", [[], "text", {"status": "success"}, {**LOGIN, "statuscode": "x"}])
def test_json_that_is_no_envelope_is_an_error_without_its_content(body: Any) -> None:
    with scripted(body), reader() as backend, pytest.raises(TransportError, match="unknown shape"):
        backend.zone("example.com")


@pytest.mark.parametrize("status", ["warning", "pending", "started"])
def test_a_write_answered_with_less_than_success_is_no_success(status: str) -> None:
    unsure = answer(status=status, statuscode=2002, responsedata={"dnsrecords": [RECORD]})
    with scripted(LOGIN, answer(responsedata={"dnsrecords": [RECORD]}), unsure, LOGOUT):  # noqa: SIM117
        with reader() as backend:
            backend.zone("example.com")
            with pytest.raises(MailauthError) as caught:
                backend.apply(ZONE, [CREATE])
    assert caught.value.exit_code is ExitCode.ERROR


# --- Whose answer it is ---------------------------------------------------------------------------

OTHERS: list[dict[str, Any]] = [
    {"clientrequestid": "0" * 32},
    {"action": "infoDnsZone"},
    {"clientrequestid": "0" * 32, "action": "logout"},
]
EMPTY: list[dict[str, Any]] = [
    {"clientrequestid": "", "action": ""},
    {"clientrequestid": None, "action": None},
    {"clientrequestid": ""},
    {"action": ""},
    {"action": "undefined"},
]
GOOD = answer(responsedata={"dnsrecords": [RECORD]})
DEAD = answer(status="error", statuscode=4001)
SORTS = [GOOD, DEAD, answer(status="error", statuscode=5029, longmessage="no records")]
LOCKED = answer(status="error", statuscode=4013, longmessage="Too many error messages, please")


@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize("body", [*SORTS, LOCKED])
def test_an_answer_to_another_call_is_none(body: Any, other: Any) -> None:
    """One answer behind, a zone would be planned from the records of another one."""
    script = scripted(LOGIN, {**body, **other}, LOGOUT)
    with script, reader() as backend, pytest.raises(TransportError, match="not that to this call"):
        backend.zone("example.com")


@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize("body", [*SORTS, LOCKED])
def test_a_write_with_an_answer_to_another_call_has_an_unknown_outcome(
    body: Any, other: Any
) -> None:
    with scripted(LOGIN, {**body, **other}, LOGOUT), reader() as backend:
        with pytest.raises(TransportError) as caught:
            backend.apply(ZONE, [CREATE])
        assert caught.value.sent
        assert not isinstance(caught.value, WriteNotProcessedError)


@pytest.mark.parametrize("empty", EMPTY)
def test_a_success_that_does_not_say_to_what_is_none(empty: Any) -> None:
    script = scripted(LOGIN, {**GOOD, **empty}, LOGOUT)
    with script, reader() as backend, pytest.raises(TransportError, match="not that to this call"):
        backend.zone("example.com")


@pytest.mark.parametrize("empty", EMPTY)
def test_an_error_from_before_the_call_was_read_is_that_error(empty: Any) -> None:
    script = scripted(LOGIN, {**LOCKED, **empty}, LOGOUT)
    with script, reader() as backend, pytest.raises(WaitError, match="locked this account"):
        backend.zone("example.com")


def test_after_an_answer_to_another_call_no_connection_is_used_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    closed: list[HttpClient] = []
    monkeypatch.setattr(HttpClient, "close", lambda client: closed.append(client))
    with scripted(LOGIN, {**GOOD, **OTHERS[0]}):
        backend = reader()
        with pytest.raises(TransportError):
            backend.zone("example.com")
        assert closed == [backend._http]


@pytest.mark.parametrize("hostname", ["www.other.de.", "other.de.", "notexample.com.", "com."])
def test_a_listing_with_a_name_outside_the_zone_is_of_another_zone(hostname: str) -> None:
    records = answer(
        responsedata={"dnsrecords": [RECORD, {**RECORD, "id": 8, "hostname": hostname}]}
    )
    with scripted(LOGIN, records, LOGOUT), reader() as backend, pytest.raises(ApiError) as caught:
        backend.zone("example.com")
    assert f"'{hostname}'" in caught.value.what
    assert "another zone" in caught.value.what


@pytest.mark.parametrize("name", ["other.de", "www.example.com", "", None])
def test_an_empty_zone_is_empty_only_if_the_second_answer_is_about_it(name: Any) -> None:
    facts = {"name": name, "ttl": "86400", "serial": "1", "dnssecstatus": False}
    script = scripted(LOGIN, SORTS[2], answer(responsedata=facts), LOGOUT)
    with script, reader() as backend, pytest.raises(ApiError):
        backend.zone("example.com")


# --- HTTP statuses, and words that belong to no code ----------------------------------------------


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422, 429])
def test_a_success_with_the_http_status_of_an_error_is_none(status: int) -> None:
    with scripted(LOGIN, GOOD, GOOD, GOOD, status=status), reader() as backend:
        with pytest.raises(TransportError, match=f"HTTP {status}, and a success") as caught:
            backend.zone("example.com")
        assert (caught.value.sent, caught.value.passing) == (True, False)
        with pytest.raises(TransportError, match=f"HTTP {status}, and a success") as caught:
            backend.apply(ZONE, [CREATE])
        assert caught.value.sent


TOO_MANY: list[dict[str, Any]] = [
    {"body": b"<html>429</html>"},
    {"body": b""},
    {"json": {"error": "slow down"}},
    {"json": ["429"]},
]


@pytest.mark.parametrize("body", TOO_MANY)
@pytest.mark.parametrize(
    ("asked", "advice"),
    [
        ("7", "Wait 7 s, as"),
        (None, "a few minutes"),
        ("soon", "a few minutes"),
        ("9" * 9, "a few m"),
    ],
)
def test_429_means_to_wait_and_is_not_sent_again(
    body: dict[str, Any], asked: str | None, advice: str
) -> None:
    notes = Notes()
    headers = {"Retry-After": asked} if asked else {}
    with responses.RequestsMock() as mock:
        mock.post(CCP_ADDRESS, status=429, headers=headers, **body)
        backend = reader()
        backend._trial._hold = notes
        for _ in range(2):
            with pytest.raises(WaitError, match=r"limit of requests .+ \(HTTP 429") as caught:
                backend.log_in()
            assert advice in caught.value.advice
        assert len(mock.calls) == 1, "no other job tries it either"
    assert not {Reason.REFUSED, Reason.LOCKED_OUT} & set(notes.told)


def test_a_date_to_wait_until_is_told_in_seconds() -> None:
    until = formatdate(time.time() + 90, usegmt=True)
    with responses.RequestsMock() as mock:
        mock.post(CCP_ADDRESS, status=429, headers={"Retry-After": until}, body=b"")
        with pytest.raises(WaitError) as caught:
            reader().log_in()
    assert re.search(r"Wait (8[0-9]|90) s, as", caught.value.advice)


@pytest.mark.parametrize("action", ["infoDnsRecords", "updateDnsRecords"])
def test_429_ends_a_run_that_has_logged_in_too(action: str) -> None:
    with account() as (sandbox, backend):
        zone = backend.zone("example.com")
        sandbox.fault(action, "429", delay=3)
        with pytest.raises(WaitError, match="HTTP 429") as caught:
            backend.apply(zone, [CREATE]) if action[0] == "u" else backend.zone("example.com")
        assert "Wait 3 s" in caught.value.advice
        assert requests_of(sandbox)[action] <= 2


def test_a_lock_out_is_one_by_whatever_status() -> None:
    notes = Notes()
    locked = answer(status="error", statuscode=4013, longmessage="Too many error messages, x")
    with scripted(locked, status=429), reader() as backend:
        backend._trial._hold = notes
        with pytest.raises(WaitError, match="locked"):
            backend.log_in()
    assert Reason.LOCKED_OUT in notes.told


@pytest.mark.parametrize("query", ["", "?json", "?JSONP"])
def test_an_address_that_does_not_ask_for_json_is_told_from_its_silence(query: str) -> None:
    with Sandbox() as sandbox:
        url = sandbox.ccp_endpoint.removesuffix("?JSON") + query
        backend = backend_of(sandbox)
        backend._http.url = backend.endpoint = url
        with pytest.raises(TransportError, match="answered with nothing") as caught:
            backend.log_in()
    assert "ends in ?JSON" in caught.value.advice


@pytest.mark.parametrize("mode", ["read", "write"])
def test_an_answer_that_swells_when_it_is_unpacked_is_cut_off(mode: str) -> None:
    with account() as (sandbox, backend):
        zone = backend.zone("example.com")
        sandbox.fault("infoDnsRecords" if mode == "read" else "updateDnsRecords", "bomb")
        with pytest.raises(TransportError, match="without end") as caught:
            backend.zone("example.com") if mode == "read" else backend.apply(zone, [CREATE])
        assert (caught.value.sent, caught.value.passing) == (True, False)


@pytest.mark.parametrize("code", [4013, 4001, 5029, 0, 1999, 3000])
def test_a_success_with_the_code_of_an_error_is_none(code: int) -> None:
    notes = Notes()
    odd = {**GOOD, "statuscode": code, "longmessage": "Customer account not found."}
    with scripted(LOGIN, odd, odd, LOGOUT), reader() as backend:
        backend._trial._hold = notes
        with pytest.raises(ApiError, match=f"success {code}"):
            backend.zone("example.com")
        with pytest.raises(ApiError, match=f"success {code}") as caught:
            backend.apply(ZONE, [CREATE])
        assert not isinstance(caught.value, WriteNotProcessedError)
    assert Reason.REFUSED not in notes.told


@pytest.mark.parametrize("code", [4001, 4004, 4013, 5000])
@pytest.mark.parametrize("field", ["shortmessage", "longmessage"])
def test_a_dead_session_is_known_by_its_words_too(code: int, field: str) -> None:
    dead = answer(status="error", statuscode=code, **{field: "Api session not found"})
    with scripted(LOGIN, dead, LOGIN, GOOD, LOGOUT), reader() as backend:
        assert backend.zone("example.com").records
    with scripted(LOGIN, dead), reader() as backend, pytest.raises(WriteNotProcessedError):
        backend.apply(ZONE, [CREATE])
    with scripted(LOGIN, dead, LOGIN, dead), reader() as backend:  # noqa: SIM117
        with pytest.raises(ApiError, match="right after a new login"):
            backend.zone("example.com")


BETWEEN: list[dict[str, Any]] = [
    {"body": b"<html>denied</html>"},
    {"body": b""},
    {"json": {"error": "Forbidden"}},
    {"json": {"message": "Customer account not found."}},
    {"json": {"status": 403, "message": "Customer account not found."}},
    {"json": {"status": "error", "message": "Customer account not found."}},
    {"json": {"success": False, "errors": [{"code": 1020, "message": "Access denied"}]}},
    {"json": ["Customer account not found."]},
]


@pytest.mark.parametrize("status", [401, 403, 407])
@pytest.mark.parametrize("page", BETWEEN)
def test_a_page_of_something_in_between_is_no_refusal(page: dict[str, Any], status: int) -> None:
    """A firewall's 403 would otherwise hold a good key back for a quarter of an hour and more."""
    notes = Notes()
    with responses.RequestsMock() as mock:
        mock.post(CCP_ADDRESS, status=status, **page)
        backend = reader()
        backend._trial._hold = notes
        with pytest.raises(TransportError) as caught:
            backend.log_in()
        assert len(mock.calls) == 1
    assert caught.value.sent
    assert notes.told == ["asked"]


def test_a_write_that_never_left_is_told_apart() -> None:
    with Sandbox() as sandbox:
        backend = backend_of(sandbox)
        backend.zone("example.com")
        backend._http.close()
    with pytest.raises(WriteNotProcessedError, match="No connection"):
        backend.apply(ZONE, [CREATE])


def test_each_call_is_traced_without_secrets() -> None:
    lines: list[str] = []
    with Sandbox() as sandbox:
        backend = backend_of(sandbox)
        backend._trace = lines.append
        with backend:
            backend.zone("example.com")
        assert lines[1].startswith("netcup: infoDnsRecords example.com: 2000 success")
        env = sandbox.env
    secrets = (env["NETCUP_API_KEY"], env["NETCUP_API_PASSWORD"], env["NETCUP_CUSTOMER_NUMBER"])
    assert not any(secret in line for line in lines for secret in secrets if secret)


# --- Credentials that were refused, and secrets ---------------------------------------------------


def _read_and_write(backend: ccp.CcpBackend) -> None:
    backend.zone("example.com")
    backend.apply(ZONE, [CREATE])


@pytest.mark.parametrize("action", ["login", "infoDnsRecords", "updateDnsRecords"])
@pytest.mark.parametrize(("mode", "held"), [("lockout", True), ("rate-limit", False)])
def test_a_lock_out_is_noted_wherever_it_comes_and_a_rate_limit_never(
    action: str, mode: str, held: bool
) -> None:
    """A rate limit is over within a minute; a hold would stop a timer for a quarter of an hour."""
    notes = Notes()
    with account() as (sandbox, backend):
        backend._trial._hold = notes
        sandbox.fault(action, mode)
        with pytest.raises(WaitError):
            _read_and_write(backend)
    assert (Reason.LOCKED_OUT in notes.told) is held


def test_a_lock_out_at_the_second_question_about_an_empty_zone_is_noted() -> None:
    notes = Notes()
    with account(zones={"example.com": []}) as (sandbox, backend):
        backend._trial._hold = notes
        sandbox.fault("infoDnsZone", "lockout")
        with pytest.raises(WaitError):
            backend.zone("example.com")
    assert notes.told[-1] == Reason.LOCKED_OUT


def test_a_zone_that_is_not_there_is_no_reason_to_hold() -> None:
    notes = Notes()
    with account(quirks=Quirks(lockout_after=None)) as (_, backend):
        backend._trial._hold = notes
        for _ in range(api.ERRORS_ALLOWED):
            with pytest.raises(MailauthError):
                backend.zone("foreign.com")
    assert notes.told == ["asked", "lifted"]


CANARIES = {"customer_number": "4711081500", "api_key": "C4n4ry-key", "api_password": "C4n4ry-pw"}
SESSION = "C4n4ry-session"
SECRETS = [*CANARIES.values(), SESSION]


def canary_backend(lines: list[str]) -> ccp.CcpBackend:
    key, password = SecretStr(CANARIES["api_key"]), SecretStr(CANARIES["api_password"])
    return ccp.CcpBackend(
        CANARIES["customer_number"],
        key,
        password,
        trace=lines.append,
        sleep=lambda _: None,
    )


MANY = "Too many error messages, please check your commands."
ECHO = f"You sent {' and '.join(SECRETS)}."
ECHO_BEFORE = f"You sent {' and '.join(CANARIES.values())}."
CANARY_LOGIN = answer(responsedata={"apisessionid": SESSION}, longmessage=ECHO_BEFORE)
ODD: dict[str, list[Any]] = {
    "no envelope": [{"apisessionid": SESSION}],
    "no session": [answer(responsedata={"apisessionid": [SESSION]})],
    "refused": [answer(status="error", statuscode=4013, longmessage=ECHO_BEFORE)],
    "locked out": [answer(status="error", statuscode=4013, longmessage=f"{MANY} {ECHO_BEFORE}")],
    "unknown code": [CANARY_LOGIN, answer(status="error", statuscode=1, shortmessage=ECHO)],
    "no zone": [CANARY_LOGIN, answer(status="error", statuscode=5031, longmessage=ECHO)],
    "no records": [CANARY_LOGIN, answer(responsedata={"dnsrecords": [{"id": SESSION}]})],
    "one id twice": [CANARY_LOGIN, answer(responsedata={"dnsrecords": [RECORD, RECORD]})],
    "session dead": [CANARY_LOGIN, answer(status="error", statuscode=4001, longmessage=ECHO)] * 2,
}


@pytest.mark.parametrize("script", list(ODD))
def test_no_error_holds_a_secret_anywhere_even_if_netcup_repeats_it(script: str) -> None:
    """Not in its text, and not in what Python hangs on it: an error is logged, or sent on."""
    lines: list[str] = []
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        for body in [*ODD[script], LOGOUT]:
            mock.add_callback(responses.POST, CCP_ADDRESS, saying(body))
        with canary_backend(lines) as backend, pytest.raises(MailauthError) as caught:
            backend.zone("example.com")
    assert leaks(caught.value, SECRETS) == []
    assert not any(secret in line for line in lines for secret in SECRETS)
    assert not any(secret in repr(vars(backend)) for secret in SECRETS)


@pytest.mark.parametrize("write", [False, True])
@pytest.mark.parametrize(
    "mishap",
    [
        {"body": b"<html>C4n4ry-session"},
        {"body": b'{"apisessionid":"C4n4ry-session"'},
        {"status": 500, "body": b"C4n4ry-session"},
        {"status": 302, "headers": {"Location": "https://x.example/C4n4ry-session"}},
        {"body": ConnectionResetError("C4n4ry-session")},
        {"body": requests.exceptions.ReadTimeout()},
        {"body": requests.exceptions.SSLError()},
        {"body": requests.exceptions.ProxyError()},
    ],
)
def test_no_fault_of_the_line_holds_the_request(mishap: dict[str, Any], write: bool) -> None:
    """An exception of requests carries the request, with every key in it."""
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.add_callback(responses.POST, CCP_ADDRESS, saying(CANARY_LOGIN))
        mock.post(CCP_ADDRESS, **mishap)
        backend = canary_backend([])
        with pytest.raises(ApiError) as caught:
            backend.apply(ZONE, [CREATE]) if write else backend.zone("example.com")
    assert leaks(caught.value, SECRETS) == []
