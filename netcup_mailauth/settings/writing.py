"""How a config is written: its texts, its comments, and a table that is added to one.

A file that is there is only ever added to. What stands in it stays, byte by byte: comments and the
order of things are its owner's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from netcup_mailauth import files
from netcup_mailauth.errors import ConfigError, UsageError
from netcup_mailauth.policy import MANAGED
from netcup_mailauth.shown import visible

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from netcup_mailauth.policy import DkimPolicy, DmarcPolicy, DomainPolicy, SpfPolicy
    from netcup_mailauth.records import Kind


def header(mailcow: str | None) -> str:
    """The beginning of a new config file, which names the mailcow if there is one."""
    begun = "# What the mail records at netcup should be. Look at it: netcup-mailauth plan\n\n"
    return begun if mailcow is None else f"{begun}{mailcow_table(mailcow)}\n"


def mailcow_table(url: str) -> str:
    """The table that says where mailcow is."""
    return f"[mailcow]\nurl = {quoted(url)}    # its read-only key: MAILCOW_API_KEY\n"


def domain_table(domain: str, policy: DomainPolicy, reasons: Mapping[Kind, str]) -> str:
    """The table of a domain that wants this, each kind below the reason for it.

    A kind of which nothing is wanted is left to its reason alone.
    """
    lines = [f"[domains.{quoted(domain)}]"]
    if policy.zone is not None:
        lines.append(f"zone = {quoted(policy.zone)}")
    if policy.server is not None:
        lines.append(f"server = {value(policy.server)}")
    for kind in MANAGED:
        if kind in reasons:
            lines.append(comment(reasons[kind]))
        if part := getattr(policy, kind.value):
            lines.append(kind_line(kind, part))
    return "\n".join(lines) + "\n"


def kind_tables(domain: str, policy: DomainPolicy) -> str:
    """What is wanted of a domain beside what its table says already: a table for each kind.

    TOML lets them stand anywhere, so that the domain's own table stays as it is.
    """
    tables = []
    for kind in policy.manages:
        part = getattr(policy, kind.value).model_dump(exclude_none=True)
        lines = [f"{key} = {value(given)}" for key, given in part.items()]
        tables.append("\n".join([f"[domains.{quoted(domain)}.{kind.value}]", *lines, ""]))
    return "\n".join(tables)


def kind_line(kind: Kind, part: SpfPolicy | DkimPolicy | DmarcPolicy) -> str:
    """What is wanted of a kind, in one line; a whole record or a source alone is a plain text."""
    table = part.model_dump(exclude_none=True)
    if len(table) == 1 and (only := table.get(SHORT_FOR[kind.value])) is not None:
        return f"{kind.value} = {value(only)}"
    pairs = (f"{key} = {value(given)}" for key, given in table.items())
    return f"{kind.value} = {{ {', '.join(pairs)} }}"


SHORT_FOR = {"spf": "record", "dkim": "source", "dmarc": "record"}
"""What a plain text in the place of a kind's table says: ``spf = "v=spf1 mx -all"``."""


def value(given: str | list[str]) -> str:
    """A text, or a list of texts."""
    if isinstance(given, list):
        return f"[{', '.join(map(quoted, given))}]"
    return quoted(given)


def comment(text: str) -> str:
    """A line of comment, which nothing in ``text`` ends."""
    return f"# {visible(text)}"


def quoted(text: str) -> str:
    """A basic string of TOML, in ASCII: JSON's are none, for they escape in UTF-16."""
    return '"' + "".join(map(_escaped, text)) + '"'


def _escaped(character: str) -> str:
    if character in _SHORT:
        return _SHORT[character]
    if " " <= character <= "~":
        return character
    if "\ud800" <= character <= "\udfff":
        return "\\uFFFD"  # a lone surrogate is no character, and TOML has no escape for it
    return f"\\U{ord(character):08X}"


_SHORT = {'"': '\\"', "\\": "\\\\"}


def write_new(path: Path, text: str) -> None:
    """Write a file that is not there yet.

    Raises:
        UsageError: it is there, or cannot be written.
    """
    try:
        files.write_new(path, text)
    except OSError as error:
        raise _unwritable(path, error) from None


def _unwritable(path: Path, error: OSError) -> UsageError:
    return UsageError(f"{path} cannot be written: {error.strerror}.", "Name another with -c.")


def add(path: Path, table: str) -> None:
    """Put a table at the end of a config that is there; all before it stays as it is.

    Raises:
        ConfigError: see :func:`added`.
        UsageError: the file cannot be read or written.
    """
    text = added(path, table)
    try:
        files.append(path, text)
    except OSError as error:
        raise _unwritable(path, error) from None


def added(path: Path, table: str) -> bytes:
    """What a config that is there needs at its end to have a table more.

    Raises:
        ConfigError: with it, it would be no TOML, as where all domains are in one line.
        UsageError: the file cannot be read.
    """
    before = files.read_named(path, "a config")
    end = "\r\n" if b"\r\n" in before else "\n"
    gap = "" if not before else "\n" if before.endswith(b"\n") else "\n\n"
    text = (gap + table).replace("\n", end).encode()
    try:
        import tomllib

        tomllib.loads((before + text).decode("utf-8").replace("\r\n", "\n"))
    except ValueError:
        raise ConfigError(
            f"{path} is written so that no table can be added at its end.",
            [],
            "Write this into it by hand, then run the same again:\n" + table,
        ) from None
    return text
