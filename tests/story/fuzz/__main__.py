"""The long run: ``python -m tests.story.fuzz --seconds 600``.

One example again: ``python -m tests.story.fuzz config 4711``.
"""

from __future__ import annotations

import argparse
import sys
import time

from tests.story.fuzz.running import Tally, fuzz
from tests.story.fuzz.targets import TARGETS

ROUND = 5.0
"""Seconds that a target gets before the next one's turn."""


def main() -> int:
    """Fuzz all targets in turn, print the figures and every find; 1 if there is one."""
    parser = argparse.ArgumentParser(prog="python -m tests.story.fuzz")
    parser.add_argument("target", nargs="?", choices=list(TARGETS), help="only this one")
    parser.add_argument("number", nargs="?", type=int, help="only this example")
    parser.add_argument("--seconds", type=float, default=600.0, help="how long in all")
    parser.add_argument("--start", type=int, default=1_000_000, help="number of the first example")
    given = parser.parse_args()
    if given.number is not None:
        found = fuzz(given.target, ROUND, given.number, most=1).found
        _print_found(given.target, found)
        return bool(found)
    return _long(given.seconds, given.start, [given.target] if given.target else list(TARGETS))


def _long(seconds: float, start: int, targets: list[str]) -> int:
    totals = {target: Tally() for target in targets}
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for target in targets:
            total = totals[target]
            tally = fuzz(target, min(ROUND, until - time.monotonic()), start + total.count)
            _print_found(target, tally.found)
            total.add(tally)
    for target, total in totals.items():
        codes = ", ".join(f"{code}: {count}" for code, count in sorted(total.codes.items()))
        print(  # noqa: T201
            f"{target:<15} {total.count:>7} examples  slowest {total.slowest:.2f} s  "
            f"{len(total.found)} found  exit codes {codes}"
        )
    return any(total.found for total in totals.values())


def _print_found(target: str, found: dict[int, list[str]]) -> None:
    for number, problems in found.items():
        print(f"{target} {number}:", *problems, sep="\n    ", flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
