"""What a signer command said is shown, and nothing of the key, in whatever pieces or spelling."""

from __future__ import annotations

import base64
import json
import textwrap
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from cryptography.hazmat.primitives import serialization
from hypothesis import given
from hypothesis import strategies as st

from netcup_mailauth.keys.private import generate
from netcup_mailauth.rotation import masking
from netcup_mailauth.rotation.masking import said
from tests.keys import ed25519

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

KEYS = {"rsa2048": generate().pem, "ed25519": ed25519().pem}


def body(pem: str) -> str:
    return "".join(pem.splitlines()[1:-1])


def der(pem: str) -> bytes:
    return base64.b64decode(body(pem))


def lines(text: str, width: int, before: str = "", after: str = "") -> str:
    return "\n".join(f"{before}{text[n : n + width]}{after}" for n in range(0, len(text), width))


def traditional(pem: str) -> str:
    """As ``openssl rsa -traditional`` and ``openssl pkey -outform`` write it."""
    key = serialization.load_pem_private_key(pem.encode(), None)
    form = serialization.PrivateFormat.OpenSSH
    return key.private_bytes(
        serialization.Encoding.PEM, form, serialization.NoEncryption()
    ).decode()


def dump(data: bytes) -> str:
    """As xxd and hexdump -C write it, but for a short last row: three bytes tell nothing."""
    rows = []
    for at in range(0, len(data) - 15, 16):
        row = data[at : at + 16]
        text = "".join(chr(b) if 32 <= b < 127 else "." for b in row)
        rows.append(f"{at:08x}: {row.hex(' ', 2)}  {text}")
    return "\n".join(rows)


SPELLINGS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "in one line": lambda pem: pem.replace("\n", " "),
    "without lines": lambda pem: pem.replace("\n", ""),
    "its body": body,
    "half of it": lambda pem: pem[: len(pem) // 2],
    "letter by letter": lambda pem: " ".join(body(pem)),
    "letter by letter, in lines": lambda pem: "\n".join(body(pem)),
    "spaced": lambda pem: " ".join(textwrap.wrap(body(pem), 3)),
    "dotted": lambda pem: ".".join(body(pem)),
    "in short lines": lambda pem: lines(body(pem), 5),
    "quoted lines": lambda pem: lines(body(pem), 6, '"', '",'),
    "lines after a word": lambda pem: lines(body(pem), 3, "key: "),
    "lines before a word": lambda pem: lines(body(pem), 3, "", " <- key"),
    "logged": lambda pem: lines(body(pem), 7, "Nov 27 01:10:00 mail put-key[4711]: "),
    "numbered": lambda pem: "\n".join(
        f"{number}: {piece}" for number, piece in enumerate(textwrap.wrap(body(pem), 3))
    ),
    "json": lambda pem: json.dumps({"key": pem}),
    "json of json": lambda pem: json.dumps(json.dumps({"key": pem})),
    "url": lambda pem: quote(pem, safe=""),
    "form": lambda pem: f"key={quote(body(pem))}&x=1",
    "base64url": lambda pem: base64.urlsafe_b64encode(der(pem)).decode(),
    "base64 of pem": lambda pem: base64.b64encode(pem.encode()).decode(),
    "base64 of pem in lines": lambda pem: base64.encodebytes(pem.encode()).decode(),
    "base64 of something with it": lambda pem: base64.b64encode(b"k=" + pem.encode()).decode(),
    "base32": lambda pem: base64.b32encode(der(pem)).decode(),
    "hex": lambda pem: der(pem).hex(),
    "HEX": lambda pem: der(pem).hex().upper(),
    "hex with colons": lambda pem: lines(der(pem).hex(":"), 45, "    "),
    "hex of pem": lambda pem: pem.encode().hex(" "),
    "escaped": lambda pem: "".join(f"\\x{byte:02x}" for byte in der(pem)),
    "array": lambda pem: ", ".join(f"0x{byte:02x}" for byte in der(pem)),
    "decimal": lambda pem: str(list(der(pem))),
    "octal": lambda pem: "".join(f"\\{byte:03o}" for byte in der(pem)),
    "xxd": lambda pem: dump(der(pem)),
    "xxd of pem": lambda pem: dump(pem.encode()),
    "html": lambda pem: "".join(f"&#{ord(c)};" for c in pem),
    "utf-16": lambda pem: pem.encode("utf-16").decode("utf-8", "replace"),
    "openssh": traditional,
    "shell trace": lambda pem: lines(pem, 64, "+ printf '%s\\n' "),
}


