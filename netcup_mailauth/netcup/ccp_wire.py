"""The shapes of netcup's CCP API, and what an answer that is no success means (facts, part 1).

Reading is tolerant where netcup was seen to vary (ids as numbers, empty ``responsedata`` in three
forms); writing always sends every field. Code 4013 means at least six things; only its long message
tells which. This is the one place to change when netcup words something anew.
"""

from __future__ import annotations

import sys
from enum import IntEnum
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, Field

from netcup_mailauth.errors import (
    ApiError,
    CredentialsError,
    MailauthError,
    NotServedError,
    WaitError,
    ZoneError,
)
from netcup_mailauth.netcup.api import KEYS_PAGE
from netcup_mailauth.netcup.wire import WIRE, OptionalText, foreign_record
from netcup_mailauth.records import APEX, DnsRecord, join_txt

if TYPE_CHECKING:
    from netcup_mailauth.plan import Edit

LOCKED_OUT = "too many error messages"
"""Words of netcup's lock-out (fact 1.10), which is remembered; a rate limit is not."""


class _Wire(BaseModel):
    """What netcup sends."""

    model_config = WIRE


SUCCESSES = (2000, 2999)
"""The codes that go with a success. Confidence: H for 2000, L for the others."""

UNREAD = ("", "undefined")
"""What netcup calls the action of a call that it refused before reading it (fact 1.10)."""


class Envelope(_Wire):
    """What every answer is wrapped in."""

    clientrequestid: OptionalText = ""
    action: OptionalText = ""
    # A word, and nothing else: it is shown, and it decides whether a call was a success.
    status: str = Field(pattern=r"^[A-Za-z]{1,20}$")
    statuscode: int
    shortmessage: OptionalText = ""
    longmessage: OptionalText = ""
    responsedata: Any = None

    @property
    def message(self) -> str:
        """netcup's own words in one line: the long message, else the short one."""
        return " ".join((self.longmessage or self.shortmessage).split())

    @property
    def summary(self) -> str:
        """Code and message, for a log; no data, since that may hold a session id."""
        return f"{self.statuscode} {self.status}, {self.message}"

    @property
    def is_success(self) -> bool:
        """Whether the call did what it should: anything but ``success`` is not sure.

        Its code was seen to be 2000 always (fact 1.4); one that is an error's is no clean success.
        """
        return self.status == "success" and SUCCESSES[0] <= self.statuscode <= SUCCESSES[1]

    def answers(self, action: str, request_id: str) -> bool:
        """Whether it is the answer to this very call, and not to an earlier or another one.

        netcup echoes both (fact 1.4, confidence: M for the id). An error may come before it has
        read them: then they are empty, or the action is ``undefined``.
        """
        echoed = (self.action, self.clientrequestid)
        if echoed == (action, request_id):
            return True
        return self.is_error and echoed[0] in (action, *UNREAD) and echoed[1] in (request_id, "")

    @property
    def is_error(self) -> bool:
        """Whether it says that the call failed; a ``pending`` is neither that nor a success."""
        return self.status == "error"


class Session(_Wire):
    """``responsedata`` of a login."""

    apisessionid: str = Field(min_length=1, repr=False)


class WireRecord(_Wire):
    """One entry of ``dnsrecords``."""

    id: Annotated[str, Field(pattern=r"^[0-9]+$")]
    hostname: str
    type: str
    priority: str | None = None
    destination: str


class ZoneFacts(_Wire):
    """``responsedata`` of a call that answers with what is known of a zone."""

    name: str


class RecordSet(_Wire):
    """``responsedata`` of a call that answers with the whole zone."""

    dnsrecords: list[WireRecord]


def to_record(wire: WireRecord, zone: str) -> DnsRecord:
    """A record as the rest of the program knows it.

    Raises:
        ApiError: it has the full name of something outside the zone.
    """
    record_type = wire.type.upper()
    value = join_txt(wire.destination) if record_type == "TXT" else wire.destination
    # A run over many zones keeps something of each, and one such word is enough for all of them.
    return DnsRecord(
        id=wire.id,
        hostname=sys.intern(_relative(wire.hostname, zone)),
        type=sys.intern(record_type),
        priority=wire.priority or "0",
        destination=value,
        raw=wire.destination if value != wire.destination else None,
    )


def _relative(hostname: str, zone: str) -> str:
    # netcup takes a full name with a trailing dot (fact 1.8); how it gives one back is unknown.
    name = hostname.lower()
    if name in ("", f"{zone}."):
        return APEX
    if name.endswith(".") and not name.endswith(f".{zone}."):
        raise foreign_record(zone, name)
    return name.removesuffix(f".{zone}.")


def to_entry(change: Edit) -> dict[str, object]:
    """One entry of the ``dnsrecordset`` that makes this change, with every field filled in.

    netcup's documentation wants all of them even for a delete; one client gets by with less
    (fact 1.6).
    """
    record = change.after or change.before
    assert record is not None
    return {
        "id": change.before.id if change.before else "",
        "hostname": record.hostname,
        "type": record.type,
        "priority": record.priority,
        "destination": record.destination,
        "deleterecord": change.after is None,
        "state": "unknown",
    }


