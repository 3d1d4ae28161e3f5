"""Undo takes back what an apply changed, record by record, and nothing that came after it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from netcup_mailauth.actions import applying
from netcup_mailauth.actions.session import Session
from netcup_mailauth.actions.undo import Target, apply_undo, plan_undo, reversal, reverted
from netcup_mailauth.errors import ExitCode, StaleError
from netcup_mailauth.judge import holding
from netcup_mailauth.plan import Action, ChangeSet, Place, Status, applied, compute, outcome
from netcup_mailauth.records import DesiredRecord, DnsRecord, Kind, Zone
from netcup_mailauth.sandbox import Quirks
from netcup_mailauth.state.journal import Entry, Journal, Mark, standing
from tests.effort import tries
from tests.sessions import Heard, journalled
from tests.story.actions.test_planfile import Keys
from tests.strategies import zones
from tests.worlds import account, backend_of, requests_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from netcup_mailauth.netcup.ccp import CcpBackend
    from netcup_mailauth.sandbox import Sandbox

"""Random applies of the property; 200 for the figure that is promised."""

KEY = "v=DKIM1;k=ed25519;p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
OTHER_KEY = "v=DKIM1;k=ed25519;p=PUAXw+hDiVqStwqnTRt+vJyYLM8uxJaMwM1V8Sr0Zgw="
SPF_BEFORE, SPF_AFTER = "v=spf1 mx ~all", "v=spf1 mx -all"
DMARC = "v=DMARC1;p=none;rua=mailto:a@example.com"
WISHES = (
    DesiredRecord(Kind.SPF, "@", SPF_AFTER),
    DesiredRecord(Kind.DKIM, "dkim._domainkey", KEY),
    DesiredRecord(Kind.DMARC, "_dmarc", DMARC),
)


def txt(identifier: str | None, hostname: str, text: str) -> DnsRecord:
    return DnsRecord(identifier, hostname, "TXT", text)


def zone(*records: DnsRecord) -> Zone:
    return Zone("example.com", "ccp", records)


WWW = DnsRecord("90", "www", "A", "192.0.2.1")
TOKEN = txt("91", "@", "google-site-verification=x")
BEFORE = zone(WWW, TOKEN, txt("1", "@", SPF_BEFORE), txt("2", "_dmarc", "v=DMARC1;p=reject"))


def applied_to(before: Zone, *wishes: DesiredRecord) -> tuple[Entry, Zone]:
    """What the journal has of an apply, and the zone after it, with new ids for what is new."""
    change_set = compute(Place("example.com", "example.com", "ccp"), before, wishes or WISHES)
    after = applied(before, change_set.changes)
    numbered = (replace(r, id=r.id or str(500 + n)) for n, r in enumerate(after.records))
    entry = Entry("E1", "run", "2026", Mark.VERIFIED, change_set, before)
    return entry, replace(after, records=tuple(numbered))


def told(change_set: ChangeSet) -> list[tuple[str, str, str | None, str | None]]:
    """The changes in short: what, where, from, to."""
    return [
        (
            c.action.value,
            c.hostname,
            c.before.destination if c.before else None,
            c.after.destination if c.after else None,
        )
        for c in change_set.changes
    ]


def with_text(live: Zone, hostname: str, old: str, new: str | None) -> Zone:
    """The zone with one record's text changed, or the record gone."""
    records = [
        replace(r, destination=new or "") if (r.hostname, r.destination) == (hostname, old) else r
        for r in live.records
    ]
    return replace(live, records=tuple(r for r in records if r.destination))


def test_as_the_apply_left_it_everything_is_put_back() -> None:
    entry, after = applied_to(BEFORE)
    back = reversal(entry, after)
    assert told(back) == [
        ("update", "@", SPF_AFTER, SPF_BEFORE),
        ("update", "_dmarc", DMARC, "v=DMARC1;p=reject"),
        ("delete", "dkim._domainkey", KEY, None),
    ]
    assert (back.untouched, back.untouched_beside) == (2, 1)
    assert applied(after, back.changes) == BEFORE


def test_as_it_was_before_there_is_nothing_to_do() -> None:
    entry, _ = applied_to(BEFORE)
    back = reversal(entry, BEFORE)
    assert back.is_empty
    assert {kept.record.id for kept in back.unchanged} == {"1", "2"}


def test_each_record_is_looked_at_by_itself() -> None:
    """SPF was put back by hand already; the rest is still as the apply left it."""
    entry, after = applied_to(BEFORE)
    back = reversal(entry, with_text(after, "@", SPF_AFTER, SPF_BEFORE))
    assert [c[1] for c in told(back)] == ["_dmarc", "dkim._domainkey"]
    assert [kept.record.destination for kept in back.unchanged] == [SPF_BEFORE]


