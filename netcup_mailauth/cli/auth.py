"""``auth``: enter credentials once; see what is found where, and whether it works.

What ``setup`` needs of it is here too: `enter_netcup` and `enter_mailcow` ask for what is missing
and try it, `keep` writes it down.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pydantic import SecretStr

from netcup_mailauth.cli import asking
from netcup_mailauth.cli.output import attended, say, settings, show, show_sentence, warn
from netcup_mailauth.cli.run import REST_ENDPOINT, clouddns_backend, endpoint, run
from netcup_mailauth.cli.trying import REST, Outcome, mailcow_report, netcup_reports, reports
from netcup_mailauth.errors import CredentialsError, MailauthError, UsageError, worst
from netcup_mailauth.netcup.clouddns import ASSUMPTIONS
from netcup_mailauth.netcup.survey import paragraph
from netcup_mailauth.settings.credentials import (
    CCP_NAMES,
    MAILCOW_KEY,
    MAILCOW_URL,
    NETCUP_NAMES,
    REST_KEY,
    credential_file,
    find,
    has_ccp_credentials,
    kept,
    missing_for_netcup,
    netcup_credentials,
    rest_key,
    rest_key_by_length,
    save_kept,
    silent,
)
from netcup_mailauth.settings.mailcow import (
    address_kept,
    is_same_url,
    mailcow_access,
)
from netcup_mailauth.shown import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from netcup_mailauth.cli.run import Run
    from netcup_mailauth.cli.trying import Report


def command(check: bool, mailcow: str | None) -> int:
    """Enter credentials, or look at those that are there."""
    if not check and not attended():
        raise UsageError(
            "There is no terminal to enter credentials at.",
            "Look at what is there with auth --check; without a terminal, credentials come from "
            "the environment or from files (NETCUP_API_KEY_FILE and so on).",
        )
    with run(mailcow) as current:
        if not check:
            return _enter(current)
        found = reports(current)
        surveyed = "" if settings().quiet else _surveyed(current, found)
    code = worst([report.code for report in found])
    if code or not settings().quiet:
        for report in found:
            _show(report, places=True)
    if surveyed:
        show("For a report of how CloudDNS behaves; no value of yours is in it:\n")
        show_sentence(surveyed)
    return code


def _surveyed(current: Run, found: Iterable[Report]) -> str:
    """What the REST API shows of what is assumed of it; empty where that cannot be told."""
    if not any(one.service == REST and one.outcome is Outcome.WORKS for one in found):
        return ""
    by_length = rest_key_by_length(os.environ)
    key = by_length.value if by_length else rest_key(os.environ, silent)
    assert key is not None
    try:
        with clouddns_backend(current, key, endpoint(REST_ENDPOINT)) as backend:
            sample = backend.sample()
    except MailauthError as error:
        say(f"What netcup's REST API does could not be looked at: {error.what}")
        return ""
    return paragraph(sample, (one.name for one in ASSUMPTIONS)) if sample else ""


def _enter(current: Run) -> int:
    path = _file()
    there = {name: _kept_or_set(name) for name in NETCUP_NAMES if find(name, os.environ, warn)}
    say(f"Credentials are kept in {path}, for you alone.")
    say(asking.WHERE_NETCUP)
    say("An empty answer keeps what is there. Keys and passwords are not shown as you type.")
    entered = asking.netcup(NETCUP_NAMES, there) | _ask_mailcow(current)
    found = [r for r in reports(current, entered) if r.has_any]
    _show_all(found)
    refused = _names(found, Outcome.REFUSED) & entered.keys()
    if refused:
        say(f"Not kept, because refused: {', '.join(sorted(refused))}.")
    accepted = {name: value for name, value in entered.items() if name not in refused}
    if accepted:
        keep(accepted)
    else:
        say(f"{path} is as it was.")
    return worst([report.code for report in found])


def _kept_or_set(name: str) -> str:
    return "kept" if name in kept(os.environ) else "set"


def _file() -> Path:
    path = credential_file(os.environ)
    if path is None:
        raise UsageError(
            "There is no home folder to keep credentials in.", "Name one in XDG_CONFIG_HOME."
        )
    return path


def _ask_mailcow(current: Run) -> dict[str, str]:
    """Ask for the address and the key of a mailcow; the run then works with that one.

    The key is kept beside the address and sent nowhere else. An address that is known is offered,
    but not that of a config which was merely found: it may be anybody's.
    """
    address = asking.answer(MAILCOW_URL, default=_offered(current))
    if not address:
        return {}
    current.mailcow_url = address
    there = has_key(current)
    key = asking.answer(MAILCOW_KEY, _kept_or_set(MAILCOW_KEY) if there else "")
    if key:
        return {MAILCOW_URL: address, MAILCOW_KEY: key}
    if not there:
        say("Without its key there is nothing to ask that mailcow with, so it is left out.")
        current.mailcow_url = None
        return {}
    return {} if is_same_url(address, address_kept(os.environ)) else {MAILCOW_URL: address}


def _offered(current: Run) -> str:
    """The address that is known; empty where there is none, or it may not be asked or shown."""
    try:
        mailcow_access(current.mailcow_url, current.config, current.environ, warn)
    except CredentialsError:
        pass  # only its key is missing
    except UsageError:
        return ""
    return current.mailcow_named() or ""


def has_key(current: Run) -> bool:
    """Whether there is a key for the mailcow that is named."""
    try:
        mailcow_access(current.mailcow_url, current.config, current.environ, warn)
    except CredentialsError:
        return False
    return True


def _names(found: Iterable[Report], *outcomes: Outcome) -> set[str]:
    """The credentials of the services of which one of these came."""
    return {name for report in found if report.outcome in outcomes for name, _ in report.places}


# What `setup` works with


TRIES = 3
"""How often somebody is asked for what is refused; each refusal counts towards a lock-out."""


def enter_netcup(current: Run) -> dict[str, str]:
    """Say what is missing for netcup and where it is made, ask for it, try it, say what came of it.

    Returns what was entered, by the names of the variables, for `keep`; nothing where nothing was
    missing. The run works with it from now on, and nothing is written. What netcup refuses is asked
    for again; whoever has only one API's key is not asked for more.

    Raises:
        CredentialsError: there is still nothing to ask netcup with.
    """
    missing = missing_for_netcup(current.environ)
    if missing:
        asking.about_netcup(missing)
    entered = _enter_netcup(current, missing)
    netcup_credentials(current.environ, warn)
    return entered


def other_api(current: Run) -> tuple[str, ...]:
    """What the API takes that there is no key for; nothing where both can be asked."""
    if not has_ccp_credentials(current.environ):
        return CCP_NAMES
    return () if find(REST_KEY, current.environ, warn) else (REST_KEY,)


def enter_other_api(current: Run) -> dict[str, str]:
    """Ask for what the other API takes, after the one that can be asked has no such zone.

    Returns what was entered, as `enter_netcup`; nothing where both can be asked, or nobody has it.
    """
    missing = other_api(current)
    if missing:
        say("If that is what is missing, enter it here; Enter skips it.")
    entered = _enter_netcup(current, missing)
    if entered:
        current.open_anew()
    return entered


def _enter_netcup(current: Run, missing: Sequence[str]) -> dict[str, str]:
    """Ask for these and try them, again for what is refused; the run then works with them."""
    entered: dict[str, str] = {}
    offered: dict[str, str] = {}
    for _ in range(TRIES if missing else 0):
        typed = asking.netcup(missing, typed=offered)
        entered |= typed
        found = netcup_reports(current, entered)
        _show_all(found)
        wrong = _names(found, Outcome.REFUSED, Outcome.INCOMPLETE)
        missing = [name for name in missing if name in wrong]
        if not missing:
            break
        entered = {name: value for name, value in entered.items() if name not in missing}
        # Where something works, an empty answer goes on with that.
        offered = {} if entered else typed
    current.entered |= entered
    return entered


def enter_mailcow(current: Run) -> dict[str, str]:
    """Ask for a mailcow and its key, unless both are known; try them, and say what came of it.

    Returns what was entered and works, for `keep`; nothing where both were known, or there is no
    mailcow (`Run.mailcow_named` tells). The run works with it from now on; nothing is written.
    """
    if _offered(current) and has_key(current):
        return {}
    asking.about_mailcow()
    for _ in range(TRIES):
        entered = _ask_mailcow(current)
        if not entered:
            return {}
        report = mailcow_report(current, entered)
        _show_all([report])
        if report.outcome is Outcome.WORKS:
            current.entered |= entered
            return entered
    current.mailcow_url = None
    return {}


def keep(entered: Mapping[str, str]) -> None:
    """Write down what was entered, beside what is kept already, and say where.

    Raises:
        CredentialsError, NotOursError: see `save_kept`.
        UsageError: there is no home folder.
    """
    path = _file()
    save_kept(path, {**kept(os.environ), **{n: SecretStr(value) for n, value in entered.items()}})
    say(f"Kept in {path}, for you alone: {', '.join(sorted(entered))}.")
    for name in sorted(entered):
        if os.environ.get(name) or os.environ.get(f"{name}_FILE"):
            warn(f"{name} is set in the environment too, which comes before the file.")


def _show_all(found: Iterable[Report]) -> None:
    for report in found:
        if report.has_any:
            _show(report, places=False)


def _show(report: Report, *, places: bool) -> None:
    show(f"{report.service}\n")
    for name, place in report.places if places else ():
        show(f"  {name:<24}{visible(place)}\n")
    show_sentence(report.words, "  ")
    for line in report.advice.splitlines():
        show_sentence(line, "  ")
