"""The one table of faults: how a call, or a name server, can be made to fail (L44, L46).

Each row says what becomes of the call, and what is answered in the place of its own answer.
"""

from __future__ import annotations

import gzip
import json
import threading
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any, Final, Literal, cast

from netcup_mailauth.sandbox import ccp, ccp_answers, rest, rest_answers
from netcup_mailauth.sandbox.dns import GOOD, NAME_SERVERS, Behaviour
from netcup_mailauth.sandbox.http import (
    GZIP,
    IN_PIECES,
    NO_REPLY,
    Reply,
    Transfer,
    html_reply,
    json_reply,
)
from netcup_mailauth.sandbox.mailcow import TASK_COMPLETED
from netcup_mailauth.sandbox.rest_answers import RestAnswer
from netcup_mailauth.sandbox.zones import Draft, read_drafts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from netcup_mailauth.sandbox.calls import Timers
    from netcup_mailauth.sandbox.mailcow import Mailcow, MailcowCall

Where = Literal["ccp", "rest", "mailcow"]

_LONGEST_DELAY = 3600.0
_RIVAL = (Draft(None, "@", "TXT", "0", "v=spf1 include:_spf.rival.example -all"),)

#: The calls to mailcow that can be named; `*` is every call but a read of a key.
MAILCOW_CALLS = ("get/dkim", "add/dkim", "add/dkim_duplicate", "add/dkim_import", "delete/dkim")

#: What the resolver is called where the name servers have their numbers.
RESOLVER: Final = "resolver"


@dataclass(frozen=True, slots=True)
class Fault:
    """One order to fail: the next `times` calls of `action`, once `after` more have passed.

    `where` are the APIs it is for, `*` any of their actions. With a `domain` only calls (to
    mailcow) that name it are meant. `delay` is in seconds, `records` are those of a rival, and
    `writes` how many Redis takes before it fails.
    """

    where: tuple[Where, ...]
    action: str
    mode: str
    times: int = 1
    after: int = 0
    delay: float = 0.0
    records: tuple[Draft, ...] = _RIVAL
    domain: str | None = None
    writes: int = 1

    def report(self) -> dict[str, object]:
        """What is left of it, for the statistics."""
        return {
            "action": self.action,
            "mode": self.mode,
            "times": self.times,
            "after": self.after,
        }

    def strikes(self, where: Where, action: str, names: tuple[str, ...]) -> bool:
        """Whether it is meant for a call, were it the next."""
        if where not in self.where or (self.domain is not None and self.domain not in names):
            return False
        return self.action == action or (self.action == "*" and action != "get/dkim")


@dataclass(frozen=True)
class FailingCall:
    """A call that a fault has struck."""

    account: Any  # a CcpAccount or a RestAccount
    call: Any
    fault: Fault


@dataclass(frozen=True)
class Mode:
    """A way to fail.

    `call` is what becomes of the call: it is carried out (`all`), not at all (`nothing`), only
    when nobody waits any more (`late`), only in its answer (`pretended`), or until Redis fails
    (`writes`). `first` does what comes before, and returns the call that is carried out.
    `answer` is what is answered: the call's own where there is none, and what a function makes of
    that where it is one; `read` is what a read from mailcow is answered. `delay` is in seconds,
    if the order names none; `waits` is for a call that is kept waiting so long.
    """

    call: Literal["all", "nothing", "late", "pretended", "writes"]
    answer: object = None
    first: Callable[[FailingCall], Any] | None = None
    read: Reply = NO_REPLY
    delay: float = 0.0
    waits: bool = False


# What comes first


def _rival(failing: FailingCall) -> Any:
    """Another writer was faster: it adds, or changes by id, the records of the fault."""
    zone = failing.account.zone_of(failing.call)
    if zone is not None:
        failing.account.zones.write_beside(zone.name, failing.fault.records)
    return failing.call


