"""The config file: found, read, and every mistake in it told at once; and what it may decide.

A config that merely lies in the current folder may come from anybody, as in a merge request. It may
not have a file read that lies outside its folder; what it may say of a mailcow is decided in
:mod:`netcup_mailauth.settings.mailcow`.
"""

from __future__ import annotations

import os
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from netcup_mailauth import records
from netcup_mailauth.errors import ConfigError, MailauthError, UsageError
from netcup_mailauth.files import MAX_SIZE, TooLargeError, config_folder, expanded, read_regular
from netcup_mailauth.keys.sources import FILE, check_source
from netcup_mailauth.netcup.http import check_url
from netcup_mailauth.policy import MANAGED, Config, DomainPolicy

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pydantic_core import ErrorDetails

FILE_NAME = "netcup-mailauth.toml"

KINDS = tuple(kind.value for kind in MANAGED)


@dataclass(frozen=True, slots=True)
class LoadedConfig:
    """A config, and where it was found. The paths in it are absolute.

    ``trusted`` is false for a file that merely lies in the current folder: it may say what is
    wanted, but not where secrets come from or go to.
    """

    config: Config
    path: Path | None = None
    trusted: bool = True


def load(named: Path | None, environ: Mapping[str, str] = os.environ) -> LoadedConfig:
    """The config named with ``-c``, else the current folder's, else the user's, else an empty one.

    Raises ConfigError if the file cannot be read, or says something it may not.
    """
    if named is not None:
        return LoadedConfig(_read(named), named)
    here = Path(FILE_NAME)
    if _is_file(here):
        return LoadedConfig(_read(here, trusted=False), here, trusted=False)
    return own_config(environ)


def own_config(environ: Mapping[str, str] = os.environ) -> LoadedConfig:
    """The config in the user's config folder, or an empty one; fails as :func:`load` does."""
    try:
        own = config_folder(environ) / FILE_NAME
    except UsageError:  # no home, so no config in it
        return LoadedConfig(Config())
    return LoadedConfig(_read(own), own) if _is_file(own) else LoadedConfig(Config())


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a home folder that is somebody else's, say
        return False


def _read(path: Path, *, trusted: bool = True) -> Config:
    data = _toml(path)
    problems = _settle_places(data, path.parent.absolute(), trusted=trusted)
    problems += beyond_the_models(data)
    try:
        config = Config.model_validate(data)
    except ValidationError as error:
        problems += of_the_models(error)
    if problems:
        # Outside the except block: pydantic's error holds what was written, which may be secret.
        count = "a mistake" if len(problems) == 1 else f"{len(problems)} mistakes"
        raise ConfigError(f"The config {path} has {count}:", problems)
    return config


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(read_regular(path).decode("utf-8").replace("\r\n", "\n"))
    except TooLargeError:
        what, advice = f"is larger than {MAX_SIZE // 1024 // 1024} MiB", "Is it the right file?"
    except OSError as error:
        what, advice = f"cannot be read: {error.strerror}", "Check the path."
    except UnicodeDecodeError:
        what, advice = "is not UTF-8 text", "Is it the right file?"
    except RecursionError:
        what, advice = "is nested too deeply", "Is it the right file?"
    except ValueError as error:  # TOMLDecodeError is one; a number of 5,000 digits is another
        what, advice = f"is not valid TOML: {error}", ""
    raise ConfigError(f"The config {path} {what}.", [], advice)


# --- The places in it -----------------------------------------------------------------------------


def _settle_places(data: dict[str, Any], folder: Path, *, trusted: bool) -> list[str]:
    """Check the places that a config names, and make the paths among them absolute.

    Works on what TOML says, before anything else is known about it, so that these mistakes, one
    line each, are reported beside all others.
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
        problems += _mailcow_places(mailcow, folder)
    return problems


def _mailcow_places(table: dict[str, Any], folder: Path) -> list[str]:
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


# --- The mistakes in it ---------------------------------------------------------------------------


# No line shows what was written where a secret could stand, and each is printable: a config that
# merely lies in the current folder may come from anybody.


def line(table: tuple[str, ...], key: str, problem: str) -> str:
    """One mistake."""
    where = f"[{'.'.join(map(_quoted, table))}] " if table else ""
    return records.visible(f"{where}{_quoted(key) if table else key}: {problem}")


def tables(data: dict[str, Any]) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    """The tables that hold a policy, with their place: the defaults, and each domain's."""
    defaults, domains = data.get("defaults"), data.get("domains")
    if isinstance(defaults, dict):
        yield ("defaults",), defaults
    for name, table in domains.items() if isinstance(domains, dict) else ():
        if isinstance(table, dict):
            yield ("domains", name), table


def beyond_the_models(data: dict[str, Any]) -> list[str]:
    """The mistakes that pydantic does not see, or not beside others. Takes them out of ``data``."""
    found = (_unquoted_names, _double_names, _foreign_zones, _unknown_codes, _in_policies)
    return [mistake for mistakes in found for mistake in mistakes(data)]


