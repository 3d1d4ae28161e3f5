"""The guide's page on findings, made from their table.

    python -m tests.core.golden.guide --write

writes it anew; no test does.
"""

from __future__ import annotations

import sys
from pathlib import Path

import netcup_mailauth
from netcup_mailauth.findings import MEANINGS
from netcup_mailauth.render.guide import of_finding

PAGE = Path(netcup_mailauth.__file__).parent / "guide" / "findings.md"

HEAD = """\
# Findings

What `plan`, `apply` and `check` may say, by its code: what it means, when it
comes up, what to do, and the rule behind it. `netcup-mailauth help CODE` shows
one. How each weighs in a change is told in [guard](guard.md): this page has it
at its worst; what was there before, or is only guessed, weighs less.
"""


def findings_page() -> str:
    """The page on all findings."""
    return "\n".join([HEAD, *(of_finding(code) for code in sorted(MEANINGS))])


if __name__ == "__main__":
    if sys.argv[1:] != ["--write"]:
        sys.exit("python -m tests.core.golden.guide --write")
    PAGE.write_text(findings_page(), encoding="utf-8")
