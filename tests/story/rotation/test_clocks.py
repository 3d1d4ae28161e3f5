"""A wait is over when the time has passed, not when a clock says so."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest

from netcup_mailauth.clock import Clock, Uptime
from netcup_mailauth.errors import RefusedError
from netcup_mailauth.rotation.decide import Stop, Wait, doubt
from netcup_mailauth.rotation.state import Book, Phase, Rotation, Side, Watch, dumps, loads
from tests.story.rotation.houses import DOMAIN, NEGATIVE_TTL, WAITS, FakeBackend, House, held

if TYPE_CHECKING:
    from pathlib import Path

NOW = 1_795_000_000.0
DAY = 86400.0
WATCH = Watch({"ns1": NOW - 100}, (NOW - 60,), 600)
ROTATION = Rotation(
    DOMAIN,
    DOMAIN,
    "mailcow at mail.example.com",
    Side("dkim", held(1, "dkim").record),
    Side("s2026-11a", held(2, "s2026-11a").record),
    started=NOW - DAY,
    clock=NOW,
    grace=7 * DAY,
    phase=Phase.GRACE,
    since=NOW - 10,
    watch=WATCH,
    up=Uptime("boot one", 5000.0),
)


@dataclass
class ClockedBackend(FakeBackend):
    """A netcup that tells the time."""

    house: Any = None

    @property
    def ahead(self) -> dict[str, float]:
        theirs = self.house.theirs
        return {} if theirs is None else {"netcup": theirs - self.house.skew}


class Clocked(House):
    """A house whose machine runs on while its clock is set, and whose netcup has a clock, too."""

    boot = "boot one"
    theirs: float | None = 0.0

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, delays=(0.0, 60.0))
        self.backend = ClockedBackend(self.trap, self.backend.held, house=self)
        session = replace(self.rotator.session, apis=self.backend)
        self.rotator = replace(self.rotator, session=session)

    def uptime(self) -> Uptime | None:
        return Uptime(self.boot, self.now) if self.boot else None

    def into_the_grace(self) -> None:
        self.begin()
        while self.book.open is None or self.book.open.phase is not Phase.GRACE:
            self.proceed()
            self.pass_time(60)


@pytest.fixture
def house(tmp_path: Path) -> Clocked:
    return Clocked(tmp_path / "account")


@pytest.mark.parametrize("dates", [True, False])
def test_a_clock_set_right_does_not_end_the_grace(house: Clocked, dates: bool) -> None:
    """It was ten days behind at the switch, and no answer said so; then it is set right."""
    house.skew, house.theirs = -10 * DAY, None
    house.into_the_grace()
    house.skew, house.theirs = 0.0, 0.0 if dates else None
    stopped = house.proceed().step
    assert isinstance(stopped, Stop)
    assert "UTC" in stopped.reason
    assert "rotate --continue" in stopped.advice
    waiting = house.proceed().step
    assert isinstance(waiting, Wait)
    house.pass_time(6.9 * DAY)
    house.proceed()
    assert "dkim._domainkey" in house.texts
    house.pass_time(0.2 * DAY)
    assert house.proceed().step is None


@pytest.mark.parametrize("minutes", [5, 59, 90])
def test_a_clock_set_forward_does_not_end_the_wait_for_caches(house: Clocked, minutes: int) -> None:
    """The negative TTL is shorter than what a clock may be wrong by without being noticed."""
    house.begin()
    for pause in (100, 60):
        house.proceed()
        house.pass_time(pause)
    house.proceed()
    begun = house.now
    house.theirs = None
    house.skew = 60.0 * minutes
    while house.signer.keys[DOMAIN].selector == "dkim":
        house.proceed()
        house.pass_time(20)
    assert house.now - begun >= NEGATIVE_TTL - 160 - 20


@pytest.mark.parametrize("apart", [-10 * DAY, -3700.0, 3700.0, 10 * DAY])
def test_nothing_is_switched_or_removed_while_the_clocks_disagree(
    house: Clocked, apart: float
) -> None:
    house.begin()
    for pause in (1000, 60, NEGATIVE_TTL):
        house.proceed()
        house.pass_time(pause)
    house.theirs = apart
    for _ in range(3):
        stopped = house.proceed().step
        assert isinstance(stopped, Stop)
        assert stopped.reason.count("UTC") == 2
        house.pass_time(DAY)
    assert house.signer.keys[DOMAIN].selector == "dkim"
    with pytest.raises(RefusedError, match="one of them is wrong"):
        house.abort()
    house.theirs = 0.0
    while house.book.open is None or house.book.open.phase is not Phase.GRACE:
        house.proceed()
        house.pass_time(60)
    house.pass_time(WAITS.grace)
    house.theirs = apart
    assert isinstance(house.proceed().step, Stop)
    assert "dkim._domainkey" in house.texts
    house.theirs = 0.0
    assert house.proceed().step is None


def test_a_wrong_clock_does_not_keep_a_new_key_from_being_published(house: Clocked) -> None:
    house.theirs = 10 * DAY
    house.begin()
    assert isinstance(house.proceed().step, Stop)
    assert "s2026-11a._domainkey" in house.texts


def test_a_small_difference_is_none(house: Clocked) -> None:
    house.theirs = 3500.0
    house.begin()
    assert house.until_done().step is None


def test_after_a_restart_the_short_waits_begin_anew_and_the_long_one_goes_on(
    house: Clocked,
) -> None:
    house.into_the_grace()
    house.pass_time(6 * DAY)
    house.boot = "boot two"
    assert isinstance(house.proceed().step, Wait)
    house.pass_time(1 * DAY)
    assert house.proceed().step is None


def test_what_no_clock_contradicts_goes_by_the_clock_alone(house: Clocked) -> None:
    house.boot, house.theirs = "", None
    house.begin()
    assert house.until_done().step is None


@pytest.mark.parametrize(
    ("now", "up", "since", "watch"),
    [
        (NOW + 50, Uptime("boot one", 5050), NOW - 10, WATCH),
        # The clock went further than the time.
        (NOW + 9 * DAY, Uptime("boot one", 5001), NOW - 10 + 9 * DAY - 1, None),
        # It lags behind, as after a suspend that it slept through: the slower one counts.
        (NOW + 50, Uptime("boot one", 5000 + DAY), NOW - 10, WATCH),
        # It went backwards.
        (NOW - DAY, Uptime("boot one", 5001), NOW - DAY, Watch()),
        # Another boot, or a boot whose time ran backwards (a container that was moved).
        (NOW + DAY, Uptime("boot two", 10), NOW - 10, Watch()),
        (NOW + DAY, Uptime("boot one", 10), NOW - 10, Watch()),
        (NOW + DAY, None, NOW - 10, WATCH),
    ],
)
def test_of_two_clocks_the_slower_one_counts(
    now: float, up: Uptime | None, since: float, watch: Watch | None
) -> None:
    seen = ROTATION.at(now, up)
    assert (seen.clock, seen.since, seen.up) == (now, since, up)
    if watch is not None:
        assert seen.watch == watch
    else:
        assert seen.watch.since == {"ns1": NOW - 100 + 9 * DAY - 1}
        assert seen.watch.rounds == (NOW - 60 + 9 * DAY - 1,)


def test_a_book_of_an_earlier_version_has_no_uptime() -> None:
    data = json.loads(dumps(Book(DOMAIN).opened(ROTATION)))
    assert loads(json.dumps(data)).open == ROTATION
    del data["open"]["boot"], data["open"]["uptime"]
    assert loads(json.dumps(data)).open == replace(ROTATION, up=None)


@pytest.mark.parametrize("ahead", [float(10**15), -float(10**15), float("nan"), 1e300])
def test_a_time_that_is_none_can_still_be_told(ahead: float) -> None:
    stop = doubt(NOW, None, {"netcup": ahead})
    assert stop is None or stop.reason.isprintable()


def test_the_uptime_of_this_machine(tmp_path: Path) -> None:
    boot = tmp_path / "boot_id"
    assert Clock().uptime(boot) is None
    boot.write_bytes(b"\xff\n")
    assert Clock().uptime(boot) is None
    boot.write_text("\n")
    assert Clock().uptime(boot) is None
    boot.write_text("0f3c\n")
    first, second = Clock().uptime(boot), Clock().uptime(boot)
    assert first is not None
    assert second is not None
    assert first.boot == "0f3c"
    assert first.seconds <= second.seconds
