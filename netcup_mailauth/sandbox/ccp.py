"""The CCP JSON API: what a call is, who is let in, what it then does, and how it is answered."""

from __future__ import annotations

import json
import re
import secrets
import string
from dataclasses import dataclass, field, replace
from email.utils import formatdate
from typing import TYPE_CHECKING, Any, ClassVar, Literal
from urllib.parse import parse_qsl

from netcup_mailauth.sandbox import ccp_answers as answers
from netcup_mailauth.sandbox.ccp_answers import CcpAnswer, success, update_failed, validation_error
from netcup_mailauth.sandbox.ccp_records import merge
from netcup_mailauth.sandbox.http import Reply, Request, html_reply, json_reply
from netcup_mailauth.sandbox.zones import is_number, is_zone_name, next_serial

if TYPE_CHECKING:
    from collections.abc import Callable

    from netcup_mailauth.sandbox.addresses import Credentials
    from netcup_mailauth.sandbox.calls import Lockout, RateLimit
    from netcup_mailauth.sandbox.quirks import Quirks
    from netcup_mailauth.sandbox.zones import Zone, Zones

PATH = "/run/webservice/servers/endpoint.php"

#: The actions every customer may use (1.3); all but the first two name a zone.
ACTIONS = (
    "login",
    "logout",
    "infoDnsZone",
    "infoDnsRecords",
    "updateDnsZone",
    "updateDnsRecords",
)

# What a call is counted as whose body cannot be read.
_MALFORMED = "malformed"

# The actions of the interface page that are for resellers (1.3).
_RESELLER_ACTIONS = frozenset(
    {
        "ackpoll", "cancelDomain", "changeOwnerDomain", "createDomain", "createHandle",
        "deleteHandle", "getAuthcodeDomain", "infoDomain", "infoHandle", "listallDomains",
        "listallHandle", "poll", "priceTopleveldomain", "transferDomain", "updateDomain",
        "updateHandle",
    }
)  # fmt: skip

_REQUEST_ID = re.compile(r"[A-Za-z0-9]{0,64}", re.ASCII)
_BASE64 = string.ascii_letters + string.digits + "+/"
_DNSSEC_PAUSE = 86400.0  # seconds: it can be switched on once a day (L45)
_SOA_FIELDS = ("ttl", "refresh", "retry", "expire")
_HEADERS = (
    ("Expires", "Tue, 03 Jul 2001 06:00:00 GMT"),
    ("Cache-Control", "no-store, no-cache, must-revalidate, max-age=0"),
    ("Cache-Control", "post-check=0, pre-check=0"),
    ("Pragma", "no-cache"),
    ("Vary", "Accept-Encoding,User-Agent"),
    ("X-Frame-Options", "SAMEORIGIN"),
)


