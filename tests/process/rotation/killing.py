"""Runs that are killed at the n-th moment at which the world outside could tell.

A moment is before and after each request, and before and after each write of the state.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from tests.process.rotation.place import Place

KILL_AFTER = "TEST_KILL_AFTER"

PATCH = f"""
import os, signal
import requests.adapters
left = [int(os.environ.get("{KILL_AFTER}", "1000000"))]

def moment():
    left[0] -= 1
    if left[0] < 0:
        os.kill(os.getpid(), signal.SIGKILL)

def around(function):
    def watched(*arguments, **options):
        moment()
        try:
            return function(*arguments, **options)
        finally:
            moment()
    return watched

os.fsync = around(os.fsync)
requests.adapters.HTTPAdapter.send = around(requests.adapters.HTTPAdapter.send)
"""
"""What Python runs before the command."""


def prepare(place: Place, folder: Path) -> None:
    """Let the runs of a place be killed by `kill_after`."""
    (folder / "sitecustomize.py").write_text(PATCH)
    place.command.set({"PYTHONPATH": str(folder)})


def kill_after(place: Place, moments: int | None) -> None:
    """Kill the runs to come after so many moments."""
    place.command.set({KILL_AFTER: None if moments is None else str(moments)})
