"""What a plan looks at is what it would write, and nothing that stays as it is."""

from __future__ import annotations

import pytest

from netcup_mailauth.actions.planning import draft
from netcup_mailauth.actions.session import Session
from netcup_mailauth.errors import RecordError
from netcup_mailauth.policy import DmarcPolicy, DomainPolicy, SpfPolicy, Wish
from tests.worlds import account

LONG = " ".join(["v=spf1 mx", *(f"ip4:198.51.{n // 250}.{n % 250}" for n in range(90)), "-all"])
"""Longer than what netcup is known to keep."""


def test_a_live_record_that_stays_may_be_of_any_length() -> None:
    with account() as (sandbox, backend):
        txt = {"hostname": "@", "type": "TXT", "destination": LONG}
        sandbox.set_zone("example.com", [txt])
        policy = DomainPolicy(spf=SpfPolicy(require=["mx"]), dmarc=DmarcPolicy(policy="none"))
        drafted = draft(Session(backend), Wish("example.com", policy))
        assert [change.hostname for change in drafted.change_set.changes] == ["_dmarc"]


def test_one_that_would_be_written_may_not() -> None:
    with account() as (_, backend):
        policy = DomainPolicy(spf=SpfPolicy(record=LONG))
        with pytest.raises(RecordError, match="more than 1024 characters"):
            draft(Session(backend), Wish("example.com", policy))
