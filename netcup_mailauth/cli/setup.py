"""``setup``: from nothing to three verified records and a config, by questions.

Nothing is kept until somebody has said yes to the plan, credentials included.
"""

from __future__ import annotations

import os
import shlex
import shutil
import sys
import zlib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from netcup_mailauth import files, records
from netcup_mailauth.actions import applying, checking, planning, setup
from netcup_mailauth.cli import auth, onward, proposing
from netcup_mailauth.cli.init import config_file
from netcup_mailauth.cli.output import attended, confirmed, say, show, use_colour, width
from netcup_mailauth.cli.reporter import Reporter, agreed
from netcup_mailauth.cli.run import run
from netcup_mailauth.errors import ExitCode, MailauthError, UsageError, worst
from netcup_mailauth.judge.report import Basis
from netcup_mailauth.keys.sources import MAILCOW
from netcup_mailauth.policy import MANAGED, Config, DomainPolicy, Wish, in_config
from netcup_mailauth.records import Kind, both_forms
from netcup_mailauth.render import checks
from netcup_mailauth.render.page import Page
from netcup_mailauth.settings import writing
from netcup_mailauth.settings.config import load
from netcup_mailauth.settings.credentials import KEPT_NAMES, LEGO_REST_KEY, MAILCOW_URL
from netcup_mailauth.settings.mailcow import is_same_url
from netcup_mailauth.settings.wishes import wishes as wishes_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from netcup_mailauth.actions.session import Session
    from netcup_mailauth.cli.run import Run
    from netcup_mailauth.keys.mailcow import Mailcow
    from netcup_mailauth.proposal import Proposal, Situation


@dataclass
class Setup:
    """What one run of ``setup`` works with, and what it has written so far.

    Attributes:
        path: the config that gets a table for each domain; it need not be there yet.
        known: the domains that it has a table of.
        entered: credentials that were typed, and are kept after the first yes.
        done: what is written, a sentence each.
    """

    current: Run
    path: Path
    config: Config
    known: set[str]
    mailcow: Mailcow | None = None
    entered: dict[str, str] = field(default_factory=dict)
    done: list[str] = field(default_factory=list)


def command(domain: str | None, mailcow: str | None, resolver: str | None) -> int:
    """Ask, propose, show, write."""
    if not attended():
        raise UsageError(
            "setup asks questions, and there is no terminal to ask them at.",
            "Without one: netcup-mailauth apply DOMAIN --yes with options that say what is wanted, "
            "or a config by netcup-mailauth init; credentials from the environment or files.",
        )
    path, config = config_file(files.config_folder(os.environ) / files.CONFIG_NAME)
    _check_that_it_can_be_written(path)
    done: list[str] = []
    try:
        with run(mailcow, resolver) as current:
            known = set(config.domains)
            return _setup(Setup(current, path, config, known, done=done), domain)
    except (KeyboardInterrupt, click.Abort):
        say("")
        say(f"Interrupted: {'; '.join(done) if done else 'nothing was written'}.")
        return ExitCode.INTERRUPTED


def _setup(work: Setup, named: str | None) -> int:
    first = records.normalise(named) if named else None
    work.entered |= auth.enter_netcup(work.current)
    _open_mailcow(work)
    served = work.mailcow.domains() if work.mailcow else ()
    codes = [_first_domain(work, first, served)]
    while codes[-1] == ExitCode.OK and (domain := _next(work, served)):
        codes.append(_one_more(work, domain))
    if work.done:
        _show_timer(work)
    return worst(codes)


def _first_domain(work: Setup, named: str | None, served: Sequence[str]) -> ExitCode:
    """The first domain; where netcup has no such zone, the other API's key or another name helps.

    What was typed so far need not be typed again for a slip.

    Raises:
        MailauthError: anything else.
    """
    while True:
        domain = named or proposing.asked_domain(served, work.known)
        try:
            return _one_domain(work, domain)
        except MailauthError as error:
            if error.exit_code != ExitCode.ZONE or (named and not auth.other_api(work.current)):
                raise
            say(f"{error.what} {error.advice}")
        entered = auth.enter_other_api(work.current)
        work.entered |= entered
        if named and not entered:
            return ExitCode.ZONE
        named = domain if entered else None


def _one_more(work: Setup, domain: str) -> ExitCode:
    """Another domain; what is wrong with it is told, and the end of the run is the same."""
    try:
        return _one_domain(work, domain)
    except MailauthError as error:
        say(error.sentences)
        return error.exit_code


