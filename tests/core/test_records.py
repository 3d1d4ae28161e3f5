"""Which record is the SPF record, where it stands, and what a TXT text is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from netcup_mailauth.kinds import hostname_of, is_of_kind, of_kind
from netcup_mailauth.records import (
    CCP,
    CLOUDDNS,
    DnsRecord,
    Kind,
    Zone,
    both_forms,
    join_txt,
    reason_not_to_store,
)
from netcup_mailauth.shown import masked, visible


@pytest.mark.parametrize(
    ("written", "joined"),
    [
        ("v=spf1 -all", "v=spf1 -all"),
        ('"v=spf1 -all"', "v=spf1 -all"),
        ('"v=DKIM1; k=rsa; p=AAA" "BBB"', "v=DKIM1; k=rsa; p=AAABBB"),
        (' "a""b" ', "ab"),
        (r'"a\"b\\c\065"', 'a"b\\cA'),
        (r'"\999"', "999"),
        ('"left open', '"left open'),
        ('"a" b', '"a" b'),
        ("", ""),
        ('""', ""),
    ],
)
def test_quoted_chunks_are_joined_and_bare_text_is_left_alone(written: str, joined: str) -> None:
    assert join_txt(written) == joined


@given(st.text(alphabet=st.characters(exclude_characters='"\\'), max_size=80), st.integers(1, 40))
def test_however_a_text_is_cut_into_quoted_chunks_it_joins_to_itself(text: str, size: int) -> None:
    chunks = [text[i : i + size] for i in range(0, len(text), size)] or [""]
    assert join_txt(" ".join(f'"{chunk}"' for chunk in chunks)) == text


def test_a_verification_token_beside_the_spf_record_is_not_of_the_kind() -> None:
    spf = DnsRecord("1", "@", "TXT", "v=spf1 -all")
    zone = Zone(
        "example.com",
        "ccp",
        (
            DnsRecord("2", "@", "TXT", "google-site-verification=abc"),
            spf,
            DnsRecord("3", "www", "TXT", "v=spf1 mx"),
            DnsRecord("4", "@", "A", "192.0.2.1"),
        ),
    )
    assert of_kind(zone, Kind.SPF, "@") == (spf,)


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        (Kind.SPF, "V=SPF1 mx", True),
        (Kind.SPF, "v=spf10 mx", False),
        (Kind.DMARC, "v=DMARC1;p=none", True),
        (Kind.DMARC, "v=dmarc1;p=none", False),
        (Kind.DMARC_REPORT, "v=DMARC1", True),
        (Kind.DKIM, "v=DKIM1;p=", True),
        (Kind.DKIM, "k=rsa;p=", True),
        (Kind.DKIM, "anything at a selector", False),
    ],
)
def test_the_version_decides_or_what_a_key_has(kind: Kind, text: str, expected: bool) -> None:
    assert is_of_kind(kind, text) is expected


@pytest.mark.parametrize(
    ("kind", "domain", "hostname"),
    [
        (Kind.SPF, "example.com", "@"),
        (Kind.SPF, "intern.example.com", "intern"),
        (Kind.DKIM, "example.com", "dkim._domainkey"),
        (Kind.DKIM, "intern.example.com", "dkim._domainkey.intern"),
        (Kind.DMARC, "example.com", "_dmarc"),
        (Kind.DMARC, "intern.example.com", "_dmarc.intern"),
    ],
)
def test_a_mail_domain_below_its_zone_has_its_records_below(
    kind: Kind, domain: str, hostname: str
) -> None:
    assert hostname_of(kind, domain, "example.com", "dkim") == hostname


@pytest.mark.parametrize("api", [CCP, CLOUDDNS])
@pytest.mark.parametrize(
    ("value", "words"),
    [
        ('a"b', "double quote"),
        ("a\\b", "backslash"),
        ("größe", "unknown"),
        ("a\tb", "unknown"),
        ("", "empty"),
        ("x" * 4097, "characters"),
    ],
)
def test_a_text_that_may_not_survive_is_not_sent(api: str, value: str, words: str) -> None:
    reason = reason_not_to_store(value, api)
    assert reason is not None
    assert words in reason


def test_each_api_has_characters_and_a_length_of_its_own() -> None:
    for value in ("v=spf1 mx -all", "v=DMARC1; p=none", "x" * 1024):
        assert reason_not_to_store(value, CCP) is reason_not_to_store(value, CLOUDDNS) is None
    for value in ("it's", "x" * 4000):
        assert reason_not_to_store(value, CCP)
        assert reason_not_to_store(value, CLOUDDNS) is None


@pytest.mark.parametrize("longer", ["secret-and-more", "more-and-secret", "more-secret-more"])
@pytest.mark.parametrize("turned", [False, True])
def test_nothing_is_left_of_a_secret_that_holds_another(longer: str, turned: bool) -> None:
    secrets = [SecretStr("secret"), SecretStr(longer)]
    assert masked(f"key {longer}, secret", secrets[::-1] if turned else secrets) == "key ***, ***"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("example.com", "example.com"),
        ("xn--bcher-kva.example", "bücher.example (xn--bcher-kva.example)"),
        ("mail.xn--strae-oqa.de", "mail.straße.de (mail.xn--strae-oqa.de)"),
        ("xn--fiqs8s.example", "中国.example (xn--fiqs8s.example)"),
        ("xn--a.example", "xn--a.example"),  # no punycode
        ("xn--1ch.example", "xn--1ch.example"),  # a sign that no name may have
        ("xn--example-.com", "xn--example-.com"),
        ("xn--\x1b[2J.example", "xn--\\x1b[2J.example"),
    ],
)
def test_a_domain_is_shown_in_both_forms_where_the_one_leads_to_the_other(
    name: str, shown: str
) -> None:
    assert both_forms(name) == shown


@given(st.text(min_size=1, max_size=20))
def test_nothing_that_cannot_be_seen_gets_into_a_name_that_is_shown(text: str) -> None:
    name = f"xn--{text.lower()}.example"
    shown = both_forms(name)
    assert visible(shown) == shown
    assert visible(name) in shown
