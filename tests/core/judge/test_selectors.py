"""At a selector a key that receivers read is the record; what they do not read is only named."""

from __future__ import annotations

from dataclasses import replace

import pytest

from netcup_mailauth.findings import Severity
from netcup_mailauth.judge import check, guard
from netcup_mailauth.judge.case import Case
from netcup_mailauth.judge.check import Subject
from netcup_mailauth.kinds import live
from netcup_mailauth.lookup import ZoneLookup
from netcup_mailauth.plan import Action, Change, ChangeSet, Kept, Place, applied, drift, outcome
from netcup_mailauth.records import Kind, Zone
from tests.core.judge.cases import (
    DMARC,
    SPF,
    case_of,
    codes,
    dns,
    judged,
    key_record,
    mail_zone,
    only,
    source,
    wants,
)

PLACE = Place("example.com", "example.com", "ccp")
AT = "dkim._domainkey"
KEY, OTHER = key_record(), key_record(number=2)
P = KEY.rpartition("p=")[2]

NOT_READ = [
    "hello",
    "",
    "v=spf1 mx -all",
    "v=DMARC1; p=none",
    "google-site-verification=abc",
    f'"{OTHER}"',
    OTHER.replace(";", "\\;"),
    "v=DKIM2; p=abc",
]
READ = [
    OTHER,
    OTHER.removeprefix("v=DKIM1;"),
    OTHER.replace("v=", "V="),
    OTHER.replace("DKIM1", "dkim1"),
    f"k=rsa; P={P}",
    f"hello; p={P}",
    "v=DKIM1; p=",
    "v=DKIM1; k=rsa; p=MIIB",
    "v=DKIM1",
    " v = DKIM1 ; k=rsa",
]
"""What dkimpy, mailauth or both take for a key record, be it usable or not."""


def texts(zone: Zone) -> list[str]:
    return [record.destination for record in zone.at(AT, "TXT")]


def after(before: Zone, wanted: str) -> list[str]:
    """What stands at the selector when a key is written."""
    case, _ = case_of(before, wants(dkim="dkim"), source(wanted))
    return texts(applied(before, case.change_set.changes))


@pytest.mark.parametrize("text", NOT_READ)
@pytest.mark.parametrize("order", [1, -1])
def test_what_no_receiver_reads_stays_beside_a_key_and_is_named(text: str, order: int) -> None:
    before = mail_zone(SPF, DMARC, (OTHER, text)[::order])
    assert after(before, KEY) == [KEY, text][::order]
    for policy, key in ((wants(dkim="dkim"), source(KEY)), (wants({"require": ["mx"]}), None)):
        found = judged(before, policy, key)
        if text.startswith(("v=spf1", "v=DMARC1")):  # which belongs elsewhere
            assert only(found, "misplaced-record").severity is Severity.WARNING
            continue
        told = only(found, "near-miss")
        assert told.severity is Severity.WARNING
        assert "of two texts it is undefined which is read" in told.message
        assert "Delete it in the CCP" in told.advice


@pytest.mark.parametrize("text", READ)
def test_what_a_receiver_reads_is_a_duplicate(text: str) -> None:
    assert after(mail_zone(SPF, DMARC, (KEY, text)), KEY) == [KEY]
    assert after(mail_zone(SPF, DMARC, (text, KEY)), KEY) == [KEY]


@pytest.mark.parametrize("text", NOT_READ)
def test_where_there_is_no_key_the_new_one_takes_the_place_of_the_text(text: str) -> None:
    """Beside it the key would be undefined for receivers."""
    before = mail_zone(SPF, DMARC, text)
    assert after(before, KEY) == [KEY]
    found = judged(before, wants(dkim="dkim"), source(KEY))
    assert "It becomes v=DKIM1;k=rsa;p=" in only(found, "near-miss").message


@pytest.mark.parametrize("text", NOT_READ)
def test_what_was_written_beside_such_a_text_fits_what_is_read_back(text: str) -> None:
    before = mail_zone(SPF, DMARC, (OTHER, text))
    case, _ = case_of(before, wants(dkim="dkim"), source(KEY))
    change_set = replace(case.change_set, place=PLACE)
    assert drift(change_set, before) == ()
    assert outcome(change_set, case.after) == ()
    assert outcome(change_set, before) != ()


@pytest.mark.parametrize("text", NOT_READ)
def test_a_key_is_taken_out_beside_such_a_text(text: str) -> None:
    before = mail_zone(SPF, DMARC, (OTHER, text))
    (key,) = live(before, Kind.DKIM, AT)
    change_set = ChangeSet(PLACE, (Change(Action.DELETE, Kind.DKIM, key, None),))
    gone = applied(before, change_set.changes)
    assert drift(change_set, before) == ()
    assert outcome(change_set, gone) == ()
    assert outcome(change_set, before) != ()
    found = guard.judge(Case(change_set, before, dns=dns()))
    assert "dkim-revokes-key" in codes(found)


def test_a_text_that_was_to_go_and_is_there_still_is_no_success() -> None:
    before = mail_zone(SPF, DMARC, "hello")
    (text,) = live(before, Kind.DKIM, AT)
    change_set = ChangeSet(PLACE, (Change(Action.DELETE, Kind.DKIM, text, None),))
    assert outcome(change_set, before) != ()


def test_a_text_that_comes_where_a_key_was_to_be_made_makes_the_plan_stale() -> None:
    before = mail_zone(SPF, DMARC, ())
    case, _ = case_of(before, wants(dkim="dkim"), source(KEY))
    change_set = replace(case.change_set, place=PLACE)
    assert drift(change_set, before) == ()
    assert drift(change_set, mail_zone(SPF, DMARC, "hello")) != ()


def test_what_stays_is_no_part_of_the_change_set() -> None:
    before = mail_zone(SPF, DMARC, (KEY, "hello"))
    case, _ = case_of(before, wants(dkim="dkim"), source(KEY))
    assert case.change_set.changes == ()
    (kept,) = case.change_set.unchanged
    assert kept == Kept(Kind.DKIM, before.at(AT, "TXT")[0])
    assert case.change_set.untouched == len(before.records) - 1


@pytest.mark.parametrize("text", NOT_READ)
def test_for_receivers_any_second_text_makes_the_key_undefined(text: str) -> None:
    published = ZoneLookup(mail_zone(SPF, DMARC, (KEY, text)), dns())
    verdict = check.judge(Subject("example.com", selectors=("dkim",)), published)
    (told,) = [f for (kind, _), f in verdict.findings if kind is Kind.DKIM]
    assert (told.code, told.severity) == ("dkim-multiple", Severity.DANGER)


def test_a_long_text_is_named_by_its_head_and_tail_and_the_key_it_holds() -> None:
    before = mail_zone(SPF, DMARC, (KEY, f'"{OTHER}"'), f"@ TXT {OTHER}")
    found = judged(before, wants({"require": ["mx"]}))
    assert P[40:80] not in str(found)
    misplaced = only(found, "misplaced-record").message
    key = source(OTHER).key
    assert key is not None
    assert OTHER[:30] in misplaced
    assert OTHER[-10:] in misplaced
    assert f"(RSA 2048, {key.fingerprint})" in misplaced
