"""A machine with the command and the example config, and a sandbox that serves its domains."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from netcup_mailauth.sandbox import Sandbox
from tests.examples.machine import Machine

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    with Sandbox(["example.com", "example.org"]) as sandbox:
        yield Machine(tmp_path / "machine", sandbox)
