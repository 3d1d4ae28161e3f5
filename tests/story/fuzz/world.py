"""The command line in this process, in a world of its own: no network, and a netcup made of words.

A process for each example would cost more than the example. So the entry point is called here,
with stdout, stderr, environment and folder exchanged, and whatever would leave the machine is
answered by :class:`World`.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import shutil
import signal
import sys
import time
import traceback
import unicodedata
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import responses

from netcup_mailauth.cli import entry
from netcup_mailauth.dnsio import ask
from netcup_mailauth.errors import ExitCode
from tests.pauses import no_pauses
from tests.story.fuzz.answers import (
    MAILCOW_KEY,
    ROWS,
    ZONE,
    answered,
    dumped,
    envelope,
    rest_envelope,
    revision,
    rows_after,
    written_to,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from dns.message import Message, QueryMessage
    from requests import PreparedRequest

LIMIT = 20.0
"""Seconds after which a call hangs; on an idle machine it takes a tenth of one."""

CCP = "http://127.0.0.1:8053/ccp"
REST = "http://127.0.0.1:8053/v1"
MAILCOW = "http://127.0.0.1:8054"
SECRETS = (
    "C4n4ryKeyKeyKeyKeyKeyKeyKeyKey",
    "C4n4ryPassw0rd",
    "C4n4ry-M4ilc0w-K3y",
    "C4n4rySession",
    "C4n4ryRestKey".ljust(64, "r"),
)
NUMBER = "4711000"

_OURS = re.compile(r"v=spf1|v=DKIM1|v=DMARC1", re.IGNORECASE)


class HangError(BaseException):
    """The call took longer than it may. No ``Exception``, so that nothing in it can catch it."""


@dataclass(frozen=True)
class Called:
    """How a call ended; ``trouble`` is the traceback of an exception that nobody expected."""

    arguments: tuple[str, ...]
    code: int
    stdout: str
    stderr: str
    seconds: float
    trouble: str


@dataclass
class World:
    """What there is around the command.

    Attributes:
        folder: where it runs.
        ccp: changes an answer of netcup's API, which is given with the name of the call.
        rest: the same for netcup's REST API, by the last word of the path.
        mailcow: the same for mailcow; it is given the path.
        dns: makes the answer to a DNS question.
        writes: the records of each write that reached netcup.
        zone: the records that netcup has in the beginning.
        written: those that it has after a write.
        statuses: the HTTP status of each call that has another than 200.
        revisions: each state of the zone on CloudDNS, the live one last.
        codes: how often a call ended with each exit code.
    """

    folder: Path
    ccp: Callable[[str, Any], bytes] = field(default=lambda _action, answer: dumped(answer))
    rest: Callable[[str, Any], bytes] = field(default=lambda _call, answer: dumped(answer))
    mailcow: Callable[[str, Any], bytes] = field(default=lambda _path, answer: dumped(answer))
    dns: Callable[[QueryMessage], bytes] = field(default=lambda question: answered(question))
    writes: list[Any] = field(default_factory=list)
    zone: list[dict[str, Any]] = field(default_factory=lambda: [dict(r) for r in ZONE])
    written: list[dict[str, Any]] | None = None
    statuses: dict[str, int] = field(default_factory=dict)
    revisions: list[list[dict[str, Any]]] = field(default_factory=lambda: [list(ROWS)])
    codes: Counter[int] = field(default_factory=Counter)

    def reset(self) -> None:
        """As it was in the beginning, the folder empty."""
        fresh = World(self.folder)
        self.ccp, self.mailcow, self.dns = fresh.ccp, fresh.mailcow, fresh.dns
        self.rest, self.revisions = fresh.rest, fresh.revisions
        self.writes, self.zone = fresh.writes, fresh.zone
        self.written, self.statuses = fresh.written, fresh.statuses
        for path in self.folder.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    def file(self, name: str, data: bytes) -> str:
        """A file in the folder; its name."""
        (self.folder / name).write_bytes(data)
        return name

    def __call__(self, *arguments: str, stdin: bytes = b"") -> Called:
        """Call the command line."""
        out, err, troubles = io.BytesIO(), io.BytesIO(), []

        def unexpected(_error: Exception) -> int:
            troubles.append(traceback.format_exc())
            return ExitCode.ERROR

        # Held until the end: a wrapper that is let go closes what it wraps.
        read = io.TextIOWrapper(io.BytesIO(stdin), "utf-8")
        printed = io.TextIOWrapper(out, "utf-8", write_through=True)
        told = io.TextIOWrapper(err, "utf-8", "backslashreplace", write_through=True)
        began = time.monotonic()
        code: int = ExitCode.ERROR
        with (
            patch.object(sys, "stdin", read),
            patch.object(sys, "stdout", printed),
            patch.object(sys, "stderr", told),
            patch.object(entry, "_unexpected", unexpected),
        ):
            try:
                with _signals_kept(), _no_longer_than(LIMIT):
                    code = entry.main(list(arguments))
            except HangError:
                troubles.append(
                    f"it was still running after {LIMIT:.0f} s\n{traceback.format_exc()}"
                )
            except BaseException:  # noqa: BLE001 - whatever gets past the entry point is a find
                troubles.append(traceback.format_exc())
        seconds = time.monotonic() - began
        self.codes[int(code)] += 1
        return Called(
            arguments,
            code,
            out.getvalue().decode(),
            err.getvalue().decode(),
            seconds,
            "".join(troubles),
        )

    def problems(
        self, called: Called, codes: frozenset[ExitCode], secrets: tuple[str, ...] = ()
    ) -> list[str]:
        """What is wrong with how a call ended."""
        said = called.stdout + called.stderr
        found = []
        if called.trouble or "Traceback" in said or "Unexpected " in said:
            found.append(called.trouble or said[:2000])
        if called.code not in codes:
            found.append(f"exit code {called.code}")
        if called.code and not called.stderr.strip():
            found.append("it failed without a word on stderr")
        if called.seconds > LIMIT:
            found.append(f"it took {called.seconds:.1f} s")
        if harmful(said):
            found.append(f"it prints {harmful(said)}")
        found += [f"it shows the secret {s}" for s in (*SECRETS, *secrets) if s in said]
        found += [f"it wrote {odd}" for write in self.writes for odd in self._odd(write)]
        if not self.writes:
            found += [f"it left {path.name}" for path in self.folder.glob("state/*/*/journal/**/*")]
        return [f"{' '.join(called.arguments)}: {text}" for text in found]

    def _odd(self, write: Any) -> list[Any]:
        """Entries of a write that are none of our business to write."""
        live = {record["id"]: record for record in self.zone}
        return [entry for entry in write if not _is_ours(entry, live)]

    # netcup

    @property
    def now(self) -> list[dict[str, Any]]:
        """The records that netcup's CCP has at this moment."""
        return self.zone if self.written is None else self.written

    def _netcup(self, request: PreparedRequest) -> tuple[int, dict[str, str], bytes]:
        body = json.loads(request.body or b"{}")
        action = body["action"]
        data: Any = ""
        if action == "login":
            data = {"apisessionid": SECRETS[3]}
        elif action == "infoDnsRecords":
            data = {"dnsrecords": self.now}
        elif action == "updateDnsRecords":
            self.writes.append(body["param"]["dnsrecordset"]["dnsrecords"])
            self.written = written_to(self.now, self.writes[-1])
            data = {"dnsrecords": self.written}
        said = {**envelope(data), "action": action}
        said["clientrequestid"] = body["param"]["clientrequestid"]
        return self.statuses.get(action, 200), {}, self.ccp(action, said)

    def _rest(self, request: PreparedRequest) -> tuple[int, dict[str, str], bytes]:
        path = (request.url or "").removeprefix(REST).partition("?")[0]
        call = path.rpartition("/")[2]
        last = len(self.revisions)
        result: Any = None
        if call == "domain":
            result = [{"id": 7, "fqdn": "example.com", "isDnsManaged": True}]
        elif call == "revision":
            result = [revision(number) for number in range(1, last + 1)]
        elif call == "record":
            result = self.revisions[-1]
        elif call == "changeset":
            changes = json.loads(request.body or b"{}")
            concerned = (*changes.get("create", ()), *changes.get("delete", ()))
            self.writes.append([as_written(entry) for entry in concerned])
            self.revisions.append(rows_after(self.revisions[-1], changes))
            result = revision(last + 1)
        return self.statuses.get(call, 200), {}, self.rest(call, rest_envelope(result))

    @contextlib.contextmanager
    def on_clouddns(self) -> Iterator[None]:
        """As somebody whose only key is that of the REST API."""
        keys = ("NETCUP_CUSTOMER_NUMBER", "NETCUP_API_KEY", "NETCUP_API_PASSWORD")
        with patch.dict(os.environ, {"NETCUP_REST_API_KEY": SECRETS[4]}):
            for key in keys:
                del os.environ[key]
            yield

    def _mailcow(self, request: PreparedRequest) -> tuple[int, dict[str, str], bytes]:
        path = (request.url or "").removeprefix(MAILCOW)
        answer: Any = MAILCOW_KEY if "/get/dkim/" in path else {"relayhost": "0"}
        if path.endswith("/all"):
            answer = [{"domain_name": "example.com", "active": "1"}]
        return 200, {}, self.mailcow(path, answer)

    # DNS

    def _exchange(
        self, _place: object, question: QueryMessage, *_: object, **__: object
    ) -> Message:
        try:
            return ask._parsed(self.dns(question), question)
        except ask._TruncatedError:
            raise ask.BadAnswerError("the answer is cut off, over TCP too") from None


