from __future__ import annotations

from netcup_mailauth.spf import describe_changes, parse


def described(old: str | None, new: str | None) -> list[tuple[str, str, str, int]]:
    changes = describe_changes(parse(old) if old else None, parse(new) if new else None)
    return [(c.action, c.text, c.words, c.lookups) for c in changes]


def test_the_diff_of_the_design() -> None:
    old = "v=spf1 mx a include:_spf.webhosting.systems ~all"
    assert described(old, "v=spf1 mx a -all") == [
        ("kept", "mx", "", 0),
        ("kept", "a", "", 0),
        ("dropped", "include:_spf.webhosting.systems", "may no longer send for you", -1),
        ("changed", "-all", "softfail -> fail", 0),
    ]


def test_a_new_record() -> None:
    assert described(None, "v=spf1 ip4:203.0.113.7 mx -a ~all ra=me") == [
        ("added", "ip4:203.0.113.7", "may send for you", 0),
        ("added", "mx", "may send for you", 1),
        ("added", "-a", "fail", 1),
        ("added", "~all", "all other senders: softfail", 0),
        ("added", "ra=me", "", 0),
    ]


def test_a_record_that_goes() -> None:
    assert described("v=spf1 -a ~all", None) == [
        ("dropped", "-a", "no longer fail", -1),
        ("dropped", "~all", "all other senders: neutral", 0),
    ]


def test_spelling_is_no_change() -> None:
    assert described("v=spf1 +MX", "v=spf1 mx") == [("kept", "mx", "", 0)]


def test_another_qualifier_is_one_change() -> None:
    assert described("v=spf1 ?mx", "v=spf1 mx") == [("changed", "mx", "neutral -> pass", 0)]


def test_another_order_is_a_move_not_a_loss() -> None:
    found = described("v=spf1 a mx ptr ~all", "v=spf1 mx ptr ~all ~a")
    assert ("changed", "~a", "pass -> softfail", -1) in found
    moved = described("v=spf1 a mx ptr ~all", "v=spf1 mx ptr a ~all")
    assert moved == [
        ("kept", "mx", "", 0),
        ("kept", "ptr", "", 0),
        ("moved", "a", "another place in the order", 0),
        ("kept", "~all", "", 0),
    ]


def test_two_equal_terms_are_told_apart() -> None:
    found = described("v=spf1 a mx", "v=spf1 mx a a")
    assert [action for action, *_ in found].count("dropped") == 0
    assert sorted(action for action, *_ in found) == ["added", "kept", "moved"]
