"""The kinds of records this program manages, for all that speaks of one."""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """The kinds of records this program manages."""

    SPF = "spf"
    DKIM = "dkim"
    DMARC = "dmarc"
    DMARC_REPORT = "dmarc-report"
