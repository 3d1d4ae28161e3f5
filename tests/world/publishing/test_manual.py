"""The man page is what the commands say."""

from __future__ import annotations

import subprocess

from netcup_mailauth.cli.commands import COMMANDS
from tests.story.golden.manual import PAGE, manual
from tests.world.examples.machine import program


def test_it_says_what_the_commands_say_now() -> None:
    assert PAGE.read_text(encoding="utf-8") == manual()


def test_man_has_nothing_against_it() -> None:
    words = [program("mandoc", "mandoc"), "-T", "lint", "-W", "warning", str(PAGE)]
    ended = subprocess.run(words, capture_output=True, text=True, check=False)
    said = (ended.stdout + ended.stderr).splitlines()
    # It is the page of whatever version it comes with, and has no date of its own.
    assert [line for line in said if "missing date" not in line] == []


def test_what_is_typed_is_there_as_it_is_typed() -> None:
    words = [program("mandoc", "mandoc"), "-T", "ascii", str(PAGE)]
    shown = subprocess.run(words, capture_output=True, check=True).stdout.decode()
    page = "".join(part[-1] for part in _struck(shown))
    for name in COMMANDS:
        assert f"   {name} [OPTIONS]" in page
    assert "netcup-mailauth apply example.com --mailcow https://mail.example.com \\\n" in page
    assert "--spf 'v=spf1 mx a -all' --dmarc 'v=DMARC1;p=quarantine'" in page


def _struck(shown: str) -> list[str]:
    """What is printed at each place: bold is a letter struck twice, underlined one on a line."""
    places: list[str] = []
    letters = iter(shown)
    for letter in letters:
        if letter == "\b":
            places[-1] += next(letters)
        else:
            places.append(letter)
    return places
