"""Before a write the records are those of the plan, after it those it wanted; else it is said."""

from __future__ import annotations

from dataclasses import replace

import pytest

from netcup_mailauth.findings import Finding, Severity
from netcup_mailauth.others import OtherRecords, other_records
from netcup_mailauth.plan import (
    applied,
    arrived_in_part,
    compute,
    drift,
    has_twin,
    new_draft,
    outcome,
    rebound,
)
from netcup_mailauth.records import DnsRecord, Zone
from tests.core.test_plan import DEFAULT, DMARC, PLACE, SPF, WISHES, txt, written, zone


@pytest.mark.parametrize(
    "moved",
    [
        zone(DEFAULT.records[0], DEFAULT.records[2]),
        zone(*DEFAULT.records, txt("4", "@", "v=spf1 ip4:192.0.2.1 -all")),
        zone(DEFAULT.records[0], txt("2", "@", "v=spf1 -all"), DEFAULT.records[2]),
        zone(*DEFAULT.records, DnsRecord("5", "_dmarc", "CNAME", "elsewhere.example")),
        zone(*DEFAULT.records, txt("6", "_dmarc", "v=DMARC1;p=none")),
    ],
    ids=["one-fewer", "one-more", "another-value", "a-cname", "meanwhile-created"],
)
def test_a_zone_that_moved_on_is_drift_and_named(moved: Zone) -> None:
    change_set = compute(PLACE, DEFAULT, WISHES)
    assert drift(change_set, moved)


def test_a_change_elsewhere_in_the_zone_is_no_drift() -> None:
    change_set = compute(PLACE, DEFAULT, WISHES)
    moved = zone(*DEFAULT.records, DnsRecord("9", "www", "A", "192.0.2.9"))
    assert drift(change_set, moved) == ()
    assert other_records(change_set, DEFAULT, moved) == OtherRecords(new=moved.records[-1:])


@pytest.mark.parametrize("lost", range(3))
def test_each_change_that_did_not_arrive_is_named(lost: int) -> None:
    change_set = compute(PLACE, DEFAULT, WISHES)
    partly = [change for index, change in enumerate(change_set.changes) if index != lost]
    problems = outcome(change_set, written(DEFAULT, partly))
    assert change_set.changes[lost].hostname in problems[0]


def test_a_doubled_create_is_not_taken_for_the_planned_one() -> None:
    change_set = compute(PLACE, zone(), [DMARC])
    twice = zone(txt("1", "_dmarc", DMARC.value), txt("2", "_dmarc", DMARC.value))
    assert outcome(change_set, twice)


def renamed(before: Zone) -> Zone:
    """The same zone as another program leaves it that deletes and creates: every id is new."""
    records = (replace(r, id=f"9{r.id}") for r in reversed(before.records))
    return replace(before, records=tuple(records))


def test_ids_are_addresses_so_the_same_records_under_new_ones_are_no_drift() -> None:
    change_set = compute(PLACE, DEFAULT, WISHES)
    assert drift(change_set, renamed(DEFAULT)) == ()
    assert other_records(change_set, DEFAULT, renamed(DEFAULT)) == OtherRecords()


def test_an_update_that_came_under_another_id_is_as_planned() -> None:
    change_set = compute(PLACE, DEFAULT, [SPF])
    assert outcome(change_set, zone(DEFAULT.records[0], txt("77", "@", SPF.value))) == ()


def test_a_write_goes_to_the_ids_just_read() -> None:
    change_set = compute(PLACE, DEFAULT, WISHES)
    ours = rebound(change_set, renamed(DEFAULT))
    addressed = {c.before.id for c in ours.changes if c.before}
    addressed |= {kept.record.id for kept in ours.unchanged}
    assert addressed
    assert addressed <= {record.id for record in renamed(DEFAULT).records}


def test_of_two_records_of_one_text_each_is_addressed_once() -> None:
    twice = zone(txt("1", "@", "v=spf1 -all"), txt("2", "@", "v=spf1 -all"))
    change_set = compute(PLACE, twice, [SPF])
    assert drift(change_set, renamed(twice)) == ()
    ours = rebound(change_set, renamed(twice))
    assert {c.before.id for c in ours.changes if c.before} == {"91", "92"}


def test_of_two_records_of_one_text_the_one_that_was_meant_is_addressed() -> None:
    change_set = compute(PLACE, zone(txt("1", "@", SPF.value), txt("2", "@", SPF.value)), [SPF])
    for order in (("1", "2"), ("2", "1")):
        ours = rebound(change_set, zone(*(txt(number, "@", SPF.value) for number in order)))
        assert [c.before.id for c in ours.changes if c.before] == ["2"]
        assert [kept.record.id for kept in ours.unchanged] == ["1"]


def test_no_text_is_said_to_be_missing_and_to_be_too_much() -> None:
    change_set = compute(PLACE, DEFAULT, WISHES)
    moved = replace(renamed(DEFAULT), records=(*renamed(DEFAULT).records, txt("7", "@", SPF.value)))
    (sentence,) = drift(change_set, moved)
    assert sentence.endswith(" is new")
    gone = drift(change_set, replace(DEFAULT, records=()))
    assert gone
    assert all(sentence.endswith(" is gone") for sentence in gone)


def test_only_what_this_write_makes_is_a_part_of_it() -> None:
    change_set = compute(PLACE, DEFAULT, WISHES)
    whole = written(DEFAULT, change_set.changes)
    rivals = zone(
        DEFAULT.records[0], txt("2", "@", "v=spf1 ip4:192.0.2.7 -all"), DEFAULT.records[2]
    )
    assert not arrived_in_part(change_set, DEFAULT)
    assert not arrived_in_part(change_set, whole)
    assert not arrived_in_part(change_set, rivals)
    for change in change_set.changes:
        assert arrived_in_part(change_set, written(DEFAULT, [change]))


