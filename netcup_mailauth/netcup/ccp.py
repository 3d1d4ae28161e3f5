"""netcup's CCP JSON API: one login, one connection, zones read and written (facts, part 1).

What netcup says is read in :mod:`netcup_mailauth.netcup.ccp_wire`.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import parse_qsl, urlsplit

from pydantic import BaseModel, SecretStr, ValidationError

from netcup_mailauth import clock
from netcup_mailauth.errors import (
    ApiError,
    CredentialsError,
    MailauthError,
    TransportError,
    WaitError,
    WriteNotProcessedError,
)
from netcup_mailauth.netcup import CCP_ADDRESS
from netcup_mailauth.netcup.api import OneApi, check_fresh, send_by
from netcup_mailauth.netcup.ccp_wire import (
    LOCKED_OUT,
    Code,
    Envelope,
    RecordSet,
    Session,
    ZoneFacts,
    error_for,
    is_empty_zone,
    is_session_dead,
    not_on_this_api,
    to_entry,
    to_record,
)
from netcup_mailauth.netcup.http import TOO_MANY, HttpClient, NotJsonError, Reply, once, too_many
from netcup_mailauth.netcup.wire import NOTHING_TAKEN, foreign_record, masked
from netcup_mailauth.records import Zone
from netcup_mailauth.state.holds import Reason, Trial

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from netcup_mailauth.clock import Pauses
    from netcup_mailauth.netcup.api import Budget
    from netcup_mailauth.netcup.recording import Recording
    from netcup_mailauth.plan import Edit
    from netcup_mailauth.records import DnsRecord
    from netcup_mailauth.state.holds import Hold

NO_JSON = (
    "Check NETCUP_CCP_ENDPOINT: netcup's address of this API ends in ?JSON, and without that it "
    "says nothing."
)

REQUEST_ID = 16
"""Random bytes of a ``clientrequestid``, in 32 characters; netcup takes 64 at most (fact 1.3)."""

Model = TypeVar("Model", bound=BaseModel)


class CcpBackend(OneApi):
    """The zones of one netcup account behind the CCP API.

    ``trace`` is told of each answer in a line that holds no secret, ``recording`` of all, masked.
    """

    name = "ccp"
    new_ttl: int | None = None
    read_and_write = 2

    def __init__(
        self,
        customer_number: str,
        api_key: SecretStr,
        api_password: SecretStr,
        *,
        endpoint: str = CCP_ADDRESS,
        budget: Budget | None = None,
        trace: Callable[[str], None] | None = None,
        hold: Hold | None = None,
        recording: Recording | None = None,
        pauses: Pauses | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.account = hashlib.sha256(customer_number.encode()).hexdigest()[:12]
        self._customer_number = SecretStr(customer_number)
        self._api_key = api_key
        self._api_password = api_password
        recorded = (recording, self.name) if recording else None
        what = "netcup's CCP API"
        http = HttpClient(endpoint, what, recorded=recorded, pauses=pauses, sleep=sleep)
        super().__init__(http, budget, trace)
        self._trial = Trial(hold)
        self._session: SecretStr | None = None
        self._entering = threading.Lock()
        self._secrets = [self._customer_number, api_key, api_password]

    def __exit__(self, *error: object) -> None:
        try:
            self._log_out()
        finally:
            super().__exit__(*error)

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

    def zone(self, name: str) -> Zone:
        """Read a zone."""
        self._enter()
        asked_at = clock.now()
        answer = self._read("infoDnsRecords", {"domainname": name})
        answered_at = clock.now()
        records: tuple[DnsRecord, ...] = ()
        if is_empty_zone(answer):
            self._check_that_zone_exists(name)
        else:
            records = self._records(name, self._expect("infoDnsRecords", name, answer, RecordSet))
        return Zone(name, self.name, records, asked_at=asked_at, answered_at=answered_at)

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
            answer = self._send("updateDnsRecords", _within(session, param), once, send_by(zone))
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
        records = self._records(name, self._expect("updateDnsRecords", name, answer, RecordSet))
        return Zone(name, self.name, records)

    def _check_that_zone_exists(self, name: str) -> None:
        answer = self._read("infoDnsZone", {"domainname": name})
        if answer.is_error and answer.statuscode == Code.ZONE_NOT_FOUND:
            raise self._budget.counted(not_on_this_api(name, answer))
        known = self._expect("infoDnsZone", name, answer, ZoneFacts).name
        if known.lower() != name:
            raise foreign_record(name, known)

    def _records(self, name: str, record_set: RecordSet) -> tuple[DnsRecord, ...]:
        records = tuple(to_record(wire, name) for wire in record_set.dnsrecords)
        if len({record.id for record in records}) != len(records):
            raise ApiError(
                f"netcup lists two records of {name} under one id.",
                "Nothing can be changed safely while it does; please report it.",
            )
        return records

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
            self._send("logout", param, once)
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

        try:
            reply = repeat(send)
        except NotJsonError as error:
            if not _asks_for_json(self.endpoint):
                error.advice = NO_JSON
            raise
        answer = self._believed(action, request_id, reply)
        self._note(f"{action} {param.get('domainname', '')}: {answer.summary}")
        return answer

    def _believed(self, action: str, request_id: str, reply: Reply) -> Envelope:
        """The answer to this very call, fit to be shown.

        Raises:
            WaitError: there are too many requests.
            TransportError: it is any other answer.
        """
        if (error := self._told_to_wait(reply)) is not None:
            raise self._trial.refuse(error, None)
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
        return answer

    def _told_to_wait(self, reply: Reply) -> WaitError | None:
        """The error of a 429, from netcup or from something before it; not that of a lock-out."""
        said = f"HTTP {reply.status}"
        if reply.status != TOO_MANY:
            return None
        try:
            answer = self._masked(Envelope.model_validate(reply.payload))
        except ValidationError:
            return too_many("its CCP API", said, reply.retry_after)
        if not answer.is_error or LOCKED_OUT in answer.message.lower():
            return None
        return too_many("its CCP API", f"{said}: {answer.message}", reply.retry_after)

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
        fit = {name: masked(text, self._secrets) for name, text in texts.items()}
        return answer if fit == texts else answer.model_copy(update=fit)

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


def _asks_for_json(endpoint: str) -> bool:
    """Whether an address is one at which netcup speaks JSON: elsewhere it answers nothing."""
    return "JSON" in dict(parse_qsl(urlsplit(endpoint).query, keep_blank_values=True))


def _within(session: SecretStr, param: dict[str, object]) -> dict[str, object]:
    return {**param, "apisessionid": session.get_secret_value()}
