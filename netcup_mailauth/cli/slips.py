"""Slips in a command line that cannot mean anything else, with the command that was meant.

A record is typed without its quotes, and the shell gives each word of it by itself; an option has
one dash, or the dash and the quotes of a web page. What click says of it ("No such option '-a'") is
of no help, so this looks first. Nothing is done that was not typed: the command is shown.
"""

from __future__ import annotations

import re
import shlex
from ipaddress import ip_network
from itertools import takewhile
from typing import TYPE_CHECKING, NamedTuple

from netcup_mailauth.cli.commands import COMMANDS
from netcup_mailauth.cli.options import COMMON
from netcup_mailauth.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

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

_RESULTS = {**_FINAL, "-": "fail", "~": "softfail", "?": "neutral"} | {
    **dict.fromkeys(("hardfail", "reject", "strict"), "fail"),
    **dict.fromkeys(("soft", "soft-fail"), "softfail"),
}
"""What else --spf-all is given, and means."""

_POLICIES = ("none", "quarantine", "reject")

_RECORD = re.compile(r"v=(?:spf1|DMARC1|DKIM1)(?![a-z0-9])", re.IGNORECASE)
"""The beginning of a record."""

_INCOMPLETE = ("include", "exists", "ip4", "ip6")
"""Mechanisms that are none without what is sometimes typed behind a blank."""

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
    "--dkim-key": ["--dkim"],
    "--host": ["--server"],
    "--policy": ["--dmarc-policy"],
    "--dmarc-rua": ["--rua"],
    "--only": ["--kind"],
    "-o": ["--out"],
    "-n": ["--dry-run"],
    "--domain": [],
    "-d": [],
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
    known = {name for option in _options(words) for name in option.names} | {"--help", "--version"}
    meant: list[str] = []
    said = ""
    for place, word in enumerate(words):
        name, equals, value = word.partition("=")
        is_ours = at is None or name in known or _is_value(words, place)
        own = None if is_ours else _meant_option(name, known)
        if own is None:
            meant.append(word)
            continue
        said = said or f"There is no option {name}."
        meant += [*own, *([value] if equals else [])]
    return Slip(said, meant) if said else None


def _meant_option(name: str, known: Collection[str]) -> list[str] | None:
    """The words for an option of another name, or of ours with other dashes."""
    if name == "-d" and "--domain" in known:
        return ["--domain"]
    own = _OTHER_NAMES.get(name)
    if own is None and name.startswith("--"):
        own = [ours for ours in known if ours.startswith("--") and _plain(ours) == _plain(name)]
        return own or None
    return own if not own or own[0] in known else None


def _plain(name: str) -> str:
    return re.sub("[-_]", "", name).lower()


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
        while piece and re.fullmatch(r"IN|TXT|[0-9]+|@|_.*", meant[-1], re.IGNORECASE):
            meant.pop()  # a line of a zone file
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
            return _terms(option, value, rest, used)
        case "--dmarc" if (policy := value.removeprefix("p=").rstrip(";")) in _POLICIES:
            what = f"--dmarc {value}: the policy alone has an option of its own."
            return _Piece(what, ["--dmarc-policy", policy], used)
        case "--dmarc" if (whole := _whole_dmarc(value)) is not None:
            what = f"--dmarc {value}: the record begins with v=DMARC1 and a semicolon."
            return _Piece(what, [option, whole], used)
        case "--dkim" if (meant := _source(value, rest[used : used + 1])) is not None:
            words, more = meant
            return _Piece(f"--dkim {value} is no source of a key.", words, used + more)
        case "--spf" | "--dmarc" | "--dkim":
            return _record(option, value, rest, used)
        case "--spf-all" if value.lower() in _RESULTS:
            word = _RESULTS[value.lower()]
            return _Piece(f"--spf-all is not given as {value}.", [option, word], used)
        case "--rua" if re.fullmatch(r"mailto:[^,]+(?:,mailto:[^,]+)+", value):
            words = [word for uri in value.split(",") for word in (option, uri)]
            return _Piece("--rua takes one address, and is given again for the next.", words, used)
        case "--rua" if value == "mailto:" and "@" in "".join(rest[used : used + 1]):
            words = [option, f"{value}{rest[used]}"]
            return _Piece("--rua mailto: the address stands right behind it.", words, used + 1)
    return None


