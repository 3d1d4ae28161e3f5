"""Zones with one fault each: whoever can see it says so, and nobody does of the clean one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from netcup_mailauth.findings import CODES
from tests.world.realworld.court import JUDGES, JudgeName
from tests.world.realworld.published import DOMAIN
from tests.world.realworld.zones import CLEAN, FAULTY, STATES, ZONES, Zone

if TYPE_CHECKING:
    from tests.world.realworld.court import Court
    from tests.world.realworld.stage import Stage

every_zone = pytest.mark.parametrize("zone", ZONES, ids=lambda zone: zone.name)
every_fault = pytest.mark.parametrize("zone", FAULTY, ids=lambda zone: zone.name)


@every_zone
@pytest.mark.parametrize("judge", JUDGES)
def test_a_judge_says_of_a_zone_what_is_listed(
    stage: Stage, court: Court, zone: Zone, judge: JudgeName
) -> None:
    published = stage.published()
    stage.show(zone.make(published.records), zone.world)
    assert court.verdict(judge, published) == zone.sees.get(judge, CLEAN.sees[judge])


@every_fault
def test_a_fault_is_seen_by_somebody(zone: Zone) -> None:
    assert zone.sees
    for judge, verdict in zone.sees.items():
        assert verdict != CLEAN.sees[judge]


@every_fault
def test_a_fault_changes_one_record_and_no_more(stage: Stage, zone: Zone) -> None:
    clean = stage.published().records
    faulty = zone.make(clean)
    assert len([r for r in faulty if r not in clean]) == 1
    assert len([r for r in clean if r not in faulty]) <= 1


def test_there_are_twelve_kinds_of_fault_at_least_and_no_name_twice() -> None:
    assert len({zone.name for zone in ZONES}) == len(ZONES) > 12
    assert set(CLEAN.sees) == set(JUDGES)


@every_zone
def test_what_check_shall_say_is_something_it_can_say(zone: Zone) -> None:
    assert zone.check_codes
    assert set(zone.check_codes) <= {*CODES, *STATES}


WANTED = (
    *("--spf", "v=spf1 mx a -all", "--dkim", "mailcow"),
    *("--dmarc", "v=DMARC1;p=quarantine;rua=mailto:postmaster@example.com"),
)
"""What the stage's zones were made from; `check` is told the same."""


def said_by_check(stage: Stage, zone: Zone, *options: str) -> tuple[int, set[str]]:
    """The exit code of `check`, and all the states and finding codes it names."""
    published = stage.published()
    stage.show(zone.make(published.records), zone.world)
    ended = stage.command("check", DOMAIN, *options, "--format", "json")
    (domain,) = ended.json["domains"]
    states = {record["state"] for record in domain["records"]}
    findings = [*domain["findings"], *(f for r in domain["records"] for f in r["findings"])]
    return ended.code, states | {finding["code"] for finding in findings}


@every_fault
def test_check_names_the_fault_as_the_judges_do(stage: Stage, zone: Zone) -> None:
    code, said = said_by_check(stage, zone, *WANTED)
    assert code == 8
    assert set(zone.check_codes) <= said


SOUND_KEYS = ("wrong-key", "cname-at-selector")
"""Zones in which a sound key is published, and only the signer knows that it is another's."""


@pytest.mark.parametrize(
    "zone", [z for z in FAULTY if z.name not in SOUND_KEYS], ids=lambda z: z.name
)
def test_check_sees_a_fault_that_shows_without_being_told_what_is_wanted(
    stage: Stage, zone: Zone
) -> None:
    code, _ = said_by_check(stage, zone)
    assert code == 8


def test_check_finds_the_clean_zone_right(stage: Stage) -> None:
    code, said = said_by_check(stage, CLEAN, *WANTED)
    assert code == 0
    assert said & STATES == {"ok"}
