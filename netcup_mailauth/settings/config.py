"""The config file: found, read, and every mistake in it told at once; and what it may decide.

A config that merely lies in the current folder may come from anybody, as in a merge request. It may
not have a file read that lies outside its folder; what it may say of a mailcow is decided in
:mod:`netcup_mailauth.settings.mailcow`.
"""

from __future__ import annotations

import os
import re
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from netcup_mailauth import records
from netcup_mailauth.errors import ConfigError, MailauthError, UsageError
from netcup_mailauth.files import (
    CONFIG_NAME,
    MAX_SIZE,
    TooLargeError,
    config_file,
    expanded,
    own_config_file,
    read_regular,
)
from netcup_mailauth.keys.sources import FILE, check_source
from netcup_mailauth.netcup.http import check_url
from netcup_mailauth.policy import Config
from netcup_mailauth.settings import LoadedConfig, no_config
from netcup_mailauth.settings.mistakes import (
    Mistake,
    Place,
    beyond_the_models,
    of_the_models,
    tables,
    told,
)
from netcup_mailauth.settings.writing import SHORT_FOR

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping


def load(named: Path | None, environ: Mapping[str, str] = os.environ) -> LoadedConfig:
    """The config named with ``-c``, else the current folder's, else the user's, else an empty one.

    Raises ConfigError if the file cannot be read, or says something it may not.
    """
    found = config_file(named, environ)
    if found is None:
        return no_config()
    return _loaded(found, trusted=named is not None or found != Path(CONFIG_NAME))


def own_config(environ: Mapping[str, str] = os.environ) -> LoadedConfig:
    """The config in the user's config folder, or an empty one; fails as :func:`load` does."""
    own = own_config_file(environ)
    return no_config() if own is None else _loaded(own)


def _loaded(path: Path, *, trusted: bool = True) -> LoadedConfig:
    text = _text(path)
    data = _toml(text, path)
    short = _written_out(data)
    mistakes = _settle_places(data, path.parent.absolute(), trusted=trusted)
    mistakes += beyond_the_models(data)
    try:
        config = Config.model_validate(data)
    except ValidationError as error:
        mistakes += of_the_models(error)
    if mistakes:
        # Outside the except block: pydantic's error holds what was written, which may be secret.
        mistakes = [_as_it_is_written(mistake, short) for mistake in mistakes]
        count = "a mistake" if len(mistakes) == 1 else f"{len(mistakes)} mistakes"
        raise ConfigError(f"The config {path} has {count}:", told(mistakes, text))
    named = {records.normalise(name): name for name in data.get("domains", ())}
    spelt = {domain: name for domain, name in named.items() if domain != name}
    return LoadedConfig(config, path, trusted, spelt)


def _text(path: Path) -> str:
    try:
        data = read_regular(path)
    except TooLargeError:
        what, advice = f"is larger than {MAX_SIZE // 1024 // 1024} MiB", "Is it the right file?"
    except OSError as error:
        what, advice = f"cannot be read: {error.strerror}", "Check the path."
    else:
        try:
            # Some editors begin a file with a byte order mark, which is no TOML.
            return data.decode("utf-8-sig").replace("\r\n", "\n")
        except UnicodeDecodeError as error:
            line = data[: error.start].count(b"\n") + 1
        what, advice = f"is not UTF-8 text (line {line})", "Save it as UTF-8, or name another."
    raise ConfigError(f"The config {path} {what}.", [], advice)


IN_QUOTES = (
    'A text stands in quotes, and so does the name of a domain: [domains."example.com"], and below '
    'it spf = "v=spf1 mx -all"'
)


