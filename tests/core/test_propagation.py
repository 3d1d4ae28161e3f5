"""When netcup's name servers follow is said by the API that the zone lies at."""

from __future__ import annotations

import pytest

from netcup_mailauth.propagation import following, span
from netcup_mailauth.records import CCP, CLOUDDNS


@pytest.mark.parametrize(
    ("backends", "said"),
    [
        ([CCP], "10 to 30 minutes"),
        ([CCP, CCP], "10 to 30 minutes"),
        ([CLOUDDNS], "1 to 10 minutes"),
        ([CLOUDDNS, CCP], "10 to 30 minutes (CloudDNS: 1 to 10 minutes)"),
        ([], "up to 30 minutes"),
        (["dns", ""], "up to 30 minutes"),
        (["", CLOUDDNS], "1 to 10 minutes"),
    ],
)
def test_the_time_is_that_of_the_api(backends: list[str], said: str) -> None:
    assert span(backends) == said
    assert f"its name servers follow in {said}." in following(backends)
