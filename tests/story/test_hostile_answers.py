"""What netcup sends is data: it may be endless, nonsense or meant to do harm."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

import pytest

from tests.apis import on_clouddns
from tests.story.answering import FOUND, LOGIN, REVISIONS, answering, envelope, record, rest, row

if TYPE_CHECKING:
    from tests.story.inprocess import Cli

FORMATS = ("text", "json", "markdown")
SPF = ("--spf-drop", "include:_spf.webhosting.systems", "--spf", "v=spf1 mx a -all")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"[" * 100_000_000, "answer without end"),
        (b"[" * 10_000 + b"]" * 10_000, "not JSON"),
        (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, "not JSON"),
        (envelope({"dnsrecords": [record(id="seven")]}), "not as documented"),
        (envelope({"dnsrecords": [record(id="1; DROP")]}), "not as documented"),
        (envelope({"dnsrecords": [record(id=[1])]}), "not as documented"),
        (envelope({"dnsrecords": [record(id=True)]}), "not as documented"),
        (envelope({"dnsrecords": [record(id=1.5)]}), "not as documented"),
        (envelope({"dnsrecords": [record(id="-1")]}), "not as documented"),
        (envelope({"dnsrecords": [record(), record(destination="y")]}), "two records"),
        (envelope({"dnsrecords": {"0": record()}}), "not as documented"),
        (envelope([]), "not as documented"),
        (b"\x00" * 1000, "not JSON"),
        (b"", "nothing"),
        (b"NaN", "unknown shape"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_hostile_answer_is_an_error_and_nothing_is_written(
    cli: Cli, answer: bytes, words: str
) -> None:
    with answering(LOGIN, answer) as url:
        cli.set({"NETCUP_CCP_ENDPOINT": url})
        ended = cli("apply", "example.com", *SPF, "--yes")
    assert ended.code == 1
    assert words in " ".join(ended.stderr.split())
    assert not list(cli.folder.glob("state/**/*.json"))


NASTY = "\x1b]0;title\x07\x1b[2J\u202e\u200b\r\n\x9b31m"


def harmful(text: str) -> set[str]:
    """Control and format characters (bidirectional, zero-width) other than a line end."""
    return {c for c in text if unicodedata.category(c) in ("Cc", "Cf") and c != "\n"}


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("field", ["destination", "hostname", "type", "priority"])
def test_control_characters_in_a_record_are_shown_escaped(cli: Cli, form: str, field: str) -> None:
    """A record of a neighbour, or of who was in the account, must not drive the terminal."""
    data = {"dnsrecords": [record(**{field: f"x{NASTY}y"})]}
    with answering(LOGIN, envelope(data)) as url:
        cli.set({"NETCUP_CCP_ENDPOINT": url})
        for arguments in (("records", "example.com"), ("plan", "example.com", *SPF)):
            ended = cli(*arguments, "--format", form)
            assert harmful(ended.stdout + ended.stderr) == set()


@pytest.mark.parametrize("field", ["status", "shortmessage", "longmessage"])
def test_control_characters_in_an_error_are_shown_escaped(cli: Cli, field: str) -> None:
    words = {"status": "error", field: f"x{NASTY}y"}
    refusal = envelope(statuscode=5031, **words)
    with answering(LOGIN, refusal) as url:
        cli.set({"NETCUP_CCP_ENDPOINT": url})
        for arguments in (("records", "example.com"), ("plan", "example.com", *SPF)):
            ended = cli("-v", *arguments)
            assert harmful(ended.stdout + ended.stderr) == set()


# --- The REST API ---------------------------------------------------------------------------------


@on_clouddns
@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ([b"[" * 10_000 + b"]" * 10_000], "not JSON"),
        ([b"null"], "not JSON"),
        ([FOUND, REVISIONS, rest({"0": row()})], "unknown shape"),
        ([FOUND, REVISIONS, rest([row(ttl="soon")])], "unknown shape"),
        ([FOUND, REVISIONS, rest([row(name=[1])])], "unknown shape"),
        ([FOUND, rest([])], "no revision"),
        ([FOUND, rest([{"identifier": "r", "state": NASTY, "serial": 1}])], "no revision"),
    ],
    ids=["nested", "null", "object", "ttl", "name", "no revision", "state"],
)
def test_a_hostile_rest_answer_is_an_error_and_nothing_is_written(
    cli: Cli, answers: list[bytes], words: str
) -> None:
    with answering(*answers) as url:
        cli.set({"NETCUP_REST_ENDPOINT": url.rstrip("/")})
        ended = cli("apply", "example.com", *SPF, "--yes")
    assert ended.code == 1
    assert words in " ".join(ended.stderr.split())
    assert harmful(ended.stdout + ended.stderr) == set()
    assert not list(cli.folder.glob("state/**/*.json"))


@on_clouddns
@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("field", ["rdata", "name", "type", "identifier"])
def test_control_characters_in_a_row_are_shown_escaped(cli: Cli, form: str, field: str) -> None:
    rows = rest([row(), row(**{"identifier": "r2", field: f"x{NASTY}y"})])
    for arguments in (("records", "example.com"), ("plan", "example.com", *SPF)):
        with answering(FOUND, REVISIONS, rows) as url:
            cli.set({"NETCUP_REST_ENDPOINT": url.rstrip("/")})
            ended = cli(*arguments, "--format", form)
        assert ended.stdout
        assert harmful(ended.stdout + ended.stderr) == set()


@on_clouddns
@pytest.mark.parametrize("field", ["code", "message"])
def test_control_characters_in_a_rest_error_are_shown_escaped(cli: Cli, field: str) -> None:
    error = {"code": "x", "message": "x", field: f"x{NASTY}y"}
    for status in (400, 404, 422):
        with answering(rest(None, errors=(error,)), status=status) as url:
            cli.set({"NETCUP_REST_ENDPOINT": url.rstrip("/")})
            ended = cli("-v", "plan", "example.com", *SPF)
        assert ended.code != 0
        assert harmful(ended.stdout + ended.stderr) == set()
