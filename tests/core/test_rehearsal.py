"""A judgement is rehearsed until nothing is lacking: in no more waves than it depends on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netcup_mailauth import spf
from netcup_mailauth.lookup import Answer, Query, Rehearsal, Status

if TYPE_CHECKING:
    from collections.abc import Sequence

ONE, TWO = Query("one.example", "TXT"), Query("two.example", "TXT")
OK = Answer(Status.OK, ("x",))


def test_what_is_not_known_is_silence_and_noted_once() -> None:
    rehearsal = Rehearsal({ONE: OK})
    assert rehearsal([ONE, TWO, TWO]) == [OK, Answer(Status.TIMEOUT), Answer(Status.TIMEOUT)]
    assert list(rehearsal.lacking) == [TWO]


def test_what_was_lacking_is_asked_in_one_batch_and_then_known() -> None:
    batches = []

    def lookup(queries: Sequence[Query]) -> list[Answer]:
        batches.append(list(queries))
        return [OK for _ in queries]

    rehearsal = Rehearsal()
    rehearsal([ONE])
    rehearsal([TWO])
    rehearsal.ask(lookup)
    rehearsal.ask(lookup)
    assert batches == [[ONE, TWO]]
    assert rehearsal([TWO, ONE]) == [OK, OK]
    assert not rehearsal.lacking


def test_includes_are_found_level_by_level() -> None:
    texts = {
        "a.example": "v=spf1 include:b.example -all",
        "b.example": "v=spf1 include:c.example -all",
        "c.example": "v=spf1 -all",
        "d.example": "v=spf1 -all",
    }
    batches = []

    def lookup(queries: Sequence[Query]) -> list[Answer]:
        batches.append({query.name for query in queries})
        return [Answer(Status.OK, (texts[query.name],)) for query in queries]

    record = spf.parse("v=spf1 include:a.example include:d.example -all")
    rehearsal = Rehearsal()
    spf.cost(record, "example.com", rehearsal)
    while rehearsal.lacking:
        rehearsal.ask(lookup)
        found = spf.cost(record, "example.com", rehearsal)
    assert batches == [{"a.example", "d.example"}, {"b.example"}, {"c.example"}]
    assert found.lookups_total == 4
