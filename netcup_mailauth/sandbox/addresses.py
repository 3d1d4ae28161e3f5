"""Where the parts of a running sandbox are, and what a client has to know to get in."""

from __future__ import annotations

import secrets
import string
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from pathlib import Path

CA_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
"""What names a CA file: to programs in Python, to curl, and to those on OpenSSL or in Go."""

_LETTERS = string.ascii_letters + string.digits


@dataclass(frozen=True, slots=True)
class Credentials:
    """The account's and the mailcow's keys: new for each sandbox, or always the same, for scripts.

    They open nothing but a sandbox. Still a web page, or another user of the machine, could use one
    whose keys stand in this file. `api_key` is the CCP's, 50 characters as netcup's (1.2),
    `rest_key` has 64 (2.2); `mailcow_key` is read-only, and only a rotation needs the other.
    """

    api_key: str = field(repr=False)
    api_password: str = field(repr=False)
    rest_key: str = field(repr=False)
    mailcow_key: str = field(repr=False)
    mailcow_rw_key: str = field(repr=False)
    customer_number: str = "12345"  # no secret, and the same for all: it names the state folder

    @classmethod
    def fresh(cls) -> Self:
        """Keys that nobody knows yet."""
        return cls(_random(50), _random(50), _random(64), _mailcow(), _mailcow())

    @classmethod
    def fixed(cls) -> Self:
        """Keys that everybody knows, the same for ever."""
        return cls(
            api_key="SandboxLegacyApiKey".ljust(50, "0"),
            api_password="SandboxApiPassword".ljust(51, "0"),
            rest_key="SandboxRestApiKey".ljust(64, "0"),
            mailcow_key="5A4DB0-0000A1-0000B2-0000C3-0000D4",
            mailcow_rw_key="5A4DB0-0000A1-0000B2-0000C3-0000E5",
        )


def _random(length: int) -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(length))


def _mailcow() -> str:
    """Five groups of six hexadecimal digits, as mailcow makes them."""
    return "-".join(secrets.token_hex(3).upper() for _ in range(5))


@dataclass(frozen=True, slots=True)
class Addresses:
    """URLs and the CA they are to be trusted by.

    With the REST key in its environment a client asks that API first, so it is offered there only
    where a domain is on CloudDNS.
    """

    ccp_endpoint: str
    rest_endpoint: str
    mailcow_url: str
    control_url: str
    nameservers: tuple[str, ...]
    resolver: str
    credentials: Credentials
    ca_file: Path | None
    offers_rest_key: bool = False
    offers_ccp_keys: bool = True

    def env(self) -> dict[str, str]:
        """Every environment variable a client reads; empty for what is not there."""
        has_ccp = self.offers_ccp_keys
        env = {
            "NETCUP_CUSTOMER_NUMBER": self.credentials.customer_number if has_ccp else "",
            "NETCUP_API_KEY": self.credentials.api_key if has_ccp else "",
            "NETCUP_API_PASSWORD": self.credentials.api_password if has_ccp else "",
            "NETCUP_CCP_ENDPOINT": self.ccp_endpoint,
            "MAILCOW_URL": self.mailcow_url,
            "MAILCOW_API_KEY": self.credentials.mailcow_key,
            "NETCUP_REST_ENDPOINT": self.rest_endpoint,
            "NETCUP_REST_API_KEY": self.credentials.rest_key if self.offers_rest_key else "",
            "NETCUP_MAILAUTH_NAMESERVERS": ",".join(self.nameservers),
            "NETCUP_MAILAUTH_RESOLVER": self.resolver,
        }
        if self.ca_file is not None:
            env |= dict.fromkeys(CA_VARIABLES, str(self.ca_file))
        return env

    def banner(self) -> dict[str, object]:
        """What a program that starts the sandbox tells about it, as one line of JSON."""
        return {
            "ccp_endpoint": self.ccp_endpoint,
            "rest_endpoint": self.rest_endpoint,
            "rest_key": self.credentials.rest_key,
            "mailcow_url": self.mailcow_url,
            "mailcow_rw_key": self.credentials.mailcow_rw_key,
            "nameservers": list(self.nameservers),
            "control_url": self.control_url,
            "env": self.env(),
        }
