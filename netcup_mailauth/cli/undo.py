"""``undo``: put back what an apply changed, and show what can be put back."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from netcup_mailauth.cli.common import (
    CONTEXT,
    FORMAT,
    LOCK_TIMEOUT,
    agreed,
    common_options,
    say,
    settings,
    show,
    warn,
)
from netcup_mailauth.cli.completion import known_domains
from netcup_mailauth.cli.reporter import Reporter
from netcup_mailauth.cli.wanted import judging_options
from netcup_mailauth.errors import ConfigError, ExitCode, UsageError

if TYPE_CHECKING:
    from netcup_mailauth.actions.undo import Target
    from netcup_mailauth.cli.wiring import Run
    from netcup_mailauth.plan import ChangeSet, Result
    from netcup_mailauth.policy import DomainPolicy
    from netcup_mailauth.state.journal import Entry, Journals

LIST = "See what there is:  netcup-mailauth undo --list"


@click.command("undo", context_settings=CONTEXT)
@click.argument("domain", required=False, shell_complete=known_domains)
@click.option("--to", metavar="ID", help="Take back this entry, not the newest one.")
@click.option("--run", "run_id", metavar="ID", help="Take back a whole run, over all its domains.")
@click.option(
    "--lost",
    is_flag=True,
    help="Bring back other records of the zone that are gone since the last apply; always asks.",
)
@click.option("--list", "listing", is_flag=True, help="Show what was written, the newest first.")
@judging_options
@click.option(
    "--mailcow",
    metavar="URL",
    help="The mailcow to ask which DKIM key it signs with (MAILCOW_API_KEY).",
)
@LOCK_TIMEOUT
@FORMAT
@click.option("--full", is_flag=True, help="Show values in full, fit to paste.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@common_options
def command(domain: str | None, **options: Any) -> int:
    """Put back what the last apply to DOMAIN changed, and nothing else.

    \b
    netcup-mailauth undo example.com          (again: one apply further back)
    netcup-mailauth undo --list               (every run that wrote, with its ids)
    netcup-mailauth undo --run ID             (what one run wrote, in all its domains)
    """
    from netcup_mailauth import records
    from netcup_mailauth.cli.wiring import run

    name = records.normalise(domain) if domain else None
    if options.pop("lost"):
        return _bring_back(name, options)
    _check_options(name, options)
    with run(options["mailcow"], options["resolver"]) as current:
        if options["listing"]:
            return _list(current, name, options["output_format"])
        ours = current.journals()
        _check_that_it_is_ours(ours, current.memory.written, name)
        entries = _chosen(ours, name, options["to"], options["run_id"])
        return _undo(current, entries, options)


def _bring_back(name: str | None, options: dict[str, Any]) -> int:
    from netcup_mailauth.cli import lost
    from netcup_mailauth.cli.wiring import run

    lost.check_options(name, options)
    assert name is not None
    with run() as current:
        return lost.bring_back(current, name, options["to"], options["lock_timeout"])


class UndoReporter(Reporter):
    """A plan that could not be made because the zone has moved on is stale, not a mishap."""

    def done(self, result: Result) -> None:
        """One domain's result."""
        from netcup_mailauth.plan import Status

        if result.exit_code is ExitCode.STALE:
            result = replace(result, status=Status.STALE)
        super().done(result)


def _check_options(name: str | None, options: dict[str, Any]) -> None:
    single, many, listing = options["to"], options["run_id"], options["listing"]
    if listing and (single or many):
        raise UsageError("--list shows; it has no place beside --to and --run.", "Leave one out.")
    if listing and options["output_format"] == "markdown":
        raise UsageError("--list is text or JSON.", "Use --format text or --format json.")
    if many and (name or single):
        raise UsageError("--run is about all domains of a run.", "Leave DOMAIN and --to out.")
    if not (listing or many or name):
        raise UsageError("No DOMAIN is named.", f"Name one, or a run with --run. {LIST}")
    if not (listing or options["yes"] or sys.stdin.isatty()):
        raise UsageError(
            "There is no terminal to ask on, and no --yes; nothing was written.",
            f"Look first, then run it with --yes. {LIST}",
        )


