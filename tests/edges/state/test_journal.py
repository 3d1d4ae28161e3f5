"""The journal: on the disk before anything is sent, whole or not at all, and nobody else's."""

from __future__ import annotations

import errno
import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from netcup_mailauth.errors import ExitCode, MailauthError
from netcup_mailauth.state.journal import (
    KEPT_PER_DOMAIN,
    Journal,
    Journals,
    Mark,
    new_run,
)
from tests.edges.state.entries import START, ZONE, change_set, journal


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_an_entry_holds_the_whole_zone_and_what_is_intended(tmp_path: Path) -> None:
    begun = journal(tmp_path).begin(change_set(), ZONE)
    assert (begun.mark, begun.run, begun.undoes) == (Mark.INTENDED, "run-1", None)
    assert begun.time == "2026-01-02T03:04:05.678901Z"
    (read,) = Journal(tmp_path).entries("example.com")
    assert read.before == ZONE
    assert read.change_set.changes == begun.change_set.changes
    assert read.change_set.place == begun.change_set.place


def test_marks_follow_one_another_in_the_same_file(tmp_path: Path) -> None:
    writing = journal(tmp_path)
    begun = writing.begin(change_set(), ZONE)
    for mark in (Mark.SENT, Mark.VERIFIED, Mark.FAILED):
        writing.mark(begun, mark)
        assert [e.mark for e in writing.entries("example.com")] == [mark]
    assert len(files(tmp_path)) == 1


def test_an_undo_is_an_entry_that_says_what_it_undoes(tmp_path: Path) -> None:
    undoing = Journal(tmp_path, "run-2", undoes={"example.com": "the-first"})
    undoing.begin(change_set(), ZONE)
    undoing.begin(change_set("example.org"), ZONE)
    assert [e.undoes for e in undoing.entries("example.com")] == ["the-first"]
    assert [e.undoes for e in undoing.entries("example.org")] == [None]


