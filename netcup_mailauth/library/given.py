"""What a program gives: its credentials, wrapped, and what is wanted, each of its right shape."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from traceback import clear_frames
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from netcup_mailauth import state as states
from netcup_mailauth.errors import CredentialsError, MailauthError, UsageError
from netcup_mailauth.files import expanded
from netcup_mailauth.keys.sources import STDIN
from netcup_mailauth.netcup.http import check_url
from netcup_mailauth.policy import MANAGED
from netcup_mailauth.records import Kind
from netcup_mailauth.render import calls
from netcup_mailauth.settings import credentials
from netcup_mailauth.settings.credentials import CcpCredentials, NetcupCredentials
from netcup_mailauth.settings.mailcow import MailcowAccess

if TYPE_CHECKING:
    from collections.abc import Iterator

    from netcup_mailauth.policy import Wish

Secret = str | SecretStr
"""What is taken for a secret; it is kept wrapped."""

Texts = str | Iterable[str]
"""One text, or several."""


@contextmanager
def in_our_words() -> Iterator[None]:
    """Let what is raised within speak of the library, and its traceback hold no secret."""
    handled = sys.exc_info()[1]  # an error of the caller's, who is in the midst of it
    try:
        yield
    except MailauthError as error:
        calls.reword(error)
        _forget_values(error, handled)
        raise


def _forget_values(error: BaseException | None, handled: BaseException | None) -> None:
    """Clear the variables of the calls that have failed: what was sent is among them."""
    while error is not None and error is not handled:
        clear_frames(error.__traceback__)
        error = error.__cause__ or error.__context__


def warn(message: str) -> None:
    """Warn of something odd that stops nothing, as Python programs do."""
    warnings.warn(calls.said(message), stacklevel=2)


def options_of(wanted: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments as the options of the command that they are; each of its right shape."""
    found: dict[str, Any] = {}
    for name in ("spf", "dkim", "selector", "dmarc", "mailcow", "zone"):
        found[name] = None if wanted[name] is None else text_of(name, wanted[name])
    for name in ("spf_require", "spf_drop", "rua", "server", "allow"):
        found[name] = texts_of(name, wanted[name])
    for name, words in _WORDS.items():
        found[name] = None if wanted[name] is None else _word(name, wanted[name], words)
    if found["dkim"] == STDIN:
        raise UsageError("dkim='-' is no source here.", "Give the record, or its file: file:PATH")
    return found


