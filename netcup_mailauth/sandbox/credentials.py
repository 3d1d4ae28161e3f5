"""The account's and the mailcow's keys: new for each sandbox, or always the same, for scripts.

They open nothing but a sandbox. Still a web page, or another user of the machine, could use one
whose keys stand in this file.
"""

from __future__ import annotations

import secrets
import string
from dataclasses import dataclass, field
from typing import Self

_LETTERS = string.ascii_letters + string.digits


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a client of one sandbox has to know, in the forms of netcup and mailcow.

    Args:
        api_key: of the CCP, 50 characters as netcup's (1.2).
        rest_key: of the REST API, 64 characters (2.2).
        mailcow_key: mailcow's read-only key.
        mailcow_rw_key: its read-write key, which only a rotation needs.
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
