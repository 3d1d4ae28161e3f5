"""``completion``: what the shell offers when Tab is pressed, and the script that makes it ask.

A shell asks by running the command with ``_NETCUP_MAILAUTH_COMPLETE`` set (click's protocol). That
happens at a key press: so nothing heavy is imported, nobody is asked, nothing is said on stderr,
and of the config only the domains' names are used.
"""

from __future__ import annotations

import os
import tomllib
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import get_completion_class, shell_complete

from netcup_mailauth import records
from netcup_mailauth.cli.help import subjects
from netcup_mailauth.cli.output import COMPLETE, settings
from netcup_mailauth.errors import ExitCode, UsageError
from netcup_mailauth.files import config_file, expanded, read_regular
from netcup_mailauth.findings import CODES, MEANINGS

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = "netcup-mailauth"

MOST_READ = 1024 * 1024
"""Bytes of a config; a larger one is not looked at."""


def command(shell: str) -> int:
    """Print the script."""
    found = get_completion_class(shell)
    assert found is not None
    group = click.get_current_context().find_root().command
    click.echo(found(group, {}, PROGRAM, COMPLETE).source())
    return ExitCode.OK


def answer(group: click.Command) -> int:
    """Answer a shell. Whatever goes wrong, nothing is offered and nothing is said."""
    with suppress(Exception, KeyboardInterrupt):
        return shell_complete(group, {}, PROGRAM, COMPLETE, os.environ[COMPLETE])
    return ExitCode.ERROR


def offered(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """What can be typed for a parameter, and begins like this: a code, a page, or a domain."""
    if param.name == "allow":
        return _codes(incomplete)
    if param.name == "subject":
        return [name for name in (*subjects(), *MEANINGS) if name.startswith(incomplete)]
    given = ctx.params.get(param.name or "") or ()
    taken = (given,) if isinstance(given, str) else given
    left = (domain for domain in domains_in_config() if domain not in taken)
    return [domain for domain in left if domain.startswith(incomplete.lower())]


def _codes(incomplete: str) -> list[str]:
    """The codes that begin like this; after ``CODE:`` the config's domains."""
    code, colon, _ = incomplete.partition(":")
    whole = [f"{code}:{d}" for d in domains_in_config()] if colon and code in CODES else CODES
    return [text for text in whole if text.startswith(incomplete)]


def domains_in_config() -> tuple[str, ...]:
    """The domains of the config that a run would take, as they are written; none if it is broken.

    The whole check needs the models, and is the command's. Seen here is what no config may be: not
    TOML, or with something for a domain that is none, or with a domain twice.
    """
    with suppress(OSError, ValueError, RecursionError, UsageError):
        named = settings().config
        # The shell hands the line over as typed, with its ~.
        path = config_file(expanded(str(named)) if named else None, os.environ)
        domains = _tables(path).get("domains", {}) if path else {}
        # What is a domain's name holds nothing that means anything to a shell.
        distinct = {records.normalise(name) for name in domains}
        if len(distinct) == len(domains) and all(isinstance(t, dict) for t in domains.values()):
            return tuple(name.strip().rstrip(".").lower() for name in domains)
    return ()


def _tables(path: Path) -> dict[str, dict[str, Any]]:
    """The tables of a config.

    Raises:
        OSError: it cannot be read, or is a pipe or a device, which might never end.
        ValueError: it is too large, not TOML, or ``domains`` is no table.
    """
    tables = tomllib.loads(read_regular(path, MOST_READ).decode())
    if not isinstance(tables.get("domains", {}), dict):
        raise ValueError
    return tables
