"""A key counts as published when every server has it, several times, and caches have forgotten."""

from __future__ import annotations

import pytest

from netcup_mailauth.rotation.state import Round, Said, Waits, Watch
from tests.story.rotation.houses import held

NAME = "s2026-11a._domainkey.example.com"
RECORD = held(1, "s2026-11a").record
WAITS = Waits(rounds=2, round_seconds=60)


def has(ttl: int | None = 600) -> Said:
    return Said({NAME: (RECORD,)}, ttl)


LACKS = Said({NAME: ()}, 600)
SILENT = Said()


def watched(*rounds: Round, waits: Waits = WAITS) -> Watch:
    watch = Watch()
    for one in rounds:
        watch = watch.after(one, NAME, RECORD, waits)
    return watch


@pytest.mark.parametrize(
    ("said", "has_it"),
    [
        (has(), True),
        (Said({NAME: (f"{RECORD}; t=s",)}, 600), False),
        (Said({NAME: (RECORD, RECORD)}, 600), False),
        (Said({NAME: ("CNAME elsewhere",)}, 600), False),
        (Said({NAME: (RECORD.replace(";", "; "),)}, 600), True),
        (LACKS, False),
        (SILENT, None),
        (has(None), None),  # for how long caches deny it is not known
    ],
)
def test_only_the_exact_key_alone_counts(said: Said, has_it: bool | None) -> None:
    assert said.has(NAME, RECORD) is has_it


def test_the_slowest_server_and_the_longest_denial_decide() -> None:
    watch = watched(
        Round(100, {"a": has(), "b": LACKS}),
        Round(200, {"a": has(), "b": has(900)}),
        Round(260, {"a": has(), "b": has()}),
    )
    assert watch.ready_at(WAITS) == 200 + 900
    assert list(watch.rounds) == [200, 260]


def test_two_rounds_closer_than_the_pause_count_as_one() -> None:
    watch = watched(*(Round(t, {"a": has(0)}) for t in (0, 30, 59)))
    assert list(watch.rounds) == [0]
    assert watch.ready_at(WAITS) == 60


def test_who_loses_the_key_has_to_show_it_anew() -> None:
    watch = watched(
        Round(0, {"a": has(), "b": has()}),
        Round(60, {"a": has(), "b": LACKS}),
    )
    assert (watch.rounds, dict(watch.since)) == ((), {"a": 0})


def test_silence_breaks_the_row_of_rounds_but_not_what_was_seen() -> None:
    watch = watched(Round(0, {"a": has(), "b": has()}), Round(60, {"a": has(), "b": SILENT}))
    assert (watch.rounds, dict(watch.since)) == ((), {"a": 0, "b": 0})


def test_a_server_that_is_new_in_the_delegation_begins_the_row_anew() -> None:
    watch = watched(
        Round(0, {"a": has()}), Round(60, {"a": has()}), Round(120, {"a": has(), "b": has()})
    )
    assert list(watch.rounds) == [120]
    assert watch.since["b"] == 120


def test_a_zone_without_servers_is_nowhere() -> None:
    assert not Round(0, {}).is_everywhere(NAME, RECORD)
    assert watched(Round(0, {})).ready_at(WAITS) is None


def test_a_setting_stands_in_for_the_soa() -> None:
    waits = Waits(rounds=1, negative_ttl=5)
    assert watched(Round(0, {"a": has()}), waits=waits).ready_at(waits) == 5
