"""The sandbox shares no code with the client, or the two could be wrong together."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import netcup_mailauth.sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = "netcup_mailauth.sandbox"
FOLDER = Path(netcup_mailauth.sandbox.__file__).parent
ALLOWED = sys.stdlib_module_names | {"dns", "cryptography"}
TO_POINT_IT_HERE = "netcup_mailauth.library.account.Netcup"
"""The one thing of the client that the sandbox knows; it works with nothing of it."""


def imports(text: str, folders: tuple[str, ...]) -> Iterator[str]:
    """Every module that a source imports, anywhere in it, by absolute name."""
    package = [*PACKAGE.split("."), *folders]
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            stem = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*stem, *([node.module] if node.module else [])])
            yield from (f"{module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", sorted(FOLDER.rglob("*.py")), ids=lambda path: path.stem)
def test_only_the_standard_library_dns_cryptography_and_itself(path: Path) -> None:
    folders = path.relative_to(FOLDER).parts[:-1]
    for name in imports(path.read_text(encoding="utf-8"), folders):
        ours = f"{name}.".startswith(f"{PACKAGE}.")
        ours |= (path.name, name) == ("sandbox.py", TO_POINT_IT_HERE)
        assert ours or name.split(".")[0] in ALLOWED, f"{path.name} imports {name}"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("from ... import spf", "netcup_mailauth.spf"),
        ("from ...spf import parse", "netcup_mailauth.spf.parse"),
        ("from .. import faults", "netcup_mailauth.sandbox.faults"),
        ("from .calls import Call", "netcup_mailauth.sandbox.ccp.calls.Call"),
        ("from netcup_mailauth import spf", "netcup_mailauth.spf"),
        ("def f():\n    import netcup_mailauth.spf", "netcup_mailauth.spf"),
    ],
)
def test_the_rule_sees_through_relative_and_hidden_imports(text: str, name: str) -> None:
    assert list(imports(text, ("ccp",))) == [name]


def test_heavy_imports_wait_until_they_are_needed() -> None:
    """Starting without TLS and without asking for a key loads no cryptography."""
    code = (
        "import sys; from netcup_mailauth.sandbox import Sandbox\n"
        "heavy = ('cryptography', 'dns', 'requests', 'pydantic', 'click')\n"
        "with Sandbox(): print([name for name in heavy if name in sys.modules])"
    )
    command = [sys.executable, "-c", code]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
