"""`auth --check` with a REST key: which of the assumptions the account bears out."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from netcup_mailauth.netcup.clouddns import ASSUMPTIONS
from netcup_mailauth.sandbox import Quirks, Sandbox
from tests.apis import CLOUDDNS, Api
from tests.worlds import requests_of

if TYPE_CHECKING:
    from tests.story.inprocess import Cli, PointedAt

CHECK = ("auth", "--check")
HEADING = "For a report of how CloudDNS behaves"


@pytest.fixture
def api() -> Api:
    return CLOUDDNS


def netcup(**quirks: Any) -> Sandbox:
    """An account with a domain on each API, neither of which is the one that nobody has."""
    return Sandbox(["example.net"], clouddns=["example.org"], quirks=Quirks(**quirks))


def paragraph(pointed_at: PointedAt, sandbox: Sandbox) -> str:
    ended = pointed_at(sandbox)(*CHECK)
    assert ended.code == 0, ended.stdout + ended.stderr
    said = ended.stdout.splitlines()
    assert said[-2].startswith(HEADING)
    return said[-1]  # it is one line, but at a terminal


def told(text: str) -> dict[str, tuple[str, str]]:
    """By its name, how each assumption stands and what was seen of it."""
    found = {}
    for part in re.split(r"(?<=[.:]) (?=As assumed|Otherwise|Not to be)", text)[1:]:
        how, _, items = part.partition(": ")
        for name, words in re.findall(r"([a-z-]+)(?: \(((?:[^()]|\([^()]*\))*)\))?[,.]", items):
            found[name] = (how, words)
    return found


def test_each_assumption_is_told_once_with_how_it_stands(pointed_at: PointedAt) -> None:
    with netcup() as sandbox:
        text = paragraph(pointed_at, sandbox)
    for assumption in ASSUMPTIONS:
        assert len(re.findall(rf"[:,] {assumption.name}[ ,.]", text)) == 1, assumption.name
    assert text.count("Otherwise") == 0
    found = told(text)
    assert found["unknown-domain"] == ("As assumed", "404")
    assert found["managed"] == ("As assumed", "true and false")
    assert found["states"] == ("As assumed", "'committed' 1x")
    assert found["names"] == ("As assumed", "relative, the apex @")


@pytest.mark.parametrize(
    ("quirks", "name", "fits", "words"),
    [
        ({"rest_unknown_domain": "empty"}, "unknown-domain", True, "a success without it"),
        ({"rest_unknown_domain": "null"}, "unknown-domain", True, "a success without it"),
        ({"rest_pages": "no-last-page"}, "pages-told", True, "totalEntries"),
        ({"rest_pages": "untold"}, "pages-told", True, "neither number"),
        ({"rest_pages": "none"}, "pages", False, "one asked for, others came"),
        ({"rest_pages": "none"}, "past-the-end", False, "entries again"),
        ({"rest_most_per_page": 3}, "past-the-end", True, "404"),
        ({"rest_most_per_page": 1}, "pages", True, "one asked for, one came"),
        ({"rest_past_the_end": "empty"}, "past-the-end", True, "empty"),
        ({"rest_past_the_end": "null"}, "past-the-end", True, "empty"),
        ({"rest_committed_state": "gültig"}, "states", False, "'gültig' 1x"),
        ({"rest_draft": "newest"}, "states", True, "'committed' 1x, 'draft' 1x"),
        ({"rest_draft": "newest"}, "one-draft", True, "one"),
        ({"rest_draft": "newest"}, "revision-age", True, "serial and createdAt"),
        ({"rest_names": "fqdn"}, "names", True, "full, the apex the zone's name"),
        ({"rest_names": "empty"}, "names", True, "relative, the apex empty"),
        ({"rest_txt": "unquoted"}, "txt-read", True, "no quotes"),
        ({"rest_targets": "no-dot"}, "targets", True, "with and without a last dot"),
        ({"rest_mutable": "null"}, "immutable", True, "true for the SOA, none for texts"),
    ],
    ids=str,
)  # fmt: skip
def test_what_is_otherwise_is_told(
    pointed_at: PointedAt, quirks: dict[str, str], name: str, fits: bool, words: str
) -> None:
    with netcup(**quirks) as sandbox:
        found = told(paragraph(pointed_at, sandbox))
    assert found[name] == ("As assumed" if fits else "Otherwise", words)


@pytest.mark.parametrize(("form", "words"), [("split", "several strings"), ("one-string", "one")])
def test_how_a_long_text_comes_is_told(pointed_at: PointedAt, form: str, words: str) -> None:
    with netcup(rest_txt=form) as sandbox:
        key = {"hostname": "k._domainkey", "type": "TXT", "destination": f"v=DKIM1;p={'A' * 400}"}
        sandbox.set_zone("example.org", [*sandbox.zone("example.org"), key])
        _, said = told(paragraph(pointed_at, sandbox))["txt-read"]
    assert said.startswith(f"in quotes, long ones in {words}")


def test_two_ttls_at_one_name_are_told(pointed_at: PointedAt) -> None:
    with netcup() as sandbox:
        more = {"hostname": "@", "type": "TXT", "destination": "x", "ttl": 77}
        sandbox.set_zone("example.org", [*sandbox.zone("example.org"), more])
        found = told(paragraph(pointed_at, sandbox))
    assert found["one-ttl"] == ("Otherwise", "two at one name and type")


def test_no_value_of_the_account_is_in_it(pointed_at: PointedAt) -> None:
    with netcup() as sandbox:
        rows = sandbox.rest_records("example.org")
        text = paragraph(pointed_at, sandbox)
        values = {word for row in rows for word in re.findall(r"[\w.:-]{4,}", str(row["rdata"]))}
        names = {str(row["name"]) for row in rows if len(str(row["name"])) > 2}
        own = {str(value) for value in sandbox.env.values() if value}
    words = set(re.findall(r"[\w.:-]+", text))
    assert {*values, *names, *own, "example"} & words == set()


def test_it_reads_and_writes_nothing(pointed_at: PointedAt) -> None:
    with netcup() as sandbox:
        before = sandbox.rest_records("example.org")
        paragraph(pointed_at, sandbox)
        asked = requests_of(sandbox)
        assert sandbox.rest_records("example.org") == before
    assert asked.keys() <= {"login", "logout", "domain", "revisions", "records"}
    assert sum(asked.values()) <= 11


@pytest.mark.parametrize("more", [("-q",), ()])
def test_there_is_no_paragraph_where_there_is_nothing_to_see(
    pointed_at: PointedAt, more: tuple[str, ...]
) -> None:
    with Sandbox(["example.net"], clouddns=["example.org"] if more else []) as sandbox:
        cli = pointed_at(sandbox)
        cli.set({"NETCUP_REST_API_KEY": sandbox.rest_key})
        ended = cli(*CHECK, *more)
    assert ended.code == 0
    assert HEADING not in ended.stdout


def test_a_rest_key_in_the_place_of_the_other_key_shows_as_much(
    pointed_at: PointedAt,
) -> None:
    with netcup() as sandbox:
        cli = pointed_at(sandbox)
        names = ("NETCUP_CUSTOMER_NUMBER", "NETCUP_API_PASSWORD", "NETCUP_REST_API_KEY")
        cli.set({**dict.fromkeys(names), "NETCUP_API_KEY": sandbox.rest_key})
        ended = cli(*CHECK)
    assert ended.code == 0, ended.stderr
    assert "not used: NETCUP_API_KEY is a key for the REST API" in ended.stdout
    assert re.search(r"netcup REST API\n  NETCUP_API_KEY +environment\n  works\n", ended.stdout)
    assert HEADING in ended.stdout


def test_a_zone_that_cannot_be_read_is_told_and_the_key_works_all_the_same(cli: Cli) -> None:
    cli.sandbox.fault("revisions", "500", times=9)
    ended = cli(*CHECK)
    assert ended.code == 0
    assert "could not be looked at: netcup's REST API answered HTTP 500" in ended.stderr
    assert HEADING not in ended.stdout


def test_an_account_that_calls_everything_managed_is_told_of(pointed_at: PointedAt) -> None:
    """The first of its domains is on the CCP API, and has no revisions."""
    with netcup(rest_managed="always") as sandbox:
        ended = pointed_at(sandbox)(*CHECK)
    assert ended.code == 0
    assert "could not be looked at" in ended.stderr
