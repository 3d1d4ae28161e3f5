"""Files that the user names are put in place whole or not at all, and all in one module."""

from __future__ import annotations

import ast
import os
from pathlib import Path

import pytest

from netcup_mailauth import documents, files
from netcup_mailauth.errors import UsageError


@pytest.fixture
def _plain_umask() -> object:
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.mark.usefixtures("_plain_umask")
def test_a_file_is_readable_as_the_umask_says(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    files.write_named(path, "1\n")
    assert path.stat().st_mode & 0o777 == 0o644
    assert [found.name for found in tmp_path.iterdir()] == ["plan.json"]


def test_a_link_stays_and_its_file_is_replaced(tmp_path: Path) -> None:
    target, link = tmp_path / "target.json", tmp_path / "link.json"
    target.write_text("old")
    link.symlink_to(target)
    files.write_named(link, "new")
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
    files.write_named(folder / "link.json", "new")
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
        files.write_named(path, "new")
    assert path.read_text() == "old"
    assert [found.name for found in tmp_path.iterdir()] == ["plan.json"]


def test_a_mark_of_the_encoding_in_front_is_no_part_of_the_json() -> None:
    assert documents.parse(b"\xef\xbb\xbf[1]", "plan.json", "a plan file") == [1]


OPENERS = frozenset(
    {"fdopen", "fsync", "mkstemp", "open", "read_bytes", "read_text", "write_bytes", "write_text"}
)
ELSEWHERE = {
    "cli/output.py": "standard streams that were closed",
    "rotation/state.py": "what the system says of its mounts",
    "clock.py": "what the system says of its boot",
    "cli/help.py": "pages of the package itself",
}


def test_files_are_opened_in_one_place() -> None:
    package = Path(files.__file__).parent
    found = set()
    for path in package.rglob("*.py"):
        name = path.relative_to(package).as_posix()
        if name == "files.py" or name.startswith("sandbox/"):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and _name(node.func) in OPENERS:
                found.add(name)
    assert found == set(ELSEWHERE)


def _name(called: ast.expr) -> str:
    return getattr(called, "attr", "") or getattr(called, "id", "")
