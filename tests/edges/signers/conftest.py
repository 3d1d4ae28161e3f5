"""A mailcow whose keys are known, and signers that can be stopped at any write."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import cycle

import pytest
from pydantic import SecretStr

from netcup_mailauth.keys.mailcow import Mailcow
from netcup_mailauth.sandbox import Sandbox
from netcup_mailauth.sandbox.mailcow_dkim import DkimKey, generate
from tests.edges.signers.world import ALIAS, DOMAIN, HELPER, OTHER, OnWrite, StoppedMailcow

Connect = Callable[..., Mailcow]


@pytest.fixture(scope="module")
def running() -> Iterator[Sandbox]:
    given = {HELPER: None}
    with Sandbox((DOMAIN, OTHER), dkim_keys=given, alias_domains={ALIAS: DOMAIN}) as sandbox:
        for domain in (DOMAIN, OTHER, ALIAS):  # made once, as each takes its time
            sandbox.dkim_private_key(domain)
        yield sandbox


@pytest.fixture(scope="session")
def pool() -> list[DkimKey]:
    """Keys that mailcow makes, one after another; making them anew each time would take long."""
    return [generate("pool", 1024) for _ in range(3)]


@pytest.fixture
def sandbox(running: Sandbox, pool: list[DkimKey], monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    running.reset()
    keys = cycle(pool)
    monkeypatch.setattr(
        "netcup_mailauth.sandbox.mailcow_dkim.generate",
        lambda selector, _bits: replace(next(keys), selector=selector),
    )
    return running


@pytest.fixture
def connect(sandbox: Sandbox) -> Iterator[Connect]:
    opened: list[Mailcow] = []

    def connect(on_write: OnWrite = lambda _call: None) -> Mailcow:
        key = SecretStr(sandbox.mailcow_rw_key)
        mailcow = StoppedMailcow(sandbox.mailcow_url, key, sleep=lambda _seconds: None)
        mailcow.on_write = on_write
        opened.append(mailcow)
        return mailcow

    yield connect
    for mailcow in opened:
        mailcow.close()


@pytest.fixture
def mailcow(connect: Connect) -> Mailcow:
    return connect()
