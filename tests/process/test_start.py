"""What a command loads before it does anything: most of the time that a short run takes."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from netcup_mailauth.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DOMAIN = "example.de"

SHOWN = """
import sys
from netcup_mailauth.cli import main
code = main(sys.argv[1:])
print(*(name for name in sys.modules), file=sys.stderr)
sys.exit(code)
"""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox([DOMAIN], rate=None) as sandbox:
        yield sandbox


def loaded(sandbox: Sandbox, home: Path, *words: str) -> set[str]:
    """The modules that are loaded at the end of a run, which finds those in its home, too."""
    known = {name: value for name, value in sandbox.env.items() if value is not None}
    run = subprocess.run(
        [sys.executable, "-c", SHOWN, *words],
        env={**known, "HOME": str(home), "PYTHONPATH": str(home), "PATH": os.environ["PATH"]},
        cwd=home,
        capture_output=True,
        text=True,
        check=True,
    )
    return set(run.stderr.splitlines()[-1].split())


def ours(*names: str) -> set[str]:
    return {f"netcup_mailauth.{name}" for name in names}


PLAN_FILES = ours("documents", "planfile", "render.markdown", "render.metrics", "netcup.zonefile")
OTHERS = ours("netcup.clouddns", "keys.mailcow", "keys.forms", "rotation.state", "sandbox")


@pytest.mark.parametrize(
    "words", [("--help",), ("plan", "--help"), ("setup", "--help")], ids=" ".join
)
def test_a_help_is_there_at_once(sandbox: Sandbox, tmp_path: Path, words: tuple[str, ...]) -> None:
    found = loaded(sandbox, tmp_path, *words)
    heavy = {"requests", "pydantic", "dns", "cryptography", "dataclasses", "pathlib", "tomllib"}
    assert found & (heavy | ours("records", "netcup.api", "cli.slips", "cli.run", "judge")) == set()


def test_a_zone_is_listed_without_what_plans_are_made_with(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    found = loaded(sandbox, tmp_path, "records", DOMAIN)
    core = ours("judge", "plan", "policy", "kinds", "spf", "dmarc", "dkim", "actions.session")
    kept = ours("state.journal", "settings.config")
    assert found & (core | kept | PLAN_FILES | OTHERS | {"dns", "cryptography"}) == set()


def test_a_plan_is_shown_without_what_it_could_be_written_with(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    found = loaded(sandbox, tmp_path, "plan", DOMAIN, "--spf-require", "mx")
    rare = ours("settings.config", "settings.mistakes", "cli.metrics", "rotation.begin")
    assert found & (PLAN_FILES | OTHERS | rare | {"cryptography", "tomllib", "difflib"}) == set()


def test_no_plugin_of_anybodys_is_shown_what_is_checked(sandbox: Sandbox, tmp_path: Path) -> None:
    """pydantic would hand it every answer of the API, and the session in it."""
    folder = tmp_path / "curious-1.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: curious\nVersion: 1\n")
    (folder / "entry_points.txt").write_text("[pydantic]\ncurious = curious:plugin\n")
    (tmp_path / "curious.py").write_text("plugin = None\n")
    assert "curious" not in loaded(sandbox, tmp_path, "records", DOMAIN)


INTERRUPTED = """
import sys

class Interrupted:
    def find_spec(self, name, path=None, target=None):
        if name == "click":
            raise KeyboardInterrupt

sys.meta_path.insert(0, Interrupted())
from netcup_mailauth.cli import main
sys.exit(main(sys.argv[1:]))
"""


def test_ctrl_c_while_it_is_still_being_loaded_shows_no_traceback() -> None:
    run = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, "records", DOMAIN],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stdout, run.stderr) == (130, "", "\nInterrupted.\n")
