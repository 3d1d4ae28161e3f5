"""mailcow's API: a domain's DKIM key, what else it knows, and writes (fact sheet mail, section 5).

A read-only key suffices for all but writing keys (data/web/inc/functions.dkim.inc.php), of which
each write is read back. Nothing is sent twice while its outcome is unknown; a lost answer is
resolved by reading. But ``get/dkim`` shows a public half and a selector only, and
mailcow writes the private half last. So each write tells whether mailcow itself confirmed it, or it
was merely seen. mailcow answers HTTP 200 whatever happened, with a ``type`` that tells
(data/web/json_api.php); its words are shown, but never as they came: they may repeat what was sent.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from netcup_mailauth import records
from netcup_mailauth.clock import Pauses
from netcup_mailauth.dkim import MAILCOW_PAGE
from netcup_mailauth.errors import (
    ApiError,
    CredentialsError,
    KeySourceError,
    MailauthError,
    TransportError,
    UnverifiedError,
    UsageError,
)
from netcup_mailauth.keys.forms import read_mailcow_key
from netcup_mailauth.netcup.http import HttpClient
from netcup_mailauth.netcup.wire import NOTHING_TAKEN
from netcup_mailauth.shown import MASK, visible
from netcup_mailauth.state.holds import Reason, Trial

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pydantic import SecretStr

    from netcup_mailauth.dkim import DkimSource, PublicKey
    from netcup_mailauth.netcup.http import Reply
    from netcup_mailauth.state.holds import Hold

LONGEST_VERSION = 40


class Mailcow:
    """One mailcow. A refused key is never sent a second time: mailcow would ban the address.

    ``url`` has no path. The read-only key will do; a rotation needs the read-write one. ``warn`` is
    told of each name of a domain that is none. Whatever is asked, mailcow may refuse the key, now
    or before (CredentialsError), or give no usable answer (ApiError).
    """

    def __init__(
        self,
        url: str,
        api_key: SecretStr,
        *,
        hold: Hold | None = None,
        warn: Callable[[str], None] | None = None,
        pauses: Pauses | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        headers = {"X-API-Key": api_key.get_secret_value()}
        self.pauses, self.sleep = pauses or Pauses(), sleep
        self._http = HttpClient(url, "mailcow", headers=headers, pauses=self.pauses, sleep=sleep)
        self.host = urlsplit(url).hostname or url
        self._api_key = api_key
        self._trial = Trial(hold)
        self._warn = warn
        self._no_names: set[str] = set()

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    @property
    def ahead(self) -> float | None:
        """How many seconds its last answer's ``Date`` was ahead of this machine's clock."""
        return self._http.ahead

    def version(self) -> str:
        """Which version of mailcow this is, asked to see whether the key works."""
        data = self._get("/api/v1/get/status/version")
        version = data.get("version") if isinstance(data, dict) else None
        if not isinstance(version, str) or not version.isprintable():
            raise ApiError(
                f"{self.host} does not answer as a mailcow does.",
                "Check the address; it is mailcow's own, without a path.",
            )
        return version[:LONGEST_VERSION]

    def dkim(self, domain: str) -> DkimSource | None:
        """The key that mailcow signs the domain's mail with; ``None`` if it has none.

        Raises KeySourceError if what mailcow holds is no key.
        """
        data = self._get(f"/api/v1/get/dkim/{quote(domain, safe='')}")
        if data == {}:
            return None
        check_about(domain, data)
        if not isinstance(data, dict) or not isinstance(data.get("dkim_txt"), str):
            raise ApiError(
                f"mailcow's answer for the DKIM key of {domain} is not as documented.",
                "Is MAILCOW_URL the address of a mailcow? If so, please report its version.",
            )
        try:
            return read_mailcow_key(data, f"mailcow at {self.host}")
        except MailauthError as error:
            raise KeySourceError(f"{domain}: {error.what}", error.advice) from None

    def relay(self, domain: str) -> str | None:
        """The relay through which mailcow sends the domain's mail; ``None`` if it has none."""
        data = self._get(f"/api/v1/get/domain/{quote(domain, safe='')}")
        check_about(domain, data)
        relay = data.get("relayhost") if isinstance(data, dict) else None
        return None if relay in (None, "", "0", 0) else visible(str(relay)[:LONGEST])

    def domains(self) -> tuple[str, ...]:
        """Every active domain and alias domain that mailcow serves, sorted.

        What it calls one and is no domain name is left out, with a warning: these names get into
        configs, paths and commands.
        """
        domains = self._list("/api/v1/get/domain/all", "domain_name")
        aliases = self._list("/api/v1/get/alias-domain/all", "alias_domain")
        return tuple(sorted({*domains, *aliases}))

    def takes_mail(self, address: str) -> bool | None:
        """Whether mail to an address arrives: by a mailbox, an alias, or one for all of its domain.

        ``None`` where mailcow does not serve the address's domain, and so cannot know.
        """
        local, _, domain = address.lower().rpartition("@")
        targets = self._entries("/api/v1/get/alias-domain/all", "alias_domain", "target_domain")
        served = self._entries("/api/v1/get/domain/all", "domain_name", "domain_name")
        own = targets.get(domain, domain)
        if own not in served:
            return None
        aliases = self._entries("/api/v1/get/alias/all", "address", "goto")
        known = {f"{local}@{domain}", f"{local}@{own}", f"@{domain}", f"@{own}"}
        if known & aliases.keys():
            return True
        mailbox = self._get(f"/api/v1/get/mailbox/{quote(f'{local}@{own}', safe='@')}")
        return isinstance(mailbox, dict) and mailbox.get("username") == f"{local}@{own}"

    def _entries(self, path: str, name: str, value: str) -> dict[str, str]:
        """Of each active entry the text at ``name``, in lower case, with that at ``value``."""
        found = self._active(path, name)
        return {str(entry[name]).lower(): str(entry.get(value)).lower() for entry in found}

    def _list(self, path: str, name: str) -> list[str]:
        """The names of the active entries, of those that are domains."""
        named = [self._domain(entry[name]) for entry in self._active(path, name)]
        return [domain for domain in named if domain is not None]

    def _active(self, path: str, name: str) -> list[dict[str, object]]:
        """The active entries that have a ``name``; mailcow answers ``{}`` where there is none."""
        data = self._get(path)
        return [
            entry
            for entry in (data if isinstance(data, list) else ())
            if isinstance(entry, dict) and name in entry and str(entry.get("active")) == "1"
        ]

    def _domain(self, name: object) -> str | None:
        """A name of mailcow's as a domain name, or ``None``.

        The standard form of an international name drops invisible characters, which would make
        of one name another.
        """
        text = str(name)
        shown = visible(text)
        try:
            if isinstance(name, str) and shown == text:
                return records.normalise(text)
        except UsageError:
            pass
        if self._warn is not None and text not in self._no_names:
            self._warn(f"mailcow serves {shown[:LONGEST]!a}, which is no domain name: left out.")
        self._no_names.add(text)
        return None

    def served(self) -> Served:
        """Every domain and alias domain, where it counts that none is missing."""
        domains = self._get("/api/v1/get/domain/all")
        return read_served(domains, self._get("/api/v1/get/alias-domain/all"))

    def send(self, call: str, body: object) -> None:
        """Send one write, once, and take mailcow's word for what became of it.

        ``call`` is its route, such as ``add/dkim``.

        Raises:
            CredentialsError: mailcow refused the key, now or before, or the key may only read.
            TransportError: no usable answer came, so it may have been done or not.
            ApiError: mailcow says that it was not done, or only a part of it.
        """
        self._trial.check()
        reply = self._http.post(body, f"/api/v1/{call}")
        if reply.status == 403 and is_refusal(reply.payload):
            raise self._read_only(reply.payload)
        check_done(self._accepted(reply), call, self._secret)

    def _get(self, path: str) -> object:
        with self._trial.turn():
            return self._accepted(self._http.read(partial(self._http.get, path)))

    def _accepted(self, reply: Reply) -> object:
        """The content of an answer to a key that mailcow knows."""
        match reply.status:
            case 200:
                self._trial.succeed()
                return reply.payload
            case 401:
                # Something in front of mailcow may have said so: no reason for later runs to rest.
                reason = Reason.REFUSED if is_refusal(reply.payload) else None
                raise self._trial.refuse(self._refusal(reply), reason)
            case 404:
                raise ApiError(
                    f"There is no mailcow API at {self._http.url} (HTTP 404).",
                    "Give mailcow's own address, without a path: https://mail.example.com",
                )
            case status:
                raise ApiError(f"mailcow answered HTTP {status}.", "Check its API page.")

    @property
    def _secret(self) -> str:
        return self._api_key.get_secret_value()

    def _refusal(self, reply: Reply) -> CredentialsError:
        said = said_in(reply.payload)
        words = f": {printable(said, self._secret)}" if said else ""
        return CredentialsError(
            f"mailcow at {self.host} refuses the API key (HTTP 401{words}).",
            "Compare MAILCOW_API_KEY with the keys in mailcow (System > Configuration > "
            "Access > API) and this machine's address with the list there. It is not tried "
            "again, because mailcow bans an address after a few refusals.",
        )

    def _read_only(self, payload: object) -> CredentialsError:
        said = said_in(payload)
        words = f": {printable(said, self._secret)}" if said else ""
        return CredentialsError(
            f"mailcow at {self.host} lets this API key read only (HTTP 403{words}).",
            "A rotation needs mailcow's read-write key in MAILCOW_API_KEY (System > Configuration "
            "> Access > API); plan, apply and check do not.",
        )


