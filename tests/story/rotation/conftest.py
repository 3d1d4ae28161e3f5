"""What the tests of rotations run in: houses that a crash can strike, and a sandbox."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from netcup_mailauth.cli.entry import main
from netcup_mailauth.errors import ExitCode
from netcup_mailauth.files import write_private
from netcup_mailauth.sandbox import Sandbox
from tests.story.rotation.houses import trapped
from tests.story.rotation.typed import CONFIG, DOMAIN

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(autouse=True, scope="package")
def _books_have_traps() -> Iterator[None]:
    """A crash can happen before and after each write of a book."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("netcup_mailauth.rotation.state.write_private", trapped(write_private))
        yield


@pytest.fixture
def sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """A netcup, three name servers, and a mailcow whose key of the domain is published."""
    (tmp_path / "netcup-mailauth.toml").write_text(CONFIG)
    monkeypatch.chdir(tmp_path)
    with Sandbox([DOMAIN], dkim_keys={"helper.example": None}) as running:
        for name, value in running.env.items():
            if value is not None:
                monkeypatch.setenv(name, value)
        monkeypatch.setenv("MAILCOW_API_KEY", running.mailcow_rw_key)
        assert main(["apply", DOMAIN, "--dkim", "mailcow", "--yes"]) == ExitCode.OK
        yield running
