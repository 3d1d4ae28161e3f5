"""How many examples hypothesis draws where it costs little and there is much to meet."""

from __future__ import annotations

import os

from hypothesis import settings

THOROUGH = "NETCUP_MAILAUTH_THOROUGH" in os.environ
"""Set before a release, and whenever one of the parsers has changed: ten times as many."""

MANY = settings(max_examples=5000 if THOROUGH else 500)
SOME = settings(max_examples=1000 if THOROUGH else 100)