@pytest.mark.parametrize("mask", [0o000, 0o077])
def test_nobody_else_can_read_it(tmp_path: Path, mask: int) -> None:
    before = os.umask(mask)
    try:
        journal(tmp_path / "account").begin(change_set(), ZONE)
    finally:
        os.umask(before)
    for path in (tmp_path / "account").rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_file_and_folder_are_on_the_disk_before_begin_returns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a power cut the entry is there: its content, its name, and the folders it is in."""
    synced: list[str] = []
    real = os.fsync

    def fsync(descriptor: int) -> None:
        synced.append(str(Path(f"/proc/self/fd/{descriptor}").readlink()))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    begun = journal(tmp_path).begin(change_set(), ZONE)
    folder = tmp_path / "journal" / "example.com"
    assert str(folder) == synced[-1]
    assert Path(synced[-2]).name.startswith(f".{begun.id}.json.")
    assert {str(tmp_path), str(tmp_path / "journal")} <= set(synced)


def refusing(number: int) -> Any:
    def refuse(*_arguments: Any, **_options: Any) -> None:
        raise OSError(number, os.strerror(number))

    return refuse


@pytest.mark.parametrize("call", ["fsync", "open"])
def test_no_room_is_an_error_and_leaves_nothing_half_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    writing = journal(tmp_path)
    writing.begin(change_set(), ZONE)
    known = files(tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(os, call, refusing(errno.ENOSPC))
        with pytest.raises(MailauthError, match="No space left on device") as caught:
            writing.begin(change_set(), ZONE)
    assert caught.value.exit_code is ExitCode.ERROR
    assert "Nothing was written" in caught.value.advice
    assert files(tmp_path) == known


def test_a_mark_that_cannot_be_noted_leaves_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writing = journal(tmp_path)
    begun = writing.begin(change_set(), ZONE)
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", refusing(errno.EIO))
        with pytest.raises(MailauthError):
            writing.mark(begun, Mark.SENT)
    assert [e.mark for e in writing.entries("example.com")] == [Mark.INTENDED]


def test_a_file_where_the_folder_belongs(tmp_path: Path) -> None:
    (tmp_path / "journal").touch()
    with pytest.raises(MailauthError, match="could not be saved") as caught:
        journal(tmp_path).begin(change_set(), ZONE)
    assert "NETCUP_MAILAUTH_STATE_DIR" in caught.value.advice


def test_an_error_without_a_text_is_named_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_descriptor: int) -> None:
        raise OSError("the disk is gone")

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(MailauthError, match="the disk is gone"):
        journal(tmp_path).begin(change_set(), ZONE)


def test_the_newest_fifty_of_each_domain_are_kept(tmp_path: Path) -> None:
    writing = journal(tmp_path)
    writing.begin(change_set("example.org"), ZONE)
    begun = [writing.begin(change_set(), ZONE).id for _ in range(KEPT_PER_DOMAIN + 3)]
    kept = [e.id for e in writing.entries("example.com")]
    assert kept == begun[:2:-1]
    assert len(kept) == 50
    assert len(list(writing.entries("example.org"))) == 1


def test_what_a_killed_run_left_half_written_is_swept_up(tmp_path: Path) -> None:
    writing = journal(tmp_path)
    writing.begin(change_set(), ZONE)
    half = tmp_path / "journal" / "example.com" / ".x.json.0123abcd"
    half.write_text("{")
    assert len(list(writing.entries("example.com"))) == 1
    writing.begin(change_set(), ZONE)
    assert not half.exists()


def test_an_old_entry_that_cannot_be_removed_stops_nothing(tmp_path: Path) -> None:
    writing = journal(tmp_path)
    (tmp_path / "journal" / "example.com" / ".x.json.0123abcd").mkdir(parents=True)
    assert writing.begin(change_set(), ZONE).mark is Mark.INTENDED


def test_a_clock_set_back_does_not_make_the_newest_entry_the_oldest(tmp_path: Path) -> None:
    """Else undo would take back another, and pruning would remove the one just written."""
    writing = journal(tmp_path, step=-3600)
    begun = [writing.begin(change_set(), ZONE).id for _ in range(4)]
    assert begun == sorted(begun)
    assert [e.id for e in writing.entries("example.com")] == begun[::-1]
    assert next(writing.entries("example.com")).time.startswith("2026-01-02T00:04:05")


def test_a_file_of_another_name_does_not_disturb_the_ids(tmp_path: Path) -> None:
    (tmp_path / "journal" / "example.com").mkdir(parents=True)
    (tmp_path / "journal" / "example.com" / "zzz.json").write_text("{}")
    assert journal(tmp_path).begin(change_set(), ZONE).id.startswith(f"{START:%Y-%m-%dT%H%M%S%fZ}-")


def damaged() -> list[bytes]:
    return [
        b"",
        b"{",
        b"\xff\xfe",
        b"null",
        b"[]",
        b"[" * 100_000,
        b'{"schema": 2}',
        b'{"schema": 1}',
        b"0" * 5000,
    ]


@pytest.mark.parametrize("content", damaged(), ids=range(len(damaged())))
def test_a_damaged_entry_is_passed_over(tmp_path: Path, content: bytes) -> None:
    writing = journal(tmp_path)
    first = writing.begin(change_set(), ZONE)
    newest = writing.begin(change_set(), ZONE)
    writing.place("example.com").joinpath(f"{newest.id}.json").write_bytes(content)
    assert [e.id for e in writing.entries("example.com")] == [first.id]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("schema",), 2),  # of a later version
        (("domain",), "example.org"),  # not the folder it lies in
        (("id",), "other"),  # not its own name
        (("id",), None),
        (("mark",), "done"),
        (("undoes",), 3),
        (("undoes",), ...),
        (("changes", 0, "before", "type"), "A"),  # we never write one
        (("changes", 0, "after", "type"), "MX"),
        (("changes", 0, "before"), None),  # an update without
        (("changes", 0, "action"), "delete"),
        (("changes", 0, "action"), "replace"),
        (("changes", 0, "kind"), "mx"),
        (("changes", 0, "after", "destination"), 5),
        (("changes", 0, "before", "ttl"), "3600"),
        (("changes", 0, "before", "ttl"), True),
        (("changes", 0, "before", "id"), 7),
        (("before", 0, "hostname"), None),
        (("before",), 5),
    ],
)
def test_an_entry_that_does_not_hold_together_is_passed_over(
    tmp_path: Path, path: tuple[str | int, ...], value: object
) -> None:
    """A forged or half-edited one must not become a plan that touches other records."""
    writing = journal(tmp_path)
    begun = writing.begin(change_set(), ZONE)
    file = writing.place("example.com") / f"{begun.id}.json"
    document = json.loads(file.read_text())
    part = document
    for step in path[:-1]:
        part = part[step]
    if value is ...:
        del part[path[-1]]
    else:
        part[path[-1]] = value
    file.write_text(json.dumps(document))
    assert list(writing.entries("example.com")) == []


def test_domains_and_places(tmp_path: Path) -> None:
    writing = journal(tmp_path)
    assert writing.domains() == []
    assert list(writing.entries("example.com")) == []
    for domain in ("b.example", "a.example"):
        writing.begin(change_set(domain), ZONE)
    assert writing.domains() == ["a.example", "b.example"]
    assert writing.place("a.example") == writing.place() / "a.example"


def test_the_newest_verified_write_under_whatever_account(tmp_path: Path) -> None:
    assert Journals.below([tmp_path]).last_verified("example.com") is None
    old, new = journal(tmp_path / "one"), journal(tmp_path / "two", step=2)
    old.mark(old.begin(change_set(), ZONE), Mark.VERIFIED)
    new.begin(change_set(), ZONE)
    second = new.begin(change_set(), ZONE)
    new.mark(second, Mark.VERIFIED)
    new.mark(new.begin(change_set(), ZONE), Mark.SENT)
    found = Journals.below([tmp_path]).last_verified("example.com")
    assert found is not None
    assert found.id == second.id
    assert [j.folder.name for j in Journals.below([tmp_path]).journals] == ["one", "two"]


def test_no_two_runs_have_one_name() -> None:
    assert len({new_run() for _ in range(100)}) == 100
