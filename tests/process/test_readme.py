"""What the README says is what the program does."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from netcup_mailauth.errors import ExitCode

if TYPE_CHECKING:
    from tests.process.command import Command

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
COMMANDS = [
    shlex.split(line, comments=True)[1:]
    for block in BLOCKS
    for line in block.replace("\\\n", " ").splitlines()
    if line.startswith("netcup-mailauth ")
]


def test_its_commands_run_word_for_word_against_a_sandbox(command: Command) -> None:
    assert len(COMMANDS) >= 5
    for words in COMMANDS:
        ended = command(*words, *(["--yes"] if words[0] == "apply" else []))
        assert ended.code == 0, f"{words}: {ended.stderr}"
    assert "nothing to do" in command(*COMMANDS[1]).stdout


def test_every_exit_code_it_lists_exists() -> None:
    table = README.partition("### Exit codes")[2].partition("###")[0]
    listed = {int(number) for number in re.findall(r"^\| (\d+) \|", table, re.MULTILINE)}
    assert listed == {int(code) for code in ExitCode}


@pytest.mark.parametrize("example", sorted((ROOT / "examples").glob("*.py")), ids=lambda p: p.name)
def test_each_python_example_runs(example: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-W", "error", str(example)], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    assert "applied" in ended.stdout


def test_the_example_config_is_valid() -> None:
    from netcup_mailauth.settings.config import load

    config = load(ROOT / "examples" / "netcup-mailauth.toml").config
    assert set(config.domains) == {"example.com", "example.org", "intern.example.com"}
