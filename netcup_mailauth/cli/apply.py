"""``apply``: plan, show, ask, write once per zone, verify."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from netcup_mailauth.cli.common import (
    CONTEXT,
    FORMAT,
    LOCK_TIMEOUT,
    agreed,
    common_options,
    complain,
    note_needless,
    say,
    settings,
    use_colour,
    width,
)
from netcup_mailauth.cli.plan import LONGEST_MARKDOWN, grounds_of
from netcup_mailauth.cli.wanted import judging_options, wanted_options, watching_options
from netcup_mailauth.errors import ExitCode, UsageError, worst

if TYPE_CHECKING:
    from collections.abc import Mapping

    from netcup_mailauth.actions.applying import Applier
    from netcup_mailauth.actions.planning import Wish
    from netcup_mailauth.plan import ChangeSet, Plan
    from netcup_mailauth.planfile import Grounds
    from netcup_mailauth.results import Result, RunResult

ACCEPTED = "netcup has accepted it; its name servers follow in 10 to 30 minutes. To look:"


@click.command("apply", context_settings=CONTEXT)
@click.argument("domains", nargs=-1, metavar="[DOMAIN]...")
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

    reporter = Reporter(output_format, full)
    if plan_file is not None:
        from netcup_mailauth.cli.replay import apply_plan_file

        return apply_plan_file(plan_file, domains, options, reporter, timeout if wait else None)
    if not yes:
        _check_that_somebody_can_answer(options)
    with run(options["mailcow"], options["resolver"], options["nameserver"]) as current:
        wishes = current.wishes(domains, options)
        applier = current.applier(current.planner(), options["lock_timeout"])
        reporter.grounds = grounds_of(wishes, applier.planner)
        try:
            code = _apply(applier, wishes, reporter, yes)
        finally:
            # An interrupted run, too, says what it has written.
            reporter.finish()
        written = [wish for wish in wishes if wish.domain in reporter.written]
        if wait and written and not current.wait(written, timeout):
            code = worst([ExitCode(code), ExitCode.NOT_YET])
    return code


def _apply(applier: Applier, wishes: list[Wish], reporter: Reporter, yes: bool) -> int:
    if yes:
        return applier.apply_all(wishes, reporter.show, reporter.done).exit_code
    plan = applier.planner.plan(wishes)
    reporter.show_plan(plan)
    if not agreed(plan, "Write these changes to {zones}?"):
        return reporter.declined(plan)
    return applier.apply_reviewed(plan, reporter.done).exit_code


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


class Reporter:
    """Prints what happens as it happens; JSON and Markdown at the end, as one document."""

    def __init__(self, output_format: str, full: bool) -> None:
        from netcup_mailauth.render.layout import Page

        self._format = output_format
        self._full = full
        self._page = Page(width(), use_colour())
        self._results: list[Result] = []
        self._plan_shown = False
        self.grounds: Mapping[str, Grounds] = {}

    def show_plan(self, plan: Plan) -> None:
        """The whole plan, before the question: on stdout only if that is the result."""
        from netcup_mailauth.render import text

        shown = replace(plan, zones=tuple(map(_without_notes, plan.zones)))
        output = text.plan_text(shown, self._page, self._full)
        click.echo(output, err=self._format != "text", nl=False)
        self._plan_shown = True

    def show(self, change_set: ChangeSet) -> None:
        """One domain's plan, just before it is written."""
        from netcup_mailauth.render import text

        if self._format == "text" and change_set.changes:
            shown = _without_notes(change_set)
            click.echo(text.change_set_text(shown, self._page, self._full), nl=False)
            sys.stdout.flush()

    def show_anew(self, change_set: ChangeSet) -> None:
        """What a stale plan's records would change now: a message, whatever the format."""
        from netcup_mailauth.render import text

        say("What the planned records would change in the zone as it is now:")
        shown = _without_notes(change_set)
        say(text.change_set_text(shown, self._page, self._full).rstrip("\n"))

    def done(self, result: Result) -> None:
        """One domain's result."""
        from netcup_mailauth.render import text

        self._results.append(result)
        dull = result.failure is None and not result.change_set.changes
        if self._format == "text" and not (dull and (settings().quiet or self._plan_shown)):
            click.echo(text.result_text(result, self._page), nl=False)
        if result.failure is not None:
            complain(result.change_set.place.domain, result.failure, self._format)
        if result.change_set.changes:
            note_needless(result.change_set)

    @property
    def written(self) -> set[str]:
        """The domains that netcup has new records of."""
        from netcup_mailauth.results import Status

        done = (Status.APPLIED, Status.ALREADY)
        return {r.change_set.place.domain for r in self._results if r.status in done}

    def declined(self, plan: Plan) -> int:
        """The user said no."""
        failures = [change_set.error.exit_code for change_set in plan.zones if change_set.error]
        say("Not confirmed; nothing was written.")
        return worst([*failures, ExitCode.USAGE])

    def finish(self) -> None:
        """What is left to print at the end of a run."""
        from netcup_mailauth.results import RunResult, Status

        outcome = RunResult(tuple(self._results))
        if self._format != "text" and self._results:
            click.echo(_document(outcome, self._format, self.grounds), nl=False)
        elif self._format == "text" and len(self._results) > 1 and not settings().quiet:
            self._print_totals(outcome)
        if outcome.count(Status.APPLIED) and not settings().quiet:
            say(ACCEPTED)
            say(f"  netcup-mailauth check {' '.join(sorted(self.written))}")

    def _print_totals(self, outcome: RunResult) -> None:
        from netcup_mailauth.render import text

        click.echo(text.run_text(outcome), nl=False)


def _without_notes(change_set: ChangeSet) -> ChangeSet:
    """The change set as it is shown to somebody who is about to write it."""
    from netcup_mailauth.findings import Severity

    kept = (f for f in change_set.findings if f.severity is not Severity.NOTE)
    return replace(change_set, findings=tuple(kept))


def _document(outcome: RunResult, output_format: str, grounds: Mapping[str, Grounds]) -> str:
    from netcup_mailauth import planfile
    from netcup_mailauth.render import markdown

    if output_format == "json":
        return planfile.dumps(planfile.run_document(outcome, grounds))
    output = markdown.run_markdown(outcome)
    if len(output) <= LONGEST_MARKDOWN:
        return output
    bare = [replace(r, change_set=replace(r.change_set, changes=())) for r in outcome.results]
    return markdown.run_markdown(replace(outcome, results=tuple(bare)))
