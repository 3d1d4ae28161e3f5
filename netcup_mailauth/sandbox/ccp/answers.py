"""One answer of the CCP API: what it says, and the envelope it says it in (L2-L5)."""

from __future__ import annotations

import secrets
import string
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from netcup_mailauth.sandbox.ccp import messages

if TYPE_CHECKING:
    from netcup_mailauth.sandbox.quirks import Quirks

_ALPHANUMERIC = string.ascii_letters + string.digits
_EMPTY: Final[dict[str, object]] = {"string": "", "null": None, "list": []}


@dataclass(frozen=True, slots=True)
class Answer:
    """What netcup says to one call.

    `action` is what is echoed in place of the call's own, where netcup has not read that yet, nor
    its id; `numbered` is false where netcup leaves `serverrequestid` empty.
    """

    status: str
    code: int
    short: str
    long: str
    data: dict[str, object] | None = None
    action: str | None = None
    numbered: bool = True

    @property
    def is_error(self) -> bool:
        """Whether it counts towards the lock-out (L41)."""
        return self.status == "error"

    def envelope(self, action: str, client_request_id: str, quirks: Quirks) -> dict[str, object]:
        """The eight keys in netcup's order; acme.sh cuts by position, so order matters (L2)."""
        return {
            "serverrequestid": _request_id() if self.numbered else "",
            "clientrequestid": client_request_id if self.action is None else "",
            "action": action if self.action is None else self.action,
            "status": self.status,
            "statuscode": self.code,
            "shortmessage": self.short,
            "longmessage": self.long,
            "responsedata": _EMPTY[quirks.empty_responsedata] if self.data is None else self.data,
        }


def _request_id() -> str:
    """28 alphanumerics (L4)."""
    return "".join(secrets.choice(_ALPHANUMERIC) for _ in range(28))


def success(short: str, long: str, data: dict[str, object] | None = None) -> Answer:
    """Code 2000 (1.4)."""
    return Answer("success", 2000, short, long, data)


def validation_error(long: str, *, action: str | None = None, numbered: bool = True) -> Answer:
    """Code 4013, netcup's catch-all (1.10)."""
    return Answer("error", 4013, "Validation Error.", long, action=action, numbered=numbered)


def session_dead(text: str = "format") -> Answer:
    """Code 4001, the same for an expired, an ended and a malformed session (L9).

    A second text is known, and its code is not; it is given one that says nothing.
    """
    if text == "not-found":
        return Answer("error", 4013, "Validation Error.", "Api session not found")
    short, long = "Api session id in invalid format", "The session id is not in a valid format."
    return Answer("error", 4001, short, long)


def update_failed(long: str) -> Answer:
    """Code 5028 (L14, L25)."""
    return Answer("error", 5028, "Update of DNS records failed", long)


def records_unavailable(long: str) -> Answer:
    """Code 5029: no such zone, an empty zone, or one on CloudDNS (L14-L16)."""
    return Answer("error", 5029, "Getting DNS records failed", long)


def zone_unavailable() -> Answer:
    """Code 5031; the two blanks are netcup's (L14)."""
    long = "Can not get DNS records for zone.  Domain not found."
    return Answer("error", 5031, "Getting DNS zone failed", long)


def rate_limited() -> Answer:
    """Too many calls in a minute (L40)."""
    return validation_error(messages.RATE_LIMIT, action="")


def locked_out() -> Answer:
    """Too many errors in a row (L41)."""
    return validation_error(messages.LOCKOUT, action="")
