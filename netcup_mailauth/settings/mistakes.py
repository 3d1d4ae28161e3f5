"""The mistakes in a config, each told in one line: where it is, what is wrong, what is meant.

What was written is shown only where no secret can stand, and every line is printable: a config that
merely lies in the current folder may come from anybody.
"""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from netcup_mailauth import records
from netcup_mailauth.errors import MailauthError
from netcup_mailauth.findings import CODES, OF_ROTATIONS
from netcup_mailauth.keys.sources import may_be_a_key
from netcup_mailauth.policy import (
    MANAGED,
    Config,
    DkimPolicy,
    DmarcPolicy,
    DomainPolicy,
    MailcowSettings,
    RotationSettings,
    SpfPolicy,
)
from netcup_mailauth.shown import visible

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

    from netcup_mailauth.shapes import Shape

KINDS = tuple(kind.value for kind in MANAGED)

Place = tuple[str, ...]
"""A key, and before it the tables it lies in, as they are written."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong at a place."""

    place: Place
    problem: str


def told(mistakes: Iterable[Mistake], text: str) -> list[str]:
    """One line for each mistake in ``text``, in the order of the file."""
    lines = lines_of(text)
    numbered = [(lines.get(mistake.place), mistake) for mistake in mistakes]
    numbered.sort(key=lambda item: item[0] or 0)
    return [_line(number, mistake) for number, mistake in numbered]


def _line(number: int | None, mistake: Mistake) -> str:
    *table, key = mistake.place or ("the file",)
    at = f"line {number}: " if number else ""
    within = f"[{'.'.join(map(_quoted, table))}] " if table else ""
    name = _quoted(key) if table else key
    return visible(f"{at}{within}{name}: {mistake.problem}")


_BARE = re.compile(r"[A-Za-z0-9_-]+")


def _quoted(part: str) -> str:
    return part if _BARE.fullmatch(part) else f'"{part}"'


MAX_LINES = 500
"""Lines of one value after which the lines of a file are not looked for further."""


def lines_of(text: str) -> dict[Place, int]:
    """The line on which each table and key of a valid TOML text begins.

    Every statement is TOML by itself, so that tomllib says where one ends and what is in it.
    """
    found: dict[Place, int] = {}
    table: Place = ()
    statement: list[str] = []
    for number, line in enumerate(text.split("\n"), 1):
        statement.append(line)
        try:
            said = tomllib.loads("\n".join(statement))
        except ValueError:
            if len(statement) > MAX_LINES:
                break
            continue
        begun, statement = number + 1 - len(statement), []
        is_header = line.lstrip().startswith("[") and begun == number
        table = () if is_header else table
        for path in _paths(said):
            found.setdefault((*table, *path), begun)
            deepest = path
        table = deepest if is_header else table
    return found


def _paths(said: Mapping[str, Any]) -> Iterator[Place]:
    for key, value in said.items():
        yield (key,)
        if isinstance(value, dict):
            yield from ((key, *inner) for inner in _paths(value))


def tables(data: dict[str, Any]) -> Iterator[tuple[Place, dict[str, Any]]]:
    """The tables that hold a policy, with their place: the defaults, and each domain's."""
    defaults, domains = data.get("defaults"), data.get("domains")
    if isinstance(defaults, dict):
        yield ("defaults",), defaults
    for name, table in domains.items() if isinstance(domains, dict) else ():
        if isinstance(table, dict):
            yield ("domains", name), table


# --- Those that the models do not see, or not beside others ---------------------------------------


def beyond_the_models(data: dict[str, Any]) -> list[Mistake]:
    """The mistakes that pydantic does not see. Takes them out of ``data``."""
    found = (_unquoted_names, _double_names, _foreign_zones, _unknown_codes, _in_policies)
    return [mistake for mistakes in found for mistake in mistakes(data)]


def _unquoted_names(data: dict[str, Any]) -> Iterator[Mistake]:
    """``[domains.example.com]``: to TOML that is a table ``com`` in a table ``example``."""
    for place, table in list(tables(data)):
        whole = ".".join([place[-1], *_inner_names(table)])
        if place[0] == "domains" and "." not in place[1] and whole != place[1]:
            del data["domains"][place[1]]
            meant = f'[domains."{whole}"]'
            yield Mistake(place, f"the name of a domain needs quotes: {meant}")


def _inner_names(table: dict[str, Any]) -> Iterator[str]:
    for key, inner in table.items():
        if isinstance(inner, dict) and key not in DomainPolicy.model_fields:
            yield key
            yield from _inner_names(inner)
            return


