"""The fixtures of the command line: a sandbox with one default zone, and ways to call it."""

from tests.process.conftest import api, cli, pointed_at, sandbox

__all__ = ["api", "cli", "pointed_at", "sandbox"]
