"""What was said between this program and netcup, masked, for a report of a mistake.

Nothing is masked by a list of what is secret: what is not known to be harmless is masked. A field
is told by its name; a record by whether it is SPF, DKIM or DMARC; a word of netcup's by its look.
No header of a request is kept, as the REST key travels in one. A mask is as long as what it is for,
of letters and digits where that was, the same for the same text all through one recording and for
nobody to turn back, so that a sandbox can answer with it as netcup did.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
import threading
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from netcup_mailauth import dmarc, spf
from netcup_mailauth.records import APEX, join_txt
from netcup_mailauth.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pydantic import SecretStr

SCHEMA = 1
"""The schema of the document, which the sandbox reads with a reader of its own."""

LONGEST_PAGE = 64 * 1024
"""Bytes that are kept of an answer that is no JSON."""

CREDENTIALS, RECORDS, WORDS = "credentials", "records", "words"
NAMES, FIELDS, PAGES = "names", "fields", "pages"

_SECRET = frozenset({"apikey", "apipassword", "apisessionid", "customernumber"})
_NAMES = frozenset({"domainname", "fqdn", "hostname", "name"})
_VALUES = frozenset({"destination", "rdata"})
_HOST = frozenset({"hostname", "name"})
_MESSAGES = frozenset({"shortmessage", "longmessage", "message", "messages", "errors"})
_HARMLESS = frozenset(
    {
        *("action", "clientrequestid", "serverrequestid", "status", "statuscode", "code"),
        *("id", "identifier", "type", "priority", "deleterecord", "state", "ttl", "immutable"),
        *("serial", "refresh", "retry", "expire", "dnssecstatus", "createdAt", "modifiedAt"),
        *("success", "page", "perPage", "lastPage", "totalEntries", "isDnsManaged"),
        *("autoCommit", "strict"),
    }
)
"""Fields whose values stay, if they look like what belongs there: numbers, words, times."""

_HOLDERS = frozenset(
    {
        *("param", "responsedata", "dnsrecordset", "dnsrecords", "errors", "messages", "meta"),
        *("pagination", "result", "create", "delete"),
    }
)
"""Fields that hold others."""

_KNOWN = _SECRET | _NAMES | _VALUES | _MESSAGES | _HARMLESS | _HOLDERS

_PLAIN = re.compile(r"[\w +=-]{0,64}|[0-9TZ:.+ -]{0,40}")
_NUMBERS = frozenset({"id", "identifier"})
_NUMBER = re.compile(r"[0-9A-Fa-f-]{0,64}")
"""An identifier that is made of anything else may be made of a name."""

_PATH = frozenset({"", "domain", "dns", "revision", "record", "changeset"})
_FIELD = re.compile(r"[A-Za-z]{1,30}")
_LEAD_TO_A_HOST = frozenset({"CNAME", "MX", "NS", "SRV"})
_OUR_LABELS = frozenset({"_domainkey", "_dmarc", "_report"})
_PIECES = re.compile(r""""[^"]*"|(?<!\w)'[^']*'|\S+""")
_WORD = re.compile(
    r"[(\[]?(?:[A-Za-z\u00c0-\u024f][A-Za-z\u00c0-\u024f'/-]{0,23}|[0-9]{1,4})\W{0,2}"
)
_LOWER, _UPPER, _DIGITS = "abcdef", "ABCDEF", "12"
"""What masks are of: an address that is masked is an address, in either family."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A request; its path, with the query, is that below the address of the API."""

    api: str
    method: str
    path: str
    body: bytes | None


