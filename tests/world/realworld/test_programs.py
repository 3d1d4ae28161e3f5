"""The programs of others run without privileges, on loopback only, and leave nothing behind."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.world.judges import judges
from tests.world.realworld import programs
from tests.world.realworld.knot import Knot
from tests.world.realworld.programs import PACKAGES, Folder, Server
from tests.world.realworld.published import DOMAIN

if TYPE_CHECKING:
    from tests.world.realworld.court import Court

ROOT = Path(__file__).parents[3]
MISSING = r"^ghostd is not installed: apt-get install --no-install-recommends ghost$"
LOOPBACK = "0100007F"


def owner(pid: int) -> int:
    return Path(f"/proc/{pid}").stat().st_uid


def addresses(port: int) -> set[str]:
    """The local addresses, in the kernel's hexadecimal, that anyone has bound with this port."""
    tables = ("tcp", "tcp6", "udp", "udp6")
    text = "".join(
        Path(f"/proc/net/{t}").read_text() for t in tables if Path(f"/proc/net/{t}").exists()
    )
    return set(re.findall(rf"^ *\d+: ([0-9A-F]+):{port:04X} ", text, re.MULTILINE))


def test_they_run_without_privileges(court: Court, knot: Knot) -> None:
    for server in (court.rspamd.server, knot.server):
        owners = {owner(pid) for pid in server.processes()}
        assert owners
        assert owners != {0}
        assert len(owners) == 1


def test_they_listen_on_loopback_only(court: Court, knot: Knot) -> None:
    for server in (court.rspamd.server, knot.server):
        assert addresses(server.port) == {LOOPBACK}


def test_one_that_is_stopped_leaves_no_process_and_no_file() -> None:
    with Knot(DOMAIN) as knot:
        folder, server = knot.server.folder.path, knot.server
        assert server.processes()
        assert folder.exists()
    assert not server.processes()
    assert not folder.exists()


def test_one_that_leaves_a_process_behind_is_caught_and_cleaned_up_after(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(programs, "_SECONDS_TO_STOP", 0.3)
    script = "sleep 60 & trap 'exit 0' TERM; touch ready; while :; do sleep 0.02; done"
    folder = Folder()
    ready = folder.path / "ready"
    server = Server(folder, lambda _: ["sh", "-c", script], lambda _: ready.exists())
    with pytest.raises(AssertionError):
        server.stop()
    assert programs.until(lambda: not server.processes(), 5)
    assert not folder.path.exists()


def test_one_that_does_not_start_says_why_at_once() -> None:
    begun = time.monotonic()
    folder = Folder()
    with pytest.raises(AssertionError, match="no such option"):
        Server(folder, lambda _: ["sh", "-c", "echo no such option; exit 1"], lambda _: False)
    assert time.monotonic() - begun < programs._SECONDS_TO_START
    assert not folder.path.exists()


class TestAMissingProgram:
    @pytest.fixture(autouse=True)
    def _ghost(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(PACKAGES, "ghostd", "ghost")

    def test_skips_with_one_line_that_says_what_to_install(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(judges, "REQUIRED", False)
        with pytest.raises(pytest.skip.Exception, match=MISSING):
            programs.find("ghostd")

    def test_fails_where_all_are_required(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(judges, "REQUIRED", True)
        with pytest.raises(pytest.fail.Exception, match=MISSING):
            programs.find("ghostd")


def test_every_package_that_is_asked_for_is_on_the_list_to_install() -> None:
    lines = (ROOT / ".ci" / "packages").read_text(encoding="utf-8").splitlines()
    listed = {line for line in lines if line and not line.startswith("#")}
    assert listed >= set(PACKAGES.values())


def test_the_folder_of_a_program_is_short_enough_for_a_unix_socket() -> None:
    folder = Folder()
    try:
        assert len(os.fsencode(folder.path / "rspamd.sock")) < 108
    finally:
        folder.remove()
