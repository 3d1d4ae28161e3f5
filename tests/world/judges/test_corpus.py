"""The corpus itself: large enough, without doubles, its list of disagreements in order."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.world.judges import dkim_records, dmarc_edits, dmarc_records, judges, spf_records
from tests.world.judges.disagreements import DISAGREEMENTS
from tests.world.judges.records import KIND_OF, Disagreement
from tests.world.judges.settle import settle

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.world.judges.records import Dkim, Dmarc, Spf

KINDS: dict[str, Sequence[Spf | Dkim | Dmarc]] = {
    "SPF": spf_records.SPF_RECORDS,
    "DKIM": dkim_records.DKIM_RECORDS,
    "DMARC": (*dmarc_records.DMARC_RECORDS, *dmarc_edits.BEFORE, *dmarc_edits.AFTER),
}
NAMES = {kind: [record.name for record in records] for kind, records in KINDS.items()}
LISTED = (Disagreement("dkimpy", "a", "verifies", "unusable", "RFC 6376 3.2", "because"),)


def test_there_are_records_enough() -> None:
    assert sum(map(len, KINDS.values())) >= 150
    assert min(map(len, KINDS.values())) >= 50


@pytest.mark.parametrize("kind", KINDS)
def test_no_two_records_share_a_name(kind: str) -> None:
    assert len(set(NAMES[kind])) == len(NAMES[kind])


@pytest.mark.parametrize("found", DISAGREEMENTS, ids=lambda d: f"{d.judge}: {d.record}")
def test_a_listed_disagreement_is_about_a_record_and_decided(found: Disagreement) -> None:
    assert found.record in NAMES[KIND_OF[found.judge]]
    assert found.they_say != found.we_say
    assert re.fullmatch(r"RFC [0-9]{4} [0-9]+(\.[0-9]+)*", found.decided_by)
    assert found.why


def test_no_disagreement_is_listed_twice() -> None:
    listed = [(found.judge, found.record) for found in DISAGREEMENTS]
    assert len(set(listed)) == len(listed)


def test_agreement_settles() -> None:
    settle("dkimpy", "b", "verifies", "verifies", LISTED)
    settle("dkimpy", "a", "verifies", "unusable", LISTED)


def test_a_disagreement_that_is_not_listed_fails() -> None:
    with pytest.raises(AssertionError, match="not listed"):
        settle("dkimpy", "b", "verifies", "unusable", LISTED)


@pytest.mark.parametrize("both_say", ["verifies", "unusable"])
def test_a_listed_disagreement_that_is_over_fails(both_say: str) -> None:
    with pytest.raises(AssertionError, match="no longer"):
        settle("dkimpy", "a", both_say, both_say, LISTED)


def test_an_absent_judge_skips_and_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judges, "REQUIRED", False)
    with pytest.raises(pytest.skip.Exception, match=r"^judge is not installed: pip install it$"):
        judges.load("judge", "no_such_module", "pip install it")


def test_an_absent_judge_fails_where_all_are_required(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judges, "REQUIRED", True)
    with pytest.raises(pytest.fail.Exception, match=r"^judge is not installed: pip install it$"):
        judges.load("judge", "no_such_module", "pip install it")
