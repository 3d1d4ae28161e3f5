"""The rdata of a TXT record: quoted strings as in a zone file, unlike at the CCP (R12, R15)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from netcup_mailauth.sandbox.rest.answers import LONG_STRING, UNQUOTED, RefusedError, invalid

if TYPE_CHECKING:
    from netcup_mailauth.sandbox.quirks import Quirks

_LONGEST_STRING = 255
_STRING = r'"(?:[^"\\]|\\.)*"'
_STRINGS = re.compile(rf"{_STRING}(?:\s+{_STRING})*", re.DOTALL)
_ESCAPE = re.compile(rb"\\(?:([0-9]{3})|(.))", re.DOTALL)
_NO_TEXT = "TXT rdata is no text in UTF-8."
_PRINTABLE = range(0x20, 0x7F)


def shown(text: str, form: str) -> str:
    """A text as the API shows it.

    Args:
        text: the joined text.
        form: `split` into strings of 255 bytes, as `one-string`, or `unquoted`.
    """
    data = text.encode(errors="replace")  # half a character may have come by the CCP
    if form == "unquoted":
        return text
    size = _LONGEST_STRING if form == "split" else len(data) or 1
    starts = range(0, len(data) or 1, size)
    return " ".join(f'"{_escaped(data[start : start + size])}"' for start in starts)


def read(rdata: str) -> list[bytes]:
    """The strings of a TXT, without quotes and escapes.

    Raises:
        RefusedError: a string is not enclosed in quotation marks, or an escape is none.
    """
    if _STRINGS.fullmatch(rdata) is None:
        raise RefusedError(invalid(UNQUOTED))
    strings = re.findall(_STRING, rdata, re.DOTALL)
    return [_ESCAPE.sub(_unescaped, _bytes(string[1:-1])) for string in strings]


def joined(rdata: str, quirks: Quirks) -> str:
    """The text to be stored.

    Raises:
        RefusedError: it cannot be read, or a string is too long (R15).
    """
    strings = read(rdata)
    too_long = any(len(string) > _LONGEST_STRING for string in strings)
    if too_long and quirks.rest_long_string == "refuse":
        raise RefusedError(invalid(LONG_STRING))
    try:
        return b"".join(strings).decode()
    except UnicodeDecodeError:
        raise RefusedError(invalid(_NO_TEXT)) from None


def _bytes(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise RefusedError(invalid(_NO_TEXT)) from None


def _escaped(data: bytes) -> str:
    return "".join(map(_character, data))


def _character(byte: int) -> str:
    if byte in b'"\\':
        return f"\\{chr(byte)}"
    return chr(byte) if byte in _PRINTABLE else f"\\{byte:03d}"


def _unescaped(match: re.Match[bytes]) -> bytes:
    digits, character = match.groups()
    if digits is None and not character.isdigit():
        return bytes(character)
    if digits is None or int(digits) > 255:
        raise RefusedError(invalid("TXT rdata holds an escape that is none."))
    return bytes([int(digits)])
