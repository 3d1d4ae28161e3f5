"""One sandbox, one knotd and two courts for the whole folder: rspamd takes a second to start."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from netcup_mailauth.sandbox import Sandbox
from tests.process.command import Command
from tests.world.realworld.court import Court
from tests.world.realworld.knot import Knot
from tests.world.realworld.published import DOMAIN
from tests.world.realworld.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Iterator


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with these tests: what a process begins with, no other takes over from it.

    So each program is started once.
    """
    here = Path(__file__).parent
    items.sort(key=lambda item: here not in item.path.parents)


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox([DOMAIN]) as running:
        yield running


@pytest.fixture(scope="session")
def command(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Command]:
    command = Command(sandbox, tmp_path_factory.mktemp("realworld"))
    yield command
    command.stop()


@pytest.fixture(scope="session")
def stage(command: Command) -> Stage:
    return Stage(command)


@pytest.fixture(scope="session")
def knot() -> Iterator[Knot]:
    with Knot(DOMAIN) as running:
        yield running


@pytest.fixture(scope="session")
def court(sandbox: Sandbox) -> Iterator[Court]:
    """The judges, asking the resolver of the sandbox."""
    with Court(sandbox.resolver) as sitting:
        yield sitting


@pytest.fixture(scope="session")
def court_at_knot(knot: Knot) -> Iterator[Court]:
    """The judges, asking knotd."""
    with Court(knot.address) as sitting:
        yield sitting
