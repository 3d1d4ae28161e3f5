"""Prints the fault matrix: ``python -m tests.story.faults.table``.

The same cells are held by tests.
"""

from __future__ import annotations

from netcup_mailauth.netcup import http
from netcup_mailauth.sandbox import Quirks
from tests.story.faults.cells import CELLS, DELAYS
from tests.story.faults.test_matrix import WANTED, managed, mistakes, run, secrets_of

DOMAINS = ["a.de", "b.de", "c.de"]


def main() -> None:
    """One line for each call and fault: exit code, how it is told, the zones after a clean run."""
    http.LONGEST = 3.0  # seconds; the answers that drip would take a minute each
    for api, action, mode, told in CELLS:
        for count in (1, 3):
            domains = DOMAINS[:count]
            quirks = Quirks(lockout_after=None)
            with api.netcup(domains, quirks=quirks, rate=None) as sandbox:
                others = {domain: api.others(sandbox, domain) for domain in domains}
                sandbox.fault(action, mode, delay=DELAYS.get(mode))
                first = run(api, sandbox, domains)
                wrong = mistakes(first, told, secrets_of(api, sandbox))
                clean = run(api, sandbox, domains).exit_code
                right = all(
                    managed(sandbox, domain) == {name: [text] for name, text in WANTED.items()}
                    and api.others(sandbox, domain) == others[domain]
                    for domain in domains
                )
            verdict = "right" if right and clean == 0 and not wrong else f"WRONG {wrong}"
            failure = first.results[0].failure
            said = failure.message if failure else " ".join(first.results[0].notes) or "-"
            code = int(first.exit_code)
            fault = f"{api.name:<8} {action:<17} {mode:<21} {count} domain(s)"
            print(f"{fault}  exit {code:>2}  then {verdict}  {said}")  # noqa: T201


if __name__ == "__main__":
    main()
