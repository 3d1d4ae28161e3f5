"""A conversation with the command at a terminal of its own."""

from __future__ import annotations

import os
import select
import time
from typing import TYPE_CHECKING

from tests.process.command import Ended
from tests.process.processes import until_it_reads

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.process.command import Command

PATIENCE = 30.0
PROMPT = ": "


def dialogue(command: Command, *arguments: str, answers: Sequence[str] = ()) -> Ended:
    """Run it at a terminal; each time it asks, type the next answer. All it shows is stdout."""
    process, terminal = command.open_terminal(*arguments)
    shown, left = "", list(answers)
    deadline = time.monotonic() + PATIENCE
    while (data := _read(terminal, deadline)) is not None:
        shown += data
        if shown.endswith(PROMPT) and left:
            answer = left.pop(0)
            if answer == "^C":
                until_it_reads(process)
            os.write(terminal, b"\x03" if answer == "^C" else f"{answer}\n".encode())
    os.close(terminal)
    code = process.wait(PATIENCE)
    assert not left, f"it did not ask for {left}: {shown}"
    return Ended(code, shown.replace("\r\n", "\n"), "")


def read_all(terminal: int) -> str:
    """All that is shown until its end."""
    deadline, shown = time.monotonic() + PATIENCE, ""
    while (data := _read(terminal, deadline)) is not None:
        shown += data
    os.close(terminal)
    return shown


def _read(terminal: int, deadline: float) -> str | None:
    """What it shows next; ``None`` when it has ended, or takes too long."""
    ready, _, _ = select.select([terminal], [], [], max(0.0, deadline - time.monotonic()))
    if not ready:
        return None
    try:
        data = os.read(terminal, 65536)
    except OSError:  # it has closed its side
        return None
    return data.decode() or None
