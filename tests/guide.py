"""The README and the guide as their readers use them: pages, blocks of code, commands to type."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import NamedTuple

import netcup_mailauth

ROOT = Path(__file__).parents[1]
GUIDE = Path(netcup_mailauth.__file__).parent / "guide"
PAGES = [ROOT / "README.md", *sorted(GUIDE.glob("*.md"))]

CONFIG = "# netcup-mailauth.toml"
"""How the block begins that is a whole config, and lies beside the commands after it."""

BLOCK = re.compile(r"(?:<!-- (.*?) -->\n)?```(\w+)\n(.*?)```", re.DOTALL)

BESIDE = (
    *("export ", "read ", "cd ", "git ", "python3 ", "pipx ", "sudo ", ".venv/bin/"),
    *("unshare ", "ip ", "echo ", "mount ", "nsenter "),
)
"""How a line of a shell's block begins that is no command of ours, and is not run here."""


class Block(NamedTuple):
    """A block of code on a page.

    Attributes:
        remark: what a comment before it says to the tests: ``not run: WHY``, ``exit N``, or ``with
            the config``.
        language: as after the fence.
    """

    remark: str
    language: str
    text: str

    @property
    def is_run(self) -> bool:
        """Whether its commands do what they say on a sandbox as it begins."""
        return not self.remark.startswith("not run: ")

    @property
    def code(self) -> int:
        """What its commands exit with."""
        return int(self.remark.removeprefix("exit ")) if self.remark.startswith("exit ") else 0

    def lines(self) -> list[str]:
        """Its lines as a shell reads them: without comments, continued ones joined."""
        joined = self.text.replace("\\\n", " ").splitlines()
        return [line for line in joined if line and not line.startswith("#")]

    def commands(self) -> list[list[str]]:
        """The words behind each ``netcup-mailauth`` in it."""
        words = (shlex.split(line, comments=True) for line in self.lines())
        return [w[1:] for w in words if w[0] == "netcup-mailauth"]


def blocks(page: Path) -> list[Block]:
    """The blocks of code on a page."""
    return [Block(*found) for found in BLOCK.findall(page.read_text(encoding="utf-8"))]


def inline(page: Path) -> list[str]:
    """What stands between backticks in the running text of a page, in one line each."""
    text = BLOCK.sub("", page.read_text(encoding="utf-8"))
    return [" ".join(found.split()) for found in re.findall(r"`([^`]+)`", text)]
