"""What is published: the wheel and the sdist hold what they must, and are the same each time."""

from __future__ import annotations

import ast
import io
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from dataclasses import dataclass
from importlib.metadata import packages_distributions, requires
from pathlib import Path
from typing import Any

import pytest

from netcup_mailauth.version import __version__

ROOT = Path(__file__).parents[3]
PACKAGE = ROOT / "netcup_mailauth"
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LEFT_BEHIND = ("__pycache__", ".pytest_cache", ".hypothesis")


@dataclass(frozen=True)
class Built:
    """A wheel and an sdist, as bytes."""

    wheel: bytes
    sdist: bytes

    @property
    def installed(self) -> set[str]:
        """The files in the wheel."""
        return set(zipfile.ZipFile(io.BytesIO(self.wheel)).namelist())

    @property
    def source(self) -> set[str]:
        """The files in the sdist, below its own folder."""
        with tarfile.open(fileobj=io.BytesIO(self.sdist)) as archive:
            return {name.partition("/")[2] for name in archive.getnames()}


def build(tree: Path, folder: Path) -> Built:
    words = [sys.executable, "-m", "hatchling", "build", "-d", str(folder)]
    subprocess.run(words, cwd=tree, check=True, capture_output=True)
    (wheel,), (sdist,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    return Built(wheel.read_bytes(), sdist.read_bytes())


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    return build(ROOT, tmp_path_factory.mktemp("dist"))


def here(folder: Path) -> set[str]:
    """The files below a folder of the tree, without what programs leave there."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {
        path.relative_to(ROOT).as_posix()
        for path in files
        if not any(part in LEFT_BEHIND for part in path.parts)
    }


def test_the_sdist_alone_makes_the_same_bytes_anew(built: Built, tmp_path: Path) -> None:
    """In another folder, at another time, with other rights: nothing of a machine is in them."""
    with tarfile.open(fileobj=io.BytesIO(built.sdist)) as archive:
        archive.extractall(tmp_path, filter="data")
    (tree,) = tmp_path.iterdir()
    for number, path in enumerate(sorted(tree.rglob("*"))):
        path.chmod(path.stat().st_mode & 0o700)
        if number % 7 == 0:
            path.touch()
    assert build(tree, tmp_path / "dist") == built


def test_the_wheel_holds_the_package_and_what_it_reads(built: Built) -> None:
    page = "netcup_mailauth/guide/netcup-mailauth.1"
    assert {name for name in built.installed if ".d" not in name} == here(PACKAGE) - {page}
    for name in ("py.typed", "plan.schema.json", "guide/README.md", "guide/findings.md"):
        assert f"netcup_mailauth/{name}" in built.installed


def test_the_wheel_brings_the_man_page_to_where_man_looks(built: Built) -> None:
    data = f"netcup_mailauth-{__version__}.data/data"
    assert f"{data}/share/man/man1/netcup-mailauth.1" in built.installed


def test_the_sdist_holds_its_tests_and_all_they_read(built: Built) -> None:
    for folder in ("netcup_mailauth", "tests", "examples", ".ci", ".github"):
        assert here(ROOT / folder) <= built.source
    assert {"pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE"} <= built.source


def test_each_dependency_has_a_floor_and_no_ceiling() -> None:
    """``.ci/lowest`` makes the lowest versions of them by one replacement."""
    for named in PROJECT["dependencies"]:
        name, floor = named.split(">=")
        assert name.isidentifier()
        assert floor.replace(".", "").isdecimal()


def test_the_lowest_versions_are_tried_by_all_that_their_tests_import() -> None:
    said = (ROOT / ".ci/lowest").read_text()
    folders = [ROOT / "tests" / name for name in re.findall(r"tests/(\w+)", said)]
    assert len(folders) == 3
    known = packages_distributions()
    named = {plain(names[0]) for names in known.values()} & set(re.findall(r"[a-z-]+", said))
    there = brought(named | {floor.partition(">")[0] for floor in PROJECT["dependencies"]})
    missing = {
        f"{module} in {path.name}"
        for folder in folders
        for path in (*folder.rglob("*.py"), *(ROOT / "tests").glob("*.py"))
        for module in imported(path)
        if not there & set(map(plain, known.get(module, [module])))
    }
    assert missing == set()


def brought(names: set[str]) -> set[str]:
    """These distributions, and those that they need."""
    found: set[str] = set()
    left = set(names)
    known = {plain(name) for named in packages_distributions().values() for name in named}
    while left:
        name = left.pop()
        found.add(name)
        lines = (line for line in requires(name) or () if "extra ==" not in line)
        needed = {plain(re.split(r"[^\w.-]", line)[0]) for line in lines}
        left |= {other for other in needed if other in known} - found
    return found


def plain(name: str) -> str:
    """A distribution's name as it is compared."""
    return re.sub(r"[-_.]+", "-", name).lower()


def imported(path: Path) -> set[str]:
    """The modules of others that a file imports, by their first name."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    first = {name.partition(".")[0] for name in names}
    return first - sys.stdlib_module_names - {"netcup_mailauth", "tests"}
