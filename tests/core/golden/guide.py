"""The guide's page on findings, made from their table.

    python -m tests.core.golden.guide --write

writes it anew; no test does.
"""

from __future__ import annotations

import sys
from pathlib import Path

import netcup_mailauth
from netcup_mailauth.render.guide import findings_page

PAGE = Path(netcup_mailauth.__file__).parent / "guide" / "findings.md"

if __name__ == "__main__":
    if sys.argv[1:] != ["--write"]:
        sys.exit("python -m tests.core.golden.guide --write")
    PAGE.write_text(findings_page(), encoding="utf-8")
