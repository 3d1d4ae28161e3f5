"""Slips in a command line that cannot mean anything else, with the command that was meant.

A record is typed without its quotes, and the shell gives each word of it by itself; an option has
one dash, or the dash and the quotes of a web page. What click says of it ("No such option '-a'") is
of no help, so this looks first. Nothing is done that was not typed: the command is shown.
"""

from __future__ import annotations

import re
import shlex
from itertools import takewhile
from typing import TYPE_CHECKING, NamedTuple

from netcup_mailauth.cli.commands import COMMANDS
from netcup_mailauth.cli.options import COMMON
from netcup_mailauth.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from netcup_mailauth.cli.options import Option

VERSIONS = {"--spf": "v=spf1", "--dmarc": "v=DMARC1", "--dkim": "v=DKIM1"}
"""How the record begins that each of these options takes."""

_KNOWN = r"[-+?~]?(?:all|(?:a|mx|ptr|include|exists|ip4|ip6|redirect|exp)(?:[:/=].*)?)"
_BARE = re.compile(rf"{_KNOWN}(?:\s+\S+)*", re.IGNORECASE)
"""An SPF record without its version."""

_TERM = re.compile(rf"{_KNOWN}|[a-z][a-z0-9._-]*[:=]\S+", re.IGNORECASE)
"""A term of an SPF record (RFC 7208, 4.6.1); one of an unknown name, where it has an argument."""

_TAG = re.compile(r"[a-z]+\s*=.*|;", re.IGNORECASE | re.DOTALL)
"""A tag of a DMARC or DKIM record."""

_FINAL = {"-all": "fail", "~all": "softfail", "?all": "neutral"}
"""What --spf-all is given for each final all."""

_DASH = re.compile("-?[\N{EN DASH}\N{EM DASH}]-?")
_QUOTE = (
    "[\N{LEFT SINGLE QUOTATION MARK}\N{RIGHT SINGLE QUOTATION MARK}"
    "\N{SINGLE LOW-9 QUOTATION MARK}\N{LEFT DOUBLE QUOTATION MARK}"
    "\N{RIGHT DOUBLE QUOTATION MARK}\N{DOUBLE LOW-9 QUOTATION MARK}]"
)
_QUOTES_AROUND = re.compile(f"^{_QUOTE}|(?<==){_QUOTE}|{_QUOTE}$")

_OTHER_NAMES = {
    "--json": ["--format", "json"],
    "--markdown": ["--format", "markdown"],
    "--dkim-selector": ["--selector"],
    "--host": ["--server"],
    "--policy": ["--dmarc-policy"],
    "--domain": [],
    "--yes": [],
    "-y": [],
}
"""Options that other programs or commands have, as this one has them; what has no ``--yes`` asks
nothing and writes to no zone."""


class Slip(NamedTuple):
    """What is odd about a command line, and the words that were meant."""

    what: str
    words: list[str]


def check(words: Sequence[str]) -> None:
    """Look at a command line before it is read.

    Raises:
        UsageError: it has such a slip; the command that was meant is named, whole.
    """
    words = list(words)
    said: list[str] = []
    for look in _LOOKS:
        slip = look(words)
        if slip is not None:
            said.append(slip.what)
            words = slip.words
    if said:
        meant = shlex.join(["netcup-mailauth", *_without_secrets(words)])
        raise UsageError(said[0], f"Type it like this:\n  {meant}")


def _command(words: Sequence[str]) -> int | None:
    """Where the command stands."""
    return next((at for at, word in enumerate(words) if word in COMMANDS), None)


def _options(words: Sequence[str]) -> tuple[Option, ...]:
    at = _command(words)
    return COMMON if at is None else (*COMMANDS[words[at]].options, *COMMON)


def _typographic(words: list[str]) -> Slip | None:
    """Dashes and quotes as a web page or a word processor makes them."""

    def straight(word: str) -> str:
        if (dash := _DASH.match(word)) is not None:
            letters = word[dash.end() :]
            word = f"{'--' if len(letters) > 1 else '-'}{letters}"
        return _QUOTES_AROUND.sub("", word)

    meant = [straight(word) for word in words]
    if meant == words:
        return None
    return Slip("There are dashes or quotes in it as a web page has them.", meant)