def test_a_delete_that_alone_arrived_is_a_part() -> None:
    twice = zone(txt("1", "@", SPF.value), txt("2", "@", "v=spf1 a -all"), txt("3", "@", "v=spf1"))
    change_set = compute(PLACE, twice, [SPF])
    assert len(change_set.changes) == 2
    assert arrived_in_part(change_set, written(twice, change_set.changes[:1]))
    assert not arrived_in_part(change_set, written(twice, change_set.changes))


def test_what_was_right_before_is_no_part_of_a_write() -> None:
    twice = zone(txt("1", "@", SPF.value), txt("2", "@", "v=spf1 a -all"))
    change_set = compute(PLACE, twice, [SPF])
    assert [kept.record.id for kept in change_set.unchanged] == ["1"]
    rivals = replace(twice, records=(*twice.records, txt("3", "@", "v=spf1 ip4:192.0.2.7 -all")))
    assert not arrived_in_part(change_set, rivals)


def test_another_priority_is_another_record() -> None:
    mx = DnsRecord("9", "@", "MX", "mail.example.com", "10")
    change_set = compute(PLACE, zone(mx), WISHES)
    now = replace(mx, priority="50")
    assert other_records(change_set, zone(mx), zone(now)) == OtherRecords(changed=((mx, now),))


CLOUD = replace(PLACE, backend="clouddns")


def cloud(*records: DnsRecord) -> Zone:
    """A zone as CloudDNS has it: a TTL for each record, and identifiers of this revision only."""
    return Zone("example.com", "clouddns", records, revision="1")


def row(identifier: str, hostname: str, text: str, ttl: int = 3600) -> DnsRecord:
    return DnsRecord(identifier, hostname, "TXT", text, ttl=ttl)


LIVE = cloud(
    DnsRecord("a", "@", "A", "203.0.113.1", ttl=3600),
    row("b", "@", "v=spf1 mx a ~all", 300),
    row("c", "@", "google-site-verification=abc"),
)


def renumbered(before: Zone) -> Zone:
    """The same zone in another revision."""
    records = (replace(r, id=f"x{number}") for number, r in enumerate(before.records))
    return replace(before, revision="2", records=tuple(records))


def test_where_records_have_a_ttl_their_identifiers_are_no_drift() -> None:
    change_set = compute(CLOUD, LIVE, WISHES, 3600)
    assert drift(change_set, renumbered(LIVE)) == ()
    assert other_records(change_set, LIVE, renumbered(LIVE)) == OtherRecords()
    assert outcome(change_set, renumbered(applied(LIVE, change_set.changes))) == ()


def test_the_serial_of_the_zone_is_not_somebody_elses_change() -> None:
    change_set = compute(CLOUD, LIVE, [SPF], 3600)
    before, after = (
        replace(LIVE, records=(*LIVE.records, DnsRecord(f"s{n}", "@", "SOA", f"ns h {n}", ttl=60)))
        for n in (1, 2)
    )
    assert other_records(change_set, before, after) == OtherRecords()


def test_an_update_keeps_the_ttl_and_a_new_record_gets_one() -> None:
    change_set = compute(CLOUD, LIVE, WISHES, 1800)
    assert {c.hostname: c.after.ttl for c in change_set.changes if c.after} == {
        "@": 300,
        "dkim._domainkey": 1800,
        "_dmarc": 1800,
    }


def test_an_update_keeps_its_own_ttl_beside_a_text_with_a_shorter_one() -> None:
    beside = replace(LIVE, records=(*LIVE.records, row("d", "@", "of-somebody-else=1", 60)))
    (change,) = compute(CLOUD, beside, [SPF], 1800).changes
    assert change.after is not None
    assert change.after.ttl == 300


def test_another_ttl_is_another_record_and_is_named() -> None:
    change_set = compute(CLOUD, LIVE, [SPF], 3600)
    slower = replace(LIVE, records=(row("b", "@", "v=spf1 mx a ~all", 60), *LIVE.records[2:]))
    assert any("TTL 60" in sentence for sentence in drift(change_set, slower))


def test_a_second_row_of_the_same_text_is_drift() -> None:
    change_set = compute(CLOUD, LIVE, [SPF], 3600)
    twice = replace(LIVE, records=(*LIVE.records, row("d", "@", "v=spf1 mx a ~all", 300)))
    assert drift(change_set, twice)


def test_a_zone_on_the_other_api_does_not_fit_whatever_is_in_it() -> None:
    change_set = compute(CLOUD, LIVE, [SPF], 3600)
    (sentence,) = drift(change_set, replace(LIVE, backend="ccp"))
    assert "another API" in sentence


def test_a_draft_is_found_that_the_change_set_was_not_judged_with() -> None:
    change_set = compute(CLOUD, LIVE, [SPF], 3600)
    assert new_draft(change_set, LIVE) == ()
    drafted = replace(LIVE, draft="d1")
    (sentence,) = new_draft(change_set, drafted)
    assert "not committed" in sentence
    known = Finding("zone-has-draft", Severity.DANGER, "Somebody is at it.")
    assert new_draft(replace(change_set, findings=(known,)), drafted) == ()


def test_rows_that_differ_in_nothing_but_the_identifier_are_twins() -> None:
    one = row("b", "@", "v=spf1 -all")
    assert has_twin(one, cloud(one, replace(one, id="c")))
    assert not has_twin(one, cloud(one, replace(one, id="c", ttl=60)))
    assert not has_twin(one, cloud(one, replace(one, id="c", raw='"v=spf1" " -all"')))
    assert not has_twin(one, cloud(one))
