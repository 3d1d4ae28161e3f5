"""Stored documents are read, and written again to the byte; those that are none keep their words.

What is stored stands in ``documents/``, how it is made anew in ``documents.py``.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from tests.story.golden import documents, malformed, storing
from tests.story.golden.documents import APIS, FOLDER

if TYPE_CHECKING:
    from pathlib import Path


def stored(sort: str, pattern: str = "*.json") -> pytest.MarkDecorator:
    """A parameter for each stored document of a sort."""
    paths = sorted((FOLDER / sort).glob(pattern))
    assert paths
    return pytest.mark.parametrize("path", paths, ids=lambda path: path.stem)


@stored("plan")
def test_a_plan_file_is_written_again_as_it_was(path: Path) -> None:
    assert storing.plan_again(path) == path.read_bytes()
    document = json.loads(path.read_bytes())
    assert document["digest"] == documents.signed(document)["digest"]


@stored("export")
def test_an_export_is_written_again_as_it_was(path: Path) -> None:
    assert storing.export_again(path) == path.read_bytes()


@stored("journal", "*/*.json")
def test_an_entry_of_the_journal_is_written_again_as_it_was(path: Path, tmp_path: Path) -> None:
    data = path.read_bytes()
    domain = json.loads(data)["domain"]
    documents.make_private(tmp_path / "account" / "journal" / domain / path.name, data)
    (entry,), damaged = storing.journal_entries(tmp_path / "account", domain)
    assert not damaged
    assert storing.journal_again(entry, tmp_path / "again") == data


def test_the_entries_have_every_mark_and_shape() -> None:
    for api in APIS:
        entries = [json.loads(p.read_bytes()) for p in (FOLDER / "journal" / api).glob("*.json")]
        assert {entry["mark"] for entry in entries} == {mark.value for mark in storing.Mark}
        assert any(entry["undoes"] for entry in entries)
        assert any(not entry["changes"] for entry in entries)
        assert any(not entry["before"] for entry in entries)
        changes = [change for entry in entries for change in entry["changes"]]
        assert {change["kind"] for change in changes} == {"spf", "dkim", "dmarc", "dmarc-report"}
        assert {change["action"] for change in changes} == {"create", "update", "delete"}


@stored("hold")
def test_a_hold_becomes_the_next_one(path: Path, tmp_path: Path) -> None:
    number = int(path.stem)
    hold = storing.hold_at(tmp_path, [], storing.BEGUN + timedelta(days=number))
    if number > 1:
        before = FOLDER / "hold" / f"{number - 1}.json"
        documents.make_private(hold.path, before.read_bytes())
    hold.note(storing.Reason.LOCKED_OUT if number == 2 else storing.Reason.REFUSED)
    assert hold.path.read_bytes() == path.read_bytes()
    until = datetime.fromisoformat(json.loads(path.read_bytes())["until"])
    last = storing.hold_at(tmp_path, [], until - timedelta(seconds=1))
    assert ("locked out" if number == 2 else "refused") in storing.hold_said(last)
    assert storing.hold_said(storing.hold_at(tmp_path, [], until)) == "nothing is held"


@stored("rotation")
def test_a_book_is_written_again_as_it_was(path: Path, tmp_path: Path) -> None:
    data = path.read_bytes()
    domain = json.loads(data)["domain"]
    documents.make_private(tmp_path / "account" / "rotations" / f"{domain}.json", data)
    book = storing.read_book(tmp_path / "account", domain)
    assert storing.book_again(tmp_path / "again", book) == data


def test_who_holds_the_lock_is_told(tmp_path: Path) -> None:
    data = (FOLDER / "lock" / "writer.txt").read_bytes()
    documents.make_private(tmp_path / "account" / "writer.txt", data)
    assert f"this account: {data.decode()}." in storing.lock_said(tmp_path / "account")
    note = storing.lock_note(documents.make_private(tmp_path / "new" / "x", b"").parent)
    assert [word for word in note.split() if word.isalpha()] == [
        word for word in data.decode().split() if word.isalpha()
    ]


@stored("credentials", "*.toml")
def test_credentials_are_written_again_as_they_were(path: Path, tmp_path: Path) -> None:
    copy = documents.make_private(tmp_path / "config" / "credentials.toml", path.read_bytes())
    assert storing.credentials_again(copy) == path.read_bytes()


def test_what_is_read_is_what_was_read() -> None:
    found = documents.read_texts()
    kept = {str(p.relative_to(FOLDER)) for p in FOLDER.rglob("*") if p.suffix in documents.READ}
    assert set(found) == kept
    for name, text in found.items():
        assert text == (FOLDER / name).read_text(encoding="utf-8"), name


@pytest.mark.parametrize("api", APIS)
def test_a_stored_plan_file_still_applies(api: str, capsys: pytest.CaptureFixture[str]) -> None:
    for name, said in documents.applied(api).items():
        assert said == (FOLDER / name).read_text(encoding="utf-8"), name
    capsys.readouterr()


def test_what_is_no_document_keeps_its_words_and_exit_code() -> None:
    golden = (FOLDER / "malformed.txt").read_text(encoding="utf-8")
    kept = dict(part.split("\n", 1) for part in golden.removeprefix("## ").split("\n## "))
    found = malformed.outcomes()
    assert list(found) == list(kept)
    other = {name: said for name, said in found.items() if said != kept[name].strip("\n")}
    assert not other
