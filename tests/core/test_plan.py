"""A change set upserts by meaning, touches nothing else, and knows when it no longer fits."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netcup_mailauth.errors import ExitCode, ZoneError
from netcup_mailauth.kinds import of_kind
from netcup_mailauth.others import OtherRecords, other_records
from netcup_mailauth.plan import (
    Action,
    Change,
    ChangeSet,
    Failure,
    Place,
    Plan,
    applied,
    compute,
    drift,
    outcome,
    rebound,
)
from netcup_mailauth.records import DesiredRecord, DnsRecord, Kind, Zone
from tests.effort import tries
from tests.strategies import zones

if TYPE_CHECKING:
    from collections.abc import Sequence

PLACE = Place("example.com", "example.com", "ccp", "https://ccp.example", "abc")
SPF = DesiredRecord(Kind.SPF, "@", "v=spf1 mx a -all")
DMARC = DesiredRecord(Kind.DMARC, "_dmarc", "v=DMARC1;p=quarantine")
DKIM = DesiredRecord(
    Kind.DKIM,
    "dkim._domainkey",
    "v=DKIM1;k=ed25519;p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
    source="a test",
    fingerprint="SHA256:0",
)
WISHES = (SPF, DKIM, DMARC)


def txt(identifier: str, hostname: str, text: str) -> DnsRecord:
    return DnsRecord(identifier, hostname, "TXT", text)


def zone(*records: DnsRecord) -> Zone:
    return Zone("example.com", "ccp", records)


def written(before: Zone, changes: Sequence[Change]) -> Zone:
    """The zone as an API leaves it: created records get an id of their own."""
    after = applied(before, changes)
    fresh = count(9000)
    records = (r if r.id is not None else replace(r, id=str(next(fresh))) for r in after.records)
    return replace(after, records=tuple(records))


DEFAULT = zone(
    DnsRecord("1", "@", "A", "203.0.113.1"),
    txt("2", "@", "v=spf1 mx a include:_spf.webhosting.systems ~all"),
    txt("3", "@", "google-site-verification=abc"),
)


def test_an_existing_record_is_updated_in_place_and_missing_ones_are_created() -> None:
    change_set = compute(PLACE, DEFAULT, WISHES)
    assert [(c.action, c.kind) for c in change_set.changes] == [
        (Action.UPDATE, Kind.SPF),
        (Action.CREATE, Kind.DKIM),
        (Action.CREATE, Kind.DMARC),
    ]
    update = change_set.changes[0]
    assert update.before == DEFAULT.records[1]
    assert change_set.untouched == 2
    assert change_set.untouched_beside == 1


def test_what_is_right_already_is_none_of_the_untouched() -> None:
    change_set = compute(PLACE, zone(*DEFAULT.records, txt("4", "_dmarc", DMARC.value)), WISHES)
    assert [kept.record.id for kept in change_set.unchanged] == ["4"]
    assert change_set.untouched == 2


def test_a_record_that_is_updated_is_the_same_one_afterwards() -> None:
    after = applied(DEFAULT, compute(PLACE, DEFAULT, [SPF]).changes)
    assert [(r.id, r.destination) for r in of_kind(after, Kind.SPF, "@")] == [("2", SPF.value)]


def test_a_dkim_change_carries_its_source_and_fingerprint() -> None:
    (change,) = compute(PLACE, DEFAULT, [DKIM]).changes
    assert (change.source, change.fingerprint) == ("a test", "SHA256:0")


@pytest.mark.parametrize(
    ("wish", "live"),
    [
        (SPF, "V=SPF1  MX +a -ALL"),
        (replace(SPF, value="v=spf1 ip4:203.0.113.7 -all"), "v=spf1 ip4:203.0.113.7/32 -all"),
        (DKIM, "v=DKIM1; p=11qYAYKxCrfVS/7TyWQHOg7h cvPapiMlrwIaaPcHURo= ; k=ed25519;"),
        (replace(DMARC, value="v=DMARC1;p=none;adkim=s"), "v=DMARC1 ; adkim=s; p=none;"),
    ],
    ids=["spf-case-and-blanks", "spf-host-prefix", "dkim-tag-order-and-blanks", "dmarc-tag-order"],
)
def test_equal_meaning_is_no_change_whatever_the_spelling(wish: DesiredRecord, live: str) -> None:
    record = txt("7", wish.hostname, live)
    change_set = compute(PLACE, zone(record), [wish])
    assert change_set.is_empty
    assert change_set.unchanged[0].record == record


def test_duplicates_collapse_to_the_one_that_is_right_already() -> None:
    right, wrong = txt("9", "@", "v=spf1 mx a -all"), txt("8", "@", "v=spf1 mx ~all")
    change_set = compute(PLACE, zone(wrong, right), [SPF])
    assert [(c.action, c.before) for c in change_set.changes] == [(Action.DELETE, wrong)]
    assert change_set.unchanged[0].record == right


def test_duplicates_collapse_into_the_oldest_when_none_is_right() -> None:
    old, new = txt("8", "@", "v=spf1 mx ~all"), txt("11", "@", "v=spf1 a ~all")
    change_set = compute(PLACE, zone(new, old), [SPF])
    assert [(c.action, c.before) for c in change_set.changes] == [
        (Action.UPDATE, old),
        (Action.DELETE, new),
    ]


def test_a_record_without_an_id_can_be_kept_and_updated() -> None:
    nameless = DnsRecord(None, "@", "TXT", "v=spf1 ~all", ttl=300)
    (change,) = compute(PLACE, zone(nameless), [SPF]).changes
    assert change.after is not None
    assert change.after.ttl == 300


@pytest.mark.parametrize(
    ("beside", "ttl"), [([], 3600), ([300], 300), ([86_400, 300, 600], 300), ([None], 3600)]
)
def test_a_new_record_takes_the_ttl_of_the_texts_at_its_name(
    beside: list[int | None], ttl: int
) -> None:
    """One set of records has one TTL (RFC 2181, 5.2); other names and types say nothing of it."""
    texts = [replace(txt(str(n), "@", f"other {n}"), ttl=one) for n, one in enumerate(beside)]
    others = [
        replace(txt("90", "www", "elsewhere"), ttl=60),
        DnsRecord("91", "@", "MX", "mail.example.com", "10", ttl=60),
    ]
    change_set = compute(PLACE, zone(*others, *texts), [SPF], 3600)
    assert [c.after and c.after.ttl for c in change_set.changes] == [ttl]


def test_what_is_new_gets_the_ttl_of_the_texts_there_are_when_it_is_written() -> None:
    planned = compute(PLACE, zone(replace(txt("1", "@", "other"), ttl=300)), [SPF], 3600)
    later = zone(replace(txt("1", "@", "other"), ttl=900))
    assert [c.after and c.after.ttl for c in rebound(planned, later).changes] == [900]


def test_deletes_come_last_so_that_a_half_done_write_leaves_no_name_empty() -> None:
    records = [txt("1", "@", "v=spf1 a"), txt("2", "@", "v=spf1 mx"), txt("3", "_dmarc", "x")]
    actions = [c.action for c in compute(PLACE, zone(*records), WISHES).changes]
    assert actions == sorted(actions, key=lambda action: action is Action.DELETE)
    assert Action.DELETE in actions


@settings(max_examples=tries(300))
@given(zones())
def test_a_plan_after_its_own_apply_is_empty(live: Zone) -> None:
    change_set = compute(PLACE, live, WISHES)
    after = written(live, change_set.changes)
    assert compute(PLACE, after, WISHES).is_empty
    assert outcome(change_set, after) == ()
    assert drift(change_set, live) == ()


@settings(max_examples=tries(300))
@given(zones())
def test_records_not_concerned_stay_identical_with_their_ids(live: Zone) -> None:
    change_set = compute(PLACE, live, WISHES)
    touched = {change.before for change in change_set.changes}
    touched |= {kept.record for kept in change_set.unchanged}
    others = [record for record in live.records if record not in touched]
    after = written(live, change_set.changes).records
    assert [record for record in after if record in others] == others
    assert change_set.untouched == len(others)
    assert other_records(change_set, live, replace(live, records=after)) == OtherRecords()


@settings(max_examples=tries(200))
@given(zones())
def test_every_wish_ends_as_exactly_one_record(live: Zone) -> None:
    after = written(live, compute(PLACE, live, WISHES).changes)
    counts = Counter(len(of_kind(after, wish.kind, wish.hostname)) for wish in WISHES)
    assert counts == {1: 3}


def test_a_plan_knows_whether_it_would_write() -> None:
    empty = ChangeSet(PLACE)
    assert not Plan((empty,)).has_changes
    assert Plan((empty, compute(PLACE, DEFAULT, WISHES))).has_changes


def test_a_failure_keeps_both_sentences_and_the_exit_code_of_its_error() -> None:
    failure = Failure.of(ZoneError("what", "advice"))
    assert failure == Failure(ExitCode.ZONE, "what", "advice")


@given(st.permutations(DEFAULT.records))
def test_the_order_in_which_a_zone_is_listed_does_not_matter(records: list[DnsRecord]) -> None:
    assert compute(PLACE, zone(*records), WISHES) == compute(PLACE, DEFAULT, WISHES)
