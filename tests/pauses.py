"""What the code would wait for by itself, left out: see `netcup_mailauth.clock.Pauses`."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import astuple
from typing import TYPE_CHECKING
from unittest.mock import patch

from netcup_mailauth.clock import Pauses

if TYPE_CHECKING:
    from collections.abc import Iterator

NONE = Pauses(settle=0.0, again=(0.0, 0.0), unsaid=0.0, longest=0.0, round=0.02, retry=0.02)
"""Everything is looked at again at once; what is asked until it is so, fifty times a second."""


@contextmanager
def no_pauses() -> Iterator[None]:
    """The usual ones are these, for what makes its session itself."""
    with patch.object(Pauses.__init__, "__defaults__", astuple(NONE)):
        yield
