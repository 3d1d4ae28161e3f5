"""A domain's DKIM key from mailcow's API, with a read-only key (fact sheet mail, section 5)."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from netcup_mailauth.backends.http import HttpClient, Reply
from netcup_mailauth.errors import ApiError, CredentialsError, KeySourceError, MailauthError
from netcup_mailauth.keys.files import DkimSource, read_mailcow_key
from netcup_mailauth.state.holds import NoHold, Reason

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic import SecretStr

    from netcup_mailauth.state.holds import Hold

LONGEST_VERSION = 40


class Mailcow:
    """One mailcow. A refused key is never sent a second time: mailcow would ban the address.

    Args:
        url: its address, without a path.
        api_key: the read-only key.
        http: the session to use instead of a new one.
        hold: what is remembered of the key from run to run.
    """

    def __init__(
        self,
        url: str,
        api_key: SecretStr,
        *,
        http: HttpClient | None = None,
        hold: Hold | None = None,
    ) -> None:
        headers = {"X-API-Key": api_key.get_secret_value()}
        self._http = http or HttpClient(url, "mailcow", headers=headers)
        self.host = urlsplit(url).hostname or url
        self._api_key = api_key
        self._hold = hold or NoHold()
        self._refused: CredentialsError | None = None

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

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
        relay = data.get("relayhost") if isinstance(data, dict) else None
        return None if relay in (None, "", "0", 0) else str(relay)

    def domains(self) -> tuple[str, ...]:
        """Every active domain and alias domain that mailcow serves, sorted.

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
        return [
            str(entry[name]).lower()
            for entry in entries
            if isinstance(entry, dict) and name in entry and str(entry.get("active")) == "1"
        ]

    def _get(self, path: str) -> object:
        if self._refused is not None:
            raise self._refused
        self._hold.check()
        reply = self._http.read(_getter(self._http, path))
        match reply.status:
            case 200:
                self._hold.lift()
                return reply.payload
            case 401:
                self._refused = self._refusal(reply)
                self._hold.note(Reason.REFUSED)
                raise self._refused
            case 404:
                raise ApiError(
                    f"There is no mailcow API at {self._http.url} (HTTP 404).",
                    "Give mailcow's own address, without a path: https://mail.example.com",
                )
            case status:
                raise ApiError(f"mailcow answered HTTP {status} to a read.", "Check its API page.")

    def _refusal(self, reply: Reply) -> CredentialsError:
        said = reply.payload.get("msg") if isinstance(reply.payload, dict) else None
        key = self._api_key.get_secret_value()
        words = f": {said.replace(key, '***')[:200]!a}" if isinstance(said, str) else ""
        return CredentialsError(
            f"mailcow at {self.host} refuses the API key (HTTP 401{words}).",
            "Compare MAILCOW_API_KEY with the read-only key in mailcow (System > Configuration > "
            "Access > API) and this machine's address with the list there. It is not tried "
            "again, because mailcow bans an address after a few refusals.",
        )


def _getter(http: HttpClient, path: str) -> Callable[[], Reply]:
    return lambda: http.get(path)