def _lose(failing: FailingCall) -> Any:
    """Every record that is no TXT is gone: as if the call took the place of the zone."""
    zone = failing.account.zone_of(failing.call)
    if zone is not None:
        left = tuple(record for record in zone.records if record.type == "TXT")
        failing.account.zones.put(zone.with_records(left, failing.account.zones.clock()))
    return failing.call


def _expire(failing: FailingCall) -> ccp.CcpCall:
    """The session dies just before the call: 4001."""
    call: ccp.CcpCall = failing.call
    failing.account.sessions.end(call.param.get("apisessionid"))
    return call


def _half(failing: FailingCall) -> ccp.CcpCall:
    """Only half of the entries are sent."""
    call: ccp.CcpCall = failing.call
    return call.first_half() if call.action == "updateDnsRecords" else call


def _draft(failing: FailingCall) -> rest.RestCall:
    """A changeset is left uncommitted; before any other call somebody begins a draft (R11)."""
    call: rest.RestCall = failing.call
    if call.action == "changeset":
        try:
            body = {**rest_answers.read_object(call.body), "autoCommit": False}
        except rest_answers.RefusedError:
            return call
        return replace(call, body=json.dumps(body).encode())
    zone = failing.account.zone_of(call)
    if zone is not None:
        failing.account.revisions.begin_draft(zone)
    return call


# What is made of the call's own answer


