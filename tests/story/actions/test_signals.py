"""A write is not interrupted half way; who insists is told what was in flight."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

from netcup_mailauth.actions.signals import WAITING, uninterrupted
from netcup_mailauth.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterator


class StoppedError(Exception):
    """What the handlers of these tests raise."""


@pytest.fixture(autouse=True)
def _handlers() -> Iterator[None]:
    def interrupt(number: int, _frame: Any) -> None:
        raise StoppedError(signal.Signals(number).name)

    before = {number: signal.signal(number, interrupt) for number in WAITING}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", WAITING)
def test_it_waits_for_the_end_and_then_takes_effect(
    number: signal.Signals, capsys: pytest.CaptureFixture[str]
) -> None:
    done: list[str] = []

    def write() -> None:
        with uninterrupted("the write to a.example"):
            os.kill(os.getpid(), number)
            done.append("written and verified")

    with pytest.raises(StoppedError, match=number.name):
        write()
    assert done
    assert "Waiting for the write to a.example" in capsys.readouterr().err


def test_without_a_signal_nothing_is_said_and_the_handlers_are_as_before(
    capsys: pytest.CaptureFixture[str],
) -> None:
    before = [signal.getsignal(number) for number in WAITING]
    with uninterrupted("the write"):
        assert [signal.getsignal(number) for number in WAITING] != before
    assert [signal.getsignal(number) for number in WAITING] == before
    assert capsys.readouterr().err == ""


def test_it_takes_effect_although_the_write_failed() -> None:
    """Else a run over many domains would go on with the next one after Ctrl-C."""

    def write() -> None:
        with uninterrupted("the write"):
            os.kill(os.getpid(), signal.SIGINT)
            raise OSError("the disk is full")

    with pytest.raises(StoppedError) as caught:
        write()
    assert isinstance(caught.value.__context__, OSError)
    assert signal.getsignal(signal.SIGINT) is not signal.default_int_handler


def test_an_error_without_a_signal_is_that_error() -> None:
    with pytest.raises(OSError, match="full"), uninterrupted("the write"):
        raise OSError("the disk is full")


def test_a_signal_that_is_ignored_stays_ignored() -> None:
    """As under nohup: closing the terminal must not end the run after this write."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with uninterrupted("the write"):
        os.kill(os.getpid(), signal.SIGHUP)
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN


def test_in_another_thread_it_does_nothing() -> None:
    """Python delivers no signals there, and lets nobody set a handler."""
    seen: list[str] = []

    def work() -> None:
        with uninterrupted("the write"):
            seen.append("done")

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == ["done"]


TWICE = """
import os, signal, sys
from netcup_mailauth.actions.signals import uninterrupted
with uninterrupted("the write to a.example"):
    for name in sys.argv[1:]:
        os.kill(os.getpid(), getattr(signal, name))
    print("went on")
"""


@pytest.mark.parametrize("second", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_the_second_one_stops_at_once_and_names_the_write(second: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", TWICE, "SIGINT", second], capture_output=True, text=True, check=False
    )
    assert ended.returncode == ExitCode.UNVERIFIED
    assert ended.stdout == ""
    assert "Stopped during the write to a.example; whether it arrived is not known." in ended.stderr


def test_the_second_one_does_not_wait_for_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even for what other code would do on the way out, which may hang as well."""
    codes: list[int] = []
    monkeypatch.setattr(os, "_exit", codes.append)

    def write() -> None:
        with uninterrupted("the write"):
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(StoppedError):
        write()
    assert codes == [ExitCode.UNVERIFIED]


BUSY = """
import os, signal, sys
from netcup_mailauth.actions.signals import uninterrupted

class Busy:
    writing = False
    isatty = sys.stderr.isatty

    def write(self, text):
        if self.writing:
            raise RuntimeError("reentrant call")
        self.writing = True
        os.kill(os.getpid(), signal.SIGINT)

sys.stderr = Busy()
with uninterrupted("the write to a.example"):
    os.kill(os.getpid(), signal.SIGINT)
    print("went on")
"""


def test_the_second_one_may_come_while_the_first_ones_words_are_written() -> None:
    """Python's streams cannot be written to again by a handler that interrupts a write."""
    ended = subprocess.run(
        [sys.executable, "-c", BUSY], capture_output=True, text=True, check=False
    )
    assert ended.returncode == ExitCode.UNVERIFIED
    assert ended.stdout == ""
    assert ended.stderr.startswith("Stopped during the write to a.example;")
