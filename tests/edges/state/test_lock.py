"""The lock that keeps two runs on one machine apart."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from netcup_mailauth.errors import ExitCode, LockError
from netcup_mailauth.state.lock import LOCK_TIMEOUT, writer_lock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOLD = """
import sys
from pathlib import Path
from netcup_mailauth.state.lock import writer_lock
with writer_lock(Path(sys.argv[1]), timeout=5):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def another_process(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A second process that holds the lock until its input ends, or it dies."""
    command = [sys.executable, "-c", HOLD, str(folder)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process


def test_a_second_process_is_kept_out_and_told_by_whom(tmp_path: Path) -> None:
    with another_process(tmp_path) as other:
        with pytest.raises(LockError) as caught, writer_lock(tmp_path, timeout=0.1):
            pytest.fail("both hold the lock")
        assert f"process {other.pid}, since 20" in caught.value.what
        assert "UTC" in caught.value.what
        assert "Waited 0.1 s" in caught.value.advice
        assert caught.value.exit_code == ExitCode.ERROR
    with writer_lock(tmp_path, timeout=1):
        assert f"process {os.getpid()}" in (tmp_path / "writer.txt").read_text()
    assert not (tmp_path / "writer.txt").exists()


def test_a_process_that_was_killed_holds_nothing(tmp_path: Path) -> None:
    """A lock file left behind is no lock: nobody has to delete anything by hand."""
    with another_process(tmp_path) as other:
        other.send_signal(signal.SIGKILL)
    assert (tmp_path / "writer.txt").exists()
    with writer_lock(tmp_path, timeout=1):
        assert f"process {os.getpid()}," in (tmp_path / "writer.txt").read_text()


def test_it_waits_for_the_other_to_finish(tmp_path: Path) -> None:
    with another_process(tmp_path) as other:
        assert other.stdin is not None
        other.stdin.close()
        with writer_lock(tmp_path, timeout=5):
            pass


def test_who_has_to_wait_is_told_for_whom(tmp_path: Path) -> None:
    told: list[str] = []
    with writer_lock(tmp_path, 5, told.append):
        assert told == [], "nobody else is there"
    with another_process(tmp_path) as other:
        with pytest.raises(LockError), writer_lock(tmp_path, 0, told.append):
            pytest.fail("both hold the lock")
        assert told == [], "it does not wait"
        with pytest.raises(LockError), writer_lock(tmp_path, 0.1, told.append):
            pytest.fail("both hold the lock")
        assert len(told) == 1
        assert f"process {other.pid}, since" in told[0]


def test_the_same_process_is_kept_out_too(tmp_path: Path) -> None:
    with writer_lock(tmp_path):
        started = time.monotonic()
        with pytest.raises(LockError), writer_lock(tmp_path, timeout=0.05):
            pytest.fail("held twice")
        assert time.monotonic() - started < LOCK_TIMEOUT / 2
        assert f"process {os.getpid()}," in (tmp_path / "writer.txt").read_text(), (
            "the one that was kept out must not remove the holder's note"
        )


def test_other_accounts_are_not_kept_out(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    with writer_lock(tmp_path / "a", timeout=0), writer_lock(tmp_path / "b", timeout=0):
        pass


@pytest.mark.parametrize("error", [ZeroDivisionError(), KeyboardInterrupt(), OSError("the disk")])
def test_it_is_released_after_an_exception(tmp_path: Path, error: BaseException) -> None:
    with pytest.raises(type(error)) as caught, writer_lock(tmp_path):
        raise error
    assert caught.value is error
    with writer_lock(tmp_path, timeout=0):
        pass


def test_a_holder_that_left_no_note(tmp_path: Path) -> None:
    with another_process(tmp_path):
        (tmp_path / "writer.txt").unlink()
        with pytest.raises(LockError, match="it does not say who"), writer_lock(tmp_path, 0.05):
            pytest.fail("both hold the lock")


def test_a_note_that_is_no_note_stays_short(tmp_path: Path) -> None:
    with another_process(tmp_path):
        (tmp_path / "writer.txt").write_bytes(b"\xff" * 100_000)
        with pytest.raises(LockError) as caught, writer_lock(tmp_path, timeout=0.05):
            pytest.fail("both hold the lock")
    assert len(caught.value.what) < 400


def test_a_note_that_cannot_be_written_is_no_reason_to_stop(tmp_path: Path) -> None:
    (tmp_path / "writer.txt").mkdir()
    with writer_lock(tmp_path), pytest.raises(LockError), writer_lock(tmp_path, timeout=0.05):
        pytest.fail("held twice")


def unlockable(_descriptor: int, _operation: int) -> None:
    raise OSError(errno.ENOSYS, "Function not implemented")


def test_a_folder_without_real_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system that has none: no lock of another sort is taken in its place."""
    monkeypatch.setattr(fcntl, "flock", unlockable)
    with pytest.raises(LockError, match="Function not implemented") as caught:  # noqa: SIM117
        with writer_lock(tmp_path, timeout=0):
            pytest.fail("no lock, but on it goes")
    assert "local disk" in caught.value.advice


@pytest.mark.parametrize("sort", ["file", "folder in the way", "link"])
def test_a_folder_that_cannot_be_locked(tmp_path: Path, sort: str) -> None:
    folder = tmp_path / "state"
    if sort == "file":
        folder.touch()
    else:
        folder.mkdir()
        lock = folder / "writer.lock"
        if sort == "link":  # somebody else's file, which must not be opened for writing
            lock.symlink_to(tmp_path / "elsewhere")
        else:
            lock.mkdir()
    with pytest.raises(LockError, match="cannot be locked") as caught, writer_lock(folder, 0):
        pytest.fail("no lock, but on it goes")
    assert "Nothing was written" in caught.value.advice
    assert not (tmp_path / "elsewhere").exists()
