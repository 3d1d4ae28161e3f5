"""Whatever is sent, the API answers in its envelope and loses no record."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from netcup_mailauth.sandbox import Quirks, Sandbox
from tests.effort import tries
from tests.sandbox.client import DOMAIN, Ccp, txt
from tests.sandbox.rest_client import Rest
from tests.sandbox.test_ccp_answers import KEYS

if TYPE_CHECKING:
    from collections.abc import Iterator

# Few examples, as each is an HTTP call.
FEW = settings(
    max_examples=tries(60), database=None, deadline=None, suppress_health_check=list(HealthCheck)
)

TEXTS = st.text(max_size=8) | st.sampled_from(["@", "TXT", "MX", "CNAME", "9" * 4000, "\ud800"])
VALUES = st.none() | st.booleans() | st.integers() | st.floats() | TEXTS
JSON = st.recursive(
    VALUES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3)
)
FIELDS = ["id", "hostname", "type", "priority", "destination", "deleterecord", "state"]
PLAIN = st.characters(exclude_characters="\"'\\", exclude_categories=["Cs"])
ENTRIES = st.dictionaries(st.sampled_from(FIELDS), JSON)


@pytest.fixture(scope="module")
def client() -> Iterator[Ccp]:
    quirks = Quirks(lockout_after=None)
    with Sandbox([DOMAIN], rate=None, quirks=quirks) as sandbox, Ccp(sandbox) as client:
        client.login()
        yield client


@FEW
@given(body=st.binary(max_size=40) | st.text(max_size=40).map(lambda t: t.encode("utf-8")))
def test_any_body(client: Ccp, body: bytes) -> None:
    assert list(client.post(body).json()) == KEYS


@FEW
@given(
    action=st.sampled_from(["login", "infoDnsZone", "updateDnsZone", "updateDnsRecords"]) | TEXTS,
    param=st.dictionaries(
        st.sampled_from(["dnszone", "dnsrecordset", "clientrequestid", "apikey", "apisessionid"])
        | TEXTS.filter(lambda key: key not in ("self", "action")),  # of `Ccp.call` itself
        JSON,
    ),
)
def test_any_param(client: Ccp, action: str, param: dict[str, Any]) -> None:
    assert list(client.call(action, **{"domainname": DOMAIN, **param})) == KEYS


@FEW
@given(entry=ENTRIES)
def test_any_entry(client: Ccp, entry: dict[str, Any]) -> None:
    """What is not named by its id stays, whatever the entry is."""
    before = {record["id"]: record for record in client.sandbox.zone(DOMAIN)}
    assert list(client.update(entry)) == KEYS
    after = {record["id"]: record for record in client.sandbox.zone(DOMAIN)}
    touched = str(entry.get("id"))
    for number, record in before.items():
        assert number == touched or after[number] == record


@FEW
@given(text=st.text(PLAIN, min_size=1))
def test_any_other_text_comes_back_as_sent(client: Ccp, text: str) -> None:
    answer = client.update(txt("new", text))
    new = max(answer["responsedata"]["dnsrecords"], key=lambda record: int(record["id"]))
    assert new["destination"] == text
    client.update({**new, "deleterecord": True})


# The REST API

REST_KEYS = ["success", "errors", "messages", "meta", "result"]
SEGMENTS = st.sampled_from(
    ["domain", "dns", "revision", "record", "changeset", "acme", "challenge", "1047093", "%2F", ""]
) | st.text("az09%.-_~é", max_size=6)
ROWS = st.dictionaries(st.sampled_from(["name", "type", "rdata", "ttl"]), JSON)
RDATA = st.text(st.sampled_from('"\\ a0é\ud800'), max_size=12)


@pytest.fixture(scope="module")
def rest() -> Iterator[Rest]:
    with Sandbox((), clouddns=[DOMAIN]) as sandbox, Rest(sandbox) as client:
        yield client


def change(client: Rest, body: Any) -> int:
    """Send a changeset; status 201 or 400 or 422, in the envelope."""
    response = client.send("POST", client.path("changeset"), data=json.dumps(body))
    assert list(response.json()) == REST_KEYS
    assert response.status_code in (201, 400, 422)
    return response.status_code


@FEW
@given(
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE"]),
    segments=st.lists(SEGMENTS, max_size=7),
    query=st.dictionaries(st.sampled_from(["fqdn", "page", "perPage"]), st.text(max_size=8)),
    body=st.binary(max_size=20),
)
def test_rest_any_path(
    rest: Rest, method: str, segments: list[str], query: dict[str, str], body: bytes
) -> None:
    # Dots are taken out of a path before it is sent, and it would no longer be one of this API.
    assume(not {".", ".."} & set(segments))
    path = "/" + "/".join(segments)
    response = rest.send(method, path, params=query, data=body)
    assert list(response.json()) == REST_KEYS
    assert response.status_code in (200, 400, 404, 405)


@FEW
@given(body=JSON | st.fixed_dictionaries({"autoCommit": JSON, "strict": JSON, "create": JSON}))
def test_rest_any_body(rest: Rest, body: Any) -> None:
    before = rest.sandbox.rest_records(DOMAIN)
    assert change(rest, body) == 400
    assert rest.sandbox.rest_records(DOMAIN) == before


@FEW
@given(create=st.lists(ROWS, max_size=2), delete=st.lists(ROWS, max_size=2))
def test_rest_any_row(rest: Rest, create: list[Any], delete: list[Any]) -> None:
    change(rest, {"autoCommit": True, "strict": True, "create": create, "delete": delete})


@FEW
@given(rdata=RDATA | RDATA.map(lambda text: f'"{text}"'))
def test_rest_any_txt_that_is_taken_can_be_deleted_as_it_reads(rest: Rest, rdata: str) -> None:
    before = rest.sandbox.rest_records(DOMAIN)
    row = {"name": "new", "type": "TXT", "rdata": rdata, "ttl": 300}
    if change(rest, {"autoCommit": True, "strict": True, "create": [row], "delete": []}) == 201:
        (new,) = (r for r in rest.sandbox.rest_records(DOMAIN) if r["name"] == "new")
        del new["immutable"]
        body = {"autoCommit": True, "strict": True, "create": [], "delete": [new]}
        assert change(rest, body) == 201
    assert rest.sandbox.rest_records(DOMAIN)[1:] == before[1:]  # the SOA has another serial
