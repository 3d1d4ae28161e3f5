"""The command line: parse, call an action, render, exit. Only this package knows click.

Not part of the library's interface. Modules here import nothing heavy at their top, so that
``--help`` and mistakes in the command line are answered at once.
"""

from __future__ import annotations

import sys

try:
    from netcup_mailauth.cli.entry import main
except KeyboardInterrupt:  # nothing is begun yet, and a traceback says nothing to anybody
    print("\nInterrupted.", file=sys.stderr)  # noqa: T201 - what else prints is not loaded
    sys.exit(130)

__all__ = ["main"]
