"""A signer command: what it is given, what it is not, and what is made of how it ends."""

from __future__ import annotations

import json
import shutil
import stat
import sys
import time
from typing import TYPE_CHECKING

import pytest

from netcup_mailauth.dkim import DkimSource, build, parse
from netcup_mailauth.errors import MailauthError, UnverifiedError
from netcup_mailauth.keys.forms import read_key_file
from netcup_mailauth.keys.sources import Sources
from netcup_mailauth.policy import DkimPolicy
from netcup_mailauth.rotation import signers
from netcup_mailauth.rotation.signers import CommandSigner, Users
from tests.canaries import leaks
from tests.edges.signers.world import DOMAIN, SELECTOR
from tests.keys import ed25519

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

TELL = (
    "import json, os, sys; told = [sys.argv, dict(os.environ), sys.stdin.read()]; "
    "open(sys.argv[1], 'w').write(json.dumps(told))"
)


@pytest.fixture
def in_use(tmp_path: Path) -> Path:
    """The key file of the mail server."""
    return tmp_path / "dkim.private"


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    return tmp_path / "state" / f"{DOMAIN}.key"


class Made(Sources):
    """Makes signers that read what is in use from the mail server's file."""

    def __init__(self, in_use: Path, key_file: Path) -> None:
        self.in_use, self.key_file = in_use, key_file

    def __call__(self, argv: Sequence[str], time_limit: float = 20.0) -> CommandSigner:
        return CommandSigner(
            argv,
            self.key_file.parent,
            self,
            DkimPolicy(source="configured"),
            time_limit=time_limit,
            environ={"PATH": "/usr/bin:/bin", "NETCUP_API_KEY": "s3cret", "MAILCOW_API_KEY": "s3"},
        )

    def key(self, source: str, _domain: str) -> DkimSource | None:
        if not self.in_use.exists():
            return None
        key = read_key_file(self.in_use).key
        return DkimSource(build(key), key, source, "in use", key_only=True) if key else None

    def host(self, source: str) -> str | None:
        raise AssertionError(source)

    def relay(self, source: str, domain: str) -> str | None:
        raise AssertionError(source, domain)


@pytest.fixture
def made(in_use: Path, key_file: Path, monkeypatch: pytest.MonkeyPatch) -> Made:
    monkeypatch.setattr(signers, "generate", ed25519)
    return Made(in_use, key_file)


def shell(in_use: Path, more: str = "") -> list[str]:
    return ["/bin/sh", "-c", f'cat > "$0" {more}', str(in_use)]


def test_a_rotation(made: Made, in_use: Path, key_file: Path) -> None:
    signer = made(shell(in_use))
    assert signer.current(DOMAIN) is None
    assert signer.prepared(DOMAIN) is None
    new = signer.prepare(DOMAIN, SELECTOR)
    assert new.selector == SELECTOR
    assert parse(new.record).key == new.key
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
    assert signer.prepare(DOMAIN, SELECTOR) == signer.prepared(DOMAIN) == new
    assert not in_use.exists()

    assert signer.switch(DOMAIN) == new
    assert signer.current(DOMAIN) == new  # with its selector, which a bare key does not tell
    assert in_use.read_text().startswith("-----BEGIN PRIVATE KEY-----\n")
    assert "PRIVATE" not in key_file.read_text()
    assert signer.prepared(DOMAIN) == new

    in_use.with_name("other").write_text(in_use.read_text())
    assert made(["/bin/false"]).switch(DOMAIN) == new  # it signs: the command is not run again
    signer.discard(DOMAIN)
    signer.discard(DOMAIN)
    assert not key_file.exists()


def test_the_key_comes_on_standard_input_and_nowhere_else(made: Made, tmp_path: Path) -> None:
    told = tmp_path / "told.json"
    argv = [sys.executable, "-c", TELL, str(told), "{domain}", "--selector={selector}", "$HOME; x"]
    signer = made(argv)
    signer.prepare(DOMAIN, SELECTOR)
    with pytest.raises(UnverifiedError):
        signer.switch(DOMAIN)
    arguments, environ, stdin = json.loads(told.read_text())
    assert arguments[2:] == [DOMAIN, f"--selector={SELECTOR}", "$HOME; x"]
    assert not [name for name in environ if name.startswith(("NETCUP_", "MAILCOW_"))]
    assert "PRIVATE" not in json.dumps([arguments, environ])
    assert stdin.startswith("-----BEGIN PRIVATE KEY-----\n")
    assert stdin.endswith("-----END PRIVATE KEY-----\n")


