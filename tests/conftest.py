"""What holds for every test: an empty environment, a home of its own, and no way out."""

from __future__ import annotations

import gc
import itertools
import os
import signal
import socket
import sys
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

from tests import keys
from tests.effort import NO_SKIPS, NOT_HERE, PROFILE, tries

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

settings.register_profile(PROFILE, max_examples=tries(100), deadline=None)
settings.load_profile(PROFILE)

for _number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGQUIT):
    # Under nohup, or in the background of a script, some are ignored, and whatever the tests start
    # would inherit that. With a handler here they stay without effect on the tests alone.
    if signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(_number, lambda *_: None)

KEPT = frozenset({"PATH", "LANG", "TMPDIR", "PYTEST_CURRENT_TEST", "COVERAGE_PROCESS_START"})
"""Variables a test sees of the machine it runs on."""


@pytest.fixture(scope="session")
def _homes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where tests have their homes that have no folder of their own; as long as they run, there is
    none of the variables of whoever runs them."""
    found = dict(os.environ)
    yield tmp_path_factory.mktemp("homes")
    os.environ.clear()
    os.environ.update(found)


_numbers = itertools.count()


@pytest.fixture(autouse=True)
def _clean_environment(request: pytest.FixtureRequest, _homes: Path) -> None:
    """No credential, proxy or config of whoever runs the tests can reach a test.

    Nor can a variable that the last test left. A folder is made only for who asks for one.
    """
    for name in set(os.environ) - KEPT:
        del os.environ[name]
    if "tmp_path" in request.fixturenames:
        own = request.getfixturevalue("tmp_path")
        home, state = own / "home", own / "state"
    else:
        number = next(_numbers)
        home, state = _homes / f"home{number}", _homes / f"state{number}"
    os.environ |= {"HOME": str(home), "NETCUP_MAILAUTH_STATE_DIR": str(state)}


@pytest.fixture(scope="session")
def _attempts() -> Iterator[list[object]]:
    """Where a test tried to connect to, that is not this machine."""
    attempts: list[object] = []

    def guarded(method: Any) -> Any:
        def connect(self: socket.socket, address: Any) -> Any:
            if isinstance(address, tuple) and not _is_loopback(str(address[0])):
                attempts.append(address)
                raise ConnectionRefusedError(f"the test tried to reach {address}")
            return method(self, address)

        return connect

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded(socket.socket.connect))
        patch.setattr(socket.socket, "connect_ex", guarded(socket.socket.connect_ex))
        yield attempts


@pytest.fixture(autouse=True)
def _loopback_only(_attempts: list[object]) -> Iterator[None]:
    """A test that connects anywhere but to this machine fails, even if it swallows the error."""
    _attempts.clear()
    yield
    assert not _attempts


@pytest.fixture(autouse=True, scope="session")
def _nothing_reaches_the_disk() -> Iterator[None]:
    """What a test writes it reads at once. That it would last is tested where it is promised; the
    processes that tests start wait for the disk."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _descriptor: None)
        yield


@pytest.fixture(scope="session")
def _keys_are_made_once() -> Iterator[None]:
    with keys.made_once():
        yield


@pytest.fixture(autouse=True)
def _keys_of_its_own(_keys_are_made_once: None) -> Iterator[None]:
    """A test makes keys as it likes, and none takes long: see `tests.keys`."""
    with keys.in_a_test():
        yield


def _is_loopback(host: str) -> bool:
    return host.startswith("127.") or host in ("::1", "localhost")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Twice as many as there are processors: half of the time the tests wait for something.

    As many for folders that are named, and none for files: those have ended before the workers are
    ready.
    """
    processors = os.cpu_count() or 1
    if config.args_source is not pytest.Config.ArgsSource.ARGS:
        return 2 * processors
    return 0 if any(".py" in named for named in config.args) else processors


def pytest_collection() -> None:
    """Keep what is made of the tests' files for the next run, in whatever environment this one is.

    Each worker makes it anew otherwise, which takes most of the time until the first test. Nothing
    is thrown away meanwhile, so the collector of garbage need not look for it.
    """
    sys.dont_write_bytecode = False
    gc.disable()


def pytest_collection_finish() -> None:
    """Leave what was collected to itself: the collector need not look at it again and again."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)  # nor so often at what tests make
    gc.enable()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a run that had to be complete and was not; name what this machine does not permit."""
    reporter = session.config.pluginmanager.getplugin("terminalreporter")
    skipped = reporter.stats.get("skipped", []) if reporter else []
    for report in skipped if NO_SKIPS else ():
        reporter.ensure_newline()
        why = str(report.longrepr[-1]).removeprefix("Skipped: ")
        if why.startswith(NOT_HERE):
            reporter.write_line(f"skipped: {report.nodeid}: {why}", yellow=True)
            continue
        reporter.write_line(f"skipped, and must not be: {report.nodeid}", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
