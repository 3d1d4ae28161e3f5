"""What the program has to say about a zone or a change, and how serious it is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How a finding weighs.

    ``refused`` cannot be allowed, because no user can want it; ``danger`` stops ``apply`` unless
    it is allowed; ``warning`` is shown; ``note`` is shown where nothing is about to be written.
    """

    REFUSED = "refused"
    DANGER = "danger"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding. ``code`` is part of the contract; ``message`` holds the actual value."""

    code: str
    severity: Severity
    message: str
    advice: str = ""
