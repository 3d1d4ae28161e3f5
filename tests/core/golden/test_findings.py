"""Every finding, with its severity and its words, is as the golden table has it."""

from __future__ import annotations

import pytest

from netcup_mailauth import spf
from tests.core.golden.findings import CASES, entry, stored
from tests.core.golden.judging import NEVER
from tests.core.golden.reach import unreached


@pytest.mark.parametrize("name", CASES)
def test_what_is_found_is_what_the_table_has(name: str) -> None:
    assert entry(name) == stored()[name]


def test_the_table_has_these_cases_and_no_others() -> None:
    assert list(stored()) == list(CASES)


def test_the_cases_reach_every_place_that_words_a_finding_and_every_choice_of_its_words() -> None:
    spf.lint.cache_clear()  # what an earlier test has had looked at would not be reached again
    missing = unreached(lambda: [entry(name) for name in CASES])
    assert set(missing) == NEVER
