"""The part of mailcow's API that tells domains and DKIM keys (section 5 of the mail facts)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from netcup_mailauth.sandbox import credentials
from netcup_mailauth.sandbox.web.exchange import Reply, Request, html_reply, json_reply

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from netcup_mailauth.sandbox.counters import Counters
    from netcup_mailauth.sandbox.mailcow.keyring import DkimKey, Keyring
    from netcup_mailauth.sandbox.quirks import Quirks

_PREFIX = "/api/v1/"
_VERSION = "2026-08"
_WRITES = frozenset({"add", "edit", "delete"})
_LENGTHS = ((391, "1024"), (564, "2048"), (736, "3072"), (1416, "4096"))
_CHUNK = 255


@dataclass(frozen=True)
class Mailcow:
    """The API as a read-only key sees it. "Nothing found" is `{}`, also in place of a list."""

    keyring: Keyring
    alias_domains: Mapping[str, str]
    counters: Counters
    quirks: Quirks

    def __call__(self, request: Request) -> Reply:
        """Answer one request."""
        if not request.path.startswith(_PREFIX):
            return html_reply("404 Not Found", 404)
        if request.headers.get("Sec-Fetch-Dest", "empty") != "empty":
            return _error(403, "API access denied")
        refusal = self._refusal(request)
        if refusal is not None:
            self.counters.note_mailcow("401")
            return _error(401, refusal)
        verb, _, rest = request.path.removeprefix(_PREFIX).partition("/")
        if verb in _WRITES:
            if request.method != "POST":
                return _error(405, "only POST method is allowed")
            return _error(403, "API read/write access denied")
        if request.method != "GET":
            return _error(405, "only GET method is allowed")
        return self._get(rest) if verb == "get" else _error(404, "route not found")

    def _refusal(self, request: Request) -> str | None:
        """Why the key does not count; mailcow's fail2ban hears of each such request."""
        if self.quirks.mailcow_denies_ip:
            return "api access denied for ip 127.0.0.1"
        if request.headers.get("X-API-Key") != credentials.MAILCOW_API_KEY:
            return "authentication failed"
        return None

    def _get(self, path: str) -> Reply:
        kind, _, name = path.partition("/")
        answers: dict[str, Callable[[str], object]] = {
            "dkim": self._dkim,
            "domain": self._domain,
            "alias-domain": self._alias_domain,
            "status": self._status,
        }
        answer = answers.get(kind)
        if answer is None:
            return _error(404, "route not found")
        self.counters.note_mailcow(f"get/{kind}")
        return json_reply(answer(name.lower()) or {})

    def _dkim(self, domain: str) -> object:
        key = self.keyring.key(domain) if domain in self.keyring.domains else None
        if key is None:
            return {}
        return {
            "pubkey": key.pubkey,
            "length": _length(key),
            "dkim_txt": self._dkim_txt(key),
            "dkim_selector": key.selector,
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
        return _domain_details(name) if name in domains else {}

    def _alias_domain(self, name: str) -> object:
        details = [
            {"alias_domain": alias, "target_domain": target, "active": 1, "active_int": 1}
            for alias, target in self.alias_domains.items()
        ]
        if name == "all":
            return details
        return next((entry for entry in details if entry["alias_domain"] == name), {})

    def _status(self, what: str) -> object:
        return {"version": _VERSION} if what == "version" else {}


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
