"""The REST back end against answers as the fact sheet has them, and as nobody has seen them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import requests
import responses
from pydantic import SecretStr
from responses import matchers

from netcup_mailauth.errors import (
    ApiError,
    CredentialsError,
    MailauthError,
    TransportError,
    UnverifiedError,
    WaitError,
    WriteNotProcessedError,
    ZoneError,
)
from netcup_mailauth.kinds import of_kind
from netcup_mailauth.netcup import clouddns
from netcup_mailauth.netcup.api import ERRORS_ALLOWED, Budget
from netcup_mailauth.plan import Action, Change
from netcup_mailauth.records import DnsRecord, Kind
from netcup_mailauth.state.holds import Reason
from tests.canaries import leaks
from tests.notes import Notes

if TYPE_CHECKING:
    from collections.abc import Iterator

API = "https://api.netcup.com/v1"
KEY = "C4n4ry5ecret" + "k" * 52
NAME = "example.com"
REVISIONS = f"{API}/domain/7/dns/revision"
CHANGESET = f"{API}/domain/7/changeset"

BAD_KEY = "Authentication token is not valid or has expired."
NO_RESULTS = "No results found, the page number may be too high."


def envelope(result: Any, **meta: int) -> dict[str, Any]:
    pagination = {"page": 1, "perPage": 100, "totalEntries": 1, "lastPage": 1, **meta}
    return {
        "success": True,
        "errors": [],
        "messages": [],
        "meta": {"pagination": pagination} if meta else None,
        "result": result,
    }


def failure(code: str, message: str) -> dict[str, Any]:
    fault = {"code": code, "message": message}
    return {"success": False, "errors": [fault], "messages": [], "meta": None, "result": None}


def domain(managed: bool = True, fqdn: str = NAME) -> dict[str, Any]:
    return envelope([{"id": 7, "fqdn": fqdn, "isDnsManaged": managed}])


def revision(identifier: str, serial: int, state: str = "committed") -> dict[str, Any]:
    created = f"2026-10-01T10:00:{serial:02}Z"
    return {"identifier": identifier, "serial": serial, "state": state, "createdAt": created}


def txt(name: str, rdata: str, ttl: int = 3600) -> dict[str, Any]:
    return {
        "identifier": f"{name}{ttl}",
        "name": name,
        "type": "TXT",
        "rdata": rdata,
        "ttl": ttl,
        "immutable": None,
    }


OLD, NEW = revision("rev1", 1), revision("rev2", 2)
SPF = txt("@", '"v=spf1 mx ~all"', 300)
CREATE = Change(
    Action.CREATE, Kind.DMARC, None, DnsRecord(None, "_dmarc", "TXT", "v=DMARC1;p=none", ttl=3600)
)
DMARC = txt("_dmarc", '"v=DMARC1;p=none"')


@pytest.fixture
def api() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=True) as mock:
        yield mock


class Slept(list[float]):
    """The pauses that were made."""


@pytest.fixture
def slept() -> Slept:
    return Slept()


@pytest.fixture
def notes() -> Notes:
    return Notes()


@pytest.fixture
def backend(slept: Slept, notes: Notes) -> Iterator[clouddns.CloudDnsBackend]:
    key = SecretStr(KEY)
    with clouddns.CloudDnsBackend(key, hold=notes, sleep=slept.append) as made:
        yield made


def says_domain(api: responses.RequestsMock, body: Any = None, **fields: Any) -> None:
    match = [matchers.query_param_matcher({"fqdn": NAME})]
    api.get(f"{API}/domain", json=body or domain(), match=match, **fields)


def says_revisions(api: responses.RequestsMock, *revisions: Any) -> None:
    match = [matchers.query_param_matcher({"page": 1, "perPage": 100})]
    api.get(REVISIONS, json=envelope(list(revisions), totalEntries=len(revisions)), match=match)


def says_records(api: responses.RequestsMock, of: str, *records: Any) -> None:
    match = [matchers.query_param_matcher({"page": 1, "perPage": 100})]
    body = envelope(list(records), totalEntries=len(records))
    api.get(f"{REVISIONS}/{of}/record", json=body, match=match)


def says_zone(api: responses.RequestsMock, *records: Any) -> None:
    says_domain(api)
    says_revisions(api, OLD)
    says_records(api, "rev1", *records)


# --- Reading --------------------------------------------------------------------------------------


def test_a_zone_is_read_with_three_requests_and_the_key(
    api: responses.RequestsMock, backend: clouddns.CloudDnsBackend
) -> None:
    mx = {**txt("@", "10 mail.example.com."), "type": "MX"}
    own = {**txt("@", "root-dns.netcup.net."), "type": "NS", "immutable": True}
    says_zone(api, SPF, mx, own)
    zone = backend.zone(NAME)
    assert (zone.name, zone.backend, zone.revision, zone.draft) == (NAME, "clouddns", "rev1", None)
    assert zone.records == (
        DnsRecord("@300", "@", "TXT", "v=spf1 mx ~all", ttl=300),
        DnsRecord("@3600", "@", "MX", "mail.example.com", "10", 3600),
        DnsRecord("@3600", "@", "NS", "root-dns.netcup.net", ttl=3600, immutable=True),
    )
    assert len(api.calls) == 3
    for call in api.calls:
        assert call.request.headers["Authorization"] == f"Bearer {KEY}"


def test_a_zone_that_moves_during_a_run_is_noticed_at_the_next_read(
    api: responses.RequestsMock, backend: clouddns.CloudDnsBackend
) -> None:
    says_domain(api)
    entry = backend.lookup(NAME)
    assert entry is not None
    assert entry.is_dns_managed
    api.remove("GET", f"{API}/domain")
    says_domain(api, domain(managed=False))
    with pytest.raises(ZoneError, match="CloudDNS"):
        backend.zone(NAME)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (failure("resourceDoesNotExist", NO_RESULTS), 404),
        (envelope([]), 200),
        (envelope(None), 200),
        (domain(fqdn="other.example"), 200),
    ],
    ids=["404", "empty", "null", "another"],
)
def test_a_domain_of_another_account_is_a_harmless_miss(
    api: responses.RequestsMock, backend: clouddns.CloudDnsBackend, body: Any, status: int
) -> None:
    says_domain(api, body, status=status)
    assert backend.lookup(NAME) is None
    for _ in range(ERRORS_ALLOWED + 1):
        with pytest.raises(ZoneError, match=r"does not know the domain example\.com"):
            backend.zone(NAME)


@pytest.mark.parametrize("fqdn", ["Example.COM", "example.com."])
def test_a_domain_is_found_however_it_is_spelt(
    api: responses.RequestsMock, backend: clouddns.CloudDnsBackend, fqdn: str
) -> None:
    says_domain(api, domain(fqdn=fqdn))
    assert backend.lookup(NAME) is not None


def test_a_domain_that_is_not_on_clouddns_is_told_as_such(
    api: responses.RequestsMock, backend: clouddns.CloudDnsBackend
) -> None:
    says_domain(api, domain(managed=False))
    entry = backend.lookup(NAME)
    assert entry is not None
    assert not entry.is_dns_managed
    with pytest.raises(ZoneError, match="not on CloudDNS") as caught:
        backend.zone(NAME)
    assert "Legacy-API-Keys" in caught.value.advice


def test_a_name_that_cannot_be_a_domain_is_a_zone_error(
    api: responses.RequestsMock, backend: clouddns.CloudDnsBackend
) -> None:
    says_domain(
        api, failure("validationError", "Domain name is not a valid domain name."), status=400
    )
    with pytest.raises(ZoneError, match="not a valid domain name"):
        backend.lookup(NAME)


@pytest.mark.parametrize("words", [NO_RESULTS, "No result was found.", ""])
def test_a_zone_whose_records_are_not_there_is_not_empty(
    api: responses.RequestsMock, backend: clouddns.CloudDnsBackend, words: str
) -> None:
    """A zone that has just gone must never read as one where everything is to be created.

    The words are generic, the same for a list without entries; any zone has a SOA at least.
    """
    says_domain(api)
    says_revisions(api, OLD)
    missing = f"{REVISIONS}/rev1/record"
    api.get(missing, json=failure("resourceDoesNotExist", words), status=404)
    with pytest.raises(ZoneError, match=r"does not have the records of example\.com"):
        backend.zone(NAME)


SOA = {**txt("", "root-dns.netcup.net. x. 7 1 1 1 1"), "type": "SOA"}


@pytest.mark.parametrize(
    "rows",
    [
        [txt("@", '"x"'), txt("www.other.de.", '"x"')],
        [txt("other.de.", '"x"')],
        [txt("notexample.com.", '"x"')],
        [{**SOA, "name": "other.de"}, txt("other.de", '"x"'), txt("_dmarc.other.de", '"x"')],
        [{**SOA, "name": "other.de."}],
    ],
)
def test_a_listing_of_another_zone_is_refused(
    api: responses.RequestsMock, backend: clouddns.CloudDnsBackend, rows: Any
) -> None:
    says_zone(api, *rows)
    with pytest.raises(ApiError, match="about another zone"):
        backend.zone(NAME)


@pytest.mark.parametrize("name", ["@", "", "example.com", "example.com."])
def test_a_soa_at_the_apex_is_in_order(
    api: responses.RequestsMock, backend: clouddns.CloudDnsBackend, name: str
) -> None:
    says_zone(api, {**SOA, "name": name})
    assert backend.zone(NAME).records[0].hostname == "@"


# --- What goes wrong with a read -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, failure("authenticationError", BAD_KEY)),
        (401, failure("x", "y")),
        (403, failure("x", "y")),
    ],
)
def test_a_refused_key_is_noted_and_sent_once(
    api: responses.RequestsMock,
    backend: clouddns.CloudDnsBackend,
    notes: Notes,
    status: int,
    body: Any,
) -> None:
    says_domain(api, body, status=status)
    for name in (NAME, "other.example"):
        with pytest.raises(CredentialsError, match=f"HTTP {status}") as caught:
            backend.lookup(name)
    assert "API-Keys" in caught.value.advice
    assert "64 characters" in caught.value.advice
    assert notes.told == ["asked", Reason.REFUSED]
    assert len(api.calls) == 1


BETWEEN: list[dict[str, Any]] = [
    {"body": "<html>denied</html>"},
    {"body": ""},
    {"json": {"error": "Forbidden"}},
    {"json": {"success": False}},
    {"json": {"success": False, "errors": [], "result": None}},
    {"json": {"success": False, "errors": [{"message": "Access denied"}]}},
    {"json": {"success": False, "errors": "Access denied"}},
    {"json": {"success": "false", "errors": [{"code": BAD_KEY, "message": "x"}]}},
    {"json": {**failure("authenticationError", BAD_KEY), "success": True}},
    {"json": ["authenticationError"]},
]


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("page", BETWEEN)
def test_a_page_of_something_in_between_is_no_refusal(
    api: responses.RequestsMock,
    backend: clouddns.CloudDnsBackend,
    notes: Notes,
    page: dict[str, Any],
    status: int,
) -> None:
    """A firewall's 403 would otherwise hold a good key back for a quarter of an hour and more."""
    api.get(f"{API}/domain", status=status, **page)
    with pytest.raises(ApiError, match=f"HTTP {status}") as caught:
        backend.lookup(NAME)
    assert "a proxy or a firewall" in caught.value.advice
    assert Reason.REFUSED not in notes.told


