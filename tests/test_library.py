"""The library: the command's work in a few lines, and nothing past the guard."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import netcup_mailauth
from netcup_mailauth import Netcup, RefusedError, Status, UsageError
from tests.apis import each_api

if TYPE_CHECKING:
    from tests.apis import Api

api = each_api

DANGEROUS = {"spf": "v=spf1 mx -all"}


def test_what_is_planned_is_written_and_then_nothing_is_left_to_do(api: Api) -> None:
    wanted = {"spf_require": ["ip4:203.0.113.7"], "dkim": "mailcow", "dmarc": "v=DMARC1;p=none"}
    with api.netcup() as sandbox, Netcup.from_environment(sandbox.env) as netcup:
        plan = netcup.plan("Example.COM", **wanted)
        assert plan.has_changes
        assert "+ ip4:203.0.113.7" in str(plan)
        assert [r.status for r in netcup.apply(plan).results] == [Status.APPLIED]
        assert not netcup.plan("example.com", **wanted).has_changes
        assert netcup.check("example.com", **wanted).exit_code == 0


def test_nothing_is_written_past_the_guard_unless_it_is_allowed(api: Api) -> None:
    with api.netcup() as sandbox, Netcup.from_environment(sandbox.env) as netcup:
        plan = netcup.plan("example.com", **DANGEROUS)
        with pytest.raises(RefusedError, match="spf-drops-sender"):
            netcup.apply(plan)
        assert api.writes(sandbox) == 0
        with pytest.raises(UsageError, match="no finding"):
            plan.allow("spf-drops-everything")
        (result,) = netcup.apply(plan.allow("spf-drops-sender")).results
        assert result.status is Status.APPLIED


def test_every_name_that_the_package_offers_is_there() -> None:
    assert [name for name in netcup_mailauth.__all__ if not hasattr(netcup_mailauth, name)] == []
