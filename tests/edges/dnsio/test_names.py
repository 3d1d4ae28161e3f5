"""Names as text and as they travel."""

from __future__ import annotations

import dns.name
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netcup_mailauth.dnsio.ask import to_text, to_wire
from netcup_mailauth.spf.check import can_exist


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("example.com", (b"example", b"com", b"")),
        ("example.com.", (b"example", b"com", b"")),
        ("Mail.Example.COM", (b"Mail", b"Example", b"COM", b"")),
        (r"a\b.c", (rb"a\b", b"c", b"")),
        (r"\046.c", (rb"\046", b"c", b"")),
        ("a:b.c/d.%20.e f.@.*", (b"a:b", b"c/d", b"%20", b"e f", b"@", b"*", b"")),
        ('a"b.(c).d;e', (b'a"b', b"(c)", b"d;e", b"")),
    ],
)
def test_text_is_taken_as_it_is(text: str, labels: tuple[bytes, ...]) -> None:
    assert to_wire(text).labels == labels


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "..",
        "a..b",
        ".a",
        "a" * 64,
        ".".join(["a" * 60] * 5),
        "münchen.de",
        "stra\u00dfe",
        "a\ud800",
    ],
)
def test_what_dns_cannot_hold(text: str) -> None:
    with pytest.raises(ValueError, match="DNS cannot hold the name"):
        to_wire(text)


@pytest.mark.parametrize(
    ("labels", "text"),
    [
        ((b"Mail", b"Example", b""), "mail.example"),
        ((b"a.b", b"c", b""), r"a\.b.c"),
        ((rb"a\b", b" ", b""), r"a\b. "),
        ((b"\xc4\xe4", b""), "\xc4\xe4"),
        ((b"",), "."),
    ],
)
def test_a_name_that_dns_gave(labels: tuple[bytes, ...], text: str) -> None:
    assert to_text(dns.name.Name(labels)) == text


@given(st.text(st.characters(codec="ascii"), min_size=1, max_size=260))
def test_every_name_the_core_asks_for_survives(text: str) -> None:
    name = text.lower()
    if can_exist(name):
        assert to_text(to_wire(name)) == name
