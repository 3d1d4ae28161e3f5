"""TXT rdata in zone-file form, with dnspython's parser as the judge."""

from __future__ import annotations

import dns.rdata
import pytest
from dns.rdataclass import IN
from dns.rdatatype import TXT
from hypothesis import given
from hypothesis import strategies as st

from netcup_mailauth.records import join_txt, quoted


@pytest.mark.parametrize(
    ("text", "rdata"),
    [
        ("v=spf1 mx -all", '"v=spf1 mx -all"'),
        ("v=DMARC1; p=none", '"v=DMARC1; p=none"'),
        ("", '""'),
        ('say "hi"', r'"say \"hi\""'),
        ("a\\b", r'"a\\b"'),
        ("a\tb\xe9", r'"a\009b\233"'),
        ("\u20ac", r'"\226\130\172"'),
        ("x" * 255, f'"{"x" * 255}"'),
        ("x" * 256, f'"{"x" * 255}" "x"'),
    ],
)
def test_the_form_that_is_written(text: str, rdata: str) -> None:
    assert quoted(text) == rdata


bytes_as_text = st.text(st.characters(max_codepoint=255), max_size=600)


@given(bytes_as_text)
def test_a_zone_file_parser_and_our_own_reader_get_the_text_back(text: str) -> None:
    parsed = dns.rdata.from_text(IN, TXT, quoted(text))
    strings: tuple[bytes, ...] = parsed.strings  # type: ignore[attr-defined]
    assert b"".join(strings).decode("latin-1") == text
    assert all(len(string) <= 255 for string in strings)
    assert join_txt(quoted(text)) == text


@given(st.text(max_size=300))
def test_every_text_becomes_rdata_that_is_printable_ascii(text: str) -> None:
    assert all(" " <= character <= "~" for character in quoted(text))
    dns.rdata.from_text(IN, TXT, quoted(text))
