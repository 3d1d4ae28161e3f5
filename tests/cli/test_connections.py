"""A user without a home folder: nothing is remembered or kept, and reading works all the same."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from netcup_mailauth.cli import auth, run
from netcup_mailauth.errors import UsageError
from netcup_mailauth.state.holds import FileHold, NoHold


@pytest.fixture
def _homeless(monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless(_: Path) -> Path:
        raise RuntimeError

    monkeypatch.setattr(Path, "expanduser", homeless)
    monkeypatch.delenv("NETCUP_MAILAUTH_STATE_DIR")
    monkeypatch.delenv("HOME")


@pytest.mark.usefixtures("_homeless")
def test_nothing_is_remembered() -> None:
    assert isinstance(run.hold("netcup", "https://x.example", SecretStr("k")), NoHold)


@pytest.mark.usefixtures("_homeless")
def test_nothing_can_be_kept() -> None:
    with pytest.raises(UsageError, match="no home folder"):
        auth._file()


def test_anybody_else_has_a_memory() -> None:
    hold = run.hold("netcup", "https://x.example", SecretStr("C4n4ry"))
    assert isinstance(hold, FileHold)
    assert "C4n4ry" not in str(hold.path)
