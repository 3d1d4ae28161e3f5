"""A starter config says exactly what it is meant to say, whatever is live and whoever wrote it."""

from __future__ import annotations

import tomllib
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netcup_mailauth import dmarc, spf
from netcup_mailauth.actions import init
from netcup_mailauth.actions.init import Found, tables_of_served
from netcup_mailauth.actions.session import Session
from netcup_mailauth.errors import RecordError, ZoneError
from netcup_mailauth.records import DnsRecord, Zone
from netcup_mailauth.settings import writing
from tests.effort import SOME

TODAY = date(2026, 11, 27)
BREAKS = (
    "\n",
    "\r",
    "\x85",
    "\u2028",
    '"',
    "\\",
    "'",
    "\x00",
    "\x1b",
    "\x7f",
    "\udc80",
    "\U0001f9c0",
)
INJECTED = '"]\n[rotation]\nsigner_command = ["sh", "-c", "id"]\n#'

PIECES = st.sampled_from((*BREAKS, INJECTED, "#", "=", "]", "[x]", " ", "v=spf1", "all", "p=none"))
HOSTILE = st.lists(PIECES | st.text(max_size=5), max_size=6).map("".join)
SPF = HOSTILE.map("v=spf1 {}".format) | HOSTILE.map("v=spf1 mx exp={} -all".format)
SPF |= st.just("v=spf1 mx ~all")
DMARC = HOSTILE.map("v=DMARC1;p=none;{}".format) | st.just("v=DMARC1;p=none")
HOSTNAMES = HOSTILE.map("{}._domainkey".format)


def record(hostname: str, text: str) -> DnsRecord:
    return DnsRecord("1", hostname, "TXT", text)


def zone(
    spf_texts: list[str], dmarc_texts: list[str], others: list[str], name: str = "example.com"
) -> Zone:
    records = [record("@", text) for text in spf_texts]
    records += [record("_dmarc", text) for text in dmarc_texts]
    records += [record(hostname, "v=DKIM1;p=") for hostname in others]
    return Zone(name, "ccp", tuple(records))


def wanted_spf(texts: list[str]) -> dict[str, object] | str | None:
    texts = list(dict.fromkeys(text for text in texts if spf.is_spf(text)))
    if not texts:
        return {"require": ["mx"]}
    try:
        records = [spf.parse_wanted(text) for text in texts]
    except RecordError:
        return None
    return texts[0] if len(texts) == 1 else str(spf.merge(records).record)


def wanted_dmarc(texts: list[str]) -> dict[str, object] | str | None:
    texts = list(dict.fromkeys(text for text in texts if dmarc.is_dmarc(text)))
    if not texts:
        return {"policy": "none", "rua": ["mailto:postmaster@example.com"]}
    try:
        dmarc.parse(texts[0])
    except RecordError:
        return None
    return texts[0] if len(texts) == 1 else None


@SOME
@given(
    st.lists(SPF, max_size=2), st.lists(DMARC, max_size=2), st.lists(HOSTNAMES, max_size=2), HOSTILE
)
def test_a_table_says_what_is_meant_and_nothing_else(
    spf_texts: list[str], dmarc_texts: list[str], others: list[str], address: str
) -> None:
    found = Found("example.com", zone(spf_texts, dmarc_texts, others))
    text = writing.header(address) + "\n" + init.table(found, TODAY)
    assert text.isascii() or all(c == "\n" or c.isprintable() for c in text)
    read = tomllib.loads(text.encode().decode())
    meant = {"spf": wanted_spf(spf_texts), "dmarc": wanted_dmarc(dmarc_texts)}
    table = {name: value for name, value in meant.items() if value is not None}
    assert read["domains"] == {"example.com": table}
    assert set(read) == {"mailcow", "domains"}
    if address.isprintable():
        assert read["mailcow"] == {"url": address}


@pytest.mark.parametrize("odd", [*BREAKS, INJECTED])
def test_no_text_ends_a_string_or_a_comment(odd: str) -> None:
    """Whatever a caller gives, names included."""
    live = zone([f"v=spf1 {odd}"], [f"v=DMARC1;p={odd}"], [f"{odd}._domainkey"], name=f"z{odd}")
    found = Found("example.com", zone([], [], [f"a{odd}b._domainkey"]))
    assert list(tomllib.loads(init.table(found, TODAY))) == ["domains"]
    (name, table), *more = tomllib.loads(
        init.table(Found(live.name, live, has_mailcow=True), TODAY)
    )["domains"].items()
    assert not more
    assert table["dkim"] == "mailcow"
    assert name == (live.name if odd != "\udc80" else "z\ufffd")


@pytest.mark.parametrize("odd", [*BREAKS, INJECTED])
def test_a_domain_that_is_elsewhere_is_one_line_of_comment(odd: str) -> None:
    class Backend:
        def zone(self, _name: str) -> Zone:
            raise ZoneError(f"There is {odd} no such zone.\nNot at all.")

    session = Session(Backend())  # type: ignore[arg-type]
    (line,) = tables_of_served(session, ["example.com"], (), has_mailcow=False)
    assert line.startswith("# example.com: ")
    assert line.count("\n") == 1
    assert tomllib.loads(line) == {}


@pytest.mark.parametrize(
    ("spf_text", "dmarc_text", "meant"),
    [
        (
            " v=spf1 mx -all",
            "v=dmarc1; p=reject; rua=mailto:o@example.com",
            {
                "spf": "v=spf1 mx -all",
                "dmarc": "v=DMARC1; p=none; rua=mailto:o@example.com",
            },
        ),
        (
            "v=spf1, mx, ~all",
            "p=none",
            {"spf": "v=spf1 mx ~all", "dmarc": "v=DMARC1;p=none"},
        ),
        ("v=spf1, mx, what", "v=dmarc1; p=rejekt", {}),
        (
            "hello",
            "hello",
            {
                "spf": {"require": ["mx"]},
                "dmarc": {"policy": "none", "rua": ["mailto:postmaster@example.com"]},
            },
        ),
    ],
)
def test_a_near_miss_is_named_and_becomes_the_record_that_was_meant(
    spf_text: str, dmarc_text: str, meant: dict[str, object]
) -> None:
    text = init.table(Found("example.com", zone([spf_text], [dmarc_text], [])), TODAY)
    table = tomllib.loads(text)["domains"]["example.com"]
    assert {kind: table[kind] for kind in ("spf", "dmarc") if kind in table} == meant
    assert f"# Receivers do not read this as DMARC: {dmarc_text}" in text
    assert ("Receivers do not read this as SPF" in text) is (spf_text != "hello")


def test_a_text_at_a_selector_that_is_no_key_is_named() -> None:
    live = zone(["v=spf1 mx ~all"], ["v=DMARC1;p=none"], ["good._domainkey"])
    live = Zone(live.name, live.backend, (*live.records, record("old._domainkey", "hello")))
    text = init.table(Found("example.com", live), TODAY)
    assert "# Receivers do not read this as a key, at old._domainkey: hello" in text
    assert "good._domainkey:" not in text
