"""No odd answer doubles a write or touches a foreign record, and one clean run makes all right.

A part of the table each time; all of it with ``NETCUP_MAILAUTH_THOROUGH`` set.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest

from tests.effort import PROFILE
from tests.story.fuzz.odd import (
    CCP_CALLS,
    REST_CALLS,
    Odd,
    ccp_answers,
    problems_with,
    rest_answers,
)
from tests.story.fuzz.world import opened

if TYPE_CHECKING:
    from pathlib import Path

PARTS = {"contributor": 36, "ci": 12, "thorough": 1}[PROFILE]
"""Into how many parts the table is divided, of which one is tried."""

TABLE = {
    **{("ccp", call): list(ccp_answers(call)) for call in CCP_CALLS},
    **{("clouddns", call): list(rest_answers(call)) for call in REST_CALLS},
}


def test_the_table_has_hundreds_of_answers_of_each_api() -> None:
    for api in ("ccp", "clouddns"):
        assert sum(len(odd) for (name, _), odd in TABLE.items() if name == api) > 600


@pytest.mark.parametrize("place", list(TABLE), ids="-".join)
def test_after_any_odd_answer_one_clean_run_makes_the_zone_right(
    tmp_path: Path, place: tuple[str, str]
) -> None:
    api, _ = place
    tried: list[Odd] = TABLE[place][::PARTS]
    with opened(tmp_path) as world:
        for odd in tried:
            world.reset()
            with world.on_clouddns() if api == "clouddns" else contextlib.nullcontext():
                assert problems_with(world, odd) == []
