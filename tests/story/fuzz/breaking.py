"""Breaks documents: whole ones with one thing wrong in them, damaged bytes, and plain noise."""

from __future__ import annotations

import copy
import json
import re
from typing import TYPE_CHECKING, Any

from tests.story.fuzz.answers import dumped

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from random import Random

DEEP: Any = []
for _ in range(500):
    DEEP = [DEEP]

TEXTS = (
    "",
    " ",
    "@",
    "*",
    ".",
    "a..b",
    "example.com.",
    "-.example.com",
    "xn--a.de",
    "\u00e4.example",
    "www.example.com",
    "x" * 64,
    "a." * 130,
    "y" * 70_000,
    "0",
    "-1",
    "9" * 5000,
    "TXT",
    "MX",
    "delete",
    "clouddns",
    "mailcow",
    "-",
    "file:/dev/zero",
    "file:/proc/self/environ",
    "../../../../etc/passwd",
    "https://user:word@example.com/",
    "http://mail.example.com",
    "javascript:alert(1)",
    "mailto:a@example.org",
    "\x00",
    "\x1b[2J\x1b]0;x\x07",
    "\u202e\u200b\u2028",
    "\ud800",
    "\r\n::error::x\n/approve\n@all",
    "````\n<img src=x>",
    "%s %(x)s {0} {x} $(id) `id`",
    "v=spf1",
    "v=spf1 mx a -all",
    "v=spf1 " + "include:a.example " * 60,
    "v=spf1 ip4:999.1.1.1/99 ip6:::::1 -all -all",
    "v=spf1 exists:%{ir}.%{v}._spf.%{d2r-._} redirect=%{x}",
    "v=spf1 a:" + "x." * 200,
    "v=DKIM1;p=",
    "v=DKIM1;k=rsa;p=AAAA",
    "v=DKIM1;k=ed25519;p=" + "A" * 43 + "=",
    "v=DMARC1",
    "v=DMARC1;p=reject;rua=mailto:x@y,,mailto:" + "z" * 5000 + "!10m",
    "v=DMARC1;p=none;p=reject;sp=\u00e4;pct=1e9",
    "sha256:" + "0" * 64,
)
"""Texts that mean something to one part or another, and should not here."""

VALUES: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    -1,
    1.5,
    2**31,
    2**64,
    10**400,
    float("inf"),
    [],
    {},
    [None],
    {"": 0},
    [{"id": "1"}] * 3,
    DEEP,
    *TEXTS,
)
"""JSON values, of every type and many sizes."""

PIECES = (
    b"",
    b"\x00",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"\xc3\x28",
    b"[" * 3000,
    b'{"a":' * 3000,
    b'"',
    b"\\",
    b"\n",
    b"\r\n",
    b"'''",
    b"1e999",
    b"NaN",
    b"\\ud800",
    b"-----BEGIN RSA PRIVATE KEY-----\n",
    b"-----END PRIVATE KEY-----\n",
    b"9" * 5000,
    b"1979-05-27T07:32:00Z",
    b"A" * 100_000,
)
"""Bytes to put where they do not belong."""

_TOKEN = re.compile(rb'"(?:[^"\\\n]|\\.)*"|[A-Za-z0-9_+/=.-]+|[^\sA-Za-z0-9]')


def noise(dice: Random) -> bytes:
    """Bytes without any meaning."""
    return dice.randbytes(dice.choice((0, 1, 7, 100, 5000)))


def broken_bytes(data: bytes, dice: Random) -> bytes:
    """``data`` with one to three damages that know nothing of its form."""
    for _ in range(dice.choice((1, 1, 2, 3))):
        data = dice.choice(_DAMAGES)(data, dice)
    return data


def _flipped(data: bytes, dice: Random) -> bytes:
    if not data:
        return data
    at = dice.randrange(len(data))
    return data[:at] + bytes([data[at] ^ 1 << dice.randrange(8)]) + data[at + 1 :]


def _cut(data: bytes, dice: Random) -> bytes:
    return data[: dice.randint(0, len(data))]


def _without_a_part(data: bytes, dice: Random) -> bytes:
    begin, end = sorted(dice.randint(0, len(data)) for _ in range(2))
    return data[:begin] + data[end:]


def _with_a_part_twice(data: bytes, dice: Random) -> bytes:
    begin, end = sorted(dice.randint(0, len(data)) for _ in range(2))
    return data[:end] + data[begin:]


def _with_a_piece(data: bytes, dice: Random) -> bytes:
    at = dice.randint(0, len(data))
    return data[:at] + dice.choice(PIECES) + data[at:]


def _with_other_lines(data: bytes, dice: Random) -> bytes:
    lines = data.splitlines(keepends=True)
    if not lines:
        return data
    line = lines.pop(dice.randrange(len(lines)))
    for _ in range(dice.choice((0, 1, 2))):
        lines.insert(dice.randint(0, len(lines)), line)
    return b"".join(lines)


def _with_another_word(data: bytes, dice: Random) -> bytes:
    """A word, number or string replaced by another one of the text, or by one of ours."""
    tokens = list(_TOKEN.finditer(data))
    if not tokens:
        return data
    old = dice.choice(tokens)
    text = dice.choice(TEXTS).encode("utf-8", "surrogatepass")
    quoted = json.dumps(dice.choice(TEXTS)).encode()
    new = dice.choice((dice.choice(tokens).group(), text, quoted))
    return data[: old.start()] + new + data[old.end() :]


_DAMAGES: Sequence[Callable[[bytes, Random], bytes]] = (
    _flipped,
    _cut,
    _without_a_part,
    _with_a_part_twice,
    _with_a_piece,
    _with_other_lines,
    _with_another_word,
    _with_another_word,
    _with_another_word,
)


def broken_json(document: Any, dice: Random) -> Any:
    """A copy of a JSON value with one or two things wrong somewhere in it."""
    document = copy.deepcopy(document)
    for _ in range(dice.choice((1, 1, 1, 2))):
        spots = list(_spots(document))
        if not spots:
            return dice.choice(VALUES)
        container, key = dice.choice(spots)
        _break(container, key, dice)
    return document


def _spots(value: Any) -> list[tuple[Any, Any]]:
    """Every place in a JSON value: its container, and its key or index there."""
    found: list[tuple[Any, Any]] = []
    queue = [value]
    while queue:
        item = queue.pop()
        keys = list(item) if isinstance(item, dict) else range(len(item))
        for key in keys:
            found.append((item, key))
            if isinstance(item[key], dict | list) and item[key] is not DEEP:
                queue.append(item[key])
    return found


def _break(container: Any, key: Any, dice: Random) -> None:
    match dice.randrange(5):
        case 0:
            del container[key]
        case 1 if isinstance(container, list):
            container.insert(key, copy.deepcopy(container[key]))
        case 1 | 2 if isinstance(container, dict):
            container[dice.choice(TEXTS)] = container[key]
        case 3 if isinstance(container[key], str):
            text = container[key]
            at = dice.randint(0, len(text))
            container[key] = text[:at] + dice.choice(TEXTS)[:50] + text[at:]
        case _:
            container[key] = dice.choice(VALUES)


def broken(document: Any, dice: Random) -> bytes:
    """A JSON document that is noise, or damaged, or well formed with something wrong in it."""
    match dice.randrange(8):
        case 0:
            return noise(dice)
        case 1 | 2:
            return broken_bytes(dumped(document), dice)
        case _:
            return dumped(broken_json(document, dice))
