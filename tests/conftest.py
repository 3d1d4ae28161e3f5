"""What holds for every test: an empty environment, a home of its own, and no way out."""

from __future__ import annotations

import os
import signal
import socket
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

settings.register_profile("default", deadline=None)
settings.load_profile("default")

NO_SKIPS = "REQUIRE_E2E" in os.environ
"""Whether a skipped test fails the run: set where everything the tests need is installed."""

for _number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGQUIT):
    # Under nohup, or in the background of a script, some are ignored, and whatever the tests start
    # would inherit that. With a handler here they stay without effect on the tests alone.
    if signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(_number, lambda *_: None)

KEPT = frozenset({"PATH", "LANG", "TMPDIR", "PYTEST_CURRENT_TEST", "COVERAGE_PROCESS_START"})
"""Variables a test sees of the machine it runs on."""


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No credential, proxy or config of whoever runs the tests can reach a test."""
    for name in set(os.environ) - KEPT:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("NETCUP_MAILAUTH_STATE_DIR", str(tmp_path / "state"))


@pytest.fixture(autouse=True)
def _loopback_only(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A test that connects anywhere but to this machine fails, even if it swallows the error."""
    attempts: list[object] = []

    def guarded(method: Any) -> Any:
        def connect(self: socket.socket, address: Any) -> Any:
            if isinstance(address, tuple) and not _is_loopback(str(address[0])):
                attempts.append(address)
                raise ConnectionRefusedError(f"the test tried to reach {address}")
            return method(self, address)

        return connect

    monkeypatch.setattr(socket.socket, "connect", guarded(socket.socket.connect))
    monkeypatch.setattr(socket.socket, "connect_ex", guarded(socket.socket.connect_ex))
    yield
    assert not attempts


def _is_loopback(host: str) -> bool:
    return host.startswith("127.") or host in ("::1", "localhost")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Twice as many as there are processors: half of the time the tests wait for something.

    None for a few tests that are named: those have ended before the workers are ready.
    """
    named = config.args_source is pytest.Config.ArgsSource.ARGS
    return 0 if named else 2 * (os.cpu_count() or 1)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a run that had to be complete and was not."""
    reporter = session.config.pluginmanager.getplugin("terminalreporter")
    skipped = reporter.stats.get("skipped", []) if reporter else []
    if NO_SKIPS and skipped:
        for report in skipped:
            reporter.write_line(f"skipped, and must not be: {report.nodeid}", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
