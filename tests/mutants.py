"""Mutants: small faults put into a copy of the package, one at a time; the tests named must fail.

``python -m tests.mutants [--only ID ...] [--jobs N]`` goes through ``tests/mutants.toml`` and ends
with 1 unless every mutant is killed. The files that are checked out are never changed. A mutant is
found by its text, blanks and line breaks counting as equal: in the file it names, else in whatever
file of the package holds it now, so that code that has only moved keeps its mutants.
"""

from __future__ import annotations

import argparse
import os
import queue
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGE = "netcup_mailauth"
MUTANTS = Path(__file__).with_suffix(".toml")
LONGEST = 300.0
"""Seconds for the tests of one mutant; one that hangs them is not called killed."""

OUTCOMES = {0: "survived", 1: "killed"}
"""By what pytest exits with; any other code says that not all of the tests ran."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One fault: ``text`` is replaced by ``mutated``, and one of ``tests`` should fail.

    ``file`` is the path, below the package, of the file that ``text`` stood in when it was seeded.
    """

    id: str
    file: str
    text: str
    mutated: str
    tests: list[str]


def seeded() -> list[Mutant]:
    """The mutants of the data file."""
    return [Mutant(**entry) for entry in tomllib.loads(MUTANTS.read_text())["mutant"]]


def place_of(mutant: Mutant, package: Path) -> tuple[Path, re.Match[str]] | None:
    """The file that holds the text exactly once, and where in it; ``None`` if there is no one."""
    wanted = re.compile(r"\s+".join(map(re.escape, mutant.text.split())))
    named = package / mutant.file
    texts = {path: path.read_text() for path in sorted(package.rglob("*.py"))}
    for paths in ([named] if named in texts else [], list(texts)):
        found = [(path, match) for path in paths for match in wanted.finditer(texts[path])]
        if found:
            return found[0] if len(found) == 1 else None
    return None


def copied(place: Path) -> Path:
    """A copy of all that the tests need; pytest takes the package from where its config is."""
    ignored = shutil.ignore_patterns(".git", ".venv", ".*_cache")
    return Path(shutil.copytree(ROOT, place, ignore=ignored))


def run(place: Path, tests: list[str]) -> tuple[int, str]:
    """The exit code of the tests in a copy, -1 if they did not end, and the last words."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-n0", "-p", "no:cacheprovider"]
    try:
        done = subprocess.run(
            [*command, "--no-header", "--tb=no", *tests],
            cwd=place,
            env={**os.environ, "PYTHONPATH": str(place)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=LONGEST,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return -1, f"no end within {LONGEST:.0f} s"
    lines = done.stdout.splitlines() or [""]
    named = [line for line in lines if line.startswith(("FAILED", "ERROR"))]
    return done.returncode, "\n".join(named or lines[-1:])


def outcome(mutant: Mutant, place: Path) -> tuple[str, str]:
    """What became of a mutant in this copy, which is afterwards as it was; and by what."""
    found = place_of(mutant, place / PACKAGE)
    if found is None:
        return "not found", "its text is nowhere, or in several places"
    path, match = found
    before = path.read_text()
    path.write_text(before[: match.start()] + mutant.mutated + before[match.end() :])
    try:
        code, words = run(place, mutant.tests)
    finally:
        path.write_text(before)
    moved = "" if path == place / PACKAGE / mutant.file else f" (now in {path.relative_to(place)})"
    return OUTCOMES.get(code, "not tried"), words + moved


def main() -> int:
    """Try the mutants, print a line for each and the figures; 1 unless all are killed."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants")
    parser.add_argument("--only", nargs="+", metavar="ID", help="only these")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    given = parser.parse_args()
    mutants = [m for m in seeded() if not given.only or m.id in given.only]
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(given.jobs) as pool:
        places: queue.SimpleQueue[Path] = queue.SimpleQueue()
        for number in range(given.jobs):
            places.put(copied(Path(folder, str(number))))

        def tried(mutant: Mutant) -> str:
            place = places.get()
            try:
                what, words = outcome(mutant, place)
            finally:
                places.put(place)
            print(f"{what:<10} {mutant.id:<24} {words}", flush=True)  # noqa: T201
            return what

        # A test that fails anyway kills nothing, nor does one that is not there.
        code, words = run(Path(folder, "0"), sorted({test for m in mutants for test in m.tests}))
        if code != 0:
            print(f"Without a mutant the tests do not pass: {words}")  # noqa: T201
            return 1
        counts = Counter(pool.map(tried, mutants))
    print(", ".join(f"{count} {what}" for what, count in sorted(counts.items())))  # noqa: T201
    return 0 if set(counts) == {"killed"} else 1


if __name__ == "__main__":
    sys.exit(main())