def _double_names(data: dict[str, Any]) -> Iterator[Mistake]:
    """Two tables for one domain, spelt in two ways; TOML itself sees to equal spellings."""
    seen: dict[str, str] = {}
    for place, _table in tables(data):
        name = _domain(place[-1]) or place[-1]
        if place[0] == "domains" and name in seen:
            yield Mistake(place, f"is the same domain as {_quoted(seen[name])}")
        seen.setdefault(name, place[-1])


def _domain(name: str) -> str | None:
    """A domain as DNS wants it; ``None`` for what is none."""
    try:
        return records.normalise(name)
    except MailauthError:
        return None


def _foreign_zones(data: dict[str, Any]) -> Iterator[Mistake]:
    """A domain that does not lie in the zone it is said to lie in."""
    for place, table in tables(data):
        name, zone = _domain(place[-1]) or place[-1], table.get("zone")
        meant = _domain(zone) if isinstance(zone, str) else None
        if place[0] == "domains" and meant and not f".{name}".endswith(f".{meant}"):
            del table["zone"]
            yield Mistake((*place, "zone"), f"{name} does not lie in {zone}")


def _unknown_codes(data: dict[str, Any]) -> Iterator[Mistake]:
    """A consent to a finding that there is not: mistyped, it would never be one."""
    codes = (*CODES, *OF_ROTATIONS)
    for place, table in tables(data):
        allow = table.get("allow")
        for number, code in enumerate(allow if isinstance(allow, list) else (), 1):
            if isinstance(code, str) and code not in codes:
                # What does not even look like a code may be a key in a wrong place.
                shown = f" {_written(code)}" if _CODE.fullmatch(code) else " of that name"
                problem = f"there is no finding{shown}{_nearest(code, codes)}"
                yield Mistake((*place, "allow"), f"entry {number}: {problem}")


_CODE = re.compile(r"[a-z-]{1,40}(?:-[0-9]{1,4})?")
"""What looks like the code of a finding, mistyped or not."""


_NOT_FOR_ALL = ("zone", "parked")


def _in_policies(data: dict[str, Any]) -> Iterator[Mistake]:
    for place, table in tables(data):
        for key in _NOT_FOR_ALL if place == ("defaults",) else ():
            if table.pop(key, None) is not None:
                yield Mistake((*place, key), "belongs into a domain's table")
        for kind in KINDS:
            # 0 == False, which is all that pydantic asks.
            if isinstance(table.get(kind), int | float) and table[kind] is not False:
                problem = f"{_WORDS['model_type_or_false']}, not {_written(table.pop(kind))}"
                yield Mistake((*place, kind), problem)


# --- Those of the models --------------------------------------------------------------------------


def of_the_models(error: ValidationError) -> list[Mistake]:
    """The mistakes that pydantic found."""
    items = error.errors(include_url=False, include_context=False)
    # A table that may also be `false` reports each mistake in it twice: as a bad table, and as
    # something that is not False.
    return [_of_the_model(item) for item in items if not _is_echo(item)]


def _is_echo(item: ErrorDetails) -> bool:
    return item["type"] == "literal_error" and item["loc"][-1:] == ("literal[False]",)


def _of_the_model(item: ErrorDetails) -> Mistake:
    sort, message = item["type"], item["msg"]
    location = [str(part) for part in item["loc"]]
    if sort == "mailauth" and location[-1:] == ["[key]"]:
        location.pop()  # the key itself is wrong, not what it stands for
    at = 1 if location[:1] == ["defaults"] else 2
    if location[at:] and location[at] in KINDS:
        del location[at + 1]  # the model's name
        if sort == "model_type":
            sort = "model_type_or_false"
    problem = _WORDS.get(sort, message.removeprefix("Input "))
    if isinstance(item["input"], str) and may_be_a_key(item["input"]):
        problem = _MAY_BE_A_KEY.sub("...", problem)
    entry = ""
    if any(isinstance(part, int) for part in item["loc"]):  # in a list, which is always the last
        entry = f"entry {int(location.pop()) + 1}: "
    place = tuple(location)
    if sort == "extra_forbidden":
        problem += meant_by(place, item["input"])
    elif sort != "too_short" and problem.startswith("should "):
        problem += f", not {_shown(place, item['input'])}"
    if sort == "literal_error":
        problem += _word_meant(item["input"], re.findall(r"'(\w+)'", message))
    if sort == "list_type" and isinstance(item["input"], str) and place[-1] not in _MAY_BE_SECRET:
        problem += f"; write [{_written(item['input'])}]"
    if sort == "model_type_or_false" and place[-1] == "spf" and isinstance(item["input"], list):
        problem += "; terms go into { require = [...] }"
    if place == ("domains",):
        problem += '; the table of a domain begins with [domains."example.com"]'
    return Mistake(place, f"{entry}{problem}")