class Code(IntEnum):
    """The status codes that this program acts on."""

    SESSION_DEAD = 4001
    SESSION_GONE = 4004  # unsure: stands beside 4001 in one client's notes
    API_KEY_INVALID = 4003  # unsure: one client's table
    VALIDATION = 4013
    ZONE_NOT_FOUND_ON_WRITE = 5028
    NO_RECORDS = 5029
    ZONE_NOT_FOUND = 5031


SESSION_DEAD = frozenset({Code.SESSION_DEAD, Code.SESSION_GONE})

SESSION_DEAD_WORDS = ("session not found", "session id is not in a valid format")
"""What netcup says of a dead session; with which code the first text comes is not known."""


def is_session_dead(answer: Envelope) -> bool:
    """Whether the session has ended: by the code, or by the words whatever the code."""
    said = f"{answer.shortmessage} {answer.longmessage}".lower()
    by_words = any(words in said for words in SESSION_DEAD_WORDS)
    return answer.is_error and (answer.statuscode in SESSION_DEAD or by_words)


def is_empty_zone(answer: Envelope) -> bool:
    """Whether ``infoDnsRecords`` says that the zone has no records.

    The same code says "Domain not found" for a zone of another account. A zone that netcup moved
    to CloudDNS gets the very same answer as an empty one (fact 2.7).
    """
    no_records = answer.is_error and answer.statuscode == Code.NO_RECORDS
    return no_records and "not found" not in answer.message.lower()


def error_for(action: str, zone: str, answer: Envelope) -> MailauthError:
    """The error that an answer other than a success stands for."""
    if is_session_dead(answer):
        return ApiError(
            f"netcup ended the session right after a new login ({answer.statuscode}).",
            "Try again in a few minutes; netcup's sessions are known to die early.",
        )
    if answer.status == "success":  # with the code of an error: it is neither
        return _unsure(action, answer)
    match answer.statuscode:
        case Code.API_KEY_INVALID:
            return _credentials(answer.message)
        case Code.VALIDATION:
            return _validation_error(action, zone, answer.message)
        case Code.ZONE_NOT_FOUND_ON_WRITE if not _names_a_missing_zone(answer.message):
            return ApiError(
                f"netcup did not write all records of {zone} (5028): {answer.message}",
                "Look at the zone before anything else is written to it.",
            )
        case Code.ZONE_NOT_FOUND_ON_WRITE | Code.NO_RECORDS | Code.ZONE_NOT_FOUND:
            return not_on_this_api(zone, answer)
        case _:
            return _unsure(action, answer)


def _unsure(action: str, answer: Envelope) -> ApiError:
    return ApiError(
        f"netcup answered {action} with {answer.status} {answer.statuscode}: {answer.message!r}.",
        "Nothing more is known about this code; if it comes again, please report it.",
    )


def _names_a_missing_zone(message: str) -> bool:
    """Whether a 5028 is about the zone; without these words a part of the records failed (1.6)."""
    return any(words in message.lower() for words in ("not be found", "nicht gefunden"))


def not_on_this_api(zone: str, answer: Envelope) -> NotServedError:
    """netcup's CCP API does not know the zone."""
    said = f"{answer.statuscode}: {answer.message}"
    return NotServedError(
        f"netcup's CCP API does not serve the zone {zone} to this account ({said}).",
        "Check the spelling and that the domain uses netcup's name servers. If the CCP shows a "
        '"CloudDNS" tab for it, netcup has moved it to its REST API: make a key for that under '
        f'"API-Keys" ({KEYS_PAGE}) and enter it with netcup-mailauth auth, or set '
        "NETCUP_REST_API_KEY.",
        said,
    )


def _validation_error(action: str, zone: str, message: str) -> MailauthError:
    """The error behind a 4013. Several messages can be joined in one; the gravest one decides."""
    said = message.lower()
    if LOCKED_OUT in said:
        return WaitError(
            f"netcup has locked this account's API for a while (4013): {message}",
            "Wait at least 15 minutes before the next try, and stop other programs that use this "
            "account: each further error makes it longer.",
        )
    if "customer account not found" in said or "api key missing" in said:
        return _credentials(message)
    if "requests per minute" in said:
        # netcup was seen to send this text for plain wrong credentials, too (fact 1.10).
        also = " At a login it can also mean a wrong key or password." if action == "login" else ""
        return WaitError(
            f"netcup's limit of requests per minute is used up (4013): {message}",
            f"Wait a minute, then run the same command again.{also}",
        )
    if "field domainname" in said:
        return ZoneError(
            f"netcup does not accept {zone!r} as the name of a zone (4013: {message}).",
            "A zone is the domain you ordered, such as example.com, not a name below it. For a "
            'mail domain below its zone set zone = "..." in its table of the config.',
        )
    if action == "login":
        return _credentials(message)
    if action == "updateDnsRecords":
        return ApiError(
            f"netcup refused a record of {zone} (4013): {message}",
            "netcup checks the texts of records; the plan shows what was sent.",
        )
    return ApiError(
        f"netcup refused the call {action} for {zone} (4013): {message}",
        "This should not happen; please report it.",
    )


def _credentials(message: str) -> CredentialsError:
    return CredentialsError(
        f"netcup refuses the customer number, API key or API password ({message}).",
        f"Compare all three with {KEYS_PAGE}; it is not tried again, because more tries lock "
        "the account. A new API password there ends the old one for every program.",
    )
