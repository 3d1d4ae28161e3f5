"""What mailcow says to a write: HTTP 200 whatever happened, and a ``type`` that tells.

As in data/web/json_api.php. Its words are shown, but never as they came: they may repeat what was
sent.
"""

from __future__ import annotations

import re

from netcup_mailauth.errors import ApiError, TransportError

LONGEST = 200
"""Characters of mailcow's words that are shown."""

MASK = "***"

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