def _open_mailcow(work: Setup) -> None:
    """The mailcow that is named, or that somebody names now; there may be none.

    Raises:
        UsageError: it is another than the config names: there is room for one in it.
    """
    current = work.current
    work.entered |= auth.enter_mailcow(current)
    url, there = current.mailcow_named(), work.config.mailcow.url
    if url is None or not auth.has_key(current):
        return
    if there is not None and not is_same_url(url, there):
        raise UsageError(
            f"{work.path} names another mailcow ({there}) than {url}, and a config has one.",
            "Name another config: netcup-mailauth setup -c FILE",
        )
    try:
        work.mailcow = current.mailcow
        work.mailcow.version()
    except MailauthError as error:
        say(f"mailcow is left out: {error.sentences}")
        say("To set it right first, stop with Ctrl-C: nothing is written yet.")
        work.mailcow = None


def _one_domain(work: Setup, domain: str) -> ExitCode:
    """One domain, from the first question to the check."""
    reporter = Reporter("text", full=False)
    session = work.current.session(reporter)
    said = _said(work.config, domain)
    if domain in work.known:
        say(f"{work.path} has a table for {domain} already, and what it says stays as it is.")
    proposal = None
    if len(said) == len(MANAGED):
        wished = wishes_of([domain], DomainPolicy(), (), work.config)
    else:
        below = in_config(work.config, domain) if domain in work.known else work.config.defaults
        situation = _situation(work, session, domain, said)
        proposal = proposing.accepted(session, situation, below, work.mailcow).proposal
        if not proposal.policy.manages and not said:
            say(f"Nothing is proposed for {domain}, and nothing was written.")
            return ExitCode.REFUSED
        wished = setup.wishes(session, domain, proposal, below)
        _check_config(work, domain, proposal)
    code = _write(work, session, reporter, wished)
    # What is written stays so by the config, also where something else is held back.
    if code == ExitCode.OK or domain in reporter.written:
        agreed_to = proposal is not None or domain in reporter.written
        _keep(work, domain, proposal, agreed_to=agreed_to)
        _show_check(work, wished[:1])
    elif proposal is not None:
        _show_unkept(work)
    return code


def _show_unkept(work: Setup) -> None:
    """Say that nothing is kept of a domain that is not written."""
    config = f"{work.path} is as it was." if work.path.exists() else "No config was written."
    say(f"{config} What you typed is not kept." if work.entered else config)


def _said(config: Config, domain: str) -> dict[Kind, str]:
    """The kinds of which the domain's table says something, be it that they are left alone."""
    own = config.domains.get(domain) or DomainPolicy()
    said = [k for k in MANAGED if own.parked or getattr(own, k.value) is not None]
    return dict.fromkeys(said, "As the config has it.")


def _situation(work: Setup, session: Session, domain: str, said: Mapping[Kind, str]) -> Situation:
    """What is known of the domain; what nothing tells, and no config says, is asked for."""
    zone = setup.zone_of(session, domain)
    if work.mailcow and domain in work.mailcow.domains():
        situation = setup.situation_of(session, domain, zone, MAILCOW)
    else:
        if work.mailcow:
            say(f"mailcow at {work.mailcow.host} does not serve {domain}.")
        key = None if Kind.DKIM in said else proposing.pasted_key()
        situation = setup.situation_of(session, domain, zone, None, key)
    if not situation.senders and Kind.SPF not in said:
        situation = replace(situation, hosts=proposing.asked_servers(situation))
    return replace(situation, left=said)


def _check_that_it_can_be_written(path: Path) -> None:
    """Make sure that there will be a config, before anything is asked or written.

    Raises:
        UsageError: the file, or its folder, is not there to be written.
    """
    place = path if path.exists() else path.parent
    while _is_own(path) and not place.exists():
        place = place.parent  # what is missing above it will be made
    if not place.exists():
        raise UsageError(
            f"{path} cannot be written: there is no folder {place}.",
            f"Make it with mkdir -p {shlex.quote(str(place))}, or name another config with -c.",
        )
    if not os.access(place, os.W_OK):
        raise UsageError(
            f"{path} cannot be written: you may not write to {place}.",
            "Name another config with -c.",
        )


def _check_config(work: Setup, domain: str, proposal: Proposal) -> None:
    """Make sure that the config can take what is proposed, before anything is written.

    Raises:
        ConfigError: it cannot.
    """
    if work.path.exists() and proposal.policy.manages:
        writing.added(work.path, _table(work, domain, proposal))


