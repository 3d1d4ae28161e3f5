"""mailcow's API: a domain's DKIM key, and the sending of writes (fact sheet mail, section 5).

A read-only key suffices for all but ``send``. What is written is in ``mailcow_writing``.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from netcup_mailauth import names
from netcup_mailauth.backends.http import HttpClient, Reply
from netcup_mailauth.errors import (
    ApiError,
    CredentialsError,
    KeySourceError,
    MailauthError,
    UsageError,
)
from netcup_mailauth.keys.files import DkimSource, read_mailcow_key
from netcup_mailauth.keys.mailcow_answers import (
    LONGEST,
    check_about,
    check_done,
    is_refusal,
    printable,
    read_served,
    said_in,
)
from netcup_mailauth.printable import visible
from netcup_mailauth.state.holds import NoHold, Reason

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic import SecretStr

    from netcup_mailauth.keys.mailcow_answers import Served
    from netcup_mailauth.state.holds import Hold

LONGEST_VERSION = 40


class Mailcow:
    """One mailcow. A refused key is never sent a second time: mailcow would ban the address.

    Args:
        url: its address, without a path.
        api_key: the read-only key; a rotation needs the read-write one.
        http: the session to use instead of a new one.
        hold: what is remembered of the key from run to run.
        warn: told of each name of a domain that is none.
    """

    def __init__(
        self,
        url: str,
        api_key: SecretStr,
        *,
        http: HttpClient | None = None,
        hold: Hold | None = None,
        warn: Callable[[str], None] | None = None,
    ) -> None:
        headers = {"X-API-Key": api_key.get_secret_value()}
        self._http = http or HttpClient(url, "mailcow", headers=headers)
        self.host = urlsplit(url).hostname or url
        self._api_key = api_key
        self._hold = hold or NoHold()
        self._refused: CredentialsError | None = None
        self._works = False
        self._warn = warn
        self._no_names: set[str] = set()
        self._trying = threading.Lock()

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    @property
    def ahead(self) -> float | None:
        """How many seconds its last answer's ``Date`` was ahead of this machine's clock."""
        return self._http.ahead

    def version(self) -> str:
        """Which version of mailcow this is, asked to see whether the key works.

        Raises:
            CredentialsError, ApiError: as :meth:`dkim`.
        """
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

        Raises:
            CredentialsError: mailcow refused the key, now or before.
            KeySourceError: what mailcow holds is no key.
            ApiError: mailcow gave no usable answer.
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
        """The relay through which mailcow sends the domain's mail; ``None`` if it sends directly.

        Raises:
            CredentialsError, ApiError: as :meth:`dkim`.
        """
        data = self._get(f"/api/v1/get/domain/{quote(domain, safe='')}")
        check_about(domain, data)
        relay = data.get("relayhost") if isinstance(data, dict) else None
        return None if relay in (None, "", "0", 0) else visible(str(relay)[:LONGEST])

    def domains(self) -> tuple[str, ...]:
        """Every active domain and alias domain that mailcow serves, sorted.

        What it calls one and is no domain name is left out, with a warning: these names get into
        configs, paths and commands.

        Raises:
            CredentialsError, ApiError: as :meth:`dkim`.
        """
        domains = self._list("/api/v1/get/domain/all", "domain_name")
        aliases = self._list("/api/v1/get/alias-domain/all", "alias_domain")
        return tuple(sorted({*domains, *aliases}))

    def _list(self, path: str, name: str) -> list[str]:
        """The names of the active entries; mailcow answers ``{}`` where there is none."""
        data = self._get(path)
        entries = data if isinstance(data, list) else []
        named = [
            self._domain(entry[name])
            for entry in entries
            if isinstance(entry, dict) and name in entry and str(entry.get("active")) == "1"
        ]
        return [domain for domain in named if domain is not None]

    def _domain(self, name: object) -> str | None:
        """A name of mailcow's as a domain name, or ``None``.

        The standard form of an international name drops invisible characters, which would make
        of one name another.
        """
        text = str(name)
        shown = visible(text)
        try:
            if isinstance(name, str) and shown == text:
                return names.normalise(text)
        except UsageError:
            pass
        if self._warn is not None and text not in self._no_names:
            self._warn(f"mailcow serves {shown[:LONGEST]!a}, which is no domain name: left out.")
        self._no_names.add(text)
        return None

    def served(self) -> Served:
        """Every domain and alias domain, where it counts that none is missing.

        Raises:
            CredentialsError, ApiError: as :meth:`dkim`.
        """
        domains = self._get("/api/v1/get/domain/all")
        return read_served(domains, self._get("/api/v1/get/alias-domain/all"))

    def send(self, call: str, body: object) -> None:
        """Send one write, once, and take mailcow's word for what became of it.

        Args:
            call: its route, such as ``add/dkim``.
            body: what json_api.php takes for it.

        Raises:
            CredentialsError: mailcow refused the key, now or before, or the key may only read.
            TransportError: no usable answer came, so it may have been done or not.
            ApiError: mailcow says that it was not done, or only a part of it.
        """
        self._check_key()
        reply = self._http.post_to(f"/api/v1/{call}", body)
        if reply.status == 403 and is_refusal(reply.payload):
            raise self._read_only(reply.payload)
        check_done(self._accepted(reply), call, self._secret)

    def _get(self, path: str) -> object:
        if self._works:
            return self._got(path)
        with self._trying:  # parallel jobs do not all try a key that may be refused
            return self._got(path)

    def _got(self, path: str) -> object:
        self._check_key()
        return self._accepted(self._http.read(_getter(self._http, path)))

    def _check_key(self) -> None:
        if self._refused is not None:
            raise self._refused
        if not self._works:
            self._hold.check()

    def _accepted(self, reply: Reply) -> object:
        """The content of an answer to a key that mailcow knows."""
        match reply.status:
            case 200:
                if not self._works:
                    self._works = True
                    self._hold.lift()
                return reply.payload
            case 401:
                self._refused = self._refusal(reply)
                if is_refusal(reply.payload):  # and not of something in front of mailcow
                    self._hold.note(Reason.REFUSED)
                raise self._refused
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


def _getter(http: HttpClient, path: str) -> Callable[[], Reply]:
    return lambda: http.get(path)
