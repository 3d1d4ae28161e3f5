"""A sandbox, and the client's parts pointed at it, for tests that need both."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from netcup_mailauth.clock import Clock
from netcup_mailauth.netcup.api import Budget
from netcup_mailauth.netcup.ccp import CcpBackend
from netcup_mailauth.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator


def backend_of(sandbox: Sandbox, **changes: Any) -> CcpBackend:
    """The CCP back end with the sandbox's credentials; reads are retried without waiting."""
    env = sandbox.env
    values = {
        "customer_number": env["NETCUP_CUSTOMER_NUMBER"],
        "api_key": env["NETCUP_API_KEY"],
        "api_password": env["NETCUP_API_PASSWORD"],
        **changes,
    }
    return CcpBackend(
        values["customer_number"] or "",
        SecretStr(values["api_key"] or ""),
        SecretStr(values["api_password"] or ""),
        endpoint=sandbox.ccp_endpoint,
        budget=Budget(calls=100_000),
        sleep=lambda _: None,
    )


def requests_of(sandbox: Sandbox) -> dict[str, int]:
    """How often each action was called."""
    requests = sandbox.stats()["requests"]
    assert isinstance(requests, dict)
    return requests


def until_called(sandbox: Sandbox, action: str, times: int = 1) -> None:
    """Wait until an action was called so often."""
    deadline = time.monotonic() + 30
    while requests_of(sandbox).get(action, 0) < times:
        assert time.monotonic() < deadline
        time.sleep(0.002)


@contextmanager
def account(*domains: str, **options: Any) -> Iterator[tuple[Sandbox, CcpBackend]]:
    """A sandbox with these zones, and the back end that talks to it."""
    with Sandbox(domains or ("example.com",), **options) as sandbox, backend_of(sandbox) as backend:
        yield sandbox, backend


class Settled(Clock):
    """However long is waited: what a sandbox was to do late is done then."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._timers = sandbox._timers

    def sleep(self, _seconds: float) -> None:
        while self._timers._threads:
            time.sleep(0.005)


Waits = list[float]
