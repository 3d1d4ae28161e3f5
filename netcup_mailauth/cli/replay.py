"""``apply --plan FILE``: exactly the plan in a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from netcup_mailauth.cli.common import say
from netcup_mailauth.cli.many import Progress
from netcup_mailauth.errors import CredentialsError, ExitCode, UsageError, worst

if TYPE_CHECKING:
    from pathlib import Path

    from netcup_mailauth.cli.many import Many
    from netcup_mailauth.cli.reporter import Reporter
    from netcup_mailauth.cli.wiring import Run
    from netcup_mailauth.planfile import SavedPlan

BESIDE = frozenset({"resolver", "nameserver", "lock_timeout"})
"""Options that may stand beside a plan file: none of them says what is wanted."""


def apply_plan_file(
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
    from netcup_mailauth.cli.wiring import run

    _check_nothing_else(domains, options)
    saved = load(path)
    planfile.check_content(saved)  # before credentials are looked for
    # Nothing is asked, not even for credentials.
    click.get_current_context().params["yes"] = True
    reporter.grounds = saved.grounds
    with run(None, options["resolver"], options["nameserver"], many) as current:
        session = current.session(reporter, lock_timeout=options["lock_timeout"])
        has_mailcow = _has_mailcow(current, saved)
        try:
            with Progress(len(saved.plan.zones)) as reporter.bar:
                code = apply_saved(session, saved, has_mailcow=has_mailcow).exit_code
        finally:
            # An interrupted run, too, says what it has written.
            reporter.finish()
        written = [c for c in saved.plan.zones if c.place.domain in reporter.written]
        waiting = timeout is not None and bool(written)
        if waiting and not current.wait([wish_of(c) for c in written], timeout or 0.0):
            code = worst([code, ExitCode.NOT_YET])
    return code


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
    if not any(grounds.source_ref == "mailcow" for grounds in saved.grounds.values()):
        return False
    try:
        return bool(current.mailcow)
    except (UsageError, CredentialsError) as error:
        say(f"mailcow: {error.what}")
        return False
