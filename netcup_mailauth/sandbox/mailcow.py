"""The part of mailcow's API that is about domains and DKIM keys (section 5 of the mail facts).

The order of its checks is that of data/web/json_api.php, the keys' that of inc/sessions.inc.php.
"""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from netcup_mailauth.sandbox.http import NoReplyError, Reply, Request, html_reply, json_reply
from netcup_mailauth.sandbox.mailcow_dkim import DkimWriter
from netcup_mailauth.sandbox.mailcow_faults import MailcowFaults

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from netcup_mailauth.sandbox.counters import Counters
    from netcup_mailauth.sandbox.credentials import Credentials
    from netcup_mailauth.sandbox.mailcow_dkim import DkimKey, Keyring
    from netcup_mailauth.sandbox.mailcow_faults import MailcowFault
    from netcup_mailauth.sandbox.quirks import Quirks

_PREFIX = "/api/v1/"
_VERSION = "2026-08"
_SENT_AS = {"add": "attr", "edit": "attr", "delete": "items"}
_LENGTHS = ((391, "1024"), (564, "2048"), (736, "3072"), (1416, "4096"))
_CHUNK = 255
_TASK_COMPLETED = {"type": "success", "msg": "Task completed"}


_MASKED = re.compile("pass", re.IGNORECASE)
_LONGEST = 10_000


class ApiLog:
    """mailcow's log of its API, newest first: `api_log()` of data/web/json_api.php.

    Of what a call sends, only fields whose name holds "pass" are masked. A private key that is
    imported lies here in clear.
    """

    def __init__(self) -> None:
        self._lines: list[dict[str, object]] = []

    def note(self, request: Request, name: str, sent: object) -> None:
        """Note a request; what it sent is known to PHP as ``name``, `attr` or `items`."""
        data = "" if sent is None else f"{name}='{_php_json(_masked(sent))}'"
        line = {
            "time": int(time.time()),
            "uri": request.path,
            "method": request.method,
            "remote": "127.0.0.1",
            "data": data,
        }
        self._lines.insert(0, line)
        del self._lines[_LONGEST:]

    def newest(self, count: int) -> list[dict[str, object]]:
        """The last so many."""
        return self._lines[:count]

    def clear(self) -> None:
        """Forget all."""
        self._lines.clear()


def _masked(sent: object) -> object:
    if not isinstance(sent, dict):
        return sent
    return {name: "*" if _MASKED.search(name) else value for name, value in sent.items()}


def _php_json(data: object) -> str:
    return json.dumps(data, separators=(",", ":")).replace("/", "\\/")


