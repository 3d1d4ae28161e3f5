"""``show``: a saved plan, to be looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netcup_mailauth import planfile
from netcup_mailauth.actions.planfile import load
from netcup_mailauth.cli.plan import print_plan

if TYPE_CHECKING:
    from pathlib import Path


def command(file: Path, output_format: str, full: bool) -> int:
    """Show a saved plan."""
    saved = load(file)
    print_plan(saved.plan, output_format, full, saved.grounds, file)
    planfile.check_content(saved)
    return 0