def test_what_is_right_beside_and_was_not_changed_does_not_count() -> None:
    """An apply that only touched DKIM; whoever changed SPF since is not asked to explain."""
    entry, after = applied_to(BEFORE, DesiredRecord(Kind.SPF, "@", SPF_BEFORE), WISHES[1])
    back = reversal(entry, with_text(after, "@", SPF_BEFORE, "v=spf1 -all"))
    assert told(back) == [("delete", "dkim._domainkey", KEY, None)]


@pytest.mark.parametrize(
    ("hostname", "old", "new", "words"),
    [
        ("@", SPF_AFTER, "v=spf1 a -all", "'v=spf1 a -all' is there, where that apply left '"),
        ("@", SPF_AFTER, None, f"'{SPF_AFTER}' was left there, and is gone"),
        ("dkim._domainkey", KEY, OTHER_KEY, f"'{OTHER_KEY}' is there, and was not left"),
        ("_dmarc", DMARC, "v=DMARC1;p=quarantine", "'v=DMARC1;p=quarantine' is there, where"),
    ],
)
def test_what_somebody_changed_since_is_stale_and_named(
    hostname: str, old: str, new: str | None, words: str
) -> None:
    entry, after = applied_to(BEFORE)
    with pytest.raises(StaleError) as caught:
        reversal(entry, with_text(after, hostname, old, new))
    assert f"{hostname}: {words}" in caught.value.what
    assert caught.value.exit_code is ExitCode.STALE
    assert "E1" in caught.value.what


def test_a_record_that_was_added_beside_ours_is_stale() -> None:
    entry, after = applied_to(BEFORE)
    more = replace(after, records=(*after.records, txt("77", "@", "v=spf1 a -all")))
    with pytest.raises(StaleError, match="'v=spf1 a -all' is there, and was not left by that"):
        reversal(entry, more)


def test_every_record_that_moved_is_named_at_once() -> None:
    entry, after = applied_to(BEFORE)
    moved = with_text(with_text(after, "@", SPF_AFTER, None), "_dmarc", DMARC, None)
    with pytest.raises(StaleError, match=r"@: .*; _dmarc: "):
        reversal(entry, moved)


TWO = zone(txt("1", "@", SPF_BEFORE), txt("2", "@", "v=spf1 a ~all"))


def test_a_duplicate_that_the_apply_deleted_is_made_again() -> None:
    entry, after = applied_to(TWO, WISHES[0])
    back = reversal(entry, after)
    assert told(back) == [
        ("update", "@", SPF_AFTER, SPF_BEFORE),
        ("create", "@", None, "v=spf1 a ~all"),
    ]


def test_a_record_made_again_under_another_id_is_still_the_one_that_was() -> None:
    """As after an undo of the apply behind this one; or after a program that rewrites zones."""
    entry, _ = applied_to(TWO, WISHES[0])
    again = zone(txt("1", "@", SPF_BEFORE), txt("900", "@", "v=spf1 a ~all"))
    assert reversal(entry, again).is_empty
    back = reversal(entry, zone(txt("901", "@", SPF_AFTER)))
    assert [c.before and c.before.id for c in back.changes] == ["901", None]


def test_a_record_under_the_id_of_a_deleted_one_with_another_text_is_stale() -> None:
    entry, after = applied_to(TWO, WISHES[0])
    odd = replace(after, records=(*after.records, txt("2", "@", "v=spf1 ptr -all")))
    with pytest.raises(StaleError, match="where that apply left nothing"):
        reversal(entry, odd)


def test_the_one_that_stayed_of_two_alike_is_not_taken_for_the_one_that_went() -> None:
    alike = zone(txt("1", "@", SPF_AFTER), txt("2", "@", SPF_AFTER))
    entry, after = applied_to(alike, WISHES[0])
    back = reversal(entry, after)
    assert told(back) == [("create", "@", None, SPF_AFTER)]
    assert [kept.record.id for kept in back.unchanged] == ["1"]
    with pytest.raises(StaleError, match="was left there, and is gone"):
        reversal(entry, zone(WWW))


def test_what_is_put_back_keeps_its_priority_and_ttl() -> None:
    old = replace(txt("1", "@", SPF_BEFORE), priority="5", ttl=300, raw='"v=spf1 mx ~all"')
    entry, after = applied_to(zone(old), WISHES[0])
    (change,) = reversal(entry, after).changes
    assert change.after == replace(old, id=None, raw=None)


