"""Whatever stands in a zone: every command that only reads it ends with words that hold."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.apis import each_api
from tests.core.judge.cases import key_record
from tests.effort import PROFILE

if TYPE_CHECKING:
    from tests.apis import Api
    from tests.process.command import Ended
    from tests.story.inprocess import Cli, PointedAt

api = each_api

KEY = key_record()
SPF = "v=spf1 mx ~all"


def row(hostname: str, kind: str, value: str, priority: str = "0", **more: Any) -> dict[str, Any]:
    return {
        "hostname": hostname, "type": kind, "destination": value, "priority": priority, **more
    }  # fmt: skip


def txt(hostname: str, *texts: str) -> tuple[dict[str, Any], ...]:
    return tuple(row(hostname, "TXT", text) for text in texts)


MX = (row("@", "MX", "mail.example.com", "10"), row("mail", "A", "203.0.113.25"))
MAIL = (*MX, *txt("@", SPF), *txt("dkim._domainkey", KEY), *txt("_dmarc", "v=DMARC1;p=none"))

STATES: dict[str, tuple[dict[str, Any], ...]] = {
    "empty": (),
    "only an address": (row("@", "A", "203.0.113.1"),),
    "3,000 records": (*MAIL, *(row(f"h{n}", "A", "192.0.2.1") for n in range(3000))),
    "a hundred texts at the apex": (*MAIL, *txt("@", *(f"token-{n}=abc" for n in range(100)))),
    "a wildcard text": (*MX, *txt("*", "v=spf1 -all"), row("*", "A", "203.0.113.1")),
    "wildcards of the kinds": (
        *MX,
        *txt("*._domainkey", KEY),
        *txt("*", "v=DMARC1;p=reject"),
        *txt("@", SPF),
    ),
    "a wildcard alias": (*MX, row("*", "CNAME", "example.org")),
    "authorities": (
        *MAIL,
        row("@", "CAA", '0 issue "letsencrypt.org"'),
        row("@", "CAA", '0 iodef "mailto:a@b"'),
    ),
    "records of every type": (
        *MAIL,
        row("_sip._tcp", "SRV", "5 5060 sip", "10"),
        row("x", "TLSA", "3 1 1 abcdef"),
        row("x", "SSHFP", "4 2 abcdef"),
        row("x", "OPENPGPKEY", "abcd"),
        row("x", "SMIMEA", "3 1 1 ab"),
        row("x", "DS", "1 8 2 abcd"),
        row("y", "NS", "ns.example.org"),
    ),
    "names with odd characters": (
        *MAIL,
        row("a_b.c-d", "A", "192.0.2.1"),
        row("_x._y._z", "A", "192.0.2.1"),
        row("xn--bcher-kva", "A", "192.0.2.1"),
        row("UPPER", "A", "192.0.2.1"),
        *txt("1.2.3", "x"),
    ),
    "texts with odd characters": (
        *MAIL,
        *txt(
            "@",
            'quo"te',
            "back\\slash",
            "sem;icolon",
            "tab\there",
            "\x1b[31mred",
            "\xfcn\xefc\xf6d\xe9",
            "\u202ertl",
            "'single'",
            "`tick`$(rm)",
            "emoji \U0001f600",
        ),
    ),
    "odd characters in our own": (
        *MX,
        *txt("@", "v=spf1 include:\x1b[2J.example ~all"),
        *txt("_dmarc", 'v=DMARC1;p="none"'),
        *txt("dkim._domainkey", "v=DKIM1;p=\x07AAAA"),
    ),
    "two of each": (
        *MX,
        *txt("@", SPF, "v=spf1 a -all"),
        *txt("_dmarc", "v=DMARC1;p=none", "v=DMARC1;p=reject"),
        *txt("dkim._domainkey", KEY, "v=DKIM1;p="),
    ),
    "the same thrice": (*MX, *txt("@", SPF, SPF, SPF), *txt("_dmarc", *["v=DMARC1;p=none"] * 3)),
    "near misses": (
        *MX,
        *txt("@", "v=spf1;mx", " v=spf1 mx", "v=spf2.0/pra mx"),
        *txt("_dmarc", "v=dmarc1; p=none"),
        *txt("dkim._domainkey", "p="),
    ),
    "aliases at our names": (
        *MX,
        row("_dmarc", "CNAME", "_dmarc.example.org"),
        row("dkim._domainkey", "CNAME", "k.example.org"),
    ),
    "an alias that leads to itself": (
        *MX,
        row("_dmarc", "CNAME", "_dmarc.example.com"),
        row("loop", "CNAME", "loop2.example.com"),
        row("loop2", "CNAME", "loop.example.com"),
    ),
    "an alias at the apex": (row("@", "CNAME", "example.org"), *txt("_dmarc", "v=DMARC1;p=none")),
    "our names delegated": (
        *MX,
        row("_domainkey", "NS", "ns.example.org"),
        row("_dmarc", "NS", "ns.example.org"),
    ),
    "an exchanger that is an address": (row("@", "MX", "203.0.113.25", "10"), *txt("@", SPF)),
    "an exchanger that is nothing": (row("@", "MX", ".", "0"), *txt("@", "v=spf1 -all")),
    "an exchanger that is an alias": (
        row("@", "MX", "m.example.com", "10"),
        row("m", "CNAME", "mail.example.org"),
    ),
    "fifty exchangers": tuple(row("@", "MX", f"mx{n}.example.com", str(n)) for n in range(50)),
    "addresses that are none": (*MX, row("mail", "AAAA", "2001:db8::zz"), *txt("@", SPF)),
    "a record as long as can be": (
        *MX,
        *txt("@", "v=spf1 " + " ".join(f"ip4:192.0.2.{n}" for n in range(60)) + " ~all"),
        *txt("long", "x" * 1000),
    ),
    "records that include themselves": (*MX, *txt("@", "v=spf1 include:example.com ~all")),
    "a redirect in a circle": (*MX, *txt("@", "v=spf1 redirect=example.com")),
    "a macro in everything": (*MX, *txt("@", "v=spf1 exists:%{i}._spf.%{d2} exp=%{d} -all")),
    "a hundred selectors": (*MX, *(txt(f"s{n}._domainkey", KEY)[0] for n in range(100))),
    "a selector of several labels": (*MX, *txt("a.b.c._domainkey", KEY), *txt("_domainkey", "o=~")),
    "an empty key and no policy": (
        *MX,
        *txt("dkim._domainkey", "v=DKIM1;p="),
        *txt("_dmarc", "v=DMARC1"),
    ),
    "a broken report address": (
        *MX,
        *txt("_dmarc", "v=DMARC1;p=none;rua=d@x,mailto:,https://[,mailto:a@b@c"),
    ),
    "long names": (
        *MX,
        row(".".join(["a" * 60] * 3), "A", "192.0.2.1"),
        *txt("_dmarc." + "b" * 63, "x"),
    ),
}

WISH = ("--spf-require", "mx", "--dmarc-policy", "quarantine", "--rua", "mailto:d@example.com")
COMMANDS: dict[tuple[str, ...], set[int]] = {
    ("records", "example.com"): {0},
    ("records", "example.com", "--format", "markdown"): {0},
    ("check", "example.com"): {0, 8},
    ("plan", "example.com", *WISH): {0},
    ("rotate", "example.com", "--status"): {0},
    ("undo", "example.com", "--yes"): {2},
}
"""What only reads, and how it may end: with a mistake of the program's it ends with 1."""


