"""What netcup sends is data: it may be endless, nonsense or meant to do harm."""

from __future__ import annotations

import time
import unicodedata
from typing import TYPE_CHECKING

import pytest

from tests.e2e.answering import LOGIN, answering, envelope, record

if TYPE_CHECKING:
    from tests.e2e.command import Command

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
    command: Command, answer: bytes, words: str
) -> None:
    began = time.monotonic()
    with answering(LOGIN, answer) as url:
        command.changes["NETCUP_CCP_ENDPOINT"] = url
        ended = command("apply", "example.com", *SPF, "--yes")
    assert ended.code == 1
    assert words in " ".join(ended.stderr.split())
    assert time.monotonic() - began < 30
    assert not list(command.folder.glob("state/**/*.json"))


NASTY = "\x1b]0;title\x07\x1b[2J\u202e\u200b\r\n\x9b31m"


def harmful(text: str) -> set[str]:
    """Control and format characters (bidirectional, zero-width) other than a line end."""
    return {c for c in text if unicodedata.category(c) in ("Cc", "Cf") and c != "\n"}


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("field", ["destination", "hostname", "type", "priority"])
def test_control_characters_in_a_record_are_shown_escaped(
    command: Command, form: str, field: str
) -> None:
    """A record of a neighbour, or of who was in the account, must not drive the terminal."""
    data = {"dnsrecords": [record(**{field: f"x{NASTY}y"})]}
    with answering(LOGIN, envelope(data)) as url:
        command.changes["NETCUP_CCP_ENDPOINT"] = url
        for arguments in (("records", "example.com"), ("plan", "example.com", *SPF)):
            ended = command(*arguments, "--format", form)
            assert harmful(ended.stdout + ended.stderr) == set()


def test_control_characters_in_an_error_are_shown_escaped(command: Command) -> None:
    refusal = envelope(status="error", statuscode=5031, longmessage=f"x{NASTY}y")
    with answering(LOGIN, refusal) as url:
        command.changes["NETCUP_CCP_ENDPOINT"] = url
        for arguments in (("records", "example.com"), ("plan", "example.com", *SPF)):
            ended = command("-v", *arguments)
            assert harmful(ended.stdout + ended.stderr) == set()
