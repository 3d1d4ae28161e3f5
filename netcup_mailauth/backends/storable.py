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


LONGEST = {
    # Confidence: M that 800 are kept, L beyond. 766 were tried by others (fact 1.7), and an RSA
    # key of 4096 bits, the longest that receivers have to take (RFC 8301, 3.2), makes 800.
    CCP: 1024,
    # Confidence: ?. More does not fit in the answers that name servers usually send by UDP.
    CLOUDDNS: 4096,
}
"""For each API the octets of the longest TXT text that is sent to it; what is cut off there would
be another record."""


def reason_not_to_store(text: str, api: str) -> str | None:
    """Why a TXT text should not be sent to the API of this name, or ``None``."""
    if not text:
        return "netcup refuses an empty TXT record"
    longest = LONGEST.get(api, max(LONGEST.values()))
    if len(text) > longest:
        return f"it has more than {longest} characters, and netcup is not known to keep so many"
    for character in text:
        reason = UNSTORABLE.get(api, {}).get(character)
        if reason is not None:
            return reason
        if not " " <= character <= "~":
            return f"whether netcup keeps the character {character!r} is unknown"
    return None
