"""A state folder that somebody else has a hand in, and what is no file, as commands meet them."""

from __future__ import annotations

import os
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.story.wanted import txt
from tests.worlds import requests_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.story.inprocess import Cli

DMARC = "v=DMARC1;p=none;rua=mailto:postmaster@example.com"
NEEDS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
SOMEBODY = 54321
WISH = ("example.com", "--dmarc", DMARC)
APPLY = ("apply", *WISH, "--yes")
UNDO = ("undo", "example.com", "--yes")


@contextmanager
def no_hang() -> Iterator[None]:
    """What waits for a pipe would wait for ever; a busy machine does not make it this slow."""

    def ring(_number: int, _frame: object) -> None:
        raise AssertionError("it hangs")

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(60)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def account_of(cli: Cli) -> Path:
    (journal,) = (cli.folder / "state").glob("*/*/journal")
    return journal.parent


def given_away(path: Path) -> None:
    os.chown(path, SOMEBODY, SOMEBODY, follow_symlinks=False)


def open_to_all(path: Path) -> None:
    path.chmod(0o777)


NOT_OURS = [pytest.param(given_away, marks=NEEDS_ROOT), open_to_all]


@pytest.mark.parametrize("change", NOT_OURS)
def test_a_state_folder_that_is_not_ours_alone_stops_every_write_and_no_plan(
    cli: Cli, change: Callable[[Path], None]
) -> None:
    (cli.folder / "state").mkdir()
    change(cli.folder / "state")
    code, out, err = cli(*APPLY)
    assert code == 1, err
    assert f"{cli.folder / 'state'} " in err
    assert "is not used" in err
    assert "updateDnsRecords" not in requests_of(cli.sandbox)
    code, out, err = cli("plan", *WISH)
    assert code == 0, err
    assert "1 to create" in out
    assert "Nothing is known of what was written from here before" in err
    assert list((cli.folder / "state").iterdir()) == []


@pytest.mark.parametrize("name", ["writer.txt", "writer.lock"])
def test_no_file_is_written_through_a_link(cli: Cli, name: str) -> None:
    assert cli(*APPLY)[0] == 0
    bashrc = cli.folder / ".bashrc"
    bashrc.write_text("export EDITOR=vi\n")
    (account_of(cli) / name).unlink(missing_ok=True)
    (account_of(cli) / name).symlink_to(bashrc)
    cli("apply", "example.com", "--dmarc", f"{DMARC};sp=none", "--yes")
    assert bashrc.read_text() == "export EDITOR=vi\n"


@pytest.mark.parametrize("name", ["writer.txt", "writer.lock", "journal/example.com/x.json"])
def test_a_pipe_in_the_state_folder_holds_no_run_up(cli: Cli, name: str) -> None:
    assert cli(*APPLY)[0] == 0
    (account_of(cli) / name).unlink(missing_ok=True)
    os.mkfifo(account_of(cli) / name)
    with no_hang():
        for arguments in (APPLY, UNDO, ("undo", "--list"), ("check", "example.com")):
            cli(*arguments)


@pytest.mark.parametrize("change", NOT_OURS)
def test_a_journal_of_somebody_elses_is_not_believed(
    cli: Cli, change: Callable[[Path], None]
) -> None:
    assert cli(*APPLY)[0] == 0
    (entry,) = (account_of(cli) / "journal" / "example.com").iterdir()
    change(entry)
    for arguments in (UNDO, ("undo", "--list")):
        code, out, err = cli(*arguments)
        assert (code, out) == (1, ""), err
        assert str(entry) in err
    assert txt(cli.sandbox, "_dmarc") == [DMARC]
    code, _, err = cli("plan", *WISH)
    assert code == 0
    assert str(entry) in err


def test_an_entry_that_is_damaged_is_named(cli: Cli) -> None:
    assert cli(*APPLY)[0] == 0
    (entry,) = (account_of(cli) / "journal" / "example.com").iterdir()
    entry.write_bytes(entry.read_bytes()[:100])
    code, _, err = cli(*UNDO)
    assert code == 2
    assert f"{entry} is damaged" in err


