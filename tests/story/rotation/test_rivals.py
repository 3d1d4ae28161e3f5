"""A rotation beside a rival, who acts right before any one of its calls to the world.

What a rotation removes or switches, it removes or switches by what was there at the last look: a
rival who came before that look is respected, and the only gap that is left is the one between a
last look and the write it is for.

A longer form, of many rivals in one rotation, in a row:
``python -m tests.story.rotation.rivals 1000``.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from netcup_mailauth import clock
from netcup_mailauth.errors import MailauthError, StaleError, UnverifiedError
from netcup_mailauth.plan import Action
from netcup_mailauth.rotation import begin
from netcup_mailauth.rotation.begin import draft
from netcup_mailauth.rotation.decide import Stop
from netcup_mailauth.rotation.state import Phase
from tests.story.rotation.houses import DOMAIN, NEGATIVE_TTL, WAITS, House, held, txt
from tests.story.rotation.rivals import rampage

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from netcup_mailauth.records import Zone
    from netcup_mailauth.rotation.signers import Users

NEW = "s2026-11a"
OLD_NAME, NEW_NAME = "dkim._domainkey", f"{NEW}._domainkey"


def about_to_switch(house: House) -> None:
    house.begin()
    for pause in (1000, 60, NEGATIVE_TTL):
        house.proceed()
        house.pass_time(pause)
    assert house.signer.keys[DOMAIN].selector == "dkim"


def about_to_retire(house: House) -> None:
    house.begin()
    while house.book.open is None or house.book.open.phase is not Phase.GRACE:
        house.proceed()
        house.pass_time(60)
    house.pass_time(WAITS.grace)


def about_to_publish(house: House) -> None:
    house.begin()


def about_to_withdraw(house: House) -> None:
    """It was turned back after the switch; the new key's record is to go."""
    about_to_retire(house)
    assert house.abort().step is not None
    house.pass_time(WAITS.grace)


# --- What rivals do -------------------------------------------------------------------------------


def old_key_is_put_back(house: House) -> None:
    house.signer.keys[DOMAIN] = held(1, "dkim")


def new_key_is_put_back(house: House) -> None:
    house.signer.keys[DOMAIN] = held(101, NEW)


def another_domain_takes_the_old_key(house: House) -> None:
    house.signer.keys["other.example"] = held(1, "dkim")


def another_domain_takes_the_new_key(house: House) -> None:
    house.signer.keys["other.example"] = held(101, NEW)


def another_key_signs(house: House) -> None:
    house.signer.keys[DOMAIN] = held(70, "mine")


def another_key_is_made_ready(house: House) -> None:
    house.signer.keys[f"next.{DOMAIN}"] = held(71, NEW)


def _write(house: House, hostname: str, text: str | None) -> None:
    """Change the text of what is at a name, under the id it has; or remove it."""
    records = [r for r in house.backend.held.records if r.hostname != hostname]
    found = [r for r in house.backend.held.records if r.hostname == hostname]
    if text is not None:
        records += [replace(r, destination=text) for r in found] or [txt("500", hostname, text)]
    house.note()
    house.backend.held = replace(house.backend.held, records=tuple(records))


RIVALS_TEXT = "a rival's own text"


def old_record_is_written_to(house: House) -> None:
    _write(house, OLD_NAME, RIVALS_TEXT)


def new_record_is_written_to(house: House) -> None:
    _write(house, NEW_NAME, RIVALS_TEXT)


def new_record_is_removed(house: House) -> None:
    _write(house, NEW_NAME, None)


def an_alias_of_the_old_record_is_made(house: House) -> None:
    alias = replace(txt("501", "x._domainkey", f"{OLD_NAME}.{DOMAIN}."), type="CNAME")
    house.backend.held = replace(house.backend.held, records=(*house.backend.held.records, alias))


SIGNER, USERS, ZONE = "current", "others", "zone"
"""The call by which a rival's deed is seen."""

CASES = [
    (about_to_retire, old_key_is_put_back, SIGNER, "apply"),
    (about_to_retire, another_key_signs, SIGNER, "apply"),
    (about_to_retire, another_domain_takes_the_old_key, USERS, "apply"),
    (about_to_retire, old_record_is_written_to, ZONE, "apply"),
    (about_to_retire, an_alias_of_the_old_record_is_made, ZONE, "apply"),
    (about_to_withdraw, new_key_is_put_back, SIGNER, "apply"),
    (about_to_withdraw, another_domain_takes_the_new_key, USERS, "apply"),
    (about_to_withdraw, new_record_is_written_to, ZONE, "apply"),
    (about_to_switch, new_record_is_removed, ZONE, "switch"),
    (about_to_switch, new_record_is_written_to, ZONE, "switch"),
    (about_to_switch, another_key_signs, SIGNER, "switch"),
    (about_to_switch, another_key_is_made_ready, "prepared", "switch"),
    (about_to_publish, new_record_is_written_to, ZONE, "apply"),
    (about_to_publish, another_key_signs, SIGNER, "apply"),
]


