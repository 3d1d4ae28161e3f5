"""A recording keeps the shape of whatever is said, and of what it holds only what is harmless."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from netcup_mailauth.netcup.recording import Recording, Sent
from tests.effort import SOME

CANARY = "Kanarie4711.example"
HARMLESS = ("state", "code", "identifier", "createdAt", "action", "type", "status")

words = st.sampled_from([CANARY, f"x{CANARY}y", f"'{CANARY}'", "v=spf1 -all", "", "a", "geheim_1"])
fields = st.sampled_from(
    [CANARY, "destination", "rdata", "hostname", "name", "fqdn", "longmessage", "message", "value",
     "result", "responsedata", "dnsrecords", "customernumber", "owner", "meta", "errors", "id x"]
)  # fmt: skip
leaves = st.one_of(st.none(), st.booleans(), st.just(47114711), st.floats(allow_nan=False), words)
values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(fields, inner, max_size=5)
)
CCP_CALL = Sent("ccp", "POST", "", b'{"action":"infoDnsRecords","param":{"domainname":"a.com"}}')


def said(answer: object, sent: Sent = CCP_CALL, *secrets: str) -> Any:
    """What a recording has of an answer."""
    recording = Recording()
    recording.hide(map(SecretStr, secrets))
    recording.answered(sent, 200, {"Content-Type": "application/json"}, json.dumps(answer).encode())
    (exchange,) = json.loads(json.dumps(recording.document()))["exchanges"]
    return exchange["json"]


def shape(value: Any) -> Any:
    """The types and lengths of a value, without what it says."""
    match value:
        case dict():
            return [(len(name), shape(one)) for name, one in value.items()]
        case list():
            return [shape(one) for one in value]
        case str():
            return len(value)
        case bool() | None:
            return value
        case _:
            return type(value)


@given(values)
@SOME
def test_whatever_is_said_keeps_its_shape_and_no_canary(answer: Any) -> None:
    kept = said(answer)
    text = json.dumps(kept)
    assert "Kanarie" not in text
    assert "geheim" not in text
    # Two fields of one length may be masked alike, and only one of them is left then.
    if CANARY not in json.dumps(answer) and "id x" not in json.dumps(answer):
        assert shape(kept) == shape(answer)


@given(st.binary(max_size=300))
@SOME
def test_whatever_bytes_come_they_are_kept_or_masked(body: bytes) -> None:
    recording = Recording()
    recording.answered(CCP_CALL, 200, {}, body)
    recording.answered(CCP_CALL, 200, {}, b"[" * 5000 + body)
    assert len(json.dumps(recording.document())) > 0


@pytest.mark.parametrize("field", ["customernumber", "apikey", "apipassword", "apisessionid"])
@pytest.mark.parametrize("value", ["geheim", "ge heim", "v=spf1", 4711, "", "müßig"])
def test_a_credential_is_masked_by_its_field(field: str, value: object) -> None:
    recording = Recording()
    recording.answered(CCP_CALL, 200, {}, json.dumps({field: value}).encode())
    kept = recording.exchanges[0]["json"][field]
    assert recording.masked == {"credentials": 1}
    assert kept != value or value == ""
    assert type(kept) is type(value)


def test_a_known_secret_is_masked_wherever_it_stands() -> None:
    key = "kEy1" * 16
    answer = {"code": key, "longmessage": f"Key {key} is bad", "state": f"for {key}", key: key}
    record = {"type": "TXT", "hostname": "@", "destination": f"v=spf1 include:{key} -all"}
    text = json.dumps(said({**answer, "dnsrecords": [record]}, CCP_CALL, key))
    assert "kEy1" not in text
    assert "v=spf1 include:" in text


@pytest.mark.parametrize(
    ("name", "text", "stays"),
    [
        ("@", "v=spf1 mx -all", True),
        ("sub", "V=SPF1 mx", True),
        ("_dmarc", "v=DMARC1;p=none", True),
        ("_dmarc.sub", "v=DMARC1;p=none", True),
        ("other.example._report._dmarc", "v=DMARC1", True),
        ("_dmarc", "Kanarie", False),
        ("dkim._domainkey", "v=DKIM1;p=AAAA", True),
        ("dkim._domainkey.sub", "p=AAAA", True),
        ("dkim._domainkey", "Kanarie", False),
        ("dkim", "v=DKIM1;p=AAAA", False),
        ("@", "spf2.0/pra mx", False),
        ("@", "see v=spf1 mx", False),
        ("_spf", "Kanarie v=spf1", False),
    ],
)
def test_which_records_stay(name: str, text: str, stays: bool) -> None:
    ccp = {"id": "7", "hostname": name, "type": "TXT", "priority": "0", "destination": text}
    assert (said({"dnsrecords": [ccp]})["dnsrecords"] == [ccp]) is stays
    rest = {"identifier": "7", "name": name, "type": "TXT", "rdata": f'"{text}"', "ttl": 60}
    assert (said([rest]) == [rest]) is stays
    cname = {**ccp, "type": "CNAME"}
    assert said([cname])[0]["destination"] != text


BESIDE = (
    {"fqdn": "geheim.example"},
    {"domainname": "geheim"},
    {"comment": "geheim"},
    {"identifier": "geheim.a.com/TXT"},
    {"id": "geheim"},
    {"state": "geheim.a.com"},
    {"geheim_": "x"},
    {"owner": {"name": "geheim"}},
    {"tags": ["geheim"]},
)


@pytest.mark.parametrize("more", BESIDE, ids=str)
@pytest.mark.parametrize(("host", "value"), [("hostname", "destination"), ("name", "rdata")])
def test_what_stands_beside_in_a_record_of_ours_is_masked_all_the_same(
    host: str, value: str, more: dict[str, object]
) -> None:
    others = {
        "hostname": "name",
        "name": "hostname",
        "destination": "rdata",
        "rdata": "destination",
    }
    own = {"type": "TXT", host: "@", value: "v=spf1 -all"}
    assert "geheim" not in json.dumps(said([{**own, **more}]))
    for field in (others[host], others[value]):
        assert "geheim" not in json.dumps(said([{**own, field: "geheim"}]))


def test_an_identifier_that_may_be_a_name_is_masked_alike_in_answer_and_path() -> None:
    recording = Recording()
    listed = json.dumps({"result": [{"identifier": "geheim.v7", "state": "gültig"}]}).encode()
    for path in ("/domain/7/dns/revision", "/domain/7/dns/revision/geheim.v7/record?page=1"):
        recording.answered(Sent("clouddns", "GET", path, None), 200, {}, listed)
    first, second = recording.exchanges
    (kept,) = first["json"]["result"]
    assert kept["state"] == "gültig"
    assert second["path"] == f"/domain/7/dns/revision/{kept['identifier']}/record?page=1"
    assert "geheim" not in json.dumps(recording.document())


def test_a_name_at_which_one_of_ours_stands_stays_for_the_others() -> None:
    ours = {"hostname": "sub", "type": "TXT", "destination": "v=spf1 -all"}
    beside = {"hostname": "sub", "type": "A", "destination": "203.0.113.9"}
    other = {"hostname": "geheim", "type": "A", "destination": "203.0.113.9"}
    kept = said([beside, ours, other])
    assert [row["hostname"] for row in kept[:2]] == ["sub", "sub"]
    assert kept[2]["hostname"] not in ("sub", "geheim")


def test_an_address_that_is_masked_is_an_address_and_a_host_leads_to_its_records() -> None:
    from ipaddress import ip_address

    rows = [
        {"hostname": "mail", "type": "A", "destination": "203.0.113.9"},
        {"hostname": "mail", "type": "AAAA", "destination": "2001:db8:4711::9"},
        {"hostname": "@", "type": "MX", "destination": "mail.a.com"},
        {"hostname": "@", "type": "MX", "destination": "10 mail.a.com."},
    ]
    four, six, mx, full = said(rows)
    assert ip_address(four["destination"]).version == 4
    assert ip_address(six["destination"]).version == 6
    assert mx["destination"] == f"{four['hostname']}.a.com"
    assert full["destination"].endswith(f" {four['hostname']}.a.com.")


@pytest.mark.parametrize(
    ("message", "kept"),
    [
        ("More than 180 requests per minute. Please wait and retry later.", True),
        ("Can not get DNS records for zone. The zone does not contain any DNS records.", True),
        ("Die Zone wurde nicht gefunden (5029).", True),
        ("TXT rdata must be enclosed in quotation marks", True),
        ("The zone a.com is locked.", True),
        ("The zone geheim.com is locked.", False),
        ("Customer 4711815 is locked.", False),
        ("Value 'geheim' is wrong.", False),
        ('Value "geheim" is wrong.', False),
        ("See https://geheim.example/x", False),
        ("Mail to geheim@x", False),
    ],
)
def test_which_words_of_a_message_stay(message: str, kept: bool) -> None:
    told = said({"longmessage": message})["longmessage"]
    assert (told == message) is kept
    assert len(told) == len(message)
    assert re.search("geheim|4711", told) is None


def test_the_signs_in_a_text_are_masked_as_well() -> None:
    """They tell whose it is; its quotes and blanks stay, as they tell how netcup writes a text."""
    kept = said([{"type": "TXT", "name": "@", "rdata": '"google-site_verification=A.b" "c"'}])
    assert re.fullmatch('"[A-Fa-f]{28}" "[a-f]"', kept[0]["rdata"])


def test_two_recordings_mask_nothing_alike() -> None:
    row = [{"hostname": "geheimnis", "type": "TXT", "destination": "Kanarienvogel" * 9}]
    assert said(row) != said(row)
