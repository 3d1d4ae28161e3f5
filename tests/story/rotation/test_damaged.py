"""A book that is damaged, or of a newer version, stops its own domain and no other."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from netcup_mailauth.cli.entry import main
from netcup_mailauth.errors import ExitCode, MailauthError
from netcup_mailauth.rotation.state import LATEST, Book, Waits, dumps, loads, read_book, write_book
from netcup_mailauth.rotation.words import document, status
from netcup_mailauth.sandbox import Sandbox
from tests.story.rotation.test_state import NOW, ROTATION

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SOUND, HURT = "example.com", "example.org"
CONFIG = f"""
[mailcow]
helper_domain = "helper.example"

[rotation]
between_rounds = "0.1s"
negative_ttl = "0.1s"
grace = "0.2s"

[defaults]
allow = ["rotation-short-grace"]
dkim = {{ source = "mailcow" }}

[domains."{SOUND}"]
[domains."{HURT}"]
"""


@pytest.fixture(scope="module")
def running() -> Iterator[Sandbox]:
    with Sandbox([SOUND, HURT], dkim_keys={"helper.example": None}) as sandbox:
        for domain in (SOUND, HURT):
            sandbox.dkim_private_key(domain)
        yield sandbox


@pytest.fixture
def book(tmp_path: Path, running: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The book of the hurt domain; a rotation of both is open."""
    running.reset()
    (tmp_path / "netcup-mailauth.toml").write_text(CONFIG)
    monkeypatch.chdir(tmp_path)
    for name, value in running.env.items():
        if value is not None:
            monkeypatch.setenv(name, value)
    monkeypatch.setenv("MAILCOW_API_KEY", running.mailcow_rw_key)
    monkeypatch.setenv("NETCUP_MAILAUTH_STATE_DIR", str(tmp_path / "state"))
    assert main(["apply", "--yes"]) == ExitCode.OK
    assert main(["rotate", SOUND, HURT, "--yes"]) == ExitCode.OK
    (path,) = (tmp_path / "state").rglob(f"rotations/{HURT}.json")
    return path


def set_to(path: Path, **changes: Any) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def damaged(path: Path) -> None:
    path.write_text(path.read_text()[:200])


def newer(path: Path) -> None:
    set_to(path, schema=2)


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def of_the_year_9999(path: Path) -> None:
    rotation = json.loads(path.read_text())["open"]
    path.write_text(path.read_text().replace(json.dumps(rotation["clock"]), "1e999"))


@pytest.mark.parametrize("harm", [damaged, newer, a_folder, of_the_year_9999])
def test_others_go_on(
    book: Path, running: Sandbox, capsys: pytest.CaptureFixture[str], harm: Any
) -> None:
    harm(book)
    capsys.readouterr()

    assert main(["rotate", "--status"]) == ExitCode.ERROR
    told = capsys.readouterr()
    assert f"{SOUND}: s" in told.out
    assert str(book) in told.err
    assert main(["rotate", "--status", "--format", "json"]) == ExitCode.ERROR
    shown = {one["domain"]: one for one in json.loads(capsys.readouterr().out)["rotations"]}
    assert "error" in shown[HURT]
    assert shown[SOUND]["phase"] == "waiting"
    assert main(["rotate", SOUND, "--status"]) == ExitCode.OK
    capsys.readouterr()

    assert main(["plan"]) == ExitCode.ERROR
    told = capsys.readouterr()
    assert str(book) in told.out + told.err
    assert SOUND in told.out
    assert main(["plan", SOUND]) == ExitCode.OK
    assert main(["apply", "--yes"]) == ExitCode.ERROR
    assert main(["apply", SOUND, "--yes"]) == ExitCode.OK
    main(["check"])
    told = capsys.readouterr()
    assert SOUND in told.out

    before = running.zone(HURT)
    assert main(["rotate", "--continue", "--wait", "--timeout", "30"]) == ExitCode.ERROR
    told = capsys.readouterr()
    assert f"{SOUND}: The rotation is done." in told.out
    assert str(book) in told.err
    assert running.zone(HURT) == before
    assert main(["rotate", HURT, "--yes"]) == ExitCode.ERROR
    assert str(book) in capsys.readouterr().err


def test_a_newer_one_is_told_from_a_damaged_one(tmp_path: Path) -> None:
    write_book(tmp_path, Book("intern.example.com").opened(ROTATION))
    path = tmp_path / "intern.example.com.json"
    newer(path)
    with pytest.raises(MailauthError, match="a newer version wrote it") as caught:
        read_book(tmp_path, "intern.example.com")
    assert "update" in caught.value.advice
    damaged(path)
    with pytest.raises(MailauthError) as caught:
        read_book(tmp_path, "intern.example.com")
    assert "backup" in caught.value.advice


TIMES = ("clock", "started", "since", "grace")
ODD = ("1e999", "-1e999", "NaN", "1e300", "253402300799", "-1", "true", '"7"', "9" * 400, "[]")


@pytest.mark.parametrize("value", ODD)
@pytest.mark.parametrize("field", [*TIMES, "uptime", "seen", "server", "round", "negative_ttl"])
def test_a_time_that_cannot_be_is_damage(field: str, value: str) -> None:
    data: dict[str, Any] = json.loads(dumps(Book("intern.example.com").opened(ROTATION)))
    rotation = data["open"]
    match field:
        case "seen":
            data["seen"]["SHA256:1"] = "@"
        case "server":
            rotation["watch"]["since"]["ns1"] = "@"
        case "round":
            rotation["watch"]["rounds"] = ["@"]
        case "negative_ttl":
            rotation["watch"]["negative_ttl"] = "@"
        case "uptime":
            rotation |= {"boot": "b", "uptime": "@"}
        case _:
            rotation[field] = "@"
    with pytest.raises(ValueError, match=r"in it|no book"):
        loads(json.dumps(data).replace('"@"', value))


@pytest.mark.parametrize("field", TIMES)
def test_a_far_time_can_be_told(field: str) -> None:
    data: dict[str, Any] = json.loads(dumps(Book("intern.example.com").opened(ROTATION)))
    data["open"] |= {"phase": "grace", "since": NOW, field: LATEST - 1}
    rotation = loads(json.dumps(data)).open
    assert rotation is not None
    assert status(rotation, NOW, Waits()).isprintable()
    assert json.dumps(document(rotation, Waits()))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("domain", "../x.example"),
        ("domain", "\x1b[2J.example"),
        ("zone", "example.org"),
        ("zone", ""),
        ("old", {"selector": "a b", "record": ""}),
        ("new", {"selector": "", "record": ""}),
        ("new", {"selector": "dkim._domainkey.x", "record": ""}),
    ],
)
def test_a_name_that_is_none_is_damage(field: str, value: object) -> None:
    data: dict[str, Any] = json.loads(dumps(Book("intern.example.com").opened(ROTATION)))
    data["open"][field] = value
    with pytest.raises(ValueError):  # noqa: PT011
        loads(json.dumps(data))