def test_a_success_with_an_error_in_it_is_none(
    api: responses.RequestsMock, backend: clouddns.CloudDnsBackend
) -> None:
    says_domain(api, {**domain(), "errors": [{"code": "x", "message": "y"}]})
    with pytest.raises(ApiError, match="refused the entry"):
        backend.lookup(NAME)


@pytest.mark.parametrize("body", [{}, {"success": False}, failure("", ""), failure("x", "y")])
def test_a_404_that_does_not_say_what_is_missing_is_no_missing_domain(
    api: responses.RequestsMock, backend: clouddns.CloudDnsBackend, body: Any
) -> None:
    api.get(f"{API}/domain", json=body, status=404)
    with pytest.raises(ApiError):
        backend.lookup(NAME)


def test_a_key_that_works_is_not_held_for_refused_because_of_one_domain(
    api: responses.RequestsMock, backend: clouddns.CloudDnsBackend, notes: Notes
) -> None:
    says_domain(api)
    assert backend.lookup(NAME)
    api.get(f"{API}/domain", json=failure("forbidden", "The domain is locked."), status=403)
    with pytest.raises(ApiError, match="locked"):
        backend.lookup("locked.example")
    assert Reason.REFUSED not in notes.told


def test_a_refusal_is_understood_with_an_empty_meta_of_any_form(
    api: responses.RequestsMock, backend: clouddns.CloudDnsBackend
) -> None:
    says_domain(api, {**failure("authenticationError", BAD_KEY), "meta": []}, status=400)
    with pytest.raises(CredentialsError):
        backend.lookup(NAME)