def given_of(wanted: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """What was given of the arguments that say what is wanted, to be given again."""
    options = {**options_of(wanted), "kind": kinds_of(wanted["kind"]), "allow": ()}
    listed = {name: (v,) if isinstance(v, str) else tuple(v or ()) for name, v in options.items()}
    return {name: values for name, values in listed.items() if values}


_WORDS = {
    "spf_all": ("fail", "softfail", "neutral"),
    "dmarc_policy": ("none", "quarantine", "reject"),
}


def _word(name: str, given: object, words: Iterable[str]) -> str:
    known = list(words)
    if given not in known:
        raise UsageError(f"{name}={given!r} is none that there is.", f"One of: {', '.join(known)}")
    return str(given)


def kinds_of(given: Texts) -> tuple[Kind, ...]:
    """The kinds that are named. Raises UsageError if there is no such kind."""
    return tuple(Kind(_word("kind", kind, MANAGED)) for kind in texts_of("kind", given))


def text_of(name: str, given: object) -> str:
    """The argument of this name. Raises UsageError if it is no text, or an empty one."""
    if not isinstance(given, str):
        raise UsageError(f"{name} is a text, and not of type {type(given).__name__}.")
    if not given.strip():
        raise UsageError(f"{name} is an empty text.", "Give its value, or leave it out.")
    return given


def domain_of(given: object) -> str:
    """The domain that is named. Raises UsageError if it is no text, such as a list of several."""
    if isinstance(given, str):
        return text_of("A domain", given)
    raise UsageError(
        f"A domain is a text, and not of type {type(given).__name__}.",
        "Of several, each is an argument of its own, as in netcup.plan(*domains).",
    )


def path_of(name: str, given: object) -> Path | None:
    """The path that is given, if any; ``~`` is the home. Raises UsageError if it is none."""
    if given is None:
        return None
    named = os.fspath(given) if isinstance(given, os.PathLike) else given
    return expanded(text_of(name, named))


def texts_of(name: str, given: object) -> tuple[str, ...]:
    """One text or several. Raises UsageError for anything else."""
    if given is None:
        return ()
    if isinstance(given, str):
        return (text_of(name, given),)
    if not isinstance(given, Iterable) or isinstance(given, bytes | Mapping):
        raise UsageError(f"{name} is a text, or a list of texts.")
    return tuple(text_of(name, one) for one in given)


def check_zone(wish: Wish) -> None:
    """Raise UsageError if a domain does not lie in the zone that is named for it."""
    zone = wish.policy.zone
    if zone is not None and not f".{wish.domain}".endswith(f".{zone}"):
        raise UsageError(
            f"{wish.domain} does not lie in the zone {zone}.", "Plan it by itself, with its own."
        )


# Its credentials


@dataclass(frozen=True, slots=True)
class Environment:
    """The variables that are read; not shown, as there are secrets among them.

    ``is_own`` is false for others than the process has: of these no file in a home is looked at or
    kept, unless they say where it is.
    """

    variables: dict[str, str] = field(repr=False)
    is_own: bool

    @classmethod
    def of(cls, given: Mapping[str, str] | None) -> Environment:
        """These variables, or those of the process. Raises UsageError if one is no text."""
        if given is None:
            return cls({name: value for name, value in os.environ.items() if value}, is_own=True)
        if not isinstance(given, Mapping):
            raise UsageError(f"environ is a mapping, and not of type {type(given).__name__}.")
        found = {name: value for name, value in given.items() if value}
        for name, value in found.items():
            if not (isinstance(name, str) and isinstance(value, str)):
                raise UsageError(
                    f"In environ, the variable {name!r} or its value is no text.",
                    "Names and values are texts, as in os.environ.",
                )
        return cls(_at_home(found), is_own=False)

    @property
    def state(self) -> Path | None:
        """The folder for state; ``None`` where none is kept. Raises as :func:`state.root`."""
        named = {"XDG_STATE_HOME", STATE_DIR} & self.variables.keys()
        return states.root(self.variables) if self.is_own or named else None


STATE_DIR = "NETCUP_MAILAUTH_STATE_DIR"
_BASES = {"XDG_CONFIG_HOME": ".config", "XDG_STATE_HOME": ".local/state"}


def _at_home(variables: dict[str, str]) -> dict[str, str]:
    """The variables with base folders in their own home, or in none: never in the process's."""
    home = variables.get("HOME")
    found = {n: v for n, v in variables.items() if n not in _BASES or Path(v).is_absolute()}
    if home:
        below = Path(home).absolute()
        return {name: str(below / folder) for name, folder in _BASES.items()} | found
    return {"XDG_CONFIG_HOME": os.devnull} | found


def _parts(given: object, what: str, names: tuple[str, ...]) -> tuple[object, ...]:
    """The parts of credentials, in their order or by their names."""
    if isinstance(given, Mapping) and given.keys() == set(names):
        return tuple(given[name] for name in names)
    if isinstance(given, tuple | list) and len(given) == len(names):
        return tuple(given)
    raise UsageError(f"{what} is given in a shape that is not known.", f"({', '.join(names)})")


def _bare(what: str, given: object) -> str:
    """A secret as it was given, to be wrapped at once."""
    text = given.get_secret_value() if isinstance(given, SecretStr) else given
    if not isinstance(text, str):
        raise UsageError(f"{what} is a text, and not of type {type(given).__name__}.")
    return text


def _checked(variable: str, what: str, given: object) -> str:
    """A value that can be right, by the name it has here; in errors, too.

    Raises:
        CredentialsError: it cannot be.
    """
    try:
        found = credentials.checked(
            variable, _bare(what, given), lambda text: warn(text.replace(variable, what))
        )
    except CredentialsError as error:
        told = (text.replace(variable, what) for text in (error.what, error.advice))
        raise CredentialsError(*told) from None
    if not found:
        raise CredentialsError(f"{what} is empty.", "Give its value, or leave it out.")
    return found


def credentials_of(ccp: object, rest: object) -> NetcupCredentials:
    """The credentials for netcup, wrapped.

    Raises:
        CredentialsError: there are none, or one cannot be right.
    """
    if ccp is None and rest is None:
        raise CredentialsError(
            "There are no credentials for netcup.",
            "Give ccp=(customer number, API key, API password) or rest=KEY, or read them with "
            "Netcup.from_environment().",
        )
    own = None
    if ccp is not None:
        given = _parts(ccp, "ccp", ("customer_number", "api_key", "api_password"))
        number = str(given[0]) if isinstance(given[0], int) else given[0]
        names = ("the customer number in ccp", "the API key in ccp", "the API password in ccp")
        values = zip(credentials.CCP_NAMES, names, (number, *given[1:]), strict=True)
        number, api_key, password = (_checked(*value) for value in values)
        own = CcpCredentials(number, SecretStr(api_key), SecretStr(password))
    key = None if rest is None else SecretStr(_checked(credentials.REST_KEY, "rest", rest))
    return NetcupCredentials(own, key)


def mailcow_of(mailcow: object) -> MailcowAccess | None:
    """The mailcow and its key, wrapped.

    Raises:
        UsageError: it is no such pair, or no address for a key.
        CredentialsError: the key cannot be right.
    """
    if mailcow is None:
        return None
    address, api_key = _parts(mailcow, "mailcow", ("url", "api_key"))
    url = check_url(text_of("the URL in mailcow", address), "the URL in mailcow")
    return MailcowAccess(
        url, SecretStr(_checked(credentials.MAILCOW_KEY, "the key in mailcow", api_key))
    )
