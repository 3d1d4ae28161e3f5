"""Transcripts of whole runs, and every ``--help``, as they were when they were frozen.

    python -m tests.story.golden.transcripts             says what differs
    python -m tests.story.golden.transcripts --write     writes what is now

No test ever writes them. They are written anew only together with a line in the commit message that
says which entry changed, and why: a difference that nobody can explain is a mistake in the program.
"""

from __future__ import annotations

import contextlib
import difflib
import io
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import patch

from netcup_mailauth.cli.commands import COMMANDS
from tests.story.golden import other_runs, writing_runs
from tests.story.golden.adapter import called
from tests.story.golden.stage import tell

if TYPE_CHECKING:
    from collections.abc import Iterator

STORIES = (*writing_runs.STORIES, *other_runs.STORIES)
TRANSCRIPTS = Path(__file__).with_name("transcripts")
HELP = Path(__file__).with_name("help")

GROUPS = tuple(
    f"{group}-{api}"
    for group in dict.fromkeys(story.group for story in STORIES)
    for api in ("ccp", "clouddns")
    if any(story.group == group and api in story.apis for story in STORIES)
)
"""Each file of transcripts: a group of stories on one API."""


def transcript(group: str) -> str:
    """The transcripts of a group, as they are now."""
    name, _, api = group.rpartition("-")
    told = [tell(s, api) for s in STORIES if s.group == name and api in s.apis]
    return "\n".join(told)


def help_of(command: str) -> str:
    """What a command says of itself, 80 columns wide; an empty name for the program itself."""
    arguments = [command, "--help"] if command else ["--help"]
    shown = io.StringIO()
    with patch.dict(os.environ, {"COLUMNS": "80"}), contextlib.redirect_stdout(shown):
        called(arguments)
    return shown.getvalue()


def differences() -> Iterator[str]:
    """Every line that is not as it was frozen."""
    for path, now in everything():
        before = path.read_text() if path.exists() else ""
        yield from difflib.unified_diff(
            before.splitlines(), now.splitlines(), str(path), "now", lineterm=""
        )


def everything() -> Iterator[tuple[Path, str]]:
    """Each file, and what should be in it."""
    for group in GROUPS:
        yield TRANSCRIPTS / f"{group}.txt", transcript(group)
    for command in ("", *COMMANDS):
        yield HELP / f"{command or 'netcup-mailauth'}.txt", help_of(command)


def write() -> None:
    """Freeze what is now."""
    for path, now in everything():
        path.parent.mkdir(exist_ok=True)
        path.write_text(now)


if __name__ == "__main__":
    if "--write" in sys.argv:
        write()
    else:
        sys.stdout.writelines(f"{line}\n" for line in differences())
