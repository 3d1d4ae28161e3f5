"""What the examples for forges are tried with: a runner's shell, a repository, schemas."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jsonschema.validators import validator_for

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.world.examples.machine import Ended, Machine

SHELLCHECK = Path(sys.executable).with_name("shellcheck")

CONFIG = """
[mailcow]
url = "{mailcow}"

[defaults]
dkim  = {{ source = "mailcow" }}
spf   = {{ require = ["mx"] }}
dmarc = {{ policy = "{policy}" }}

[domains."example.com"]
[domains."example.org"]
"""


def faults(document: dict[str, Any], schema: str) -> list[str]:
    """What a schema that check-jsonschema brings along has to say about a document."""
    folder = resources.files("check_jsonschema.builtin_schemas.vendor")
    rules = json.loads(folder.joinpath(f"{schema}.json").read_text(encoding="utf-8"))
    return [error.message for error in validator_for(rules)(rules).iter_errors(document)]


@dataclass(frozen=True)
class Runner:
    """A forge's runner: the command and ``pip`` are there, and what a test adds."""

    machine: Machine

    def __post_init__(self) -> None:
        self.machine.install()
        (self.machine.root / "home").mkdir()
        self.fake("pip", 'echo "pip $*" >> "$HOME/called"')

    def fake(self, name: str, script: str) -> None:
        """Put a program on the runner that does ``script``, to stand in for one that goes out."""
        file = self.machine.write(f"/opt/fake/{name}", f"#!/bin/bash\nset -e\n{script}\n")
        file.chmod(0o700)

    @property
    def called(self) -> list[str]:
        """The calls of programs that are not really there."""
        file = self.machine.root / "home" / "called"
        return file.read_text(encoding="utf-8").splitlines() if file.exists() else []

    def checkout(self, name: str, policy: str) -> Path:
        """A fresh copy of the repository, whose config wants this DMARC policy."""
        folder = self.machine.root / name
        folder.mkdir(parents=True)
        config = CONFIG.format(mailcow=self.machine.sandbox.mailcow_url, policy=policy)
        (folder / "netcup-mailauth.toml").write_text(config, encoding="utf-8")
        return folder

    def run(self, script: str, folder: Path, environment: Mapping[str, str]) -> Ended:
        """Run a script as both runners do, its environment what the job says."""
        paths = ["/opt/fake", "/opt/netcup-mailauth/bin"]
        path = ":".join([*map(self.machine.placed, paths), "/usr/bin", "/bin"])
        # Which mailcow is meant stands in the repository's config only.
        given = {"PATH": path, "MAILCOW_URL": "", **environment}
        bash = ["/bin/bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", script]
        return self.machine.shell(bash, given, folder)


def complaints(script: str) -> str:
    """What shellcheck says about a script; nothing, if all is well."""
    words = [str(SHELLCHECK), "--norc", "--shell=bash", "-"]
    ended = subprocess.run(words, input=script, capture_output=True, text=True, check=False)
    return ended.stdout + ended.stderr