AGAIN = "It may still arrive; nothing was sent twice. Run the same command again in a minute."


@dataclass(frozen=True, slots=True)
class MailcowWriting:
    """The writes of a rotation.

    Each returns whether mailcow confirmed it. If not, the answer was lost, and reading shows that
    it was done as far as reading can.

    Each raises:
        CredentialsError: mailcow refused the key, or it may only read.
        ApiError: mailcow says that it was not done, or only a part of it.
        UnverifiedError: it is not known what became of it, or mailcow holds something else.
    """

    mailcow: Mailcow

    def add(self, domain: str, selector: str, bits: int) -> bool:
        """Have mailcow make an RSA key, for a domain of its own that has none."""
        body = {"domains": domain, "dkim_selector": selector, "key_size": str(bits)}
        return self._write("add/dkim", body, domain, lambda: self._selector(domain) == selector)

    def duplicate(self, source: str, target: str) -> bool:
        """Copy a key, with its selector, over whatever lies under another name.

        The target need not be a domain of mailcow's. If a key lay there under another selector,
        its private half stays behind in Redis.
        """
        body = {"from_domain": source, "to_domain": target}
        return self._write("add/dkim_duplicate", body, target, lambda: self._same(source, target))

    def import_key(self, domain: str, selector: str, pem: str, public: PublicKey) -> bool:
        """Put a private key (PEM) in place of what a domain has.

        mailcow deletes the old key first, so that for a moment there is none, and writes all that
        is sent into its API log, the private key too.
        """
        body = {
            "domain": domain,
            "dkim_selector": selector,
            "private_key_file": pem,
            "overwrite_existing": 1,
        }
        wanted = (selector, public)
        return self._write("add/dkim_import", body, domain, lambda: self._held(domain) == wanted)

    def delete(self, *names: str) -> bool:
        """Remove the keys under these names; a name that has none is no error."""
        return self._write(
            "delete/dkim", list(names), ", ".join(names), lambda: all(map(self.is_empty, names))
        )

    def _write(self, call: str, body: object, name: str, arrived: Callable[[], bool]) -> bool:
        try:
            self._send(call, body)
        except TransportError as error:
            if not error.sent:
                raise
            lost = error
        else:
            if arrived():
                return True
            raise UnverifiedError(
                f"mailcow confirmed {call} for {name}, but holds something else.",
                f"Look at it in mailcow, under {MAILCOW_PAGE}.",
            )
        self._settle(f"{call} for {name}", arrived, lost)
        return False

    def _send(self, call: str, body: object) -> None:
        try:
            self.mailcow.send(call, body)
        except TransportError as error:
            if error.sent:
                raise
        else:
            return
        self.mailcow.send(call, body)  # the first one provably never left

    def _settle(self, what: str, arrived: Callable[[], bool], lost: TransportError) -> None:
        """Find out by reading whether a write was done; wait once before giving up."""
        try:
            if arrived():
                return
            self.mailcow.sleep(self.mailcow.pauses.settle)
            if arrived():
                return
        except MailauthError as blind:
            state = f"and mailcow could not be read back ({blind.what})"
        else:
            state = "and mailcow does not show it"
        raise UnverifiedError(f"{what} got no clear answer ({lost.what}), {state}.", AGAIN)

    def _held(self, name: str) -> tuple[str, PublicKey] | None:
        """Selector and public half under a name; ``None`` if one of them is missing."""
        try:
            found = self.mailcow.dkim(name)
        except KeySourceError:
            return None
        if found is None or found.selector is None or found.key is None:
            return None
        return found.selector, found.key

    def _selector(self, name: str) -> str | None:
        held = self._held(name)
        return held[0] if held else None

    def _same(self, source: str, target: str) -> bool:
        held = self._held(target)
        return held is not None and held == self._held(source)

    def is_empty(self, name: str) -> bool:
        """Whether nothing at all lies under a name, not even half a key."""
        try:
            return self.mailcow.dkim(name) is None
        except KeySourceError:
            return False


