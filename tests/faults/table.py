"""Prints the fault matrix: ``python -m tests.faults.table``. The same cells are held by tests."""

from __future__ import annotations

from netcup_mailauth.sandbox import Quirks, Sandbox
from tests.faults.test_matrix import CELLS, WANTED, foreign, managed, run

DOMAINS = ["a.de", "b.de", "c.de"]


def main() -> None:
    """One line for each call and fault: the exit code, and how the zones are after a clean run."""
    for action, mode, expected in CELLS:
        for count in (1, 3):
            domains = DOMAINS[:count]
            with Sandbox(domains, quirks=Quirks(lockout_after=None), rate=None) as sandbox:
                others = {domain: foreign(sandbox, domain) for domain in domains}
                sandbox.fault(action, mode, delay=_delay(mode))
                code = run(sandbox, domains)
                clean = run(sandbox, domains)
                right = all(
                    managed(sandbox, domain) == {name: [text] for name, text in WANTED.items()}
                    and foreign(sandbox, domain) == others[domain]
                    for domain in domains
                )
            verdict = "right" if right and clean == 0 and code is expected else "WRONG"
            print(f"{action:<17} {mode:<16} {count} domain(s)  exit {int(code):>2}  then {verdict}")  # noqa: T201


def _delay(mode: str) -> float | None:
    return {"slow": 0.05, "apply-late": 0.1}.get(mode)


if __name__ == "__main__":
    main()
