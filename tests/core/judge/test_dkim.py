"""DKIM: the signer's key stays published, and a bad one is not."""

from __future__ import annotations

import pytest

from netcup_mailauth import dkim
from netcup_mailauth.dkim import DkimSource
from netcup_mailauth.findings import Severity
from netcup_mailauth.judge.case import Signer
from netcup_mailauth.kinds import of_kind
from netcup_mailauth.records import DnsRecord, Kind, Zone
from tests.core.judge.cases import (
    CLEAN,
    DMARC,
    SPF,
    codes,
    creates,
    deletes,
    judged,
    judged_changes,
    judged_wish,
    key_record,
    mail_zone,
    only,
    source,
    wants,
)

OWN, OTHER = source(key_record()), source(key_record(number=2))
HERE = wants(dkim="dkim")
R, D, W = Severity.REFUSED, Severity.DANGER, Severity.WARNING


def test_a_selector_that_mailcow_does_not_sign_with_is_refused_with_the_right_one() -> None:
    found = judged(CLEAN, wants(dkim="s1"), OWN, signer=Signer(OWN.key, "dkim"))
    refused = only(found, "dkim-selector-mismatch")
    assert refused.severity is R
    assert "s1._domainkey.example.com" in refused.message
    assert refused.advice.endswith("--selector dkim")


@pytest.mark.parametrize("own", [None, "dkim"])
def test_the_signers_own_selector_and_an_unknown_one_are_fine(own: str | None) -> None:
    assert judged(CLEAN, HERE, OTHER, signer=Signer(OTHER.key, own)) == judged(CLEAN, HERE, OTHER)


def test_a_record_under_the_wrong_selector_that_only_stays_blocks_nothing_else() -> None:
    before = mail_zone(SPF, DMARC, None, f"s1._domainkey TXT {key_record()}")
    policy = wants({"require": ["a"]}, dkim="s1")
    found = judged(before, policy, OWN, signer=Signer(OWN.key, "dkim"))
    assert only(found, "dkim-selector-mismatch").severity is W


def test_an_open_rotation_keeps_its_selectors_and_nothing_else() -> None:
    held = frozenset({"dkim._domainkey"})
    refused = only(judged(CLEAN, HERE, OTHER, held=held), "rotation-in-progress")
    assert refused.severity is R
    assert "dkim._domainkey.example.com" in refused.message
    beside = judged(CLEAN, wants({"require": ["a"]}, dkim="dkim"), OWN, held=held)
    assert "rotation-in-progress" not in codes(beside)
    elsewhere = judged(CLEAN, wants(dkim="s2"), OTHER, held=held)
    assert "rotation-in-progress" not in codes(elsewhere)


def test_the_key_that_signs_does_not_go_unasked() -> None:
    found = only(judged(CLEAN, HERE, OTHER, signer=Signer(OWN.key)), "dkim-removes-signing-key")
    assert OWN.key
    assert OWN.key.fingerprint in found.message
    gone = judged_changes(
        CLEAN, deletes(CLEAN, Kind.DKIM, "dkim._domainkey"), signer=Signer(OWN.key)
    )
    assert codes(gone, D) == ["dkim-removes-signing-key"]
    kept = judged(CLEAN, HERE, OWN, signer=Signer(OWN.key))
    assert codes(kept) == []


def test_a_key_whose_record_goes_is_as_good_as_revoked() -> None:
    found = judged_changes(CLEAN, deletes(CLEAN, Kind.DKIM, "dkim._domainkey"))
    assert OWN.key
    assert OWN.key.fingerprint in only(found, "dkim-revokes-key").message


@pytest.mark.parametrize(("live", "expected"), [(None, ["dkim-revokes-key"]), ((), [])])
def test_revoking_is_a_danger_where_there_is_a_key(
    live: tuple[str, ...] | None, expected: list[str]
) -> None:
    found = judged(mail_zone(SPF, DMARC, live), HERE, source("v=DKIM1;p="))
    assert codes(found, D) == expected


