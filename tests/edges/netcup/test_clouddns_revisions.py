"""Which revision is the live zone, and whether ours came right after the one we had read."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from netcup_mailauth.errors import ApiError, UnverifiedError
from netcup_mailauth.netcup.clouddns_wire import Revision
from netcup_mailauth.netcup.revisions import COMMITTED, DRAFT, History
from netcup_mailauth.records import Zone
from netcup_mailauth.shown import visible


def revision(
    identifier: str, state: str = "committed", serial: Any = None, day: int = 0
) -> Revision:
    created = f"2026-10-{day:02}T10:00:00Z" if day else None
    return Revision.model_validate(
        {"identifier": identifier, "state": state, "serial": serial, "createdAt": created}
    )


def history(*revisions: Revision) -> History:
    return History.of("example.com", revisions)


def zone(revision: str | None, draft: str | None = None) -> Zone:
    return Zone("example.com", "clouddns", (), revision, draft)


@pytest.mark.parametrize("state", [*sorted(COMMITTED), "Committed", "LIVE", " Published "])
def test_plausible_words_for_a_committed_state(state: str) -> None:
    found = history(revision("one", state, 1), revision("draft", "draft", 2))
    assert (found.live.identifier, found.unknown_state) == ("one", None)


@pytest.mark.parametrize(
    "state", [*sorted(DRAFT), "", "pending", "superseded", "uncommitted", "aktiv"]
)
def test_any_other_state_is_not_the_live_zone(state: str) -> None:
    found = history(revision("live", serial=1), revision("newest", state, 2))
    assert found.live.identifier == "live"


UNKNOWN = [
    "pending",
    "aktiv",
    "Ver\u00f6ffentlicht",
    "state-7",
    "\u043f\u0443\u0431\u043b",
    "DEPLOYED",
]


@pytest.mark.parametrize("state", UNKNOWN)
def test_a_word_that_two_revisions_carry_means_committed(state: str) -> None:
    """There is one draft at most."""
    found = history(revision("old", state, 1), revision("new", state.upper(), 2))
    assert (found.live.identifier, found.draft, found.unknown_state) == ("new", None, None)
    ours = history(*found.revisions, revision("made", state, 3))
    ours.check_follows(zone("new"), "made")


@pytest.mark.parametrize("state", UNKNOWN)
def test_an_unknown_word_of_the_newest_alone_is_told(state: str) -> None:
    """What is committed may be told by a known word, or by one that two carry."""
    for others in ("committed", "gilt"):
        older = [revision("a", others, 1), revision("b", others, 2)]
        found = history(*older, revision("new", state, 3))
        assert found.live.identifier == "b"
        assert found.draft is not None
        assert (found.draft.identifier, found.unknown_state) == ("new", state)


@pytest.mark.parametrize("others", [[], ["superseded", "archived"], ["superseded", "superseded"]])
def test_the_only_one_that_can_be_the_zone_is_it_but_its_word_is_told(others: list[str]) -> None:
    older = [revision(f"o{n}", state, n) for n, state in enumerate(others)]
    found = history(*older, revision("new", "gilt", 9))
    assert (found.live.identifier, found.unknown_state) == ("new", "gilt")
    made = history(*older, revision("new", "superseded", 9), revision("made", "gilt", 10))
    made.check_follows(zone("new"), "made")


def test_of_two_unknown_words_neither_is_guessed_to_be_the_zone() -> None:
    with pytest.raises(ApiError, match="'gilt', 'neu'"):
        history(revision("a", "gilt", 1), revision("b", "neu", 2))


def test_two_drafts_are_no_committed_revisions_for_all_that() -> None:
    found = history(revision("a", serial=1), *(revision(f"d{n}", "draft", n) for n in (2, 3)))
    assert (found.live.identifier, found.unknown_state) == ("a", None)


OLD, MIDDLE, NEW = (revision(name, serial=n) for n, name in enumerate(["old", "middle", "new"], 1))


@pytest.mark.parametrize("listed", [*permutations([OLD, MIDDLE, NEW])])
def test_the_live_one_is_that_of_the_highest_serial_in_whatever_order(
    listed: tuple[Revision, ...],
) -> None:
    assert history(*listed).live == NEW


def test_a_serial_says_more_than_a_date_and_may_be_a_text() -> None:
    assert history(revision("a", serial="9", day=1), revision("b", serial=10, day=1)).live == (
        revision("b", serial=10, day=1)
    )
    assert history(revision("a", serial=2, day=1), revision("b", serial=1, day=2)).live.serial == 2


@pytest.mark.parametrize("listed", [*permutations([1, 2, 3])])
def test_without_serials_the_date_decides(listed: tuple[int, ...]) -> None:
    assert history(*(revision(str(day), day=day) for day in listed)).live.identifier == "3"


def test_a_date_without_a_zone_is_utc_and_can_be_compared() -> None:
    plain = Revision(identifier="a", state="live", createdAt="2026-10-02T10:00:00")
    assert history(revision("b", day=1), plain).live == plain


def test_the_order_of_the_list_decides_where_all_else_is_equal() -> None:
    """Its direction is learned from the rest of the list; alone, the newest comes first."""
    falling = [revision("b", day=2), revision("a", day=2), revision("0", day=1)]
    assert history(*falling).live.identifier == "b"
    assert history(*reversed(falling)).live.identifier == "b"
    assert history(revision("b", day=2), revision("a", day=2)).live.identifier == "b"


def test_revisions_that_nothing_dates_are_an_error() -> None:
    with pytest.raises(ApiError, match="no serial and no date"):
        history(revision("a"), revision("b"))
    assert history(revision("a"), revision("d", "draft")).live.identifier == "a"


def test_one_listed_on_two_pages_counts_once() -> None:
    assert history(revision("a"), revision("a")).live.identifier == "a"


@pytest.mark.parametrize(
    "states",
    [[], ["draft"], [""], ["", ""], ["weird\x1b"], ["weird\x1b"] * 2, ["odd", "strange", "draft"]],
)
def test_no_live_revision_is_an_error_that_names_the_states(states: list[str]) -> None:
    with pytest.raises(ApiError, match="known to be live") as caught:
        history(*(revision(str(n), state, serial=n) for n, state in enumerate(states)))
    assert caught.value.what.isprintable()
    assert all(visible(state) in caught.value.what for state in states)


@pytest.mark.parametrize("state", ["draft", "DRAFT", "pending", "brand-new-word", ""])
@pytest.mark.parametrize("dates", [{"serial": 3}, {"day": 3}, {}])
def test_a_newer_one_in_any_other_state_is_a_draft(state: str, dates: dict[str, int]) -> None:
    live = revision("live", serial=2, day=2)
    found = history(revision("draft", state, **dates), live)
    assert found.live == live
    assert found.draft is not None
    assert found.draft.identifier == "draft"


def test_an_older_draft_and_a_past_or_discarded_revision_are_no_newer_draft() -> None:
    live = revision("live", serial=2)
    others = [revision("d", "draft", 1), revision("p", "superseded", 3), revision("x", "discarded")]
    assert history(live, *others).draft is None


# --- After a write --------------------------------------------------------------------------------

READ, MADE = revision("read", serial=2), revision("made", serial=4)


def test_ours_right_after_the_one_read_is_what_is_wanted() -> None:
    history(MADE, READ, OLD).check_follows(zone("read"), "made")


def test_the_one_replaced_may_have_changed_its_state() -> None:
    past = revision("read", "superseded", 2)
    history(MADE, past, revision("old", "archived", 1)).check_follows(zone("read"), "made")


@pytest.mark.parametrize("state", ["committed", "superseded", "a-word-not-known"])
def test_another_write_in_between_is_found(state: str) -> None:
    """Even one that ours has replaced, and one in a state that nobody knows."""
    with pytest.raises(UnverifiedError, match=r"Another program wrote to example\.com"):
        history(MADE, revision("rival", state, 3), READ).check_follows(zone("read"), "made")


@pytest.mark.parametrize("rival", [revision("rival"), revision("rival", day=9)])
def test_one_that_nothing_dates_may_lie_in_between(rival: Revision) -> None:
    past = rival.model_copy(update={"state": "superseded"})
    with pytest.raises(UnverifiedError, match="Another program"):
        history(MADE, past, READ).check_follows(zone("read"), "made")


def test_a_draft_in_between_has_changed_nothing() -> None:
    history(MADE, revision("d", "draft", 3), READ).check_follows(zone("read"), "made")
    history(MADE, revision("d", "unheard", 3), READ).check_follows(zone("read", "d"), "made")


def test_a_write_after_ours_is_no_matter_here() -> None:
    history(revision("later", serial=5), MADE, READ).check_follows(zone("read"), "made")


@pytest.mark.parametrize(
    ("read", "listed"),
    [
        ("gone", [MADE, READ]),
        (None, [MADE, READ]),
        ("read", [MADE, revision("read", serial=9)]),
        ("read", [MADE, revision("read", serial=4)]),
        ("read", [MADE, revision("read", "superseded")]),
    ],
    ids=["not-listed", "never-read", "newer-than-ours", "same-age", "undated"],
)
def test_an_order_that_cannot_be_told_counts_as_not_verified(
    read: str | None, listed: list[Revision]
) -> None:
    with pytest.raises(UnverifiedError, match="cannot be told"):
        history(*listed).check_follows(zone(read), "made")