def _check_that_it_is_ours(ours: Journals, written: Journals, name: str | None) -> None:
    """Raise :class:`UsageError` if a domain was written through another API or account only."""
    if name is None or ours.entries(name):
        return
    others = written.entries(name)
    if others:
        place = others[0].change_set.place
        raise UsageError(
            f"What was written to {name} from here went through the API {place.backend}, account "
            f"{place.account}, for which this run has no credentials.",
            "Give those credentials, and run undo again. See what there is:  "
            "netcup-mailauth undo --list",
        )


def _chosen(
    journal: Journals, name: str | None, single: str | None, many: str | None
) -> list[Entry]:
    """The entries to take back.

    Raises:
        UsageError: there is none.
    """
    from netcup_mailauth.state.journal import SENT, standing, undone

    _tell_of_damage(journal, [name] if name else journal.domains())

    if name is None:
        known = [entry for domain in journal.domains() for entry in journal.entries(domain)]
        own = [entry for entry in known if entry.run == many and entry.mark in SENT]
        gone = undone(known)
        chosen = list({e.domain: e for e in reversed(own) if e.id not in gone}.values())
        what = f"Run {many} is undone already" if own else f"No run {many} wrote anything"
    elif single:
        chosen = [entry for entry in journal.entries(name) if entry.id == single]
        what = f"{name} has no entry {single}"
    else:
        chosen = standing(journal.entries(name))[:1]
        what = f"{name}: there is nothing to undo"
    if not chosen:
        raise UsageError(
            f"{what}; looked in {journal.place(name or '')}.",
            f"Each machine and account knows only its own writes, the last 50 of a domain. {LIST}",
        )
    return chosen


def _undo(current: Run, entries: list[Entry], options: dict[str, Any]) -> int:
    from netcup_mailauth.actions.applying import apply
    from netcup_mailauth.actions.undo import plan_undo

    reporter = UndoReporter(options["output_format"], options["full"])
    policies = _policies(current, entries)
    sources = {entry.domain: _source(current, entry, policies[entry.domain]) for entry in entries}
    session = current.session(reporter, lock_timeout=options["lock_timeout"])
    session = replace(session, undoes={entry.domain: entry.id for entry in entries})
    plan = plan_undo(session, _targets(entries, policies, sources, options["allow"]))
    if options["yes"]:
        for change_set in plan.zones:
            reporter.show(change_set)
    else:
        reporter.show_plan(plan)
    for change_set in plan.zones:
        _warn_of_the_config(change_set, policies)
    if not options["yes"] and not agreed(plan, "Put this back in {zones}?"):
        return reporter.declined(plan)
    try:
        code = apply(session, plan).exit_code
    finally:
        # An interrupted run, too, says what it has written.
        reporter.finish()
    for entry, change_set in zip(entries, plan.zones, strict=True):
        _tell_if_empty(current.journals(), entry, change_set)
    return code


def _source(current: Run, entry: Entry, policy: DomainPolicy) -> str | None:
    """Where the key that signs a domain's mail comes from: as said here, in the config, or then."""
    from netcup_mailauth.keys.sources import MAILCOW, STDIN

    if current.mailcow_url:
        return MAILCOW
    if policy.dkim and policy.dkim.source:
        return None if policy.dkim.source == STDIN else policy.dkim.source
    origins = [change.source or "" for change in entry.change_set.changes]
    from_mailcow = any(origin.startswith("mailcow at ") for origin in origins)
    return MAILCOW if from_mailcow and current.mailcow_named() else None


def _targets(
    entries: list[Entry],
    policies: dict[str, DomainPolicy],
    sources: dict[str, str | None],
    allow: tuple[str, ...],
) -> list[Target]:
    from netcup_mailauth.actions.undo import Target
    from netcup_mailauth.policy import DomainPolicy, Wish
    from netcup_mailauth.settings.wishes import with_allowed

    # What the config allows was said of what it wants, and that is not what is made here.
    wishes = with_allowed([Wish(entry.domain, DomainPolicy()) for entry in entries], allow)
    return [
        Target(
            entry,
            wish.allow,
            tuple(policies[entry.domain].server or ()),
            sources[entry.domain],
        )
        for entry, wish in zip(entries, wishes, strict=True)
    ]


