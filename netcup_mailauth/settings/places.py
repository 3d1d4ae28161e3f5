"""Paths and addresses in a config: made absolute, and kept to where they may lead.

A config that merely lies in the current folder may come from anybody, as in a merge request. It
may not have a file read that lies outside its folder.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from netcup_mailauth.backends.urls import check_url
from netcup_mailauth.errors import MailauthError, UsageError
from netcup_mailauth.files import expanded
from netcup_mailauth.keys.sources import FILE, check_source
from netcup_mailauth.settings.mistakes import line, tables


def settle(data: dict[str, Any], folder: Path, *, trusted: bool) -> list[str]:
    """Check the places that a config names, and make the paths among them absolute.

    Works on what TOML says, before anything else is known about it, so that these mistakes are
    reported beside all others.

    Returns:
        One line for each mistake.
    """
    problems = []
    for place, table in tables(data):
        dkim = table.get("dkim")
        if isinstance(dkim, dict) and isinstance(dkim.get("source"), str):
            try:
                dkim["source"] = _source(dkim["source"], folder, trusted=trusted)
            except MailauthError as error:
                problems.append(line((*place, "dkim"), "source", _sentences(error)))
    mailcow = data.get("mailcow")
    if isinstance(mailcow, dict):
        problems += _mailcow(mailcow, folder)
    return problems


def _mailcow(table: dict[str, Any], folder: Path) -> list[str]:
    problems = []
    if isinstance(table.get("url"), str):
        try:
            check_url(table["url"], "this")
        except MailauthError as error:
            problems.append(line(("mailcow",), "url", _sentences(error)))
    if isinstance(table.get("api_key_file"), str):
        try:
            table["api_key_file"] = str(folder / expanded(table["api_key_file"]))
        except MailauthError as error:
            problems.append(line(("mailcow",), "api_key_file", _sentences(error)))
    return problems


def _sentences(error: MailauthError) -> str:
    return f"{error.what} {error.advice}"


def _source(text: str, folder: Path, *, trusted: bool) -> str:
    source = check_source(text)
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