def test_a_row_without_a_name_is_not_taken_for_one_at_the_apex(
    api: responses.RequestsMock, backend: clouddns.CloudDnsBackend
) -> None:
    row = txt("_dmarc", '"v=DMARC1;p=none"')
    del row["name"]
    says_zone(api, {**row, "hostname": "_dmarc"})
    with pytest.raises(ApiError):
        backend.zone(NAME)


@pytest.mark.parametrize("status", [200, 404])
def test_a_key_that_works_lifts_the_hold_once(
    api: responses.RequestsMock, backend: clouddns.CloudDnsBackend, notes: Notes, status: int
) -> None:
    body = domain() if status == 200 else failure("resourceDoesNotExist", NO_RESULTS)
    says_domain(api, body, status=status)
    backend.check_key()
    api.get(f"{API}/domain", json=failure("resourceDoesNotExist", NO_RESULTS), status=404)
    backend.lookup("other.example")
    assert notes.told == ["asked", "lifted"]


def test_a_bare_404_is_no_miss_but_a_wrong_address(
    api: responses.RequestsMock, backend: clouddns.CloudDnsBackend, notes: Notes
) -> None:
    api.get(f"{API}/domain", body="<html>not found", status=404)
    with pytest.raises(ApiError, match="no netcup REST API at this address"):
        backend.check_key()
    assert "lifted" not in notes.told