LONGEST = 200
"""Characters of mailcow's words that are shown."""

_KEY_TEXT = re.compile(r"-----BEGIN[^-]*-----.*|[A-Za-z0-9+/=]{40,}", re.DOTALL)
"""A PEM block, or as much base64 as no domain or selector has."""

_ADVICE = {
    "access_denied": "Is it a domain of this mailcow? Add it there, under E-Mail > Configuration.",
    "dkim_domain_or_sel_invalid": "mailcow says so of a name that is no domain, and of a domain "
    f"that has a key already. Look at {MAILCOW_PAGE}.",
    "redis_error": "mailcow could not write to its Redis, perhaps for want of room; once it can, "
    "run the same command again.",
}
_LOOK = "Look at mailcow, and run the same command again."


def check_done(payload: object, call: str, secret: str) -> None:
    """Make sure that mailcow says of each thing it was told to do that it is done.

    Raises:
        ApiError: something was not done, in mailcow's words.
        TransportError: the answer is none that mailcow is known to give.
    """
    entries = payload if isinstance(payload, list) else [payload]
    kinds = [entry.get("type") if isinstance(entry, dict) else None for entry in entries]
    if not kinds or not all(isinstance(kind, str) for kind in kinds):
        raise TransportError(
            f"mailcow's answer to {call} is not as documented.",
            "Is MAILCOW_URL the address of a mailcow? If so, please report its version.",
            passing=False,
        )
    for entry, kind in zip(entries, kinds, strict=True):
        if kind != "success":
            said = said_in(entry)
            advice = _ADVICE.get(said.partition(" ")[0], _LOOK)
            raise ApiError(f"mailcow refuses {call}: {printable(said, secret)}.", advice)


