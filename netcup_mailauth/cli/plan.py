"""``plan``: show what would change; write nothing, or the plan file."""

from __future__ import annotations

import shlex
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from netcup_mailauth import files
from netcup_mailauth.actions import planning
from netcup_mailauth.cli import onward, wanted
from netcup_mailauth.cli.many import Many
from netcup_mailauth.cli.options import config_words, typed
from netcup_mailauth.cli.output import (
    Progress,
    complain,
    say,
    settings,
    show,
    use_colour,
    width,
)
from netcup_mailauth.cli.reporter import Reporter, note_mistyped, note_needless, note_planned
from netcup_mailauth.cli.run import run
from netcup_mailauth.errors import ExitCode, MailauthError, worst
from netcup_mailauth.judge import holding
from netcup_mailauth.policy import Grounds
from netcup_mailauth.policy import words as span
from netcup_mailauth.render import text
from netcup_mailauth.render.page import Page
from netcup_mailauth.render.ways import ways_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from netcup_mailauth.keys.sources import Sources
    from netcup_mailauth.netcup.zonefile import ZoneFiles
    from netcup_mailauth.plan import Plan
    from netcup_mailauth.policy import Wish
    from netcup_mailauth.render.ways import Way


def command(
    domains: tuple[str, ...],
    output_format: str,
    full: bool,
    exit_code: bool,
    out: Path | None,
    zone_file: tuple[Path, ...],
    **options: Any,
) -> int:
    """Show what would change; write nothing, or the plan file."""
    if out is not None:
        files.check_target(out)  # before anything is asked
    exported = _exported(zone_file)
    many = Many.of(options)
    server = options.get("nameserver", ())  # of an apply that is only to be shown
    with run(options["mailcow"], options["resolver"], server, many) as current:
        wishes = wanted.wishes(current, domains, options, exported)
        reporter = Reporter(output_format, full, many)
        session = current.session(reporter, exported=exported)
        if exported is None:
            current.announce(wishes)
        with Progress(len(wishes)) as reporter.bar:
            plan = planning.plan(session, wishes)
        note_planned(plan.zones)
        grounds = grounds_of(wishes, session.keys)
        again = "apply" if out is None and exported is None else "plan"
        beside = _beside(out, zone_file)
        now = onward.Typed(again, domains, options, tuple(wishes), many, current.config, beside)
    if out is not None:
        files.write_named(out, _document(plan, grounds))
    failures = [change_set.error.exit_code for change_set in plan.zones if change_set.error]
    if plan.has_changes or failures or not settings().quiet:
        shown = plan if output_format == "json" else many.shown(plan)
        print_plan(shown, output_format, full, grounds, out, now.ways(plan.zones), _age(exported))
    for change_set in plan.zones:
        note_needless(change_set)
        note_mistyped(change_set, options["spf_drop"])
    if out is not None:
        _tell_of_file(out, plan, exported)
    elif output_format == "text" and exported is None and not failures and not _is_held(plan):
        print_next(plan, now)
    return worst([*failures, *(_of_changes(plan) if exit_code else ())])


def _of_changes(plan: Plan) -> list[ExitCode]:
    """What the changes of a plan come to: some of them are held back, some can be written."""
    held = [ExitCode.REFUSED] if _is_held(plan) else []
    return [*held, ExitCode.CHANGES_PENDING] if plan.has_changes else held


def _is_held(plan: Plan) -> bool:
    return any(holding.stopping(change_set) for change_set in plan.zones)


def _beside(out: Path | None, zone_files: Sequence[Path]) -> tuple[str, ...]:
    """The options of ``plan`` alone, as they are typed."""
    options = {"out": out, "zone_file": tuple(zone_files)}
    return tuple(typed(options, options))


def _exported(paths: tuple[Path, ...]) -> ZoneFiles | None:
    if not paths:
        return None
    from netcup_mailauth.netcup.zonefile import ZoneFiles

    if not settings().quiet:
        say(f"zone file: {', '.join(map(str, paths))}; netcup is not asked")
    return ZoneFiles.read(paths)