def test_a_read_waits_as_it_is_told_and_asks_again(
    api: responses.RequestsMock, backend: clouddns.CloudDnsBackend, slept: Slept
) -> None:
    says_domain(api, failure("tooMany", "wait"), status=429, headers={"Retry-After": "3600"})
    says_domain(api, failure("tooMany", "wait"), status=429)
    says_domain(api)
    assert backend.lookup(NAME) is not None
    assert slept == [60.0, 5.0]


def test_a_read_that_is_told_to_wait_again_and_again_ends_the_run(
    api: responses.RequestsMock, backend: clouddns.CloudDnsBackend, slept: Slept, notes: Notes
) -> None:
    for _ in range(3):
        says_domain(api, failure("tooMany", "wait"), status=429, headers={"Retry-After": "7"})
    with pytest.raises(WaitError, match="limit of requests") as caught:
        backend.zone(NAME)
    assert "Wait 7 s" in caught.value.advice
    assert slept == [7.0, 7.0]
    assert Reason.REFUSED not in notes.told
    assert Reason.LOCKED_OUT not in notes.told


@pytest.mark.parametrize(
    "body",
    [
        [],
        "text",
        {"result": []},
        {"success": "?", "result": []},
        envelope({"C4n4ry.example": "C4n4ry"}),
        envelope([{"id": "../7", "fqdn": NAME, "isDnsManaged": True}]),
        envelope([{"id": 7, "fqdn": NAME}]),
        envelope("C4n4ry"),
    ],
)
def test_an_answer_that_fits_nothing_known_is_shown_without_its_values(
    api: responses.RequestsMock, backend: clouddns.CloudDnsBackend, body: Any
) -> None:
    api.get(f"{API}/domain", json=body)
    with pytest.raises(ApiError, match=r"the entry of example\.com has an unknown shape") as caught:
        backend.lookup(NAME)
    assert not leaks(caught.value, ["C4n4ry", "../7"])