def test_a_record_whose_ttl_somebody_changed_since_keeps_the_new_one() -> None:
    old = replace(txt("1", "@", SPF_BEFORE), ttl=300)
    entry, after = applied_to(replace(zone(old), backend="clouddns"), WISHES[0])
    slower = replace(after, records=tuple(replace(r, ttl=3600) for r in after.records))
    change_set = reversal(entry, slower)
    change_set = replace(change_set, place=replace(change_set.place, backend="clouddns"))
    assert [c.after.ttl for c in change_set.changes if c.after] == [3600]
    assert outcome(change_set, applied(slower, change_set.changes)) == ()


@pytest.mark.parametrize("text", [OTHER_KEY, "v=DKIM1;p=", "no key at all"])
def test_a_key_that_is_put_back_is_shown_by_its_fingerprint(text: str) -> None:
    entry, after = applied_to(zone(txt("1", "dkim._domainkey", text)), WISHES[1])
    (change,) = reversal(entry, after).changes
    assert bool(change.fingerprint) == (text == OTHER_KEY)
    assert change.action is Action.UPDATE


# Through a back end


def write(backend: CcpBackend, folder: Path, wishes: tuple[DesiredRecord, ...]) -> Entry:
    """Apply, with a journal, and what that noted."""
    live = backend.zone("example.com")
    place = Place("example.com", "example.com", backend.name, backend.endpoint, backend.account)
    journal = Journal(folder, "run")
    result = applying.write(journalled(backend, journal), compute(place, live, wishes), live)
    assert result.status is Status.APPLIED
    return next(journal.entries("example.com"))


def take_back(backend: CcpBackend, folder: Path, entry: Entry) -> None:
    """The undo without a guard that could refuse it."""
    live = backend.zone("example.com")
    journal = Journal(folder, "undo", undoes={"example.com": entry.id})
    result = applying.write(journalled(backend, journal), reversal(entry, live), live)
    assert result.status in (Status.APPLIED, Status.UNCHANGED)


def test_the_guard_judges_an_undo_and_says_how_to_consent(tmp_path: Path) -> None:
    with account() as (_, backend):
        entry = write(backend, tmp_path, WISHES)
        change_set = reverted(Session(backend), Target(entry)).change_set
        stops = {finding.code: finding for finding in holding.stopping(change_set)}
        assert {"dkim-revokes-key", "dmarc-drops-reports"} <= set(stops)
        assert set(change_set.ways.consents) == set(stops)
        allowed = reverted(Session(backend), Target(entry, tuple(stops))).change_set
        assert holding.stopping(allowed) == ()


@pytest.mark.parametrize(
    "change",
    [{"account": "other"}, {"endpoint": "http://127.0.0.1:1/"}, {"backend": "clouddns"}],
)
def test_what_another_account_wrote_is_not_ours_to_undo(
    tmp_path: Path, change: dict[str, str]
) -> None:
    with account() as (sandbox, backend):
        entry = write(backend, tmp_path, WISHES)
        before = requests_of(sandbox)
        place = replace(entry.change_set.place, **change)
        forged = replace(entry, change_set=replace(entry.change_set, place=place))
        (failed,) = plan_undo(Session(backend), [Target(forged)]).zones
        assert failed.error is not None
        assert failed.error.exit_code is ExitCode.USAGE
        assert next(iter(change.values())) in failed.error.message
        assert requests_of(sandbox) == before, "nothing is asked about it"


def test_a_near_miss_that_an_apply_took_is_put_back_as_it_was() -> None:
    before = zone(WWW, txt("2", "_dmarc", " v=DMARC1; p=reject"), txt("3", "@", "v=spf1, mx"))
    entry, after = applied_to(before)
    back = reversal(entry, after)
    assert ("update", "_dmarc", DMARC, " v=DMARC1; p=reject") in told(back)
    assert ("update", "@", SPF_AFTER, "v=spf1, mx") in told(back)
    restored = applied(after, back.changes)
    assert {r.destination for r in restored.records} == {r.destination for r in before.records}
    assert outcome(back, restored) == ()


@pytest.mark.parametrize("text", ["v=dmarc1; p=reject", "p=none; v=DMARC1", " v=DMARC1;p=none"])
def test_a_near_miss_comes_back_from_the_journal_as_well(text: str, tmp_path: Path) -> None:
    with account(zones={"example.com": [record("_dmarc", text)]}) as (_, backend):
        entry = write(backend, tmp_path, (WISHES[2],))
        take_back(backend, tmp_path, entry)
        (now,) = backend.zone("example.com").at("_dmarc", "TXT")
        assert now.destination == text


