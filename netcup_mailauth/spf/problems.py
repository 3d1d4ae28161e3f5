"""What is wrong with an SPF text, said by name."""

from __future__ import annotations

from netcup_mailauth.errors import RecordError

_LONGEST_SHOWN = 120


def shown(text: str) -> str:
    """``text`` fit to print: control characters escaped, and cut where it is very long."""
    plain = "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)
    return plain if len(plain) <= _LONGEST_SHOWN else f"{plain[:_LONGEST_SHOWN]}…"


class SpfSyntaxError(RecordError):
    """The text is no SPF record (RFC 7208, 4.5, 4.6 and 12); receivers say ``permerror``.

    Args:
        term: the offending part, as written.
        complaint: what it is, fit to follow ``SPF: "<term>"``.
        advice: one sentence of what to write instead.
    """

    def __init__(self, term: str, complaint: str, advice: str) -> None:
        super().__init__(f'SPF: "{shown(term)}" {complaint}', advice)
        self.term = term


class SpfEditError(RecordError):
    """The edit asked for would break the record, or would have no effect."""
