"""Refused credentials rest: for how long, for whom, and that nothing of them is written down."""

from __future__ import annotations

import json
import stat
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from netcup_mailauth.errors import CredentialsError, ExitCode, MailauthError, WaitError
from netcup_mailauth.state.holds import FileHold, Hold, Reason, Trial, digest
from tests.notes import Notes

if TYPE_CHECKING:
    from pathlib import Path

ENDPOINT = "http://127.0.0.1:8053/endpoint.php?JSON"
SECRETS = ["12345", "C4n4ry-key", "C4n4ry-password"]
START = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.time = START

    def __call__(self) -> datetime:
        return self.time


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def hold(tmp_path: Path, clock: Clock, told: list[str]) -> FileHold:
    name = digest(ENDPOINT, SECRETS)
    return FileHold(tmp_path, ENDPOINT, name, "netcup", False, told.append, clock)


def held(hold: FileHold) -> MailauthError:
    with pytest.raises(MailauthError) as caught:
        hold.check()
    return caught.value


def test_nothing_is_held_before_anything_happened(hold: FileHold) -> None:
    hold.check()
    assert not hold.path.parent.exists()


def test_a_refusal_holds_for_a_quarter_of_an_hour_and_says_how_it_ends(
    hold: FileHold, clock: Clock, told: list[str]
) -> None:
    hold.note(Reason.REFUSED)
    assert told == [
        "Runs without a terminal send nothing to netcup with these credentials until "
        "2026-07-01 12:15:00 UTC."
    ]
    clock.time += timedelta(minutes=15, seconds=-1)
    error = held(hold)
    assert type(error) is CredentialsError
    assert (error.exit_code, error.ends_run) == (ExitCode.CREDENTIALS, True)
    assert "until 2026-07-01 12:15:00 UTC" in error.what
    assert "auth --check" in error.advice
    clock.time += timedelta(seconds=1)
    hold.check()


def test_a_lock_out_says_wait(hold: FileHold) -> None:
    hold.note(Reason.LOCKED_OUT)
    error = held(hold)
    assert type(error) is WaitError
    assert (error.exit_code, error.ends_run) == (ExitCode.WAIT, True)
    assert "locked out" in error.what


def test_each_further_one_doubles_it_up_to_a_day(hold: FileHold, clock: Clock) -> None:
    lasted = []
    for _ in range(10):
        hold.note(Reason.REFUSED)
        until = datetime.fromisoformat(json.loads(hold.path.read_text())["until"])
        lasted.append((until - clock.time) / timedelta(minutes=15))
        held(hold)
        clock.time = until
        hold.check()  # it may be tried again, but is not forgotten
    assert lasted == [1, 2, 4, 8, 16, 32, 64, 96, 96, 96]
    clock.time -= timedelta(seconds=1)
    assert "10 times in a row" in held(hold).what


def test_somebody_at_a_terminal_may_try_and_a_success_lifts_it_for_all(hold: FileHold) -> None:
    hold.note(Reason.REFUSED)
    person = replace(hold, attended=True)
    person.check()
    held(hold)
    person.lift()
    hold.check()
    assert list(hold.path.parent.iterdir()) == []
    hold.lift()  # which is nothing odd


def test_a_success_starts_the_count_anew(hold: FileHold, clock: Clock) -> None:
    hold.note(Reason.REFUSED)
    hold.note(Reason.REFUSED)
    hold.lift()
    hold.note(Reason.REFUSED)
    clock.time += timedelta(minutes=15)
    hold.check()


@pytest.mark.parametrize("changed", [0, 1, 2])
def test_other_credentials_are_not_held(hold: FileHold, changed: int) -> None:
    hold.note(Reason.REFUSED)
    others = [*SECRETS]
    others[changed] += "x"
    replace(hold, digest=digest(ENDPOINT, others)).check()


def test_the_same_credentials_elsewhere_are_not_held(hold: FileHold) -> None:
    """A sandbox never mixes with netcup."""
    hold.note(Reason.REFUSED)
    netcup = "https://ccp.netcup.net/endpoint.php?JSON"
    replace(hold, endpoint=netcup, digest=digest(netcup, SECRETS)).check()
    assert digest(netcup, SECRETS) != digest(ENDPOINT, SECRETS)
    assert digest("https://mail.example/", ["k"]) == digest("https://mail.example", ["k"])
    assert digest("e", ["ab", "c"]) != digest("e", ["a", "bc"])


