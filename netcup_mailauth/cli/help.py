"""``help``: a page of the guide, a command's options, or what a finding or an exit code means."""

from __future__ import annotations

import re
import shutil
import sys
from difflib import get_close_matches
from importlib.resources import files
from typing import TYPE_CHECKING

import click

from netcup_mailauth.cli.output import attended, show
from netcup_mailauth.errors import ExitCode, UsageError
from netcup_mailauth.findings import MEANINGS
from netcup_mailauth.render.guide import consent, of_finding, plain, section

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

INDEX = "README"
"""The page that lists the others."""

FINDINGS = "findings"
"""The page that lists all of them, and so has every word."""

EXIT_CODES = "exit-codes"
"""The page with a section for each exit code."""


def command(subject: tuple[str, ...]) -> int:
    """Show what is asked for; without a subject, which there are."""
    name = "-".join(subject).lower().removesuffix(".md")
    _page(_text(name) if name else plain(page(INDEX)))
    return ExitCode.OK


def subjects() -> list[str]:
    """The names of the pages, but for the index."""
    names = (entry.name for entry in _folder().iterdir())
    pages = sorted(name.removesuffix(".md") for name in names if name.endswith(".md"))
    return [name for name in pages if name != INDEX]


def page(name: str) -> str:
    """A page of the guide, as Markdown."""
    return (_folder() / f"{name}.md").read_text(encoding="utf-8")


def _folder() -> Traversable:
    return files("netcup_mailauth") / "guide"


def _text(name: str) -> str:
    """The page, finding, exit code or command of this name.

    Raises UsageError if it is none.
    """
    context = click.get_current_context().find_root()
    assert isinstance(context.command, click.Group)
    named = context.command.get_command(context, name)
    if name in MEANINGS:
        accepted = consent(name)
        return plain(of_finding(name)) + (f"\n{accepted}" if accepted else "")
    if name.isdecimal() and (found := section(page(EXIT_CODES), name)):
        return plain(found)
    if name in subjects():
        options = f"\nIts options: netcup-mailauth {name} --help\n" if named else ""
        return plain(page(name)) + options
    if named is not None:
        within = click.Context(named, context, info_name=name, **context.command.context_settings)
        return f"{named.get_help(within)}\n"
    what, every = f"There is no help on {name!r}.", "netcup-mailauth help lists what there is."
    if (telling := _telling(name)) is not None:
        raise UsageError(what, f"The page that tells of it: netcup-mailauth help {telling}")
    known = [*subjects(), *context.command.list_commands(context), *MEANINGS]
    near = get_close_matches(name, known, n=1)
    raise UsageError(what, f"Is {near[0]} meant? {every}" if near else every)


SPOKEN_OF = 2
"""How often a page has a word that it tells of."""


def _telling(name: str) -> str | None:
    """The page that has a word most often: ``spf`` and ``systemd`` are none by themselves."""
    pages = {one: page(one).lower() for one in subjects() if one != FINDINGS}
    counted = {one: re.findall(r"\w(?:[\w-]*\w)?", text).count(name) for one, text in pages.items()}
    most = max(counted, key=counted.__getitem__)
    return most if counted[most] >= SPOKEN_OF else None


def _page(text: str) -> None:
    """Print it; at a terminal that it does not fit on, page by page."""
    at_terminal = attended() and sys.stdout.isatty()
    if at_terminal and text.count("\n") >= shutil.get_terminal_size().lines:
        click.echo_via_pager(text)
    else:
        show(text)
