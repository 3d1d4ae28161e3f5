"""The command line: parse, call an action, render, exit. Only this package knows click.

Not part of the library's interface. Modules here import nothing heavy at their top, so that
``--help`` and mistakes in the command line are answered at once.
"""

from __future__ import annotations

from netcup_mailauth.cli.entry import main

__all__ = ["main"]
