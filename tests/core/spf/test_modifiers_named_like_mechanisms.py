"""A modifier that is named like a mechanism is an unknown modifier (RFC 7208, 6), nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from netcup_mailauth import spf
from netcup_mailauth.lookup import Answer, Query, Status

if TYPE_CHECKING:
    from collections.abc import Sequence


def silent(queries: Sequence[Query]) -> list[Answer]:
    return [Answer(Status.NXDOMAIN) for _ in queries]


def test_all_as_a_modifier_is_not_the_final_all() -> None:
    record = spf.parse("v=spf1 mx all=fail -all")
    assert record.all_qualifier is spf.Qualifier.FAIL
    assert spf.lint(record) == ()


def test_it_does_not_stop_a_redirect() -> None:
    record = spf.parse("v=spf1 all=fail redirect=_spf.example.net")
    assert record.redirect_in_effect is not None
    assert spf.with_all(spf.parse("v=spf1 all=x"), spf.Qualifier.FAIL).all_qualifier == "-"


@pytest.mark.parametrize("name", ["a", "mx", "include", "exists", "ptr"])
def test_it_costs_no_look_up(name: str) -> None:
    record = spf.parse(f"v=spf1 {name}=example.net -all")
    assert spf.cost(record, "example.com", silent).lookups_total == 0
