"""The library: the command's work in a few lines, and nothing past the guard."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import netcup_mailauth
from netcup_mailauth import Netcup, RefusedError, Status, UsageError
from netcup_mailauth.errors import ExitCode
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


IN_PART = {**DANGEROUS, "dkim": "mailcow", "dmarc": "v=DMARC1;p=none"}


def test_what_the_guard_stops_holds_back_its_own_kind_and_the_result_says_so(api: Api) -> None:
    with api.netcup() as sandbox, Netcup.from_environment(sandbox.env) as netcup:
        run = netcup.apply(netcup.plan("example.com", **IN_PART))
        (result,) = run.results
        assert (result.status, run.exit_code) == (Status.APPLIED, ExitCode.REFUSED)
        assert result.change_set.held == {"spf"}
        assert result.failure is not None
        assert "SPF is held back, because of spf-drops-sender" in result.failure.message
        again = netcup.plan("example.com", **IN_PART)
        assert [change.kind for zone in again.zones for change in zone.changes] == ["spf"]


def test_what_is_accepted_is_held_back_no_more(api: Api) -> None:
    with api.netcup() as sandbox, Netcup.from_environment(sandbox.env) as netcup:
        plan = netcup.plan("example.com", **IN_PART).allow("spf-drops-sender")
        assert netcup.apply(plan).exit_code is ExitCode.OK
        assert not netcup.plan("example.com", **IN_PART).has_changes


def test_a_domain_that_the_guard_stops_keeps_no_other_from_being_written(api: Api) -> None:
    names = ("example.com", "example.org")
    with api.netcup(names) as sandbox, Netcup.from_environment(sandbox.env) as netcup:
        alias = {"hostname": "_dmarc", "type": "CNAME", "destination": "dmarc.example.net"}
        sandbox.set_zone("example.org", [alias])
        run = netcup.apply(netcup.plan(*names, dmarc="v=DMARC1;p=none"))
        assert [r.status for r in run.results] == [Status.APPLIED, Status.REFUSED]
        assert run.exit_code is ExitCode.REFUSED


def test_every_name_that_the_package_offers_is_there() -> None:
    assert [name for name in netcup_mailauth.__all__ if not hasattr(netcup_mailauth, name)] == []
