"""Rotations beside a rival who acts at random: ``python -m tests.story.rotation.rivals N [SEED]``.

After each run: no record was removed whose key signed when it was last looked.
"""

from __future__ import annotations

import os
import random
import sys
import tempfile
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from netcup_mailauth.errors import MailauthError
from tests.story.rotation.houses import DOMAIN, House, held, txt

if TYPE_CHECKING:
    from collections.abc import Mapping

PAUSES = (1, 60, 600, 3600, 86400, 7 * 86400)


def rampage(folder: Path, rounds: int, seed: int) -> int:
    """Run that many rotations, each beside a rival; how often a record was removed.

    Raises:
        AssertionError: something was removed by what was true before.
    """
    chance = random.Random(seed)
    return sum(_rotation(folder / str(number), chance) for number in range(rounds))


def _rotation(folder: Path, chance: random.Random) -> int:
    house = House(folder, delays=(0.0, 60.0))
    house.begin()
    removed = 0
    for _ in range(16):
        trap = house.trap
        trap.calls.clear()
        trap.rival, trap.rival_at = lambda: _act(house, chance), chance.randrange(40)
        before = dict(house.signer.keys)
        actions = len(house.backend.actions)
        act = house.abort if chance.random() < 0.05 else house.proceed
        with suppress(MailauthError):
            act()
        removed += sum(action.value == "delete" for action in house.backend.actions[actions:])
        _check(house, before, actions)
        if house.book.open is None:
            break
        house.note()
        house.now += chance.choice(PAUSES)
    return removed


def _act(house: House, chance: random.Random) -> None:
    keys = house.signer.keys
    selectors = [r.hostname for r in house.backend.held.records if r.type == "TXT"]
    match chance.randrange(6):
        case 0:
            keys[DOMAIN] = held(1, "dkim")
        case 1:
            keys[DOMAIN] = keys.get(f"next.{DOMAIN}", keys[DOMAIN])
        case 2:
            keys["other.example"] = chance.choice(list(keys.values()))
        case 3:
            keys.pop("other.example", None)
        case 4 if selectors:
            name = chance.choice(selectors)
            records = tuple(
                replace(r, destination="a rival's own text") if r.hostname == name else r
                for r in house.backend.held.records
            )
            house.backend.held = replace(house.backend.held, records=records)
        case _:
            made = txt(str(chance.randrange(10**6)), "note", "a rival's own text")
            records = (*house.backend.held.records, made)
            house.backend.held = replace(house.backend.held, records=records)


def _check(house: House, before: Mapping[str, object], actions: int) -> None:
    deleted = [a for a in house.backend.actions[actions:] if a.value == "delete"]
    calls = house.trap.calls
    if not deleted or house.trap.rival_at >= len(calls):
        late = False
    else:
        look = max(n for n in range(calls.index("apply")) if calls[n] in ("current", "others"))
        late = house.trap.rival_at > look
    signs = house.signer.keys[DOMAIN]
    gone = f"{signs.selector}._domainkey" not in house.texts
    if deleted and not late and before.get(DOMAIN) is not None:
        assert not gone, (house.trap.rival_at, calls)


if __name__ == "__main__":
    setattr(os, "fsync", lambda _: None)  # noqa: B010 - thousands of books, none to last
    count, start = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0
    with tempfile.TemporaryDirectory() as place:
        removed = rampage(Path(place), count, start)
    sys.stdout.write(f"{count} rotations, {removed} records removed\n")