@dataclass(frozen=True, slots=True)
class Served:
    """What mailcow serves, as both of its lists say, in lower case.

    ``domains`` and ``aliases`` (the target of each) may be active or not; ``active`` are those of
    both that may be in use: all that are not plainly switched off.
    """

    domains: frozenset[str]
    aliases: Mapping[str, str]
    active: frozenset[str]


def read_served(domains: object, aliases: object) -> Served:
    """Read mailcow's answers to ``get/domain/all`` and ``get/alias-domain/all``.

    Strictly, because what is missing is taken to sign with nothing. mailcow says ``{}`` where a
    list would be empty. Raises ApiError if they are not as documented.
    """
    served = _entries(domains, "domain_name")
    alias = _entries(aliases, "alias_domain")
    targets = {name: str(entry.get("target_domain", "")).lower() for name, entry in alias.items()}
    # Only this is known to mean "off"; it comes as a number or as a text.
    on = [n for each in (served, alias) for n, e in each.items() if str(e.get("active")) != "0"]
    return Served(frozenset(served), targets, frozenset(on))


def _entries(payload: object, name: str) -> dict[str, dict[str, object]]:
    entries = [] if payload == {} else payload
    if not isinstance(entries, list):
        raise _undocumented(payload)
    found = {}
    for entry in entries:
        if not isinstance(entry, dict) or not isinstance(entry.get(name), str) or not entry[name]:
            raise _undocumented(payload)
        found[entry[name].strip().lower().rstrip(".")] = entry
    return found


def _undocumented(payload: object) -> ApiError:
    said = said_in(payload)
    words = f" ({printable(said, '')})" if said else ""
    return ApiError(
        f"mailcow's list of its domains is not as documented{words}.",
        "Is MAILCOW_URL the address of a mailcow? If so, please report its version.",
    )


def is_refusal(payload: object) -> bool:
    """Whether an answer with 401 or 403 is mailcow's own: ``{"type": "error", "msg": ...}``."""
    return isinstance(payload, dict) and payload.get("type") == "error"


def check_about(domain: str, payload: object) -> None:
    """See that an answer, where it names a domain, names the one that was asked for.

    Raises ApiError if it is about another one.
    """
    named = payload.get("domain_name", payload.get("domain")) if isinstance(payload, dict) else None
    if isinstance(named, str) and named.lower() != domain.lower():
        raise ApiError(
            f"mailcow was asked about {domain}, and answered about {named[:LONGEST]!a}.",
            NOTHING_TAKEN,
        )


def said_in(payload: object) -> str:
    """The message in an answer: a text, or a code and what it is about."""
    message = payload.get("msg") if isinstance(payload, dict) else None
    parts = message if isinstance(message, list) else [message]
    return " ".join(str(part) for part in parts if isinstance(part, str | int))


def printable(said: str, secret: str) -> str:
    """Words from outside, fit for a terminal: without keys, escaped, and not too long."""
    masked = said.replace(secret, MASK) if secret else said
    return ascii(_KEY_TEXT.sub(MASK, masked)[:LONGEST])