def sound(ended: Ended) -> None:
    """What is printed shows no mistake of the program's, and nothing that moves a terminal."""
    said = ended.stdout + ended.stderr
    assert "Unexpected" not in said, said
    assert re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", said) is None, repr(said)


TRIED = list(STATES)[:: {"contributor": 4, "ci": 1, "thorough": 1}[PROFILE]]


@pytest.mark.parametrize("state", TRIED)
def test_what_only_reads_says_how_it_is(pointed_at: PointedAt, api: Api, state: str) -> None:
    with api.netcup() as sandbox:
        sandbox.set_zone("example.com", STATES[state])
        before = api.records(sandbox)
        cli = pointed_at(sandbox)
        for words, codes in COMMANDS.items():
            ended = cli(*words)
            sound(ended)
            assert ended.code in codes, (words, ended)
        assert api.records(sandbox) == before
        _is_planned_alike_from_an_export(cli)


def _is_planned_alike_from_an_export(cli: Cli) -> None:
    """An export reads back, and a plan made of it has the same changes and findings."""
    exported = cli("records", "example.com", "--format", "json")
    sound(exported)
    (cli.folder / "zone.json").write_text(exported.stdout, encoding="utf-8")
    wish = ("plan", "example.com", *WISH, "--format", "json")
    plans = [cli(*wish), cli(*wish, "--zone-file", "zone.json")]
    live, read = (json.loads(ended.stdout)["zones"][0] for ended in plans)
    for zone in (live, read):
        del zone["endpoint"], zone["account"]
    assert read == live


def test_what_a_wildcard_answers_is_told_by_the_name_of_that_wildcard(
    pointed_at: PointedAt, api: Api
) -> None:
    with api.netcup() as sandbox:
        sandbox.set_zone("example.com", STATES["a wildcard text"])
        _, said = pointed_at(sandbox).said("check", "example.com")
        assert "*._domainkey.example.com" not in said
        assert said.count("*.example.com answers for it") == 2


def test_records_that_are_alike_are_no_duplicates(pointed_at: PointedAt, api: Api) -> None:
    with api.netcup() as sandbox:
        sandbox.set_zone("example.com", STATES["the same thrice"])
        cli = pointed_at(sandbox)
        for words in (("check", "example.com"), ("plan", "example.com", *WISH)):
            _, said = cli.said(*words)
            assert not re.search("spf-multiple|dmarc-multiple|dmarc-ambiguous", said), said


def test_a_policy_that_a_wildcard_answers_is_not_weakened_unseen(
    pointed_at: PointedAt, api: Api
) -> None:
    with api.netcup() as sandbox:
        sandbox.set_zone("example.com", STATES["wildcards of the kinds"])
        ended = pointed_at(sandbox)("apply", "example.com", *WISH, "--yes")
        assert ended.code == 6
        assert "dmarc-weakens-policy" in ended.stdout
