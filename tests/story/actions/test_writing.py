"""Whatever becomes of a write, its result is known or called unknown, and nothing is doubled."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Any

import pytest

from netcup_mailauth import files
from netcup_mailauth.actions.applying import write
from netcup_mailauth.actions.session import Session
from netcup_mailauth.clock import Pauses
from netcup_mailauth.errors import (
    ExitCode,
    MailauthError,
    RefusedError,
    TransportError,
    UnverifiedError,
    WaitError,
    ZoneError,
)
from netcup_mailauth.plan import ChangeSet, Place, Result, Status, compute
from netcup_mailauth.records import DesiredRecord, Kind, Zone
from netcup_mailauth.state import journal as journal_module
from netcup_mailauth.state.journal import Journal, Mark
from tests.sessions import Hurried, hurried, journalled
from tests.worlds import Settled, Waits, account, requests_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from netcup_mailauth.netcup.ccp import CcpBackend
    from netcup_mailauth.sandbox import Sandbox

PLACE = Place("example.com", "example.com", "ccp")
WISHES = (
    DesiredRecord(Kind.SPF, "@", "v=spf1 mx a -all"),
    DesiredRecord(Kind.DMARC, "_dmarc", "v=DMARC1;p=none"),
)


def planned(backend: CcpBackend) -> tuple[ChangeSet, Zone]:
    zone = backend.zone("example.com")
    return compute(PLACE, zone, WISHES), zone


def written(backend: CcpBackend, waits: Waits | None = None) -> Result:
    return write(Session(backend, clock=Hurried(waits)), *planned(backend))


def texts(sandbox: Sandbox) -> list[str]:
    """The texts of the kinds we manage."""
    values = [str(r["destination"]) for r in sandbox.zone("example.com") if r["type"] == "TXT"]
    return sorted(value for value in values if not value.startswith("google"))


WANTED = ["v=DMARC1;p=none", "v=spf1 mx a -all"]


def test_a_clean_write_takes_one_call_and_is_verified_from_its_answer() -> None:
    with account() as (sandbox, backend):
        assert written(backend).status is Status.APPLIED
        assert texts(sandbox) == WANTED
        assert requests_of(sandbox) == {"login": 1, "infoDnsRecords": 1, "updateDnsRecords": 1}


def test_nothing_to_do_sends_no_write() -> None:
    with account() as (sandbox, backend):
        written(backend)
        assert written(backend).status is Status.UNCHANGED
        assert requests_of(sandbox)["updateDnsRecords"] == 1


@pytest.mark.parametrize("mode", ["apply-then-drop", "apply-then-4013", "apply-then-html", "cut"])
def test_a_write_that_arrived_and_was_answered_badly_is_found_by_reading(mode: str) -> None:
    with account() as (sandbox, backend):
        sandbox.fault("updateDnsRecords", mode)
        result = written(backend)
        assert result.status is Status.APPLIED
        assert "netcup holds the records" in result.notes[0]
        assert texts(sandbox) == WANTED
        assert requests_of(sandbox)["updateDnsRecords"] == 1


@pytest.mark.parametrize("mode", ["drop", "500", "html", "rate-limit", "lockout"])
def test_a_write_that_did_not_arrive_is_not_sent_again(mode: str) -> None:
    waits: Waits = []
    with account() as (sandbox, backend):
        before = sandbox.zone("example.com")
        sandbox.fault("updateDnsRecords", mode)
        result = written(backend, waits)
        assert result.status is Status.UNKNOWN
        assert result.exit_code is ExitCode.UNVERIFIED
        assert result.failure is not None
        assert "as it was before" in result.failure.message
        assert "may still arrive" in result.failure.advice
        assert waits == [Pauses().settle]
        assert sandbox.zone("example.com") == before
        assert requests_of(sandbox)["updateDnsRecords"] == 1
        assert written(backend).status is Status.APPLIED
        assert texts(sandbox) == WANTED


def test_a_write_that_arrives_late_is_found_by_the_second_read() -> None:
    with account() as (sandbox, backend):
        sandbox.fault("updateDnsRecords", "apply-late", delay=0.15)
        result = write(Session(backend, clock=Settled(sandbox)), *planned(backend))
        assert result.status is Status.APPLIED
        assert texts(sandbox) == WANTED


def test_a_write_that_arrived_in_part_is_said_to_be_so_and_mended_by_the_next_run() -> None:
    with account() as (sandbox, backend):
        sandbox.fault("updateDnsRecords", "apply-partly")
        result = written(backend)
        assert result.status is Status.UNKNOWN
        assert result.failure is not None
        assert "only a part" in result.failure.message
        assert written(backend).status is Status.APPLIED
        assert texts(sandbox) == WANTED


def test_a_write_that_cannot_be_read_back_is_unknown() -> None:
    with account() as (sandbox, backend):
        change_set, zone = planned(backend)
        sandbox.fault("updateDnsRecords", "drop")
        sandbox.fault("infoDnsRecords", "drop", times=3)
        result = write(hurried(backend), change_set, zone)
        assert result.status is Status.UNKNOWN
        assert result.failure is not None
        assert "could not be read back" in result.failure.message


def test_a_session_that_died_before_the_write_is_renewed_and_the_write_sent_once_more() -> None:
    with account() as (sandbox, backend):
        sandbox.fault("updateDnsRecords", "expire")
        assert written(backend).status is Status.APPLIED
        assert texts(sandbox) == WANTED
        assert requests_of(sandbox)["login"] == 2


def test_a_session_that_dies_twice_leaves_the_zone_alone() -> None:
    with account() as (sandbox, backend):
        before = sandbox.zone("example.com")
        sandbox.fault("updateDnsRecords", "expire", times=2)
        result = written(backend)
        assert result.status is Status.FAILED
        assert sandbox.zone("example.com") == before


def test_a_rival_who_wrote_while_we_logged_in_again_makes_the_plan_stale() -> None:
    with account() as (sandbox, backend):
        change_set, zone = planned(backend)
        sandbox.fault("updateDnsRecords", "expire")
        sandbox.fault("infoDnsRecords", "rival")
        result = write(hurried(backend), change_set, zone)
        assert result.status is Status.STALE
        assert requests_of(sandbox)["updateDnsRecords"] == 1


def test_a_zone_that_moved_since_the_plan_is_stale_and_the_record_named() -> None:
    with account() as (sandbox, backend):
        change_set, _ = planned(backend)
        records = [
            {**r, "destination": "v=spf1 ip4:192.0.2.9 -all"}
            if str(r["destination"]).startswith("v=spf1")
            else r
            for r in sandbox.zone("example.com")
        ]
        sandbox.set_zone("example.com", records)
        result = write(Session(backend), change_set, backend.zone("example.com"))
        assert result.status is Status.STALE
        assert result.exit_code is ExitCode.STALE
        assert result.failure is not None
        assert "ip4:192.0.2.9" in result.failure.message
        assert "updateDnsRecords" not in requests_of(sandbox)


def test_a_zone_that_somebody_else_put_right_is_already_as_planned() -> None:
    with account() as (sandbox, backend):
        change_set, _ = planned(backend)
        written(backend)
        result = write(Session(backend), change_set, backend.zone("example.com"))
        assert result.status is Status.ALREADY
        assert result.exit_code is ExitCode.OK
        assert requests_of(sandbox)["updateDnsRecords"] == 1


def test_a_second_spf_that_a_rival_adds_during_the_write_is_seen_in_its_answer() -> None:
    with account() as (sandbox, backend):
        sandbox.fault("updateDnsRecords", "rival")
        result = written(backend)
        assert result.status is Status.UNKNOWN
        assert result.exit_code is ExitCode.UNVERIFIED
        assert result.failure is not None
        assert "should not be" in result.failure.message


def test_other_records_that_change_at_the_same_time_are_a_note() -> None:
    with account() as (sandbox, backend):
        www = {"hostname": "shop", "type": "A", "destination": "192.0.2.77"}
        sandbox.fault("updateDnsRecords", "rival", records=[www])
        result = written(backend)
        assert result.status is Status.APPLIED
        assert "A shop '192.0.2.77' is new" in result.notes[0]


def test_another_record_that_changed_is_told_with_what_it_was_and_what_it_is() -> None:
    with account() as (sandbox, backend):
        mx = next(r for r in sandbox.zone("example.com") if r["type"] == "MX")
        changed = {name: mx[name] for name in ("id", "hostname", "type", "priority")}
        rival = {**changed, "destination": "mx.rival.example"}
        sandbox.fault("updateDnsRecords", "rival", records=[rival])
        (note,) = written(backend).notes
        was, now = f"{mx['priority']} {mx['destination']}", f"{mx['priority']} mx.rival.example"
        assert f"MX @ {was!r} is now {now!r}" in note


def test_other_records_that_are_gone_are_named_with_the_way_to_bring_them_back(
    tmp_path: Path,
) -> None:
    """Whoever took them, the zone is not what it should be, and nobody may call it verified."""
    with account() as (sandbox, backend):
        before = [r for r in sandbox.zone("example.com") if r["type"] != "TXT"]
        sandbox.fault("updateDnsRecords", "loses")
        result = write(journalled(backend, Journal(tmp_path)), *planned(backend))
        assert result.status is Status.LOST
        assert result.exit_code is ExitCode.UNVERIFIED
        assert result.failure is not None
        for record in before:
            assert str(record["destination"]) in result.failure.message
        assert result.failure.advice.endswith("netcup-mailauth undo example.com --lost")
        assert texts(sandbox) == WANTED


def test_where_nothing_was_kept_no_undo_is_promised() -> None:
    with account() as (sandbox, backend):
        sandbox.fault("updateDnsRecords", "loses")
        result = written(backend)
        assert result.failure is not None
        assert result.failure.advice == "Make in the CCP what is missing."


def test_what_was_merely_not_listed_in_the_answer_is_not_called_gone() -> None:
    with account() as (sandbox, backend):
        sandbox.fault("updateDnsRecords", "apply-and-hide")
        result = written(backend)
        assert result.status is Status.APPLIED
        assert result.notes == ()
        assert requests_of(sandbox)["infoDnsRecords"] == 2


def test_what_was_not_listed_and_cannot_be_looked_for_is_not_verified() -> None:
    with account() as (sandbox, backend):
        sandbox.fault("updateDnsRecords", "apply-and-hide")
        sandbox.fault("infoDnsRecords", "drop", after=1, times=3)
        result = written(backend)
        assert result.status is Status.UNKNOWN
        assert result.exit_code is ExitCode.UNVERIFIED


def test_an_unclear_answer_and_a_zone_that_lost_the_rest_are_both_told() -> None:
    with account() as (sandbox, backend):
        change_set, zone = planned(backend)
        sandbox.fault("updateDnsRecords", "apply-then-drop")
        sandbox.fault("infoDnsRecords", "loses")
        result = write(hurried(backend), change_set, zone)
        assert result.status is Status.LOST
        assert "netcup holds the records" in result.notes[0]


@pytest.mark.parametrize(
    ("record", "beside"),
    [
        ({"hostname": "_acme-challenge", "type": "TXT", "destination": "token"}, ()),
        ({"hostname": "_acme-challenge.shop", "type": "TXT", "destination": "token"}, ()),
        (
            {"hostname": "home", "type": "A", "destination": "192.0.2.5"},
            ({"hostname": "home", "type": "AAAA", "destination": "2001:db8::5"},),
        ),
    ],
    ids=["a-challenge", "a-challenge-below", "an-address-of-two"],
)
def test_what_comes_and_goes_by_itself_is_no_loss(
    record: dict[str, str], beside: tuple[dict[str, str], ...]
) -> None:
    with account() as (sandbox, backend):
        rest = [*sandbox.zone("example.com"), *beside]
        sandbox.set_zone("example.com", [*rest, record])
        change_set, zone = planned(backend)
        sandbox.set_zone("example.com", rest)
        result = write(hurried(backend), change_set, zone)
        assert result.status is Status.APPLIED
        assert f"{record['destination']!r} is gone" in result.notes[0]


@pytest.mark.parametrize("type_", ["A", "MX", "TXT", "CNAME", "SRV"])
def test_any_other_record_is_a_loss(type_: str) -> None:
    with account() as (sandbox, backend):
        rest = sandbox.zone("example.com")
        record = {"hostname": "lost", "type": type_, "destination": "192.0.2.5"}
        sandbox.set_zone("example.com", [*rest, record])
        change_set, zone = planned(backend)
        sandbox.set_zone("example.com", rest)
        assert write(hurried(backend), change_set, zone).status is Status.LOST


def test_a_record_that_is_updated_under_a_new_id_is_as_planned() -> None:
    """Other back ends of netcup's delete and create; ids are addresses (DESIGN 5)."""
    with account() as (sandbox, backend):
        change_set, zone = planned(backend)
        sandbox.set_zone("example.com", [{**r, "id": None} for r in sandbox.zone("example.com")])
        again = backend.zone("example.com")
        assert {r.id for r in zone.records}.isdisjoint(r.id for r in again.records)
        result = write(hurried(backend), change_set, again)
        assert result.status is Status.APPLIED
        assert texts(sandbox) == WANTED
        assert len(sandbox.zone("example.com")) == len(zone.records) + 1