def _cut(failing: FailingCall, own: Any) -> Reply:
    """Only half of it arrives; its Content-Length is that of the half."""
    reply: Reply = failing.account.written(failing.call, own)
    return replace(reply, body=reply.body[: len(reply.body) // 2])


def _in_pieces(failing: FailingCall, own: Any) -> Reply:
    """It comes late behind a 103, or drips for as long as the client listens."""
    reply: Reply = failing.account.written(failing.call, own)
    transfer = cast("Transfer", failing.fault.mode)
    return replace(reply, transfer=transfer, pause=failing.fault.delay)


def _failed_partly(_failing: FailingCall, own: ccp_answers.CcpAnswer) -> ccp_answers.CcpAnswer:
    """The error whose words suggest that this happens (L29)."""
    return own if own.is_error else ccp_answers.update_failed(ccp_answers.UPDATE_FAILED)


def _only_txt(_failing: FailingCall, own: ccp_answers.CcpAnswer) -> ccp_answers.CcpAnswer:
    """The TXT records of the zone alone."""
    records = (own.data or {}).get("dnsrecords")
    if not isinstance(records, list):
        return own
    return replace(own, data={"dnsrecords": [r for r in records if r["type"] == "TXT"]})


def _but_403(failing: FailingCall, own: Any) -> Reply:
    """The HTTP status says otherwise."""
    reply: Reply = failing.account.written(failing.call, own)
    return replace(reply, status=403)


def _other_id(failing: FailingCall, own: Any) -> Reply:
    """The answer to another call, as where one was left unread."""
    return _with_field(failing.account.written(failing.call, own), "clientrequestid", "0" * 32)


def _other_action(failing: FailingCall, own: Any) -> Reply:
    """The answer to a logout, as where one was left unread."""
    return _with_field(failing.account.written(failing.call, own), "action", "logout")


def _with_field(reply: Reply, field: str, value: str) -> Reply:
    return replace(reply, body=json_reply({**json.loads(reply.body), field: value}).body)


def _null_result(_failing: FailingCall, own: RestAnswer) -> RestAnswer:
    """A success that holds nothing."""
    return own if own.errors else replace(own, result=None)


def _wait_and_retry(failing: FailingCall, _own: object) -> RestAnswer | Reply:
    """Too many calls; how long to wait is the fault's delay."""
    seconds = rest_answers.whole_seconds(failing.fault.delay)
    if failing.account.where == "rest":
        return rest_answers.too_many(seconds)
    return replace(_PAGE_429, headers=(("Retry-After", seconds),))


def _bomb(failing: FailingCall, own: Any) -> Reply:
    """It is packed, and so large unpacked that nobody should take all of it."""
    reply: Reply = failing.account.written(failing.call, own)
    body = _padding() * _PADDINGS + gzip.compress(reply.body)
    return replace(reply, body=body, headers=(*reply.headers, GZIP))


@cache
def _padding() -> bytes:
    """A megabyte of blanks, packed; any number of such pieces in a row are one file of gzip."""
    return gzip.compress(b" " * 1024 * 1024)


# The table

_PAGE = html_reply("Service Temporarily Unavailable")
_PAGE_401 = html_reply("401 Authorization Required", 401)
_PADDINGS = 40
_PAGE_429 = html_reply("429 Too Many Requests", 429)
_PAGE_403 = html_reply("403 Forbidden", 403)
_PAGE_500 = html_reply("500 Internal Server Error", 500)
_UNPROCESSABLE = rest_answers.failure(
    422, "unprocessableContent", "The request could not be processed."
)

_BOTH = {
    "drop": Mode("nothing", NO_REPLY),
    "apply-then-drop": Mode("all", NO_REPLY),
    "apply-late": Mode("late", NO_REPLY, delay=2.0),
    "apply-then-html": Mode("all", _PAGE),
    "500": Mode("nothing", _PAGE_500),
    "html": Mode("nothing", _PAGE),
    "cut": Mode("all", _cut),
    "lie": Mode("pretended"),
    "rival": Mode("all", first=_rival),
    "loses": Mode("all", first=_lose),
    "slow": Mode("all", delay=10.0, waits=True),
    "denied": Mode("nothing", _PAGE_403),
    "429": Mode("nothing", _wait_and_retry, delay=1.0),
    "bomb": Mode("all", _bomb),
    **dict.fromkeys(IN_PIECES, Mode("all", _in_pieces, delay=0.2)),
}

MODES: Mapping[Where, Mapping[str, Mode]] = {
    "ccp": {
        **_BOTH,
        "apply-partly": Mode("all", _failed_partly, first=_half),
        "apply-then-4013": Mode("all", ccp_answers.validation_error(ccp_answers.DECODE_FAILED)),
        "apply-and-hide": Mode("all", _only_txt),
        "apply-then-403": Mode("all", _but_403),
        "other-id": Mode("all", _other_id),
        "other-action": Mode("all", _other_action),
        "expire": Mode("all", first=_expire),
        "rate-limit": Mode("nothing", ccp_answers.rate_limited()),
        "lockout": Mode("nothing", ccp_answers.locked_out()),  # the next call is let in again
    },
    "rest": {
        **_BOTH,
        "apply-then-error": Mode("all", _UNPROCESSABLE),
        "apply-then-500": Mode("all", _PAGE_500),
        "no-content": Mode("nothing", RestAnswer(204)),
        "apply-then-no-content": Mode("all", RestAnswer(204)),
        "bad-key": Mode("nothing", rest_answers.bad_key()),
        "draft": Mode("all", first=_draft),
        "missing": Mode("nothing", rest_answers.not_found(rest_answers.NO_RESULTS)),
        "null-result": Mode("all", _null_result),
    },
    "mailcow": {
        "error": Mode("writes", read=_PAGE_500),  # Redis takes nothing: `danger`, as mailcow says
        "partly": Mode("writes"),
        "killed": Mode("writes", NO_REPLY),  # PHP is gone
        "drop-before": Mode("nothing", NO_REPLY),
        "drop-after": Mode("all", NO_REPLY),
        "500": Mode("nothing", _PAGE_500, read=_PAGE_500),
        "denied": Mode("nothing", _PAGE_401, read=_PAGE_401),  # by something in front of mailcow
        "success-but-nothing": Mode("nothing", json_reply([TASK_COMPLETED])),
    },
}

DNS_MODES: Mapping[str, Behaviour] = {
    "ok": GOOD,
    "off": Behaviour(closed=True),
    "drop": Behaviour(silent=True),
    "servfail": Behaviour(rcode="SERVFAIL"),
    "refused": Behaviour(rcode="REFUSED"),
    "slow": Behaviour(delay=2.0),
    "stale": Behaviour(stale=True),
    "garbage": Behaviour(nonsense=True),
}

_ACTIONS: Mapping[Where, tuple[str, ...]] = {"ccp": ccp.ACTIONS, "rest": rest.ACTIONS}


# How calls are answered


def reply_of(
    account: ccp.CcpAccount | rest.RestAccount, call: Any, fault: Fault | None, timers: Timers
) -> Reply:
    """The reply to a call to one of netcup's APIs, as it is or as a fault wants it."""
    if fault is None:
        answer = _applied(account, call)
    else:
        mode = MODES[account.where][fault.mode]
        answer = _answer(FailingCall(account, call, fault), mode, timers)
    return answer if isinstance(answer, Reply) else account.reply(call, answer)


def _answer(failing: FailingCall, mode: Mode, timers: Timers) -> Any:
    account, own = failing.account, None
    if mode.waits:
        timers.pause(failing.fault.delay)
    with account.zones.lock:
        call = failing.call if mode.first is None else mode.first(failing)
        if mode.call == "late":
            _carry_out_later(failing, timers)
        elif mode.call != "nothing":
            own = _applied(account, call, store=mode.call != "pretended")
    if callable(mode.answer):
        return mode.answer(failing, own)
    return own if mode.answer is None else mode.answer


def _applied(account: Any, call: Any, *, store: bool = True) -> Any:
    with account.zones.lock:
        return account.admit(call) or account.carry_out(call, store=store)


def _carry_out_later(failing: FailingCall, timers: Timers) -> None:
    """Let a call in now; it is carried out even if its session has ended by then."""

    def carry_out(called_off: Callable[[], bool]) -> None:
        with failing.account.zones.lock:
            if not called_off():
                failing.account.carry_out(failing.call)

    if failing.account.admit(failing.call) is None:
        timers.later(failing.fault.delay, carry_out)


def mailcow_reply(mailcow: Mailcow, call: MailcowCall, fault: Fault | None) -> Reply:
    """The reply to a call to mailcow, as it is or as a fault wants it."""
    if fault is None:
        return mailcow.carry_out(call)
    mode = MODES["mailcow"][fault.mode]
    if call.is_read:
        return mode.read
    own = None
    if mode.call != "nothing":
        own = mailcow.carry_out(call, fault.writes if mode.call == "writes" else None)
    return own if own is not None and mode.answer is None else cast("Reply", mode.answer)


class Faults:
    """The faults still to come, oldest first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pending: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Put one at the end."""
        with self._lock:
            self._pending.append(fault)

    def take(self, where: Where, action: str, names: tuple[str, ...] = ()) -> Fault | None:
        """The fault that strikes a call about these names, if one does; counts down the others."""
        with self._lock:
            for index, fault in enumerate(self._pending):
                if not fault.strikes(where, action, names):
                    continue
                if fault.after == 0:
                    left = replace(fault, times=fault.times - 1)
                    self._pending[index : index + 1] = [left] if left.times else []
                    return fault
                self._pending[index] = replace(fault, after=fault.after - 1)
        return None

    def clear(self) -> None:
        """Call all off."""
        with self._lock:
            self._pending.clear()

    def report(self) -> list[dict[str, object]]:
        """What is still to come at netcup."""
        with self._lock:
            return [fault.report() for fault in self._pending if "mailcow" not in fault.where]


# Orders, as the control calls bring them


def read_fault(data: Mapping[str, Any]) -> Fault:
    """Read the body of `POST control/fault`.

    Raises:
        ValueError: one sentence that names the field.
    """
    _refuse_unknown(data, {"action", "mode", "times", "after", "delay", "records"})
    action = data.get("action")
    apis = tuple(api for api, actions in _ACTIONS.items() if action == "*" or action in actions)
    if not apis:
        known = [name for actions in _ACTIONS.values() for name in actions]
        raise ValueError(f"action must be * or one of {', '.join(known)}")
    modes = {name: mode for api in apis for name, mode in MODES[api].items()}
    mode = _mode(data, modes, f", for the action {action}")
    records = data.get("records")
    return Fault(
        tuple(api for api in apis if mode in MODES[api]),
        str(action),
        mode,
        times=_count(data, "times", 1, least=1),
        after=_count(data, "after", 0, least=0),
        delay=_delay(data, modes[mode].delay),
        records=_RIVAL if records is None else read_drafts("rival", records),
    )


def read_mailcow_fault(data: Mapping[str, Any]) -> Fault:
    """Read the body of `POST control/mailcow` with the action `fail`.

    Raises:
        ValueError: one sentence that names the field.
    """
    _refuse_unknown(data, {"action", "domain", "call", "mode", "times", "after", "writes"})
    call, domain = data.get("call"), data.get("domain")
    if call != "*" and call not in MAILCOW_CALLS:
        raise ValueError(f"call must be * or one of {', '.join(MAILCOW_CALLS)}")
    mode = _mode(data, MODES["mailcow"])
    if not isinstance(domain, str | None):
        raise ValueError("domain must be a text")
    times, after = _count(data, "times", 1, least=1), _count(data, "after", 0, least=0)
    writes = _count(data, "writes", 1, least=0) * (mode != "error")
    domain = domain and domain.lower()
    return Fault(("mailcow",), call, mode, times, after, domain=domain, writes=writes)


@dataclass(frozen=True, slots=True)
class DnsFault:
    """How a DNS server, the resolver or that of a number, behaves from now on."""

    server: int | Literal["resolver"]
    mode: str
    behaviour: Behaviour

    @property
    def index(self) -> int:
        """The number of the server; the resolver comes after the name servers."""
        return NAME_SERVERS if self.server == RESOLVER else int(self.server)


def read_dns_fault(data: Mapping[str, Any]) -> DnsFault:
    """Read the body of `POST control/dns`.

    Raises:
        ValueError: one sentence that names the field.
    """
    _refuse_unknown(data, {"server", "mode", "delay"})
    mode = _mode(data, DNS_MODES)
    server: Any = data.get("server")
    is_number = isinstance(server, int) and not isinstance(server, bool)
    if server != RESOLVER and not (is_number and server in range(NAME_SERVERS)):
        raise ValueError(f"server must be a number from 0 to {NAME_SERVERS - 1}, or {RESOLVER!r}")
    behaviour = DNS_MODES[mode]
    delay = _delay(data, behaviour.delay)
    return DnsFault(server, mode, replace(behaviour, delay=delay) if mode == "slow" else behaviour)


def _refuse_unknown(data: Mapping[str, Any], fields: set[str]) -> None:
    for field in data:
        if field not in fields:
            raise ValueError(f"unknown field {field!r}")


def _mode(data: Mapping[str, Any], modes: Mapping[str, object], more: str = "") -> str:
    mode = data.get("mode")
    if not isinstance(mode, str) or mode not in modes:
        raise ValueError(f"mode must be one of {', '.join(modes)}{more}")
    return mode


def _count(data: Mapping[str, Any], field: str, default: int, least: int) -> int:
    value = data.get(field, default)
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ValueError(f"{field} must be a whole number, {least} or more")
    return value


def _delay(data: Mapping[str, Any], default: float) -> float:
    value = data.get("delay")
    if value is None:
        return default
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not 0 <= value <= _LONGEST_DELAY:
        raise ValueError(f"delay must be a number of seconds from 0 to {_LONGEST_DELAY:.0f}")
    return float(value)
