"""The command line called in this process: many times quicker than a process of its own."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from netcup_mailauth import documents, planfile
from netcup_mailauth.cli.entry import main
from netcup_mailauth.sandbox import Sandbox
from tests.pauses import no_pauses
from tests.process.command import Ended

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


class Cli:
    """The command line in a folder of its own, pointed at a sandbox; no terminal, and no pauses.

    Attributes:
        sandbox: where it is pointed.
        folder: where it runs.
        monkeypatch: changes its environment.
    """

    def __init__(
        self,
        sandbox: Sandbox,
        folder: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        self.sandbox, self.folder, self.monkeypatch = sandbox, folder, monkeypatch
        self._capsys = capsys
        self.set(sandbox.env)
        monkeypatch.setenv("COLUMNS", "100")
        monkeypatch.chdir(folder)

    def set(self, variables: Mapping[str, str | None]) -> None:
        """Set these variables; ``None`` takes one away."""
        for name, value in variables.items():
            if value is None:
                self.monkeypatch.delenv(name, raising=False)
            else:
                self.monkeypatch.setenv(name, value)

    def __call__(self, *arguments: str, stdin: str = "") -> Ended:
        given = io.TextIOWrapper(io.BytesIO(stdin.encode()), encoding="utf-8")
        self.monkeypatch.setattr(sys, "stdin", given)
        with no_pauses():
            code = main(list(arguments))
        captured = self._capsys.readouterr()
        return Ended(code, captured.out, captured.err)

    def said(self, *arguments: str) -> tuple[int, str]:
        """Call it; the exit code, and all that it printed in one line."""
        code, out, err = self(*arguments)
        return code, " ".join((out + err).split())

    @property
    def document(self) -> Any:
        """The plan file."""
        return json.loads((self.folder / "plan.json").read_text())

    def forge(self, change: Callable[[dict[str, Any]], object]) -> None:
        """Alter the first zone of the plan file and sign it again."""
        document = self.document
        change(document["zones"][0])
        document["digest"] = planfile.digest(document["zones"])
        (self.folder / "plan.json").write_text(documents.dumps(document))


PointedAt = Callable[[Sandbox], Cli]
"""Points the command line at a sandbox of the test's own."""