@pytest.mark.parametrize(
    "script",
    [
        "cat; exit 3",
        "cat >&2; exit 3",
        "tr '\\n' ' '; exit 3",
        "sed -n 2p | fold -w 10; exit 3",
        "sed -n 2p | base64 -d | od -An -tx1 | tr ' ' ':'; exit 3",
        "head -c 60; exit 3",
    ],
)
def test_a_failing_command_is_quoted_without_the_key(
    made: Made, key_file: Path, script: str
) -> None:
    signer = made(["/bin/sh", "-c", f"echo 'no such\tfolder \033[2J'; {script}"])
    signer.prepare(DOMAIN, SELECTOR)
    body = key_file.read_text().splitlines()[2]
    with pytest.raises(MailauthError, match="ended with the code 3") as caught:
        signer.switch(DOMAIN)
    assert "no such folder" in caught.value.what
    assert caught.value.what.isprintable()
    pieces = [body[at : at + 10] for at in range(0, len(body), 10)]
    assert leaks(caught.value, pieces) == []
    assert "PRIVATE" in key_file.read_text()  # the next run tries again


def test_a_talkative_command_is_cut(made: Made) -> None:
    signer = made(["/bin/sh", "-c", "yes no luck | head -n 100000; exit 1"])
    signer.prepare(DOMAIN, SELECTOR)
    with pytest.raises(MailauthError) as caught:
        signer.switch(DOMAIN)
    assert len(caught.value.what) < 700


def test_a_silent_one(made: Made) -> None:
    signer = made(["/bin/false"])
    signer.prepare(DOMAIN, SELECTOR)
    with pytest.raises(MailauthError, match="It said nothing"):
        signer.switch(DOMAIN)


def test_one_that_is_not_there(made: Made) -> None:
    signer = made(["/nowhere/put-key"])
    signer.prepare(DOMAIN, SELECTOR)
    with pytest.raises(MailauthError, match="cannot be run: No such file"):
        signer.switch(DOMAIN)


def test_one_that_does_not_end(made: Made) -> None:
    """It is killed with all it has started, even if that holds its output open."""
    signer = made(["/bin/sh", "-c", "sleep 300 & sleep 300"], time_limit=0.3)
    signer.prepare(DOMAIN, SELECTOR)
    begun = time.monotonic()
    with pytest.raises(MailauthError, match=r"did not end within 0\.3 s"):
        signer.switch(DOMAIN)
    assert time.monotonic() - begun < 120


def test_one_that_ends_well_and_does_nothing(made: Made, in_use: Path, key_file: Path) -> None:
    signer = made(["/bin/true"])
    new = signer.prepare(DOMAIN, SELECTOR)
    with pytest.raises(UnverifiedError, match="does not sign with the new key") as caught:
        signer.switch(DOMAIN)
    assert new.key.fingerprint in caught.value.what
    assert made(shell(in_use)).switch(DOMAIN) == new
    assert "PRIVATE" not in key_file.read_text()


def test_one_that_fails_after_it_has_worked(made: Made, in_use: Path) -> None:
    """The key may lie where it belongs and not be in use, as after a reload that failed."""
    signer = made(shell(in_use, "; exit 1"))
    new = signer.prepare(DOMAIN, SELECTOR)
    with pytest.raises(MailauthError, match="ended with the code 1"):
        signer.switch(DOMAIN)
    with pytest.raises(MailauthError, match="ended with the code 1"):
        signer.switch(DOMAIN)
    assert made(shell(in_use)).switch(DOMAIN) == new


def test_a_key_changed_by_somebody_after_it_was_handed_over(made: Made, in_use: Path) -> None:
    signer = made(shell(in_use))
    signer.prepare(DOMAIN, SELECTOR)
    signer.switch(DOMAIN)
    in_use.unlink()
    with pytest.raises(MailauthError, match="was handed over before"):
        signer.switch(DOMAIN)


def test_there_is_no_way_back(made: Made, in_use: Path) -> None:
    signer = made(shell(in_use))
    signer.prepare(DOMAIN, SELECTOR)
    signer.switch(DOMAIN)
    assert signer.parked(DOMAIN) is None
    assert signer.others(DOMAIN, signer.switch(DOMAIN).key) == Users()
    with pytest.raises(MailauthError) as caught:
        signer.switch_back(DOMAIN)
    assert "Rotate forward" in caught.value.advice


def test_nothing_to_switch_to(made: Made, key_file: Path) -> None:
    signer = made(["/bin/false"])
    signer.prepare(DOMAIN, SELECTOR)
    shutil.rmtree(key_file.parent)
    with pytest.raises(MailauthError, match=r"\.key is gone"):
        signer.switch(DOMAIN)


def test_a_key_of_another_rotation_is_not_used(made: Made) -> None:
    signer = made(["/bin/false"])
    first = signer.prepare(DOMAIN, SELECTOR)
    second = signer.prepare(DOMAIN, "s2026-11b")
    assert second.selector == "s2026-11b"
    assert second.key != first.key


def test_what_is_announced(made: Made, key_file: Path) -> None:
    said = str(made(["/opt/put-key"]).writes())
    assert "/opt/put-key is run" in said
    assert str(key_file.with_name("DOMAIN.key")) in said
