"""A rotation from end to end in memory: no mail ever fails, wherever the program is killed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from netcup_mailauth.errors import MailauthError, RecordError, RefusedError, UnverifiedError
from netcup_mailauth.plan import Action
from netcup_mailauth.records import DnsRecord
from netcup_mailauth.rotation.begin import begin, note_age
from netcup_mailauth.rotation.decide import Stop, Wait
from netcup_mailauth.rotation.state import Book, Phase
from netcup_mailauth.rotation.state import held as held_by_rotations
from tests.effort import tries
from tests.story.rotation.houses import (
    DOMAIN,
    NEGATIVE_TTL,
    START,
    WAITS,
    FakeSigner,
    FaultError,
    House,
    ImportSigner,
    KilledError,
    held,
    key,
    txt,
)

if TYPE_CHECKING:
    from pathlib import Path

    from netcup_mailauth.rotation.signers import SignerKey

NEW = "s2026-11a"
SIGNERS = [FakeSigner, ImportSigner]


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path / "account")


def test_a_rotation_publishes_waits_switches_and_retires_in_that_order(house: House) -> None:
    house.begin()
    outcome = house.proceed()
    assert isinstance(outcome.step, Wait)
    assert set(house.texts) == {"dkim._domainkey", f"{NEW}._domainkey"}
    assert house.signer.keys[DOMAIN].selector == "dkim"

    assert house.until_done().step is None
    assert set(house.texts) == {f"{NEW}._domainkey"}
    assert house.signer.keys == {DOMAIN: held(101, NEW)}
    assert house.backend.actions == [Action.CREATE, Action.DELETE]
    assert house.book.open is None
    assert house.book.used == (NEW,)


def test_the_switch_waits_for_the_slowest_server_and_then_for_what_caches_deny(
    house: House,
) -> None:
    house.begin()
    while house.signer.keys[DOMAIN].selector == "dkim":
        house.proceed()
        house.pass_time(10)
    assert house.now - START >= max(house.delays) + NEGATIVE_TTL


def test_the_old_key_stays_for_the_whole_grace_counted_from_the_switch(house: House) -> None:
    house.begin()
    switched = None
    while "dkim._domainkey" in house.texts:
        house.proceed()
        if switched is None and house.signer.keys[DOMAIN].selector == NEW:
            switched = house.now
        house.pass_time(3600)
    assert switched is not None
    assert house.now - 3600 - switched >= WAITS.grace


def test_a_server_that_is_silent_is_waited_for(house: House) -> None:
    house.down.add(1)
    with pytest.raises(MailauthError, match="ns1"):
        house.begin()
    house.down.clear()
    house.begin()
    house.proceed()
    house.down.add(1)
    for _ in range(50):
        house.pass_time(300)
        outcome = house.proceed()
    assert isinstance(outcome.step, Wait)
    assert outcome.step.servers == ("ns1 (127.0.0.2)",)
    assert house.signer.keys[DOMAIN].selector == "dkim"


@pytest.mark.parametrize("signer", SIGNERS)
def test_killed_at_every_moment_it_finishes_and_no_mail_fails(
    tmp_path: Path, signer: type[FakeSigner]
) -> None:
    for number in range(200):
        house = House(tmp_path / str(number), signer=signer, delays=(0.0, 60.0))
        house.begin()
        house.trap.left = number
        try:
            house.until_done()
        except KilledError:
            house.check_that_mail_verifies()
        else:
            break  # there was no such moment any more
        assert house.until_done().step is None
        assert house.backend.actions == [Action.CREATE, Action.DELETE]
        assert set(house.signer.keys) == {DOMAIN}
        assert house.signer.keys[DOMAIN].selector == NEW
        assert house.book.open is None
    assert number > 20


@pytest.mark.parametrize("signer", SIGNERS)
def test_an_abort_at_every_moment_ends_with_one_published_key_that_signs(
    tmp_path: Path, signer: type[FakeSigner]
) -> None:
    ends = set()
    for number in range(200):
        house = House(tmp_path / str(number), signer=signer, delays=(0.0, 60.0))
        house.begin()
        house.trap.left = number
        try:
            house.until_done()
        except KilledError:
            house.trap.left = None
        else:
            break
        refused = False
        if house.book.open is not None:
            try:
                house.abort()
            except RefusedError:
                refused = True
        assert house.until_done().step is None
        house.check_that_mail_verifies()
        signs = house.signer.keys[DOMAIN]
        assert house.texts == {f"{signs.selector}._domainkey": [signs.record]}
        assert set(house.signer.keys) == {DOMAIN}
        ends.add((signs.selector, refused))
    # Before the switch and after it, it goes back; at the very end it can only go forward.
    assert {("dkim", False), (NEW, True)} <= ends


def test_an_abort_before_the_switch_withdraws_the_new_record_at_once(house: House) -> None:
    house.begin()
    house.proceed()
    assert house.abort().step is None
    assert set(house.texts) == {"dkim._domainkey"}
    assert house.signer.keys == {DOMAIN: held(1, "dkim")}
    assert house.book.open is None


def test_an_abort_after_the_switch_leaves_the_new_record_for_mail_on_its_way(house: House) -> None:
    house.begin()
    while house.signer.keys[DOMAIN].selector == "dkim":
        house.proceed()
        house.pass_time(60)
    outcome = house.abort()
    assert isinstance(outcome.step, Wait)
    assert house.signer.keys[DOMAIN].selector == "dkim"
    assert f"{NEW}._domainkey" in house.texts
    assert house.until_done().step is None
    assert set(house.texts) == {"dkim._domainkey"}


def test_an_abort_is_refused_once_the_old_record_is_not_served_everywhere(house: House) -> None:
    house.begin()
    while house.signer.keys[DOMAIN].selector == "dkim":
        house.proceed()
        house.pass_time(60)
    house.down.add(2)
    with pytest.raises(RefusedError, match="ns2") as caught:
        house.abort()
    assert "forward" in caught.value.advice
    house.down.clear()
    assert house.until_done().step is None


def test_a_late_switch_after_an_abort_is_switched_back(house: House) -> None:
    house.begin()
    while house.book.open is None or house.book.open.phase is not Phase.GRACE:
        house.proceed()
        house.pass_time(60)
    house.abort()
    # An earlier request to mailcow, thought lost, arrives now.
    house.signer.keys[DOMAIN] = house.signer.keys[f"next.{DOMAIN}"]
    assert house.until_done().step is None
    assert house.signer.keys == {DOMAIN: held(1, "dkim")}
    assert set(house.texts) == {"dkim._domainkey"}


def test_a_clock_that_went_backwards_starts_the_grace_anew(house: House) -> None:
    house.begin()
    while house.signer.keys[DOMAIN].selector == "dkim":
        house.proceed()
        house.pass_time(60)
    house.pass_time(WAITS.grace - 3600)
    house.proceed()
    house.skew = -86400.0
    house.proceed()
    house.pass_time(2 * 3600)
    house.proceed()
    assert "dkim._domainkey" in house.texts
    assert house.until_done().step is None


def test_another_domain_that_signs_with_the_old_key_keeps_it_published(house: House) -> None:
    house.signer.keys["alias.example"] = held(1, "dkim")
    house.begin()
    outcome = house.until_done()
    assert isinstance(outcome.step, Wait)
    assert "alias.example" in outcome.step.reason
    assert "dkim._domainkey" in house.texts
    del house.signer.keys["alias.example"]
    assert house.until_done().step is None


@pytest.mark.parametrize(
    "target", ["dkim._domainkey.example.com", "dkim._domainkey.example.com.", "dkim._domainkey"]
)
def test_an_alias_of_the_old_record_keeps_it_published(tmp_path: Path, target: str) -> None:
    alias = DnsRecord("7", "x._domainkey", "CNAME", target)
    house = House(tmp_path / "account", alias)
    house.begin()
    outcome = house.until_done()
    assert isinstance(outcome.step, Wait)
    assert "x._domainkey" in outcome.step.reason
    assert "dkim._domainkey" in house.texts


def test_a_rotated_key_that_nobody_here_knows_stops_it_before_anything_is_written(
    tmp_path: Path,
) -> None:
    house = House(tmp_path / "account", txt("8", "s2026-10b._domainkey", held(9, "x").record))
    with pytest.raises(RefusedError, match="another machine"):
        house.begin()


def test_a_key_held_ready_for_somebody_else_stops_it_before_anything_is_written(
    house: House,
) -> None:
    house.signer.keys[f"next.{DOMAIN}"] = held(50, "s2026-10c")
    with pytest.raises(RefusedError, match="not of a rotation here"):
        house.begin()


@pytest.mark.parametrize("number", [None, 2])
def test_a_key_that_is_not_the_published_one_is_put_right_first(
    house: House, number: int | None
) -> None:
    records = () if number is None else (txt("1", "dkim._domainkey", held(number, "").record),)
    house.backend.held = replace(house.backend.held, records=records)
    with pytest.raises(RefusedError, match="does not hold the very key") as caught:
        house.begin()
    assert caught.value.advice.endswith(f"netcup-mailauth apply {DOMAIN} --dkim mailcow")


def test_servers_that_answer_for_any_name_leave_no_new_selector(house: House) -> None:
    house.served = lambda *_: ("v=spf1 -all",)  # type: ignore[method-assign]
    with pytest.raises(RefusedError, match="wildcard"):
        house.begin()


def test_the_guard_has_its_say_about_the_new_record(house: House) -> None:
    house.begin()
    house.backend.held = replace(house.backend.held, draft="42")  # somebody is in the middle of it
    with pytest.raises(RefusedError, match="zone-has-draft"):
        house.proceed()
    assert set(house.texts) == {"dkim._domainkey"}


def test_of_two_machines_the_second_stops_and_the_first_finishes(tmp_path: Path) -> None:
    first = House(tmp_path / "one")
    first.begin()
    first.proceed()
    second = House(tmp_path / "two")
    second.backend.held, second.signer.keys = first.backend.held, first.signer.keys
    with pytest.raises(RefusedError, match="another machine"):
        second.begin()
    assert first.until_done().step is None


def test_two_machines_that_began_at_once_never_sign_with_an_unpublished_key(
    tmp_path: Path,
) -> None:
    first, second = House(tmp_path / "one"), House(tmp_path / "two")
    second.backend, second.signer = first.backend, first.signer
    session = replace(second.rotator.session, apis=first.backend)
    second.rotator = replace(second.rotator, session=session, signer=first.signer)
    second.past = first.past
    first.begin()
    second.begin()
    for _ in range(12):
        for house in (first, second):
            house.proceed()
            first.pass_time(300)
            second.now = first.now
    first.check_that_mail_verifies()


@pytest.mark.parametrize("revoke", [False, True])
def test_a_key_is_retired_by_removing_or_by_emptying_it(house: House, revoke: bool) -> None:
    house.begin(revoke=revoke)
    house.until_done()
    left = house.texts.get("dkim._domainkey")
    assert left == (["v=DKIM1;k=ed25519;p="] if revoke else None)
    assert Action.UPDATE not in house.backend.actions


@pytest.mark.parametrize("text", ["somebody's note", "v=DKIM1;p=no key"])
def test_what_somebody_put_beside_the_old_key_is_left_alone(house: House, text: str) -> None:
    house.begin()
    other = txt("77", "dkim._domainkey", text)
    zone = house.backend.held
    while house.book.open is None or house.book.open.phase is not Phase.GRACE:
        house.proceed()
        house.pass_time(60)
    zone = house.backend.held
    house.backend.held = replace(zone, records=(*zone.records, other))
    house.until_done()
    assert house.texts["dkim._domainkey"] == [text]


@pytest.mark.parametrize("published", [False, True])
def test_a_text_beside_the_new_key_keeps_mail_from_being_signed_with_it(
    house: House, published: bool
) -> None:
    """Of two texts at a selector it is undefined which is read."""
    house.begin()
    if published:
        house.proceed()
    other = txt("78", f"{NEW}._domainkey", "somebody's note")
    zone = house.backend.held
    house.backend.held = replace(zone, records=(*zone.records, other))
    for _ in range(5):
        house.pass_time(1000)
        assert isinstance(house.proceed().step, Stop)
    assert house.signer.keys[DOMAIN].selector == "dkim"


def test_a_new_record_that_vanished_is_published_again_and_waited_for_again(house: House) -> None:
    house.begin()
    house.proceed()
    house.pass_time(1000)
    house.proceed()
    kept = tuple(r for r in house.backend.held.records if r.hostname == "dkim._domainkey")
    house.backend.held = replace(house.backend.held, records=kept)  # as lego does
    house.pass_time(1000)
    house.proceed()
    assert f"{NEW}._domainkey" in house.texts
    assert house.signer.keys[DOMAIN].selector == "dkim"
    assert house.until_done().step is None


def ready_to_switch(house: House) -> None:
    """Everything was waited for, and the next run would switch."""
    house.begin()
    house.proceed()
    house.pass_time(1000)
    house.proceed()
    house.pass_time(60)
    house.proceed()
    house.pass_time(NEGATIVE_TTL)
    assert house.signer.keys[DOMAIN].selector == "dkim"


def test_a_record_made_anew_is_waited_for_anew_though_servers_still_have_the_first(
    house: House,
) -> None:
    ready_to_switch(house)
    kept = tuple(r for r in house.backend.held.records if r.hostname == "dkim._domainkey")
    house.backend.held = replace(house.backend.held, records=kept)
    assert isinstance(house.proceed().step, Wait)
    assert f"{NEW}._domainkey" in house.texts
    assert house.signer.keys[DOMAIN].selector == "dkim"


def test_a_prepared_key_that_changes_while_servers_are_asked_is_not_switched_to(
    house: House,
) -> None:
    ready_to_switch(house)
    another = {f"next.{DOMAIN}": held(50, NEW)}
    house.while_asked = lambda: house.signer.keys.update(another)  # type: ignore[method-assign]
    stopped = house.proceed().step
    assert isinstance(stopped, Stop)
    assert "is another one" in stopped.reason
    assert house.signer.keys[DOMAIN].selector == "dkim"


@pytest.mark.parametrize("made", [held(1, NEW), held(50, "other")])
def test_a_key_of_no_use_that_the_signer_makes_is_not_published(
    house: House, monkeypatch: pytest.MonkeyPatch, made: SignerKey
) -> None:
    house.begin()
    monkeypatch.setattr(house.signer, "prepare", lambda *_: made)
    with pytest.raises(RefusedError, match="is of no use"):
        house.proceed()
    assert set(house.texts) == {"dkim._domainkey"}


def test_a_new_key_that_the_api_cannot_hold_is_not_waited_for(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.begin()
    monkeypatch.setattr(house.backend, "refuses", lambda _: "it is too long")
    with pytest.raises(RecordError, match="it is too long"):
        house.proceed()
    assert house.backend.actions == []


def test_a_write_that_fails_is_told_and_the_next_run_makes_it(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object) -> None:
        raise FaultError("the API is down", "Try again.")

    house.begin()
    with monkeypatch.context() as down:
        down.setattr(house.backend, "apply", failing)
        with pytest.raises(MailauthError, match="the API is down"):
            house.proceed()
    assert set(house.texts) == {"dkim._domainkey"}
    assert house.until_done().step is None


def test_an_abort_that_cannot_be_finished_goes_forward_again(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(_: str) -> None:
        raise KilledError

    house.begin()
    while house.signer.keys[DOMAIN].selector == "dkim":
        house.proceed()
        house.pass_time(60)
    with monkeypatch.context() as kill:
        kill.setattr(house.signer, "switch_back", killed)
        with pytest.raises(KilledError):
            house.abort()
    del house.signer.keys[f"park.{DOMAIN}"]
    assert any("it goes forward again" in sentence for sentence in house.proceed().done)
    assert house.until_done().step is None
    assert set(house.texts) == {f"{NEW}._domainkey"}


def test_a_signer_that_signs_with_something_else_after_the_switch_is_not_believed(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready_to_switch(house)
    monkeypatch.setattr(house.signer, "switch", lambda domain: house.signer.keys[domain])
    with pytest.raises(UnverifiedError, match="signs with dkim"):
        house.proceed()
    assert house.book.open is not None
    assert house.book.open.phase is Phase.SWITCHING


def test_a_prepared_key_that_is_another_one_now_stops_it(house: House) -> None:
    house.begin()
    house.proceed()
    house.signer.keys[f"next.{DOMAIN}"] = held(50, NEW)
    house.pass_time(5000)
    outcome = house.until_done()
    assert isinstance(outcome.step, Stop)
    assert house.signer.keys[DOMAIN].selector == "dkim"
    assert house.abort().step is None


def test_a_signer_that_went_its_own_way_stops_it_and_an_abort_forgets_it(house: House) -> None:
    house.begin()
    while house.book.open is None or house.book.open.phase is not Phase.GRACE:
        house.proceed()
        house.pass_time(60)
    house.signer.keys[DOMAIN] = held(60, "mine")
    stopped = house.proceed()
    assert isinstance(stopped.step, Stop)
    before = house.texts
    outcome = house.abort()
    assert outcome.step is None
    assert "forgotten" in outcome.done[0]
    assert house.texts == before
    assert house.book.open is None


def test_a_failing_signer_changes_nothing_and_the_next_run_goes_on(house: House) -> None:
    house.begin()
    house.proceed()
    house.pass_time(5000)
    house.proceed()
    house.pass_time(5000)
    house.trap.left, house.trap.error = 3, FaultError
    with pytest.raises(FaultError):
        house.until_done()
    house.check_that_mail_verifies()
    assert house.until_done().step is None


def test_another_signer_may_not_go_on_with_a_rotation(house: House) -> None:
    house.begin()
    house.signer.name = "command: x"
    with pytest.raises(RefusedError, match="was begun with"):
        house.proceed()


def test_an_open_rotation_names_both_its_hostnames_for_the_guard(house: House) -> None:
    assert held_by_rotations([house.folder], DOMAIN) == frozenset()
    house.begin()
    both = frozenset(("dkim._domainkey", f"{NEW}._domainkey"))
    assert held_by_rotations([house.folder], DOMAIN) == both
    assert held_by_rotations([house.folder], "example.org") == frozenset()


def test_without_a_key_at_the_signer_there_is_none_to_replace(house: House) -> None:
    del house.signer.keys[DOMAIN]
    with pytest.raises(RefusedError, match="there is none to replace"):
        house.begin()
    with pytest.raises(MailauthError, match="has no DKIM key"):
        note_age(house.rotator, ())
    assert house.book == Book(DOMAIN)


def test_one_that_is_open_is_not_begun_again(house: House) -> None:
    drafted = house.begin()
    with pytest.raises(RefusedError, match="is open already"):
        begin(house.rotator, drafted)
    assert house.book.open == drafted


def test_the_age_of_a_key_is_counted_from_the_first_time_it_was_seen(house: House) -> None:
    assert note_age(house.rotator, ()) == START
    assert "counted from now" in house.heard.notes[-1]
    house.pass_time(86400)
    assert note_age(house.rotator, ()) == START
    assert key(1).fingerprint in house.book.seen


EVENTS = st.one_of(
    st.tuples(st.just("run"), st.just(0)),
    st.tuples(st.just("time"), st.sampled_from((1, 59, 600, 3600, 86400, 5 * 86400))),
    st.tuples(st.just("kill"), st.integers(0, 12)),
    st.tuples(st.just("fault"), st.integers(0, 12)),
    st.tuples(st.just("abort"), st.just(0)),
    st.tuples(st.just("clock"), st.sampled_from((-86400, -3600, -30, 30, 600))),
    st.tuples(st.just("down"), st.integers(0, 2)),
    st.tuples(st.just("up"), st.integers(0, 2)),
    st.tuples(st.just("lose"), st.just(0)),
)


@settings(
    max_examples=tries(60), suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(events=st.lists(EVENTS, max_size=25), signer=st.sampled_from(SIGNERS))
def test_whatever_happens_mail_verifies_and_it_comes_to_an_end(
    tmp_path_factory: pytest.TempPathFactory,
    events: list[tuple[str, int]],
    signer: type[FakeSigner],
) -> None:
    house = House(tmp_path_factory.mktemp("h"), signer=signer)
    house.begin()
    for event, value in events:
        happen(house, event, value)
        house.check_that_mail_verifies()
    house.trap.left = None
    house.down.clear()
    outcome = house.until_done()
    assert outcome.step is None or isinstance(outcome.step, Stop)
    assert Action.UPDATE not in house.backend.actions


def happen(house: House, event: str, value: int) -> None:
    match event:
        case "time":
            house.pass_time(value)
        case "clock":
            # Never forwards: a clock that is ahead is only found out when it is set right.
            house.skew = min(house.skew, 0.0) + min(value, 0)
        case "down":
            house.down.add(value)
        case "up":
            house.down.discard(value)
        case "lose":
            house.signer.keys.pop(f"next.{DOMAIN}", None)
        case "kill" | "fault":
            house.trap.left = value
            house.trap.error = KilledError if event == "kill" else FaultError
        case _:
            act = house.abort if event == "abort" else house.proceed
            try:
                act()
            except (MailauthError, KilledError):
                house.check_that_mail_verifies()
