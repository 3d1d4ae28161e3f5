"""State that somebody else has a hand in is refused: not believed, followed or waited for."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from netcup_mailauth import files, state
from netcup_mailauth.errors import MailauthError
from netcup_mailauth.files import NotOursError, read_private, write_private
from netcup_mailauth.state.journal import Journal
from netcup_mailauth.state.lock import writer_lock
from tests.edges.state.entries import ZONE, change_set, journal

if TYPE_CHECKING:
    from collections.abc import Callable

ENDPOINT = "https://ccp.netcup.net/"
ROOT = os.geteuid() == 0
DMARC = "v=DMARC1;p=none;rua=mailto:postmaster@example.com"
NEEDS_ROOT = pytest.mark.skipif(not ROOT, reason="only root can give a file to somebody else")
SOMEBODY = 54321

LEVELS = {
    "root": "",
    "endpoint": "ccp.netcup.net",
    "account": "ccp.netcup.net/abc",
    "journal": "ccp.netcup.net/abc/journal",
    "domain": "ccp.netcup.net/abc/journal/example.com",
}


def begin(root: Path) -> None:
    """What every write does first."""
    journal(state.account_folder(root, ENDPOINT, "abc")).begin(change_set(), ZONE)


def look(root: Path) -> list[object]:
    """What every reader does."""
    state.known_folder(root, ENDPOINT)
    return list(Journal(root / "ccp.netcup.net" / "abc").entries("example.com"))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    begin(tmp_path / "state")
    assert len(look(tmp_path / "state")) == 1
    return tmp_path / "state"


def given_away(path: Path) -> None:
    os.chown(path, SOMEBODY, SOMEBODY)


def open_to_the_group(path: Path) -> None:
    path.chmod(path.stat().st_mode | 0o020)


def open_to_all(path: Path) -> None:
    path.chmod(path.stat().st_mode | 0o002)


def led_elsewhere(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))
    path.symlink_to(path.with_name("elsewhere"))


SORTS = [
    pytest.param(given_away, marks=NEEDS_ROOT),
    open_to_the_group,
    open_to_all,
    led_elsewhere,
]


@pytest.mark.parametrize("change", SORTS)
@pytest.mark.parametrize("level", LEVELS)
def test_a_folder_that_is_not_ours_alone_is_not_used(
    root: Path, level: str, change: Callable[[Path], None]
) -> None:
    folder = root / LEVELS[level]
    change(folder)
    if (level, change) == ("root", led_elsewhere):
        begin(root)  # as systemd does for DynamicUser; the link is ours, and so is the folder
        return
    for use in (begin, look):
        with pytest.raises(NotOursError) as caught:
            use(root)
        assert str(folder) in caught.value.what
        assert str(folder) in caught.value.advice or "NETCUP_MAILAUTH_STATE_DIR" in str(
            caught.value.advice
        )


@pytest.mark.parametrize("level", LEVELS)
def test_the_advice_for_what_others_may_write_to_works_as_it_is_typed(
    root: Path, level: str
) -> None:
    open_to_all(root / LEVELS[level])
    with pytest.raises(NotOursError) as caught:
        begin(root)
    _, command = caught.value.advice.split("\n")
    subprocess.run(shlex.split(command), check=True)
    begin(root)


@NEEDS_ROOT
def test_a_link_of_somebody_elses_to_a_folder_of_ours(root: Path) -> None:
    led_elsewhere(root)
    os.chown(root, SOMEBODY, SOMEBODY, follow_symlinks=False)
    with pytest.raises(NotOursError, match="another user"):
        begin(root)


@pytest.mark.parametrize("mode", [0o1777, 0o1770])
def test_the_root_may_be_a_shared_folder_that_is_sticky(tmp_path: Path, mode: int) -> None:
    shared = tmp_path / "tmp"
    shared.mkdir()
    shared.chmod(mode)
    begin(shared)
    assert len(look(shared)) == 1


@pytest.mark.parametrize("mode", [0o777, 0o2775])
def test_the_root_may_be_a_volume_that_is_mounted_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: int
) -> None:
    """Kubernetes gives a volume to root, and to the group of the pod."""
    volume = tmp_path / "volume"
    volume.mkdir()
    volume.chmod(mode)
    monkeypatch.setattr(os.path, "ismount", lambda path: path == volume)
    begin(volume)
    assert len(look(volume)) == 1


@NEEDS_ROOT
def test_the_root_may_be_roots(tmp_path: Path) -> None:
    """As a volume is for a pod that does not run as root: what is ours is below it."""
    volume = tmp_path / "volume"
    volume.mkdir()
    volume.chmod(0o777)
    for parent in (tmp_path, *tmp_path.parents):
        if parent.stat().st_uid == 0 and parent != Path("/") and parent.name != "tmp":
            parent.chmod(parent.stat().st_mode | 0o011)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.setgid(SOMEBODY)
            os.setuid(SOMEBODY)
            begin(volume)
            code = 0 if len(look(volume)) == 1 else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.parametrize("change", SORTS)
def test_an_entry_that_is_not_ours_alone_is_not_believed(
    root: Path, change: Callable[[Path], None]
) -> None:
    (entry,) = (root / LEVELS["domain"]).iterdir()
    change(entry)
    with pytest.raises(NotOursError) as caught:
        look(root)
    assert str(entry) in caught.value.what


class TestFiles:
    def test_a_pipe_is_neither_read_nor_waited_for(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "file", 0o600)
        with pytest.raises(NotOursError, match="not a regular file"):
            read_private(tmp_path / "file")

    def test_a_device_is_not_read(self, tmp_path: Path) -> None:
        with pytest.raises(NotOursError, match="not a regular file"):
            read_private(Path("/dev/zero"))

    def test_a_dangling_link_is_told_from_no_file(self, tmp_path: Path) -> None:
        (tmp_path / "file").symlink_to("nowhere")
        with pytest.raises(NotOursError, match="is a link"):
            read_private(tmp_path / "file")

    def test_no_file(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError):
            read_private(tmp_path / "file")

    def test_a_file_of_a_hundred_megabytes_is_not_read(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(files, "MAX_SIZE", 1000)
        write_private(tmp_path / "file", "x" * 1001)
        with pytest.raises(ValueError, match="larger than"):
            read_private(tmp_path / "file")

    @pytest.mark.parametrize("sort", ["link", "pipe", "hard link"])
    def test_a_file_is_put_in_place_of_what_was_there(self, tmp_path: Path, sort: str) -> None:
        path, bashrc = tmp_path / "file", tmp_path / ".bashrc"
        bashrc.write_text("export EDITOR=vi\n")
        match sort:
            case "link":
                path.symlink_to(bashrc)
            case "pipe":
                os.mkfifo(path)
            case _:
                path.hardlink_to(bashrc)
        write_private(path, "ours")
        assert read_private(path) == "ours"
        assert bashrc.read_text() == "export EDITOR=vi\n"


class TestLock:
    @pytest.mark.parametrize("sort", ["link", "pipe", "hard link"])
    def test_the_note_of_who_writes_goes_where_no_link_leads(
        self, tmp_path: Path, sort: str
    ) -> None:
        TestFiles().test_a_file_is_put_in_place_of_what_was_there(tmp_path, sort)
        (tmp_path / "file").rename(tmp_path / "writer.txt")
        with writer_lock(tmp_path, timeout=0):
            assert read_private(tmp_path / "writer.txt").startswith(f"process {os.getpid()},")
        assert (tmp_path / ".bashrc").read_text() == "export EDITOR=vi\n"

    def test_a_link_in_place_of_the_note_is_not_written_through(self, tmp_path: Path) -> None:
        (tmp_path / ".bashrc").write_text("export EDITOR=vi\n")
        (tmp_path / "writer.txt").symlink_to(".bashrc")
        with writer_lock(tmp_path, timeout=0):
            assert (tmp_path / ".bashrc").read_text() == "export EDITOR=vi\n"

    def test_a_pipe_in_place_of_the_note_holds_nothing_up(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "writer.txt")
        with writer_lock(tmp_path, timeout=0):
            pass

    @pytest.mark.parametrize("sort", ["pipe", "link to a pipe", "link"])
    def test_the_lock_is_no_other_file(self, tmp_path: Path, sort: str) -> None:
        lock, other = tmp_path / "writer.lock", tmp_path / "other"
        if sort == "link":
            other.write_text("full")
        else:
            os.mkfifo(lock if sort == "pipe" else other)
        if sort != "pipe":
            lock.symlink_to(other)
        with pytest.raises(MailauthError, match="is not used"), writer_lock(tmp_path, timeout=0):
            pytest.fail("no lock, but on it goes")


@NEEDS_ROOT
class TestSudo:
    @pytest.fixture(autouse=True)
    def _home(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.home = tmp_path / "home"
        self.home.mkdir()
        given_away(self.home)
        monkeypatch.setenv("SUDO_UID", str(SOMEBODY))

    def test_a_kept_home_is_told(self) -> None:
        with pytest.raises(NotOursError, match="sudo") as caught:
            state.root(os.environ | {"NETCUP_MAILAUTH_STATE_DIR": ""})
        assert str(self.home) in caught.value.what
        assert "sudo -H" in caught.value.advice
        assert list(self.home.iterdir()) == []

    @pytest.mark.parametrize(
        "changes",
        [{"SUDO_UID": "0"}, {"HOME": "/root"}, {"NETCUP_MAILAUTH_STATE_DIR": "/var/lib/x"}],
    )
    def test_a_home_of_its_own_is_used(
        self, changes: dict[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name, value in ({"NETCUP_MAILAUTH_STATE_DIR": ""} | changes).items():
            monkeypatch.setenv(name, value)
        state.root(os.environ)

    def test_a_folder_of_the_users_is_refused_with_what_to_do(self, root: Path) -> None:
        given_away(root)
        with pytest.raises(NotOursError) as caught:
            begin(root)
        assert "without sudo" in caught.value.advice