def _terms(option: str, value: str, rest: Sequence[str], used: int) -> _Piece | None:
    """The terms that an option was given, each with the option before it."""
    given = value.split()
    if value.lower() in _INCOMPLETE and rest[used:] and not rest[used].startswith("-"):
        given, used = [f"{value}:{rest[used]}"], used + 1
    following = _following(_TERM, rest[used:])
    terms = [_term(part) for word in [*given, *following] for part in _parts(word)]
    used += len(following)
    if option == "--spf-require" and terms and _RECORD.match(terms[0]):
        what = f"{option} takes a term; a whole record is given to --spf."
        return _Piece(what, ["--spf", " ".join(terms)], used)
    meant: list[str] = []
    for term in terms:
        is_end = option == "--spf-require" and term.lower() in _FINAL
        meant += ["--spf-all", _FINAL[term.lower()]] if is_end else [option, term]
    if meant in ([option, value], []):
        return None
    what = f"{option} takes one term, and is given again for the next."
    if len(terms) == 1:
        what = f"{option} {value}: that is no term."
    if [value.lower()] == terms and value.lower() in _FINAL:
        what = f"{value} is the end of a record, and no term to be required."
    return _Piece(what, meant, used)


def _parts(word: str) -> list[str]:
    """Terms with commas between them; a macro may have one of its own."""
    return [word] if "%" in word else [part for part in word.split(",") if part]


def _term(word: str) -> str:
    """A term; an address alone is meant as one."""
    try:
        address = ip_network(word, strict=False)
    except ValueError:
        return word
    return f"ip{address.version}:{word}"


def _whole_dmarc(value: str) -> str | None:
    """A DMARC record without its version, or with blanks or commas for its semicolons."""
    if re.match(r"p\s*=", value, re.IGNORECASE):
        return f"v=DMARC1;{value}"
    if ";" not in value and re.match(r"v=DMARC1[ ,]+[a-z]+=", value, re.IGNORECASE):
        return re.sub(r"[ ,]+(?=[a-z]+=)", ";", value)
    return None


_FILE = re.compile(r"(?:\.{0,2}/|~/)[\w./ $@+-]+|[\w. $@+-]+\.(?:pem|txt|private|key)")
"""A path that is no base64."""


def _source(value: str, following: Sequence[str]) -> tuple[list[str], int] | None:
    """What --dkim was meant to take, and how many of the words behind it."""
    if re.fullmatch(r"https?://[^@\s?#]+", value):
        return ["--mailcow", value], 0
    if value == "mailcow" and following and re.fullmatch(r"https?://[^@\s?#]+", following[0]):
        return ["--mailcow", following[0]], 1
    if value in ("file", "file:") and following and not following[0].startswith("-"):
        return ["--dkim", f"file:{following[0]}"], 1
    if _FILE.fullmatch(value) is None:
        return None
    from netcup_mailauth.keys.sources import may_be_a_key

    return None if may_be_a_key(value) else (["--dkim", f"file:{value}"], 0)


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
        if _RECORD.match(word) and word.lower().startswith(version.lower()):
            pattern = _TERM if option == "--spf" else _TAG
            more = _following(pattern, rest[1:])
            what = f"{version} begins a record, and no option before it says so."
            return _Piece(what, [option, _joined(option, [word, *more])], 1 + len(more))
    return None


def _following(pattern: re.Pattern[str], words: Sequence[str]) -> list[str]:
    return list(takewhile(lambda word: pattern.fullmatch(word) and not _RECORD.match(word), words))


