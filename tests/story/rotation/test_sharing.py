"""A key file of two domains is refused before anything is done, however it is spelt."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from netcup_mailauth.cli.entry import main
from netcup_mailauth.errors import ExitCode
from netcup_mailauth.sandbox import Sandbox
from tests.keys import ed25519

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

ONE, TWO, THREE = "example.com", "example.org", "example.net"
PUT = "import sys; open(sys.argv[1], 'w').write(sys.stdin.read())"
WAITS = 'between_rounds = "0.1s"\nnegative_ttl = "0.1s"\ngrace = "0.2s"\n'


class Shop:
    """A netcup with three domains, and a config whose signer is a command."""

    def __init__(self, folder: Path, sandbox: Sandbox) -> None:
        self.folder, self.sandbox = folder, sandbox
        self.key = folder / "keys" / "one.pem"
        self.key.parent.mkdir()
        self.key.write_text(ed25519().pem)
        self.config = folder / "c.toml"
        self.argv = [sys.executable, "-c", PUT, str(self.key), "{domain}"]

    def write(self, tables: str, argv: list[str] | None = None) -> None:
        command = f"signer_command = {argv or self.argv}\n"
        allow = (
            '[defaults]\nallow = ["rotation-short-grace"]\n' if "[defaults]" not in tables else ""
        )
        self.config.write_text(f"[rotation]\n{WAITS}{command}{allow}{tables}")

    def run(self, *arguments: str) -> int:
        return main(["-c", str(self.config), *arguments])

    @property
    def state(self) -> set[str]:
        found = self.folder.joinpath("state").rglob("*")
        return {str(path) for path in found if "rotations" in path.parts and path.is_file()}


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    monkeypatch.chdir(tmp_path)
    with Sandbox([ONE, TWO, THREE]) as running:
        for name, value in running.env.items():
            if value is not None:
                monkeypatch.setenv(name, value)
        monkeypatch.setenv("NETCUP_MAILAUTH_STATE_DIR", str(tmp_path / "state"))
        monkeypatch.setenv("HOME", str(tmp_path))
        yield Shop(tmp_path, running)


def dkim(domain: str, path: object) -> str:
    return f'[domains."{domain}"]\ndkim = {{ source = "file:{path}" }}\n'


def by_symlink(shop: Shop) -> str:
    shop.folder.joinpath("two.pem").symlink_to(shop.key)
    return "two.pem"


def by_linked_folder(shop: Shop) -> str:
    shop.folder.joinpath("elsewhere").symlink_to(shop.key.parent)
    return "elsewhere/one.pem"


def by_hard_link(shop: Shop) -> str:
    os.link(shop.key, shop.folder / "two.pem")
    return "two.pem"


def in_full(shop: Shop) -> str:
    return str(shop.key)


SPELLINGS: list[str | Callable[[Shop], str]] = [
    in_full,
    "keys/one.pem",
    "./keys/../keys//one.pem",
    "~/keys/one.pem",
    by_symlink,
    by_linked_folder,
    by_hard_link,
]


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_file_of_two_domains(
    shop: Shop, capsys: pytest.CaptureFixture[str], spelling: str | Callable[[Shop], str]
) -> None:
    path = spelling if isinstance(spelling, str) else spelling(shop)
    shop.write(dkim(ONE, shop.key) + dkim(TWO, path))
    assert shop.run("apply", "--yes") == ExitCode.OK
    before, key = shop.sandbox.zone(ONE), shop.key.read_text()
    capsys.readouterr()
    for first, second in ((ONE, TWO), (TWO, ONE)):
        assert shop.run("rotate", first, "--yes") == ExitCode.REFUSED
        error = capsys.readouterr().err
        assert first in error
        assert second in error
        assert str(shop.key) in error
        assert "source =" in error
    assert shop.sandbox.zone(ONE) == before
    assert shop.key.read_text() == key
    assert shop.state == set()


def test_the_defaults_give_every_domain_one_file(
    shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    table = (
        f'[defaults]\nallow = ["rotation-short-grace"]\ndkim = {{ source = "file:{shop.key}" }}\n'
    )
    more = f'[domains."{ONE}"]\n[domains."{TWO}"]\n[domains."{THREE}"]\ndkim = false\n'
    shop.write(table + more)
    assert shop.run("rotate", ONE, "--yes") == ExitCode.REFUSED
    assert f"{ONE} and {TWO}" in capsys.readouterr().err
    assert shop.run("rotate", "--older-than", "0s", "--yes") == ExitCode.REFUSED
    assert shop.state == set()


def test_a_domain_that_is_only_published_counts_too(
    shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is never rotated itself; the record of its key would be wrong all the same."""
    more = f'{dkim(THREE, shop.key)}spf = {{ record = "v=spf1 -all" }}\n'
    shop.write(dkim(ONE, shop.key) + more)
    assert shop.run("rotate", ONE, "--yes") == ExitCode.REFUSED
    assert THREE in capsys.readouterr().err


def test_mailcows_domains_with_the_file_of_the_defaults(
    shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    table = (
        f'[defaults]\nallow = ["rotation-short-grace"]\ndkim = {{ source = "file:{shop.key}" }}\n'
    )
    shop.write(table)
    shop.config.write_text('domains_from = "mailcow"\n' + shop.config.read_text())
    assert shop.run("rotate", ONE, "--yes") == ExitCode.REFUSED
    assert "every domain of mailcow" in capsys.readouterr().err


@pytest.mark.parametrize("known", ["in the config", "on the command line"])
def test_a_command_that_is_not_told_the_domain(
    shop: Shop, capsys: pytest.CaptureFixture[str], known: str
) -> None:
    """It would put the key of the second into the place of the first."""
    other = shop.folder / "two.pem"
    other.write_text(ed25519().pem)
    shop.write(dkim(ONE, shop.key) + dkim(TWO, other), shop.argv[:-1])
    options = [] if known == "in the config" else ["--signer-command", f"tee {shop.key}"]
    assert shop.run("apply", "--yes") == ExitCode.OK
    capsys.readouterr()
    assert shop.run("rotate", TWO, ONE, "--yes", *options) == ExitCode.REFUSED
    error = capsys.readouterr().err
    assert "{domain}" in error
    assert ONE in error
    assert TWO in error
    assert shop.state == set()


def test_files_of_their_own_are_no_matter(shop: Shop) -> None:
    other = shop.folder / "two.pem"
    other.write_text(shop.key.read_text())  # a copy: the same key, and no harm in it
    shop.write(dkim(ONE, shop.key) + dkim(TWO, other))
    assert shop.run("apply", "--yes") == ExitCode.OK
    assert shop.run("rotate", ONE, "--yes", "--wait", "--timeout", "30") == ExitCode.OK
    assert other.read_text() != shop.key.read_text()


def test_a_file_that_came_to_be_shared_is_refused_before_the_switch_and_the_way_back_is_open(
    shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    shop.write(dkim(ONE, shop.key))
    assert shop.run("apply", "--yes") == ExitCode.OK
    assert shop.run("rotate", ONE, "--yes") == ExitCode.OK
    shop.write(dkim(ONE, shop.key) + dkim(TWO, shop.key))
    key = shop.key.read_text()
    assert shop.run("rotate", "--continue") == ExitCode.REFUSED
    assert TWO in capsys.readouterr().err
    assert shop.key.read_text() == key
    assert shop.run("rotate", ONE, "--abort", "--yes") == ExitCode.OK