def noted(backend: CcpBackend, folder: Path) -> tuple[Journal, Result]:
    journal = Journal(folder, "run")
    return journal, write(journalled(backend, journal), *planned(backend))


def marks(journal: Journal) -> list[Mark]:
    return [entry.mark for entry in journal.entries("example.com")]


@pytest.mark.parametrize(
    ("mode", "times", "mark"),
    [
        (None, 1, Mark.VERIFIED),
        ("apply-then-drop", 1, Mark.VERIFIED),
        ("drop", 1, Mark.SENT),  # it may still arrive
        ("apply-partly", 1, Mark.SENT),
        ("rival", 1, Mark.SENT),
        ("expire", 2, Mark.FAILED),  # provably not made
    ],
)
def test_the_journal_says_how_far_the_write_came(
    tmp_path: Path, mode: str | None, times: int, mark: Mark
) -> None:
    with account() as (sandbox, backend):
        before = backend.zone("example.com")
        if mode:
            sandbox.fault("updateDnsRecords", mode, times=times)
        journal, _ = noted(backend, tmp_path)
        assert marks(journal) == [mark]
        (entry,) = journal.entries("example.com")
        assert set(entry.before.records) == set(before.records), "the whole zone is saved"


def test_the_journal_says_of_a_write_that_became_stale_that_it_was_not_made(tmp_path: Path) -> None:
    with account() as (sandbox, backend):
        change_set, zone = planned(backend)
        sandbox.fault("updateDnsRecords", "expire")
        sandbox.fault("infoDnsRecords", "rival")
        journal = Journal(tmp_path, "run")
        result = write(journalled(backend, journal), change_set, zone)
        assert result.status is Status.STALE
        assert marks(journal) == [Mark.FAILED]


