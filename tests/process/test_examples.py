"""What stands in ``examples/`` runs, and the config there is one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("example", sorted((ROOT / "examples").glob("*.py")), ids=lambda p: p.name)
def test_each_python_example_runs(example: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-W", "error", str(example)], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    assert "written and verified" in ended.stdout


def test_the_example_config_is_valid() -> None:
    from netcup_mailauth.settings.config import load

    config = load(ROOT / "examples" / "netcup-mailauth.toml").config
    assert set(config.domains) == {"example.com", "example.org", "intern.example.com"}
