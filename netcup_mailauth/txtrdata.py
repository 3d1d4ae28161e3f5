"""TXT rdata as zone files write it: quoted, in strings of at most 255 bytes (RFC 1035, 5.1).

The other direction is :func:`netcup_mailauth.records.join_txt`, which takes any form.
"""

from __future__ import annotations

LONGEST_STRING = 255
"""Bytes of one character-string (RFC 1035, 3.3)."""

_ESCAPED = {ord('"'): '\\"', ord("\\"): "\\\\"}


def quoted(text: str) -> str:
    r"""The TXT rdata of ``text``: ``"v=spf1 mx -all"``, and ``"first 255 bytes" "rest"``.

    A character up to U+00FF stands for the byte of its number, as DNS answers are read here; a
    higher one for its bytes in UTF-8. Quotes and backslashes are escaped with a backslash, what
    is not printable ASCII as ``\DDD``.
    """
    data = b"".join(map(_bytes, text))
    strings = [data[at : at + LONGEST_STRING] for at in range(0, len(data), LONGEST_STRING)]
    return " ".join(f'"{"".join(map(_character, string))}"' for string in strings or [b""])


def _bytes(character: str) -> bytes:
    return character.encode("latin-1" if character <= "\xff" else "utf-8", "surrogatepass")


def _character(byte: int) -> str:
    if byte in _ESCAPED:
        return _ESCAPED[byte]
    return chr(byte) if 0x20 <= byte <= 0x7E else f"\\{byte:03}"
