"""The man page, made from the commands as click has them.

    python -m tests.story.golden.manual --write

writes it anew; no test does.
"""

from __future__ import annotations

import re
import sys
from inspect import cleandoc
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import netcup_mailauth
from netcup_mailauth.cli.commands import COMMANDS
from netcup_mailauth.cli.entry import cli
from netcup_mailauth.cli.help import EXIT_CODES, page
from netcup_mailauth.cli.options import EVERYWHERE, GROUPS
from netcup_mailauth.cli.usage import CONTEXT, Grouped, row_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

PAGE = Path(netcup_mailauth.__file__).parent / "guide" / "netcup-mailauth.1"

NAME = "netcup-mailauth"


def manual() -> str:
    """The whole page, in the language of man(7)."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    context = _within(cli, NAME)
    yield f'.TH {_text(NAME.upper())} 1 "" {_text(NAME)}'
    yield ".SH NAME"
    yield rf"{_text(NAME)} \- put a mail domain's SPF, DKIM and DMARC records right at netcup"
    yield ".SH SYNOPSIS"
    yield rf".B {_text(NAME)}"
    yield r"[\fIOPTIONS\fR] \fICOMMAND\fR [\fIARGS\fR]"
    yield ".SH DESCRIPTION"
    yield from _prose(f"{cli.help}\n\n{cli.epilog}")
    yield ".SH OPTIONS"
    yield from _options(_of(cli, context), context)
    yield ".SH COMMANDS"
    for name in COMMANDS:
        command = COMMANDS[name].made(name)
        yield from _command(command, _within(command, name))
    yield ".SH EXIT STATUS"
    for number, meaning in re.findall(r"^## (\d+) (.*)$", page(EXIT_CODES), re.MULTILINE):
        yield from _item(number, meaning)
    yield ".SH SEE ALSO"
    yield rf"\fB{_text(f'{NAME} help')}\fR shows the guide: pages, findings, exit codes."


def _within(command: click.Command, name: str) -> click.Context:
    settings: dict[str, Any] = CONTEXT
    return click.Context(command, info_name=name, **settings)


def _command(command: click.Command, context: click.Context) -> Iterator[str]:
    """A command: how it is called, what it does, and the options that not every other one has."""
    words = command.collect_usage_pieces(context)
    yield f".SS {_text(' '.join([context.info_name or '', *words]))}"
    yield from _prose(command.help or "")
    assert isinstance(command, Grouped)
    options = _of(command, context)
    for group in GROUPS:
        own = [option for option in options if command.groups.get(option.name or "") == group]
        if own and group != EVERYWHERE:
            yield ".PP"
            yield f"{_text(group)}:"
            yield from _options(own, context)


def _of(command: click.Command, context: click.Context) -> list[click.Option]:
    return [each for each in command.get_params(context) if isinstance(each, click.Option)]


def _options(options: Iterable[click.Option], context: click.Context) -> Iterator[str]:
    for option in options:
        yield from _item(*row_of(option, context))


def _item(name: str, text: str) -> Iterator[str]:
    yield ".TP"
    yield rf"\fB{_text(name)}\fR"
    yield _text(text)


def _prose(text: str) -> Iterator[str]:
    """Paragraphs as click reads them: one that begins with a backspace stays as it is."""
    for number, paragraph in enumerate(cleandoc(text).split("\n\n")):
        lines = paragraph.splitlines()
        if number:
            yield ".PP"
        if lines[0] == "\b":
            yield from (".nf", *map(_text, lines[1:]), ".fi")
        else:
            yield _text(" ".join(lines))


def _text(text: str) -> str:
    """Text in which nothing is taken for a request, and a hyphen is one that a shell knows."""
    shown = text.replace("\\", r"\e").replace("-", r"\-")
    return rf"\&{shown}" if shown.startswith((".", "'")) else shown


if __name__ == "__main__":
    if sys.argv[1:] != ["--write"]:
        sys.exit("python -m tests.story.golden.manual --write")
    PAGE.write_text(manual(), encoding="utf-8")
