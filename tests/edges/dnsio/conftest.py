"""What holds for every test of asking DNS: no thread outlives its question."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    yield
    for thread in threading.enumerate():
        if thread.name.startswith("dnsio"):
            thread.join(5)  # the answer comes the instant before its thread has ended
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("dnsio")]
