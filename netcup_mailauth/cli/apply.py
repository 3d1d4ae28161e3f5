"""``apply``: plan, show, ask, write once per zone, verify."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from netcup_mailauth.cli.common import (
    CONTEXT,
    FORMAT,
    LOCK_TIMEOUT,
    agreed,
    common_options,
)
from netcup_mailauth.cli.completion import known_domains
from netcup_mailauth.cli.many import Many, Progress, many_options
from netcup_mailauth.cli.metrics import metrics_option
from netcup_mailauth.cli.plan import grounds_of
from netcup_mailauth.cli.reporter import Reporter
from netcup_mailauth.cli.wanted import judging_options, wanted_options, watching_options
from netcup_mailauth.errors import ExitCode, UsageError, worst

if TYPE_CHECKING:
    from netcup_mailauth.actions.session import Session
    from netcup_mailauth.policy import Wish


@click.command("apply", context_settings=CONTEXT)
@click.argument("domains", nargs=-1, metavar="[DOMAIN]...", shell_complete=known_domains)
@wanted_options
@judging_options
@watching_options
@LOCK_TIMEOUT
@FORMAT
@click.option("--full", is_flag=True, help="Show values in full, fit to paste.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option(
    "--plan",
    "plan_file",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Exactly the plan in this file, as plan --out wrote it; nothing is asked.",
)
@many_options
@metrics_option
@common_options
def command(
    domains: tuple[str, ...],
    output_format: str,
    full: bool,
    yes: bool,
    plan_file: Path | None,
    wait: bool,
    timeout: float,
    **options: Any,
) -> int:
    """Plan, show, ask, write each zone in one call, and verify the answer.

    \b
    netcup-mailauth apply example.com --spf 'v=spf1 mx a -all'
    netcup-mailauth apply --yes       (every domain of the config, as from a timer)
    netcup-mailauth apply --yes --wait      (until every name server has it)
    netcup-mailauth apply --plan plan.json      (as it was reviewed, or not at all)
    """
    from netcup_mailauth.cli.wiring import run

    many = Many.of(options)
    reporter = Reporter(output_format, full, many)
    if plan_file is not None:
        from netcup_mailauth.cli.replay import apply_plan_file

        return apply_plan_file(
            plan_file, domains, options, reporter, many, timeout if wait else None
        )
    if not yes:
        _check_that_somebody_can_answer(options)
    server, resolver = options["nameserver"], options["resolver"]
    with run(options["mailcow"], resolver, server, many) as current:
        wishes = current.wishes(domains, options)
        session = current.session(reporter, lock_timeout=options["lock_timeout"])
        reporter.grounds = grounds_of(wishes, session.keys)
        current.announce(wishes)
        try:
            code = _apply(session, wishes, reporter, yes)
        finally:
            # An interrupted run, too, says what it has written.
            reporter.finish()
        written = [wish for wish in wishes if wish.domain in reporter.written]
        if wait and written and not current.wait(written, timeout):
            code = worst([ExitCode(code), ExitCode.NOT_YET])
    return code


def _apply(session: Session, wishes: list[Wish], reporter: Reporter, yes: bool) -> int:
    from netcup_mailauth.actions import applying, planning

    if yes:
        with Progress(len(wishes)) as reporter.bar:
            return applying.apply_unasked(session, wishes).exit_code
    with Progress(len(wishes)) as reporter.bar:
        plan = planning.plan(session, wishes)
    reporter.show_plan(plan)
    if not agreed(plan, "Write these changes to {zones}?"):
        return reporter.declined(plan)
    with Progress(len(wishes)) as reporter.bar:
        return applying.apply(session, plan).exit_code


def _check_that_somebody_can_answer(options: dict[str, Any]) -> None:
    if options["dkim"] == "-":
        raise UsageError(
            "The key comes from standard input, so nobody can be asked.",
            "Look at it with plan, then apply it with --yes.",
        )
    if not sys.stdin.isatty():
        raise UsageError(
            "There is no terminal to ask on, and no --yes; nothing was written.",
            "Look at it with plan, then apply it with --yes.",
        )
