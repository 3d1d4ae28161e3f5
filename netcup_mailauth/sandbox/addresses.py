"""Where the parts of a running sandbox are, and the environment that points a client there."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from netcup_mailauth.sandbox.credentials import Credentials


@dataclass(frozen=True, slots=True)
class Addresses:
    """URLs and the CA they are to be trusted by.

    Args:
        offers_rest_key: whether the environment holds the REST key. With it a client asks that API
            first, so it belongs there only where a domain is on CloudDNS.
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

    def env(self) -> dict[str, str | None]:
        """Every environment variable a client reads; None for what is not there."""
        env: dict[str, str | None] = {
            "NETCUP_CUSTOMER_NUMBER": self.credentials.customer_number,
            "NETCUP_API_KEY": self.credentials.api_key,
            "NETCUP_API_PASSWORD": self.credentials.api_password,
            "NETCUP_CCP_ENDPOINT": self.ccp_endpoint,
            "MAILCOW_URL": self.mailcow_url,
            "MAILCOW_API_KEY": self.credentials.mailcow_key,
            "NETCUP_REST_ENDPOINT": self.rest_endpoint,
            "NETCUP_REST_API_KEY": self.credentials.rest_key if self.offers_rest_key else None,
            "NETCUP_MAILAUTH_NAMESERVERS": ",".join(self.nameservers),
            "NETCUP_MAILAUTH_RESOLVER": self.resolver,
        }
        if self.ca_file is not None:
            env |= {"REQUESTS_CA_BUNDLE": str(self.ca_file), "SSL_CERT_FILE": str(self.ca_file)}
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


class Located(ABC):
    """What a running sandbox says about where its parts are."""

    @property
    @abstractmethod
    def addresses(self) -> Addresses:
        """Where everything is.

        Raises:
            RuntimeError: the sandbox is not running.
        """

    @property
    def ccp_endpoint(self) -> str:
        """The URL of the CCP JSON API."""
        return self.addresses.ccp_endpoint

    @property
    def rest_endpoint(self) -> str:
        """The URL below which the REST API is, without a slash at its end."""
        return self.addresses.rest_endpoint

    @property
    def rest_key(self) -> str:
        """The key of the REST API, also where `env` does not hold it."""
        return self.addresses.credentials.rest_key

    @property
    def mailcow_url(self) -> str:
        """The URL of the mailcow; a port of its own, as a mailcow is another host."""
        return self.addresses.mailcow_url

    @property
    def mailcow_rw_key(self) -> str:
        """The mailcow's read-write key, which a rotation needs; `env` holds the read-only one."""
        return self.addresses.credentials.mailcow_rw_key

    @property
    def nameservers(self) -> list[str]:
        """The three authoritative name servers, each as HOST:PORT."""
        return list(self.addresses.nameservers)

    @property
    def resolver(self) -> str:
        """The recursive resolver, as HOST:PORT."""
        return self.addresses.resolver

    @property
    def control_url(self) -> str:
        """The URL below which the control calls are."""
        return self.addresses.control_url

    @property
    def env(self) -> dict[str, str | None]:
        """The environment that points a client here; None for a REST key that nobody needs."""
        return self.addresses.env()

    def banner(self) -> dict[str, object]:
        """What a program that starts the sandbox tells about it, as one line of JSON."""
        return self.addresses.banner()
