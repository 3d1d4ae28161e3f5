"""What netcup's REST API means by an answer that is no success, in words (facts 2.2, 2.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netcup_mailauth.backends.answers import shape
from netcup_mailauth.backends.ccp_errors import KEYS_PAGE
from netcup_mailauth.backends.patience import TOO_MANY
from netcup_mailauth.errors import (
    ApiError,
    CredentialsError,
    MailauthError,
    WaitError,
    ZoneError,
)

if TYPE_CHECKING:
    from netcup_mailauth.backends.clouddns_wire import Answer

BAD_KEY = "authenticationError"
"""The code of a refused key, which comes with HTTP 400. Confidence: H."""

REFUSED = frozenset({401, 403})
"""Statuses that mean a refused key whatever the code. Confidence: L."""

BAD_VALUE = "validationError"
"""The code of a value that cannot be, such as a name with an underscore. Confidence: H."""

MISSING = "resourceDoesNotExist"
"""The code of what is not there, which comes with HTTP 404. Confidence: H; its words are generic,
the same for a list without entries, a page past the end and a domain that is unknown."""


def refuses_the_key(answer: Answer) -> bool:
    """Whether the answer is about the key rather than about what was asked.

    One that is not in netcup's own form is of something in between, and says nothing of the key.
    """
    return answer.has_code(BAD_KEY) or (answer.is_refusal and answer.status in REFUSED)


def is_about_one(answer: Answer) -> bool:
    """Whether a key that works is refused one thing, perhaps a locked domain. Confidence: L."""
    return answer.status == 403 and answer.is_refusal and not answer.has_code(BAD_KEY)


def error_for(call: str, zone: str, answer: Answer) -> MailauthError:
    """The error that an answer other than a success stands for; ``call`` is ours, in words."""
    if answer.status == TOO_MANY:
        return WaitError(
            f"netcup's limit of requests to its REST API is used up ({answer.message}).",
            f"Wait {_asked_for(answer)}, then run the same command again.",
        )
    if answer.is_missing:
        return ZoneError(
            f"netcup's REST API does not have {call} of {zone} ({answer.message}).",
            "The domain may just have been moved; run the same command again, and look in the "
            "CCP whether it has a CloudDNS tab.",
        )
    if answer.status == 404 and not answer.is_refusal:
        return ApiError(
            "There is no netcup REST API at this address (HTTP 404).",
            "Check NETCUP_REST_ENDPOINT, or unset it; netcup's own address ends in /v1.",
        )
    if answer.envelope is None and answer.status < 300:
        return unknown_shape(call, zone, answer.payload)
    if answer.status in REFUSED and not answer.is_refusal:
        return ApiError(
            f"The request about {call} of {zone} was refused (HTTP {answer.status}), but not in "
            "netcup's words.",
            "Something between this machine and netcup may have answered instead: a proxy or a "
            "firewall. The key was not judged.",
        )
    return ApiError(
        f"netcup refused {call} of {zone} ({answer.message}).",
        "Run the same command again; if it comes again, please report it.",
    )


def _asked_for(answer: Answer) -> str:
    seconds = answer.retry_after or ""
    known = seconds.isdecimal() and seconds.isascii() and len(seconds) < 7
    return f"{seconds} s, as netcup asks" if known else "a few minutes"


def unknown_shape(call: str, zone: str, payload: object, where: str = "") -> ApiError:
    """What netcup sent fits nothing known; told by its fields and types, without values."""
    place = f" at {where}" if where else ""
    return ApiError(
        f"netcup's answer about {call} of {zone} has an unknown shape{place}: {shape(payload)}",
        "Nothing was taken from it. Please report this line; it has no values in it.",
    )


def bad_name(name: str, answer: Answer) -> ZoneError:
    """netcup does not take the name for a domain's."""
    return ZoneError(
        f"netcup does not accept {name!r} as the name of a domain ({answer.message}).",
        "A zone is the domain you ordered, such as example.com. For a mail domain below its zone "
        'set zone = "..." in its table of the config.',
    )


def not_in_this_account(name: str) -> ZoneError:
    """The key's account does not have the domain."""
    return ZoneError(
        f"netcup's REST API does not know the domain {name} in the account of this key.",
        "Check the spelling, and in the CCP that the domain belongs to the account in which the "
        f"key was made ({KEYS_PAGE} > API-Keys).",
    )


def not_on_clouddns(name: str) -> ZoneError:
    """The domain is there, but its DNS is elsewhere."""
    return ZoneError(
        f"{name} is in this account, but its DNS is not on CloudDNS.",
        'If the CCP shows a "DNS" tab for it, it needs the credentials of the CCP API: customer '
        f"number, API password and a legacy key ({KEYS_PAGE} > Legacy-API-Keys). Otherwise its "
        "name servers are not netcup's.",
    )


def credentials(answer: Answer) -> CredentialsError:
    """The key is refused."""
    return CredentialsError(
        f"netcup refuses the REST API key ({answer.message}).",
        f"Make a new one in the {KEYS_PAGE} > API-Keys; it has 64 characters, while one of 50 is "
        "for the CCP API. The refused one is not tried again.",
    )


def nothing_new(zone: str) -> ApiError:
    """A write was accepted without naming what it made, and nothing of it is to be seen."""
    return ApiError(
        f"netcup accepted the changes of {zone}, but lists no new revision of it.",
        "Look in the CCP, under CloudDNS, whether they were left as a draft.",
    )
