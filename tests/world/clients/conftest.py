"""One sandbox for the whole folder, in a network of its own, and one Let's Encrypt beside it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.world.clients.netcup import Netcup
from tests.world.clients.pebble import Pebble

if TYPE_CHECKING:
    from collections.abc import Iterator

collect_ignore = ["lexicon"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep these tests in one process, so that the sandbox is started once."""
    here = str(Path(__file__).parent)
    for item in items:
        if str(item.path).startswith(here):
            item.add_marker(pytest.mark.xdist_group("clients"))


@pytest.fixture(scope="session")
def netcup(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Netcup]:
    domains = ("example.com", "example.net", "coldfix.de")
    zones = [word for domain in domains for word in ("--domain", domain)]
    folder = tmp_path_factory.mktemp("clients")
    with Netcup(folder, *zones, "--clouddns", "example.org") as running:
        yield running


@pytest.fixture(scope="session")
def pebble(netcup: Netcup) -> Iterator[Pebble]:
    with Pebble(netcup) as running:
        yield running