def _age(exported: ZoneFiles | None) -> str:
    """How old the zones are that a plan was made from; nothing where netcup was asked."""
    if exported is None:
        return ""
    if exported.exported is None:
        return "Planned from exported zones; their files do not say how old they are."
    old = (datetime.now(UTC) - exported.exported).total_seconds()
    moment = f"{exported.exported:%Y-%m-%d %H:%M} UTC"
    if old < 0:
        return f"Planned from zones that were exported at {moment}, which is yet to come."
    return f"Planned from zones as they were {span(old)} ago, at {moment}."


def _document(plan: Plan, grounds: Mapping[str, Grounds]) -> str:
    from netcup_mailauth import documents, planfile  # not needed but for a document

    return documents.dumps(planfile.plan_document(plan, grounds))


def grounds_of(wishes: Sequence[Wish], keys: Sources) -> dict[str, Grounds]:
    """What each domain's changes are judged by, beside the records."""
    found: dict[str, Grounds] = {}
    for wish in wishes:
        host = None
        if wish.source is not None:
            with suppress(MailauthError):  # then the domain has no plan, and says why
                host = keys.host(wish.source)
        found[wish.domain] = Grounds.of(wish, host)
    return found


def print_plan(
    plan: Plan,
    output_format: str,
    full: bool,
    grounds: Mapping[str, Grounds],
    path: Path | None,
    ways: Sequence[Way] = (),
    age: str = "",
) -> None:
    """The plan on stdout, how to go on, and on stderr why domains failed.

    ``path`` is the file it is in, if it is in one, and ``age`` a sentence on what it was made from.
    """
    if output_format != "json":
        plan = replace(plan, zones=tuple(map(onward.shown, plan.zones)))
    match output_format:
        case "json":
            output = _document(plan, grounds)
        case "markdown":
            from netcup_mailauth.render import forge, markdown
            from netcup_mailauth.render.ways import ways_markdown

            output = markdown.plan_markdown(plan, full, path.name if path else None)
            output += ways_markdown(ways, forge.MOST - len(output))
        case _:
            page = Page(width(), use_colour(), why=False)
            output = text.plan_text(plan, page, full) + ways_text(ways)
    show(f"{age}\n\n{output}" if age and output_format != "json" else output)
    for change_set in plan.zones:
        if change_set.error:
            complain(change_set.place.domain, change_set.error, output_format)


def _tell_of_file(out: Path, plan: Plan, exported: ZoneFiles | None) -> None:
    failed = [change_set.place.domain for change_set in plan.zones if change_set.error]
    if failed:
        say(f"{out} says of {', '.join(failed)} only why there is no plan.")
    if settings().quiet:
        return
    shown = shlex.quote(str(out))
    ready = [c for c in plan.zones if c.changes and not holding.stopping(c)]
    if exported is not None:
        say(f"The plan is in {shown}. Made from a zone file, it can be looked at, not applied.")
    elif ready:
        words = [onward.PROGRAM, "apply", "--plan", str(out), *config_words()]
        what = "the domains that are not held back" if _is_held(plan) else "it"
        say(f"Nothing has been written. To write {what}:")
        say(f"  {onward.joined(words)}")
    elif plan.has_changes:
        say(f"The plan is in {shown}; as it stands, apply --plan refuses it.")
        if any(holding.is_in_part(change_set) for change_set in plan.zones):
            say("A plan file is written whole or not at all; apply itself writes what is not held.")
    elif not failed:
        say(f"The plan is in {shown}; there is nothing to do.")


def print_next(plan: Plan, now: onward.Typed) -> None:
    """The command that would apply this plan, complete and quoted for the shell."""
    if plan.has_changes:
        say("Nothing has been written. To write it:")
        say(f"  {onward.to_write(now, plan.zones)}")