def test_a_second_record_is_a_danger_and_two_that_were_two_are_not() -> None:
    added = judged_changes(CLEAN, creates(Kind.DKIM, "dkim._domainkey", "v=DKIM1;p="))
    assert only(added, "dkim-multiple").severity is D
    two = mail_zone(SPF, DMARC, (key_record(), key_record(number=2)))
    first, second = of_kind(two, Kind.DKIM, "dkim._domainkey")
    change = creates(Kind.DKIM, "dkim._domainkey", key_record(number=3))
    updated = judged_changes(two, type(change)(change.action, Kind.DKIM, first, change.after))
    already = only(updated, "dkim-multiple")
    assert already.severity is W
    assert dkim.abridged(second.destination) in already.message


def test_a_duplicate_that_the_plan_removes_needs_no_consent() -> None:
    two = mail_zone(SPF, DMARC, (key_record(), "junk"))
    assert codes(judged(two, HERE, OWN), D, R) == []


def test_a_broken_record_is_refused_where_it_is_written_and_left_where_it_stays() -> None:
    refused = judged_wish(CLEAN, Kind.DKIM, "dkim._domainkey", "v=DKIM1;k=rsa")
    assert "no p=" in only(refused, "dkim-syntax").message
    two = mail_zone(SPF, DMARC, ("junk", key_record()))
    (good,) = of_kind(two, Kind.DKIM, "dkim._domainkey")
    change = deletes(CLEAN, Kind.DKIM, "dkim._domainkey")
    left = judged_changes(two, type(change)(change.action, Kind.DKIM, good, None))
    assert "dkim-syntax" not in codes(left)


@pytest.mark.parametrize(
    ("bits", "code", "written"),
    [(512, "dkim-key-too-short", R), (1024, "dkim-key-1024", W)],
)
def test_a_weak_key_is_said_and_one_that_is_live_blocks_nothing(
    bits: int, code: str, written: Severity
) -> None:
    weak = key_record(bits)
    found = only(judged_wish(CLEAN, Kind.DKIM, "s2._domainkey", weak), code)
    assert found.severity is written
    assert f"RSA {bits}" in found.message
    live = mail_zone(SPF, DMARC, weak)
    other = mail_zone(SPF, DMARC, ())
    key = judged(other, HERE, OWN)
    assert code not in codes(key)
    kept = judged(live, HERE, DkimSource(weak, None, None, "a test", key_only=False))
    assert only(kept, code).severity is W
    assert only(kept, code).message.startswith("Already so")


@pytest.mark.parametrize("bits", [2048, 4096, 4104])
def test_a_long_key_is_fine(bits: int) -> None:
    assert codes(judged_wish(CLEAN, Kind.DKIM, "s2._domainkey", key_record(bits))) == []


def test_a_replaced_key_names_both_and_a_respelt_one_is_none() -> None:
    found = only(judged(CLEAN, HERE, OTHER), "dkim-key-replaced")
    assert OWN.key
    assert OTHER.key
    assert f"{OWN.key.fingerprint} -> {OTHER.key.fingerprint}" in found.message
    respelt = source(key_record(tags="t=s;"))
    assert codes(judged(CLEAN, HERE, respelt)) == []


@pytest.mark.parametrize(("ttl", "said"), [(None, False), (3600, False), (86400, True)])
def test_a_long_ttl_is_said_where_the_key_is_replaced(ttl: int | None, said: bool) -> None:
    live = DnsRecord(None, "dkim._domainkey", "TXT", key_record(), ttl=ttl)
    before = Zone("example.com", "clouddns", (live,))
    found = judged(before, HERE, OTHER)
    assert ("ttl-long" in codes(found)) is said
    assert "ttl-long" not in codes(judged(before, HERE, source(key_record(tags="t=s;"))))
