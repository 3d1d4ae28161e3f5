"""The questions for credentials, asked of whoever sits at the terminal."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from netcup_mailauth.cli.output import attended, say, settings, typed, typed_unseen, warn
from netcup_mailauth.errors import MailauthError, UsageError
from netcup_mailauth.netcup.http import check_url
from netcup_mailauth.settings.credentials import (
    API_KEY,
    API_PASSWORD,
    CUSTOMER_NUMBER,
    MAILCOW_KEY,
    MAILCOW_URL,
    NETCUP_NAMES,
    REST_KEY,
    checked,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from netcup_mailauth.errors import CredentialsError

WHAT = {
    CUSTOMER_NUMBER: "netcup customer number",
    API_KEY: "netcup API key (CCP, 50 characters)",
    API_PASSWORD: "netcup API password",
    REST_KEY: "netcup REST API key (CloudDNS, 64 characters)",
    MAILCOW_URL: "mailcow address, as in https://mail.example.com",
    MAILCOW_KEY: "mailcow API key (read-only suffices)",
}

SHOWN = (CUSTOMER_NUMBER, MAILCOW_URL)
"""What is no secret, so that a slip can be seen. The number alone opens nothing."""

WHERE_NETCUP = (
    "You make them in netcup's customer panel (CCP: Stammdaten > API). A zone that the panel shows "
    'under "DNS" takes the customer number, an API key and the API password; one under "CloudDNS" '
    "takes a REST API key."
)
WHERE_MAILCOW = (
    "Its key is made in its UI: System > Configuration > Access > API; a read-only one suffices."
)

ENTER_SKIPS = "Enter skips what you do not have; keys and passwords are not shown as you type."

FOR_THIS_RUN = (
    "What you enter serves this run alone. netcup-mailauth auth tries it and keeps it, for you "
    "alone; netcup-mailauth setup goes on from there to the records."
)


def may_ask() -> bool:
    """Whether somebody is there to be asked: a terminal, and neither ``--yes`` nor ``-q``."""
    return attended() and not settings().quiet and not settings().options.get("yes")


def about_netcup(missing: Sequence[str]) -> None:
    """Say which credentials for netcup are missing, and where they are made."""
    if set(missing) == set(NETCUP_NAMES):
        say("There are no credentials for netcup yet.")
    else:
        lacking = ", ".join(WHAT[name].removeprefix("netcup ") for name in missing)
        say(f"Some of the credentials for netcup are missing: {lacking}.")
    say(WHERE_NETCUP)
    say(ENTER_SKIPS)


def about_mailcow() -> None:
    """Say what a mailcow is asked for, and where its key is made."""
    say("mailcow is asked for the DKIM keys that it signs with; Enter if there is no mailcow.")
    say(WHERE_MAILCOW)


def netcup_for_this_run(missing: Sequence[str]) -> dict[str, str]:
    """Say what is missing for netcup and ask for it; what was given, by name."""
    about_netcup(missing)
    say(FOR_THIS_RUN)
    return netcup(missing)


def mailcow_key_for_this_run(missing: CredentialsError) -> dict[str, str]:
    """Say that mailcow's key is missing and ask for it; what was given, by name."""
    say(missing.what)
    say(WHERE_MAILCOW)
    say(FOR_THIS_RUN)
    key = answer(MAILCOW_KEY)
    return {MAILCOW_KEY: key} if key else {}


def netcup(
    names: Sequence[str],
    there: Mapping[str, str] | None = None,
    typed: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Ask for these of netcup's credentials; what was given, by name.

    ``there`` says of those that are there already whether they are kept or set. Whoever gives no
    customer number, and has none there, has no use for the CCP API, and is not asked for the rest
    of what it takes. What was ``typed`` before is offered again where it is no secret.
    """
    there, before = there or {}, typed or {}
    entered: dict[str, str] = {}
    for name in names:
        needs_number = name in (API_KEY, API_PASSWORD) and CUSTOMER_NUMBER in names
        if needs_number and CUSTOMER_NUMBER not in {*entered, *there}:
            continue
        default = before.get(name, "") if name in SHOWN else ""
        if given := answer(name, there.get(name, ""), default=default):
            entered[name] = given
    return entered


def answer(name: str, there: str = "", *, default: str = "") -> str:
    """Ask for one of them until the answer can be right; empty if there was none.

    ``there`` is "kept" or "set" where an empty answer leaves what there is.
    """
    label = f"{WHAT[name]}, {there}" if there else WHAT[name]
    while True:
        given = typed(label, default) if name in SHOWN else typed_unseen(label)
        try:
            return _address(given) if name == MAILCOW_URL else checked(name, given, warn) or ""
        except MailauthError as error:
            say(error.sentences)


def _address(given: str) -> str:
    bare = given.strip()
    if not bare:
        return ""
    if re.fullmatch(r"([0-9A-Fa-f]{6}-){4}[0-9A-Fa-f]{6}", bare):
        raise UsageError("This is a mailcow key, not an address.", "The key is asked for next.")
    # The address of its UI or API may be pasted with the path.
    bare = re.sub(r"(?<=[^/:])/+(api(/v1)?/*|admin/*)?$", "", bare)
    return check_url(bare if "://" in bare else f"https://{bare}", "the address of mailcow")
