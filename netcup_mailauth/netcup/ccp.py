"""netcup's CCP JSON API: one login, one connection, zones read and written (facts, part 1).

netcup's wire words end in the second half. Reading is tolerant where netcup was seen to vary (ids
as numbers, empty ``responsedata`` in three forms); writing always sends every field. Code 4013
means at least six things; only its long message tells which. This is the one place to change when
netcup words something anew.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from dataclasses import replace
from enum import IntEnum
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from pydantic import BaseModel, Field, SecretStr, ValidationError

from netcup_mailauth import clock
from netcup_mailauth.errors import (
    ApiError,
    CredentialsError,
    MailauthError,
    NotServedError,
    TransportError,
    WaitError,
    WriteNotProcessedError,
    ZoneError,
)
from netcup_mailauth.netcup.api import KEYS_PAGE, Budget, check_fresh, send_by
from netcup_mailauth.netcup.http import HttpClient, Reply
from netcup_mailauth.netcup.wire import (
    NOTHING_TAKEN,
    WIRE,
    OptionalText,
    Text,
    foreign_record,
    masked,
)
from netcup_mailauth.plan import Action, Edit
from netcup_mailauth.records import (
    APEX,
    DesiredRecord,
    DnsRecord,
    Zone,
    join_txt,
    reason_not_to_store,
)
from netcup_mailauth.state.holds import Reason, Trial

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from netcup_mailauth.clock import Pauses
    from netcup_mailauth.state.holds import Hold

ENDPOINT = "https://ccp.netcup.net/run/webservice/servers/endpoint.php?JSON"

REQUEST_ID = 16
"""Random bytes of a ``clientrequestid``, in 32 characters; netcup takes 64 at most (fact 1.3)."""

LOCKED_OUT = "too many error messages"
"""Words of netcup's lock-out (fact 1.10), which is remembered; a rate limit is not."""

READ_AND_WRITE = 2
"""Calls to read a zone and to write to it."""

Model = TypeVar("Model", bound=BaseModel)


