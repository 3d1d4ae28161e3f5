"""``auth``: enter credentials once; see what is found where, and whether it works."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pydantic import SecretStr

from netcup_mailauth.actions.auth import Outcome, reports
from netcup_mailauth.cli.output import ask_secret, attended, say, settings, show, warn
from netcup_mailauth.cli.run import (
    CCP_ENDPOINT,
    REST_ENDPOINT,
    ccp_backend,
    clouddns_backend,
    run,
    told,
)
from netcup_mailauth.cli.run import (
    mailcow as mailcow_client,
)
from netcup_mailauth.errors import CredentialsError, UsageError, worst
from netcup_mailauth.records import visible
from netcup_mailauth.settings.config import mailcow_access
from netcup_mailauth.settings.credentials import NAMES, checked, credential_file, kept, save_kept

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from netcup_mailauth.actions.auth import Report
    from netcup_mailauth.cli.run import Run
    from netcup_mailauth.settings.config import MailcowAccess
    from netcup_mailauth.settings.credentials import CcpCredentials

WHAT = {
    "NETCUP_CUSTOMER_NUMBER": "netcup customer number",
    "NETCUP_API_KEY": "netcup API key (CCP, 50 characters)",
    "NETCUP_API_PASSWORD": "netcup API password",
    "NETCUP_REST_API_KEY": "netcup REST API key (CloudDNS, 64 characters)",
    "MAILCOW_API_KEY": "mailcow API key (read-only suffices)",
}


def command(check: bool, mailcow: str | None) -> int:
    """Enter credentials, or look at those that are there."""
    if not check and not attended():
        raise UsageError(
            "There is no terminal to enter credentials at.",
            "Look at what is there with auth --check; without a terminal, credentials come from "
            "the environment or from files (NETCUP_API_KEY_FILE and so on).",
        )
    with run(mailcow) as current:
        services = Services(current)
        if not check:
            return _enter(services)
        found = reports(services, os.environ)
    code = worst([report.code for report in found])
    if code or not settings().quiet:
        for report in found:
            _show(report, places=True)
    return code


def _enter(services: Services) -> int:
    path = _file()
    there = kept(os.environ)
    say("Nothing is shown as you type; an empty answer keeps what is there.")
    answers = {name: _ask(name, there) for name in NAMES}
    entered = {name: value for name, value in answers.items() if value}
    tried = reports(services, os.environ, entered)
    found = [report for report in tried if report.has_any]
    for report in found:
        _show(report, places=False)
    _keep(path, entered, found)
    return worst([report.code for report in found])


def _file() -> Path:
    path = credential_file(os.environ)
    if path is None:
        raise UsageError(
            "There is no home folder to keep credentials in.", "Name one in XDG_CONFIG_HOME."
        )
    return path


def _ask(name: str, there: Collection[str]) -> str | None:
    label = f"{WHAT[name]}{', kept' if name in there else ''}"
    while True:
        try:
            return checked(name, ask_secret(label), warn)
        except CredentialsError as error:
            say(f"{error.what} {error.advice}")


def _keep(path: Path, entered: dict[str, str], reports: list[Report]) -> None:
    """Write down what was entered, but for what was refused."""
    refused = {
        name for r in reports if r.outcome is Outcome.REFUSED for name, _ in r.places
    } & entered.keys()
    accepted = {n: SecretStr(value) for n, value in entered.items() if n not in refused}
    if refused:
        say(f"Not kept, because refused: {', '.join(sorted(refused))}.")
    if not accepted:
        say(f"{path} is as it was.")
        return
    save_kept(path, {**kept(os.environ), **accepted})
    say(f"Kept in {path}, for you alone: {', '.join(sorted(accepted))}.")
    for name in sorted(accepted):
        if os.environ.get(name) or os.environ.get(f"{name}_FILE"):
            warn(f"{name} is set in the environment too, which comes before the file.")


class Services:
    """The services at the addresses in use; see `netcup_mailauth.actions.auth`."""

    def __init__(self, current: Run) -> None:
        self._run = current

    def try_ccp(self, credentials: CcpCredentials) -> None:
        """Log in, and out again."""
        with ccp_backend(credentials, told(CCP_ENDPOINT)) as backend:
            backend.log_in()

    def try_rest(self, key: SecretStr) -> None:
        """Ask for a domain that nobody can have."""
        with clouddns_backend(key, told(REST_ENDPOINT)) as backend:
            backend.check_key()

    def find_mailcow(self, environ: Mapping[str, str]) -> MailcowAccess:
        """The one named by option, environment or config."""
        return mailcow_access(self._run.mailcow_url, self._run.config, environ, warn)

    def try_mailcow(self, access: MailcowAccess) -> str:
        """Its version, and where it is."""
        client = mailcow_client(access)
        self._run.stack.callback(client.close)
        return f"{client.version()} at {client.host}"

    def warn(self, message: str) -> None:
        """Tell the user."""
        warn(message)


def _show(report: Report, *, places: bool) -> None:
    show(f"{report.service}\n")
    for name, place in report.places if places else ():
        show(f"  {name:<24}{visible(place)}\n")
    show(f"  {visible(report.words)}\n")
    if report.advice:
        show(f"  {report.advice}\n")
