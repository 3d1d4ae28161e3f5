"""Records as CloudDNS may write them, and the changeset that is written."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netcup_mailauth.errors import ApiError, RefusedError, WriteNotProcessedError
from netcup_mailauth.netcup.clouddns_wire import (
    NameForm,
    WireRecord,
    as_read,
    changeset,
    parsed,
    to_record,
    written,
)
from netcup_mailauth.plan import Action, Change
from netcup_mailauth.records import DnsRecord, Kind, Zone

FORM = NameForm("example.com")
LONG = "v=DKIM1;k=rsa;p=" + "A" * 392


def record(type_: str, rdata: str, **fields: Any) -> DnsRecord:
    entry = {"identifier": "r1", "name": "@", "type": type_, "rdata": rdata, "ttl": 3600, **fields}
    return to_record(WireRecord.model_validate(entry), FORM)


@pytest.mark.parametrize(
    ("rdata", "is_our_form"),
    [
        (f'"{LONG[:255]}" "{LONG[255:]}"', True),
        (f'"{LONG[:100]}" "{LONG[100:]}"', False),
        (f'"{LONG[:255]}""{LONG[255:]}"', False),
        (f'"{LONG}"', False),
        (LONG, False),
    ],
    ids=["ours", "other-pieces", "no-blank", "one-long-string", "bare"],
)
def test_txt_is_read_in_any_form_and_kept_to_the_letter(rdata: str, is_our_form: bool) -> None:
    read = record("txt", rdata)
    assert (read.type, read.destination) == ("TXT", LONG)
    assert read.raw == (None if is_our_form else rdata)
    assert as_read(read) == rdata


@pytest.mark.parametrize(
    ("type_", "rdata", "priority", "destination"),
    [
        ("MX", "10 mail.example.com.", "10", "mail.example.com"),
        ("MX", "10 mail.example.com", "10", "mail.example.com"),
        ("MX", "0 .", "0", "."),
        ("MX", "mail.example.com.", "0", "mail.example.com"),
        ("CNAME", "docs.example.com.", "0", "docs.example.com"),
        ("CNAME", "docs.example.com", "0", "docs.example.com"),
        ("SRV", "0 5 443 mail.example.com.", "0", "0 5 443 mail.example.com"),
        ("A", "192.0.2.1", "0", "192.0.2.1"),
        ("CAA", '0 issue "letsencrypt.org"', "0", '0 issue "letsencrypt.org"'),
    ],
)
def test_other_types_are_as_the_ccp_api_has_them_and_kept_to_the_letter(
    type_: str, rdata: str, priority: str, destination: str
) -> None:
    read = record(type_, rdata)
    assert (read.priority, read.destination) == (priority, destination)
    assert as_read(read) == rdata


@given(st.sampled_from(["TXT", "MX", "CNAME", "SRV", "A", "NS"]), st.text())
def test_whatever_was_read_is_deleted_by_the_very_same_text(type_: str, rdata: str) -> None:
    assert as_read(record(type_, rdata)) == rdata


@given(st.text(st.characters(max_codepoint=255)))
def test_what_is_written_is_read_as_the_same_text(text: str) -> None:
    new = DnsRecord(None, "@", "TXT", text)
    read = record("TXT", written(new))
    assert (read.destination, read.raw) == (text, None)


@pytest.mark.parametrize("ttl", [300, "300"])
@pytest.mark.parametrize(("identifier", "shown"), [("r1", "r1"), (7, "7"), (None, None)])
def test_numbers_may_come_as_texts_and_texts_as_numbers(
    ttl: Any, identifier: Any, shown: str | None
) -> None:
    read = record("A", "192.0.2.1", ttl=ttl, identifier=identifier)
    assert (read.ttl, read.id) == (300, shown)


@pytest.mark.parametrize(("flag", "immutable"), [(True, True), (False, False), (None, False)])
def test_netcups_own_records_are_marked(flag: bool | None, immutable: bool) -> None:
    assert record("SOA", "x", immutable=flag).immutable is immutable


@pytest.mark.parametrize(
    "entry",
    [
        {"name": "C4n4ry", "type": "TXT", "ttl": 3600},
        {"name": "C4n4ry", "type": "TXT", "rdata": "x", "ttl": None},
        {"name": "C4n4ry", "type": "TXT", "rdata": "x", "ttl": -1},
        {"name": ["C4n4ry"], "type": "TXT", "rdata": "x", "ttl": 1},
        {"name": "C4n4ry", "type": "TXT", "rdata": 1.10, "ttl": 1},
        {"name": "C4n4ry", "type": "TXT", "rdata": "x", "ttl": 1, "identifier": math.nan},
        ["C4n4ry"],
        "C4n4ry",
        None,
    ],
)
def test_an_entry_of_an_unknown_shape_is_shown_by_its_fields_and_types(entry: Any) -> None:
    with pytest.raises(ApiError, match="unknown shape") as caught:
        parsed("the records", "example.com", entry, WireRecord)
    assert "C4n4ry" not in caught.value.what
    assert caught.value.__context__ is None
    if isinstance(entry, dict):
        assert ("name: str" in caught.value.what) or ("name: [1 of str]" in caught.value.what)


# --- Changesets -----------------------------------------------------------------------------------

SPF = record("TXT", '"v=spf1 mx ~all"', ttl=300)
DMARC = DnsRecord(None, "_dmarc", "TXT", "v=DMARC1;p=none", ttl=3600)


def zone(*records: DnsRecord) -> Zone:
    return Zone("example.com", "clouddns", records, "rev1")


def update(before: DnsRecord, text: str) -> Change:
    after = DnsRecord(None, before.hostname, "TXT", text, ttl=before.ttl)
    return Change(Action.UPDATE, Kind.SPF, before, after)


def test_an_update_is_a_delete_and_a_create_with_the_ttl_of_the_old_record() -> None:
    changes = [update(SPF, "v=spf1 mx -all"), Change(Action.CREATE, Kind.DMARC, None, DMARC)]
    assert changeset(zone(SPF), changes, FORM, 3600) == {
        "autoCommit": True,
        "strict": True,
        "create": [
            {"name": "@", "type": "TXT", "rdata": '"v=spf1 mx -all"', "ttl": 300},
            {"name": "_dmarc", "type": "TXT", "rdata": '"v=DMARC1;p=none"', "ttl": 3600},
        ],
        "delete": [{"name": "@", "type": "TXT", "rdata": '"v=spf1 mx ~all"', "ttl": 300}],
    }


def test_an_update_keeps_the_ttl_even_where_the_plan_names_another() -> None:
    other = DnsRecord(None, "@", "TXT", "v=spf1 mx -all", ttl=3600)
    body = changeset(zone(SPF), [Change(Action.UPDATE, Kind.SPF, SPF, other)], FORM, 3600)
    assert body["create"] == [{"name": "@", "type": "TXT", "rdata": '"v=spf1 mx -all"', "ttl": 300}]


def test_a_new_record_without_a_ttl_gets_the_usual_one() -> None:
    bare = DnsRecord(None, "_dmarc", "TXT", "v=DMARC1;p=none")
    body = changeset(zone(), [Change(Action.CREATE, Kind.DMARC, None, bare)], FORM, 3600)
    assert body["create"] == [
        {"name": "_dmarc", "type": "TXT", "rdata": '"v=DMARC1;p=none"', "ttl": 3600}
    ]


def test_a_delete_is_what_was_read_to_the_letter_whatever_the_plan_kept_of_it() -> None:
    """A plan file has neither the rdata as read nor the identifiers of this revision."""
    live = record("TXT", '"v=spf1" " mx ~all"', identifier="now")
    planned = DnsRecord("then", "@", "TXT", "v=spf1 mx ~all", ttl=3600)
    body = changeset(zone(live), [Change(Action.DELETE, Kind.SPF, planned, None)], FORM, 3600)
    assert body["delete"] == [
        {"name": "@", "type": "TXT", "rdata": '"v=spf1" " mx ~all"', "ttl": 3600}
    ]
    assert "create" not in body  # an empty list is left out


def test_what_is_put_back_is_quoted_even_if_it_was_read_bare() -> None:
    bare = record("TXT", "v=spf1 mx -all")
    body = changeset(zone(), [Change(Action.CREATE, Kind.SPF, None, bare)], FORM, 3600)
    assert body["create"] == [
        {"name": "@", "type": "TXT", "rdata": '"v=spf1 mx -all"', "ttl": 3600}
    ]


def test_names_are_written_as_they_were_read() -> None:
    form = NameForm.of(["example.com.", "www.example.com."], "example.com")
    body = changeset(zone(SPF), [update(SPF, "v=spf1 -all")], form, 3600)
    assert [entry["name"] for entry in (*body["create"], *body["delete"])] == ["example.com."] * 2  # type: ignore[misc]


def test_of_two_identical_rows_neither_can_be_deleted() -> None:
    twin = record("TXT", '"v=spf1 mx ~all"', ttl=300, identifier="r2")
    for planned in (SPF, DnsRecord(None, "@", "TXT", "v=spf1 mx ~all", ttl=300)):
        with pytest.raises(RefusedError, match=r"two identical rows of TXT example\.com"):
            changeset(zone(SPF, twin), [update(planned, "v=spf1 -all")], FORM, 3600)


@pytest.mark.parametrize(
    "other",
    [
        record("TXT", '"v=spf1 mx ~all"', ttl=600),
        record("TXT", '"v=spf1" " mx ~all"', ttl=300),
        record("TXT", '"v=spf1 mx ~all"', ttl=300, name="www"),
    ],
    ids=["ttl", "pieces", "name"],
)
def test_rows_that_differ_in_anything_but_the_identifier_are_told_apart(other: DnsRecord) -> None:
    body = changeset(zone(other, SPF), [update(SPF, "v=spf1 -all")], FORM, 3600)
    assert body["delete"] == [{"name": "@", "type": "TXT", "rdata": '"v=spf1 mx ~all"', "ttl": 300}]


def test_a_row_that_netcup_keeps_from_change_is_never_sent() -> None:
    own = record("TXT", '"v=spf1 mx ~all"', immutable=True)
    planned = DnsRecord(None, "@", "TXT", "v=spf1 mx ~all", ttl=3600)
    with pytest.raises(WriteNotProcessedError, match="keeps the record"):
        changeset(zone(own), [update(planned, "v=spf1 -all")], FORM, 3600)


def test_a_row_that_is_not_there_is_never_sent() -> None:
    with pytest.raises(WriteNotProcessedError, match="no longer there"):
        changeset(zone(), [update(SPF, "v=spf1 -all")], FORM, 3600)
