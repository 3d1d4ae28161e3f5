"""A sandbox with one default zone, and the installed command pointed at it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.apis import CCP, Api
from tests.process.command import Command
from tests.story.inprocess import Cli

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from netcup_mailauth.sandbox import Sandbox
    from tests.story.inprocess import PointedAt


@pytest.fixture
def api() -> Api:
    """The API that serves the zone; modules whose tests hold on both have one of their own."""
    return CCP


@pytest.fixture
def sandbox(api: Api) -> Iterator[Sandbox]:
    with api.netcup() as running:
        yield running


@pytest.fixture
def command(sandbox: Sandbox, tmp_path: Path) -> Iterator[Command]:
    command = Command(sandbox, tmp_path)
    yield command
    command.stop()


@pytest.fixture
def pointed_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> PointedAt:
    return lambda sandbox: Cli(sandbox, tmp_path, monkeypatch, capsys)


@pytest.fixture
def cli(sandbox: Sandbox, pointed_at: PointedAt) -> Cli:
    return pointed_at(sandbox)