class CcpBackend:
    """The zones of one netcup account behind the CCP API.

    ``trace`` is told of each answer in a line that holds no secret.
    """

    name = "ccp"
    new_ttl: int | None = None

    def __init__(
        self,
        customer_number: str,
        api_key: SecretStr,
        api_password: SecretStr,
        *,
        endpoint: str = ENDPOINT,
        budget: Budget | None = None,
        trace: Callable[[str], None] | None = None,
        hold: Hold | None = None,
        pauses: Pauses | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.endpoint = endpoint
        self.account = hashlib.sha256(customer_number.encode()).hexdigest()[:12]
        self._customer_number = SecretStr(customer_number)
        self._api_key = api_key
        self._api_password = api_password
        self._http = HttpClient(endpoint, "netcup's CCP API", pauses=pauses, sleep=sleep)
        self._budget = budget or Budget()
        self._trace = trace
        self._trial = Trial(hold)
        self._session: SecretStr | None = None
        self._entering = threading.Lock()
        self._secrets = [self._customer_number, api_key, api_password]

    def __enter__(self) -> CcpBackend:
        return self

    def __exit__(self, *error: object) -> None:
        try:
            self._log_out()
        finally:
            self._http.close()

    def log_in(self) -> SecretStr:
        """Begin a session; called by itself, it shows whether the credentials work.

        Raises:
            CredentialsError, WaitError, ApiError: as netcup answers.
        """
        self._trial.check()
        param: dict[str, object] = {"apipassword": self._api_password.get_secret_value()}
        answer = self._send("login", param, self._http.read)
        self._session = SecretStr(self._expect("login", "", answer, Session).apisessionid)
        self._secrets.append(self._session)
        self._trial.succeed()
        return self._session

    def reserve(self) -> None:
        """Take two calls at once."""
        self._budget.take(READ_AND_WRITE)

    def release(self) -> None:
        """Give them back."""
        self._budget.release()

    def zone(self, name: str) -> Zone:
        """Read a zone."""
        self._enter()
        asked_at = clock.now()
        answer = self._read("infoDnsRecords", {"domainname": name})
        answered_at = clock.now()
        if is_empty_zone(answer):
            self._check_that_zone_exists(name)
            zone = Zone(name, self.name, ())
        else:
            zone = self._zone(name, self._expect("infoDnsRecords", name, answer, RecordSet))
        return replace(zone, asked_at=asked_at, answered_at=answered_at)

    @property
    def ahead(self) -> dict[str, float]:
        """See :class:`~netcup_mailauth.netcup.api.Backend`."""
        return {} if self._http.ahead is None else {"netcup's CCP API": self._http.ahead}

    def serving(self, name: str) -> CcpBackend:  # noqa: ARG002
        """Itself."""
        return self

    def apply(self, zone: Zone, changes: Sequence[Edit]) -> Zone:
        """Write the changes in one call."""
        entries = [to_entry(change) for change in changes]
        param: dict[str, object] = {
            "domainname": zone.name,
            "dnsrecordset": {"dnsrecords": entries},
        }
        session = self._enter()
        self._budget.take(1)
        check_fresh(zone)  # whatever there was to wait for came before
        try:
            answer = self._send("updateDnsRecords", _within(session, param), _once, send_by(zone))
        except TransportError as error:
            if error.sent:
                raise
            raise WriteNotProcessedError(error.what, error.advice) from None
        if is_session_dead(answer):
            self._forget(session)
            raise WriteNotProcessedError(
                "netcup had ended the session before the write.",
                "Nothing was written. Run the same command again.",
            )
        name = zone.name
        return self._zone(name, self._expect("updateDnsRecords", name, answer, RecordSet))

    def refuses(self, record: DesiredRecord) -> str | None:
        """Why a TXT text does not survive at netcup (fact 1.7), or ``None``."""
        return reason_not_to_store(record.value, self.name)

    def _check_that_zone_exists(self, name: str) -> None:
        answer = self._read("infoDnsZone", {"domainname": name})
        if answer.is_error and answer.statuscode == Code.ZONE_NOT_FOUND:
            raise self._budget.counted(not_on_this_api(name, answer))
        known = self._expect("infoDnsZone", name, answer, ZoneFacts).name
        if known.lower() != name:
            raise foreign_record(name, known)

    def _zone(self, name: str, record_set: RecordSet) -> Zone:
        records = tuple(to_record(wire, name) for wire in record_set.dnsrecords)
        if len({record.id for record in records}) != len(records):
            raise ApiError(
                f"netcup lists two records of {name} under one id.",
                "Nothing can be changed safely while it does; please report it.",
            )
        return Zone(name, self.name, records)

    def _read(self, action: str, param: dict[str, object]) -> Envelope:
        """A call that changes nothing; logs in first, and once more if the session has died."""
        for _ in range(2):
            session = self._enter()
            answer = self._send(action, _within(session, param), self._http.read)
            if not is_session_dead(answer):
                break
            self._forget(session)
        return answer

    def _enter(self) -> SecretStr:
        """The one session of this run, begun if there is none; parallel jobs wait for it."""
        with self._entering:
            return self._session or self.log_in()

    def _forget(self, session: SecretStr) -> None:
        """A session is dead; another job may have begun the next one already."""
        with self._entering:
            if self._session is session:
                self._session = None
                self._trial.works = False

    def _log_out(self) -> None:
        if self._session is None:
            return
        param: dict[str, object] = {"apisessionid": self._session.get_secret_value()}
        self._session = None
        try:
            self._send("logout", param, _once)
        except MailauthError:
            # The session ends by itself after a quarter of an hour, and the user's own result,
            # or first error, must not be hidden by this one.
            return

    def _send(
        self,
        action: str,
        param: dict[str, object],
        repeat: Callable[[Callable[[], Reply]], Reply],
        by: float | None = None,
    ) -> Envelope:
        request_id = secrets.token_hex(REQUEST_ID)
        body = {
            "action": action,
            "param": {
                **param,
                "clientrequestid": request_id,
                "customernumber": self._customer_number.get_secret_value(),
                "apikey": self._api_key.get_secret_value(),
            },
        }

        def send() -> Reply:
            self._budget.spend()
            return self._http.post(body, by=by)

        reply = repeat(send)
        if reply.payload is None:
            raise self._in_between(f"{self._http.what} answered HTTP {reply.status} without JSON.")
        try:
            answer = Envelope.model_validate(reply.payload)
        except ValidationError:
            answer = None
        if answer is None:
            # Outside the except block, as pydantic's error holds the whole answer.
            raise TransportError(
                f"netcup answered {action} with JSON of an unknown shape (HTTP {reply.status}).",
                "If it comes again, please report it.",
            )
        answer = self._masked(answer)
        if not answer.answers(action, request_id):
            raise self._out_of_step(action, answer)
        if answer.is_success and not 200 <= reply.status < 300:
            raise self._in_between(
                f"netcup answered {action} with HTTP {reply.status}, and a success in it."
            )
        self._note(f"{action} {param.get('domainname', '')}: {answer.summary}")
        return answer

    @staticmethod
    def _in_between(what: str) -> TransportError:
        return TransportError(
            what,
            "Something between this machine and it may have answered instead: a proxy or a "
            "firewall.",
            passing=False,
        )

    def _out_of_step(self, action: str, answer: Envelope) -> TransportError:
        """An answer to something else; no answer of the same connection is believed any more."""
        self._http.close()
        self._note(f"{action}: an answer to another call ({answer.summary})")
        return TransportError(
            f"netcup's answer to {action} is not that to this call: it does not repeat its "
            "action and clientrequestid.",
            NOTHING_TAKEN,
        )

    def _masked(self, answer: Envelope) -> Envelope:
        """The answer with its words fit to show: none of our own secrets, and printable."""
        texts = {"shortmessage": answer.shortmessage, "longmessage": answer.longmessage}
        return answer.model_copy(
            update={name: masked(text, self._secrets) for name, text in texts.items()}
        )

    def _expect(self, action: str, zone: str, answer: Envelope, model: type[Model]) -> Model:
        """The data of a successful answer; raises what any other stands for."""
        if not answer.is_success:
            raise self._error(action, zone, answer)
        try:
            return model.model_validate(answer.responsedata or {})
        except ValidationError as error:
            where = ", ".join(".".join(map(str, e["loc"])) or "it" for e in error.errors()[:3])
        # Outside the except block, as pydantic's error holds the answer, session id and all.
        raise ApiError(
            f"netcup's answer to {action} is not as documented (at {where}).",
            "Nothing was taken from it; if it comes again, please report it.",
        )

    def _error(self, action: str, zone: str, answer: Envelope) -> MailauthError:
        """The error that an answer stands for, remembered if these credentials must rest."""
        error = error_for(action, zone, answer)
        reason = None
        if isinstance(error, CredentialsError):
            reason = Reason.REFUSED
        elif isinstance(error, WaitError) and LOCKED_OUT in answer.message.lower():
            reason = Reason.LOCKED_OUT
        if error.ends_run:
            self._trial.refuse(error, reason)  # no other job logs in after it
        return self._budget.counted(error)

    def _note(self, line: str) -> None:
        if self._trace is not None:
            self._trace(f"netcup: {line}")


def _within(session: SecretStr, param: dict[str, object]) -> dict[str, object]:
    return {**param, "apisessionid": session.get_secret_value()}


def _once(send: Callable[[], Reply]) -> Reply:
    return send()


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

    id: Annotated[Text, Field(pattern=r"^[0-9]+$")]
    hostname: Text
    type: Text
    priority: OptionalText = "0"
    destination: Text


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
    return DnsRecord(
        id=wire.id,
        hostname=_relative(wire.hostname, zone),
        type=record_type,
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
        "deleterecord": change.action is Action.DELETE,
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
