"""Options and commands are a table: it fits the functions that run, and what is typed again."""

from __future__ import annotations

import inspect
from collections import defaultdict
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest

from netcup_mailauth import cli
from netcup_mailauth.cli.commands import COMMANDS
from netcup_mailauth.cli.options import (
    COMMON,
    EVERYWHERE,
    METRICS_FILE,
    NAMESERVER,
    RESOLVER,
    WANTED,
    Option,
    typed,
)

if TYPE_CHECKING:
    from collections.abc import Callable


def runs(name: str) -> Callable[..., object]:
    """The function that runs a command."""
    found: Callable[..., object] = import_module(f"netcup_mailauth.cli.{name}").command
    return found


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_runs_with_the_options_that_it_is_said_to_have(name: str) -> None:
    made = COMMANDS[name].made(name)
    given = {parameter.name for parameter in made.params if parameter.expose_value}
    inspect.signature(runs(name)).bind(**dict.fromkeys(given - {METRICS_FILE.parameter, None}))


def test_whatever_can_run_is_a_command() -> None:
    files = Path(cli.__file__).parent.glob("*.py")
    assert {file.stem for file in files if "\ndef command(" in file.read_text()} == set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_click_calls_a_parameter_what_the_table_does(name: str) -> None:
    for option in (*COMMANDS[name].options, *COMMON):
        assert option.made().name == option.parameter


def test_an_option_is_in_the_same_group_in_every_command() -> None:
    groups: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for name, command in COMMANDS.items():
        for option in command.options if name != "sandbox" else ():
            groups[option.names].add(option.group)
    assert all(len(found) == 1 for found in groups.values())
    assert {option.group for option in COMMON} == {EVERYWHERE}


def test_no_command_names_an_option_twice() -> None:
    for command in COMMANDS.values():
        names = [name for option in (*command.options, *COMMON) for name in option.names]
        assert len(names) == len(set(names))


KEPT: tuple[Option, ...] = (*WANTED, RESOLVER, NAMESERVER)


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["--spf", "v=spf1 mx -all"],
        ["--spf", ""],
        ["--spf-require", "mx", "--spf-require", "a", "--spf-all", "fail"],
        ["--dkim", "-", "--selector", "s1", "--kind", "dkim"],
        ["--server", "mail.example.com", "--nameserver", "127.0.0.1:53", "--resolver", "::1"],
    ],
)
def test_what_is_typed_again_means_the_same(words: list[str]) -> None:
    command = click.Command("plan", params=[option.made() for option in KEPT])
    with command.make_context("plan", list(words)) as context:
        again = typed(context.params, [option.parameter for option in KEPT])
    assert sorted(again) == sorted(words)
    with command.make_context("plan", list(again)) as second:
        assert second.params == context.params


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_says_what_it_is_for(name: str) -> None:
    options = [one for one in COMMANDS[name].made(name).params if isinstance(one, click.Option)]
    assert [one.name for one in options if not one.help and not one.hidden] == []
