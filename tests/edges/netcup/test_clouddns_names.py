"""In which form CloudDNS writes names is unknown; each plausible one is read, and written back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netcup_mailauth.netcup.clouddns_wire import NameForm

ZONE = "example.com"

LISTINGS = [
    (["@", "www", "_dmarc", "dkim._domainkey"], "relative"),
    (["", "www", "_dmarc", "dkim._domainkey"], "relative, empty apex"),
    (
        ["example.com", "www.example.com", "_dmarc.example.com", "dkim._domainkey.example.com"],
        "full",
    ),
    (
        ["example.com.", "www.example.com.", "_dmarc.example.com.", "dkim._domainkey.example.com."],
        "full, with a dot",
    ),
    (["@", "www.example.com", "_dmarc.example.com", "dkim._domainkey.example.com"], "full but @"),
    (["example.com.", "www", "_dmarc", "dkim._domainkey"], "relative, apex in full"),
    (["example.com", "www", "_dmarc", "dkim._domainkey"], "relative, apex without a dot"),
]


@pytest.mark.parametrize("names", [n for n, _ in LISTINGS], ids=[form for _, form in LISTINGS])
def test_each_form_is_read_and_written_back_to_the_letter(names: list[str]) -> None:
    form = NameForm.of(names, ZONE)
    hostnames = [form.hostname(name) for name in names]
    assert hostnames == ["@", "www", "_dmarc", "dkim._domainkey"]
    assert [form.name(hostname) for hostname in hostnames] == names


def test_case_does_not_matter() -> None:
    form = NameForm.of(["EXAMPLE.com.", "WWW.Example.COM."], ZONE)
    assert form.hostname("Dkim._DomainKey.Example.com.") == "dkim._domainkey"


@pytest.mark.parametrize("name", ["@", "", "example.com."])
def test_the_apex_is_known_in_any_form_beside_relative_names(name: str) -> None:
    assert NameForm.of(["www", name], ZONE).hostname(name) == "@"


def test_a_full_name_with_a_dot_is_one_beside_relative_names_too() -> None:
    assert NameForm.of(["@", "www"], ZONE).hostname("_dmarc.example.com.") == "_dmarc"


def test_a_name_that_repeats_the_zone_is_not_taken_for_the_right_one() -> None:
    """Web forms make such records; DNS serves them at _dmarc.example.com.example.com."""
    relative = NameForm.of(["@", "www", "_dmarc.example.com"], ZONE)
    assert relative.hostname("_dmarc.example.com") == "_dmarc.example.com"
    full = NameForm.of(["example.com", "_dmarc.example.com.example.com"], ZONE)
    assert full.hostname("_dmarc.example.com.example.com") == "_dmarc.example.com"


def test_where_nothing_was_read_names_are_relative_and_the_apex_is_an_at() -> None:
    form = NameForm.of([], ZONE)
    assert (form.name("@"), form.name("_dmarc")) == ("@", "_dmarc")


labels = st.lists(
    st.sampled_from(["www", "_dmarc", "*", "example", "com", "a"]), min_size=1, max_size=3
).map(".".join)


@given(st.lists(labels, min_size=1), st.sampled_from(["", ".example.com", ".example.com."]))
def test_any_zone_in_any_form_comes_back(hostnames: list[str], suffix: str) -> None:
    hostnames = [h for h in hostnames if not h.endswith("example.com")] or ["www"]
    names = [f"{hostname}{suffix}" for hostname in hostnames]
    form = NameForm.of(names, ZONE)
    assert [form.hostname(name) for name in names] == hostnames
    assert [form.name(hostname) for hostname in hostnames] == names
