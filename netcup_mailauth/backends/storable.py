"""Which TXT texts each API is known, or not sure, to keep as they were sent."""

from __future__ import annotations

from netcup_mailauth.records import CCP, CLOUDDNS

UNSTORABLE = {
    # Confidence: H for the first two, M for the third (fact 1.7).
    CCP: {
        '"': "netcup refuses a double quote in a TXT record",
        "\\": "netcup drops a backslash from a TXT record",
        "'": "netcup alters a single quote in a TXT record",
    },
    # These need an escape in rdata. That netcup takes those of zone files is a guess
    # (confidence: ?, fact 2.5), and no mail record needs one.
    CLOUDDNS: {
        '"': "whether netcup's REST API keeps a double quote in a TXT record is unknown",
        "\\": "whether netcup's REST API keeps a backslash in a TXT record is unknown",
    },
}
"""For each API the characters that do not survive there, with the reason."""


def reason_not_to_store(text: str, api: str) -> str | None:
    """Why a TXT text should not be sent to the API of this name, or ``None``."""
    if not text:
        return "netcup refuses an empty TXT record"
    for character in text:
        reason = UNSTORABLE.get(api, {}).get(character)
        if reason is not None:
            return reason
        if not " " <= character <= "~":
            return f"whether netcup keeps the character {character!r} is unknown"
    return None