_WORDS = {
    "extra_forbidden": "unknown key",
    "model_type": "should be a table",
    "dict_type": "should be a table",
    "model_type_or_false": "should be a text, a table, or false",
    "string_type": "should be a text in quotes",
    "list_type": "should be a list",
    "bool_type": "should be true or false",
    "int_type": "should be a whole number",
    "too_short": "should not be empty",
}

_MAY_BE_A_KEY = re.compile(r"-----[^'\"]*|[A-Za-z0-9+/=]{40,}")
"""What a message may quote of a key that stands in the place of something else."""

_MAY_BE_SECRET = ("mailcow", "url", "api_key_file", "source", "signer_command")
"""Keys whose value is not shown: a password may stand in it, or a key in the place of its file."""


def _shown(place: Place, value: object) -> str:
    """A wrong value, or only of what type it is."""
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return "a list"
    if place and place[-1] in _MAY_BE_SECRET and not isinstance(value, bool):
        return "a text" if isinstance(value, str) else "a number"
    return _written(value)


MAX_SHOWN = 60
"""Characters of a value that are shown."""


def _written(value: object) -> str:
    """A value as TOML writes it, as far as there is room."""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if isinstance(value, str):
        text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= MAX_SHOWN else f"{text[: MAX_SHOWN - 3]}..."


_OTHER_WORDS = {"-all": "fail", "~all": "softfail", "?all": "neutral", "hardfail": "fail"}
"""What SPF itself calls the results of ``all``."""


def _word_meant(value: object, words: Collection[str]) -> str:
    if not isinstance(value, str):
        return ""
    other = _OTHER_WORDS.get(value.strip().lower())
    return f"; is {other} meant?" if other in words else _nearest(value, words)


# --- What an unknown key may be meant as ----------------------------------------------------------

_MODELS: dict[str, type[Shape]] = {
    "[mailcow]": MailcowSettings,
    "[rotation]": RotationSettings,
    "a domain's table": DomainPolicy,
    "spf": SpfPolicy,
    "dkim": DkimPolicy,
    "dmarc": DmarcPolicy,
}
"""What each table may say, by the words in which it is named."""


def meant_by(place: Place, value: object) -> str:
    """What an unknown key may be meant as, to go behind "unknown key"; empty if nobody can say."""
    *within, key = place
    if key == "record" and within[-1:] == ["dkim"]:
        return '; a record goes into source = "record:..."'
    home = _home(tuple(within))
    if home == "spf" and re.fullmatch(r"a|mx|ip[46]|include|exists|ptr", key.lower()):
        return '; terms go into require = ["..."]'
    if (other := _OTHER_NAMES.get((home, key.lower()))) is not None:
        return f"; is {other} meant?"
    if home and key in Config.model_fields:
        return "; it stands at the top of the file, before the first table"
    if elsewhere := _elsewhere(key.lower(), home):
        return f"; it belongs into {elsewhere}"
    if near := _nearest(key, _keys(home)):
        return near
    if not within and isinstance(value, dict) and (name := _as_domain(key, value)):
        return f'; the table of a domain begins with [domains."{name}"]'
    if _CREDENTIAL.search(key):
        return "; credentials do not belong into a config: netcup-mailauth auth keeps them"
    return ""


_OTHER_NAMES = {
    ("dmarc", "p"): "policy",
    ("dmarc", "sp"): "subdomain_policy",
    ("[mailcow]", "host"): "url",
    ("[mailcow]", "key"): "api_key_file",
    ("[mailcow]", "password"): "api_key_file",
}
"""What records, or other programs, call a key of ours."""

_CREDENTIAL = re.compile(r"(?i)netcup|password|secret|token|customer|api_?key")


def _home(within: Place) -> str:
    """The words for a table; empty for the file itself."""
    if len(within) == 1 and within[0] in ("mailcow", "rotation"):
        return f"[{within[0]}]"
    if within and within[-1] in KINDS:
        return within[-1]
    return "a domain's table" if within else ""


def _keys(home: str) -> Collection[str]:
    return _MODELS[home].model_fields if home else Config.model_fields


def _elsewhere(key: str, home: str) -> str:
    if key in _keys(home):
        return ""
    return " or ".join(words for words in _MODELS if words != home and key in _keys(words))


def _nearest(word: str, known: Collection[str]) -> str:
    near = get_close_matches(word.lower(), known, n=1)
    return f"; is {near[0]} meant?" if near else ""


def _as_domain(key: str, value: Mapping[str, object]) -> str:
    """The domain that somebody wrote as a table of its own, ``["x.de"]`` or ``[x.de]``."""
    if "." not in key:
        key = ".".join([key, *(inner for inner, said in value.items() if isinstance(said, dict))])
    return key if "." in key and _domain(key) else ""
