"""How much is drawn and tried: by a contributor, by CI, and before a release.

A contributor's run is to end while one waits for it, so it draws a part of what CI draws: a mistake
that only CI meets is met before it is merged. Chosen by ``HYPOTHESIS_PROFILE``, else by what is
asked for already.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

THOROUGH = "NETCUP_MAILAUTH_THOROUGH" in os.environ
"""Set before a release, and whenever one of the parsers has changed: ten times as many."""

NO_SKIPS = "REQUIRE_E2E" in os.environ
"""Whether a skipped test fails the run: set where everything the tests need is installed."""

NOT_HERE = "cannot be had here: "
"""How the reason begins for which a test is skipped by name, even in CI: no package mends it."""

USUAL = "thorough" if THOROUGH else "ci" if NO_SKIPS else "contributor"
PROFILE = os.environ.get("HYPOTHESIS_PROFILE", USUAL)

_OF_FIVE = {"contributor": 1, "ci": 5, "thorough": 50}[PROFILE]


def tries(in_ci: int) -> int:
    """How many of the examples that CI draws are drawn now."""
    return max(in_ci * _OF_FIVE // 5, 1)


MANY = settings(
    max_examples=tries(500), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
"""Where an example costs little and there is much to meet."""

SOME = settings(MANY, max_examples=tries(100))
"""What hypothesis draws by itself."""
