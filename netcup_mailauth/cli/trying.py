"""Which credentials there are, where they are, and whether they work: each is tried."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import TYPE_CHECKING

from netcup_mailauth.cli.output import warn
from netcup_mailauth.cli.run import (
    CCP_ENDPOINT,
    REST_ENDPOINT,
    ccp_backend,
    clouddns_backend,
    mailcow_client,
    told,
)
from netcup_mailauth.errors import (
    ConfigError,
    CredentialsError,
    ExitCode,
    MailauthError,
    UsageError,
)
from netcup_mailauth.settings.credentials import (
    API_KEY,
    CCP_NAMES,
    MAILCOW_KEY,
    MAILCOW_URL,
    REST_KEY,
    ccp_credentials,
    find,
    netcup_credentials,
    rest_key,
    rest_key_by_length,
    silent,
    with_entered,
)
from netcup_mailauth.settings.mailcow import mailcow_access, named_mailcow

if TYPE_CHECKING:
    from collections.abc import Mapping

    from netcup_mailauth.cli.run import Run

REST = "netcup REST API"
NOWHERE = "not found"
UNUSABLE = "cannot be used"


class Outcome(Enum):
    """What came of trying a service's credentials."""

    WORKS = auto()
    REFUSED = auto()
    INCOMPLETE = auto()  # some are missing, or cannot be right; nobody was asked
    ABSENT = auto()  # there are none
    UNTRIED = auto()  # whether they work is not known


@dataclass(frozen=True, slots=True)
class Report:
    """The credentials of one service: each one's name and place, and what came of trying them.

    Holds no value of any.
    """

    service: str
    places: tuple[tuple[str, str], ...]
    outcome: Outcome
    words: str
    advice: str = ""
    code: ExitCode = ExitCode.OK

    @property
    def has_any(self) -> bool:
        """Whether any of its credentials was found, of use or not; an address alone is none."""
        return not _none(tuple(place for place in self.places if place[0] != MAILCOW_URL))


def reports(current: Run, entered: Mapping[str, str] | None = None) -> list[Report]:
    """One report for each service: what there is in the environment, and whether it works.

    What somebody has ``entered`` comes before all else.
    """
    return [*netcup_reports(current, entered or {}), mailcow_report(current, entered or {})]


def netcup_reports(current: Run, entered: Mapping[str, str]) -> list[Report]:
    """Those of netcup's two APIs; see `reports`."""
    found = with_entered(os.environ, entered)
    return [_ccp(current, found), _rest(current, found)]


def mailcow_report(current: Run, entered: Mapping[str, str]) -> Report:
    """mailcow's; see `reports`."""
    found = with_entered(os.environ, entered)
    report = _mailcow(current, found)
    try:
        named = named_mailcow(current.mailcow_url, current.config, found)
    except MailauthError:  # that is what the report says, then
        named = None
    address = ((MAILCOW_URL, named.source),) if named else ()
    return replace(report, places=(*address, *report.places))


def _ccp(current: Run, environ: Mapping[str, str]) -> Report:
    places = _places(CCP_NAMES, environ)
    service = "netcup CCP API"
    if _none(places):
        has_rest = not _none(_places((REST_KEY,), environ))
        return Report(
            service,
            places,
            Outcome.ABSENT,
            "no credentials",
            ""
            if has_rest
            else "Make them in the CCP (Stammdaten > API / master data > API), "
            "then: netcup-mailauth auth",
            ExitCode.OK if has_rest else ExitCode.CREDENTIALS,
        )
    try:
        if rest_key_by_length(environ):
            words = f"not used: {API_KEY} is a key for the REST API"
            return Report(service, places, Outcome.ABSENT, words)
        credentials = ccp_credentials(environ, silent)
    except CredentialsError as error:
        return _failed(service, places, Outcome.INCOMPLETE, error)
    try:
        with ccp_backend(current, credentials, told(CCP_ENDPOINT)) as backend:
            backend.log_in()
    except MailauthError as error:
        return _failed(service, places, _outcome(error), error)
    return Report(service, places, Outcome.WORKS, "works: logged in, and out again")


def _rest(current: Run, environ: Mapping[str, str]) -> Report:
    places = _places((REST_KEY,), environ)
    service = REST
    try:
        key = rest_key(environ, silent)
        if by_length := rest_key_by_length(environ):
            key = netcup_credentials(environ, silent).rest_key
            places = ((API_KEY, by_length.source),)
    except CredentialsError as error:
        return _failed(service, places, Outcome.INCOMPLETE, error)
    if key is None:
        return Report(service, places, Outcome.ABSENT, "no key; only CloudDNS zones need one")
    try:
        with clouddns_backend(current, key, told(REST_ENDPOINT)) as backend:
            backend.check_key()
    except MailauthError as error:
        return _failed(service, places, _outcome(error), error)
    return Report(service, places, Outcome.WORKS, "works")


def _mailcow(current: Run, environ: Mapping[str, str]) -> Report:
    places = _places((MAILCOW_KEY,), environ)
    try:
        access = mailcow_access(current.mailcow_url, current.config, environ, warn)
    except CredentialsError as error:
        return _failed("mailcow", places, Outcome.INCOMPLETE, error)
    except ConfigError as error:
        return _failed("mailcow", places, Outcome.UNTRIED, error)
    except UsageError as error:
        if _none(places):
            return Report("mailcow", places, Outcome.ABSENT, "no mailcow is named")
        words = f"not tried: {error.what}"
        return Report("mailcow", places, Outcome.UNTRIED, words, error.advice)
    if _none(places):  # it was found all the same
        places = ((MAILCOW_KEY, "[mailcow] api_key_file of the config"),)
    try:
        client = mailcow_client(current, access)
        version = client.version()
    except MailauthError as error:
        return _failed("mailcow", places, _outcome(error), error)
    return Report("mailcow", places, Outcome.WORKS, f"works: mailcow {version} at {client.host}")


def _places(names: tuple[str, ...], environ: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple((name, _place(name, environ)) for name in names)


def _place(name: str, environ: Mapping[str, str]) -> str:
    try:
        found = find(name, environ, warn)
    except CredentialsError:
        return UNUSABLE  # why is said where it is loaded
    return found.source if found else NOWHERE


def _none(places: tuple[tuple[str, str], ...]) -> bool:
    return all(place == NOWHERE for _, place in places)


def _outcome(error: MailauthError) -> Outcome:
    return Outcome.REFUSED if isinstance(error, CredentialsError) else Outcome.UNTRIED


def _failed(
    service: str, places: tuple[tuple[str, str], ...], outcome: Outcome, error: MailauthError
) -> Report:
    return Report(service, places, outcome, error.what, error.advice, error.exit_code)