def test_a_text_that_this_api_cannot_hold_is_said_and_not_sent(tmp_path: Path) -> None:
    """Made in the CCP, where more is possible than through the API."""
    with account(zones={"example.com": [record("_dmarc", "v=DMARC1;p=none;n=a")]}) as (_, backend):
        entry = write(backend, tmp_path, (WISHES[2],))
        (change,) = entry.change_set.changes
        assert change.before is not None
        odd = replace(change, before=replace(change.before, destination="v=DMARC1;p=none;n='a'"))
        forged = replace(entry, change_set=replace(entry.change_set, changes=(odd,)))
        (failed,) = plan_undo(Session(backend), [Target(forged)]).zones
        assert failed.error is not None
        assert "cannot be put back" in failed.error.message
        assert "by hand" in failed.error.advice


class TestTheSigner:
    """What an undo takes away may be the very key that mail is signed with."""

    @pytest.fixture
    def written(self, tmp_path: Path) -> Iterator[tuple[CcpBackend, Entry]]:
        """A zone whose old key an apply has replaced."""
        old = record("dkim._domainkey", OTHER_KEY)
        with account(zones={"example.com": [old]}) as (_, backend):
            yield backend, write(backend, tmp_path, WISHES)

    def codes(self, backend: CcpBackend, target: Target) -> set[str]:
        return {
            finding.code
            for finding in holding.stopping(reverted(Session(backend), target).change_set)
        }

    def test_taking_its_key_away_is_a_danger(self, written: tuple[CcpBackend, Entry]) -> None:
        backend, entry = written
        target = Target(entry, source=f"record:{KEY}")
        assert "dkim-removes-signing-key" in self.codes(backend, target)
        (found,) = [
            finding
            for finding in reverted(Session(backend), target).change_set.findings
            if finding.code == "dkim-removes-signing-key"
        ]
        assert "sign with another published key first" in found.advice
        allowed = Target(
            entry, ("dkim-removes-signing-key", "dmarc-drops-reports"), source=target.source
        )
        assert "dkim-removes-signing-key" not in self.codes(backend, allowed)

    def test_a_key_that_mail_is_signed_with_since_the_question_stays(
        self, written: tuple[CcpBackend, Entry]
    ) -> None:
        backend, entry = written
        keys = Keys(OTHER_KEY)
        session = Session(backend, keys=keys)
        targets = [Target(entry, ("dmarc-drops-reports", "spf-removed"), source="mailcow")]
        plan = plan_undo(session, targets)
        assert not holding.stopping(plan.zones[0])
        keys.record = KEY
        before = backend.zone("example.com").records
        (result,) = apply_undo(session, plan, targets).results
        assert result.status is Status.STALE
        assert result.failure is not None
        assert "mail is signed with" in result.failure.message
        assert backend.zone("example.com").records == before
        keys.record = OTHER_KEY
        assert apply_undo(session, plan, targets).exit_code is ExitCode.OK

    def test_giving_it_its_own_key_back_is_not(self, written: tuple[CcpBackend, Entry]) -> None:
        backend, entry = written
        assert "dkim-removes-signing-key" not in self.codes(
            backend, Target(entry, source=f"record:{OTHER_KEY}")
        )

    def test_one_that_cannot_be_asked_is_a_note_and_stops_nothing(
        self, written: tuple[CcpBackend, Entry]
    ) -> None:
        backend, entry = written
        heard = Heard()
        session = Session(backend, reporter=heard)
        change_set = reverted(session, Target(entry, source="file:/nowhere/key")).change_set
        assert len(change_set.changes) == 3
        (note,) = heard.notes
        assert "example.com: which key its mail is signed with is not known" in note
        assert "/nowhere/key is not there" in note

    def test_it_is_not_asked_where_no_key_is_at_stake(self, tmp_path: Path) -> None:
        with account() as (_, backend):
            entry = write(backend, tmp_path, (WISHES[0],))
            heard = Heard()
            target = Target(entry, source="file:/nowhere/key")
            reverted(Session(backend, reporter=heard), target)
            assert heard.notes == []


def record(hostname: str, text: str) -> dict[str, object]:
    return {"hostname": hostname, "type": "TXT", "destination": text}