class Recording:
    """Every exchange of a run with netcup's APIs, masked as it comes.

    Attributes:
        masked: how often something of each sort was masked.
        asked: the domains that were asked for, which stay as they are.
    """

    def __init__(self) -> None:
        self.masked: Counter[str] = Counter()
        self.asked: set[str] = set()
        self.exchanges: list[dict[str, Any]] = []
        self._secrets: list[SecretStr] = []
        self._salt = secrets.token_bytes(32)
        self._numbers: dict[str, str] = {}  # of domains, as the REST API has them
        self._foreign: set[str] = set()  # words of what was masked
        self._writing = threading.Lock()

    def hide(self, known: Iterable[SecretStr]) -> None:
        """Mask these wherever they stand."""
        self._secrets += known

    def answered(self, sent: Sent, status: int, headers: Mapping[str, str], body: bytes) -> None:
        """An exchange; of the answer's headers two are kept."""
        kept = {name: headers[name] for name in ("Content-Type", "Retry-After") if name in headers}
        with self._writing:
            told, exchange = self._begun(sent)
            exchange |= {"status": status, "headers": {n: self._plain(v) for n, v in kept.items()}}
            try:
                exchange["json"] = self._value("", json.loads(body), told)
            except (ValueError, RecursionError):
                self.masked[PAGES] += bool(body.strip())
                text = body[:LONGEST_PAGE].decode("utf-8", "replace")
                exchange["text"] = text[:1] + self._mask(text[1:])
            self.exchanges.append(exchange)

    def unanswered(self, sent: Sent, why: str) -> None:
        """A request to which no answer came."""
        with self._writing:
            _, exchange = self._begun(sent)
            self.exchanges.append({**exchange, "status": None, "why": self._words(why)})

    def document(self) -> dict[str, Any]:
        """All of it, as JSON holds it."""
        tool = f"netcup-mailauth {__version__}"
        return {"schema": SCHEMA, "tool": tool, "masked": dict(sorted(self.masked.items())),
                "exchanges": self.exchanges}  # fmt: skip

    def _begun(self, sent: Sent) -> tuple[str, dict[str, Any]]:
        """The domain that a request is about, and the request as it is kept."""
        try:
            body = json.loads(sent.body) if sent.body else None
        except ValueError:
            body = None
        parts = urlsplit(sent.path)
        number = re.match(r"/domain/([^/]+)", parts.path)
        param = body.get("param", {}) if isinstance(body, dict) else {}
        fqdn = parse_qs(parts.query).get("fqdn", [""])[0]
        told = fqdn or str(param.get("domainname") or "") if param or fqdn else ""
        if number:
            told = self._numbers.get(number[1], "")
        if told:
            self.asked.add(_bare(told))
        kept = None if body is None else self._value("", body, told)
        steps = (one if one in _PATH else self._number(one) for one in parts.path.split("/"))
        path = self._plain("/".join(steps) + (f"?{parts.query}" if parts.query else ""))
        return told, {"api": sent.api, "method": sent.method, "path": path, "request": kept}

    # What is masked

    def _value(self, field: str, value: Any, zone: str) -> Any:
        match value:
            case dict() if _is_record(value):
                return self._record(value, zone, _own_names(value, zone))
            case dict():
                return self._object(value, zone)
            case list():
                ours = frozenset(name for entry in value for name in _own_names(entry, zone))
                return [
                    self._record(entry, zone, ours)
                    if _is_record(entry)
                    else self._value(field, entry, zone)
                    for entry in value
                ]
            case None | bool():
                return value
            case str():
                return self._text(field, value, zone)
            case _ if field in _HARMLESS:
                return value
            case _ if field in _SECRET:
                self.masked[CREDENTIALS] += 1
            case _:
                self.masked[FIELDS] += 1
        return int(self._mask(str(value))) if isinstance(value, int) else 1.5

    def _object(self, value: dict[str, Any], zone: str) -> dict[str, Any]:
        if isinstance(value.get("fqdn"), str) and "id" in value:
            self._numbers[str(value["id"])] = value["fqdn"]
        return {self._field(name): self._value(name, one, zone) for name, one in value.items()}

    def _field(self, name: str) -> str:
        """A field's name, unless it may be a value itself."""
        if name in _KNOWN or (_FIELD.fullmatch(name) and name not in self._foreign):
            return self._plain(name)
        self.masked[FIELDS] += 1
        return self._mask(name)

    def _text(self, field: str, text: str, zone: str) -> str:
        if field in _SECRET:
            self.masked[CREDENTIALS] += 1
            return self._mask(text)
        if field in _MESSAGES:
            return self._words(text)
        if field in _NAMES:
            return self._name(text, zone)
        if field in _NUMBERS:
            return self._number(text)
        if field in _HARMLESS and _PLAIN.fullmatch(text):
            return self._plain(text)
        self.masked[FIELDS] += bool(text)
        return self._mask(text)

    def _number(self, text: str) -> str:
        """What a domain, a revision or a record is called by, in an answer or in a path."""
        if _NUMBER.fullmatch(text):
            return self._plain(text)
        self.masked[FIELDS] += 1
        return self._mask(text)

    def _record(self, entry: dict[str, Any], zone: str, ours: frozenset[str]) -> dict[str, Any]:
        """A record: one of ours as it is, of another the value masked.

        The name is masked as well, unless one of ours stands there too.
        """
        is_ours = _is_ours(entry, zone)
        self.masked[RECORDS] += not is_ours
        kept: dict[str, Any] = {}
        for field, value in entry.items():
            if field == "priority" and not is_ours and isinstance(value, str):
                kept[field] = self._preference(value)
            elif not isinstance(value, str) or field not in _NAMES | _VALUES:
                kept[self._field(field)] = self._value(field, value, zone)
            elif is_ours or (field in _HOST and _bare(value) in ours):
                kept[field] = self._plain(value)
            elif field in _NAMES:
                kept[field] = self._name(value, zone)
            else:
                kept[field] = self._content(str(entry.get("type")).upper(), value, zone)
        return kept

    def _content(self, record_type: str, value: str, zone: str) -> str:
        """The value of a record; of a text all but its quotes, as its signs tell whose it is.

        A host is masked as it is where it has records, so that a value still leads to them.
        """
        self._foreign.update(re.findall(r"[\w-]{3,}", value.lower()))
        if record_type == "TXT":
            return re.sub(r'[^"\\ ]+', lambda found: self._mask(found[0], signs=True), value)
        if record_type not in _LEAD_TO_A_HOST:
            return self._mask(value)
        *numbers, host = value.split(" ")
        return " ".join([*map(self._preference, numbers), self._name(host, zone)])

    def _preference(self, number: str) -> str:
        """A number before a host; 0 is none, and what a record has that needs none."""
        return number if number == "0" else self._mask(number)

    def _name(self, name: str, zone: str) -> str:
        """A host or a domain, label by label; the domains that were asked for stay."""
        bare = _bare(name)
        if bare in ("", APEX, "*") or bare in self.asked:
            return name
        zone = _bare(zone)
        inside = bool(zone) and bare.endswith(f".{zone}")
        head = name[: len(bare) - len(zone) - 1] if inside else name
        labels = head.split(".")
        self.masked[NAMES] += 1
        self._foreign.update(label.lower() for label in labels)
        hidden = ".".join(one if one == "*" or one in _OUR_LABELS else self._mask(one)
                          for one in labels)  # fmt: skip
        return hidden + name[len(head) :]

    def _words(self, text: str) -> str:
        """What an API says: plain words and short numbers stay, and whom it was asked about."""
        return _PIECES.sub(lambda found: self._word(found[0]), self._plain(text))

    def _word(self, piece: str) -> str:
        bare = piece.strip("\"'()[].,;:!?").lower()
        if bare in self.asked or not bare:
            return piece
        is_quoted = piece[0] in "\"'"
        if _WORD.fullmatch(piece) and not is_quoted and bare not in self._foreign:
            return piece
        self.masked[WORDS] += 1
        return self._mask(piece)

    def _plain(self, text: str) -> str:
        """A text that stays, but for the secrets in it that are known."""
        for secret in sorted(self._secrets, key=len, reverse=True):
            value = secret.get_secret_value()
            if len(value) > 2 and value in text:
                self.masked[CREDENTIALS] += 1
                text = text.replace(value, self._mask(value))
        return text

    def _mask(self, text: str, *, signs: bool = False) -> str:
        """A text of the same length and shape that says nothing; with ``signs`` of no shape."""
        stream = b""
        while len(stream) < len(text):
            counted = f"{len(stream)} {text}".encode("utf-8", "surrogatepass")
            stream += hmac.digest(self._salt, counted, hashlib.sha256)
        return "".join(_like(one, byte, signs) for one, byte in zip(text, stream, strict=False))