@pytest.fixture(autouse=True, scope="module")
def _each_key_is_spelt_once() -> Iterator[None]:
    """What a key looks like in every spelling takes longer to tell than where it is."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(masking, "_Key", cache(masking._Key))
        yield


@pytest.mark.parametrize("kind", KEYS)
@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("place", ["before {} after", "before\n{}\nafter", "before\n{}", "{}"])
def test_no_spelling_of_the_key_is_shown(kind: str, spelling: str, place: str) -> None:
    pem = KEYS[kind]
    spelt = SPELLINGS[spelling](pem)
    shown = said(place.replace("{}", spelt).encode(), pem)
    # The first characters are the same in every key; signs alone tell nothing.
    pieces = [p for p in textwrap.wrap(body(pem)[36:], 3) if len(p) == 3 and p.isalnum()]
    assert not set(pieces) & set(shown.split()), shown
    told = "".join(c for c in shown if c.isalnum())
    secret = "".join(c for c in spelt if c.isalnum())
    common = {secret[n : n + 12] for n in range(len(secret) - 12)}
    own = "".join(c for c in "key Nov 27 01:10:00 mail put-key[4711]:" if c.isalnum())
    assert not [run for run in common if run in told and run not in own * 9], shown
    if place.startswith("before\n"):
        assert "before" in shown


@pytest.mark.parametrize(
    "text",
    [
        "cp: cannot create regular file '/etc/opendkim/keys/example.com/s2026-11a.private'",
        "Nov 27 01:10:00 mail systemd[1]: rspamd.service: Failed with result 'exit-code'.",
        "unable to load Private Key",
        "140735 error:0909006C:PEM routines:get_name:no start line:pem_lib.c:745: PRIVATE KEY",
        "Traceback (most recent call last): PermissionError: [Errno 13] Permission denied",
    ],
)
def test_what_is_no_key_is_shown(text: str) -> None:
    for pem in KEYS.values():
        shown = said(text.encode(), pem)
        assert shown.strip("'\"") == text or shown == ascii(text), shown


@given(st.binary())
def test_no_output_breaks_it(output: bytes) -> None:
    shown = said(output, KEYS["ed25519"])
    assert shown.isprintable()
    assert len(shown) < 2500


@pytest.mark.parametrize("at", [30, *range(54, 63)])
@pytest.mark.parametrize(
    "spelling", ["numbered", "lines before a word", "spaced", "in short lines"]
)
def test_a_key_that_has_the_sign_of_a_hexadecimal_number_in_it_is_masked_too(
    spelling: str, at: int
) -> None:
    """Which is one key in sixty or so: its own characters are no escape."""
    whole = body(KEYS["ed25519"]).replace("+", "a").replace("/", "b").replace("0x", "00")
    whole = f"{whole[:at]}0x{whole[at + 2 :]}"[:64]
    pem = f"-----BEGIN PRIVATE KEY-----\n{whole}\n-----END PRIVATE KEY-----\n"
    shown = said(f"before\n{SPELLINGS[spelling](pem)}\nafter".encode(), pem)
    pieces = [p for p in textwrap.wrap(whole[36:], 3) if len(p) == 3]
    assert not set(pieces) & set(shown.split()), shown


def test_words_before_a_key_are_shown_though_their_last_letter_comes_before_a_part_of_it() -> None:
    """Seen once in a hundred runs or so: `2J` from a terminal's escape, and `J/` in the key."""
    body = "MC4CAQAwBQYDK2VwBCIEIHJ/xqWk5vRz0sTn7uYb3cXd8eFg9hGi4jHk6lJm5nKo"
    pem = f"-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n"
    shown = said(f"no such\tfolder \033[2J\n{pem}".encode(), pem)
    assert shown.startswith("'no such folder ")
    assert not any(body[at : at + 8] in shown for at in range(len(body) - 7))