def test_a_hold_that_others_may_write_holds_nothing(cli: Cli) -> None:
    cli.set({"NETCUP_API_PASSWORD": "C4n4ry-wrong"})
    assert cli("plan", *WISH)[0] == 4
    (hold,) = (cli.folder / "state").glob("*/holds/*.json")
    assert "refused these credentials" in cli("plan", *WISH)[2]
    hold.chmod(0o666)
    asked = requests_of(cli.sandbox)["login"]
    err = cli("plan", *WISH)[2]
    assert str(hold) in err
    assert requests_of(cli.sandbox)["login"] == asked + 1


@NEEDS_ROOT
def test_a_run_under_sudo_with_the_home_of_the_user_says_so(cli: Cli) -> None:
    home = cli.folder / "home"
    home.mkdir()
    given_away(home)
    cli.set({"NETCUP_MAILAUTH_STATE_DIR": None, "SUDO_UID": str(SOMEBODY), "HOME": str(home)})
    for arguments, expected in ((APPLY, 1), (("plan", *WISH), 0)):
        code, _, err = cli(*arguments)
        assert code == expected, err
        assert f"under sudo with the home folder of another user, {home}" in err
        assert "sudo -H" in err
    assert list(home.iterdir()) == []
    assert txt(cli.sandbox, "_dmarc") == []


READERS = {
    "plan file": ("apply", "--plan", "pipe"),
    "shown plan": ("show", "pipe"),
    "zone file": ("plan", *WISH, "--zone-file", "pipe"),
    "config": ("-c", "pipe", "plan"),
    "key": ("plan", "example.com", "--dkim", "file:pipe"),
    "secret": ("plan", *WISH),
    "metrics": ("plan", *WISH, "--metrics-file", "pipe"),
    "sandbox": ("sandbox", "--zone", "example.com=pipe"),
    "out": ("plan", *WISH, "--out", "pipe"),
}


@pytest.mark.parametrize("what", READERS)
@pytest.mark.parametrize("sort", ["pipe", "device"])
def test_a_pipe_or_a_device_in_place_of_a_file_is_refused_at_once(
    cli: Cli, what: str, sort: str
) -> None:
    if sort == "pipe":
        os.mkfifo(cli.folder / "pipe")
    else:
        (cli.folder / "pipe").symlink_to("/dev/zero")
    if what == "secret":
        cli.set({"NETCUP_API_KEY": None, "NETCUP_API_KEY_FILE": "pipe"})
    with no_hang():
        code, _, err = cli(*READERS[what])
    assert code in (2, 4), err
    assert "pipe" in err


@pytest.mark.parametrize("option", ["--out", "--metrics-file"])
class TestLinks:
    @pytest.fixture
    def shared(self, cli: Cli) -> Path:
        folder = cli.folder / "tmp"
        folder.mkdir()
        folder.chmod(0o1777)
        (cli.folder / "precious").write_text("precious")
        (folder / "plan.json").symlink_to(cli.folder / "precious")
        return folder

    @NEEDS_ROOT
    def test_a_link_of_somebody_elses_in_a_shared_folder(
        self, cli: Cli, shared: Path, option: str
    ) -> None:
        given_away(shared / "plan.json")
        code, _, err = cli("plan", *WISH, option, "tmp/plan.json")
        assert code == 2
        assert "another user has made" in err
        assert (cli.folder / "precious").read_text() == "precious"

    @NEEDS_ROOT
    def test_and_one_that_a_link_of_ours_leads_to(
        self, cli: Cli, shared: Path, option: str
    ) -> None:
        given_away(shared / "plan.json")
        (cli.folder / "own").symlink_to(shared / "plan.json")
        assert cli("plan", *WISH, option, "own")[0] == 2
        assert (cli.folder / "precious").read_text() == "precious"

    def test_a_link_of_ours_is_followed_by_out_and_replaced_by_the_metrics(
        self, cli: Cli, shared: Path, option: str
    ) -> None:
        assert cli("plan", *WISH, option, "tmp/plan.json")[0] == 0
        followed = (cli.folder / "precious").read_text() != "precious"
        assert followed == (option == "--out")
        assert (shared / "plan.json").is_symlink() == followed

    def test_a_hard_link_is_cut(self, cli: Cli, option: str) -> None:
        (cli.folder / "precious").write_text("precious")
        (cli.folder / "plan.json").hardlink_to(cli.folder / "precious")
        assert cli("plan", *WISH, option, "plan.json")[0] == 0
        assert (cli.folder / "precious").read_text() == "precious"