def test_one_domain_that_fails_does_not_stop_the_others(tmp_path: Path) -> None:
    with account() as (_, backend):
        good = write(backend, tmp_path, WISHES)
        place = replace(good.change_set.place, domain="gone.example", zone="gone.com")
        bad = replace(good, change_set=replace(good.change_set, place=place))
        failed, fine = plan_undo(Session(backend), [Target(bad), Target(good)]).zones
        assert failed.error is not None
        assert failed.error.exit_code is ExitCode.ZONE
        assert len(fine.changes) == 3


def test_an_error_that_ends_the_run_leaves_the_others_untried(tmp_path: Path) -> None:
    with account() as (sandbox, backend):
        entry = write(backend, tmp_path, WISHES)
        with backend_of(sandbox, api_password="wrong-password") as locked_out:
            first, second = plan_undo(Session(locked_out), [Target(entry), Target(entry)]).zones
        assert first.error is not None
        assert second.error is not None
        assert first.error.exit_code is ExitCode.CREDENTIALS
        assert second.error.message == "not tried"


TEXTS = {
    Kind.SPF: ("@", ("v=spf1 mx -all", "v=spf1 mx a ip4:203.0.113.7 -all", "v=spf1 -all")),
    Kind.DKIM: ("dkim._domainkey", (KEY, OTHER_KEY)),
    Kind.DMARC: ("_dmarc", ("v=DMARC1;p=none", DMARC, "v=DMARC1;p=reject")),
}


@st.composite
def wishes(draw: st.DrawFn) -> tuple[DesiredRecord, ...]:
    """One to three records that somebody may want."""
    kinds = draw(st.lists(st.sampled_from(list(TEXTS)), min_size=1, max_size=3, unique=True))
    return tuple(
        DesiredRecord(kind, TEXTS[kind][0], draw(st.sampled_from(TEXTS[kind][1]))) for kind in kinds
    )


def contents(sandbox: Sandbox, *, ids: bool) -> list[tuple[object, ...]]:
    """The zone, without the state, which tells what the name servers have."""
    keys = ("id", "hostname", "type", "priority", "destination", "deleterecord")
    return sorted(
        tuple(str(record[key]) for key in (keys if ids else keys[1:]))
        for record in sandbox.zone("example.com")
    )


def over_random_applies(
    applies: int, check: Callable[[Sandbox, CcpBackend, list[tuple[DesiredRecord, ...]]], None]
) -> None:
    with account(quirks=Quirks(lockout_after=None), rate=None) as (sandbox, backend):

        @settings(max_examples=tries(200), deadline=None, suppress_health_check=list(HealthCheck))
        @given(zones(), st.lists(wishes(), min_size=1, max_size=applies))
        def run(live: Zone, asked: list[tuple[DesiredRecord, ...]]) -> None:
            wire = [
                {"hostname": r.hostname, "type": r.type, "destination": r.destination}
                for r in live.records
                if r.type != "MX"
            ]
            sandbox.set_zone("example.com", wire)
            check(sandbox, backend, asked)

        run()


def test_undo_after_any_random_apply_restores_it_and_leaves_the_rest(tmp_path: Path) -> None:
    """The touched records are as before (a deleted one has a new id), the rest to the byte."""
    count = iter(range(10**6))

    def check(
        sandbox: Sandbox, backend: CcpBackend, asked: list[tuple[DesiredRecord, ...]]
    ) -> None:
        if compute(Place("", ""), backend.zone("example.com"), asked[0]).is_empty:
            return
        before, with_ids = contents(sandbox, ids=False), contents(sandbox, ids=True)
        folder = tmp_path / str(next(count))
        entry = write(backend, folder, asked[0])
        deleted = {
            c.before.id for c in entry.change_set.changes if c.action is Action.DELETE and c.before
        }
        take_back(backend, folder, entry)
        assert contents(sandbox, ids=False) == before
        kept = [line for line in with_ids if line[0] not in deleted]
        assert [line for line in contents(sandbox, ids=True) if line in kept] == kept

    over_random_applies(1, check)


def test_as_many_undos_as_applies_lead_back_to_the_start(tmp_path: Path) -> None:
    """Each undo goes one entry further back, although what was made again has other ids."""
    count = iter(range(10**6))

    def check(
        sandbox: Sandbox, backend: CcpBackend, asked: list[tuple[DesiredRecord, ...]]
    ) -> None:
        before = contents(sandbox, ids=False)
        folder = tmp_path / str(next(count))
        for wanted in asked:
            if not compute(Place("", ""), backend.zone("example.com"), wanted).is_empty:
                write(backend, folder, wanted)
        journal = Journal(folder)
        while left := standing(journal.entries("example.com")):
            take_back(backend, folder, left[0])
        assert contents(sandbox, ids=False) == before

    over_random_applies(4, check)