@pytest.mark.parametrize("result", [None, {"records": []}, "x"])
def test_a_list_that_is_none_is_not_an_empty_zone(
    api: responses.RequestsMock, backend: clouddns.CloudDnsBackend, result: Any
) -> None:
    says_domain(api)
    says_revisions(api, OLD)
    api.get(f"{REVISIONS}/rev1/record", json=envelope(result))
    with pytest.raises(ApiError, match=r"the records of example\.com has an unknown shape"):
        backend.zone(NAME)


def test_a_success_that_says_it_is_none_is_an_error_in_netcups_words(
    api: responses.RequestsMock, backend: clouddns.CloudDnsBackend
) -> None:
    says_domain(api, failure("strange", f"the key {KEY}\x1b is odd"))
    with pytest.raises(ApiError, match=r"strange the key \*\*\*\\x1b is odd"):
        backend.lookup(NAME)


def test_ten_errors_end_the_run(
    api: responses.RequestsMock, backend: clouddns.CloudDnsBackend
) -> None:
    says_domain(api, failure("strange", "no"), status=400)
    for _ in range(ERRORS_ALLOWED - 1):
        with pytest.raises(ApiError):
            backend.lookup(NAME)
    with pytest.raises(WaitError, match="10 calls of this run"):
        backend.lookup(NAME)


def test_each_call_is_counted_and_traced_without_the_key(api: responses.RequestsMock) -> None:
    lines: list[str] = []
    budget = Budget()
    key = SecretStr(KEY)
    made = clouddns.CloudDnsBackend(key, budget=budget, trace=lines.append)
    says_domain(api, failure("strange", f"you sent {KEY}"), status=400)
    with made, pytest.raises(ApiError):
        made.lookup(NAME)
    assert lines == ["netcup: the entry of example.com: HTTP 400: strange you sent ***"]
    assert len(budget._sent) == 1
    assert KEY not in repr(vars(made))


def test_the_account_does_not_hang_on_the_key() -> None:
    one, other = (clouddns.CloudDnsBackend(SecretStr(letter * 64)) for letter in "ab")
    assert one.account == other.account == "rest"
    assert one.serving("clouddns") is one
    assert (one.name, one.endpoint, one.new_ttl) == ("clouddns", API, 3600)


# --- Writing --------------------------------------------------------------------------------------


def test_a_write_is_one_changeset_and_read_back_with_six_requests_in_all(
    api: responses.RequestsMock, backend: clouddns.CloudDnsBackend
) -> None:
    says_zone(api, SPF)
    zone = backend.zone(NAME)
    api.post(CHANGESET, json=envelope(NEW), status=201)
    says_revisions(api, NEW, {**OLD, "state": "superseded"})
    says_records(api, "rev2", SPF, DMARC)
    after = backend.apply(zone, [CREATE])
    assert (after.revision, len(after.records)) == ("rev2", 2)
    assert of_kind(after, Kind.DMARC, "_dmarc")[0].destination == "v=DMARC1;p=none"
    assert len(api.calls) == 6
    assert json.loads(api.calls[3].request.body or "") == {
        "autoCommit": True,
        "strict": True,
        "create": [{"name": "_dmarc", "type": "TXT", "rdata": '"v=DMARC1;p=none"', "ttl": 3600}],
    }


def test_names_are_written_in_the_form_in_which_they_were_read(
    api: responses.RequestsMock, backend: clouddns.CloudDnsBackend
) -> None:
    says_zone(api, {**SPF, "name": "example.com."})
    zone = backend.zone(NAME)
    api.post(CHANGESET, json=envelope(NEW))
    says_revisions(api, NEW, OLD)
    says_records(api, "rev2", {**DMARC, "name": "_dmarc.example.com."})
    (spf,) = zone.records
    after = backend.apply(zone, [CREATE, Change(Action.DELETE, Kind.SPF, spf, None)])
    body = json.loads(api.calls[3].request.body or "")
    assert body["create"][0]["name"] == "_dmarc.example.com."
    assert body["delete"][0]["name"] == "example.com."
    assert [record.hostname for record in after.records] == ["_dmarc"]


