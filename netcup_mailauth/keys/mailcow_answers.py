"""What mailcow says to a write: HTTP 200 whatever happened, and a ``type`` that tells.

As in data/web/json_api.php. Its words are shown, but never as they came: they may repeat what was
sent.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from netcup_mailauth.errors import ApiError, TransportError
from netcup_mailauth.printable import MASK

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST = 200
"""Characters of mailcow's words that are shown."""

_KEY_TEXT = re.compile(r"-----BEGIN[^-]*-----.*|[A-Za-z0-9+/=]{40,}", re.DOTALL)
"""A PEM block, or as much base64 as no domain or selector has."""

_ADVICE = {
    "access_denied": "Is it a domain of this mailcow? Add it there, under E-Mail > Configuration.",
    "dkim_domain_or_sel_invalid": "mailcow says so of a name that is no domain, and of a domain "
    "that has a key already. Look at System > Configuration > Options > ARC/DKIM keys.",
    "redis_error": "mailcow could not write to its Redis, perhaps for want of room; once it can, "
    "run the same command again.",
}
_LOOK = "Look at mailcow, and run the same command again."


def check_done(payload: object, call: str, secret: str) -> None:
    """Make sure that mailcow says of each thing it was told to do that it is done.

    Args:
        payload: its answer.
        call: the route, for the error.
        secret: the API key, which is never shown.

    Raises:
        ApiError: something was not done, in mailcow's words.
        TransportError: the answer is none that mailcow is known to give.
    """
    entries = payload if isinstance(payload, list) else [payload]
    kinds = [entry.get("type") if isinstance(entry, dict) else None for entry in entries]
    if not kinds or not all(isinstance(kind, str) for kind in kinds):
        raise TransportError(
            f"mailcow's answer to {call} is not as documented.",
            "Is MAILCOW_URL the address of a mailcow? If so, please report its version.",
            passing=False,
        )
    for entry, kind in zip(entries, kinds, strict=True):
        if kind != "success":
            said = said_in(entry)
            advice = _ADVICE.get(said.partition(" ")[0], _LOOK)
            raise ApiError(f"mailcow refuses {call}: {printable(said, secret)}.", advice)


@dataclass(frozen=True, slots=True)
class Served:
    """What mailcow serves, as both of its lists say.

    Attributes:
        domains: its domains, active or not, in lower case.
        aliases: the target of each alias domain, active or not.
        active: those of both that may be in use: all that are not plainly switched off.
    """

    domains: frozenset[str]
    aliases: Mapping[str, str]
    active: frozenset[str]


def read_served(domains: object, aliases: object) -> Served:
    """Read mailcow's answers to ``get/domain/all`` and ``get/alias-domain/all``.

    Strictly, because what is missing is taken to sign with nothing. mailcow says ``{}`` where a
    list would be empty.

    Raises:
        ApiError: they are not as documented.
    """
    served = _entries(domains, "domain_name")
    alias = _entries(aliases, "alias_domain")
    targets = {name: str(entry.get("target_domain", "")).lower() for name, entry in alias.items()}
    # Only this is known to mean "off"; it comes as a number or as a text.
    on = [n for each in (served, alias) for n, e in each.items() if str(e.get("active")) != "0"]
    return Served(frozenset(served), targets, frozenset(on))


def _entries(payload: object, name: str) -> dict[str, dict[str, object]]:
    entries = [] if payload == {} else payload
    if not isinstance(entries, list):
        raise _undocumented(payload)
    found = {}
    for entry in entries:
        if not isinstance(entry, dict) or not isinstance(entry.get(name), str) or not entry[name]:
            raise _undocumented(payload)
        found[entry[name].strip().lower().rstrip(".")] = entry
    return found


def _undocumented(payload: object) -> ApiError:
    said = said_in(payload)
    words = f" ({printable(said, '')})" if said else ""
    return ApiError(
        f"mailcow's list of its domains is not as documented{words}.",
        "Is MAILCOW_URL the address of a mailcow? If so, please report its version.",
    )


def is_refusal(payload: object) -> bool:
    """Whether an answer with 401 or 403 is mailcow's own: ``{"type": "error", "msg": ...}``."""
    return isinstance(payload, dict) and payload.get("type") == "error"


def check_about(domain: str, payload: object) -> None:
    """See that an answer, where it names a domain, names the one that was asked for.

    Raises:
        ApiError: it is about another one.
    """
    named = payload.get("domain_name", payload.get("domain")) if isinstance(payload, dict) else None
    if isinstance(named, str) and named.lower() != domain.lower():
        raise ApiError(
            f"mailcow was asked about {domain}, and answered about {named[:LONGEST]!a}.",
            "Nothing was taken from it. Run the same command again; if it comes again, please "
            "report it.",
        )


def said_in(payload: object) -> str:
    """The message in an answer: a text, or a code and what it is about."""
    message = payload.get("msg") if isinstance(payload, dict) else None
    parts = message if isinstance(message, list) else [message]
    return " ".join(str(part) for part in parts if isinstance(part, str | int))


def printable(said: str, secret: str) -> str:
    """Words from outside, fit for a terminal: without keys, escaped, and not too long."""
    masked = said.replace(secret, MASK) if secret else said
    return ascii(_KEY_TEXT.sub(MASK, masked)[:LONGEST])