@dataclass(frozen=True)
class Mailcow:
    """The API, for a read-only and a read-write key. "Nothing found" is `{}`, even for a list."""

    keyring: Keyring
    alias_domains: Mapping[str, str]
    counters: Counters
    quirks: Quirks
    credentials: Credentials
    faults: MailcowFaults = field(default_factory=MailcowFaults)
    log: ApiLog = field(default_factory=ApiLog)

    def __call__(self, request: Request) -> Reply:
        """Answer one request.

        Raises:
            NoReplyError: the connection is to be closed without an answer.
        """
        if not request.path.startswith(_PREFIX):
            return html_reply("404 Not Found", 404)
        if request.headers.get("Sec-Fetch-Dest", "empty") != "empty":
            return _error(403, "API access denied")
        refusal = self._refusal(request)
        if refusal is not None:
            self.counters.note_mailcow("401")
            return _error(401, refusal)
        verb, _, rest = request.path.removeprefix(_PREFIX).partition("/")
        if verb in _SENT_AS:
            return self._write(request, verb, rest)
        self.log.note(request, "", None)
        if request.method != "GET":
            return _error(405, "only GET method is allowed")
        return self._get(rest) if verb == "get" else _error(404, "route not found")

    def _refusal(self, request: Request) -> str | None:
        """Why the key does not count; mailcow's fail2ban hears of each such request."""
        if self.quirks.mailcow_denies_ip:
            return "api access denied for ip 127.0.0.1"
        keys = (self.credentials.mailcow_key, self.credentials.mailcow_rw_key)
        if request.headers.get("X-API-Key") not in keys:
            return "authentication failed"
        return None

    def _write(self, request: Request, verb: str, route: str) -> Reply:
        data = None
        if "application/json" in request.headers.get("Content-Type", ""):
            try:
                data = json.loads(request.body)
            except (ValueError, RecursionError):
                return _error(400, "Request body doesn't contain valid json!")
        self.log.note(request, _SENT_AS[verb], data)
        if request.headers.get("X-API-Key") != self.credentials.mailcow_rw_key:
            return _error(403, "API read/write access denied")
        if data is None:
            return _error(200, "Cannot find attributes in post data")
        if request.method != "POST":
            return _error(405, "only POST method is allowed")
        call = f"{verb}/{route}"
        if call not in _WRITES:
            return _error(404, "route not found")
        self.counters.note_mailcow(call)
        return self._dkim_write(call, data)

    def _dkim_write(self, call: str, data: Any) -> Reply:
        fault = self.faults.take(call, _names(data))
        mode = fault and fault.mode
        if mode == "drop-before":
            raise NoReplyError
        if mode == "500":
            return html_reply("500 Internal Server Error", 500)
        if mode == "denied":
            return html_reply("401 Authorization Required", 401)
        if mode == "success-but-nothing":
            return json_reply([_TASK_COMPLETED])
        writer = DkimWriter(self.keyring, _writes_left(fault))
        _WRITES[call](writer, data if call == "delete/dkim" or isinstance(data, dict) else {})
        self.keyring.on_change()
        if mode in ("drop-after", "killed"):
            raise NoReplyError
        return json_reply(writer.said or _TASK_COMPLETED)

    def _get(self, path: str) -> Reply:
        kind, _, name = path.partition("/")
        answers: dict[str, Callable[[str], object]] = {
            "dkim": self._dkim,
            "domain": self._domain,
            "alias-domain": self._alias_domain,
            "status": self._status,
            "logs": self._logs,
        }
        answer = answers.get(kind)
        if answer is None:
            return _error(404, "route not found")
        self.counters.note_mailcow(f"get/{kind}")
        fault = self.faults.take(f"get/{kind}", (name,))
        if fault is not None and fault.mode == "denied":
            return html_reply("401 Authorization Required", 401)
        if fault is not None and fault.mode in ("500", "error"):
            return html_reply("500 Internal Server Error", 500)
        if fault is not None:
            raise NoReplyError
        return json_reply(answer(name) or {})

    def _dkim(self, name: str) -> object:
        """`details`: an administrator, which every API key is, may ask for any name."""
        key = self.keyring.find(name)
        if key is None:
            return {}
        return {
            "pubkey": key.pubkey,
            "length": _length(key),
            "dkim_txt": self._dkim_txt(key),
            "dkim_selector": key.selector or False,  # PHP's, for what Redis does not have
            "privkey": "",
        }

    def _dkim_txt(self, key: DkimKey) -> str:
        text = f"v=DKIM1;k=rsa;t=s;s=email;p={key.pubkey}"
        if not self.quirks.mailcow_split_dkim:
            return text
        chunks = (text[i : i + _CHUNK] for i in range(0, len(text), _CHUNK))
        return " ".join(f'"{chunk}"' for chunk in chunks)

    def _domain(self, name: str) -> object:
        domains = [name for name in self.keyring.domains if name not in self.alias_domains]
        if name == "all":
            return [_domain_details(domain) for domain in domains]
        name = name.lower()  # MySQL does not mind the case; Redis, where the keys are, does
        return _domain_details(name) if name in domains else {}

    def _alias_domain(self, name: str) -> object:
        details = [
            {"alias_domain": alias, "target_domain": target, "active": 1, "active_int": 1}
            for alias, target in self.alias_domains.items()
        ]
        if name == "all":
            return details
        return next((entry for entry in details if entry["alias_domain"] == name.lower()), {})

    def _status(self, what: str) -> object:
        return {"version": _VERSION} if what == "version" else {}

    def _logs(self, which: str) -> object:
        name, _, count = which.partition("/")
        return self.log.newest(int(count) if count.isdigit() else 100) if name == "api" else {}


_WRITES: dict[str, Callable[[DkimWriter, Any], None]] = {
    "add/dkim": DkimWriter.add,
    "add/dkim_duplicate": DkimWriter.duplicate,
    "add/dkim_import": DkimWriter.import_,
    "delete/dkim": DkimWriter.delete,
}


def _names(data: object) -> tuple[str, ...]:
    """Every name that a write call is about."""
    if not isinstance(data, dict):
        return tuple(map(str, data)) if isinstance(data, list) else (str(data),)
    fields = ("domain", "domains", "from_domain", "to_domain")
    return tuple(str(data[name]) for name in fields if name in data)


def _writes_left(fault: MailcowFault | None) -> int | None:
    if fault is None or fault.mode == "drop-after":
        return None
    return 0 if fault.mode == "error" else fault.writes


def _domain_details(domain: str) -> dict[str, object]:
    """The fields that tell something about a domain; numbers partly as texts."""
    return {
        "domain_name": domain,
        "description": "",
        "active": 1,
        "active_int": 1,
        "backupmx": 0,
        "backupmx_int": 0,
        "relayhost": "0",
        "relay_all_recipients": "0",
        "gal": "1",
        "mboxes_in_domain": 1,
        "max_num_mboxes_for_domain": 10,
        "tags": [],
    }


def _length(key: DkimKey) -> str:
    """Mailcow guesses the size from the length of the Base64."""
    size = len(key.pubkey)
    return next((name for limit, name in _LENGTHS if size < limit), ">= 8192")


def _error(status: int, message: str) -> Reply:
    return json_reply({"type": "error", "msg": message}, status)
