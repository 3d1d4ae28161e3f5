"""Sandboxes that are started when a test wants one, and stopped whatever happens."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import fields
from typing import Any

import pytest

from netcup_mailauth.sandbox import Quirks, Sandbox
from tests.sandbox.client import DOMAIN, Ccp
from tests.sandbox.rest_client import Rest

Start = Callable[..., Ccp]
StartRest = Callable[..., Rest]

QUIRKS = {field.name for field in fields(Quirks)}


class Clock:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0  # 15 January 2027

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def start() -> Iterator[Start]:
    """Start a sandbox with any arguments (those of Quirks too), logged in."""
    with ExitStack() as stack:

        def start(domains: tuple[str, ...] = (DOMAIN,), **options: Any) -> Ccp:
            quirks = {name: options.pop(name) for name in list(options) if name in QUIRKS}
            sandbox = stack.enter_context(Sandbox(domains, quirks=Quirks(**quirks), **options))
            client = stack.enter_context(Ccp(sandbox))
            client.login()
            return client

        yield start


@pytest.fixture
def ccp(start: Start) -> Ccp:
    """A client logged in to a sandbox as it is by default."""
    return start()


@pytest.fixture
def start_rest() -> Iterator[StartRest]:
    """Start a sandbox with its one domain on CloudDNS, and any arguments (those of Quirks too)."""
    with ExitStack() as stack:

        def start(**options: Any) -> Rest:
            quirks = {name: options.pop(name) for name in list(options) if name in QUIRKS}
            options = {"domains": (), "clouddns": (DOMAIN,), **options}
            sandbox = stack.enter_context(Sandbox(quirks=Quirks(**quirks), **options))
            return stack.enter_context(Rest(sandbox))

        yield start


@pytest.fixture
def rest(start_rest: StartRest) -> Rest:
    """A client of a sandbox whose one domain is on CloudDNS."""
    return start_rest()


@pytest.fixture(scope="module")
def untouched() -> Iterator[Rest]:
    """One client for all tests of a module that change nothing."""
    with Sandbox((), clouddns=(DOMAIN,)) as sandbox, Rest(sandbox) as client:
        yield client


@pytest.fixture
def clock() -> Clock:
    return Clock()
