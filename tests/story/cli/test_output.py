"""What is printed is fit to be looked at, whatever it is made of, and printing never fails."""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netcup_mailauth import documents, planfile
from netcup_mailauth.cli import entry, main
from netcup_mailauth.cli.output import (
    Outlet,
    StdoutClosedError,
    check_printed,
    outlets,
    say,
    show,
    show_sentence,
    warn,
)
from netcup_mailauth.errors import ApiError, ExitCode
from netcup_mailauth.plan import ChangeSet, Failure, Plan
from netcup_mailauth.shown import laid_out, visible
from tests.core.render.samples import PLACE
from tests.effort import MANY

if TYPE_CHECKING:
    from pathlib import Path

ODD = ("\x00", "\x07", "\x1b[2J", "\r", "\n", "\t", "\x7f", "\x85", "\x9b31m", "\xad", "\u200b")
ODDER = ("\u2028", "\u2029", "\u202e", "\u2066", "\u2069", "\ufeff", "\udc80", "\U000e0041")


def is_plain(text: str, *kept: str) -> bool:
    return all(visible(c) == c or c in kept for c in text)


@pytest.mark.parametrize("odd", [*ODD, *ODDER])
def test_a_message_is_one_line_of_what_can_be_seen(
    odd: str, capsys: pytest.CaptureFixture[str]
) -> None:
    say(f"mailcow says {odd} and stops")
    warn(f"{odd}{odd}")
    error = capsys.readouterr().err
    assert error.count("\n") == 2
    assert is_plain(error, "\n")


@pytest.mark.parametrize("odd", [*ODD, *ODDER])
def test_what_is_laid_out_keeps_its_lines_and_nothing_else(odd: str) -> None:
    assert is_plain(laid_out(f"a\n{odd}b\n", coloured=False), "\n")
    assert laid_out("\x1b[1;31ma\x1b[0m\n", coloured=True) == "\x1b[1;31ma\x1b[0m\n"
    assert laid_out("\x1b[1;31ma\x1b[0m\n", coloured=False) == "\\x1b[1;31ma\\x1b[0m\n"
    assert laid_out("\x1b[2Ja", coloured=True) == "\\x1b[2Ja"


@MANY
@given(text=st.text(), encoding=st.sampled_from(["utf-8", "ascii", "latin-1", "cp437"]))
def test_no_text_and_no_encoding_makes_printing_fail(text: str, encoding: str) -> None:
    beneath = io.BytesIO()
    outlet = Outlet(io.TextIOWrapper(beneath, encoding=encoding, newline="\n"))
    assert outlet.write(text) == len(text)
    outlet.flush()
    assert not outlet.lost
    assert is_plain(beneath.getvalue().decode(encoding), "\n", "\r", "\x1b")


class Broken(io.StringIO):
    """A stream that has no room."""

    def write(self, _text: str) -> int:
        raise OSError(28, "No space left on device")


@pytest.mark.parametrize("stream", [Broken(), None])
def test_what_cannot_be_printed_is_kept_in_mind(
    stream: io.StringIO | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdout", stream)
    with outlets():
        check_printed()
        click.echo("a")
        click.echo("b")
        with pytest.raises(StdoutClosedError, match="to stdout: "):
            check_printed()
    assert sys.stdout is stream


def test_show_prints_as_it_is_laid_out(capsys: pytest.CaptureFixture[str]) -> None:
    show("one\ntwo\n")
    show("\x1b[31mthree\n", err=True)
    assert capsys.readouterr() == ("one\ntwo\n", "\\x1b[31mthree\n")


@pytest.mark.parametrize("odd", [*ODD, *ODDER])
@pytest.mark.parametrize("output_format", ["text", "json", "markdown"])
def test_a_forged_plan_shows_no_control_characters(
    odd: str, output_format: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    failure = Failure(ExitCode.ZONE, f"a{odd}b", f"c{odd}d")
    plan = Plan((ChangeSet(PLACE, error=failure),))
    path = tmp_path / "plan.json"
    path.write_text(documents.dumps(planfile.plan_document(plan)))
    main(["show", str(path), "--format", output_format])
    shown = capsys.readouterr()
    assert is_plain(shown.out + shown.err, "\n")


@pytest.mark.parametrize("odd", [*ODD[1:], *ODDER])
def test_an_argument_is_echoed_printable(odd: str, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (
        ["plan", f"exa{odd}mple..com", "--spf", "v=spf1 -all"],
        [f"pl{odd}an"],
        ["plan", f"--no{odd}"],
        ["plan", "-c", f"no{odd}.toml"],
        ["show", f"no{odd}.json"],
        ["plan", "example.com", "--spf", f"v=spf1 {odd} -all"],
        ["plan", "example.com", "--allow", f"code{odd}"],
        ["plan", "example.com", "--shard", odd],
    ):
        assert main(arguments) == 2
        shown = capsys.readouterr()
        assert is_plain(shown.out + shown.err, "\n"), (arguments, shown)


def test_a_line_break_in_an_error_is_none_of_ours(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever can put one into a name or a text could else write lines of their own."""

    def refuse(*_: object, **__: object) -> None:
        raise ApiError("netcup says a\nnetcup-mailauth: example.com: written and verified", "b")

    monkeypatch.setattr(entry.cli, "main", refuse)
    assert entry.main([]) == ExitCode.ERROR
    assert capsys.readouterr().err.splitlines() == [
        r"netcup-mailauth: netcup says a\nnetcup-mailauth: example.com: written and verified",
        "  b",
    ]


def test_at_a_terminal_a_sentence_is_broken_at_blanks_and_stays_behind_its_lead(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = " ".join(["it is not tried again, because more tries lock the account"] * 3)
    show_sentence(text, "  ")
    assert capsys.readouterr().out == f"  {text}\n"
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "80")
    show_sentence(text, "  ")
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) > 1
    assert all(line.startswith("  ") and len(line) <= 80 for line in lines)
    assert " ".join(line.strip() for line in lines) == text