@pytest.mark.parametrize(
    ("error", "status", "mark"),
    [
        (RefusedError("A row is there twice."), Status.REFUSED, Mark.FAILED),
        (UnverifiedError("It does not follow."), Status.UNKNOWN, Mark.SENT),
    ],
)
def test_what_the_api_is_sure_of_is_not_settled_by_reading(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: MailauthError,
    status: Status,
    mark: Mark,
) -> None:
    with account() as (sandbox, backend):
        monkeypatch.setattr(backend, "apply", failing(error))
        journal, result = noted(backend, tmp_path)
        assert result.status is status
        assert marks(journal) == [mark]
        assert requests_of(sandbox)["infoDnsRecords"] == 1


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ZoneError("It is not in this account."), Status.STALE),  # nothing can have been written
        (TransportError("The connection broke."), Status.UNKNOWN),
    ],
)
def test_of_a_zone_that_has_left_it_is_said_whether_it_went_before_the_write(
    monkeypatch: pytest.MonkeyPatch, error: MailauthError, status: Status
) -> None:
    with account() as (_, backend):
        change_set, zone = planned(backend)
        monkeypatch.setattr(backend, "apply", failing(error))
        monkeypatch.setattr(backend, "zone", failing(ZoneError("It is not in this account.")))
        assert write(hurried(backend), change_set, zone).status is status


