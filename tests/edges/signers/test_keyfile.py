"""The file in which a private key waits: private, whole, and gone when it should be."""

from __future__ import annotations

import stat
import subprocess
from typing import TYPE_CHECKING

import pytest

from netcup_mailauth.errors import KeySourceError, MailauthError
from netcup_mailauth.keys.forms import read_key_file
from netcup_mailauth.rotation.signers import KeyFile
from tests.canaries import leaks
from tests.keys import ed25519

if TYPE_CHECKING:
    from pathlib import Path

    from netcup_mailauth.keys.private import NewKey


@pytest.fixture
def new() -> NewKey:
    return ed25519()


@pytest.fixture
def file(tmp_path: Path) -> KeyFile:
    return KeyFile(tmp_path / "rotations" / "example.com.key")


def test_a_key_comes_and_goes(file: KeyFile, new: NewKey) -> None:
    assert file.read() is None
    assert file.private_pem() is None
    file.keep("s2026-11a", new)
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    assert file.read() == ("s2026-11a", new.public)
    assert file.private_pem() == new.pem
    file.forget_private()
    assert file.read() == ("s2026-11a", new.public)
    assert file.private_pem() is None
    assert "PRIVATE" not in file.path.read_text()
    file.forget_private()
    file.remove()
    file.remove()
    assert not list(file.path.parent.iterdir())
    file.forget_private()
    assert file.read() is None


def test_it_is_a_key_for_other_tools_too(file: KeyFile, new: NewKey) -> None:
    """Whoever has to rescue it by hand needs nothing of ours."""
    file.keep("s2026-11a", new)
    argv = ["openssl", "pkey", "-in", str(file.path), "-noout", "-text_pub"]
    assert "ED25519" in subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    assert read_key_file(file.path).key == new.public


@pytest.mark.parametrize("keep", [b"", b"DKIM selector: \n", b"\xff\xfe", b"DKIM selector: s1\n"])
def test_a_damaged_one(file: KeyFile, new: NewKey, keep: bytes) -> None:
    file.path.parent.mkdir()
    file.path.write_bytes(keep)
    with pytest.raises(KeySourceError, match="is not the key file"):
        file.read()


def test_one_that_is_cut_off_is_not_quoted(file: KeyFile, new: NewKey) -> None:
    file.keep("s1", new)
    text = file.path.read_text()
    file.path.write_text(text[: text.index("-----END")])
    with pytest.raises(KeySourceError) as caught:
        file.read()
    assert leaks(caught.value, [new.pem.splitlines()[1]]) == []


def test_a_folder_in_its_place(file: KeyFile, new: NewKey) -> None:
    file.path.mkdir(parents=True)
    with pytest.raises(KeySourceError, match="cannot be read"):
        file.read()
    with pytest.raises(MailauthError, match="cannot be kept"):
        file.keep("s1", new)
    with pytest.raises(MailauthError, match="cannot be removed"):
        file.remove()