def _toml(text: str, path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except RecursionError:
        what, advice = "is nested too deeply", "Is it the right file?"
    except ValueError as error:  # TOMLDecodeError is one; a number of 5,000 digits is another
        said, at = _said_and_where(str(error), text)
        advice = IN_QUOTES
        if "overwrite" in said or "twice" in said:
            said, advice = "the same key or table is there before", "Make one of both."
        elif "Unescaped" in said:
            advice = "A text with a backslash in it stands in single quotes: 'C:\\keys'"
        elif "Invalid initial character" in said:
            advice = "What stands in braces has to stand on one line: spf = { require = [...] }"
        what = f"is not valid TOML{at}: {said}"
    raise ConfigError(f"The config {path} {what}.", [], advice)


def _said_and_where(message: str, text: str) -> tuple[str, str]:
    """tomllib's message without the place at its end, and that place in brackets."""
    said, _, at = message.rpartition(" (at ")
    if at == "end of document)":
        return said, f" (line {len(text.rstrip().splitlines()) or 1})"
    return (said, f" ({at}") if said else (message, "")


# --- Plain texts in it ----------------------------------------------------------------------------


def _written_out(data: dict[str, Any]) -> set[Place]:
    """Make a table of each kind that is given as a plain text; where those are."""
    short = set()
    for place, table in tables(data):
        for kind, key in SHORT_FOR.items():
            if isinstance(table.get(kind), str):
                table[kind] = {key: table[kind]}
                short.add((*place, kind))
    return short


def _as_it_is_written(mistake: Mistake, short: Collection[Place]) -> Mistake:
    """A mistake in a plain text is at the kind, not at a key that nobody wrote."""
    kind = mistake.place[:-1]
    return replace(mistake, place=kind) if kind in short else mistake


# --- The places in it -----------------------------------------------------------------------------


def _settle_places(data: dict[str, Any], folder: Path, *, trusted: bool) -> list[Mistake]:
    """Check the places that a config names, and make the paths among them absolute.

    Works on what TOML says, before anything else is known about it, so that these mistakes are
    reported beside all others.
    """
    mistakes = []
    for place, table in tables(data):
        dkim = table.get("dkim")
        if isinstance(dkim, dict) and isinstance(dkim.get("source"), str):
            try:
                dkim["source"] = _source(dkim["source"], folder, trusted=trusted)
            except MailauthError as error:
                mistakes.append(Mistake((*place, "dkim", "source"), error.sentences))
    mailcow = data.get("mailcow")
    if isinstance(mailcow, dict):
        mistakes += _mailcow_places(mailcow, folder)
    return mistakes


def _mailcow_places(table: dict[str, Any], folder: Path) -> list[Mistake]:
    mistakes = []
    if isinstance(table.get("url"), str):
        try:
            check_url(table["url"], "this")
        except MailauthError as error:
            mistakes.append(Mistake(("mailcow", "url"), error.sentences))
    if isinstance(table.get("api_key_file"), str) and _KEY.fullmatch(table["api_key_file"].strip()):
        problem = "is a key itself; save it in a file of your own (0600), and name that"
        mistakes.append(Mistake(("mailcow", "api_key_file"), problem))
    elif isinstance(table.get("api_key_file"), str):
        try:
            table["api_key_file"] = str(folder / expanded(table["api_key_file"]))
        except MailauthError as error:
            mistakes.append(Mistake(("mailcow", "api_key_file"), error.sentences))
    return mistakes


_KEY = re.compile(r"(?:[0-9A-Za-z]{6}-){4}[0-9A-Za-z]{6}")
"""A key as mailcow makes it."""


def _source(text: str, folder: Path, *, trusted: bool) -> str:
    source = check_source(text, in_config=True)
    if not source.startswith(FILE):
        return source
    path = folder / expanded(source.removeprefix(FILE))
    return f"{FILE}{path if trusted else _inside(path, folder)}"


def _inside(path: Path, folder: Path) -> Path:
    """The file that ``path`` leads to, links and all, if it lies in ``folder``."""
    target = Path(os.path.realpath(path))  # unlike Path.resolve, it never fails
    if target.is_relative_to(os.path.realpath(folder)):
        return target
    raise UsageError(
        f"The file {path} lies outside this config's folder, and the config was merely found in "
        "the current folder.",
        "If it is yours, name it with -c, or give the key with --dkim.",
    )