def test_no_secret_is_written_and_the_file_is_private(hold: FileHold, tmp_path: Path) -> None:
    hold.note(Reason.REFUSED)
    assert stat.S_IMODE(hold.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(hold.path.parent.stat().st_mode) == 0o700
    for path in tmp_path.rglob("*"):
        shown = str(path.relative_to(tmp_path)) + (path.read_text() if path.is_file() else "")
        assert not any(secret in shown for secret in SECRETS)
    assert not any(secret in repr(hold) for secret in SECRETS)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff",
        b"{}",
        b"[]",
        b"null",
        b"[" * 5000,
        b'{"reason": "refused", "times": 1, "until": "2026-07-01T12:15:00+00:00"}',
        b'{"schema": true, "reason": "refused", "times": 1, "until": "2026-07-01T12:15:00+00:00"}',
        b'{"schema": 1, "reason": "other", "times": 1, "until": "2026-07-01T12:15:00+00:00"}',
        b'{"schema": 1, "reason": "refused", "times": "x", "until": "2026-07-01T12:15:00+00:00"}',
        b'{"schema": 1, "reason": "refused", "times": 0, "until": "2026-07-01T12:15:00+00:00"}',
        b'{"schema": 1, "reason": "refused", "times": true, "until": "2026-07-01T12:15:00+00:00"}',
        b'{"schema": 1, "reason": "refused", "times": 1, "until": "soon"}',
        b'{"schema": 1, "reason": "refused", "times": 1, "until": 5}',
        b'{"schema": 1, "reason": "refused", "times": 1e999, "until": "2026-07-01T12:15:00+00:00"}',
        b'{"schema": 1, "reason": "refused", "times": 1, "until": "2126-07-01T12:15:00+00:00"}',
    ],
)
def test_a_damaged_file_holds_nobody_for_ever(hold: FileHold, content: bytes) -> None:
    """The last one is what a clock that was wrong leaves behind."""
    hold.path.parent.mkdir(parents=True)
    hold.path.write_bytes(content)
    hold.check()
    hold.note(Reason.REFUSED)
    held(hold)


@pytest.mark.parametrize("schema", [2, 0, 1000])
def test_a_hold_of_another_version_is_told_and_not_misread(
    hold: FileHold, told: list[str], schema: int
) -> None:
    hold.note(Reason.REFUSED)
    ours = json.loads(hold.path.read_text())
    hold.path.write_text(json.dumps({**ours, "schema": schema}))
    told.clear()
    hold.check()
    assert told == [
        f"The hold {hold.path} is of schema {schema}, which this version does not know, and is "
        "passed over."
    ]
    hold.note(Reason.REFUSED)
    assert json.loads(hold.path.read_text())["times"] == 1
    held(hold)


@pytest.mark.parametrize("sort", ["root is a file", "file is a folder"])
def test_a_state_folder_that_takes_nothing_hides_no_other_error(
    hold: FileHold, told: list[str], sort: str
) -> None:
    if sort == "root is a file":
        (hold.root / "file").write_text("")
        hold = replace(hold, root=hold.root / "file")
    else:
        hold.path.mkdir(parents=True)
    hold.check()
    hold.note(Reason.REFUSED)
    assert "could not be noted" in told[0]


def test_a_hold_that_cannot_be_removed_is_told(hold: FileHold, told: list[str]) -> None:
    hold.path.mkdir(parents=True)
    hold.lift()
    assert "cannot be removed" in told[0]


def test_without_a_memory_nothing_is_held() -> None:
    hold = Hold()
    hold.note(Reason.REFUSED)
    hold.check()
    hold.lift()


# --- Within one run -------------------------------------------------------------------------------


@pytest.fixture
def asked() -> Notes:
    return Notes()


def test_what_works_is_looked_up_and_lifted_once(asked: Notes) -> None:
    trial = Trial(asked)
    for _ in range(3):
        with trial.turn():
            trial.succeed()
    assert asked.told == ["asked", "lifted"]


def test_what_was_refused_is_not_sent_again_and_noted_once(asked: Notes) -> None:
    trial = Trial(asked)
    first, second = CredentialsError("first"), CredentialsError("second")
    assert trial.refuse(first, Reason.REFUSED) is first
    assert trial.refuse(second, Reason.REFUSED) is first, "jobs that were under way already"
    with pytest.raises(CredentialsError, match="first"), trial.turn():
        pytest.fail("it was sent")
    assert asked.told == [Reason.REFUSED]


def test_a_lock_out_after_a_rate_limit_is_noted(asked: Notes) -> None:
    trial = Trial(asked)
    trial.refuse(WaitError("slower"), None)
    trial.refuse(WaitError("locked"), Reason.LOCKED_OUT)
    assert asked.told == [Reason.LOCKED_OUT]


def test_what_is_held_is_not_sent(hold: FileHold) -> None:
    hold.note(Reason.REFUSED)
    with pytest.raises(CredentialsError), Trial(hold).turn():
        pytest.fail("it was sent")


def test_parallel_jobs_do_not_all_try_what_may_be_refused(asked: Notes) -> None:
    trial = Trial(asked)
    sent: list[int] = []

    def job(number: int) -> None:
        with suppress(CredentialsError), trial.turn():
            sent.append(number)
            time.sleep(0.01)  # so that the others are there
            raise trial.refuse(CredentialsError("no"), Reason.REFUSED)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(job, range(4)))
    assert len(sent) == 1
    assert asked.told == ["asked", Reason.REFUSED]
