"""What a plan looks at is what it would write, and nothing that stays as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from netcup_mailauth.actions.planning import draft
from netcup_mailauth.actions.session import Session
from netcup_mailauth.findings import Severity
from netcup_mailauth.keys.forms import read_key
from netcup_mailauth.keys.sources import Sources
from netcup_mailauth.policy import DkimPolicy, DmarcPolicy, DomainPolicy, SpfPolicy, Wish
from netcup_mailauth.records import DnsRecord
from tests.core.judge.cases import key_record
from tests.worlds import account

if TYPE_CHECKING:
    from netcup_mailauth.dkim import DkimSource
    from netcup_mailauth.plan import ChangeSet

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
        change_set = draft(Session(backend), Wish("example.com", policy)).change_set
        (refused,) = [f for f in change_set.findings if f.severity is Severity.REFUSED]
        assert "more than 1024 characters" in refused.message
        assert change_set.changes == ()


WITH_NOTE = key_record(tags='n=say "hi";')


class Given(Sources):
    """A source that has this text."""

    def __init__(self, text: str) -> None:
        self._text = text

    def key(self, _source: str, _domain: str) -> DkimSource:
        return read_key(self._text, "a test")

    def host(self, _source: str) -> None:
        return None

    def relay(self, _source: str, _domain: str) -> None:
        return None


def planned(text: str, *live: dict[str, str]) -> ChangeSet:
    policy = DomainPolicy(dkim=DkimPolicy(source="mailcow", selector="dkim"))
    with account() as (sandbox, backend):
        sandbox.set_zone("example.com", live)
        session = Session(backend, keys=Given(text))
        return draft(session, Wish("example.com", policy)).change_set


@pytest.mark.parametrize("note", ['say "hi"', "it's mine", "back\\slash"])
def test_a_note_that_netcup_cannot_store_is_left_out_and_told(note: str) -> None:
    change_set = planned(key_record(tags=f"n={note};"))
    (change,) = change_set.changes
    assert change.after is not None
    assert change.after.destination == key_record()
    (told,) = [f for f in change_set.findings if f.code == "dkim-n-left-out"]
    assert note in told.message


def test_a_note_that_can_be_stored_is_kept() -> None:
    change_set = planned(key_record(tags="n=hello;"))
    assert change_set.changes[0].after == DnsRecord(
        None, "dkim._domainkey", "TXT", key_record(tags="n=hello;")
    )
    assert "dkim-n-left-out" not in [f.code for f in change_set.findings]


def test_a_note_is_nothing_to_tell_where_the_key_is_there_already() -> None:
    live = {"hostname": "dkim._domainkey", "type": "TXT", "destination": key_record()}
    change_set = planned(WITH_NOTE, live)
    assert change_set.changes == ()
    assert "dkim-n-left-out" not in [f.code for f in change_set.findings]


def test_what_else_netcup_cannot_store_in_a_key_is_refused() -> None:
    change_set = planned(key_record(tags='x="y";'))
    (refused,) = [f for f in change_set.findings if f.severity is Severity.REFUSED]
    assert "cannot be stored" in refused.message
    assert change_set.changes == ()