def _single_dash(words: list[str]) -> Slip | None:
    """``-yes``, which is read as -y -e -s."""
    names = {name for option in _options(words) for name in option.names} | {"--help", "--version"}
    for at, word in enumerate(words):
        name, equals, value = word.partition("=")
        if len(name) > 2 and f"-{name}" in names and not _is_value(words, at):
            meant = [*words[:at], f"-{name}{equals}{value}", *words[at + 1 :]]
            return Slip(f"{name} has one dash; an option of several letters has two.", meant)
    return None


def _in_front(words: list[str]) -> Slip | None:
    """Options of a command that stand before it."""
    at = _command(words)
    if at is None or not at:
        return None
    before, behind = words[:at], words[at:]
    own = {name for option in COMMANDS[words[at]].options for name in option.names}
    first = next((word for word in before if word.partition("=")[0] in own), None)
    if first is None:
        return None
    return Slip(f"{first.partition('=')[0]} stands before the command.", [*behind, *before])


def _named_otherwise(words: list[str]) -> Slip | None:
    at = _command(words)
    if at is not None and words[at + 1 :] == ["help"] and words[at] != "help":
        return Slip("help stands before a command, or is --help behind it.", [words[at], "--help"])
    known = {name for option in _options(words) for name in option.names}
    meant: list[str] = []
    said = ""
    for word in words:
        name, equals, value = word.partition("=")
        if name in known or name not in _OTHER_NAMES or at is None:
            meant.append(word)
            continue
        said = said or f"There is no option {name}."
        meant += [*_OTHER_NAMES[name], *([value] if equals else [])]
    return Slip(said, meant) if said else None


_SCHEMES = {
    "--mailcow": ("https://", re.compile(r"[\w-]+(?:\.[\w-]+)+(?::[0-9]+)?/?")),
    "--rua": ("mailto:", re.compile(r"[^@:/,\s]+@[\w-]+(?:\.[\w-]+)+")),
}
"""How what these options take begins, and what it looks like without."""


def _without_scheme(words: list[str]) -> Slip | None:
    """``--mailcow mail.example.com``, ``--rua me@example.com``."""
    meant, said = list(words), ""
    for at, word in enumerate(words):
        option, equals, value = word.partition("=")
        if option not in _SCHEMES or not (equals or words[at + 1 :]):
            continue
        scheme, bare = _SCHEMES[option]
        value = value if equals else words[at + 1]
        if bare.fullmatch(value):
            said = said or f"{option} {value}: it has to begin with {scheme}"
            meant[at if equals else at + 1] = f"{option if equals else ''}{equals}{scheme}{value}"
    return Slip(said, meant) if said else None


def _in_pieces(words: list[str]) -> Slip | None:
    """Records and terms that the shell has taken to pieces."""
    at = _command(words)
    if at is None or words[at] not in ("plan", "apply", "check"):
        return None
    meant, said = words[: at + 1], ""
    rest = words[at + 1 :]
    while rest:
        piece = _stray(rest) if not _is_value([*meant, rest[0]], len(meant)) else None
        piece = piece or _taken(rest)
        if piece is None:
            meant.append(rest.pop(0))
            continue
        said = said or piece.what
        meant += piece.words
        rest = rest[piece.used :]
    return Slip(said, meant) if said else None


class _Piece(NamedTuple):
    """Words at the beginning of a command line, what is odd about them, and what was meant."""

    what: str
    words: list[str]
    used: int


def _taken(rest: Sequence[str]) -> _Piece | None:
    """What an option of a record was given, and the words behind it that belong to it."""
    option, equals, value = rest[0].partition("=")
    used = 1 if equals else 2
    if not equals:
        value = rest[1] if len(rest) > 1 else ""
    match option:
        case "--spf-require" | "--spf-drop":
            terms = [*value.split(), *_following(_TERM, rest[used:])]
            meant = list(_terms(option, terms))
            if meant in ([option, value], []):
                return None
            what = f"{option} takes one term, and is given again for the next."
            if len(terms) == 1:
                what = f"{value} is the end of a record, and no term to be required."
            return _Piece(what, meant, used + len(_following(_TERM, rest[used:])))
        case "--dmarc" if value in ("none", "quarantine", "reject"):
            what = f"--dmarc {value}: the policy alone has an option of its own."
            return _Piece(what, ["--dmarc-policy", value], used)
        case "--spf" | "--dmarc" | "--dkim":
            return _record(option, value, rest, used)
        case "--spf-all" if value.lower() in _FINAL:
            word = _FINAL[value.lower()]
            return _Piece(f"--spf-all is not given as {value}.", [option, word], used)
    return None


