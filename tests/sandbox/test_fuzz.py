"""Whatever is sent, the API answers in its envelope and loses no record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from netcup_mailauth.sandbox import Quirks, Sandbox
from tests.sandbox.client import DOMAIN, Ccp, txt
from tests.sandbox.test_envelope import KEYS

if TYPE_CHECKING:
    from collections.abc import Iterator

# Few examples, as each is an HTTP call.
FEW = settings(
    max_examples=60, database=None, deadline=None, suppress_health_check=list(HealthCheck)
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
