"""The golden table: every case with what is found, in ``findings.txt``.

    python -m tests.core.golden.findings --write

writes it anew; no test does. The rule: it is never written anew without a line in the commit
message that says which entry changed, and why.
"""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path

from tests.core.golden import changes, published
from tests.core.golden.judging import judged

TABLE = Path(__file__).with_name("findings.txt")
CASES = {**changes.CASES, **published.CASES}
HEADING = "== "


def entry(name: str) -> str:
    """What is found in a case, as it stands in the table."""
    return "".join(f"{paragraph}\n" for paragraph in judged(CASES[name])) or "nothing\n"


@cache
def stored() -> dict[str, str]:
    """The table: the entry of each case, by its name."""
    parts = f"\n{TABLE.read_text(encoding='utf-8')}".split(f"\n{HEADING}")[1:]
    return {
        name: f"{text.rstrip()}\n" for name, _, text in (part.partition("\n") for part in parts)
    }


def main() -> None:
    if sys.argv[1:] != ["--write"]:
        sys.exit("python -m tests.core.golden.findings --write")
    entries = (f"{HEADING}{name}\n{entry(name)}" for name in CASES)
    TABLE.write_text("\n".join(entries), encoding="utf-8")


if __name__ == "__main__":
    main()
