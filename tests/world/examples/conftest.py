"""A machine with the command and the example config, and a sandbox that serves its domains."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from netcup_mailauth.sandbox import Sandbox
from tests.world.examples.machine import Machine

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    with Sandbox(["example.com", "example.org"]) as sandbox:
        # netcup's wildcard would answer for it no more, so it has an address of its own.
        own = {"hostname": "intern", "type": "A", "destination": "203.0.113.44"}
        sandbox.set_zone("example.com", [*sandbox.zone("example.com"), own])
        yield Machine(tmp_path / "machine", sandbox)