def _unquoted_names(data: dict[str, Any]) -> Iterator[str]:
    """``[domains.example.com]``: to TOML that is a table ``com`` in a table ``example``."""
    for place, table in list(tables(data)):
        inner = next((key for key in table if _is_inner_name(key, table)), None)
        if place[0] == "domains" and "." not in place[1] and inner is not None:
            del data["domains"][place[1]]
            yield line(
                ("domains",),
                place[1],
                f'the name of a domain needs quotes: [domains."{place[1]}.{inner}"]',
            )


def _is_inner_name(key: str, table: dict[str, Any]) -> bool:
    return isinstance(table[key], dict) and key not in DomainPolicy.model_fields


def _double_names(data: dict[str, Any]) -> Iterator[str]:
    """Two tables for one domain, spelt in two ways; TOML itself sees to equal spellings."""
    seen: dict[str, str] = {}
    for place, _table in tables(data):
        name = _domain(place[-1])
        if place[0] == "domains" and name in seen:
            yield line(("domains",), place[1], f"is the same domain as {_quoted(seen[name])}")
        seen.setdefault(name, place[-1])


def _domain(name: str) -> str:
    try:
        return records.normalise(name)
    except MailauthError:
        return name


def _foreign_zones(data: dict[str, Any]) -> Iterator[str]:
    """A domain that does not lie in the zone it is said to lie in."""
    for place, table in tables(data):
        name, zone = _domain(place[-1]), table.get("zone")
        if place[0] != "domains" or not isinstance(zone, str) or not _is_domain(zone):
            continue
        if not f".{name}".endswith(f".{_domain(zone)}"):
            del table["zone"]
            yield line(place, "zone", f"{name} does not lie in it")


def _is_domain(name: str) -> bool:
    try:
        records.normalise(name)
    except MailauthError:
        return False
    return True


def _unknown_codes(data: dict[str, Any]) -> Iterator[str]:
    """A consent to a finding that there is not: mistyped, it would never be one."""
    from difflib import get_close_matches

    from netcup_mailauth.findings import CODES, OF_ROTATIONS

    codes = (*CODES, *OF_ROTATIONS)
    for place, table in tables(data):
        allow = table.get("allow")
        for number, code in enumerate(allow if isinstance(allow, list) else (), 1):
            if isinstance(code, str) and code not in codes:
                near = get_close_matches(code, codes, n=1)
                meant = f"; is {near[0]} meant?" if near else ""
                yield line(place, "allow", f"entry {number}: there is no such finding{meant}")


_NOT_FOR_ALL = ("zone", "parked")


def _in_policies(data: dict[str, Any]) -> Iterator[str]:
    for place, table in tables(data):
        for key in _NOT_FOR_ALL if place == ("defaults",) else ():
            if table.pop(key, None) is not None:
                yield line(place, key, "belongs into a domain's table")
        for kind in KINDS:
            # 0 == False, which is all that pydantic asks.
            if isinstance(table.get(kind), int | float) and table[kind] is not False:
                del table[kind]
                yield line(place, kind, _WORDS["model_type_or_false"])


def of_the_models(error: ValidationError) -> list[str]:
    """The mistakes that pydantic found."""
    items = error.errors(include_url=False, include_context=False, include_input=False)
    # A table that may also be `false` reports each mistake in it twice: as a bad table, and as
    # something that is not False.
    return [_of_the_model(item) for item in items if not _is_echo(item)]


def _is_echo(item: ErrorDetails) -> bool:
    return item["type"] == "literal_error" and item["loc"][-1:] == ("literal[False]",)


def _of_the_model(item: ErrorDetails) -> str:
    sort, message = item["type"], item["msg"]
    location = [str(part) for part in item["loc"]] or ["the file"]
    if sort == "mailauth" and location[-1] == "[key]":
        location.pop()  # the key itself is wrong, not what it stands for
    at = 1 if location[0] == "defaults" else 2
    if location[at:] and location[at] in KINDS:
        del location[at + 1]  # the model's name
        if sort == "model_type":
            sort = "model_type_or_false"
    problem = _WORDS.get(sort, message.removeprefix("Input "))
    if any(isinstance(part, int) for part in item["loc"]):  # in a list, which is always the last
        problem = f"entry {int(location.pop()) + 1}: {problem}"
    *table, key = location
    return line(tuple(table), key, problem)


_WORDS = {
    "extra_forbidden": "unknown key",
    "model_type": "should be a table",
    "dict_type": "should be a table",
    "model_type_or_false": "should be a table, or false",
    "string_type": "should be a text in quotes",
    "list_type": "should be a list",
    "bool_type": "should be true or false",
}

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def _quoted(part: str) -> str:
    return part if _BARE.fullmatch(part) else f'"{part}"'