def _policies(current: Run, entries: list[Entry]) -> dict[str, DomainPolicy]:
    """What the config in use wants of each domain."""
    from netcup_mailauth.policy import Config, DomainPolicy, layered

    try:
        config = current.config.config
    except ConfigError as error:
        if settings().config is not None:
            raise
        # Whoever has to take something back in a hurry is not sent to mend a file first.
        warn(f"the config is passed over: {error.what}")
        config = Config()
    policies = {}
    for domain in (entry.domain for entry in entries):
        own = config.domains.get(domain)
        known = own is not None or config.domains_from is not None
        bare = own or DomainPolicy()
        policies[domain] = layered(config.defaults, bare) if known else bare
    return policies


def _warn_of_the_config(change_set: ChangeSet, policies: dict[str, DomainPolicy]) -> None:
    kinds = {change.kind for change in change_set.changes}
    managed = [k for k in policies[change_set.place.domain].manages if k in kinds]
    if managed:
        named = " and ".join(kind.upper() for kind in managed)
        warn(
            f"the config says what {named} of {change_set.place.domain} should be: the next apply "
            "brings it back. Change the config too."
        )


def _tell_if_empty(journal: Journals, entry: Entry, change_set: ChangeSet) -> None:
    """That there was nothing to do, and how to go further back if that was meant."""
    from netcup_mailauth.state.journal import standing

    if change_set.error is not None or change_set.changes or settings().quiet:
        return
    say(f"{entry.domain} is already as it was before {entry.id}.")
    older = [e for e in standing(journal.entries(entry.domain)) if e.id < entry.id]
    if older:
        say("To go further back:")
        say(f"  netcup-mailauth undo {entry.domain} --to {older[0].id}")


def _list(current: Run, name: str | None, output_format: str) -> int:
    from netcup_mailauth import documents
    from netcup_mailauth.cli.apis import state_folders
    from netcup_mailauth.state.journal import listing

    written = current.memory.written
    domains = [name] if name else written.domains()
    _tell_of_damage(written, domains)
    entries = [entry for domain in domains for entry in written.entries(domain)]
    document = listing(entries)
    if output_format == "json":
        show(documents.dumps(document))
    elif entries:
        show("\n\n".join(map(_run_text, document["runs"])) + "\n")
    else:
        say(f"Nothing was written from here yet{f' to {name}' if name else ''}.")
        say(f"Looked below {' and '.join(map(str, state_folders()))}.")
    return ExitCode.OK


def _tell_of_damage(journal: Journals, domains: list[str]) -> None:
    """Name the files that hold no entry: what they were about is not taken back."""
    for path in (path for domain in domains for path in journal.damaged(domain)):
        warn(f"{path} is damaged, and is passed over.")


def _run_text(run: dict[str, Any]) -> str:
    from netcup_mailauth.records import visible

    lines = [f"run {visible(run['run'])}"]
    for entry in run["entries"]:
        lines += [f"  {visible(entry['id'])}  {visible(entry['domain'])}", f"    {_summary(entry)}"]
    return "\n".join(lines)


def _summary(entry: dict[str, Any]) -> str:
    from netcup_mailauth.plan import Action
    from netcup_mailauth.records import visible
    from netcup_mailauth.render.words import SIGNS

    changes = ", ".join(
        f"{SIGNS[Action(change['action'])]}{change['count']} {change['kind']}"
        for change in entry["changes"]
    )
    done = changes or "what others had lost was brought back"
    words = [f"{entry['time'][:19].replace('T', ' ')} UTC", done, entry["mark"]]
    words += [f"undoes {entry['undoes']}"] if entry["undoes"] else []
    words += ["undone"] if entry["undone"] else []
    return visible("  ".join(words))