def _like(character: str, byte: int, signs: bool) -> str:
    if character in "0123456789":
        return _DIGITS[byte % len(_DIGITS)]
    if character.isascii() and not character.isalpha() and not signs:
        return character
    letters = _UPPER if character.isupper() else _LOWER
    return letters[byte % len(letters)]


def _bare(name: str) -> str:
    return name.lower().removesuffix(".")


def _is_record(entry: object) -> bool:
    return isinstance(entry, dict) and not _VALUES.isdisjoint(entry)


def _own_names(entry: object, zone: str) -> frozenset[str]:
    """The name of a record, if that is one of ours."""
    if isinstance(entry, dict) and _is_record(entry) and _is_ours(entry, zone):
        return frozenset(_bare(str(entry[field])) for field in entry if field in _HOST)
    return frozenset()


def _is_ours(entry: dict[str, Any], zone: str) -> bool:
    """Whether a record is SPF, DKIM or DMARC, where it should stand."""
    said = [entry[field] for field in entry if field in _VALUES]
    called = [entry[field] for field in entry if field in _NAMES]
    if len(said) != 1 or len(called) != 1:  # which of them is meant is not known
        return False
    name, text = called[0], said[0]
    if str(entry.get("type")).upper() != "TXT" or not isinstance(text, str):
        return False
    labels = _bare(str(name or "")).removesuffix(f".{_bare(zone)}").split(".")
    text = join_txt(text)
    if labels[0] == "_dmarc" or "_report" in labels:
        return dmarc.is_meant(text)
    if "_domainkey" in labels[1:]:
        return "p=" in text.replace(" ", "")
    return spf.is_meant(text)