def _is_value(words: Sequence[str], at: int) -> bool:
    """Whether a word is what the option before it takes."""
    before = words[at - 1] if at else ""
    return any(before in o.names and not o.more.get("is_flag") for o in _options(words[:at]))


def _torn_all(words: list[str]) -> Slip | None:
    """``- all`` at the end of a record."""
    for at, word in enumerate(words[:-1]):
        if word in ("-", "~", "?") and words[at + 1] == "all":
            meant = [*words[:at], f"{word}all", *words[at + 2 :]]
            return Slip(f"{word}all is one word, in the quotes of the record.", meant)
    return None


def _choices(words: list[str]) -> Slip | None:
    """What is one of a few words, in capitals, mistyped, or several at once."""
    choices = {
        name: option
        for option in _options(words)
        for name in option.names
        if hasattr(option.more.get("type"), "choices")
    }
    meant: list[str] = []
    said, rest = "", list(words)
    while rest:
        name, equals, value = (word := rest.pop(0)).partition("=")
        option = choices.get(name)
        if option is None or not (equals or rest) or _is_value([*meant, word], len(meant)):
            meant.append(word)
            continue
        value = value if equals else rest.pop(0)
        known = option.more["type"].choices
        several = bool(option.more.get("multiple"))
        given = [value, *(takewhile(known.__contains__, rest) if several else ())]
        rest = rest[len(given) - 1 :]
        found = [_choice(part, known) for each in given for part in each.split(",")]
        chosen = [one for one in found if one is not None]
        if [value] == chosen or len(chosen) < len(found) or (len(chosen) > 1 and not several):
            meant += [word] if equals else [word, *given]
            continue
        said = said or f"{name} is not given as {' '.join(given)}."
        meant += [each for one in chosen for each in (name, one)]
    return Slip(said, meant) if said else None


def _choice(value: str, known: Sequence[str]) -> str | None:
    """The word that was meant: ``None``, ``p=none`` and ``nonne`` are ``none``."""
    from difflib import get_close_matches

    word = value.lower().rpartition("=")[2]
    return next(iter(get_close_matches(word, known, n=1, cutoff=0.75)), None)


_OF_SEVERAL = ("init", "plan", "apply", "check")
_OF_DOMAINS = ("setup", "init", "records", "plan", "apply", "check", "undo", "rotate")
_AROUND = re.compile(r"(?:https?://(?:[^/@]*@)?|[^@/:]+@)([\w.-]+\.\w+)(?::[0-9]+)?(?:/.*)?", re.I)
"""The address of a website, or of a mailbox, and the domain in it."""


def _domains(words: list[str]) -> Slip | None:
    """Domains with commas between them, or as an address; a plan file in the place of one."""
    at = _command(words)
    if at is None or words[at] not in _OF_DOMAINS:
        return None
    known = {name for option in _options(words) for name in option.names}
    # What stands behind one that this command does not have may be its value.
    foreign = {word for word in words if word.startswith("--")} - known
    meant, said = words[: at + 1], ""
    for place, word in enumerate(words[at + 1 :], at + 1):
        own = [word]
        if not word.startswith("-") and not _is_value(words, place):
            parts = [part for part in word.split(",") if part] or [word]
            own = [m[1] if (m := _AROUND.fullmatch(part)) else part for part in parts]
            if len(own) > 1 and words[at] not in _OF_SEVERAL:
                own = [word]
            if words[at] == "apply" and word.endswith(".json") and "--plan" not in words:
                own = ["--plan", word]
            if own != [word] and words[place - 1] in foreign:
                own = [word]
        if own != [word]:
            said = said or f"{word} is no domain."
        meant += own
    return Slip(said, meant) if said else None


_LOOKS = (
    _typographic,
    _single_dash,
    _in_front,
    _named_otherwise,
    _without_scheme,
    _torn_all,
    _in_pieces,
    _choices,
    _domains,
)


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
