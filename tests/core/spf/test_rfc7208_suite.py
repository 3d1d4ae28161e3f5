"""All 203 cases of the RFC 7208 test suite, one test each; of a mail refused the result alone.

Nobody here reads the text at ``exp=``, so that it is not asked for.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from netcup_mailauth.spf import check_host
from tests.core.spf.zones import Zones

SUITE = Path(__file__).parents[2] / "data" / "rfc7208-tests.yml"


def cases() -> list[Any]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # in C ten times as fast
    scenarios = yaml.load_all(SUITE.read_text(encoding="utf-8"), loader)
    return [
        pytest.param(case, scenario["zonedata"], id=f"{scenario['description']}: {name}")
        for scenario in scenarios
        for name, case in scenario["tests"].items()
    ]


def test_the_suite_is_complete() -> None:
    assert len(cases()) == 203


@pytest.mark.parametrize(("case", "zonedata"), cases())
def test_case(case: dict[str, Any], zonedata: dict[str, Any]) -> None:
    sender, helo = case["mailfrom"], case["helo"]
    domain = sender.rpartition("@")[2] if sender else helo
    found = check_host(
        str(case["host"]),
        domain,
        sender or f"postmaster@{helo}",
        Zones(zonedata),
        helo=helo,
    )
    allowed = case["result"] if isinstance(case["result"], list) else [case["result"]]
    assert found.result in allowed