def test_a_lock_out_that_answers_a_write_that_arrived_ends_the_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with account() as (_, backend):
        real = backend.apply
        locked_out = WaitError("netcup has locked the account.")

        def apply(zone: Zone, changes: Any) -> None:
            real(zone, changes)
            raise locked_out

        monkeypatch.setattr(backend, "apply", apply)
        result = written(backend)
        assert result.status is Status.APPLIED
        assert result.ended_by is locked_out


@pytest.mark.parametrize(("mode", "soon"), [("500", True), ("lockout", False)])
def test_an_unclear_write_is_looked_at_again_in_a_minute_unless_netcup_says_wait(
    mode: str, soon: bool
) -> None:
    with account() as (sandbox, backend):
        sandbox.fault("updateDnsRecords", mode)
        result = written(backend)
        assert result.failure is not None
        assert ("in a minute" in result.failure.advice) is soon
        assert (result.ended_by is None) is soon


def failing(error: MailauthError) -> Callable[..., None]:
    """A call that ends with this error."""

    def call(*_: object) -> None:
        raise error

    return call


def test_what_is_stale_or_empty_is_not_journalled(tmp_path: Path) -> None:
    with account() as (_, backend):
        change_set, _zone = planned(backend)
        journal, _ = noted(backend, tmp_path)
        session = journalled(backend, journal)
        assert write(session, change_set, backend.zone("example.com")).status is Status.ALREADY
        assert write(session, *planned(backend)).status is Status.UNCHANGED
        assert len(marks(journal)) == 1


