"""Who may import whom: the core no edge, nobody in a circle, and each edge its own library.

Imports for type checkers and those inside functions count like any other.
"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import netcup_mailauth

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(netcup_mailauth.__file__).parent
PACKAGE = ROOT.name

CORE = {
    *("clock", "desired", "dkim", "dmarc", "documents", "errors", "findings", "judge", "kind"),
    *("kinds", "lookup", "others", "plan", "planfile", "policy", "proposal", "propagation"),
    *("records", "remedy", "render", "shapes", "shown", "spf", "taglist", "version"),
}
EDGES = {"actions", "cli", "dnsio", "files", "keys", "library", "netcup", "rotation", "sandbox"}
EDGES |= {"settings", "state"}

LIBRARIES = {
    "click": {"cli"},
    "requests": {"netcup"},
    "urllib3": {"netcup"},
    "dns": {"dnsio", "keys", "sandbox"},  # keys: the form of zone files
    "filelock": {"state"},
}
"""Who may import a library that stands for a world of its own."""

TESTS_OF_MORE = {
    # What is found is said of a whole plan or check, of keys as a signer holds them.
    "golden/judging.py": {"actions", "dnsio", "keys"},
    # Advice is followed as it is typed.
    "judge/cases.py": {"cli", "keys", "settings"},
}
"""Which edges the tests of the core use all the same, and why."""


@cache
def modules() -> dict[str, ast.Module]:
    """Every module of the package by its name."""
    found = {}
    for path in ROOT.rglob("*.py"):
        name = ".".join(path.relative_to(ROOT.parent).with_suffix("").parts)
        found[name.removesuffix(".__init__")] = ast.parse(path.read_text())
    return found


@cache
def imports(module: str) -> frozenset[str]:
    """The modules that one imports, wherever in it; of other packages only their name."""
    found = set()
    for name in imported(modules()[module]):
        if name.partition(".")[0] != PACKAGE:
            found.add(name.partition(".")[0])
        else:
            found.add(name if name in modules() else name.rpartition(".")[0])
    return frozenset(found - {module})


def imported(tree: ast.Module) -> Iterator[str]:
    """What is imported by its full name, be it a module or something in one."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def room(module: str) -> str:
    """The file or folder of the package that a module is in; empty for the package itself."""
    return module.partition(".")[2].partition(".")[0]


def test_each_part_is_known_as_core_or_edge() -> None:
    assert {room(module) for module in modules()} - {"", "__main__"} == CORE | EDGES


def test_the_core_imports_no_edge() -> None:
    wrong = [
        f"{module} imports {other}"
        for module in modules()
        if room(module) in CORE
        for other in imports(module)
        if room(other) in EDGES or other == PACKAGE
    ]
    assert wrong == []


def test_no_modules_import_each_other_in_a_circle() -> None:
    left = {module: imports(module) & modules().keys() for module in modules()}
    while free := [module for module, others in left.items() if not others & left.keys()]:
        for module in free:
            del left[module]
    while ends := [m for m in left if not any(m in others for others in left.values())]:
        for module in ends:
            del left[module]
    assert sorted(left) == []


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_world_is_known_to_one_edge_alone(library: str) -> None:
    wrong = [
        module
        for module in modules()
        if library in imports(module) and room(module) not in LIBRARIES[library]
    ]
    assert wrong == []


def test_the_client_knows_the_sandbox_only_where_it_is_started() -> None:
    known = {m for m in modules() for other in imports(m) if room(other) == "sandbox"}
    assert {m for m in known if room(m) != "sandbox"} <= {
        "netcup_mailauth",
        "netcup_mailauth.cli.demo",
        "netcup_mailauth.cli.sandbox",
    }


def test_the_tests_of_the_core_use_no_edge_but_those_named() -> None:
    here = Path(__file__).parent
    used = {}
    for path in here.rglob("*.py"):
        names = imported(ast.parse(path.read_text(encoding="utf-8")))
        if edges := {room(name) for name in names if name.startswith(f"{PACKAGE}.")} & EDGES:
            used[path.relative_to(here).as_posix()] = edges
    assert used == TESTS_OF_MORE