def _terms(option: str, terms: Sequence[str]) -> Iterator[str]:
    for term in terms:
        if option == "--spf-require" and term.lower() in _FINAL:
            yield from ("--spf-all", _FINAL[term.lower()])
        else:
            yield from (option, term)


def _record(option: str, value: str, rest: Sequence[str], used: int) -> _Piece | None:
    """A record, of which an option was given the first word only."""
    begins = value.lower().startswith(VERSIONS[option].lower())
    is_term = option == "--spf" and _BARE.fullmatch(value.strip()) is not None
    if not begins and not is_term:
        return None
    pattern = _TERM if option == "--spf" else _TAG
    more = _following(pattern, rest[used:])
    if not more and not (is_term and not begins):
        return _cut_off(option, value, used)
    shown = f"{option} {value}" if len(value) < 80 else option
    what = f"{shown}: a record with blanks in it needs quotes, or the shell takes it to pieces."
    if not begins:
        what = f"{shown}: an SPF record begins with v=spf1, and stands in quotes."
    return _Piece(what, [option, _joined(option, [value, *more])], used + len(more))


def _joined(option: str, parts: Sequence[str]) -> str:
    if option != "--spf":
        return "; ".join(part.strip("; ") for part in parts if part.strip("; "))
    record = " ".join(parts)
    return record if record.lower().startswith("v=spf1") else f"v=spf1 {record}"


def _cut_off(option: str, value: str, used: int) -> _Piece | None:
    """``v=DMARC1`` alone: at the first semicolon the shell has begun another command."""
    if option != "--dmarc" or value.strip("; ").lower() != "v=dmarc1":
        return None
    return _Piece(
        f"--dmarc {value}: without single quotes a shell ends the text at the first semicolon.",
        [option, "v=DMARC1;p=none"],
        used,
    )


def _stray(rest: Sequence[str]) -> _Piece | None:
    """A record, or the end of one, in the place of a domain."""
    word = rest[0]
    if word.lower() in _FINAL:
        meant = ["--spf-all", _FINAL[word.lower()]]
        return _Piece(f"{word} is the end of an SPF record, and no option.", meant, 1)
    for option, version in VERSIONS.items():
        if re.match(rf"{version}(?![a-z0-9])", word, re.IGNORECASE):
            pattern = _TERM if option == "--spf" else _TAG
            more = _following(pattern, rest[1:])
            what = f"{version} begins a record, and no option before it says so."
            return _Piece(what, [option, _joined(option, [word, *more])], 1 + len(more))
    return None


def _following(pattern: re.Pattern[str], words: Sequence[str]) -> list[str]:
    return list(takewhile(lambda word: pattern.fullmatch(word) is not None, words))


def _is_value(words: Sequence[str], at: int) -> bool:
    """Whether a word is what the option before it takes."""
    before = words[at - 1] if at else ""
    return any(before in o.names and not o.more.get("is_flag") for o in _options(words[:at]))


_LOOKS = (_typographic, _single_dash, _in_front, _named_otherwise, _without_scheme, _in_pieces)


def _without_secrets(words: Sequence[str]) -> Iterator[str]:
    """The words as they may be shown: a key that is given by mistake is a place for it."""
    from netcup_mailauth.keys.sources import check_source

    for at, word in enumerate(words):
        option, equals, value = word.partition("=")
        given = value if equals and option == "--dkim" else word
        if (option == "--dkim" and equals) or (at and words[at - 1] == "--dkim"):
            try:
                check_source(given)
            except UsageError:
                word = word.removesuffix(given) + "file:PATH"
        yield word