# After the screen


def _write(work: Setup, session: Session, reporter: Reporter, wished: Sequence[Wish]) -> ExitCode:
    """Show the plan, ask, and write it; how that ended."""
    plan = planning.plan(session, wished)
    if work.path.exists():
        # A proposal is never held back, but what the config says may be.
        domains, wishes = tuple(wish.domain for wish in wished), tuple(wished)
        resolver = work.current.resolver_named
        reporter.now = onward.typed_nothing(domains, wishes, load(work.path), resolver)
    say("")
    reporter.show_plan(plan)
    failures = [c.error.exit_code for c in plan.zones if c.error is not None]
    if failures or not plan.has_changes:
        return worst(failures)
    if not agreed(plan, "Write these changes to {zones}?"):
        return ExitCode(reporter.declined(plan))
    try:
        return applying.apply(session, plan).exit_code
    finally:
        # An interrupted run, too, says what it has written.
        reporter.finish()
        work.done += (f"{domain} is written" for domain in sorted(reporter.written))


def _keep(work: Setup, domain: str, proposal: Proposal | None, *, agreed_to: bool) -> None:
    """Keep what was typed, and put what was accepted into the config.

    Where there was nothing to agree to, nothing has yet said that credentials may be kept.
    """
    if work.entered and (agreed_to or confirmed("Keep what you typed, as for a timer?")):
        auth.keep(work.entered)
        work.entered = {}
        work.done.append("the credentials are kept")
    if proposal is None or not proposal.policy.manages:
        return
    text = _table(work, domain, proposal)
    if work.path.exists():
        writing.add(work.path, text)
    else:
        if _is_own(work.path):
            files.own_folder(work.path.parent)
        writing.write_new(work.path, f"{writing.header(None)}{text}")
    work.config = load(work.path).config
    work.known.add(domain)
    work.done.append(f"{work.path} says what {domain} should have")
    say(f"{work.path} says what {both_forms(domain)} should have from now on.")


def _table(work: Setup, domain: str, proposal: Proposal) -> str:
    """What the config gets: the domain's table, and mailcow's where it has none yet."""
    policy = proposal.policy
    if domain in work.known:
        return writing.kind_tables(domain, policy)
    # Why a kind is left out is of use later; the rest was said.
    reasons = {kind: why for kind, why in proposal.reasons.items() if kind not in policy.manages}
    table = writing.domain_table(domain, policy, reasons)
    url = work.current.mailcow_named() if work.mailcow else None
    if url is None or work.config.mailcow.url is not None:
        return table
    return f"{writing.mailcow_table(url)}\n{table}"


def _show_check(work: Setup, wished: Sequence[Wish]) -> None:
    """What receivers see so far."""
    report = checking.check(work.current.checking(), wished, Basis.CONFIG)
    say("")
    show(checks.check_text(report, Page(width(), use_colour())))


def _next(work: Setup, served: Sequence[str]) -> str | None:
    """Another domain that mailcow serves, if somebody wants to go on with one."""
    left = [name for name in served if name not in work.known]
    if not left:
        return None
    say("")
    say(f"mailcow also serves {proposing.listed(left)}.")
    return proposing.asked_for_another(left)


# The timer


def _is_own(path: Path) -> bool:
    """Whether it is the user's own config, which is found without being named."""
    return path == files.config_folder(os.environ) / files.CONFIG_NAME


def _show_timer(work: Setup) -> None:
    """The line by which cron keeps it so."""
    minute = zlib.crc32(str(work.path.absolute()).encode()) % 60  # not all at the full hour
    words = [shutil.which("netcup-mailauth") or str(Path(sys.argv[0]).absolute()), "-q"]
    words += [] if _is_own(work.path) else ["-c", str(work.path.absolute())]
    folder = os.environ.get("XDG_CONFIG_HOME")
    before = f"XDG_CONFIG_HOME={shlex.quote(folder)} " if folder else ""
    line = f"{before}{shlex.join([*words, 'apply', '--yes'])}".replace("%", "\\%")
    say("")
    say("To keep it so, as a line of your crontab (crontab -e); it says nothing while all is well:")
    say(f"  {minute} * * * *  {line}")
    if ({*KEPT_NAMES, LEGO_REST_KEY} - {MAILCOW_URL}) & _of_environment():
        say("cron does not know your environment: keep the credentials with netcup-mailauth auth.")


def _of_environment() -> set[str]:
    return {name.removesuffix("_FILE") for name, value in os.environ.items() if value}
