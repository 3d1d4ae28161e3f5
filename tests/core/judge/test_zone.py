"""The zone itself: names that are taken, records that went or stand in the wrong place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from netcup_mailauth.findings import Severity
from netcup_mailauth.records import Kind
from tests.core.judge.cases import (
    CLEAN,
    DMARC,
    SPF,
    all_the_same,
    codes,
    creates,
    deletes,
    dns,
    judged,
    judged_changes,
    key_record,
    mail_zone,
    only,
    safer,
    source,
    wants,
    zone,
)

if TYPE_CHECKING:
    from netcup_mailauth.policy import DomainPolicy
    from netcup_mailauth.records import Zone

R, D, W = Severity.REFUSED, Severity.DANGER, Severity.WARNING
HARMLESS = wants({"require": ["mx"]})


def test_an_empty_zone_is_a_danger_only_where_something_would_be_written() -> None:
    found = judged(zone(), wants("v=spf1 a ~all"))
    assert "example.com reads as empty" in only(found, "zone-reads-empty").message
    assert "zone-reads-empty" not in codes(judged(zone(), wants(dkim="dkim")))


def test_a_cname_in_the_way_is_refused_and_can_be_left_alone() -> None:
    taken = mail_zone(SPF, (), (), "_dmarc CNAME a.example.net", "dkim._domainkey CNAME b.example")
    policy = wants(dmarc=DMARC, dkim="dkim")
    found = judged(taken, policy, source(key_record()))
    assert codes(found, R) == ["dkim-cname", "cname-conflict"]
    conflict = only(found, "cname-conflict")
    assert "_dmarc.example.com is a CNAME to a.example.net" in conflict.message
    assert "--selector" in only(found, "dkim-cname").advice
    assert safer(taken, policy, source(key_record())) is None
    with_spf = wants({"require": ["a"]}, DMARC, "dkim")
    assert safer(taken, with_spf, source(key_record())) == wants({"require": ["a"]}).only(
        [Kind.SPF]
    )


BROKEN_SPF, BROKEN_DMARC = "v=spf1 ip4:x ~all", "v=DMARC1;p=none;sp=rejekt"


@pytest.mark.parametrize(
    ("before", "code", "table"),
    [
        (
            mail_zone(SPF, (), None, "_dmarc CNAME a.example.net"),
            "cname-conflict",
            {"dmarc": DMARC},
        ),
        (mail_zone(SPF, (), None, "_dmarc NS ns.example.net"), "name-delegated", {"dmarc": DMARC}),
        (mail_zone(SPF, BROKEN_DMARC), "dmarc-syntax", {"dmarc": {"policy": "reject"}}),
        (mail_zone(BROKEN_SPF), "spf-syntax", {"spf": {"require": ["a"]}}),
    ],
)
def test_a_kind_is_left_alone_where_something_else_is_wanted(
    before: Zone, code: str, table: dict[str, Any]
) -> None:
    assert code in codes(judged(before, wants(**table)))
    assert safer(before, wants(**table)) is None
    policy = wants(**{"spf": SPF, "dmarc": DMARC, **table}, dkim="dkim")
    rest = set(policy.manages) - {Kind(next(iter(table)))}
    better = safer(before, policy, source(key_record()))
    assert better
    assert set(better.manages) == rest


def test_a_cname_beside_what_only_stays_or_goes_is_no_refusal() -> None:
    odd = mail_zone(SPF, DMARC, None, "_dmarc CNAME a.example.net")
    kept = judged(odd, wants({"require": ["a"]}, {"policy": "quarantine"}))
    assert only(kept, "cname-conflict").severity is W
    gone = judged_changes(odd, deletes(odd, Kind.DMARC, "_dmarc"))
    assert only(gone, "cname-conflict").severity is W


def test_netcups_own_dkim_cnames_are_not_in_the_way_of_another_selector() -> None:
    before = mail_zone(SPF, DMARC, None, "key1._domainkey CNAME key1._domainkey.webhosting.systems")
    assert codes(judged(before, wants(dkim="dkim"), source(key_record())), R) == []


@pytest.mark.parametrize(
    ("cut", "named"),
    [
        ("_dmarc NS ns.vendor.example", "_dmarc.example.com is delegated to ns.vendor.example"),
        ("_dmarc NS ns.vendor.example.", "_dmarc.example.com is delegated to ns.vendor.example,"),
        ("_domainkey NS ns.vendor.example", "is delegated with _domainkey.example.com to"),
        ("dkim._domainkey NS ns.vendor.example", "dkim._domainkey.example.com is delegated to"),
    ],
)
def test_a_record_below_a_delegation_would_never_be_served(cut: str, named: str) -> None:
    policy = wants(SPF, DMARC, "dkim")
    found = judged(mail_zone(SPF, (), (), cut), policy, source(key_record()))
    told = only(found, "name-delegated")
    assert (told.severity, "never served" in told.message) == (D, True)
    assert named in told.message
    assert all_the_same(mail_zone(SPF, (), (), cut), policy, source(key_record())) == ()


def test_all_that_a_delegated_mail_domain_would_have_is_never_served() -> None:
    cut = mail_zone(SPF, DMARC, None, "shop NS ns1.vendor.example", "shop NS ns2.vendor.example")
    policy = wants(SPF, DMARC, "dkim")
    found = judged(cut, policy, source(key_record()), domain="shop.example.com")
    assert codes(found, D).count("name-delegated") == 3
    assert all("ns1.vendor.example and ns2" in f.message for f in found if f.severity is D)


@pytest.mark.parametrize(
    "line", ["@ NS root-dns.netcup.net", "shop NS ns.example", "x_dmarc NS ns.example"]
)
def test_other_name_servers_are_no_delegation_of_a_mail_record(line: str) -> None:
    found = judged(mail_zone(SPF, (), None, line), wants(SPF, DMARC))
    assert "name-delegated" not in codes(found)


WILDCARD = ("* A 203.0.113.80", "* AAAA 2001:db8::80")


@pytest.mark.parametrize(
    ("policy", "by"),
    [
        (wants("v=spf1 mx -all"), "shop"),
        (wants(dmarc=DMARC), "_dmarc.shop"),
        (wants(dkim="dkim"), "dkim._domainkey.shop"),
    ],
)
def test_a_name_that_comes_to_exist_is_told_what_the_wildcard_no_longer_serves(
    policy: DomainPolicy, by: str
) -> None:
    before = mail_zone(SPF, DMARC, None, *WILDCARD)
    found = only(
        judged(before, policy, source(key_record()), domain="shop.example.com"), "wildcard-shadowed"
    )
    assert found.severity is D
    assert f"A record at {by}.example.com makes shop.example.com exist" in found.message
    assert "A 203.0.113.80 and AAAA 2001:db8::80 would no longer be served" in found.message


def test_every_host_in_between_is_named_and_the_closest_wildcard() -> None:
    before = mail_zone(SPF, DMARC, None, *WILDCARD, "www.b A 203.0.113.7", "*.b CNAME cdn.example")
    found = judged(before, wants(dmarc=DMARC), domain="x.a.b.example.com")
    message = only(found, "wildcard-shadowed").message
    assert "makes x.a.b.example.com and a.b.example.com exist" in message
    assert "*.b.example.com no longer answers" in message
    assert "CNAME cdn.example would" in message


@pytest.mark.parametrize(
    ("more", "domain"),
    [
        (WILDCARD, "example.com"),  # _dmarc and dkim._domainkey are asked for by receivers alone
        ((*WILDCARD, "shop A 203.0.113.9"), "shop.example.com"),
        ((*WILDCARD, "www.shop A 203.0.113.9"), "shop.example.com"),
        ((*WILDCARD, "_dmarc.shop TXT v=DMARC1;p=none"), "shop.example.com"),
        (("*.intern A 203.0.113.9",), "shop.example.com"),
        ((), "shop.example.com"),
    ],
)
def test_nothing_is_shadowed_that_no_wildcard_answered(more: tuple[str, ...], domain: str) -> None:
    policy = wants("v=spf1 mx -all", DMARC, "dkim")
    found = judged(mail_zone((), (), (), *more), policy, source(key_record()), domain=domain)
    assert "wildcard-shadowed" not in codes(found)


def test_a_record_that_takes_the_place_of_a_wildcards_shadows_only_the_rest() -> None:
    same = mail_zone(SPF, DMARC, None, "* TXT v=spf1 -all")
    whole = wants("v=spf1 mx -all")
    assert "wildcard-shadowed" not in codes(judged(same, whole, domain="shop.example.com"))
    more = mail_zone(SPF, DMARC, None, "* TXT v=spf1 -all", "* TXT token=1")
    found = only(judged(more, whole, domain="shop.example.com"), "wildcard-shadowed")
    assert ": TXT token=1 would no longer be served" in found.message


@pytest.mark.parametrize("kind", ["spf", "dmarc"])
def test_a_record_that_vanished_is_not_made_anew_from_parts_unasked(kind: str) -> None:
    had = mail_zone("v=spf1 mx include:news.example -all", f"{DMARC};np=reject")
    now = mail_zone((), ())
    parts = wants({"require": ["mx"]}) if kind == "spf" else wants(dmarc={"policy": "none"})
    found = only(judged(now, parts, remembered=had), "record-vanished")
    assert found.severity is D
    news = dns({"news.example": [{"SPF": "v=spf1 ip4:192.0.2.0/24 -all"}]})
    policy = safer(now, parts, remembered=had, dns=news)
    texts = {"spf": "v=spf1 mx include:news.example -all"}
    texts["dmarc"] = f"{DMARC.replace('quarantine', 'none')};np=reject"
    assert getattr(policy, kind).record == texts[kind]
    assert "include:news.example" in found.message or "np=reject" in found.message
    assert all_the_same(now, parts, remembered=had) == ()


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
        ("dkim TXT v=DKIM1;k=rsa;p=AAAA", "a DKIM key belongs at <selector>._domainkey"),
        ("_domainkey TXT v=DKIM1;p=AAAA", "a DKIM key belongs at <selector>._domainkey"),
        ("@ TXT v=DKIM1; p=AAAA", "a DKIM key belongs at <selector>._domainkey"),
        ("_dmarc TXT v=DKIM1;p=AAAA", "a DKIM key belongs at <selector>._domainkey"),
        ("_domainkey.intern TXT v=DKIM1;p=AAAA", "a DKIM key belongs at <selector>._domainkey"),
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
        "other._domainkey TXT v=DKIM1;p=AAAA",
        "other._domainkey.intern TXT v=DKIM1;p=AAAA",
        "dkim TXT p=AAAA",
        "_domainkey TXT o=~",  # of DomainKeys, the forerunner
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
