"""How the help of a command is laid out: its options in groups, each in a line where it fits.

A help is read beside the command that is being typed, so it has to fit on one screen: all texts are
in one column, and only where there are few of them do blank lines part the groups.
"""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

import click

from netcup_mailauth.cli.options import EVERYWHERE, GROUPS
from netcup_mailauth.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

HELP = frozenset({"-h", "--help"})
CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}

WIDEST = 24
"""Columns of the longest name that has its text beside it; a longer one has it below."""

FEW = 28
"""Rows up to which there is room for blank lines."""

Row = tuple[str, str]
"""A name as it is typed, and what it does."""


class Grouped(click.Command):
    """A command whose help shows its options in groups.

    Args:
        groups: the group of each option, by the name of its parameter; one that is not in it is
            click's own, and stands with those that every command has.
    """

    def __init__(self, *args: Any, groups: Mapping[str, str], **more: Any) -> None:
        super().__init__(*args, **more)
        self.groups = groups

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """See click; an error of an option knows of which command it is.

        An option that is given nothing is one whose variable a script has lost. Passed over, it
        would have a record left out in silence.
        """
        try:
            rest = super().parse_args(ctx, args)
        except click.UsageError as error:
            error.ctx = error.ctx or ctx
            raise
        for option in () if ctx.resilient_parsing else self.get_params(ctx):
            value = ctx.params.get(option.name or "")
            values = value if isinstance(value, tuple) else (value,)
            if isinstance(option, click.Option) and any(map(_is_empty, values)):
                raise UsageError(
                    f"{option.opts[-1]} is given nothing.",
                    "Is a variable of the shell empty? Say what it is to be, or leave it out.",
                )
        return rest

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """See click: the options, below everything else."""
        found: dict[str, list[Row]] = {group: [] for group in GROUPS}
        for parameter in self.get_params(ctx):
            if isinstance(parameter, click.Option) and not parameter.hidden:
                group = self.groups.get(parameter.name or "", EVERYWHERE)
                found[group].append(row_of(parameter, ctx))
        write_sections(formatter, {group: rows for group, rows in found.items() if rows})


def _is_empty(value: object) -> bool:
    return isinstance(value, str) and not value.strip()


def row_of(option: click.Option, ctx: click.Context) -> Row:
    """An option as it is typed, and its text; a range that click would add is in the text."""
    names, _ = option.get_help_record(ctx) or ("", "")
    return names, option.help or ""


def write_sections(formatter: click.HelpFormatter, sections: Mapping[str, Sequence[Row]]) -> None:
    """Write rows below their headings, all texts in one column."""
    names = [len(name) for rows in sections.values() for name, _ in rows]
    column = 2 + max((length for length in names if length <= WIDEST), default=0) + 2
    parted = len(names) <= FEW
    for number, (heading, rows) in enumerate(sections.items()):
        if parted or number == 0:
            formatter.write_paragraph()
        formatter.write_heading(heading)
        for name, text in rows:
            _write_row(formatter, f"  {name}", text, column)


def _write_row(formatter: click.HelpFormatter, name: str, text: str, column: int) -> None:
    lines = textwrap.wrap(text, formatter.width - column) or [""]
    if len(name) + 2 > column:
        formatter.write(f"{name}\n")
        name = ""
    formatter.write(f"{name:<{column}}{lines[0]}".rstrip() + "\n")
    for line in lines[1:]:
        formatter.write(f"{' ' * column}{line}\n")
