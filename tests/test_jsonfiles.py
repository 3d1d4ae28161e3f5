"""JSON files are put in place whole or not at all."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from netcup_mailauth import jsonfiles
from netcup_mailauth.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def _plain_umask() -> object:
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.mark.usefixtures("_plain_umask")
def test_a_file_is_readable_as_the_umask_says(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    jsonfiles.write(path, "1\n")
    assert path.stat().st_mode & 0o777 == 0o644
    assert [found.name for found in tmp_path.iterdir()] == ["plan.json"]


def test_a_link_stays_and_its_file_is_replaced(tmp_path: Path) -> None:
    target, link = tmp_path / "target.json", tmp_path / "link.json"
    target.write_text("old")
    link.symlink_to(target)
    jsonfiles.write(link, "new")
    assert link.is_symlink()
    assert target.read_text() == "new"


def test_in_a_folder_of_everybody_a_link_of_its_owner_is_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As root's are in ``/tmp``: who owns the folder could do worse than to make a link in it."""
    folder, target = tmp_path / "everybody", tmp_path / "target.json"
    folder.mkdir()
    folder.chmod(0o1777)
    (folder / "link.json").symlink_to(target)
    owner = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    jsonfiles.write(folder / "link.json", "new")
    assert target.read_text() == "new"


def test_what_was_there_stays_whole_when_the_disk_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "plan.json"
    path.write_text("old")

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UsageError, match="No space left"):
        jsonfiles.write(path, "new")
    assert path.read_text() == "old"
    assert [found.name for found in tmp_path.iterdir()] == ["plan.json"]


def test_a_mark_of_the_encoding_in_front_is_no_part_of_the_json() -> None:
    assert jsonfiles.parse(b"\xef\xbb\xbf[1]", "plan.json", "a plan file") == [1]
