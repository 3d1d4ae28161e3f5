"""A sandbox with one default zone, and the installed command pointed at it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from netcup_mailauth.sandbox import Sandbox
from tests.e2e.command import Command

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(["example.com"]) as running:
        yield running


@pytest.fixture
def command(sandbox: Sandbox, tmp_path: Path) -> Iterator[Command]:
    command = Command(sandbox, tmp_path)
    yield command
    command.stop()
