"""The mistakes in a config, one line each: table, key, what is wrong.

No line shows what was written where a secret could stand, and each is printable: a config that
merely lies in the current folder may come from anybody.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from netcup_mailauth import names
from netcup_mailauth.errors import MailauthError
from netcup_mailauth.policy import MANAGED, DomainPolicy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

KINDS = tuple(kind.value for kind in MANAGED)


def line(table: tuple[str, ...], key: str, problem: str) -> str:
    """One mistake."""
    where = f"[{'.'.join(map(_quoted, table))}] " if table else ""
    return _printable(f"{where}{_quoted(key) if table else key}: {problem}")


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
        return names.normalise(name)
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
        names.normalise(name)
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


def _printable(text: str) -> str:
    """The text with control characters written out, so that it stays one harmless line."""
    return "".join(
        character if character.isprintable() else ascii(character)[1:-1] for character in text
    )