def harmful(text: str) -> set[str]:
    """Control and format characters (bidirectional, zero-width) other than a line end."""
    return {c for c in text if unicodedata.category(c) in ("Cc", "Cf", "Cs") and c != "\n"}


def as_written(entry: dict[str, Any]) -> dict[str, Any]:
    """A row that is created or deleted, in the CCP's words."""
    text = str(entry.get("rdata")).strip('"').replace('" "', "")
    return {"hostname": entry.get("name"), "type": entry.get("type"), "destination": text}


def _is_ours(entry: Any, live: dict[str, Any]) -> bool:
    """Whether a record that is written is SPF, DKIM or DMARC, and so is the one it replaces."""
    old = live.get(entry.get("id"))
    if old is not None and not _OURS.match(old["destination"]):
        return False
    return entry["type"] == "TXT" and bool(_OURS.match(entry["destination"]))


@contextlib.contextmanager
def opened(folder: Path) -> Iterator[World]:
    """A world in an empty folder; while it is open nothing of this process reaches a network."""
    world = World(folder)
    environ = {
        "HOME": str(folder),
        "COLUMNS": "100",
        "PATH": os.environ.get("PATH", ""),
        "NETCUP_CUSTOMER_NUMBER": NUMBER,
        "NETCUP_API_KEY": SECRETS[0],
        "NETCUP_API_PASSWORD": SECRETS[1],
        "NETCUP_CCP_ENDPOINT": CCP,
        "NETCUP_REST_ENDPOINT": REST,
        "NETCUP_MAILAUTH_NAMESERVERS": "127.0.0.1:53001,127.0.0.1:53002",
        "NETCUP_MAILAUTH_RESOLVER": "127.0.0.1:53000",
        "NETCUP_MAILAUTH_STATE_DIR": str(folder / "state"),
        "MAILCOW_API_KEY": SECRETS[2],
        "MAILCOW_URL": MAILCOW,
    }
    with contextlib.ExitStack() as stack:
        mock = stack.enter_context(responses.RequestsMock(assert_all_requests_are_fired=False))
        mock.add_callback(responses.POST, CCP, world._netcup)
        for method in (responses.GET, responses.POST):
            mock.add_callback(method, re.compile(f"{REST}/.*"), world._rest)
        mock.add_callback(responses.GET, re.compile(f"{MAILCOW}/.*"), world._mailcow)
        stack.enter_context(patch.dict(os.environ, environ, clear=True))
        stack.enter_context(contextlib.chdir(folder))
        # What would be waited for is here at once, or never.
        stack.enter_context(no_pauses())
        stack.enter_context(patch.object(ask, "exchange", world._exchange))
        stack.enter_context(patch.object(ask, "over_tcp", world._exchange))
        yield world


@contextlib.contextmanager
def _signals_kept() -> Iterator[None]:
    """The entry point takes signals over for good; here others need them afterwards."""
    numbers = (signal.SIGTERM, signal.SIGHUP)
    before = [signal.getsignal(number) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


@contextlib.contextmanager
def _no_longer_than(seconds: float) -> Iterator[None]:
    def ring(_number: int, _frame: object) -> None:
        raise HangError

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
