"""Domain names arrive at netcup in the one form it takes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netcup_mailauth import records
from netcup_mailauth.errors import UsageError


@pytest.mark.parametrize(
    ("given_name", "sent"),
    [
        ("example.com", "example.com"),
        (" Example.COM. ", "example.com"),
        ("münchen.de", "xn--mnchen-3ya.de"),
        ("straße.de", "xn--strae-oqa.de"),
        ("xn--mnchen-3ya.de", "xn--mnchen-3ya.de"),
        ("intern.example.co.uk", "intern.example.co.uk"),
    ],
)
def test_a_domain_is_sent_in_lower_case_punycode(given_name: str, sent: str) -> None:
    assert records.normalise(given_name) == sent


@pytest.mark.parametrize(
    "wrong",
    [
        *("", "com", "https://example.com", "a@example.com", "exa mple.com", "a..b", "-a.com"),
        *("x" * 300, "192.0.2.1", "ex\u200dample.com", "_.\u00df\u0000.de"),
    ],
)
def test_what_is_no_domain_is_named_and_refused(wrong: str) -> None:
    with pytest.raises(UsageError) as caught:
        records.normalise(wrong)
    assert repr(wrong)[:40] in caught.value.what


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("_dmarc.example.com", "Give the domain itself: example.com"),
        ("dkim._domainkey.Example.com.", "Give the domain itself: example.com"),
        ("_mta-sts.shop.example.com", "Give the domain itself: shop.example.com"),
        ("my_host.example.com", "Give the domain itself: example.com"),
        ("_dmarc.com", "Give the mail domain."),
    ],
)
def test_the_name_of_a_record_is_no_mail_domain(name: str, advice: str) -> None:
    with pytest.raises(UsageError, match="has an underscore") as caught:
        records.normalise(name)
    assert (caught.value.exit_code, caught.value.advice) == (2, advice)


@given(st.text(max_size=60))
def test_no_text_makes_anything_but_a_usage_error(text: str) -> None:
    try:
        name = records.normalise(text)
    except UsageError:
        return
    assert name.isascii()
    assert name == records.normalise(name)


@pytest.mark.parametrize(
    ("name", "is_zone"),
    [
        ("example.com", True),
        ("example.co.uk", True),
        ("mail.example.com", False),
        ("a.example.co.uk", False),
    ],
)
def test_only_one_label_and_a_suffix_has_the_form_of_a_zone(name: str, is_zone: bool) -> None:
    assert records.is_zone_form(name) is is_zone


def test_hostnames_are_relative_to_the_zone_with_at_for_the_apex() -> None:
    assert records.relative("example.com", "example.com") == "@"
    assert records.relative("_dmarc.example.com", "example.com") == "_dmarc"
    assert records.absolute("@", "example.com") == "example.com"
    assert records.absolute("_dmarc", "example.com") == "_dmarc.example.com"
    with pytest.raises(ValueError, match="does not lie"):
        records.relative("notexample.com", "example.com")


def test_a_selector_is_a_short_name_and_not_the_records_name() -> None:
    assert records.selector(" S2026-11a ") == "s2026-11a"
    assert records.selector("a.b") == "a.b"
    with pytest.raises(UsageError, match="not a DKIM selector"):
        records.selector("no blanks")
    with pytest.raises(UsageError) as caught:
        records.selector("dkim._domainkey.example.com")
    assert caught.value.advice.endswith("dkim")


@pytest.mark.parametrize(
    "text",
    [
        "@example.com",
        "user@example.com",
        "https://example.com/",
        "https://example.com:443/path?x=y@z",
        "http://Example.com.",
        "mailto:me@example.com",
        "example.com/",
    ],
)
def test_the_domain_in_an_address_is_named(text: str) -> None:
    with pytest.raises(UsageError, match="is not a domain name") as caught:
        records.normalise(text)
    assert caught.value.advice == "Give the bare domain: example.com"


@pytest.mark.parametrize("text", ["", "example", "exa mple.com", "@", "https://", "a@b@c", "@x"])
def test_where_there_is_none_the_form_is_told(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        records.normalise(text)
    assert caught.value.advice == "Give the bare domain, as in: example.com"
