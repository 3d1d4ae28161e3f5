"""All that the transcripts know of the package beyond its command line and its sandbox.

Where the inside of the package moves, this file follows, and no transcript changes.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING
from unittest.mock import patch

from netcup_mailauth.actions import applying
from netcup_mailauth.cli.entry import main
from netcup_mailauth.keys import mailcow
from netcup_mailauth.netcup import http

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def called(arguments: Sequence[str]) -> int:
    """Run the command line in this process; its exit code."""
    return main(list(arguments))


@contextmanager
def no_long_waits() -> Iterator[None]:
    """What is waited for in seconds is waited for in hundredths of them."""
    shorter = (
        (http, "BACKOFF", (0.01, 0.01)),
        (applying, "SETTLE", 0.01),
        (mailcow, "SETTLE", 0.01),
        (http, "pause", lambda *_: 0.01),
    )
    with ExitStack() as stack:
        for module, name, value in shorter:
            stack.enter_context(patch.object(module, name, value))
        yield
