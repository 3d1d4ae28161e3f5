"""The Python example runs as it stands, and uses nothing but what the library offers."""

from __future__ import annotations

import re
import runpy
from typing import TYPE_CHECKING

import netcup_mailauth
from tests.world.examples.machine import EXAMPLES

if TYPE_CHECKING:
    import pytest

EXAMPLE = EXAMPLES / "python_api.py"
TEXT = EXAMPLE.read_text(encoding="utf-8")


def test_it_writes_to_a_zone_of_each_kind(capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_path(str(EXAMPLE), run_name="__main__")
    lines = capsys.readouterr().out.splitlines()
    for domain in ("example.com", "example.org"):
        assert [line for line in lines if line.startswith(f"{domain}: written and verified")]
    assert len([line for line in lines if "- include:_spf.webhosting.systems" in line]) == 2
    assert [line for line in lines if line.startswith("Nothing was written: ")]


def test_it_uses_nothing_but_what_the_library_offers() -> None:
    (used,) = re.findall(r"^from netcup_mailauth import (.*)$", TEXT, re.MULTILINE)
    assert set(used.split(", ")) <= set(netcup_mailauth.__all__)
    assert len(re.findall(r"^(?:from|import) ", TEXT, re.MULTILINE)) == 1


def test_it_stays_short() -> None:
    assert len(TEXT.splitlines()) <= 15
