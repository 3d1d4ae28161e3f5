"""``apply``: plan, show, ask, write once per zone, verify."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from netcup_mailauth.actions import applying, planning
from netcup_mailauth.cli import wanted
from netcup_mailauth.cli.many import Many
from netcup_mailauth.cli.onward import Typed, TypedPlanFile
from netcup_mailauth.cli.options import TIMEOUT
from netcup_mailauth.cli.output import Progress, check_attended, say, settings
from netcup_mailauth.cli.plan import grounds_of
from netcup_mailauth.cli.reporter import Reporter, agreed
from netcup_mailauth.cli.run import run
from netcup_mailauth.errors import CredentialsError, ExitCode, UsageError, worst
from netcup_mailauth.keys.sources import MAILCOW, STDIN

if TYPE_CHECKING:
    from pathlib import Path

    from netcup_mailauth.actions.session import Session
    from netcup_mailauth.cli.run import Run
    from netcup_mailauth.planfile import SavedPlan
    from netcup_mailauth.policy import Wish


def command(
    domains: tuple[str, ...],
    output_format: str,
    full: bool,
    yes: bool,
    dry_run: bool,
    plan_file: Path | None,
    wait: bool,
    timeout: float,
    **options: Any,
) -> int:
    """Plan, show, ask, write, verify."""
    if dry_run:
        return _only_shown(plan_file, domains, output_format, full, options)
    many = Many.of(options)
    reporter = Reporter(output_format, full, many)
    if plan_file is not None:
        return _apply_plan_file(
            plan_file, domains, options, reporter, many, timeout if wait else None
        )
    server, resolver = options["nameserver"], options["resolver"]
    with run(options["mailcow"], resolver, server, many) as current:
        wishes = wanted.wishes(current, domains, options)
        if not yes:
            _check_that_somebody_can_answer(options)
        session = current.session(reporter, lock_timeout=options["lock_timeout"])
        if output_format == "json":
            reporter.grounds = grounds_of(wishes, session.keys)
        beside = _beside(yes=yes, wait=wait, timeout=timeout)
        config = current.config
        reporter.now = Typed("apply", domains, options, tuple(wishes), many, config, beside)
        current.announce(wishes)
        try:
            code = _apply(session, wishes, reporter, yes)
        finally:
            # An interrupted run, too, says what it has written.
            reporter.finish()
        return _waited(current, reporter, wishes, code, timeout if wait else None)


def _only_shown(
    plan_file: Path | None,
    domains: tuple[str, ...],
    output_format: str,
    full: bool,
    options: dict[str, Any],
) -> int:
    """What the same would write: ``plan``, or ``show`` of a plan file."""
    if plan_file is not None:
        from netcup_mailauth.cli.show import command as show_file

        Many.of(options)
        _check_nothing_else(domains, options)
        return show_file(plan_file, output_format, full)
    from netcup_mailauth.cli.plan import command as show_plan

    settings().command = "plan"  # no monitor is to take it for an apply
    return show_plan(domains, output_format, full, False, None, (), **options)


def _beside(*, yes: bool, wait: bool, timeout: float) -> tuple[str, ...]:
    """The options of ``apply`` alone, as they are typed."""
    words = ["--yes"] * yes + ["--wait"] * wait
    words += ["--timeout", f"{timeout:g}"] if timeout != TIMEOUT.more["default"] else []
    return tuple(words)


def _apply(session: Session, wishes: list[Wish], reporter: Reporter, yes: bool) -> int:
    if yes:
        with Progress(len(wishes)) as reporter.bar:
            return applying.apply_unasked(session, wishes).exit_code
    with Progress(len(wishes)) as reporter.bar:
        plan = planning.plan(session, wishes)
    reporter.show_plan(plan)
    if not agreed(plan, "Write these changes to {zones}?"):
        return reporter.declined(plan)
    with Progress(len(wishes)) as reporter.bar:
        return applying.apply(session, plan, wishes).exit_code


def _waited(
    current: Run, reporter: Reporter, wishes: list[Wish], code: int, timeout: float | None
) -> int:
    """The exit code once the name servers have what was written, where that is waited for."""
    done = reporter.written
    written = [wish for wish in wishes if wish.domain in done]
    if timeout is None or not written:
        return code
    from netcup_mailauth.cli.live import wait_for
    from netcup_mailauth.judge.report import Basis

    in_time = wait_for(current.checking(), written, Basis.OPTIONS, timeout)
    return code if in_time else worst([ExitCode(code), ExitCode.NOT_YET])


def _check_that_somebody_can_answer(options: dict[str, Any]) -> None:
    if options["dkim"] == STDIN:
        raise UsageError(
            "The key comes from standard input, so nobody can be asked.",
            "Look at it with plan, then apply it with --yes.",
        )
    check_attended("Look at it with plan, then apply it with --yes.")


BESIDE = frozenset({"resolver", "nameserver", "lock_timeout"})
"""Options that may stand beside a plan file: none of them says what is wanted."""


def _apply_plan_file(
    path: Path,
    domains: tuple[str, ...],
    options: dict[str, Any],
    reporter: Reporter,
    many: Many,
    timeout: float | None,
) -> int:
    """Apply the plan in a file; wait for the name servers if there is a ``timeout``."""
    from netcup_mailauth import planfile
    from netcup_mailauth.actions.planfile import apply_saved, load, wish_of

    _check_nothing_else(domains, options)
    saved = load(path)
    planfile.check_content(saved)  # before credentials are looked for
    # Nothing is asked, not even for credentials.
    settings().options["yes"] = True
    reporter.grounds = saved.grounds
    beside = () if timeout is None else _beside(yes=False, wait=True, timeout=timeout)
    reporter.now = TypedPlanFile(saved, options, beside)
    with run(None, options["resolver"], options["nameserver"], many) as current:
        session = current.session(reporter, lock_timeout=options["lock_timeout"])
        has_mailcow = _has_mailcow(current, saved)
        try:
            with Progress(len(saved.plan.zones)) as reporter.bar:
                code = apply_saved(session, saved, has_mailcow=has_mailcow).exit_code
        finally:
            # An interrupted run, too, says what it has written.
            reporter.finish()
        return _waited(current, reporter, [*map(wish_of, saved.plan.zones)], code, timeout)


def _check_nothing_else(domains: tuple[str, ...], options: dict[str, Any]) -> None:
    given = [name for name, value in options.items() if value and name not in BESIDE]
    beside = [*domains, *(f"--{name.replace('_', '-')}" for name in given)]
    if beside:
        raise UsageError(
            f"--plan says all that is to be done, so {beside[0]} has no place beside it.",
            "Leave it out, or plan again with it and look at the new plan.",
        )


def _has_mailcow(current: Run, saved: SavedPlan) -> bool:
    """Whether mailcow can be asked for keys again; only tried where a key came from it."""
    if not any(grounds.source_ref == MAILCOW for grounds in saved.grounds.values()):
        return False
    try:
        return bool(current.mailcow)
    except (UsageError, CredentialsError) as error:
        say(f"mailcow: {error.what}")
        return False
