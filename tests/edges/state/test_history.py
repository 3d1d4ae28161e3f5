"""What the journal tells: what still stands, and what comes next to be undone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from netcup_mailauth.plan import Action, Change, ChangeSet
from netcup_mailauth.records import DnsRecord, Kind
from netcup_mailauth.state import journal
from netcup_mailauth.state.journal import Entry, Mark, last_of_each_kind, wanted_by
from tests.edges.state.entries import START, entry

FIRST, SECOND = entry(1), entry(2)
LONG_AGO = datetime.min.replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("entries", "gone", "standing"),
    [
        ([], "", ""),
        ([FIRST, SECOND], "", "2 1"),
        ([SECOND, FIRST], "", "2 1"),
        # One undo, then one more: each goes one further back.
        ([FIRST, SECOND, entry(3, undoes=2)], "2", "1"),
        ([FIRST, SECOND, entry(3, undoes=2), entry(4, undoes=1)], "1 2", ""),
        # The undo was undone, so the apply stands again; and is undone once more.
        ([FIRST, entry(2, undoes=1), entry(3, undoes=2)], "2", "1"),
        ([FIRST, entry(2, undoes=1), entry(3, undoes=2), entry(4, undoes=1)], "1 2", ""),
        # An undo that was not seen to succeed has undone nothing yet.
        ([FIRST, entry(2, Mark.SENT, undoes=1)], "", "1"),
        ([FIRST, entry(2, Mark.FAILED, undoes=1)], "", "1"),
        # A write that was never sent, or provably not made, changed nothing.
        ([FIRST, entry(2, Mark.FAILED), entry(3, Mark.INTENDED)], "", "1"),
        # One of unknown outcome may have.
        ([FIRST, entry(2, Mark.SENT)], "", "2 1"),
    ],
)
def test_what_stands_and_what_is_undone(entries: list[Entry], gone: str, standing: str) -> None:
    assert journal.undone(entries) == {f"{int(number):03}" for number in gone.split()}
    assert [str(int(e.id)) for e in journal.standing(entries)] == standing.split()


def test_runs_are_told_newest_first() -> None:
    entries = [
        entry(1, run="a", domain="a.example"),
        entry(2, run="a", domain="b.example"),
        entry(3, run="b", undoes=1, domain="a.example"),
    ]
    told = journal.runs(entries)
    assert [(run, [e.id for e in members]) for run, members in told] == [
        ("b", ["003"]),
        ("a", ["002", "001"]),
    ]
    document = journal.listing(iter(entries))
    newest, oldest = document["runs"]
    assert newest["entries"][0]["undoes"] == "001"
    assert [line["undone"] for line in oldest["entries"]] == [False, True]
    assert oldest["entries"][1]["changes"] == [
        {"action": "update", "kind": "spf", "count": 1},
        {"action": "create", "kind": "dmarc", "count": 1},
    ]


def test_what_a_write_left_in_place() -> None:
    wanted = {(w.kind.value, w.hostname, w.value) for w in wanted_by(FIRST)}
    assert wanted == {("spf", "@", "v=spf1 mx -all"), ("dmarc", "_dmarc", "v=DMARC1;p=none")}


def only(number: int, kind: Kind, mark: Mark = Mark.VERIFIED, text: str | None = "new") -> Entry:
    """A write of one kind; it deletes its record where there is no text."""
    before = DnsRecord("1", "@", "TXT", "old")
    after = None if text is None else replace(before, destination=f"{kind} {text}")
    action = Action.DELETE if text is None else Action.UPDATE
    one = entry(number, mark)
    changes = (Change(action, kind, before, after),)
    return replace(one, change_set=ChangeSet(one.change_set.place, changes))


@pytest.mark.parametrize(
    ("entries", "texts"),
    [
        ([], []),
        ([only(1, Kind.SPF)], ["spf new"]),
        ([only(2, Kind.DMARC), only(1, Kind.SPF)], ["dmarc new", "spf new"]),
        ([only(2, Kind.SPF, text="later"), only(1, Kind.SPF)], ["spf later"]),
        ([only(2, Kind.SPF, Mark.SENT, text="later"), only(1, Kind.SPF)], ["spf new"]),
        ([only(2, Kind.SPF, text=None), only(1, Kind.SPF)], []),  # taken back: not on its way
    ],
)
def test_of_each_kind_the_last_verified_write_counts(
    entries: list[Entry], texts: list[str]
) -> None:
    assert [record.value for record in last_of_each_kind(entries)] == texts


@pytest.mark.parametrize(
    ("time", "begun"),
    [
        ("2026-01-02T03:04:05.678901Z", START),
        ("2026-01-02T04:04:05.678901+01:00", START),
        ("yesterday", LONG_AGO),
        ("0001-01-01T00:00:00+14:00", LONG_AGO),
    ],
)
def test_of_each_it_is_known_when_it_was_written(time: str, begun: datetime) -> None:
    (written,) = last_of_each_kind([replace(only(1, Kind.SPF), time=time)]).values()
    assert written == begun
