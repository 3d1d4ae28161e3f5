"""What the guard holds back is its own kind and no more; what is left is sound by itself."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from netcup_mailauth.desired import desired_records
from netcup_mailauth.findings import Finding, Severity
from netcup_mailauth.judge import guard, holding
from netcup_mailauth.judge.case import Case
from netcup_mailauth.plan import ChangeSet, Place, applied, compute
from netcup_mailauth.policy import DkimPolicy, DmarcPolicy, DomainPolicy, SpfPolicy
from netcup_mailauth.records import Kind
from tests.core.judge.cases import HOSTS, dns, key_record, source, zone

if TYPE_CHECKING:
    from netcup_mailauth.records import Zone

SPF, DKIM, DMARC = Kind.SPF, Kind.DKIM, Kind.DMARC
LIVE = zone(*HOSTS, "@ TXT v=spf1 mx a ~all")
BARE = zone(*HOSTS)
DROPS_A_SENDER = SpfPolicy(record="v=spf1 mx ~all")
HARMLESS = SpfPolicy(record="v=spf1 mx a ip4:192.0.2.77 ~all")
WATCHES = DmarcPolicy(record="v=DMARC1;p=none;rua=mailto:postmaster@example.com")
REJECTS = DmarcPolicy(record="v=DMARC1;p=reject;rua=mailto:postmaster@example.com")
KEY, SHORT_KEY = key_record(), key_record(bits=512)


def settled(
    before: Zone,
    policy: DomainPolicy,
    key: str | None = None,
    decided: tuple[Finding, ...] = (),
) -> ChangeSet:
    """The change set for a wish, with what is held back."""
    if key is not None:
        policy = policy.model_copy(update={"dkim": DkimPolicy(source="-", selector="dkim")})
    desired = desired_records("example.com", before, policy, source(key) if key else None)
    change_set = compute(Place("example.com", before.name), before, desired.records)
    change_set = replace(change_set, allow=tuple(policy.allow or ()))
    case = Case(change_set, before, policy, dns=dns())
    return holding.settled(case, [*desired.findings, *decided])


def kinds(change_set: ChangeSet) -> set[Kind]:
    return {change.kind for change in holding.let_through(change_set).changes}


def test_a_danger_holds_back_its_own_kind_and_the_others_are_written() -> None:
    found = settled(LIVE, DomainPolicy(spf=DROPS_A_SENDER, dmarc=WATCHES), KEY)
    assert found.held == {SPF}
    assert kinds(found) == {DKIM, DMARC}
    assert holding.held_by(found) == {SPF: ("spf-drops-sender",)}
    assert {change.kind for change in found.changes} == {SPF, DKIM, DMARC}, "all of it is shown"


def test_what_is_allowed_holds_back_nothing() -> None:
    policy = DomainPolicy(spf=DROPS_A_SENDER, dmarc=WATCHES, allow=["spf-drops-sender"])
    found = settled(LIVE, policy)
    assert (found.held, kinds(found)) == (frozenset(), {SPF, DMARC})


@pytest.mark.parametrize("live", ["v=DMARC1;p=sometimes", "v=DMARC1;p=none;rua=postmaster"])
def test_a_wish_that_was_refused_does_not_keep_the_key_from_being_written(live: str) -> None:
    """A timer would be stuck while mailcow signs with the new key already."""
    before = zone(*HOSTS, f"_dmarc TXT {live}")
    refused = Finding("dmarc-syntax", Severity.REFUSED, "It cannot be edited.", kind=DMARC)
    found = settled(before, DomainPolicy(spf=HARMLESS), KEY, (refused,))
    assert found.held == {DMARC}
    assert kinds(found) == {SPF, DKIM}


def test_a_policy_that_is_sound_only_beside_the_key_that_is_held_back_waits_with_it() -> None:
    found = settled(BARE, DomainPolicy(spf=HARMLESS, dmarc=REJECTS), SHORT_KEY)
    assert found.held == {DKIM, DMARC}
    assert kinds(found) == {SPF}
    assert holding.held_by(found)[DMARC] == ("dmarc-enforces-without-dkim",)
    beside_a_sound_key = settled(BARE, DomainPolicy(spf=HARMLESS, dmarc=REJECTS), KEY)
    assert kinds(beside_a_sound_key) == {SPF, DKIM, DMARC}


def test_a_finding_about_the_zone_as_a_whole_holds_back_everything() -> None:
    found = settled(zone(), DomainPolicy(spf=HARMLESS, dmarc=WATCHES))
    assert "zone-reads-empty" in {finding.code for finding in found.findings}
    assert kinds(found) == set()


def test_what_was_judged_as_a_whole_is_written_whole_or_not_at_all() -> None:
    in_part = settled(LIVE, DomainPolicy(spf=DROPS_A_SENDER, dmarc=WATCHES))
    assert holding.is_in_part(in_part)
    whole = replace(in_part, held=frozenset())
    assert kinds(whole) == set()
    assert not holding.is_in_part(whole)


def test_nothing_that_is_held_back_is_in_effect_afterwards() -> None:
    found = settled(LIVE, DomainPolicy(spf=DROPS_A_SENDER, dmarc=WATCHES), KEY)
    after = applied(LIVE, holding.let_through(found).changes)
    assert after.at("@", "TXT") == LIVE.at("@", "TXT")


def test_what_is_left_is_judged_as_it_will_be_written() -> None:
    """No finding that stops it is left among those of the kinds that are written."""
    for policy, key in (
        (DomainPolicy(spf=DROPS_A_SENDER, dmarc=REJECTS), None),
        (DomainPolicy(spf=DROPS_A_SENDER, dmarc=REJECTS), KEY),
        (DomainPolicy(spf=HARMLESS, dmarc=REJECTS), SHORT_KEY),
    ):
        found = settled(LIVE, policy, key)
        rest = holding.let_through(found)
        again = guard.judge(Case(rest, LIVE, policy, dns=dns()))
        assert holding.stopping(replace(rest, findings=again)) == ()


def test_of_a_near_miss_that_is_held_back_from_being_replaced_there_is_one_word() -> None:
    """Not both what it would become and that it stays."""
    before = zone(*HOSTS, "_dmarc TXT  v=DMARC1: p=reject; rua=mailto:o@example.com")
    found = settled(before, DomainPolicy(dmarc=REJECTS))
    assert found.held == {DMARC}
    (said,) = [finding for finding in found.findings if finding.code == "near-miss"]
    assert "It becomes" in said.message
