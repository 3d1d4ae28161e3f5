"""What the CCP API says: its sentences to the letter, blanks, spelling mistakes and all (1.10).

Those marked (guess) were never seen; their wording is ours. Nothing may depend on it.
"""

from __future__ import annotations

import secrets
import string
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from netcup_mailauth.sandbox.quirks import Quirks

# 4013, shortmessage "Validation Error." (1.10)
RATE_LIMIT = (
    "More than 180 requests per minute. Please wait and retry later. Please contact our customer "
    "service to find out if the limitation of requests can be increased."
)
LOCKOUT = "Too many error messages, please check your commands. "
EMPTY = "Message is empty."
NO_API_KEY = "Api key missing. JSON decode failed while validating request."
NO_ACCOUNT = "Customer account not found. JSON decode failed while validating request."
DECODE_FAILED = "JSON decode failed while validating request."  # (guess) both of the above end so
QUOTATION = (
    "Please put quotation marks in front of a backslash. The name server automatically sets "
    "quotation marks at the beginning and end. "
)
HOSTNAME = "der Host darf nicht leer sein oder aus Sonderzeichen bestehen"
UNKNOWN_ACTION = "The requested action is not available. "  # (guess)
RESELLER_ACTION = "This action is available for domain resellers only. "  # (guess)
DNSSEC_PAUSE = "Enabling DNSSEC is possible every 24 hours. "  # (guess)
EMPTY_TXT = "TXT record destination must not be empty. "  # (guess)
TXT_TOO_LONG = "TXT record destination is too long. "  # (guess)
CAA_PARAMETERS = "CAA record destination is incorrect. "  # (guess)
BARE_DELETE = "Hostname, type and destination are required for each record. "  # (guess)

# 5028, updateDnsRecords
UPDATE_FAILED = "Can not update (all) DNS records for zone. "


def field_mismatch(field: str, kind: str) -> str:
    """A field that does not match the WSDL's pattern (L13; seen for `domainname`)."""
    return f"Value in field {field} does not match requirements of type: {kind}. "


def mx_destination(domain: str) -> str:
    """A priority or blank in the destination of an MX record (L31)."""
    return f"MX record destination is incorrect. An example of a correct entry: mail.{domain}. "


def bad_destination(kind: str) -> str:
    """Any other destination that cannot be (guess)."""
    return f"{kind} record destination is incorrect. "


def zone_not_found(domain: str) -> str:
    """Writing to a zone of somebody else, or one on CloudDNS (L14, L16)."""
    return f"{UPDATE_FAILED}The zone {domain} could not be found."


def zone_empty(domain: str, language: str) -> str:
    """Reading a zone without records (L15); the English sentence is garbled at netcup."""
    if language == "german":
        return f"Can not get DNS records for zone.  Die Zone {domain} enthält keine DNS records."
    return f"Can not get DNS records for zone.  The zone does not {domain} contain any DNS records."


def unknown_record(record_id: int | None) -> str:
    """An id that is not in the zone (L25, guess)."""
    return f"{UPDATE_FAILED}The record {record_id} could not be found."


_ALPHANUMERIC = string.ascii_letters + string.digits
_EMPTY: Final[dict[str, object]] = {"string": "", "null": None, "list": []}


@dataclass(frozen=True, slots=True)
class CcpAnswer:
    """What netcup says to one call.

    `action` is what is echoed in place of the call's own, where netcup has not read that yet, nor
    its id; `numbered` is false where netcup may leave `serverrequestid` empty.
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

    def _number(self, quirks: Quirks) -> str:
        """The `serverrequestid`; early errors have one at times (B3)."""
        is_early = not self.numbered
        if is_early and (quirks.request_ids == "28" or secrets.choice((True, False))):
            return ""
        return _request_id(quirks)

    def envelope(self, action: str, client_request_id: str, quirks: Quirks) -> dict[str, object]:
        """The eight keys in netcup's order; acme.sh cuts by position, so order matters (L2)."""
        return {
            "serverrequestid": self._number(quirks),
            "clientrequestid": client_request_id if self.action is None else "",
            "action": action if self.action is None else self.action,
            "status": self.status,
            "statuscode": self.code,
            "shortmessage": self.short,
            "longmessage": self.long,
            "responsedata": _EMPTY[quirks.empty_responsedata] if self.data is None else self.data,
        }


def _request_id(quirks: Quirks) -> str:
    """28 alphanumerics (L4), or 17, or 29 with an equals sign at the end (B3)."""
    length = 28 if quirks.request_ids == "28" else secrets.choice((17, 28, 29))
    text = "".join(secrets.choice(_ALPHANUMERIC) for _ in range(length))
    return f"{text[:-1]}=" if length == 29 else text


def success(short: str, long: str, data: dict[str, object] | None = None) -> CcpAnswer:
    """Code 2000 (1.4)."""
    return CcpAnswer("success", 2000, short, long, data)


def validation_error(long: str, *, action: str | None = None, numbered: bool = True) -> CcpAnswer:
    """Code 4013, netcup's catch-all (1.10)."""
    return CcpAnswer("error", 4013, "Validation Error.", long, action=action, numbered=numbered)


def session_dead(text: str = "format") -> CcpAnswer:
    """Code 4001, the same for an expired, an ended and a malformed session (L9).

    A second text is known, and its code is not; it is given one that says nothing.
    """
    if text == "not-found":
        return CcpAnswer("error", 4013, "Validation Error.", "Api session not found")
    short, long = "Api session id in invalid format", "The session id is not in a valid format."
    return CcpAnswer("error", 4001, short, long)


def update_failed(long: str) -> CcpAnswer:
    """Code 5028 (L14, L25)."""
    return CcpAnswer("error", 5028, "Update of DNS records failed", long)


def records_unavailable(long: str) -> CcpAnswer:
    """Code 5029: no such zone, an empty zone, or one on CloudDNS (L14-L16)."""
    return CcpAnswer("error", 5029, "Getting DNS records failed", long)


def zone_unavailable() -> CcpAnswer:
    """Code 5031; the two blanks are netcup's (L14)."""
    long = "Can not get DNS records for zone.  Domain not found."
    return CcpAnswer("error", 5031, "Getting DNS zone failed", long)


def rate_limited() -> CcpAnswer:
    """Too many calls in a minute (L40)."""
    return validation_error(RATE_LIMIT, action="")


def locked_out() -> CcpAnswer:
    """Too many errors in a row (L41)."""
    return validation_error(LOCKOUT, action="")
