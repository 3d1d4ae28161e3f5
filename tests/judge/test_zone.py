"""The zone itself: names that are taken, records that went or stand in the wrong place."""

from __future__ import annotations

import pytest

from netcup_mailauth.findings import Severity
from netcup_mailauth.records import Kind
from tests.judge.cases import (
    CLEAN,
    DMARC,
    SPF,
    codes,
    creates,
    deletes,
    judged,
    judged_changes,
    key_record,
    mail_zone,
    only,
    source,
    to_type,
    wants,
    zone,
)

R, D, W = Severity.REFUSED, Severity.DANGER, Severity.WARNING
HARMLESS = wants({"require": ["mx"]})


def test_an_empty_zone_is_a_danger_only_where_something_would_be_written() -> None:
    found = judged(zone(), wants("v=spf1 a ~all"))
    assert "example.com reads as empty" in only(found, "zone-reads-empty").message
    assert "zone-reads-empty" not in codes(judged(zone(), wants(dkim="dkim")))


def test_a_draft_of_somebody_elses_is_named() -> None:
    assert "draft r7" in only(judged(mail_zone(draft="r7"), HARMLESS), "zone-has-draft").message


def test_a_cname_in_the_way_is_refused_with_how_to_leave_it_alone() -> None:
    taken = mail_zone(SPF, (), (), "_dmarc CNAME a.example.net", "dkim._domainkey CNAME b.example")
    policy = wants(dmarc=DMARC, dkim="dkim")
    found = judged(taken, policy, source(key_record()))
    assert codes(found, R) == ["dkim-cname", "cname-conflict"]
    conflict = only(found, "cname-conflict")
    assert "_dmarc.example.com is a CNAME to a.example.net" in conflict.message
    assert "--kind spf --kind dkim" in conflict.advice
    assert "--selector" in only(found, "dkim-cname").advice


def test_a_cname_beside_what_only_stays_or_goes_is_no_refusal() -> None:
    odd = mail_zone(SPF, DMARC, None, "_dmarc CNAME a.example.net")
    kept = judged(odd, wants({"require": ["a"]}, {"policy": "quarantine"}))
    assert only(kept, "cname-conflict").severity is W
    gone = judged_changes(odd, deletes(odd, Kind.DMARC, "_dmarc"))
    assert only(gone, "cname-conflict").severity is W


def test_netcups_own_dkim_cnames_are_not_in_the_way_of_another_selector() -> None:
    before = mail_zone(SPF, DMARC, None, "key1._domainkey CNAME key1._domainkey.webhosting.systems")
    assert codes(judged(before, wants(dkim="dkim"), source(key_record())), R) == []


@pytest.mark.parametrize("kind", ["spf", "dmarc"])
def test_a_record_that_vanished_is_not_made_anew_from_parts_unasked(kind: str) -> None:
    had = mail_zone("v=spf1 mx include:news.example -all", f"{DMARC};np=reject")
    now = mail_zone((), ())
    parts = wants({"require": ["mx"]}) if kind == "spf" else wants(dmarc={"policy": "none"})
    found = only(judged(now, parts, remembered=had), "record-vanished")
    assert found.severity is D
    text = getattr(getattr(to_type(found)[0], kind), "record")  # noqa: B009
    assert text in ("v=spf1 mx include:news.example -all", f"{DMARC};np=reject")
    assert text in found.message
    assert "record-vanished" not in codes(judged(now, to_type(found)[0], remembered=had))


def test_a_record_that_is_there_or_never_was_has_not_vanished() -> None:
    parts = wants({"require": ["a"]}, {"policy": "none"})
    assert "record-vanished" not in codes(judged(CLEAN, parts, remembered=CLEAN))
    bare = mail_zone((), ())
    assert "record-vanished" not in codes(judged(bare, parts, remembered=bare))
    assert "record-vanished" not in codes(judged(bare, parts))
    change = creates(Kind.SPF, "@", "v=spf1 mx ~all")
    assert "record-vanished" not in codes(judged_changes(bare, change, remembered=CLEAN))


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("dkim.domainkey TXT v=DKIM1;p=", "the underscore is missing; DKIM"),
        ("key1.domainkey CNAME key1._domainkey.webhosting.systems", "the underscore is missing"),
        ("dmarc TXT v=DMARC1;p=none", "the underscore is missing; DMARC"),
        ("_dmarc.example.com TXT v=DMARC1;p=none", "its name repeats the zone"),
        ("dkim._domainkey.example.com TXT v=DKIM1;p=", "its name repeats the zone"),
        ("example.com TXT v=spf1 mx -all", "its name repeats the zone"),
        ("_dmarc TXT v=spf1 mx -all", "an SPF record belongs at the domain itself"),
        ("@ TXT v=DMARC1;p=none", "a DMARC record belongs at _dmarc"),
    ],
)
def test_a_record_where_no_receiver_looks_is_named_with_its_text(line: str, words: str) -> None:
    found = only(judged(mail_zone(SPF, DMARC, None, line), HARMLESS), "misplaced-record")
    assert words in found.message
    assert line.split(" ", 2)[2] in found.message


@pytest.mark.parametrize(
    "line",
    [
        "mail TXT v=spf1 a -all",  # the HELO name has one of its own
        "_dmarc.intern TXT v=DMARC1;p=none",
        "example.net._report._dmarc TXT v=DMARC1",
        "dmarc TXT a note",
        "domainkey A 203.0.113.1",
        "notexample.com TXT v=spf1 -all",
        "example.com TXT a note",
        "* TXT v=DMARC1;p=none",  # answers at every name, and is a wildcard-txt
    ],
)
def test_a_record_that_only_looks_misplaced_is_left_alone(line: str) -> None:
    found = judged(mail_zone(SPF, DMARC, None, line), HARMLESS)
    assert "misplaced-record" not in codes(found)


def test_netcups_leftovers_are_said_where_another_server_gets_the_mail() -> None:
    left = (
        "@ MX 50 mxf8a.netcup.net.",
        "key1._domainkey CNAME key1._domainkey.webhosting.systems",
        "key2._domainkey CNAME key2._domainkey.webhosting.systems.",
    )
    found = judged(mail_zone(SPF, DMARC, None, *left), HARMLESS)
    assert codes(found) == ["stale-netcup-mail"] * 2
    assert "The MX mxf8a.netcup.net is" in found[0].message
    assert "key1._domainkey and key2._domainkey" in found[1].message


def test_a_domain_whose_mail_is_at_netcup_has_no_leftovers() -> None:
    only_theirs = zone("@ MX 50 mxf8a.netcup.net", "@ TXT v=spf1 mx ~all")
    assert "stale-netcup-mail" not in codes(judged(only_theirs, HARMLESS))


def test_a_wildcard_text_is_noted_at_any_depth() -> None:
    found = judged(mail_zone(SPF, DMARC, None, "*.intern TXT a", "* A 203.0.113.1"), HARMLESS)
    assert [f.message.split(" ")[0] for f in found] == ["*.intern"]
    assert found[0].severity is Severity.NOTE
