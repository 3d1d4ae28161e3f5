"""How a judge's verdict is held against ours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.world.judges.disagreements import DISAGREEMENTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.world.judges.records import Disagreement, Dkim, Dmarc, Judge, Spf


def by_name(records: Sequence[Spf] | Sequence[Dkim] | Sequence[Dmarc]) -> list[Any]:
    """The records as parameters, each test named after one."""
    return [pytest.param(record, id=record.name) for record in records]


def settle(
    judge: Judge,
    record: str,
    they_say: str,
    we_say: str,
    listed: Sequence[Disagreement] = DISAGREEMENTS,
) -> None:
    """Fail unless both say the same, or differ exactly as listed."""
    for found in listed:
        if (found.judge, found.record) == (judge, record):
            assert (they_say, we_say) == (found.they_say, found.we_say), (
                f"{judge} and we no longer differ about {record} as listed"
            )
            return
    assert they_say == we_say, f"{judge} and we differ about {record}, which is not listed"
