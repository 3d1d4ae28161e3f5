"""The help of each command fits on a screen, says something of every option, and can be typed."""

from __future__ import annotations

import re
import shlex

import click
import pytest

from netcup_mailauth.cli.commands import COMMANDS
from netcup_mailauth.cli.entry import main
from netcup_mailauth.cli.options import (
    COMMON,
    EVERYWHERE,
    GROUPS,
    MANY_DOMAINS,
    OUTPUT,
    RECORDS,
    SAFETY,
)

SCREEN = 48
"""Lines that a help may have at 80 columns."""

WIDTHS = (80, 120)


def help_of(
    name: str, capsys: pytest.CaptureFixture[str], patch: pytest.MonkeyPatch, columns: int = 80
) -> list[str]:
    patch.setenv("COLUMNS", str(columns))
    assert main([*filter(None, [name]), "--help"]) == 0
    return capsys.readouterr().out.splitlines()


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_a_help_fits_on_a_screen(
    name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = help_of(name, capsys, monkeypatch)
    assert len(lines) <= SCREEN
    assert max(map(len, lines)) <= 80, "a terminal would break it in a word"


@pytest.mark.parametrize("columns", WIDTHS)
@pytest.mark.parametrize("name", COMMANDS)
def test_options_are_grouped_in_one_order(
    name: str, columns: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = help_of(name, capsys, monkeypatch, columns)
    headings = [line[:-1] for line in lines if re.fullmatch(r"[A-Z][a-z ]+:", line)]
    assert headings == [group for group in GROUPS if group in headings]
    assert headings[-1] == EVERYWHERE
    known = {option.group for option in (*COMMANDS[name].options, *COMMON)}
    assert set(headings) == known


def test_what_is_wanted_of_plan_comes_before_how_it_is_run(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "\n".join(help_of("plan", capsys, monkeypatch))
    places = [text.index(f"\n{group}:\n") for group in (RECORDS, SAFETY, OUTPUT, MANY_DOMAINS)]
    assert places == sorted(places)
    assert places[0] < text.index("--spf RECORD") < places[1]
    assert text.index("--shard") > places[3]


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_option_has_a_text_and_no_range_in_brackets(
    name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = COMMANDS[name].made(name)
    shown = "\n".join(help_of(name, capsys, monkeypatch))
    for option in made.params:
        if isinstance(option, click.Option):
            assert option.help, option.name
            assert all((one in shown) is not option.hidden for one in option.opts)
    assert "<=" not in shown
    assert ">=" not in shown


@pytest.mark.parametrize("name", ["plan", "apply"])
def test_the_first_example_is_the_how_to_and_can_be_typed(
    name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "\n".join(help_of(name, capsys, monkeypatch))
    first = text[text.index("netcup-mailauth " + name + " example") :].partition("\n  netcup")[0]
    words = shlex.split(first)
    assert words[:3] == ["netcup-mailauth", name, "example.com"]
    options = COMMANDS[name].made(name).make_context(name, words[2:]).params
    assert options["spf"] == "v=spf1 mx a -all"
    assert options["mailcow"].startswith("https://")
    assert options["dmarc"] == "v=DMARC1;p=quarantine"


def test_check_writes_nothing_so_its_records_are_expected_to_be(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "\n".join(help_of("check", capsys, monkeypatch))
    assert "The SPF record is expected to be this." in text
    assert "exactly this" not in text


def test_the_program_names_its_commands_before_its_options(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "\n".join(help_of("", capsys, monkeypatch))
    assert text.index("\nCommands:\n") < text.index("\nEverywhere:\n")
    assert all(f"\n  {name} " in text for name in COMMANDS)