@pytest.mark.parametrize(
    ("revisions", "words"),
    [
        ([revision("rev3", 3), NEW, OLD], "Another program wrote to example.com"),
        ([{**NEW, "identifier": "rev3", "serial": 3}], "cannot be told"),
        ([{**NEW, "identifier": "rev3", "serial": 3, "state": "draft"}, OLD], "state 'draft'"),
        ([OLD], "not in its list"),
    ],
    ids=["rival", "ours-alone", "left-as-a-draft", "not-there"],
)
def test_a_write_that_does_not_follow_what_was_read_is_not_verified(
    api: responses.RequestsMock, backend: clouddns.CloudDnsBackend, revisions: Any, words: str
) -> None:
    says_zone(api, SPF)
    zone = backend.zone(NAME)
    api.post(CHANGESET, json=envelope(revision("rev3", 3)))
    says_revisions(api, *revisions)
    with pytest.raises(UnverifiedError, match=words):
        backend.apply(zone, [CREATE])


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        ({"status": 502}, TransportError, "HTTP 502"),
        ({"body": "<html>"}, TransportError, "HTML"),
        ({"status": 204}, TransportError, "nothing"),
        ({"body": requests.ReadTimeout()}, TransportError, "did not answer"),
        (
            {"json": failure("recordDoesNotExist", "no such row"), "status": 422},
            ApiError,
            "no such",
        ),
        ({"json": failure("tooMany", "slow"), "status": 429}, WaitError, "limit"),
        ({"body": "<html>", "status": 429}, WaitError, "limit"),
        ({"json": failure("authenticationError", BAD_KEY), "status": 400}, CredentialsError, "key"),
        ({"json": failure("resourceDoesNotExist", "No result"), "status": 404}, ZoneError, "have"),
        ({"json": {**envelope(NEW), "success": False}}, ApiError, "refused the changes"),
    ],
)
def test_a_write_is_sent_once_whatever_comes_of_it(
    api: responses.RequestsMock,
    backend: clouddns.CloudDnsBackend,
    slept: Slept,
    answer: Any,
    error: type[MailauthError],
    words: str,
) -> None:
    says_zone(api, SPF)
    zone = backend.zone(NAME)
    api.post(CHANGESET, **answer)
    with pytest.raises(error, match=words) as caught:
        backend.apply(zone, [CREATE])
    assert not isinstance(caught.value, WriteNotProcessedError)
    assert len(api.calls) == 4
    assert slept == []
    assert not leaks(caught.value, [KEY])


@pytest.mark.parametrize(
    ("revisions", "error", "words"),
    [
        ([OLD], ApiError, "lists no new revision"),
        ([{**NEW, "state": "draft"}, OLD], ApiError, "lists no new revision"),
        ([revision("rev3", 3), NEW, OLD], UnverifiedError, "at the same time"),
        ([NEW], UnverifiedError, "cannot be told"),
    ],
)
def test_a_write_whose_success_names_no_revision_is_believed_only_if_one_follows(
    api: responses.RequestsMock,
    backend: clouddns.CloudDnsBackend,
    revisions: Any,
    error: type[MailauthError],
    words: str,
) -> None:
    says_zone(api, SPF)
    zone = backend.zone(NAME)
    api.post(CHANGESET, json=envelope(None), status=201)
    says_revisions(api, *revisions)
    with pytest.raises(error, match=words) as caught:
        backend.apply(zone, [CREATE])
    assert not isinstance(caught.value, WriteNotProcessedError)


def test_a_write_that_never_left_is_told_apart(
    api: responses.RequestsMock, backend: clouddns.CloudDnsBackend
) -> None:
    from urllib3.exceptions import ConnectTimeoutError

    says_zone(api, SPF)
    zone = backend.zone(NAME)
    api.post(CHANGESET, body=requests.ConnectTimeout(ConnectTimeoutError()))
    with pytest.raises(WriteNotProcessedError, match="No connection"):
        backend.apply(zone, [CREATE])
