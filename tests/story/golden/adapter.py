"""All that the transcripts know of the package beyond its command line and its sandbox.

Where the inside of the package moves, this file follows, and no transcript changes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from netcup_mailauth.cli.entry import main

if TYPE_CHECKING:
    from collections.abc import Sequence


def called(arguments: Sequence[str]) -> int:
    """Run the command line in this process; its exit code."""
    return main(list(arguments))