@dataclass(frozen=True, slots=True)
class CcpCall:
    """A call; `error` is what is wrong with one whose body could not be read."""

    action: str
    param: dict[str, Any] = field(default_factory=dict, repr=False)
    error: CcpAnswer | None = None

    @property
    def domain(self) -> str:
        """The zone it is about, in lower case; empty where it names none."""
        name = self.param.get("domainname")
        return name.lower() if isinstance(name, str) else ""

    @property
    def client_request_id(self) -> str:
        """What is echoed: the id as sent, or empty if there is none or it is malformed (L5)."""
        value = self.param.get("clientrequestid")
        return value if isinstance(value, str) and _is_request_id(value) else ""

    def entries(self) -> list[object] | None:
        """The entries of `updateDnsRecords`, or None where there is no such list."""
        record_set = self.param.get("dnsrecordset")
        entries = record_set.get("dnsrecords") if isinstance(record_set, dict) else None
        return entries if isinstance(entries, list) else None

    def first_half(self) -> CcpCall:
        """The same call with only the first half of its entries."""
        entries = self.entries() or []
        half = {"dnsrecords": entries[: len(entries) // 2]}
        return replace(self, param={**self.param, "dnsrecordset": half})


class Sessions:
    """The open sessions of the one account; many side by side are fine (L6, L9-L12).

    `idle_ttl` is how many seconds without a call end one (L10); the quirk `first_call_4001` makes
    them die sooner.
    """

    def __init__(self, idle_ttl: float, quirks: Quirks, clock: Callable[[], float]) -> None:
        self._idle_ttl = idle_ttl
        self._quirks = quirks
        self._clock = clock
        self._open: dict[str, float] = {}  # when each was used last
        self._first_calls_to_refuse = 0
        self.clear()

    def clear(self) -> None:
        """End all sessions and forget which one-shots were fired."""
        self._open.clear()
        self._first_calls_to_refuse = 1 if self._quirks.first_call_4001 == "once" else 0

    def open(self) -> str:
        """Start a session; its id is 50 characters of the Base64 alphabet (L6)."""
        number = "".join(secrets.choice(_BASE64) for _ in range(50))
        is_dead = self._quirks.first_call_4001 == "always" or self._first_calls_to_refuse > 0
        self._first_calls_to_refuse = 0
        if not is_dead:
            self._open[number] = self._clock()
        return number

    def use(self, number: object) -> bool:
        """Whether the session lives; if so its idle time starts anew."""
        now = self._clock()
        self._end_the_dead(now)
        if not isinstance(number, str) or number not in self._open:
            return False
        self._open[number] = now
        return True

    def end(self, number: object) -> None:
        """Log out, or let a session die (L11)."""
        if isinstance(number, str):
            self._open.pop(number, None)

    def count(self) -> int:
        """How many sessions were left open and still live."""
        self._end_the_dead(self._clock())
        return len(self._open)

    def _end_the_dead(self, now: float) -> None:
        for number, used in list(self._open.items()):
            if now - used >= self._idle_ttl:
                del self._open[number]


@dataclass(frozen=True)
class CcpAccount:
    """The account as the CCP sees it. All but `decode` and `reply` hold `zones.lock` meanwhile."""

    where: ClassVar[Literal["ccp"]] = "ccp"
    zones: Zones
    sessions: Sessions
    rate: RateLimit
    lockout: Lockout
    credentials: Credentials

    def clear(self) -> None:
        """Forget sessions, calls and errors."""
        self.sessions.clear()
        self.rate.clear()
        self.lockout.clear()

    def decode(self, request: Request) -> CcpCall | Reply:
        """Read a request, whatever its content type (L1, L42).

        Those who do not ask for JSON get the interface page (1.1), or nothing for what they post.
        """
        is_post = request.method == "POST"
        if "JSON" not in dict(parse_qsl(request.query, keep_blank_values=True)):
            says_nothing = is_post and self.zones.quirks.without_json == "empty"
            return Reply(200, "text/html", b"") if says_nothing else html_reply("netcup API")
        if not is_post:
            return html_reply("netcup API")
        if not request.body.strip():
            return CcpCall(_MALFORMED, error=validation_error(answers.EMPTY, action=""))
        no_key = validation_error(answers.NO_API_KEY, action="undefined")
        try:
            data = json.loads(request.body)
        except (ValueError, RecursionError):
            return CcpCall(_MALFORMED, error=no_key)
        if not isinstance(data, dict) or not isinstance(data.get("action"), str):
            return CcpCall(_MALFORMED, error=no_key)
        param = data.get("param")
        return CcpCall(data["action"], param if isinstance(param, dict) else {})

    def admit(self, call: CcpCall) -> CcpAnswer | None:
        """Why a call is not carried out, or None.

        The order is netcup's as far as it was seen: the lock-out answers even a login (L41), the
        domain name is checked before credentials and session (L13).
        """
        if self.lockout.holds():
            return answers.locked_out()
        if not self.rate.admits():
            return answers.rate_limited()
        return call.error or malformed(call) or self._unknown(call)

    def carry_out(self, call: CcpCall, *, store: bool = True) -> CcpAnswer:
        """Carry out a call that was let in; without `store` only answer as if."""
        match call.action:
            case "login":
                data: dict[str, object] = {"apisessionid": self.sessions.open()}
                text = "Session has been created successful."
                return success("Login successful", text, data)
            case "logout":
                self.sessions.end(call.param.get("apisessionid"))
                return success("Logout successful", "Session has been terminated successful.")
            case "infoDnsZone":
                return self._info_zone(call)
            case "infoDnsRecords":
                return self._info_records(call)
            case "updateDnsZone":
                return self._update_zone(call, store)
            case _:
                return self._update_records(call, store)

    def written(self, call: CcpCall, answer: CcpAnswer) -> Reply:
        """The answer as it travels, HTTP 200 for errors too (L1)."""
        action = "" if call.error is not None else call.action
        reply = json_reply(answer.envelope(action, call.client_request_id, self.zones.quirks))
        return replace(reply, headers=(*_HEADERS, ("Last-Modified", formatdate(usegmt=True))))

    def reply(self, call: CcpCall, answer: CcpAnswer) -> Reply:
        """The answer as it travels, once it was counted (L41)."""
        with self.zones.lock:
            self.lockout.note(error=answer.is_error)
        return self.written(call, answer)

    def zone_of(self, call: CcpCall) -> Zone | None:
        """The zone that a call is about, if the CCP serves it."""
        return self.zones.on_ccp(call.domain)

    def _unknown(self, call: CcpCall) -> CcpAnswer | None:
        quirks = self.zones.quirks
        if not self._knows(call):
            if quirks.wrong_credentials == "rate-text":
                return answers.rate_limited()
            return validation_error(answers.NO_ACCOUNT, action="undefined")
        if call.action in _RESELLER_ACTIONS:
            return validation_error(answers.RESELLER_ACTION)  # L43
        if call.action not in ACTIONS:
            return validation_error(answers.UNKNOWN_ACTION)  # L43
        if call.action == "login" or self.sessions.use(call.param.get("apisessionid")):
            return None
        return answers.session_dead(quirks.dead_session)

    def _knows(self, call: CcpCall) -> bool:
        """Customer number (text or number, L8), key and, at the login, password (L7)."""
        number = call.param.get("customernumber")
        given = [str(number) if isinstance(number, int | str) else "", call.param.get("apikey")]
        wanted = [self.credentials.customer_number, self.credentials.api_key]
        if call.action == "login":
            given.append(call.param.get("apipassword"))
            wanted.append(self.credentials.api_password)
        return given == wanted

    def _info_zone(self, call: CcpCall) -> CcpAnswer:
        knows_moved = self.zones.quirks.moved_zone == "known"
        zone = (self.zones.find if knows_moved else self.zones.on_ccp)(call.domain)
        if zone is None:
            return answers.zone_unavailable()
        return success("DNS zone found", "DNS zone was found.", self._shown(call, zone))

    def _info_records(self, call: CcpCall) -> CcpAnswer:
        quirks = self.zones.quirks
        forgets_moved = quirks.moved_zone == "not-found"
        zone = (self.zones.on_ccp if forgets_moved else self.zones.find)(call.domain)
        if zone is None:
            text = "Can not get DNS records for zone. Domain not found."
            return answers.records_unavailable(text)
        if zone.backend == "clouddns" or not zone.records:  # L15, L16: the same words for both
            text = answers.zone_empty(call.domain, quirks.empty_zone_language)
            return answers.records_unavailable(text)
        text = "DNS Records for this zone were found."
        return success("DNS records found", text, self._record_set(zone))

    def _update_records(self, call: CcpCall, store: bool) -> CcpAnswer:
        zones, quirks = self.zones, self.zones.quirks
        zone, entries = zones.on_ccp(call.domain), call.entries()
        if zone is None:
            return update_failed(answers.zone_not_found(call.domain))
        if entries is None:
            return validation_error(answers.field_mismatch("dnsrecordset", "dnsrecordset"))
        new, error = merge(zone, entries, quirks, zones.clock(), zones.new_id)
        if store:
            zones.put(new)  # after an error too: what came before it (L29)
        if error is not None:
            return error
        short = "DNS records successful updated"
        long = "The given DNS records for this zone were updated."
        status = quirks.update_status
        answer = success(short, long, self._record_set(new))
        return replace(answer, status=status, code=2002 if status == "pending" else 2000)

    def _update_zone(self, call: CcpCall, store: bool) -> CcpAnswer:
        zone = self.zones.on_ccp(call.domain)
        if zone is None:
            return answers.zone_unavailable()
        wanted: Any = call.param.get("dnszone")
        problem = _zone_problem(wanted)
        if problem is not None:
            return validation_error(problem)
        now = self.zones.clock()
        switched_on = wanted["dnssecstatus"] and not zone.dnssec
        if switched_on and now - zone.dnssec_enabled < _DNSSEC_PAUSE:
            return validation_error(answers.DNSSEC_PAUSE)
        new = replace(
            zone,
            ttl=str(wanted["ttl"]),
            refresh=str(wanted["refresh"]),
            retry=str(wanted["retry"]),
            expire=str(wanted["expire"]),
            dnssec=wanted["dnssecstatus"],
            dnssec_enabled=now if switched_on else zone.dnssec_enabled,
        )
        if new != zone:
            new = replace(new, serial=next_serial(zone.serial, now))
        if store:
            self.zones.put(new)
        text = "The given DNS zone was successful updated."
        return success("DNS zone successful updated", text, self._shown(call, new))

    def _record_set(self, zone: Zone) -> dict[str, object]:
        """The whole zone, whatever was asked for (L22)."""
        return {"dnsrecords": zone.wire_records(self.zones.quirks, self.zones.clock())}

    def _shown(self, call: CcpCall, zone: Zone) -> dict[str, object]:
        return zone.wire(str(call.param["domainname"]))


def malformed(call: CcpCall) -> CcpAnswer | None:
    """The error of a call whose fields do not match the WSDL, checked before all else (L5, L13)."""
    if not call.param:
        return validation_error(answers.EMPTY)
    if call.action in ACTIONS[2:] and not is_zone_name(call.param.get("domainname")):
        text = answers.field_mismatch("domainname", "domainname")
        return validation_error(text, action="", numbered=False)
    if not _is_request_id(call.param.get("clientrequestid")):
        text = answers.field_mismatch("clientrequestid", "clientrequestid")
        return validation_error(text, action="")
    if not call.param.get("apikey"):
        return validation_error(answers.NO_API_KEY, action="undefined")
    return None


def _is_request_id(value: object) -> bool:
    if value is None:
        return True
    return isinstance(value, str) and _REQUEST_ID.fullmatch(value) is not None


def _zone_problem(wanted: Any) -> str | None:
    """The first field of a `dnszone` that is missing or cannot be; texts and numbers are fine."""
    if not isinstance(wanted, dict):
        return answers.field_mismatch("dnszone", "dnszone")
    for name in _SOA_FIELDS:
        value = wanted.get(name)
        if not (is_number(value) and 0 < int(str(value)) < 2**31):
            return answers.field_mismatch(name, "positiveInteger")
    if not isinstance(wanted.get("dnssecstatus"), bool):
        return answers.field_mismatch("dnssecstatus", "boolean")
    return None