@pytest.mark.parametrize("call", [1, 2])
def test_a_write_that_cannot_be_journalled_does_not_happen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: int
) -> None:
    """Neither when the zone cannot be saved, nor when it cannot be noted that it is being sent."""
    with account() as (sandbox, backend):
        planned(backend)
        monkeypatch.setattr(journal_module, "write_private", failing_at(call))
        with pytest.raises(MailauthError, match="could not be saved") as caught:
            noted(backend, tmp_path)
        assert caught.value.exit_code is ExitCode.ERROR
        assert "Nothing was written" in caught.value.advice
        assert "updateDnsRecords" not in requests_of(sandbox)


def test_a_write_is_told_as_done_although_the_journal_could_not_note_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The records are at netcup: "nothing was written" would be a lie."""
    with account() as (sandbox, backend):
        monkeypatch.setattr(journal_module, "write_private", failing_at(3))
        journal, result = noted(backend, tmp_path)
        assert result.status is Status.APPLIED
        assert "could not note what became of this write" in result.notes[-1]
        assert texts(sandbox) == WANTED
        assert marks(journal) == [Mark.SENT]


def failing_at(call: int) -> Callable[[Path, str], None]:
    """A disk that is full at the ``call``-th file."""
    calls: list[Path] = []
    real = files.write_private

    def replace(path: Path, text: str) -> None:
        calls.append(path)
        if len(calls) == call:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(path, text)

    return replace


@pytest.mark.parametrize(
    "text", [" v=DMARC1; p=reject; rua=mailto:o@example.com", "v=dmarc1;p=none", "p=none"]
)
def test_a_near_miss_is_written_over_and_leaves_no_second_record(text: str) -> None:
    places = [("_dmarc", text), ("@", "v=spf1, mx, -all")]
    records = [{"hostname": h, "type": "TXT", "destination": d} for h, d in places]
    with account(zones={"example.com": records}) as (sandbox, backend):
        assert written(backend).status is Status.APPLIED
        assert texts(sandbox) == WANTED
        assert written(backend).status is Status.UNCHANGED
