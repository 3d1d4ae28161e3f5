"""The guide's page on findings is the table, and a page at a terminal is readable."""

from __future__ import annotations

import ast
from pathlib import Path

import netcup_mailauth
from netcup_mailauth.findings import CODES, MEANINGS, OF_CHANGES
from netcup_mailauth.render.guide import WIDTH, plain, section
from tests.core.golden.guide import findings_page

ROOT = Path(netcup_mailauth.__file__).parent


def test_the_page_on_findings_is_made_from_the_table() -> None:
    """``python -m tests.core.golden.guide --write`` writes it anew."""
    page = (ROOT / "guide" / "findings.md").read_text(encoding="utf-8")
    assert page == findings_page()
    assert [line for line in page.splitlines() if len(line) > WIDTH] == []


def test_each_code_that_the_program_gives_is_in_the_table() -> None:
    given = set()
    for path in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Finding":
                given |= {w.value for w in node.args[:1] if isinstance(w, ast.Constant)}
    assert len(given) > 50
    assert given <= set(MEANINGS)


def test_a_code_is_in_one_table() -> None:
    assert sorted(CODES) == sorted(code for table in OF_CHANGES.values() for code in table)
    assert len(set(CODES)) == len(CODES)


def test_each_meaning_is_whole_and_short() -> None:
    for code, meaning in MEANINGS.items():
        assert all(meaning), code
        assert meaning.what.endswith((".", "?")), code
        assert len(" ".join(meaning).split()) <= 70, code


PAGE = """\
# A page

See [guard](guard.md), [the rules](promises.md#one) and [RFC 7208](https://example.org/x) for
**all** of it, and [cron](../../examples/cron/x).

<!-- not run: it stays -->
```sh
netcup-mailauth plan
```

## 8 wrong

Look.

## 80 other
"""


def test_a_terminal_gets_no_markup() -> None:
    assert plain(PAGE) == (
        "A page\n======\n\n"
        "See guard, the rules (help promises) and RFC 7208 (https://example.org/x) for\n"
        "all of it, and cron (examples/cron/x).\n\n"
        "  netcup-mailauth plan\n\n"
        "8 wrong\n-------\n\nLook.\n\n80 other\n--------\n"
    )


def test_a_section_is_found_by_its_first_word() -> None:
    assert section(PAGE, "8") == "## 8 wrong\n\nLook.\n\n"
    assert section(PAGE, "9") == ""
