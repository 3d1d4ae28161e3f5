"""The part of mailcow's API that is about domains and DKIM keys (section 5 of the mail facts).

The order of its checks is that of data/web/json_api.php, the keys' that of inc/sessions.inc.php.
"""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from netcup_mailauth.sandbox.http import Reply, Request, html_reply, json_reply
from netcup_mailauth.sandbox.mailcow_dkim import DkimWriter

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from netcup_mailauth.sandbox.addresses import Credentials
    from netcup_mailauth.sandbox.calls import Counters
    from netcup_mailauth.sandbox.mailcow_dkim import DkimKey, Keyring
    from netcup_mailauth.sandbox.quirks import Quirks

_PREFIX = "/api/v1/"
_VERSION = "2026-08"
_READS = (
    *("get/dkim", "get/domain", "get/alias-domain", "get/status", "get/logs"),
    *("get/mailbox", "get/alias"),
)
_SENT_AS = {"add": "attr", "edit": "attr", "delete": "items"}
_LENGTHS = ((391, "1024"), (564, "2048"), (736, "3072"), (1416, "4096"))
_CHUNK = 255
TASK_COMPLETED = {"type": "success", "msg": "Task completed"}


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


@dataclass(frozen=True, slots=True)
class MailcowCall:
    """A call that was let in: `get/dkim` with the rest of its path, or a write with its body."""

    name: str
    data: Any = field(repr=False)

    @property
    def is_read(self) -> bool:
        """Whether it changes nothing."""
        return self.name.startswith("get/")

    @property
    def names(self) -> tuple[str, ...]:
        """Every name that it is about."""
        if not isinstance(self.data, dict):
            return tuple(map(str, self.data if isinstance(self.data, list) else [self.data]))
        fields = ("domain", "domains", "from_domain", "to_domain")
        return tuple(str(self.data[name]) for name in fields if name in self.data)


@dataclass(frozen=True)
class Mailcow:
    """The API, for a read-only and a read-write key. "Nothing found" is `{}`, even for a list."""

    keyring: Keyring
    alias_domains: Mapping[str, str]
    counters: Counters
    quirks: Quirks
    credentials: Credentials
    log: ApiLog = field(default_factory=ApiLog)
    mailboxes: tuple[str, ...] = ()
    aliases: Mapping[str, str] = field(default_factory=dict)

    def decode(self, request: Request) -> MailcowCall | Reply:
        """The call that a request is, or why it is none."""
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
            return self._decode_write(request, verb, rest)
        self.log.note(request, "", None)
        if request.method != "GET":
            return _error(405, "only GET method is allowed")
        kind, _, name = rest.partition("/")
        return self._known(MailcowCall(f"{verb}/{kind}", name))

    def carry_out(self, call: MailcowCall, writes: int | None = None) -> Reply:
        """Answer a call; of what it writes, Redis takes only so much before it fails."""
        if call.is_read:
            return json_reply(self._read(call.name, call.data) or {})
        data = call.data
        if not isinstance(data, dict) and call.name != "delete/dkim":
            data = {}
        writer = DkimWriter(self.keyring, writes)
        _WRITES[call.name](writer, data)
        self.keyring.on_change()
        return json_reply(writer.said or TASK_COMPLETED)

    def _refusal(self, request: Request) -> str | None:
        """Why the key does not count; mailcow's fail2ban hears of each such request."""
        if self.quirks.mailcow_denies_ip:
            return "api access denied for ip 127.0.0.1"
        keys = (self.credentials.mailcow_key, self.credentials.mailcow_rw_key)
        if request.headers.get("X-API-Key") not in keys:
            return "authentication failed"
        return None

    def _decode_write(self, request: Request, verb: str, route: str) -> MailcowCall | Reply:
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
        return self._known(MailcowCall(f"{verb}/{route}", data))

    def _known(self, call: MailcowCall) -> MailcowCall | Reply:
        if call.name not in _READS and call.name not in _WRITES:
            return _error(404, "route not found")
        self.counters.note_mailcow(call.name)
        return call

    def _read(self, name: str, rest: str) -> object:
        match name:
            case "get/dkim":
                return self._dkim(rest)
            case "get/domain":
                return self._domain(rest)
            case "get/alias-domain":
                return self._alias_domain(rest)
            case "get/status":
                return {"version": _VERSION} if rest == "version" else {}
            case "get/mailbox":
                return self._mailbox(rest.lower())
            case "get/alias":
                return [_alias(n, *pair) for n, pair in enumerate(self.aliases.items(), 1)]
            case _:
                return self._logs(rest)

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

    def _mailbox(self, name: str) -> object:
        if name == "all":
            return [_mailbox(address) for address in self.mailboxes]
        return _mailbox(name) if name in self.mailboxes else {}

    def _logs(self, which: str) -> object:
        name, _, count = which.partition("/")
        return self.log.newest(int(count) if count.isdigit() else 100) if name == "api" else {}


_WRITES: dict[str, Callable[[DkimWriter, Any], None]] = {
    "add/dkim": DkimWriter.add,
    "add/dkim_duplicate": DkimWriter.duplicate,
    "add/dkim_import": DkimWriter.import_,
    "delete/dkim": DkimWriter.delete,
}


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


def _mailbox(address: str) -> dict[str, object]:
    """The fields that tell something about a mailbox."""
    local, _, domain = address.partition("@")
    return {
        "username": address,
        "local_part": local,
        "domain": domain,
        "active": 1,
        "active_int": 1,
    }


def _alias(number: int, address: str, goes_to: str) -> dict[str, object]:
    """The same of an alias; one for all of a domain has an address that begins with ``@``."""
    return {
        "id": number,
        "domain": address.partition("@")[2],
        "address": address,
        "goto": goes_to,
        "active": 1,
        "active_int": 1,
    }


def _length(key: DkimKey) -> str:
    """Mailcow guesses the size from the length of the Base64."""
    size = len(key.pubkey)
    return next((name for limit, name in _LENGTHS if size < limit), ">= 8192")


def _error(status: int, message: str) -> Reply:
    return json_reply({"type": "error", "msg": message}, status)
