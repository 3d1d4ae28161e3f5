"""The last lines of a plan or a refusal: what is typed, or changed in the config, to go on."""

from __future__ import annotations

from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

from netcup_mailauth.render.zone import joined
from netcup_mailauth.shown import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

SAFER, ALL_THE_SAME = "Safer:", "All the same:"
_WIDTH = len(ALL_THE_SAME) + 2


class Table(NamedTuple):
    """Lines of a config, in place of those of the same keys in the table of a domain."""

    file: str
    name: str
    lines: tuple[str, ...]


class Way(NamedTuple):
    """One way to go on: what the config is to say, then the commands, each whole."""

    label: str
    tables: tuple[Table, ...] = ()
    commands: tuple[str, ...] = ()


def ways_text(ways: Sequence[Way]) -> str:
    """The ways, as the last lines of a text; each command and config line in one piece."""
    lines: list[str] = []
    for way in ways:
        told = [line for table in way.tables for line in _table(table)]
        told += [f"{'then  ' if way.tables else ''}{visible(each)}" for each in way.commands]
        heads = [f"{way.label:<{_WIDTH}}", *(" " * _WIDTH for _ in told)]
        lines += [f"{head}{line}" for head, line in zip(heads, told, strict=False)]
    return joined(lines)


def _table(table: Table) -> list[str]:
    head = f"in {visible(table.file)}, [{visible(table.name)}]:"
    return [head, *(f"  {visible(line)}" for line in table.lines)]


def ways_markdown(ways: Sequence[Way], room: int) -> str:
    """The ways, each command and each config line as it is typed; said so where there is no room.

    ``room`` is the number of characters left.
    """
    from netcup_mailauth.render.forge import code, fence

    lines: list[str] = []
    for way in ways:
        lines += ["", f"**{way.label}**"]
        for file, tables in groupby(way.tables, key=attrgetter("file")):
            told: list[str] = []
            for table in tables:
                blank = [""] if told else []
                told += [*blank, f"[{visible(table.name)}]", *map(visible, table.lines)]
            lines += ["", f"in {code(file)}:", "", *fence("toml", told)]
        if way.commands:
            then = ["", "then:"] if way.tables else []
            lines += [*then, "", *fence("sh", list(map(visible, way.commands)))]
    output = joined(lines)
    return output if len(output) <= room else _NO_ROOM


_NO_ROOM = "\nHow to go on does not fit here; `--format text` says it.\n"