@pytest.mark.parametrize(
    ("before", "deed", "seen_by", "write"), CASES, ids=lambda v: getattr(v, "__name__", v)
)
def test_a_rival_before_the_last_look_is_respected(
    tmp_path: Path,
    before: Callable[[House], None],
    deed: Callable[[House], None],
    seen_by: str,
    write: str,
) -> None:
    in_time = 0
    for moment in range(60):
        house = House(tmp_path / str(moment), delays=(0.0, 60.0))
        before(house)
        made = len(house.backend.actions)
        signs = house.signer.keys[DOMAIN]
        house.trap.calls.clear()
        house.trap.rival, house.trap.rival_at = lambda house=house: deed(house), moment
        with suppress(MailauthError):
            house.proceed()
        calls = house.trap.calls
        if moment >= len(calls):
            break  # the run was over before the rival could act
        # The look that counts is the last one before the write; without a write there is none.
        if write not in calls:
            in_time += 1
            continue
        looked = [n for n in range(calls.index(write)) if calls[n] == seen_by]
        late = moment > looked[-1]
        if write == "switch":
            assert late, (moment, calls)
        elif not late:
            new_actions = house.backend.actions[made:]
            assert Action.DELETE not in new_actions, (moment, calls)
            assert not house.texts.keys().isdisjoint({OLD_NAME}) or signs.selector == "dkim"
            if before is about_to_publish:
                assert Action.CREATE not in new_actions, (moment, calls)
        # What is left open is short: the zone is read right before each write to it.
        if write == "apply":
            assert calls[calls.index(write) - 1] == ZONE, calls
    else:
        raise AssertionError("the run does not come to an end")
    assert in_time > 0


def test_the_key_put_back_between_the_last_look_and_the_removal_is_told(tmp_path: Path) -> None:
    """That gap cannot be closed; so it is looked once more, while the key is still at hand."""
    house = House(tmp_path / "account")
    about_to_retire(house)
    apply = house.backend.apply

    def late(*asked: object) -> object:
        old_key_is_put_back(house)
        return apply(*asked)  # type: ignore[arg-type]

    house.backend.apply = late  # type: ignore[method-assign,assignment]
    with pytest.raises(UnverifiedError, match="signs with that key again") as caught:
        house.proceed()
    assert f"netcup-mailauth apply {DOMAIN}" in caught.value.advice
    assert house.signer.keys[f"park.{DOMAIN}"] == held(1, "dkim")


def test_keys_set_aside_by_somebody_else_are_not_deleted(tmp_path: Path) -> None:
    house = House(tmp_path / "account")
    about_to_retire(house)
    house.signer.keys[f"park.{DOMAIN}"] = held(77, "theirs")
    house.proceed()
    assert house.signer.keys[f"park.{DOMAIN}"] == held(77, "theirs")
    assert OLD_NAME not in house.texts


def test_a_key_that_somebody_else_made_ready_since_the_draft_is_not_used(tmp_path: Path) -> None:
    house = House(tmp_path / "account")
    house.begin()
    house.signer.keys[f"next.{DOMAIN}"] = held(78, "s2026-11q")
    with pytest.raises(MailauthError, match="another machine"):
        house.proceed()
    assert house.signer.keys[f"next.{DOMAIN}"] == held(78, "s2026-11q")


def test_while_the_zones_answer_is_slow_the_signer_is_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or the machine slept: meanwhile the old key is put back, after the signer was asked."""
    house = House(tmp_path / "account")
    about_to_retire(house)
    zone = house.backend.zone

    def slow(name: str) -> Zone:
        monkeypatch.setattr(house.backend, "zone", zone)
        old_key_is_put_back(house)
        return replace(zone(name), asked_at=clock.now() - 60)

    # The last reading before the removal: the one after all domains of the signer were asked.
    others = house.signer.others

    def asked(*key: Any) -> Users:
        monkeypatch.setattr(house.backend, "zone", slow)
        return others(*key)

    monkeypatch.setattr(house.signer, "others", asked)
    assert isinstance(house.proceed().step, Stop)
    assert OLD_NAME in house.texts


def test_a_zone_that_is_always_slow_comes_to_an_end(tmp_path: Path) -> None:
    house = House(tmp_path / "account")
    house.begin()
    zone = house.backend.zone
    slow = lambda name: replace(zone(name), asked_at=clock.now() - 60)  # noqa: E731
    house.backend.zone = slow  # type: ignore[method-assign]
    assert house.until_done().step is None


def test_another_key_since_the_draft_was_shown_opens_nothing(tmp_path: Path) -> None:
    house = House(tmp_path / "account")
    drafted = draft(house.rotator)
    another_key_signs(house)
    with pytest.raises(StaleError, match="another key than when"):
        begin.begin(house.rotator, drafted)
    assert house.book.open is None


def test_many_rivals_in_a_row(tmp_path: Path) -> None:
    assert rampage(tmp_path, rounds=40, seed=7) > 0
